//! Takes the groups of a step that nobody disturbs, and walks those through it that can go one way only.

use std::collections::BTreeSet;

use super::demand::Intent;
use super::holding::Holding;
use super::step::Step;
use super::unsure::Unsure;
use super::walk::{Course, Ground, Walked, walk};
use super::world::{Waiting, World};
use crate::ipam::AddressSet;

impl World {
    /// Goes through the step with every group that can go one way only.
    pub(super) fn walk_alone(&mut self, step: &mut Step) {
        let groups: Vec<usize> = step.acts.keys().copied().collect();
        for group in groups {
            let draws = self.draws(group);
            if !draws.iter().any(|draw| matches!(draw.held, Holding::InOrder(_))) {
                continue;
            }
            // With several addresses for a machine, one that waits holds some of them, and which is not known.
            let single = matches!(draws, [draw] if draw.each == 1);
            let stuck = self.short_pools(group, step).pop_first().filter(|_| !single);
            let walks: Vec<Result<Walked, Unsure>> = (0..draws.len())
                .map(|draw| match stuck {
                    Some(pool) => Err(self.stuck_in(group, pool, step)),
                    None => self.walk(group, draw, step),
                })
                .collect();
            for (draw, walked) in walks.into_iter().enumerate() {
                match walked {
                    Ok(walked) => self.arrive(group, draw, walked, step),
                    Err(unsure) => {
                        step.reasons.insert((group, draw), unsure);
                    }
                }
            }
        }
    }

    fn walk(&self, group: usize, draw: usize, step: &Step) -> Result<Walked, Unsure> {
        let is = &self.groups[group].is;
        let draw = &is.draws[draw];
        let place = &self.pools[draw.pool];
        let name = &place.reference.name;
        let Some(pool) = &place.pool else {
            return Err(Unsure::PoolMissing(name.clone()));
        };
        let Some(wanted) = is.replicas else {
            return Err(Unsure::Replicas);
        };
        if step.actors(self, draw.pool).any(|(other, ..)| other != group) {
            return Err(Unsure::Shared(name.clone()));
        }
        match &place.guests {
            Ok(0) => {}
            Ok(_) => return Err(Unsure::Endpoint(name.clone())),
            Err(rival) => return Err(Unsure::Rival(rival.clone())),
        }
        let (mut held, mut maybe) = (place.taken.clone(), AddressSet::new());
        for (_, other) in step.idle(self, draw.pool) {
            let known = if other.held.is_certain() { &mut held } else { &mut maybe };
            known.extend(other.held.addresses().ranges());
        }
        let ground = Ground {
            name,
            pool,
            held,
            maybe,
            rests: place.rests,
        };
        let course = Course {
            intent: step.acts[&group],
            wanted: wanted as usize,
            surge: is.strategy.surge(is.replicas).map(|surge| surge.min(1) as usize),
            outdated: self.groups[group].outdated,
            order: is.order,
        };
        walk(course, draw, &ground)
    }

    fn arrive(&mut self, group: usize, draw: usize, walked: Walked, step: &mut Step) {
        let pool = self.draws(group)[draw].pool;
        let others: u64 = step
            .idle(self, pool)
            .map(|(_, other)| self.of_pool(other).1.unwrap_or(0))
            .sum();
        step.peaks.insert(pool, others + walked.peak);
        step.arrived.insert((group, draw));
        if step.demands[&group].drops {
            self.released.insert(pool);
        }
        let group_state = &mut self.groups[group];
        group_state.outdated = walked.outdated;
        group_state.waiting = walked.stuck.then(|| Waiting {
            pools: BTreeSet::from([pool]),
            every_run: true,
            itself: true,
            most: step.demands[&group].most,
            rest: Some(Intent::Settle),
        });
        group_state.is.draws[draw].held = Holding::InOrder(walked.machines);
        group_state.is.draws[draw].unsure = None;
    }

    fn stuck_in(&self, group: usize, pool: usize, step: &Step) -> Unsure {
        let name = self.pools[pool].reference.name.clone();
        if step.demands[&group].drops {
            Unsure::Stuck(name)
        } else {
            Unsure::TooSmall(name)
        }
    }
}
