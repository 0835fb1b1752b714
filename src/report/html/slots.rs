//! Takes a planned group and writes the places of its machines as a table; what is the same for all of them stands before it, once.

use super::grid::grid;
use super::markup::Markup;
use super::numbers::counted;
use crate::planning::{Certainty, ClusterPlan, GroupPlan, NicPlan, PoolReference, SlotKind, choices};

/// From this number on, neighbouring slots that can hold the same addresses share a row.
const ALIKE: usize = 6;

/// What a row says beside slot, address and certainty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Device,
    Network,
    Pool,
    Gateway,
    Dns,
    Claim,
    Object,
}

impl Column {
    const ALL: [Column; 7] = [
        Column::Device,
        Column::Network,
        Column::Gateway,
        Column::Dns,
        Column::Pool,
        Column::Claim,
        Column::Object,
    ];

    fn title(self) -> &'static str {
        match self {
            Column::Device => "NIC",
            Column::Network => "vSphere network",
            Column::Pool => "Pool",
            Column::Gateway => "Gateway",
            Column::Dns => "DNS servers",
            Column::Claim => "Claim",
            Column::Object => "Address object",
        }
    }

    fn value(self, nic: &NicPlan) -> String {
        match self {
            Column::Device => nic.device.to_string(),
            Column::Network => nic.network.clone().unwrap_or_default(),
            Column::Pool => nic.pool.name.clone(),
            Column::Gateway => nic.gateway.clone().unwrap_or_default(),
            Column::Dns => nic.dns_servers.join(", "),
            Column::Claim => nic.claim.clone(),
            Column::Object => nic.address_object.clone().unwrap_or_default(),
        }
    }
}

/// One or more neighbouring slots and one NIC of theirs.
struct Row<'p> {
    first: &'p str,
    last: &'p str,
    slots: usize,
    kind: SlotKind,
    nic: &'p NicPlan,
}

/// The slots of a group. `fact` writes what all rows share.
pub(super) fn slots(
    out: &mut Markup,
    cluster: &ClusterPlan,
    group: &GroupPlan,
    fact: impl Fn(&mut Markup, &'static str, &str),
) {
    let rows = rows(group);
    let Some(sample) = rows.first() else { return };
    let choices = choices(cluster, group);
    let shared = |column: &Column| {
        let value = column.value(sample.nic);
        let varies = *column == Column::Object && !value.is_empty();
        !varies && rows.iter().all(|row| column.value(row.nic) == value)
    };
    let (same, varying): (Vec<Column>, Vec<Column>) = Column::ALL.into_iter().partition(shared);
    out.element("dl", &[("class", "facts")], |out| {
        for column in same {
            let value = column.value(sample.nic);
            if !value.is_empty() {
                fact(out, column.title(), &value);
            }
        }
    });
    let mut titles = vec!["Machine", "Address"];
    titles.extend(varying.iter().map(|column| column.title()));
    titles.push("Certainty");
    grid(out, "machines and addresses", &titles, |grid| {
        for row in &rows {
            grid.row(|cells| {
                cells.cell(|out| name(out, row));
                cells.cell(|out| address(out, row.nic, &choices));
                for column in &varying {
                    let value = column.value(row.nic);
                    cells.cell(|out| {
                        if !value.is_empty() {
                            out.code(&value);
                        }
                    });
                }
                cells.cell(|out| out.text(certainty(row)));
            });
        }
    });
}

/// A row for each slot and NIC; neighbours of a set that differ in nothing but their number share one.
fn rows(group: &GroupPlan) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for alike in group
        .slots
        .chunk_by(|one, other| one.kind == other.kind && same_set(&one.nics, &other.nics))
    {
        let runs = if alike.len() < ALIKE {
            alike.chunks(1)
        } else {
            alike.chunks(alike.len())
        };
        for run in runs {
            let [first, .., last] = run else {
                let [only] = run else { continue };
                rows.extend(
                    only.nics
                        .iter()
                        .map(|nic| row(&only.name, &only.name, 1, only.kind, nic)),
                );
                continue;
            };
            rows.extend(
                first
                    .nics
                    .iter()
                    .map(|nic| row(&first.name, &last.name, run.len(), first.kind, nic)),
            );
        }
    }
    rows
}

fn row<'p>(first: &'p str, last: &'p str, slots: usize, kind: SlotKind, nic: &'p NicPlan) -> Row<'p> {
    Row {
        first,
        last,
        slots,
        kind,
        nic,
    }
}

fn same_set(one: &[NicPlan], other: &[NicPlan]) -> bool {
    one == other && one.iter().all(|nic| nic.address.is_none())
}

fn name(out: &mut Markup, row: &Row<'_>) {
    out.code(row.first);
    if row.slots > 1 {
        out.text(" to ");
        out.code(row.last);
        out.text(&format!(" ({})", counted(row.slots as u128, "machine", "machines")));
    }
}

/// The address with its prefix length, or the set that it will be of.
fn address(out: &mut Markup, nic: &NicPlan, choices: &[(&PoolReference, Vec<String>)]) {
    let prefix = nic.prefix.map(|prefix| format!("/{prefix}")).unwrap_or_default();
    if let Some(address) = &nic.address {
        out.element("code", &[("class", "address")], |code| {
            code.text(&format!("{address}{prefix}"))
        });
        return;
    }
    let Some((_, ranges)) = choices.iter().find(|(pool, _)| **pool == nic.pool) else {
        out.text("not known: the pool is not in the manifest");
        return;
    };
    out.text("one of ");
    out.ranges(ranges);
    if !prefix.is_empty() {
        out.text(", each ");
        out.code(&prefix);
    }
}

fn certainty(row: &Row<'_>) -> &'static str {
    match (row.nic.certainty, row.kind) {
        (Certainty::Exact, _) => "exact",
        (Certainty::Set, SlotKind::Replica) => "set",
        (Certainty::Set, SlotKind::Surge) => "set (only while machines are replaced)",
    }
}
