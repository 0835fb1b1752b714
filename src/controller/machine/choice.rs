//! Takes what a template or VSphereCluster says about its pool, gives the pool to claim from, or why there is none and what
//! to do; never claims.

use std::collections::BTreeMap;

use super::super::store::Store;
use super::waiting::Waiting;
use crate::api::metal3::IPPool;
use crate::ipam::{AddressSet, Pool, Seeded, parse_address};

/// Label: the pool by name. The other keys are the static-address adapter's too (`pkg/ipam/ipam.go`).
const POOL_NAME: &str = "cluster.x-k8s.io/ip-pool-name";
/// Label on both sides: pools of a group.
const POOL_GROUP: &str = "cluster.x-k8s.io/ip-pool-group";
/// Label on both sides: pools of a network.
const NETWORK_NAME: &str = "cluster.x-k8s.io/network-name";
/// Annotation of a Cluster: pools of another namespace, which is refused.
const POOL_NAMESPACE: &str = "cluster.x-k8s.io/ip-pool-namespace";
/// Annotation of a pool: machines of other Clusters may use it.
const SHARED: &str = "capv-ipam.dev/shared";

/// Who asks.
pub(in super::super) struct Asker<'a> {
    pub(in super::super) namespace: &'a str,
    pub(in super::super) cluster: &'a str,
    /// The object whose labels count, for messages: `VSphereMachineTemplate x`.
    pub(in super::super) labelled: &'a str,
    /// The labels that count.
    pub(in super::super) labels: &'a BTreeMap<String, String>,
    /// The network of the NIC; empty where there is none.
    pub(in super::super) network: &'a str,
}

/// Whether the labels name a pool in any way.
pub(in super::super) fn is_labelled(labels: &BTreeMap<String, String>) -> bool {
    [POOL_NAME, POOL_GROUP, NETWORK_NAME]
        .iter()
        .any(|key| labels.get(*key).is_some_and(|value| !value.is_empty()))
}

/// The name of the pool to claim from.
pub(in super::super) fn choose(store: &Store, asker: &Asker<'_>) -> Result<String, Waiting> {
    let namespace = store.namespace(asker.namespace);
    if let Some((_, cluster)) = namespace.clusters.get(asker.cluster)
        && let Some(other) = cluster.annotations.get(POOL_NAMESPACE)
        && other != asker.namespace
    {
        return Err(Waiting::new(
            "OtherNamespace",
            format!(
                "the Cluster's annotation {POOL_NAMESPACE} names the namespace {other}; claims there would be garbage-collected \
                 while their machines live. Move the pool to {} and remove the annotation",
                asker.namespace
            ),
        ));
    }
    let label = |key: &str| asker.labels.get(key).filter(|value| !value.is_empty());
    if let Some(name) = label(POOL_NAME) {
        let pool = namespace.pools.get(name).ok_or_else(|| {
            let message = format!(
                "the IPPool {name} that {} names is not in the namespace; create it",
                asker.labelled
            );
            Waiting::new("PoolNotFound", message)
        })?;
        return may_use(pool, asker).map(|()| name.clone());
    }
    let wanted: Vec<(&str, &String)> = [POOL_GROUP, NETWORK_NAME]
        .into_iter()
        .filter_map(|key| Some((key, label(key)?)))
        .collect();
    if wanted.is_empty() {
        let message = format!("{} has no label {POOL_NAME}; add it", asker.labelled);
        return Err(Waiting::new("NoPoolLabel", message));
    }
    // By name, and one with a free address before others.
    let fits = |pool: &&IPPool| {
        wanted
            .iter()
            .all(|(key, value)| pool.metadata.labels.get(*key) == Some(*value))
    };
    let mut candidates: Vec<&IPPool> = namespace.pools.values().filter(fits).collect();
    if candidates.is_empty() {
        let message = format!(
            "no IPPool of the namespace has the labels that {} asks for; add them to one",
            asker.labelled
        );
        return Err(Waiting::new("PoolNotFound", message));
    }
    let of_network = |pool: &&IPPool| {
        pool.metadata
            .labels
            .get(NETWORK_NAME)
            .is_some_and(|name| name == asker.network)
    };
    if !asker.network.is_empty() && candidates.iter().any(of_network) {
        candidates.retain(of_network);
    }
    let allowed: Vec<&&IPPool> = candidates.iter().filter(|pool| may_use(pool, asker).is_ok()).collect();
    let chosen = allowed.iter().find(|pool| has_room(pool)).or(allowed.first());
    match chosen {
        Some(pool) => Ok(pool.metadata.name.clone()),
        None => may_use(candidates[0], asker).map(|()| candidates[0].metadata.name.clone()),
    }
}

fn may_use(pool: &IPPool, asker: &Asker<'_>) -> Result<(), Waiting> {
    let owner = pool.spec.cluster_name.as_deref().unwrap_or(asker.cluster);
    let shared = pool
        .metadata
        .annotations
        .get(SHARED)
        .is_some_and(|value| value == "true");
    if owner == asker.cluster || shared {
        return Ok(());
    }
    let name = &pool.metadata.name;
    Err(Waiting::new(
        "PoolOfAnotherCluster",
        format!(
            "the IPPool {name} belongs to the Cluster {owner}; use another pool, or annotate it with {SHARED}=true"
        ),
    ))
}

fn has_room(pool: &IPPool) -> bool {
    let read = Pool::ippool(&pool.metadata.name, &pool.spec);
    let held: AddressSet = pool
        .status
        .iter()
        .flat_map(|status| status.indexes.values())
        .filter_map(|text| parse_address(text).ok())
        .collect();
    read.succession(&held, &mut Seeded::new(0)).next().is_some()
}
