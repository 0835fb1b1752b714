//! Puts what is live into the point from which events are played: what the machines of each group hold, and what others have.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::draws::{Draw, Draws};
use super::super::next::{GroupDraw, GroupStart, Holding, Order, PoolStart, Start, Stuck, Unsure};
use super::super::plan::PoolReference;
use super::{Held, Kept, KeptNic, Running};
use crate::ipam::AddressSet;

impl Running {
    /// Fills a start that was made of the same draws.
    pub(in super::super) fn begin(&self, draws: &Draws, start: &mut Start) {
        for (place, running) in start.pools.iter_mut().zip(&self.pools) {
            let Some(running) = running else { continue };
            place.pool = Some(running.pool.clone());
            match running.rivals.first() {
                None => place.taken = running.taken.clone(),
                // What others hold may come free, and they may want more.
                Some(rival) => place.guests = Err(rival.clone()),
            }
        }
        for ((index, own), group) in draws.groups.iter().zip(&mut start.groups) {
            let machines = self.machines_of(*index);
            for machine in machines {
                for (pool, place) in start.pools.iter_mut().enumerate() {
                    if machine.leaves(own, pool, &place.reference) {
                        place.guests = Err(format!("machine {}", machine.name));
                    }
                }
            }
            group.stuck = stuck(machines, own, group);
        }
        let resting = self.resting(draws, start);
        for ((index, own), group) in draws.groups.iter().zip(&mut start.groups) {
            let all = self.machines_of(*index);
            let (unfinished, stuck) = (is_unfinished(all, group), group.stuck.is_some());
            for draw in &mut group.draws {
                let machines = Machines {
                    all,
                    held: all.iter().map(|machine| machine.holds(own, draw.pool)).collect(),
                    stuck,
                    unfinished,
                };
                machines.fill(draw, group.order, &start.pools[draw.pool], &resting[draw.pool]);
            }
        }
    }

    fn machines_of(&self, group: usize) -> &[Kept] {
        self.machines.get(&group).map(Vec::as_slice).unwrap_or_default()
    }

    /// What groups hold of each pool in which nothing is under way: nobody else gets that.
    fn resting(&self, draws: &Draws, start: &Start) -> Vec<AddressSet> {
        let mut resting = vec![AddressSet::new(); start.pools.len()];
        for ((index, own), group) in draws.groups.iter().zip(&start.groups) {
            let machines = self.machines_of(*index);
            if is_unfinished(machines, group) || machines.iter().any(|machine| machine.deleting) {
                continue;
            }
            for draw in &group.draws {
                let held = machines.iter().flat_map(|machine| machine.holds(own, draw.pool));
                resting[draw.pool].extend(held.collect::<AddressSet>().ranges());
            }
        }
        resting
    }
}

impl Kept {
    /// The addresses of its NICs that draw from a pool, wherever they came from.
    fn holds(&self, draws: &[Draw], pool: usize) -> Vec<IpAddr> {
        let nics = draws.iter().filter(|draw| draw.pool == pool);
        let held = nics.filter_map(|draw| self.nic(draw)?.now());
        held.map(|held| held.address).collect()
    }

    /// Whether it has an address of a pool from which its NIC will not draw any more: that comes free with the machine.
    fn leaves(&self, draws: &[Draw], pool: usize, reference: &PoolReference) -> bool {
        let mut nics = draws.iter().filter(|draw| draw.pool != pool);
        nics.any(|draw| {
            let held = self.nic(draw).and_then(KeptNic::now);
            held.is_some_and(|held| held.pool.is(reference))
        })
    }

    /// Whether a claim of it is still to be decided.
    fn waits(&self) -> bool {
        self.nics.iter().any(|nic| nic.held.is_none() && !nic.refused)
    }

    /// The pools of its NICs that refused it.
    fn refused(&self, draws: &[Draw]) -> impl Iterator<Item = usize> {
        let refused = draws
            .iter()
            .filter(|draw| self.nic(draw).is_some_and(|nic| nic.refused));
        refused.map(|draw| draw.pool)
    }
}

impl KeptNic {
    /// What it has before anything changes.
    fn now(&self) -> Option<&Held> {
        self.held.as_ref().filter(|_| !self.refused)
    }
}

/// Whether machines of a group were refused an address.
fn stuck(machines: &[Kept], draws: &[Draw], group: &GroupStart) -> Option<Stuck> {
    let staying = machines.iter().filter(|machine| !machine.deleting);
    let pools: BTreeSet<usize> = staying.clone().flat_map(|machine| machine.refused(draws)).collect();
    (!pools.is_empty()).then(|| Stuck {
        pools,
        machines: machines.len() as u64,
        rests: group.rests_when_refused(staying.count() as u64),
    })
}

/// More machines than wanted, or one whose claim is undecided: something is under way, and how far it came is not known.
fn is_unfinished(machines: &[Kept], group: &GroupStart) -> bool {
    let staying = machines.iter().filter(|machine| !machine.deleting);
    let more = match &group.stuck {
        Some(stuck) => !stuck.rests,
        None => group
            .replicas
            .is_some_and(|wanted| staying.clone().count() as u64 > wanted.into()),
    };
    more || staying.clone().any(Kept::waits)
}

/// The machines of a group, with what each holds of one pool.
struct Machines<'k> {
    all: &'k [Kept],
    held: Vec<Vec<IpAddr>>,
    /// A claim of one of them was refused.
    stuck: bool,
    unfinished: bool,
}

impl Machines<'_> {
    fn addresses(&self) -> AddressSet {
        self.held.iter().flatten().copied().collect()
    }

    /// A group is known in its order when it is at rest, each of its machines has all its addresses, and their age is known.
    fn fill(self, draw: &mut GroupDraw, order: Order, pool: &PoolStart, others: &AddressSet) {
        let one_by_one = matches!(order, Order::OneByOne { .. });
        // One that was refused holds nothing, where each has but one address.
        let nothing = self.stuck && self.all.iter().all(|machine| machine.nics.len() == 1);
        let is_whole = |machine: &Vec<IpAddr>| machine.len() == draw.each as usize || nothing && machine.is_empty();
        let whole = self.held.iter().all(is_whole);
        let leaving = self.all.iter().find(|machine| machine.deleting);
        if self.unfinished {
            draw.unsure = one_by_one.then_some(Unsure::Unfinished);
            draw.held = self.anywhere(draw.each, pool, others);
            return;
        }
        let age = self.is_age_known();
        if one_by_one && whole && age && leaving.is_none() {
            let holding = self.held.into_iter().filter(|machine| !machine.is_empty());
            draw.held = Holding::InOrder(holding.collect());
            return;
        }
        if one_by_one {
            draw.unsure = match leaving {
                Some(machine) => Some(Unsure::Leaving(machine.name.clone())),
                None if whole => Some(Unsure::Age),
                None if self.stuck => Some(Unsure::Stuck(pool.reference.name.clone())),
                None => draw.unsure.take(),
            };
        }
        let stays = self.all.iter().zip(&self.held).filter(|(machine, _)| !machine.deleting);
        let least = stays.map(|(_, held)| held.len() as u64).sum();
        let addresses = self.addresses();
        let most = u64::try_from(addresses.size()).unwrap_or(u64::MAX);
        draw.held = Holding::Among {
            addresses,
            least,
            most: Some(most),
        };
    }

    /// Whether the machines stand in the order in which they were made: they are sorted by time, and no two are alike.
    fn is_age_known(&self) -> bool {
        let known = self.all.iter().all(|machine| machine.created.is_some());
        self.all.len() < 2 || known && self.all.windows(2).all(|pair| pair[0].created < pair[1].created)
    }

    /// Any addresses of the pool that others leave, and those that the machines have now.
    fn anywhere(self, each: u32, pool: &PoolStart, others: &AddressSet) -> Holding {
        let machines = self.all.len() as u64;
        let mut addresses = self.addresses();
        if let Some(all) = &pool.pool {
            addresses.extend(all.usable().ranges());
            pool.taken
                .ranges()
                .chain(others.ranges())
                .for_each(|range| addresses.remove(range));
        }
        Holding::Among {
            addresses,
            least: 0,
            most: Some(machines * u64::from(each)),
        }
    }
}
