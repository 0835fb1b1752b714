//! Takes an address plan and gives its rows for people and spreadsheets, and the rows that differ from an earlier plan.

use std::collections::BTreeMap;

use super::steps::step_changes;
use super::table::Table;
use crate::planning::{AddressPlan, Certainty, ClusterPlan, GroupPlan, NicPlan, SlotKind, SlotPlan};

/// One row for each slot and NIC; `wide` adds what the address comes with.
#[must_use]
pub fn plan_table(plan: &AddressPlan, wide: bool) -> Table {
    let narrow = ["CLUSTER", "GROUP", "SLOT", "NIC", "ADDRESS", "CERTAINTY", "POOL"];
    let more = ["NETWORK", "PREFIX", "GATEWAY", "DNS", "CLAIM", "OBJECT", "MACHINE"];
    let titles: Vec<&'static str> = narrow.into_iter().chain(more.into_iter().filter(|_| wide)).collect();
    let mut table = Table::new(&titles);
    for cluster in &plan.clusters {
        for group in &cluster.groups {
            if group.slots.is_empty() {
                table.row(unknown(cluster, group, wide));
            }
            for slot in &group.slots {
                slot.nics
                    .iter()
                    .for_each(|nic| table.row(row(cluster, group, slot, nic, wide)));
            }
        }
    }
    table
}

fn row(cluster: &ClusterPlan, group: &GroupPlan, slot: &SlotPlan, nic: &NicPlan, wide: bool) -> Vec<String> {
    let mut cells = vec![
        cluster.name.clone().unwrap_or_default(),
        format!("{}/{}", group.kind, group.name),
        slot.name.clone(),
        nic.device.to_string(),
        shown(group, nic),
        certainty(nic.certainty).to_owned(),
        nic.pool.name.clone(),
    ];
    if wide {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        cells.extend([
            text(&nic.network),
            nic.prefix.map(|prefix| prefix.to_string()).unwrap_or_default(),
            text(&nic.gateway),
            nic.dns_servers.join(","),
            nic.claim.clone(),
            text(&nic.address_object),
            text(&group.machine_pattern),
        ]);
    }
    cells
}

/// A group whose size is not known yet.
fn unknown(cluster: &ClusterPlan, group: &GroupPlan, wide: bool) -> Vec<String> {
    let mut cells = vec![String::new(); if wide { 14 } else { 7 }];
    cells[0] = cluster.name.clone().unwrap_or_default();
    cells[1] = format!("{}/{}", group.kind, group.name);
    cells[2] = "unknown".to_owned();
    cells[4] = summary(&group.addresses);
    cells[5] = certainty(Certainty::Set).to_owned();
    cells
}

fn shown(group: &GroupPlan, nic: &NicPlan) -> String {
    nic.address.clone().unwrap_or_else(|| summary(&group.addresses))
}

/// A set in few words: its first and last address.
fn summary(addresses: &[String]) -> String {
    match addresses {
        [] => String::new(),
        [one] => one.clone(),
        [first, .., last] => format!(
            "{}..{}",
            first.split('-').next().unwrap_or(first),
            last.rsplit('-').next().unwrap_or(last)
        ),
    }
}

fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Exact => "exact",
        Certainty::Set => "set",
    }
}

/// What differs between an earlier plan and this one, one row for each slot or set; empty when nothing does.
#[must_use]
pub fn plan_changes(earlier: &AddressPlan, later: &AddressPlan) -> Table {
    let (before, after) = (entries(earlier), entries(later));
    let mut table = Table::new(&["CLUSTER", "GROUP", "SLOT", "NIC", "OLD", "NEW"]);
    let mut keys: Vec<&Key> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let value = |of: &BTreeMap<Key, String>| of.get(key).cloned().unwrap_or_default();
        let (old, new) = (value(&before), value(&after));
        if old != new {
            table.row(vec![
                key.0.clone(),
                key.1.clone(),
                key.2.clone(),
                key.3.clone(),
                old,
                new,
            ]);
        }
    }
    for (step, place, old, new) in step_changes(earlier, later) {
        table.row(vec![String::new(), place, step, String::new(), old, new]);
    }
    table
}

type Key = (String, String, String, String);

/// Every exact address, and every group's set, by where it belongs.
fn entries(plan: &AddressPlan) -> BTreeMap<Key, String> {
    let mut entries = BTreeMap::new();
    for cluster in &plan.clusters {
        let name = [cluster.namespace.as_deref(), cluster.name.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("/");
        let endpoint = cluster
            .endpoint
            .as_ref()
            .map(|endpoint| endpoint.host.clone())
            .unwrap_or_default();
        entries.insert(
            (name.clone(), "endpoint".into(), String::new(), String::new()),
            endpoint,
        );
        for group in &cluster.groups {
            let title = format!("{}/{}", group.kind, group.name);
            entries.insert(
                (name.clone(), title.clone(), "all".into(), String::new()),
                group.addresses.join(","),
            );
            for slot in &group.slots {
                for nic in &slot.nics {
                    let value = nic
                        .address
                        .clone()
                        .unwrap_or_else(|| format!("{} of {}", kind(slot.kind), nic.pool.name));
                    let place = format!("{} {}", nic.device, nic.pool.name);
                    entries.insert((name.clone(), title.clone(), slot.name.clone(), place), value);
                }
            }
        }
    }
    entries
}

fn kind(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Replica => "one",
        SlotKind::Surge => "surge",
    }
}
