//! Takes a planned group or pool and what is live, gives the plan that keeps what is assigned: machines that exist in the
//! first slots, then what the allocator gives next.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::draws::{Draw, Draws};
use super::super::plan::{Certainty, GroupPlan, NicPlan, PoolPlan, SlotKind, SlotPlan};
use super::{Held, Kept, KeptNic, Running, RunningPool};
use crate::ipam::{AddressRange, AddressSet, Family, Seeded, Strategy, Succession};

impl Running {
    /// Gives the pools that only the state has to the groups that draw from them.
    pub(in super::super) fn fill(&self, draws: &mut Draws) {
        for (drawn, running) in draws.pools.iter_mut().zip(&self.pools) {
            if drawn.pool.is_none() {
                drawn.pool = running.as_ref().map(|running| running.pool.clone());
            }
        }
    }

    /// Why the next addresses of a group are not certain although it has a pool of its own.
    pub(in super::super) fn why_not_exact(&self, group: usize, pool: usize) -> Option<String> {
        let running = self.pools.get(pool)?.as_ref()?;
        if let [first, rest @ ..] = &running.rivals[..] {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            return Some(format!(
                "{first}{more} holds addresses of the pool too; what it releases or claims next is not known"
            ));
        }
        if running.waiting > 1 {
            return Some(format!(
                "{} claims wait for an address at the same time, and the order is not fixed",
                running.waiting
            ));
        }
        let leaving = self.machines.get(&group)?.iter().find(|machine| machine.deleting)?;
        Some(format!(
            "machine {} is being deleted; whether the next machine claims before its address is free is not known",
            leaving.name
        ))
    }

    /// Puts the machines that exist into the group's slots, and behind them if there are more. `fresh` tells whether the
    /// free slots are exact.
    pub(in super::super) fn keep(
        &self,
        index: usize,
        draws: &Draws,
        plan: &mut GroupPlan,
        fresh: bool,
        make: &dyn Fn(&Draw, Option<IpAddr>) -> NicPlan,
    ) {
        let own = &draws.groups[&index];
        let machines = self.machines.get(&index).map(Vec::as_slice).unwrap_or_default();
        let extra = machines.len().saturating_sub(plan.slots.len());
        let base = plan
            .slots
            .first()
            .map_or_else(|| plan.name.clone(), |slot| slot.name.trim_end_matches("-1").to_owned());
        for number in 1..=extra {
            plan.slots.push(SlotPlan {
                name: format!("{base}-extra-{number}"),
                kind: SlotKind::Surge,
                machine: None,
                nics: own.iter().map(|draw| make(draw, None)).collect(),
            });
        }
        let mut seeds: BTreeMap<usize, Seeded> = own.iter().map(|draw| (draw.pool, Seeded::new(0))).collect();
        let mut next: BTreeMap<usize, Succession<'_>> = BTreeMap::new();
        for (pool, seed) in &mut seeds {
            if let (Some(running), true) = (&self.pools[*pool], fresh) {
                next.insert(*pool, running.pool.succession(&running.held, seed));
            }
        }
        for (place, slot) in plan.slots.iter_mut().enumerate() {
            let machine = machines.get(place);
            slot.machine = machine.map(|machine| machine.name.clone());
            for (nic, draw) in slot.nics.iter_mut().zip(own) {
                let kept = machine.and_then(|machine| machine.nic(draw));
                let held = kept.and_then(|kept| kept.held.as_ref());
                let replica = slot.kind == SlotKind::Replica;
                *nic = match (held, next.get_mut(&draw.pool)) {
                    (Some(held), _) => assigned(make(draw, Some(held.address)), held, draw),
                    (None, Some(next)) if replica => make(draw, next.next()),
                    (None, _) => make(draw, None),
                };
                if let Some(machine) = machine {
                    let expected = || nic.claim.replace("<machine>", &machine.name);
                    nic.claim = kept.and_then(|kept| kept.claim.clone()).unwrap_or_else(expected);
                }
            }
        }
        let replicas = plan.slots.iter().filter(|slot| slot.kind == SlotKind::Replica);
        let exact = replicas
            .flat_map(|slot| &slot.nics)
            .all(|nic| nic.certainty == Certainty::Exact);
        if exact && plan.replicas.is_some() {
            plan.certainty = Certainty::Exact;
            plan.why = None;
        }
    }

    /// All addresses that a group may hold of a pool: those that it has, and those that its machines can get.
    pub(in super::super) fn addresses(&self, group: usize, draw: &Draw, needed: Option<u64>) -> Option<AddressSet> {
        let running = self.pools.get(draw.pool)?.as_ref()?;
        let mut all: AddressSet = self
            .machines
            .get(&group)
            .into_iter()
            .flatten()
            .flat_map(|machine| &machine.nics)
            .filter_map(|nic| nic.held.as_ref())
            .map(|held| held.address)
            .collect();
        match needed.filter(|_| running.pool.strategy() == Strategy::Sequential && running.rivals.is_empty()) {
            // What others keep for good is never given out; of the rest only the lowest are ever used.
            Some(needed) => {
                let mut seed = Seeded::new(0);
                let lowest = running.pool.succession(&running.taken, &mut seed).take(needed as usize);
                lowest.for_each(|address| {
                    all.insert_address(address);
                });
            }
            None => all.extend(running.pool.addresses().ranges()),
        }
        Some(all)
    }

    /// What others have of a pool.
    pub(in super::super) fn count_others(&self, index: usize, plan: &mut PoolPlan) {
        let Some(Some(running)) = self.pools.get(index) else {
            return;
        };
        let taken = running.pool.addresses().intersection(&running.taken);
        plan.taken = taken.ranges().map(|range: AddressRange| range.to_string()).collect();
        if let Some(needed) = plan.needed {
            let left = running.pool.addresses().size().saturating_sub(taken.size());
            plan.free = Some(left.saturating_sub(needed.into()).into());
        }
    }

    /// Whether a pool has fewer addresses left than its groups need, with both numbers.
    pub(in super::super) fn shortage(&self, index: usize, needed: Option<u64>) -> Option<(u128, u64)> {
        let running: &RunningPool = self.pools.get(index)?.as_ref()?;
        let taken = running.pool.addresses().intersection(&running.taken).size();
        let left = running.pool.addresses().size().saturating_sub(taken);
        needed
            .filter(|needed| taken > 0 && left < u128::from(*needed))
            .map(|needed| (left, needed))
    }
}

impl Kept {
    pub(super) fn nic(&self, draw: &Draw) -> Option<&KeptNic> {
        self.nics
            .iter()
            .find(|nic| nic.device == draw.device && nic.place == draw.place)
    }
}

/// A planned NIC with the address that it has.
fn assigned(plan: NicPlan, held: &Held, draw: &Draw) -> NicPlan {
    NicPlan {
        family: Some(Family::of(held.address).to_string()),
        pool: held.pool.clone(),
        certainty: Certainty::Exact,
        address: Some(held.address.to_string()),
        prefix: held.prefix.or(plan.prefix),
        gateway: held.gateway.clone().or(plan.gateway),
        // CAPV takes no name servers from a pool; the adapter does.
        dns_servers: match (&held.dns_servers, draw.place) {
            (Some(servers), None) => servers.clone(),
            _ => plan.dns_servers,
        },
        address_object: held.object.clone(),
        ..plan
    }
}
