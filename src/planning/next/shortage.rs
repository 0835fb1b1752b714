//! Whether a pool runs short in a step, and how many addresses it would need: counts only, for the worst of all runs.

use std::collections::BTreeSet;

use super::demand::{Demand, Intent};
use super::reach::{Use, reachable};
use super::start::GroupDraw;
use super::step::Step;
use super::world::{PoolUse, World};
use crate::ipam::AddressSet;

impl World {
    /// The pools in which a group can run short in a step.
    pub(super) fn short_pools(&self, group: usize, step: &Step) -> BTreeSet<usize> {
        let draws = self.draws(group).iter().filter(|_| !step.removes(group));
        let pools = draws.map(|draw| draw.pool);
        pools.filter(|pool| self.runs_short(*pool, step)).collect()
    }

    /// Whether a claim can find no address and wait for ever.
    pub(super) fn runs_short(&self, pool: usize, step: &Step) -> bool {
        let Some(size) = self.size(pool) else { return false };
        let idle = |group: usize, draw: &GroupDraw| self.idle_takes(pool, step, group, draw);
        let wanted = if self.retries(pool) && self.draws_singly(pool, step) {
            // Whoever gets an address runs and then gives another one up, so one spare address is enough for all.
            let spare = step.actors(self, pool).any(|(.., demand)| demand.needs_spare);
            let at_rest = self.wanted(pool, step, |demand| demand.rests_at, idle);
            at_rest.map(|wanted| wanted + u64::from(spare))
        } else {
            self.wanted(pool, step, |demand| demand.most, idle)
        };
        self.stays_refused(pool, step) || wanted.is_some_and(|wanted| u128::from(wanted) > size)
    }

    /// metal3 does not try a refused claim again until somebody repairs it.
    fn stays_refused(&self, pool: usize, step: &Step) -> bool {
        let refused = |group: usize| {
            let waiting = self.groups[group].waiting.as_ref();
            waiting.is_some_and(|waiting| waiting.pools.contains(&pool)) && !step.removes(group)
        };
        !self.retries(pool) && !step.repairs(pool) && step.actors(self, pool).any(|(group, ..)| refused(group))
    }

    /// Whether every acting machine takes one address and no more, so that none waits while it holds another.
    fn draws_singly(&self, pool: usize, step: &Step) -> bool {
        step.actors(self, pool)
            .all(|(group, draw, _)| draw.each == 1 && self.draws(group).len() == 1)
    }

    /// What a group that does nothing takes of a pool: one whose claim was refused holds what it has until somebody repairs it.
    fn idle_takes(&self, pool: usize, step: &Step, group: usize, draw: &GroupDraw) -> Option<u64> {
        match &self.groups[group].waiting {
            Some(waiting) if self.retries(pool) || step.repairs(pool) => Some(waiting.most? * u64::from(draw.each)),
            _ => self.of_pool(draw).1,
        }
    }

    /// What a group that does nothing would take of a pool if it had its way.
    fn idle_wants(&self, group: usize, draw: &GroupDraw) -> Option<u64> {
        let is = &self.groups[group].is;
        if self.groups[group].waiting.is_none() {
            return self.of_pool(draw).1;
        }
        let resumed = Demand::of(Intent::Resume, self.count(group), is.order, is.strategy);
        Some(resumed.most? * u64::from(draw.each))
    }

    /// Addresses of a pool that all groups together want, by what each acting and each idle group counts.
    fn wanted(
        &self,
        pool: usize,
        step: &Step,
        count: impl Fn(&Demand) -> Option<u64>,
        idle: impl Fn(usize, &GroupDraw) -> Option<u64>,
    ) -> Option<u64> {
        let acting = step.actors(self, pool).map(|(_, draw, demand)| {
            let wanted = count(&demand)? * u64::from(draw.each);
            // Machines that stay with an address from outside the pool take none of it.
            let inside = self.of_pool(draw).1.unwrap_or(u64::MAX);
            let outside = draw.held.least().saturating_sub(inside);
            Some(wanted.saturating_sub(if demand.drops { 0 } else { outside }))
        });
        let idle = step.idle(self, pool).map(|(group, draw)| idle(group, draw));
        acting
            .chain(idle)
            .try_fold(self.pools[pool].guests.clone().ok()?, |sum, more| Some(sum + more?))
    }

    /// Whether nobody deletes a machine and all that is free is taken, so that somebody waits in every run.
    pub(super) fn is_filled(&self, pool: usize, step: &Step) -> bool {
        let only_adds = |(.., demand): (usize, &GroupDraw, Demand)| !demand.drops && demand.most.is_some();
        let known = step.idle(self, pool).all(|(_, draw)| draw.held.is_certain())
            && step.actors(self, pool).all(|(_, draw, _)| self.full_pool_settles(draw));
        // What a guest may hold is not known to be the groups'.
        known
            && self.pools[pool].guests == Ok(0)
            && self.draws_singly(pool, step)
            && step.actors(self, pool).all(only_adds)
            && step
                .actors(self, pool)
                .all(|(group, ..)| !self.groups[group].is.elastic)
            && self.runs_short(pool, step)
    }

    /// How a pool was used, when the step is over.
    pub(super) fn used(&self, pool: usize, step: &Step) -> PoolUse {
        let size = self.size(pool);
        let idle = |group: usize, draw: &GroupDraw| self.idle_wants(group, draw);
        let needed = self.wanted(pool, step, |demand| demand.most, idle);
        let at_most = |wanted: u64| size.map_or(wanted, |size| wanted.min(u64::try_from(size).unwrap_or(u64::MAX)));
        let waits = |group: &usize| {
            let waiting = self.groups[*group].waiting.as_ref();
            waiting.filter(|waiting| waiting.pools.contains(&pool))
        };
        let waiting: Vec<usize> = self.users(pool).filter(|group| waits(group).is_some()).collect();
        let still = || {
            let mut held = step.idle(self, pool).map(|(_, draw)| self.of_pool(draw).1);
            held.try_fold(self.pools[pool].guests.clone().ok()?, |sum, more| Some(sum + more?))
        };
        let peak = match step.actors(self, pool).next() {
            None => still().map(at_most),
            Some(_) => step.peak(pool).or_else(|| needed.map(at_most)),
        };
        PoolUse {
            peak,
            needed,
            size,
            every_run: waiting.iter().filter_map(waits).any(|waiting| waiting.every_run),
            waiting,
        }
    }
}

/// Every address of a pool that a claim of the step can get.
pub(super) fn spread_over(world: &World, pool: usize, step: &Step) -> AddressSet {
    let place = &world.pools[pool];
    let Some(addresses) = &place.pool else {
        return AddressSet::new();
    };
    let mut fixed = place.taken.clone();
    let mut loose = Vec::new();
    let guests = place.guests.clone().ok();
    let (mut most, mut fresh, mut drops) = (guests, guests, false);
    let sum = |sum: Option<u64>, more: Option<u64>| Some(sum? + more?);
    let alone = step.actors(world, pool).count() == 1;
    for (_, draw, demand) in step.actors(world, pool) {
        let each = u64::from(draw.each);
        drops |= demand.drops;
        fresh = sum(fresh, demand.fresh.map(|machines| machines * each));
        let machines = demand.most.map(|machines| machines * each);
        if alone && demand.keeps() && draw.held.is_certain() {
            fixed.extend(draw.held.addresses().ranges());
            most = sum(
                most,
                machines.map(|machines| machines.saturating_sub(draw.held.least())),
            );
        } else {
            most = sum(most, machines);
            loose.push(&draw.held);
        }
    }
    let idle: Vec<&GroupDraw> = step.idle(world, pool).map(|(_, draw)| draw).collect();
    // Groups that do nothing can be known together where none of them is known alone.
    let together: AddressSet = idle
        .iter()
        .flat_map(|draw| draw.held.addresses().ranges().collect::<Vec<_>>())
        .collect();
    let least: u64 = idle.iter().map(|draw| draw.held.least()).sum();
    let all_held = together.size() == u128::from(least);
    for draw in idle {
        if all_held || draw.held.is_certain() {
            fixed.extend(draw.held.addresses().ranges());
        } else {
            most = sum(most, draw.held.most());
            loose.push(&draw.held);
        }
    }
    let used = Use {
        fixed,
        loose,
        most,
        fresh,
        rests: place.rests && (drops || world.released.contains(&pool)),
    };
    reachable(addresses, &used)
}
