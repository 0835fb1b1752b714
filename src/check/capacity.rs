//! Takes the wanted pools and the groups that they serve, and finds pools that are too small for replicas, roll-outs or the wanted headroom; unknown sizes are no finding.

use std::collections::BTreeSet;

use super::codes;
use super::finding::Finding;
use crate::addressing::{ConfigDocument, Groups, MachineGroup, Selection, listed};

/// What the machines of a pool need at once.
#[derive(Default)]
struct Need {
    replicas: u64,
    surge: u64,
    groups: Vec<String>,
}

/// Findings about the size of pools.
pub(crate) fn capacity(
    groups: &Groups<'_, '_>,
    wishes: &[(&ConfigDocument<'_>, &Selection)],
    findings: &mut Vec<Finding>,
) {
    for (document, selection) in wishes {
        for (index, pool) in selection.pools.iter().enumerate() {
            let Some(need) = need(groups, selection, index) else {
                continue;
            };
            let size = pool
                .ranges
                .iter()
                .fold(0_u128, |sum, range| sum.saturating_add(range.size()));
            let headroom = u64::from(document.config.spec.headroom);
            let finding = judge(&pool.name, size, &need, headroom);
            let place = document.place_of_pool(pool.index, "addresses");
            findings.extend(finding.map(|finding| Finding { place, ..finding }));
        }
    }
}

/// Replicas and surge of all groups of a pool, times their NICs; `None` while a size is not known.
fn need(groups: &Groups<'_, '_>, selection: &Selection, pool: usize) -> Option<Need> {
    let mut need = Need::default();
    let mut seen = BTreeSet::new();
    for chosen in selection.templates.iter().filter(|chosen| chosen.pool == pool) {
        for user in groups.users(chosen.object) {
            let group: &MachineGroup<'_, '_> = &groups.all[user];
            let nics = u64::from(chosen.nics.count());
            need.replicas += u64::from(group.size.replicas?) * nics;
            need.surge += u64::from(group.size.surge?) * nics;
            if seen.insert(user) {
                need.groups.push(group.to_string());
            }
        }
    }
    Some(need)
}

fn judge(pool: &str, size: u128, need: &Need, headroom: u64) -> Option<Finding> {
    let Need {
        replicas,
        surge,
        groups,
    } = need;
    let peak = u128::from(replicas + surge);
    let of = listed(groups.iter().cloned());
    if size < u128::from(*replicas) {
        let message = format!("the pool {pool} has {size} addresses for {replicas} machines of {of}");
        return Some(
            Finding::new(&codes::POOL_TOO_SMALL, message).help(format!("give it at least {} addresses", peak + 1)),
        );
    }
    let wanted = peak + u128::from(headroom.max(1));
    if size >= wanted || *replicas == 0 {
        return None;
    }
    let what = if size < peak {
        format!(
            "the pool {pool} has {size} addresses for {replicas} replicas and {surge} surge of {of}: a roll-out gets stuck"
        )
    } else if headroom > 0 {
        format!(
            "the pool {pool} has {} addresses beyond replicas and surge; {headroom} are wanted",
            size - peak
        )
    } else {
        format!("the pool {pool} has no spare address: {size} for {replicas} replicas and {surge} surge of {of}")
    };
    Some(Finding::new(&codes::POOL_TIGHT, what).help(format!("give it at least {wanted} addresses")))
}
