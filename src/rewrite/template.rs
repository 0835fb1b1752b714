//! Takes the chosen templates and plans their label, DHCP flags and pool references; other NICs and every other field stay.

use serde_json::{Value, json};

use super::rename;
use super::{Change, Plan, Wish};
use crate::addressing::{Binding, ChosenTemplate, Groups};
use crate::check::Finding;
use crate::check::codes;
use crate::objects::{Cursor, Detail, Manifest, Nic, Object, POOL_LABEL, PoolKind, Template};

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
            judge(manifest, object, template, pools, wish, findings);
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

/// What is noteworthy about a template that is about to be edited.
fn judge(
    manifest: &Manifest<'_>,
    object: &Object<'_>,
    template: &Template<'_>,
    chosen: &[ChosenTemplate],
    wish: &Wish<'_>,
    findings: &mut Vec<Finding>,
) {
    let source = manifest.source_of(object);
    let mut report = |code, message: String, span, help: &str| {
        findings.push(Finding::new(code, message).on(object).at(source, span).help(help));
    };
    let spec = &wish.config.spec;
    let is_chosen = |index: usize| chosen.iter().any(|chosen| chosen.nics.contains(index));
    for (index, nic) in template.nics.iter().enumerate() {
        if spec.binding == Binding::Label && !nic.pools.is_empty() {
            let message = format!("{object} gets the pool label, and its NIC {index} has addressesFromPools");
            report(
                &codes::BOTH_BINDINGS,
                message,
                nic.pools[0].span,
                "keep one of the two, or its machines get two addresses",
            );
        }
        if is_chosen(index) && nic.skips_allocation {
            let message = format!("NIC {index} of {object} says skipIPAllocation");
            report(
                &codes::NIC_SKIPS_ALLOCATION,
                message,
                nic.span,
                "remove skipIPAllocation, or choose another NIC by `network`",
            );
        }
        if let (true, Binding::AddressesFromPools, Some(gateway)) = (is_chosen(index), spec.binding, &nic.gateway) {
            let message = format!("NIC {index} of {object} has a gateway of its own, which the pool's replaces");
            report(
                &codes::GATEWAY_REPLACED,
                message,
                gateway.span,
                "remove it from the NIC",
            );
        }
    }
    if spec.binding == Binding::AddressesFromPools {
        if let Some(label) = &template.pool_label {
            let message = format!(
                "{object} gets addressesFromPools and has the pool label {}",
                label.value
            );
            report(
                &codes::BOTH_BINDINGS,
                message,
                label.span,
                "remove the label, or an adapter gives its machines a second address",
            );
        }
        if object.version().starts_with("v1alpha") {
            let message = format!("{object} is of {}, which has no addressesFromPools", object.api_version);
            report(
                &codes::FIELD_TOO_NEW,
                message,
                object.span,
                "use `binding: label`, or a manifest of v1beta1 or later",
            );
        }
    }
    if object.live && !spec.rename_templates {
        let message = format!("{object} comes from a live cluster, where its spec cannot change");
        report(
            &codes::LIVE_TEMPLATE,
            message,
            object.name_span(),
            "set `renameTemplates: true` (--rename-templates)",
        );
    }
}
