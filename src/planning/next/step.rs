//! One step: takes the groups that act, all at once and in any order among them, and gives what everybody holds afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::afterwards::Afterwards;
use super::demand::{Demand, Intent};
use super::holding::Holding;
use super::shortage::spread_over;
use super::start::{GroupDraw, Order};
use super::unsure::Unsure;
use super::world::{PoolUse, Waiting, World};
use crate::ipam::AddressSet;

/// The groups that act, and what each does.
pub(super) type Acts = BTreeMap<usize, Intent>;

/// A step in the making.
pub(super) struct Step {
    pub(super) acts: Acts,
    pub(super) demands: BTreeMap<usize, Demand>,
    /// The pools whose claims are tried again because of what somebody did.
    repaired: BTreeSet<usize>,
    /// Groups and draws that have arrived.
    pub(super) arrived: BTreeSet<(usize, usize)>,
    /// Why the others do not go one way only.
    pub(super) reasons: BTreeMap<(usize, usize), Unsure>,
    /// The peaks that are known exactly.
    pub(super) peaks: BTreeMap<usize, u64>,
}

impl Step {
    pub(super) fn new(world: &World, acts: Acts, repaired: BTreeSet<usize>) -> Self {
        let demand = |(group, intent): (&usize, &Intent)| {
            let is = &world.groups[*group].is;
            (*group, Demand::of(*intent, world.count(*group), is.order, is.strategy))
        };
        Step {
            demands: acts.iter().map(demand).collect(),
            acts,
            repaired,
            arrived: BTreeSet::new(),
            reasons: BTreeMap::new(),
            peaks: BTreeMap::new(),
        }
    }

    /// Whether a group makes no machine because all of them go.
    pub(super) fn removes(&self, group: usize) -> bool {
        self.acts.get(&group) == Some(&Intent::Remove)
    }

    /// Whether refused claims of a pool are tried again because of what somebody did.
    pub(super) fn repairs(&self, pool: usize) -> bool {
        self.repaired.contains(&pool)
    }

    /// The most addresses of a pool that were held at once, where that is known.
    pub(super) fn peak(&self, pool: usize) -> Option<u64> {
        self.peaks.get(&pool).copied()
    }

    /// The draws that are still to be found out.
    fn open(&self, world: &World) -> Vec<(usize, usize)> {
        let draws = |group: &usize| {
            (0..world.draws(*group).len())
                .map(|draw| (*group, draw))
                .collect::<Vec<_>>()
        };
        let all = self.acts.keys().flat_map(draws);
        all.filter(|draw| !self.arrived.contains(draw)).collect()
    }

    /// The acting groups of a pool, with what each draws from it and needs.
    pub(super) fn actors<'s>(
        &'s self,
        world: &'s World,
        pool: usize,
    ) -> impl Iterator<Item = (usize, &'s GroupDraw, Demand)> + 's {
        let acting = world.users(pool).filter(|group| self.acts.contains_key(group));
        acting.filter_map(move |group| Some((group, world.draw_of(group, pool)?, self.demands[&group])))
    }

    /// The draws of a pool's groups that do nothing.
    pub(super) fn idle<'s>(
        &'s self,
        world: &'s World,
        pool: usize,
    ) -> impl Iterator<Item = (usize, &'s GroupDraw)> + 's {
        let idle = world.users(pool).filter(|group| !self.acts.contains_key(group));
        idle.filter_map(move |group| Some((group, world.draw_of(group, pool)?)))
    }
}

impl World {
    /// Lets groups act.
    pub(super) fn step(&mut self, acts: Acts, repaired: BTreeSet<usize>) -> Vec<PoolUse> {
        let acts = self.wake(acts, &repaired);
        let mut step = Step::new(self, acts, repaired);
        self.walk_alone(&mut step);
        self.stay_stuck(&mut step);
        self.spread(&mut step);
        (0..self.pools.len()).map(|pool| self.used(pool, &step)).collect()
    }

    /// Groups that have nothing to do are left out, and groups that wait are taken in where an address may come free.
    fn wake(&mut self, mut acts: Acts, repaired: &BTreeSet<usize>) -> Acts {
        let still: Vec<(usize, Intent)> = acts
            .iter()
            .filter(|(_, intent)| matches!(intent, Intent::Settle | Intent::Rollout))
            .filter(|(group, _)| self.stands_still(**group, repaired))
            .map(|(group, intent)| (*group, *intent))
            .collect();
        for (group, intent) in still {
            acts.remove(&group);
            let wanted = self.groups[group].is.replicas.map(u64::from);
            if let Some(waiting) = self.groups[group].waiting.as_mut() {
                // Only where the machine that waits is still wanted is what is left to do known as it was.
                let as_before = intent == Intent::Settle && wanted.zip(waiting.most).is_some_and(|(n, most)| n >= most);
                waiting.rest = waiting.rest.filter(|_| as_before);
            }
        }
        for (group, intent) in &mut acts {
            if self.groups[*group].waiting.is_some() && *intent != Intent::Remove {
                // Scaled to nothing, the machines that wait go as well.
                let removed = self.groups[*group].is.replicas == Some(0);
                *intent = if removed { Intent::Remove } else { Intent::Resume };
            }
        }
        acts.retain(|group, intent| *intent != Intent::Settle || !self.is_settled(*group));
        let woken = |acts: &Acts| {
            let touched = |pool: &usize| acts.keys().any(|group| self.draw_of(*group, *pool).is_some());
            self.groups.iter().enumerate().find_map(|(index, group)| {
                let waiting = group.waiting.as_ref().filter(|_| !acts.contains_key(&index))?;
                if self.stands_still(index, repaired) {
                    return None;
                }
                let repaired = !waiting.pools.is_disjoint(repaired);
                let retries = waiting.pools.iter().all(|pool| self.retries(*pool));
                let rest = waiting.rest.filter(|_| repaired || retries);
                let may_go_on = repaired || waiting.pools.iter().any(touched);
                may_go_on.then_some((index, rest.unwrap_or(Intent::Resume)))
            })
        };
        while let Some((group, intent)) = woken(&acts) {
            acts.insert(group, intent);
        }
        acts
    }

    /// One by one nothing is made or deleted while a machine waits, and what metal3 refused waits until somebody repairs it.
    fn stands_still(&self, group: usize, repaired: &BTreeSet<usize>) -> bool {
        let group = &self.groups[group];
        let refused = |waiting: &Waiting| {
            let mut pools = waiting.pools.iter();
            waiting.itself && pools.any(|pool| !self.retries(*pool) && !repaired.contains(pool))
        };
        matches!(group.is.order, Order::OneByOne { .. }) && group.waiting.as_ref().is_some_and(refused)
    }

    /// Where a pool is full and all that want of it would first add a machine, nothing moves.
    fn stay_stuck(&mut self, step: &mut Step) {
        for pool in 0..self.pools.len() {
            let actors: Vec<usize> = step.actors(self, pool).map(|(group, ..)| group).collect();
            let waits = |group: &usize| {
                let open = !step.arrived.contains(&(*group, 0));
                open && step.demands[group].adds_first && self.draws(*group).len() == 1
            };
            if actors.is_empty() || !actors.iter().all(waits) || self.free_at_most(pool) != Some(0) {
                continue;
            }
            let held = self.users(pool).filter_map(|group| self.draw_of(group, pool));
            step.peaks.insert(pool, held.map(|draw| self.of_pool(draw).0).sum());
            for group in actors {
                step.arrived.insert((group, 0));
                self.groups[group].waiting = Some(Waiting {
                    pools: BTreeSet::from([pool]),
                    every_run: true,
                    itself: false,
                    most: step.demands[&group].most,
                    rest: Some(step.acts[&group]),
                });
            }
        }
    }

    /// How many addresses of a pool can be free at most; `None` when that is not known.
    fn free_at_most(&self, pool: usize) -> Option<u128> {
        let held = self.users(pool).filter_map(|group| self.draw_of(group, pool));
        let held: u64 = held.map(|draw| self.of_pool(draw).0).sum();
        Some(self.size(pool)?.saturating_sub(held.into()))
    }

    /// Finds the sets of all that does not go one way only.
    fn spread(&mut self, step: &mut Step) {
        let open = step.open(self);
        let pools: BTreeSet<usize> = open
            .iter()
            .flat_map(|(group, _)| self.draws(*group))
            .map(|draw| draw.pool)
            .collect();
        let pools: BTreeMap<usize, Spread> = pools
            .into_iter()
            .map(|pool| (pool, self.spread_of(pool, step)))
            .collect();
        let waits_for = |world: &World, group: usize, pool: usize| {
            // Who makes no machine asks for no address.
            let asks = step.demands[&group].fresh != Some(0) || world.groups[group].waiting.is_some();
            asks && pools[&pool].short && !step.removes(group)
        };
        for (group, draw) in &open {
            let reason = self.reason(*group, *draw, step);
            let demand = step.demands[group];
            let pool = self.draws(*group)[*draw].pool;
            let after = Afterwards {
                reached: &pools[&pool].reached,
                demand,
                short: self.draws(*group).iter().any(|draw| waits_for(self, *group, draw.pool)),
                fills: pools[&pool].fills == Some(*group) && self.draws(*group).len() == 1,
            };
            let is = &mut self.groups[*group].is;
            is.draws[*draw].held = after.held(is, *draw);
            is.draws[*draw].unsure = Some(reason);
            if demand.drops {
                self.released.insert(pool);
            }
        }
        let groups: BTreeSet<usize> = open.into_iter().map(|(group, _)| group).collect();
        for group in groups {
            let drawn = self.draws(group).iter().map(|draw| draw.pool);
            let short: BTreeSet<usize> = drawn.filter(|pool| waits_for(self, group, *pool)).collect();
            let every_run = short.iter().all(|pool| pools[pool].filled);
            let rest = step.acts[&group];
            self.groups[group].outdated = 0;
            self.groups[group].waiting = (!short.is_empty()).then(|| Waiting {
                pools: short,
                every_run,
                itself: false,
                most: step.demands[&group].most,
                rest: (every_run && rest == Intent::Settle).then_some(rest),
            });
        }
    }

    fn spread_of(&self, pool: usize, step: &Step) -> Spread {
        let filled = self.is_filled(pool, step);
        let mut actors = step.actors(self, pool).map(|(group, ..)| group);
        let only = actors.next().filter(|_| actors.next().is_none());
        Spread {
            reached: spread_over(self, pool, step),
            short: self.runs_short(pool, step),
            fills: only.filter(|_| filled),
            filled,
        }
    }
}

/// What a step means for a pool where more than one way leads through it.
struct Spread {
    /// Every address that a claim can get.
    reached: AddressSet,
    /// Somebody may wait.
    short: bool,
    /// All that is free is taken, and somebody waits in every run.
    filled: bool,
    /// The group that takes all of it, where it is only one.
    fills: Option<usize>,
}

impl World {
    /// Why a draw's addresses are a set: what was the reason before stays it.
    fn reason(&self, group: usize, draw: usize, step: &Step) -> Unsure {
        let before = &self.draws(group)[draw];
        let known = matches!(before.held, Holding::InOrder(_));
        let before = before.unsure.clone().filter(|_| !known);
        before
            .or_else(|| step.reasons.get(&(group, draw)).cloned())
            .unwrap_or(Unsure::AnyOrder)
    }
}
