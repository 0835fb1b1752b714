//! Takes the steps of a plan and gives their rows and the sentences that go with them, and what differs from an earlier plan's steps.

use std::collections::BTreeMap;

use super::table::Table;
use crate::ipam::{AddressRange, AddressSet};
use crate::planning::{AddressPlan, Certainty, StepGroup, StepHolding, StepPlan, StepPool};

/// One row for each step, group and pool; `wide` adds reasons and ways out.
#[must_use]
pub fn steps_table(plan: &AddressPlan, wide: bool) -> Table {
    let narrow = [
        "STEP",
        "EVENT",
        "CLUSTER",
        "GROUP",
        "HOLDS",
        "CERTAINTY",
        "POOL",
        "PEAK",
        "NEEDED",
        "SIZE",
        "STUCK",
    ];
    let more = ["WHY", "WAY OUT"];
    let titles: Vec<&'static str> = narrow.into_iter().chain(more.into_iter().filter(|_| wide)).collect();
    let mut table = Table::new(&titles);
    for (number, step) in (1..).zip(&plan.steps) {
        for group in &step.groups {
            for holding in holdings(group) {
                table.row(row(number, step, group, &holding, wide));
            }
        }
    }
    table
}

/// What stuck steps mean and what to do, one sentence each.
#[must_use]
pub fn steps_notes(plan: &AddressPlan) -> Vec<String> {
    let mut notes = Vec::new();
    for (number, step) in (1..).zip(&plan.steps) {
        for pool in step.pools.iter().filter(|pool| pool.stuck) {
            let why = pool.why.as_deref().unwrap_or("it gets stuck");
            let mut note = format!("step {number}, pool {}: {why}.", pool.pool.name);
            if let Some(way_out) = &pool.way_out {
                note += &format!(" Way out: {way_out}.");
            }
            notes.push(note);
        }
    }
    notes
}

/// What a group holds of each of its pools.
fn holdings(group: &StepGroup) -> Vec<StepHolding> {
    match &group.pool {
        None => group.holdings.clone(),
        Some(pool) => vec![StepHolding {
            pool: pool.clone(),
            certainty: group.certainty,
            addresses: group.addresses.clone(),
            held: group.held,
            why: group.why.clone(),
        }],
    }
}

fn row(number: usize, step: &StepPlan, group: &StepGroup, holding: &StepHolding, wide: bool) -> Vec<String> {
    let pool = step.pools.iter().find(|pool| pool.pool == holding.pool);
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut cells = vec![
        number.to_string(),
        step.event.clone(),
        text(group.cluster.clone()),
        format!("{}/{}", group.kind, group.name),
        held(holding),
        certainty(holding.certainty).to_owned(),
        holding.pool.name.clone(),
        text(pool.and_then(|pool| pool.peak).map(|peak| peak.to_string())),
        text(pool.and_then(|pool| pool.needed).map(|needed| needed.to_string())),
        text(pool.and_then(|pool| pool.size.as_ref()).map(ToString::to_string)),
        stuck(pool).to_owned(),
    ];
    if wide {
        cells.extend([
            text(holding.why.clone()),
            text(pool.and_then(|pool| pool.way_out.clone())),
        ]);
    }
    cells
}

fn stuck(pool: Option<&StepPool>) -> &'static str {
    match pool {
        Some(pool) if pool.stuck && pool.every_run == Some(false) => "possible",
        Some(pool) if pool.stuck => "yes",
        _ => "no",
    }
}

/// Exact addresses in order of creation; of a set its ranges, and how many of it are held.
fn held(holding: &StepHolding) -> String {
    if holding.certainty == Certainty::Exact {
        return if holding.addresses.is_empty() {
            "nothing".to_owned()
        } else {
            holding.addresses.join(", ")
        };
    }
    let ranges = ranges(&holding.addresses);
    let all = u64::try_from(ranges.size()).ok();
    let text = ranges
        .ranges()
        .map(|range| range.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    match holding.held {
        Some(0) => "nothing".to_owned(),
        Some(held) if Some(held) != all => format!("{held} of {text}"),
        _ => text,
    }
}

fn ranges(addresses: &[String]) -> AddressSet {
    let read = |text: &String| text.parse::<AddressRange>().ok();
    addresses.iter().filter_map(read).collect()
}

fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Exact => "exact",
        Certainty::Set => "set",
    }
}

/// A place of a step: its number, and the group or pool.
type Key = (usize, String);

/// What an earlier plan's steps and these say differently: the place, the old and the new.
pub(super) fn step_changes(old: &AddressPlan, new: &AddressPlan) -> Vec<(String, String, String, String)> {
    let (before, after) = (entries(old), entries(new));
    let mut keys: Vec<&Key> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let value = |of: &BTreeMap<Key, String>, key: &Key| of.get(key).cloned().unwrap_or_default();
    keys.into_iter()
        .map(|key| {
            (
                format!("step {}", key.0),
                key.1.clone(),
                value(&before, key),
                value(&after, key),
            )
        })
        .filter(|(.., old, new)| old != new)
        .collect()
}

fn entries(plan: &AddressPlan) -> BTreeMap<Key, String> {
    let mut entries = BTreeMap::new();
    for (number, step) in (1..).zip(&plan.steps) {
        entries.insert((number, "event".to_owned()), step.event.clone());
        for group in &step.groups {
            let title = [
                group.namespace.as_ref(),
                group.cluster.as_ref(),
                Some(&group.kind),
                Some(&group.name),
            ];
            let title = title
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("/");
            let order = certainty(group.certainty);
            entries.insert((number, title), format!("{order} {}", group.addresses.join(",")));
        }
        for pool in &step.pools {
            let number_of = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
            let said = format!(
                "peak {}, needed {}, stuck {}",
                number_of(pool.peak),
                number_of(pool.needed),
                stuck(Some(pool))
            );
            let title = [
                pool.pool.namespace.as_ref(),
                Some(&pool.pool.kind),
                Some(&pool.pool.name),
            ];
            let title = title
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("/");
            entries.insert((number, format!("pool {title}")), said);
        }
    }
    entries
}
