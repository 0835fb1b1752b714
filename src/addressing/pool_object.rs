//! Takes a wanted pool and gives the object that is written for it, with the keys in the order in which people read them; never looks at a manifest.

use serde_json::{Map, Value, json};

use super::configuration::{Binding, PoolConfig, Spec};
use super::selection::WantedPool;
use crate::ipam::AddressRange;
use crate::objects::{NETWORK_LABEL, PoolKind};

/// The annotation of an IPPool that the adapter hands on to the NIC.
pub(crate) const SEARCH_DOMAINS: &str = "cluster.x-k8s.io/dns-search-domains";

/// The pool as an object.
#[must_use]
pub(crate) fn pool_object(wanted: &WantedPool, spec: &Spec) -> Map<String, Value> {
    let config = &spec.pools[wanted.index];
    let kind = PoolKind::from(spec.pool_kind);
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!(wanted.name));
    if let Some(namespace) = &wanted.namespace {
        metadata.insert("namespace".into(), json!(namespace));
    }
    if let (PoolKind::IPPool, Some(network)) = (kind, &wanted.network) {
        metadata.insert("labels".into(), json!({ NETWORK_LABEL: network }));
    }
    if spec.binding == Binding::Label && !config.search_domains.is_empty() {
        // The old adapter splits at the comma and does not trim.
        metadata.insert(
            "annotations".into(),
            json!({ SEARCH_DOMAINS: config.search_domains.join(",") }),
        );
    }
    let (version, spec) = match kind {
        PoolKind::IPPool => ("ipam.metal3.io/v1alpha1", metal3_spec(wanted, config)),
        _ => ("ipam.cluster.x-k8s.io/v1alpha2", in_cluster_spec(wanted, config)),
    };
    let mut object = Map::new();
    object.insert("apiVersion".into(), json!(version));
    object.insert("kind".into(), json!(kind.name()));
    object.insert("metadata".into(), Value::Object(metadata));
    object.insert("spec".into(), Value::Object(spec));
    object
}

fn metal3_spec(wanted: &WantedPool, config: &PoolConfig) -> Map<String, Value> {
    let mut spec = Map::new();
    if let Some(cluster) = &wanted.cluster_name {
        spec.insert("clusterName".into(), json!(cluster));
    }
    spec.insert(
        "namePrefix".into(),
        json!(config.name_prefix.as_ref().unwrap_or(&wanted.name)),
    );
    let entry = |range: &AddressRange| {
        let mut entry = Map::new();
        entry.insert("start".into(), json!(range.start().to_string()));
        entry.insert("end".into(), json!(range.end().to_string()));
        network(&mut entry, config);
        Value::Object(entry)
    };
    spec.insert("pools".into(), wanted.ranges.iter().map(entry).collect());
    network(&mut spec, config);
    if !config.dns_servers.is_empty() {
        spec.insert("dnsServers".into(), json!(config.dns_servers));
    }
    if !config.pre_allocations.is_empty() {
        spec.insert("preAllocations".into(), json!(config.pre_allocations));
    }
    spec
}

fn in_cluster_spec(wanted: &WantedPool, config: &PoolConfig) -> Map<String, Value> {
    let mut spec = Map::new();
    spec.insert(
        "addresses".into(),
        wanted.ranges.iter().map(|range| json!(range.to_string())).collect(),
    );
    network(&mut spec, config);
    spec
}

fn network(into: &mut Map<String, Value>, config: &PoolConfig) {
    if let Some(prefix) = config.prefix {
        into.insert("prefix".into(), json!(prefix));
    }
    if let Some(gateway) = &config.gateway {
        into.insert("gateway".into(), json!(gateway));
    }
}
