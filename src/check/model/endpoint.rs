//! Takes the Clusters and VSphereClusters of a manifest and of what is live, and gives their control-plane endpoints; judges nothing.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::Subject;
use crate::check::finding::Place;
use crate::ipam::parse_address;
use crate::objects::{Detail, Manifest, Object, is_placeholder};

/// The port of the API where none is written.
const API_PORT: u16 = 6443;

/// The host of a control-plane endpoint.
pub(crate) struct Endpoint {
    /// The Cluster of the manifest; none where it is not known, or live.
    pub(crate) cluster: Option<usize>,
    /// It is a running cluster's, and not judged itself.
    pub(crate) live: bool,
    /// The object that holds it, as findings name it.
    pub(crate) object: String,
    /// That object's name, by which the adapter's claim for it is called.
    pub(crate) holder: String,
    /// The host as written.
    pub(crate) host: String,
    /// The host as an address.
    pub(crate) address: Option<IpAddr>,
    /// Its port; `None` while that is a placeholder.
    pub(crate) port: Option<u16>,
    /// A port that is none, as written, and where it stands.
    pub(crate) no_port: Option<(String, Place)>,
    /// Where the host stands.
    pub(crate) place: Place,
}

/// The endpoints: of each VSphereCluster, and of Clusters whose VSphereCluster has none.
pub(super) fn endpoints(subject: &Subject<'_, '_>) -> Vec<Endpoint> {
    let manifest = subject.manifest;
    let groups = subject.groups;
    let clusters: HashMap<usize, usize> = groups
        .clusters
        .iter()
        .filter_map(|cluster| Some((groups.infrastructure(*cluster)?, *cluster)))
        .collect();
    let mut endpoints = Vec::new();
    for (index, object) in manifest.objects.iter().enumerate() {
        let cluster = match &object.detail {
            Detail::VSphereCluster(Some(_)) => clusters.get(&index).copied(),
            Detail::Cluster(cluster) if cluster.endpoint.is_some() => {
                let infrastructure = groups
                    .infrastructure(index)
                    .map(|infrastructure| &manifest.objects[infrastructure]);
                if infrastructure.is_some_and(|object| matches!(object.detail, Detail::VSphereCluster(Some(_)))) {
                    continue;
                }
                Some(index)
            }
            _ => continue,
        };
        endpoints.extend(read(manifest, object, 0, cluster, false));
    }
    if let Some(state) = subject.state {
        let known: HashSet<String> = endpoints
            .iter()
            .map(|endpoint: &Endpoint| endpoint.object.clone())
            .collect();
        for object in &state.manifest.objects {
            if matches!(object.detail, Detail::VSphereCluster(Some(_))) && !known.contains(&object.to_string()) {
                endpoints.extend(read(&state.manifest, object, state.first_text, None, true));
            }
        }
    }
    endpoints
}

fn read(
    manifest: &Manifest<'_>,
    object: &Object<'_>,
    first_text: usize,
    cluster: Option<usize>,
    live: bool,
) -> Option<Endpoint> {
    let place = |span| Place {
        source: first_text + manifest.source_of(object),
        span,
    };
    let (host, port, no_port) = manifest.with_object(object, |at| {
        let endpoint = at.at(&["spec", "controlPlaneEndpoint"])?;
        let port = match endpoint.text_of("port") {
            None => Some(API_PORT),
            // CAPI takes an unset port for 0.
            Some(port) if port.value == "0" => Some(API_PORT),
            Some(port) => port.value.parse().ok(),
        };
        let written = endpoint
            .text_of("port")
            .filter(|text| port.is_none() && !is_placeholder(&text.value));
        let no_port = written.map(|text| (text.value.into_owned(), place(text.span)));
        Some((endpoint.text_of("host")?, port, no_port))
    })?;
    Some(Endpoint {
        cluster,
        live,
        object: object.to_string(),
        holder: object.name().to_owned(),
        address: parse_address(&host.value).ok(),
        port,
        no_port,
        place: place(host.span),
        host: host.value.into_owned(),
    })
}
