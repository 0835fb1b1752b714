//! Takes all pools and the groups that draw from them, and finds pools that are too small for replicas, roll-outs or the wanted headroom; unknown sizes are told, never guessed.

use super::codes;
use super::finding::Finding;
use super::model::{JudgedPool, Model, Purpose};
use super::severity::Severity;
use crate::addressing::listed;
use crate::objects::Autoscaler;

/// What the machines of a pool need at once, in addresses.
#[derive(Default)]
struct Need {
    /// For the replicas, or the autoscaler's maximum.
    replicas: u64,
    /// Of those, the ones that are there from the start.
    least: u64,
    /// For roll-outs of all groups at once.
    surge: u64,
    groups: Vec<String>,
}

/// Findings about the size of pools.
pub(super) fn capacity(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (pool, rollout) in model.pools.iter().zip(&model.rollouts) {
        let sizes = pool.size().zip(need(model, pool));
        // A pool in which a roll-out gets stuck is a finding of its own.
        let stuck = rollout.as_ref().is_some_and(|rollout| !rollout.stuck.is_empty());
        if let (Some((size, need)), true, false) = (sizes, model.is_drawn_from(pool), stuck) {
            findings.extend(judge(model, pool, size, &need));
        }
    }
}

/// Replicas and surge of all groups of a pool, times their NICs; `None` while a size is not known.
fn need(model: &Model<'_, '_>, pool: &JudgedPool) -> Option<Need> {
    let mut need = Need::default();
    for (user, nics) in &pool.users {
        let group = &model.groups.all[*user];
        let (replicas, nics) = (group.size.replicas?, u64::from(*nics));
        let least = match group.size.autoscaler {
            Autoscaler::From(least) => least,
            _ => replicas,
        };
        need.replicas += u64::from(replicas) * nics;
        need.least += u64::from(least) * nics;
        need.surge += u64::from(group.size.surge?) * nics;
        need.groups.push(group.to_string());
    }
    Some(need)
}

fn judge(model: &Model<'_, '_>, pool: &JudgedPool, size: u128, need: &Need) -> Option<Finding> {
    let Need {
        replicas,
        least,
        surge,
        groups,
    } = need;
    let (title, of) = (&pool.title, listed(groups.iter().cloned()));
    let peak = u128::from(replicas + surge);
    if size < u128::from(*replicas) {
        let scaled = least < replicas;
        let what = if scaled { "up to " } else { "" };
        let message = format!("{title} has {} for {what}{replicas} machines of {of}", count(size));
        let help = format!("give it at least {} addresses", peak + 1);
        let mut finding = model.pool_finding(pool, None, &codes::POOL_TOO_SMALL, message, help);
        // Addresses may be added before the machines come; a check judges the manifest as it stands.
        if model.purpose == Purpose::Check && size < u128::from(*least) {
            finding.severity = Severity::Error;
        }
        return Some(finding);
    }
    let wanted = peak + u128::from(pool.headroom.max(1));
    if size >= wanted || *replicas == 0 {
        return None;
    }
    let message = if size < peak {
        format!(
            "{title} has {} for {replicas} replicas and {surge} surge of {of}: in a roll-out machines wait for each other",
            count(size)
        )
    } else if pool.headroom > 0 {
        format!(
            "{title} has {} beyond replicas and surge; {} are wanted",
            count(size - peak),
            pool.headroom
        )
    } else {
        format!("{title} has no spare address: {size} for {replicas} replicas and {surge} surge of {of}")
    };
    let help = format!("give it at least {wanted} addresses");
    Some(model.pool_finding(pool, None, &codes::POOL_TIGHT, message, help))
}

pub(super) fn count(addresses: u128) -> String {
    if addresses == 1 {
        "1 address".to_owned()
    } else {
        format!("{addresses} addresses")
    }
}
