//! Takes the steps of a plan and gives their rows and the sentences that go with them; computes no address.

use super::plan::{Columns, cluster_title};
use super::table::{Table, plain};
use super::visible::visible;
use crate::ipam::{AddressRange, AddressSet};
use crate::planning::{AddressPlan, Certainty, StepGroup, StepHolding, StepPlan, StepPool};

const NARROW: [&str; 11] = [
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
const WIDE: [&str; 2] = ["WHY", "WAY OUT"];
/// Columns whose cells are words of this program and numbers, not names and addresses.
const WORDS: [&str; 8] = ["STEP", "CERTAINTY", "PEAK", "NEEDED", "SIZE", "STUCK", "WHY", "WAY OUT"];

/// The steps as text below the table of the plan; empty without steps.
#[must_use]
pub fn steps_text(plan: &AddressPlan, columns: Columns) -> String {
    if plan.steps.is_empty() {
        return String::new();
    }
    let notes = notes(plan);
    let notes: String = notes.iter().map(|note| format!("\n{}\n", visible(note))).collect();
    format!("\n{}{notes}", steps_table(plan, columns).aligned())
}

/// The steps as a table of their own.
#[must_use]
pub fn steps_csv(plan: &AddressPlan) -> String {
    steps_table(plan, Columns::All).csv()
}

/// The steps as a Markdown table, and what to do where one gets stuck; empty without steps.
#[must_use]
pub fn steps_markdown(plan: &AddressPlan) -> String {
    if plan.steps.is_empty() {
        return String::new();
    }
    let notes: String = notes(plan).iter().map(|note| format!("\n- {}", plain(note))).collect();
    let end = if notes.is_empty() { "" } else { "\n" };
    format!("\n{}{notes}{end}", steps_table(plan, Columns::Narrow).markdown())
}

/// One row for each step, group and pool; all but narrow ones say why and what to do.
fn steps_table(plan: &AddressPlan, columns: Columns) -> Table {
    let wide = columns > Columns::Narrow;
    let mut titles = NARROW.to_vec();
    titles.extend(WIDE.iter().filter(|_| wide));
    let mut table = Table::new(&titles).with_words(&WORDS);
    for (number, step) in (1..).zip(&plan.steps) {
        for group in &step.groups {
            let cluster = cluster_title(plan, group.cluster.as_ref(), group.namespace.as_ref());
            for holding in holdings(group) {
                table.row(row((number, step), &cluster, group, &holding, wide));
            }
        }
    }
    table
}

/// What stuck steps mean and what to do, and what else there is to know, one sentence or two each.
fn notes(plan: &AddressPlan) -> Vec<String> {
    let mut notes = Vec::new();
    for (number, step) in (1..).zip(&plan.steps) {
        for pool in step.pools.iter().filter(|pool| pool.stuck == Some(true)) {
            let why = pool.why.as_deref().unwrap_or("it gets stuck");
            let mut note = format!("step {number}, pool {}: {why}.", pool.pool.name);
            if let Some(way_out) = &pool.way_out {
                note += &format!(" Way out: {way_out}.");
            }
            notes.push(note);
        }
        notes.extend(step.notes.iter().map(|note| format!("step {number}: {note}.")));
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

fn row(
    (number, step): (usize, &StepPlan),
    cluster: &str,
    group: &StepGroup,
    holding: &StepHolding,
    wide: bool,
) -> Vec<String> {
    let pool = step.pools.iter().find(|pool| pool.pool == holding.pool);
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut cells = vec![
        number.to_string(),
        step.event.clone(),
        cluster.to_owned(),
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
        Some(pool) => match pool.stuck {
            Some(true) if pool.every_run == Some(false) => "possible",
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        },
        None => "no",
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

/// What the steps of a plan say, each with the event's place, the group or pool, and what it is.
pub(super) fn step_entries(plan: &AddressPlan) -> Vec<(String, String, &'static str, String)> {
    let mut entries = Vec::new();
    for (number, step) in (1..).zip(&plan.steps) {
        // With leading zeros the order of the texts is the order of the steps.
        let place = format!("step {number:02}");
        entries.push((place.clone(), String::new(), "event", step.event.clone()));
        for group in &step.groups {
            let title = [
                group.namespace.as_ref(),
                group.cluster.as_ref(),
                Some(&group.kind),
                Some(&group.name),
            ];
            let held = format!("{} {}", certainty(group.certainty), group.addresses.join(","));
            entries.push((place.clone(), joined(title), "holds", held));
        }
        for pool in &step.pools {
            let title = [
                pool.pool.namespace.as_ref(),
                Some(&pool.pool.kind),
                Some(&pool.pool.name),
            ];
            let number_of = |value: Option<u64>| value.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
            entries.push((place.clone(), joined(title), "peak", number_of(pool.peak)));
            entries.push((place.clone(), joined(title), "needed", number_of(pool.needed)));
            entries.push((place.clone(), joined(title), "stuck", stuck(Some(pool)).to_owned()));
        }
    }
    entries
}

fn joined<const PARTS: usize>(parts: [Option<&String>; PARTS]) -> String {
    parts
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("/")
}
