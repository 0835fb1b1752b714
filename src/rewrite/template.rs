//! Takes the chosen templates and plans their label, DHCP flags and pool references; other NICs and every other field stay.

use serde_json::{Value, json};

use super::rename;
use super::{Change, Plan, Wish};
use crate::addressing::{Binding, ChosenTemplate, Groups};
use crate::check::Finding;
use crate::objects::{Cursor, Detail, Manifest, Nic, POOL_LABEL, PoolKind, Template};

pub(super) fn plan(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    index: usize,
    wish: &Wish<'_>,
    plan: &mut Plan,
    findings: &mut Vec<Finding>,
) {
    let mut first = 0;
    for pools in wish
        .selection
        .templates
        .chunk_by(|one, other| one.object == other.object)
    {
        let object = &manifest.objects[pools[0].object];
        if let Detail::Template(template) = &object.detail {
            if wish.config.spec.rename_templates {
                let changes = manifest.with_object(object, |at| changes(template, at, pools, wish));
                rename::plan(manifest, groups, pools[0].object, changes, plan, findings);
            } else {
                plan.templates.push((index, first));
            }
        }
        first += pools.len();
    }
}

/// The changes of one template, given its entries in the selection.
pub(super) fn changes(
    template: &Template<'_>,
    at: Cursor<'_, '_>,
    chosen: &[ChosenTemplate],
    wish: &Wish<'_>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let set = |mapping, path: Vec<&'static str>, value| Change::Set { mapping, path, value };
    if wish.config.spec.binding == Binding::Label {
        let name = &wish.selection.pools[chosen[0].pool].name;
        changes.push(set(at.node, vec!["metadata", "labels", POOL_LABEL], json!(name)));
    }
    for (index, nic) in template.nics.iter().enumerate() {
        let pools: Vec<usize> = chosen
            .iter()
            .filter(|chosen| chosen.nics.contains(index))
            .map(|chosen| chosen.pool)
            .collect();
        if pools.is_empty() {
            continue;
        }
        changes.push(set(nic.node, vec!["dhcp4"], json!(false)));
        changes.push(set(nic.node, vec!["dhcp6"], json!(false)));
        if wish.config.spec.binding == Binding::AddressesFromPools {
            changes.extend(from_pools(nic, Cursor { node: nic.node, ..at }, &pools, wish));
        }
    }
    changes
}

/// What a NIC needs to take addresses from pools by itself. CAPV takes no name servers or search domains from them.
fn from_pools(nic: &Nic<'_>, at: Cursor<'_, '_>, pools: &[usize], wish: &Wish<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let configs = || {
        pools
            .iter()
            .map(|pool| &wish.config.spec.pools[wish.selection.pools[*pool].index])
    };
    let union = |lists: Vec<&Vec<String>>| {
        let mut all: Vec<&String> = Vec::new();
        for text in lists.into_iter().flatten() {
            if !all.contains(&text) {
                all.push(text);
            }
        }
        all.into_iter().map(|text| json!(text)).collect::<Vec<Value>>()
    };
    for (key, values) in [
        (
            "nameservers",
            union(configs().map(|config| &config.dns_servers).collect()),
        ),
        (
            "searchDomains",
            union(configs().map(|config| &config.search_domains).collect()),
        ),
    ] {
        if !values.is_empty() {
            changes.push(Change::Bring {
                mapping: nic.node,
                key,
                value: Value::Array(values),
            });
        }
    }
    let kind = PoolKind::from(wish.config.spec.pool_kind);
    let old = at
        .get("addressesFromPools")
        .and_then(|list| at.tree.value(list.node, &crate::yaml::Limits::default()).ok());
    let mut list = old.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    for pool in pools {
        let name = &wish.selection.pools[*pool].name;
        let known = nic.pools.iter().any(|pool| {
            let is = |text: &Option<crate::objects::Text<'_>>, wanted: &str| {
                text.as_ref().is_some_and(|text| text.value == wanted)
            };
            is(&pool.kind, kind.name()) && is(&pool.name, name)
        });
        if !known {
            list.push(json!({ "apiGroup": kind.group(), "kind": kind.name(), "name": name }));
        }
    }
    changes.push(Change::Bring {
        mapping: nic.node,
        key: "addressesFromPools",
        value: Value::Array(list),
    });
    changes
}
