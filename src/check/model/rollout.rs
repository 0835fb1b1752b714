//! Takes who draws from which pool once the edits are made, and plays a plain roll-out of all groups: which pools run short of addresses; judges nothing.

use super::{JudgedPool, LeadsTo};
use crate::addressing::Groups;
use crate::objects::Manifest;
use crate::planning::next::{PoolUse, World};
use crate::planning::{Draws, beginning};

/// What a roll-out of all groups at once means for a pool.
pub(crate) struct Rollout {
    /// How it uses the pool.
    pub(crate) used: PoolUse,
    /// The groups that wait for an address then, by index.
    pub(crate) stuck: Vec<usize>,
}

/// For each pool that is drawn from what a roll-out means, where every machine comes up at all before it.
pub(super) fn rollouts(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    draws: &Draws,
    leads_to: &[LeadsTo],
    pools: &[JudgedPool],
) -> Vec<Option<Rollout>> {
    let judged = |drawn: usize| match leads_to[drawn] {
        LeadsTo::Pool(pool) => Some(pool),
        _ => None,
    };
    let start = beginning(manifest, groups, draws, &|drawn| pools[judged(drawn)?].pool.clone());
    let (mut world, made) = World::settled(&start);
    let mut rollouts: Vec<Option<Rollout>> = pools.iter().map(|_| None).collect();
    let rolled = world.roll_out();
    let members: Vec<usize> = draws.groups.keys().copied().collect();
    for (drawn, (made, used)) in made.into_iter().zip(rolled).enumerate() {
        if let (Some(pool), true) = (judged(drawn), made.waiting.is_empty()) {
            rollouts[pool] = Some(Rollout {
                stuck: used.waiting.iter().map(|group| members[*group]).collect(),
                used,
            });
        }
    }
    rollouts
}
