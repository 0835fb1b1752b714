//! Takes a wanted pool and plans the object: a new document before the first template that it serves, or the pool of that name brought to the wanted values.

use serde_json::{Map, Value};

use super::{Change, Plan, Wish};
use crate::addressing::{
    ClusterName, PoolConfig, SEARCH_DOMAINS, StaticAddressing, WantedPool, can_be_label, pool_object,
};
use crate::check::Finding;
use crate::check::codes;
use crate::objects::{Detail, Manifest, Object, Pool, PoolKind};

pub(super) fn plan(manifest: &Manifest<'_>, wish: &Wish<'_>, plan: &mut Plan, findings: &mut Vec<Finding>) {
    let kind = PoolKind::from(wish.config.spec.pool_kind);
    for wanted in &wish.selection.pools {
        let value = pool_object(wanted, &wish.config.spec);
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
    let cluster = config.spec.cluster.as_deref().map(ClusterName::read);
    let namespace = config.metadata.get("namespace").and_then(Value::as_str);
    let namespace = namespace.or(cluster.and_then(|cluster| cluster.namespace));
    let pools = config.spec.pools.iter().enumerate();
    let alone = |(index, pool): (usize, &PoolConfig)| {
        let wanted = WantedPool {
            namespace: namespace.map(ToOwned::to_owned),
            cluster_name: cluster.map(|cluster| cluster.name.to_owned()),
            network: pool.network.clone().filter(|network| can_be_label(network)),
            ..WantedPool::unselected(pool, index)
        };
        pool_object(&wanted, &config.spec)
    };
    pools.map(alone).collect()
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
