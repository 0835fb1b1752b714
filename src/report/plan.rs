//! Takes an address plan and gives its rows for people and spreadsheets; computes no address.

use super::table::Table;
use crate::planning::{
    AddressPlan, Certainty, ClusterPlan, GroupPlan, NicPlan, PoolReference, SlotKind, SlotPlan, choices,
};

/// How much a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Columns {
    /// Who gets which address.
    Narrow,
    /// What the address comes with, too.
    Wide,
    /// Everything that the plan knows of it.
    All,
}

const NARROW: [&str; 7] = ["CLUSTER", "GROUP", "SLOT", "NIC", "ADDRESS", "CERTAINTY", "POOL"];
const WIDE: [&str; 6] = ["NETWORK", "PREFIX", "GATEWAY", "DNS", "CLAIM", "OBJECT"];
const ALL: [&str; 6] = ["MACHINE", "NAMESPACE", "ROLE", "KIND", "FAMILY", "WHY"];
/// Columns whose cells are words of this program, not names and addresses.
const WORDS: [&str; 7] = ["NIC", "CERTAINTY", "PREFIX", "ROLE", "KIND", "FAMILY", "WHY"];

/// Ranges of a set that a narrow row names.
const SHOWN: usize = 2;

/// One row for each slot and NIC; for a group of unknown size one for each of its pools.
#[must_use]
pub fn plan_table(plan: &AddressPlan, columns: Columns) -> Table {
    let mut titles = NARROW.to_vec();
    titles.extend(WIDE.iter().filter(|_| columns >= Columns::Wide));
    titles.extend(ALL.iter().filter(|_| columns == Columns::All));
    let mut table = Table::new(&titles).with_words(&WORDS);
    for cluster in &plan.clusters {
        let title = cluster_title(plan, cluster.name.as_ref(), cluster.namespace.as_ref());
        for group in &cluster.groups {
            let rows = Rows {
                title: &title,
                cluster,
                group,
                choices: choices(cluster, group),
                columns,
            };
            if group.slots.is_empty() {
                rows.unknown(&mut table);
            }
            for slot in &group.slots {
                slot.nics.iter().for_each(|nic| table.row(rows.row(slot, nic)));
            }
        }
    }
    table
}

/// A cluster's name; with the namespace in front where the plan has the name twice.
pub(super) fn cluster_title(plan: &AddressPlan, name: Option<&String>, namespace: Option<&String>) -> String {
    let alike = plan.clusters.iter().filter(|cluster| cluster.name.as_ref() == name);
    match (name, namespace) {
        (Some(name), Some(namespace)) if alike.count() > 1 => format!("{namespace}/{name}"),
        (name, _) => name.cloned().unwrap_or_default(),
    }
}

/// The plan as GitHub's Markdown: the table, then endpoints, and why sets are no more than that.
#[must_use]
pub fn plan_markdown(plan: &AddressPlan) -> String {
    let mut out = plan_table(plan, Columns::Wide).markdown();
    let mut notes = Vec::new();
    for cluster in &plan.clusters {
        let title = cluster_title(plan, cluster.name.as_ref(), cluster.namespace.as_ref());
        let name = code(if title.is_empty() { "unnamed" } else { &title });
        if let Some(endpoint) = &cluster.endpoint {
            let port = endpoint.port.map(|port| format!(" port {port}")).unwrap_or_default();
            notes.push(format!("{name}: the endpoint is {}{port}", code(&endpoint.host)));
        }
        for group in &cluster.groups {
            let group_name = code(&format!("{}/{}", group.kind, group.name));
            if let Some(machine) = &group.machine_name {
                notes.push(format!("{name}: machines of {group_name} are called {}", code(machine)));
            }
            if let Some(why) = &group.why {
                notes.push(format!("{name}: {group_name} is a set: {}", super::table::plain(why)));
            }
        }
    }
    if !notes.is_empty() {
        out.push('\n');
        notes.iter().for_each(|note| out.extend(["- ", note, "\n"]));
    }
    out
}

fn code(text: &str) -> String {
    super::table::code_span(text)
}

/// The rows of one group.
struct Rows<'p> {
    /// What the cluster is called.
    title: &'p str,
    cluster: &'p ClusterPlan,
    group: &'p GroupPlan,
    choices: Vec<(&'p PoolReference, Vec<String>)>,
    columns: Columns,
}

impl Rows<'_> {
    fn row(&self, slot: &SlotPlan, nic: &NicPlan) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let choice = self.choices.iter().find(|(pool, _)| **pool == nic.pool);
        let set = || choice.map(|(_, ranges)| self.shown(ranges)).unwrap_or_default();
        let mut cells = self.first_cells(&slot.name, &nic.device.to_string());
        cells.extend([
            nic.address.clone().unwrap_or_else(set),
            certainty(nic.certainty).to_owned(),
            nic.pool.name.clone(),
        ]);
        if self.columns >= Columns::Wide {
            cells.extend([
                text(&nic.network),
                nic.prefix.map(|prefix| prefix.to_string()).unwrap_or_default(),
                text(&nic.gateway),
                nic.dns_servers.join(","),
                nic.claim.clone(),
                text(&nic.address_object),
            ]);
        }
        let kind = match slot.kind {
            SlotKind::Replica => "replica",
            SlotKind::Surge => "surge",
        };
        self.last_cells(
            slot.machine.as_ref(),
            kind,
            &text(&nic.family),
            nic.certainty,
            &mut cells,
        );
        cells
    }

    /// A group whose size is not known yet.
    fn unknown(&self, table: &mut Table) {
        let nothing = Vec::new();
        let pools = self.choices.iter().map(|(pool, ranges)| (&*pool.name, ranges));
        let none = self.choices.is_empty().then_some(("", &nothing));
        for (pool, ranges) in pools.chain(none) {
            let mut cells = self.first_cells("unknown", "");
            cells.extend([
                self.shown(ranges),
                certainty(Certainty::Set).to_owned(),
                pool.to_owned(),
            ]);
            if self.columns >= Columns::Wide {
                cells.extend(WIDE.iter().map(|_| String::new()));
            }
            self.last_cells(None, "", "", Certainty::Set, &mut cells);
            table.row(cells);
        }
    }

    fn first_cells(&self, slot: &str, nic: &str) -> Vec<String> {
        vec![
            self.title.to_owned(),
            format!("{}/{}", self.group.kind, self.group.name),
            slot.to_owned(),
            nic.to_owned(),
        ]
    }

    /// A machine that exists has its own name in place of the group's pattern.
    fn last_cells(
        &self,
        machine: Option<&String>,
        kind: &str,
        family: &str,
        certainty: Certainty,
        cells: &mut Vec<String>,
    ) {
        if self.columns != Columns::All {
            return;
        }
        let why = match (certainty, kind) {
            (Certainty::Exact, _) => "",
            (Certainty::Set, "surge") => self
                .group
                .why
                .as_deref()
                .unwrap_or("which address is free in a roll-out is not known"),
            (Certainty::Set, _) => self.group.why.as_deref().unwrap_or_default(),
        };
        cells.extend([
            machine
                .or(self.group.machine_name.as_ref())
                .cloned()
                .unwrap_or_default(),
            self.cluster.namespace.clone().unwrap_or_default(),
            self.group.role.clone(),
            kind.to_owned(),
            family.to_owned(),
            why.to_owned(),
        ]);
    }

    /// The ranges of a set, as the configuration's `addresses` takes them; a narrow row names the first ones.
    fn shown(&self, ranges: &[String]) -> String {
        match self.columns {
            Columns::Narrow if ranges.len() > SHOWN => ranges[..SHOWN].join(",") + ",…",
            _ => ranges.join(","),
        }
    }
}

fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Exact => "exact",
        Certainty::Set => "set",
    }
}
