//! Takes an earlier and a later address plan and gives the rows that differ; computes no address.

use std::collections::BTreeMap;

use super::steps::step_entries;
use super::table::Table;
use crate::planning::{AddressPlan, ClusterPlan, NicPlan, SlotKind, SlotPlan};

/// What differs between an earlier plan and this one, one row for each value; empty when nothing does.
#[must_use]
pub fn plan_changes(old: &AddressPlan, new: &AddressPlan) -> Table {
    let (before, after) = (entries(old), entries(new));
    let mut table = Table::new(&["CLUSTER", "GROUP", "SLOT", "NIC", "WHAT", "OLD", "NEW"]).with_words(&["WHAT"]);
    let mut keys: Vec<&Key> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let value = |of: &BTreeMap<Key, String>| of.get(key).cloned().unwrap_or_default();
        let (old, new) = (value(&before), value(&after));
        if old != new {
            let Key {
                cluster,
                group,
                slot,
                nic,
                what,
            } = key.clone();
            table.row(vec![cluster, group, slot, nic, what.to_owned(), old, new]);
        }
    }
    table
}

/// Where a value belongs. The order of the fields is the order of the rows.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    cluster: String,
    group: String,
    slot: String,
    nic: String,
    what: &'static str,
}

/// Every endpoint, every group's set, and all that a machine's NIC gets.
fn entries(plan: &AddressPlan) -> BTreeMap<Key, String> {
    let mut entries = BTreeMap::new();
    for cluster in &plan.clusters {
        let of_cluster = Key {
            cluster: cluster_name(cluster),
            ..Key::default()
        };
        if let Some(endpoint) = &cluster.endpoint {
            let port = endpoint.port.map(|port| format!(" port {port}")).unwrap_or_default();
            let what = "endpoint";
            entries.insert(
                Key {
                    what,
                    ..of_cluster.clone()
                },
                format!("{}{port}", endpoint.host),
            );
        }
        for group in &cluster.groups {
            let of_group = Key {
                group: format!("{}/{}", group.kind, group.name),
                ..of_cluster.clone()
            };
            entries.insert(
                Key {
                    what: "all addresses",
                    ..of_group.clone()
                },
                group.addresses.join(","),
            );
            for slot in &group.slots {
                for nic in &slot.nics {
                    let of_nic = Key {
                        slot: slot.name.clone(),
                        nic: format!("{} {}", nic.device, nic.pool.name),
                        ..of_group.clone()
                    };
                    let values = values(slot, nic);
                    entries.extend(
                        values
                            .into_iter()
                            .map(|(what, value)| (Key { what, ..of_nic.clone() }, value)),
                    );
                }
            }
        }
    }
    for (slot, group, what, value) in step_entries(plan) {
        let key = Key {
            group,
            slot,
            what,
            ..Key::default()
        };
        entries.insert(key, value);
    }
    entries
}

fn cluster_name(cluster: &ClusterPlan) -> String {
    let parts = [cluster.namespace.as_deref(), cluster.name.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

fn values(slot: &SlotPlan, nic: &NicPlan) -> [(&'static str, String); 5] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let one = match slot.kind {
        SlotKind::Replica => "one",
        SlotKind::Surge => "surge",
    };
    [
        (
            "address",
            nic.address
                .clone()
                .unwrap_or_else(|| format!("{one} of {}", nic.pool.name)),
        ),
        ("network", text(&nic.network)),
        (
            "prefix",
            nic.prefix.map(|prefix| prefix.to_string()).unwrap_or_default(),
        ),
        ("gateway", text(&nic.gateway)),
        ("dns", nic.dns_servers.join(",")),
    ]
}
