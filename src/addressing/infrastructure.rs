//! Takes the Clusters of a manifest and gives the VSphereCluster that each refers to; one pass, whatever their number.

use std::collections::HashMap;

use crate::objects::{Detail, Manifest};

/// The VSphereCluster of each Cluster, as indices of objects.
pub(super) fn infrastructure(manifest: &Manifest<'_>, clusters: &[usize]) -> HashMap<usize, usize> {
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, object) in manifest.objects.iter().enumerate() {
        if matches!(object.detail, Detail::VSphereCluster(_)) {
            for name in object.names() {
                named.entry(name).or_default().push(index);
            }
        }
    }
    let own = |cluster: usize| {
        let object = &manifest.objects[cluster];
        let Detail::Cluster(detail) = &object.detail else {
            return None;
        };
        let name = detail.infrastructure.as_ref()?.name.as_ref()?;
        let found = named.get(&*name.value)?;
        found
            .iter()
            .copied()
            .find(|infrastructure| manifest.objects[*infrastructure].is_meant(&name.value, object.namespace(), object))
    };
    clusters
        .iter()
        .filter_map(|cluster| Some((*cluster, own(*cluster)?)))
        .collect()
}
