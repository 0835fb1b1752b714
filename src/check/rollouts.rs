//! Takes what a plain roll-out means for each pool, and finds pools in which it gets stuck; the sizes beyond that are judged by `capacity`.

use super::capacity::count;
use super::codes;
use super::finding::Finding;
use super::model::{JudgedPool, Model, Rollout};
use crate::addressing::listed;

/// Findings about pools that the next roll-out does not fit into.
pub(super) fn rollouts(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (pool, rollout) in model.pools.iter().zip(&model.rollouts) {
        let rollout = rollout.as_ref().filter(|rollout| !rollout.stuck.is_empty());
        if let (Some(rollout), true) = (rollout, model.is_drawn_from(pool)) {
            findings.extend(judge(model, pool, rollout));
        }
    }
}

fn judge(model: &Model<'_, '_>, pool: &JudgedPool, rollout: &Rollout) -> Option<Finding> {
    let (needed, size) = (rollout.used.needed?, rollout.used.size?);
    let groups = rollout.stuck.iter().map(|group| model.groups.all[*group].to_string());
    let groups = listed(groups);
    let verb = if rollout.used.every_run { "gets" } else { "can get" };
    let message = format!(
        "{} has {} for machines, and a roll-out needs {needed} at once: {groups} {verb} stuck",
        pool.title,
        count(size)
    );
    let spare = u64::from(pool.headroom.max(1));
    let help = format!(
        "give it {needed} addresses, better {}; `plan --then rollout` shows what the machines hold then",
        needed + spare
    );
    Some(model.pool_finding(pool, None, &codes::ROLLOUT_STUCK, message, help))
}
