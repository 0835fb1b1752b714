//! Takes a Cluster and gives the VSphereCluster that it refers to, and what that says about endpoint and failure domains.

use super::plan::Endpoint;
use crate::objects::{Detail, INFRASTRUCTURE, Manifest, Object};

/// The VSphereCluster of a Cluster.
pub(super) fn vsphere_cluster<'m, 'a>(manifest: &'m Manifest<'a>, cluster: &Object<'a>) -> Option<&'m Object<'a>> {
    let Detail::Cluster(detail) = &cluster.detail else {
        return None;
    };
    let name = detail.infrastructure.as_ref()?.name.as_ref()?;
    manifest.objects.iter().find(|object| {
        matches!(object.detail, Detail::VSphereCluster(_)) && object.is_meant(&name.value, cluster.namespace(), cluster)
    })
}

/// The endpoint of the VSphereCluster that the Cluster refers to, else its own.
pub(super) fn endpoint(manifest: &Manifest<'_>, cluster: &Object<'_>) -> Option<Endpoint> {
    let infrastructure = vsphere_cluster(manifest, cluster);
    [infrastructure, Some(cluster)]
        .into_iter()
        .flatten()
        .find_map(|object| {
            manifest.with_object(object, |at| {
                let endpoint = at.at(&["spec", "controlPlaneEndpoint"])?;
                let host = endpoint.text_of("host").filter(|host| !host.value.is_empty())?;
                let port = endpoint.text_of("port").and_then(|port| port.value.parse().ok());
                Some(Endpoint {
                    host: host.value.into_owned(),
                    port,
                })
            })
        })
}

/// Whether the old adapter would take an address for the endpoint, because the VSphereCluster gives none
/// (spectro adapter `vspherecluster_controller.go`).
pub(super) fn lacks_endpoint(manifest: &Manifest<'_>, cluster: &Object<'_>) -> bool {
    vsphere_cluster(manifest, cluster).is_some() && endpoint(manifest, cluster).is_none()
}

/// Whether the manifest has failure domains that every control plane may use (CAPV `vspherecluster_reconciler.go`).
pub(super) fn has_zones(manifest: &Manifest<'_>) -> bool {
    let zone = |object: &Object<'_>| object.kind == "VSphereDeploymentZone" && object.group() == INFRASTRUCTURE;
    manifest.objects.iter().any(zone)
}

/// Whether a cluster chooses failure domains.
pub(super) fn selects_zones(manifest: &Manifest<'_>, cluster: &Object<'_>) -> bool {
    vsphere_cluster(manifest, cluster)
        .is_some_and(|object| manifest.with_object(object, |at| at.at(&["spec", "failureDomainSelector"]).is_some()))
}
