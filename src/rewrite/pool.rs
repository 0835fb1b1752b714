//! Takes a wanted pool and plans the object: a new document before the first template that it serves, or the pool of that name brought to the wanted values.

use serde_json::{Map, Value, json};

use super::{Change, Plan, Wish};
use crate::addressing::{Binding, PoolConfig, StaticAddressing, WantedPool, can_be_label, wanted_ranges};
use crate::check::Finding;
use crate::check::codes;
use crate::ipam::AddressRange;
use crate::objects::{Detail, Manifest, Object, Pool, PoolKind};

const SEARCH_DOMAINS: &str = "cluster.x-k8s.io/dns-search-domains";
const NETWORK_LABEL: &str = "cluster.x-k8s.io/network-name";

pub(super) fn plan(manifest: &Manifest<'_>, wish: &Wish<'_>, plan: &mut Plan, findings: &mut Vec<Finding>) {
    let kind = PoolKind::from(wish.config.spec.pool_kind);
    for wanted in &wish.selection.pools {
        let config = &wish.config.spec.pools[wanted.index];
        let annotated = wish.config.spec.binding == Binding::Label;
        let value = object(wanted, config, kind, annotated);
        let same = |object: &&Object<'_>| match &object.detail {
            Detail::Pool(pool) => pool.kind == kind && object.name() == wanted.name,
            _ => false,
        };
        let mut named = manifest
            .objects
            .iter()
            .enumerate()
            .filter(|(_, object)| same(object))
            .peekable();
        let Some(&(_, first)) = named.peek() else {
            plan.pools.push((wanted.first_template, value));
            continue;
        };
        match named.find(|(_, object)| object.in_namespace(wanted.namespace.as_deref())) {
            Some((index, object)) => bring(manifest, index, object, &value, plan, findings),
            None => findings.push(
                Finding::new(
                    &codes::POOL_NAMESPACE,
                    format!(
                        "{first} is not in the namespace {}",
                        wanted.namespace.as_deref().unwrap_or("default")
                    ),
                )
                .on(first)
                .at(
                    manifest.source_of(first),
                    first
                        .namespace
                        .as_ref()
                        .map_or(first.name_span(), |namespace| namespace.span),
                )
                .help("machines find pools in their own namespace only; move the pool, or choose another name"),
            ),
        }
    }
}

/// The pools of a configuration, with its own name and namespace for what a manifest would tell.
pub(crate) fn pools_alone(config: &StaticAddressing) -> Vec<Map<String, Value>> {
    let kind = PoolKind::from(config.spec.pool_kind);
    let annotated = config.spec.binding == Binding::Label;
    let namespace = config.metadata.get("namespace").and_then(Value::as_str);
    let pools = config.spec.pools.iter().enumerate();
    let alone = |(index, pool): (usize, &PoolConfig)| {
        let wanted = WantedPool {
            index,
            name: pool.name.clone().unwrap_or_default(),
            namespace: namespace.map(ToOwned::to_owned),
            cluster_name: config.spec.cluster.clone(),
            ranges: wanted_ranges(pool),
            network: pool.network.clone().filter(|network| can_be_label(network)),
            first_template: 0,
        };
        object(&wanted, pool, kind, annotated)
    };
    pools.map(alone).collect()
}

/// The pool as an object.
fn object(wanted: &WantedPool, config: &PoolConfig, kind: PoolKind, annotated: bool) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!(wanted.name));
    if let Some(namespace) = &wanted.namespace {
        metadata.insert("namespace".into(), json!(namespace));
    }
    if let (PoolKind::IPPool, Some(network)) = (kind, &wanted.network) {
        metadata.insert("labels".into(), json!({ NETWORK_LABEL: network }));
    }
    if annotated && !config.search_domains.is_empty() {
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

/// Brings the pool that is there to the wanted values; keys that are not ours stay.
fn bring(
    manifest: &Manifest<'_>,
    index: usize,
    object: &Object<'_>,
    wanted: &Map<String, Value>,
    plan: &mut Plan,
    findings: &mut Vec<Finding>,
) {
    let Detail::Pool(pool) = &object.detail else { return };
    let Some(spec) = wanted.get("spec") else { return };
    prefix_changes(manifest, object, pool, spec, findings);
    // The network label only informs; a pool that is there keeps the labels that it has.
    if let Some(domains) = wanted
        .get("metadata")
        .and_then(|metadata| metadata.get("annotations")?.get(SEARCH_DOMAINS))
    {
        let path = vec!["metadata", "annotations", SEARCH_DOMAINS];
        plan.change(
            manifest,
            index,
            Change::Set {
                mapping: object.node,
                path,
                value: domains.clone(),
            },
        );
    }
    let spec = manifest.with_object(object, |at| {
        let old = at
            .get("spec")
            .and_then(|spec| at.tree.value(spec.node, &manifest.limits()).ok());
        adapt(spec.clone(), old.as_ref())
    });
    plan.change(
        manifest,
        index,
        Change::Bring {
            mapping: object.node,
            key: "spec",
            value: spec,
        },
    );
    manifest.with_object(object, |at| {
        let entries = at.at(&["spec", "pools"]);
        for entry in entries.into_iter().flat_map(|entries| entries.items()) {
            if entry.get("subnet").is_some() {
                plan.change(
                    manifest,
                    index,
                    Change::RemoveEntry {
                        mapping: entry.node,
                        key: "subnet".into(),
                    },
                );
            }
        }
    });
}

/// Entries that leave prefix and gateway to the pool's defaults keep doing so.
fn adapt(mut wanted: Value, old: Option<&Value>) -> Value {
    let old_entries = old.and_then(|old| old.get("pools")).and_then(Value::as_array);
    if let (Some(old_entries), Some(entries)) = (old_entries, wanted.get_mut("pools").and_then(Value::as_array_mut)) {
        for (entry, old) in entries.iter_mut().zip(old_entries) {
            for key in ["prefix", "gateway"] {
                if let (None, Some(entry)) = (old.get(key), entry.as_object_mut()) {
                    entry.shift_remove(key);
                }
            }
        }
    }
    wanted
}

/// metal3's webhook refuses another namePrefix on a pool that exists (`ippool_webhook.go`).
fn prefix_changes(
    manifest: &Manifest<'_>,
    object: &Object<'_>,
    pool: &Pool<'_>,
    spec: &Value,
    findings: &mut Vec<Finding>,
) {
    let wanted = spec.get("namePrefix").and_then(Value::as_str);
    if let (Some(old), Some(wanted)) = (&pool.name_prefix, wanted)
        && old.value != wanted
    {
        let message = format!("{object} gets the namePrefix {wanted} instead of {}", old.value);
        findings.push(
            Finding::new(&codes::POOL_PREFIX_CHANGED, message)
                .on(object)
                .at(manifest.source_of(object), old.span)
                .help("if the pool is applied already, keep its namePrefix in the configuration, or give the pool a new name"),
        );
    }
}
