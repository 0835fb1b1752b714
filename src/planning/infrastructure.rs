//! Takes a Cluster and gives what its VSphereCluster says about endpoint and failure domains.

use super::plan::Endpoint;
use crate::addressing::Groups;
use crate::objects::{INFRASTRUCTURE, Manifest, Object, is_placeholder};

/// The endpoint of the VSphereCluster that the Cluster refers to, else its own.
pub(super) fn endpoint(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, cluster: usize) -> Option<Endpoint> {
    [groups.infrastructure(cluster), Some(cluster)]
        .into_iter()
        .flatten()
        .find_map(|object| {
            manifest.with_object(&manifest.objects[object], |at| {
                let endpoint = at.at(&["spec", "controlPlaneEndpoint"])?;
                let host = endpoint.text_of("host").filter(|host| !host.value.is_empty())?;
                let written = endpoint.text_of("port").filter(|port| !is_placeholder(&port.value));
                let port = written.as_ref().and_then(|port| port.value.parse().ok());
                Some(Endpoint {
                    host: host.value.into_owned(),
                    port,
                    no_port: written.filter(|_| port.is_none()).map(|port| port.value.into_owned()),
                })
            })
        })
}

/// Whether the old adapter would take an address for the endpoint, because the VSphereCluster gives none
/// (spectro adapter `vspherecluster_controller.go`).
pub(super) fn lacks_endpoint(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, cluster: usize) -> bool {
    groups.infrastructure(cluster).is_some() && endpoint(manifest, groups, cluster).is_none()
}

/// Whether the manifest has failure domains that every control plane may use (CAPV `vspherecluster_reconciler.go`).
pub(super) fn has_zones(manifest: &Manifest<'_>) -> bool {
    let zone = |object: &Object<'_>| object.kind == "VSphereDeploymentZone" && object.group() == INFRASTRUCTURE;
    manifest.objects.iter().any(zone)
}

/// Whether a cluster chooses failure domains.
pub(super) fn selects_zones(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, cluster: usize) -> bool {
    groups.infrastructure(cluster).is_some_and(|object| {
        manifest.with_object(&manifest.objects[object], |at| {
            at.at(&["spec", "failureDomainSelector"]).is_some()
        })
    })
}
