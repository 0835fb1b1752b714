//! Takes a pool and the planned groups that draw from it, and gives which of its addresses are for replicas, roll-outs, named claims, or unknown; never looks at subnets.

use super::plan::{GroupPlan, NicPlan, PoolReference, SlotKind};
use crate::ipam::{AddressRange, AddressSet, Pool, Strategy};

/// The addresses of a pool by what they are for; the parts have no address in common. What is in none of them is spare.
pub(super) struct Shares {
    /// All that the pool can give.
    pub(super) all: AddressSet,
    /// What replicas hold before the first roll-out.
    pub(super) replicas: AddressSet,
    /// What roll-outs need beyond them.
    pub(super) surge: AddressSet,
    /// What machines can hold when their number or the order is not known.
    pub(super) any: AddressSet,
    /// What the pool keeps for claims that it names.
    pub(super) reserved: AddressSet,
}

impl Shares {
    pub(super) fn of(pool: &Pool, reference: &PoolReference, groups: &[&GroupPlan]) -> Self {
        let mut shares = Shares {
            all: pool.addresses(),
            replicas: AddressSet::new(),
            surge: AddressSet::new(),
            any: AddressSet::new(),
            reserved: pool.reserved(),
        };
        let held = groups.iter().flat_map(|group| group.ranges()).collect::<AddressSet>();
        let held = held.intersection(&shares.all).without(&shares.reserved);
        let known = pool.strategy() == Strategy::Sequential && groups.iter().all(|group| group.peak().is_some());
        if !known {
            shares.any = held;
            return shares;
        }
        let replicas = || {
            groups
                .iter()
                .flat_map(|group| group.nics_of(reference))
                .filter(|(kind, _)| *kind == SlotKind::Replica)
        };
        let exact = replicas().filter_map(|(_, nic)| nic.address.as_deref()?.parse::<AddressRange>().ok());
        shares.replicas = exact.collect();
        // A machine of a set takes the lowest free address, so the lowest are held first.
        let others = replicas().filter(|(_, nic)| nic.address.is_none()).count();
        let rest = held.without(&shares.replicas);
        shares.replicas.extend(lowest(&rest, others as u128));
        shares.surge = rest.without(&shares.replicas);
        shares
    }
}

impl GroupPlan {
    /// Replicas and surge; missing while one is unknown.
    fn peak(&self) -> Option<u32> {
        self.replicas?.checked_add(self.surge?)
    }

    /// All addresses that the group may hold, as ranges; a text that is none, as in a plan edited by hand, is left out.
    fn ranges(&self) -> impl Iterator<Item = AddressRange> + '_ {
        self.addresses.iter().filter_map(|text| text.parse().ok())
    }

    /// The elements of its slots that come from a pool.
    fn nics_of<'g>(&'g self, pool: &'g PoolReference) -> impl Iterator<Item = (SlotKind, &'g NicPlan)> {
        let nics = self
            .slots
            .iter()
            .flat_map(|slot| slot.nics.iter().map(|nic| (slot.kind, nic)));
        nics.filter(move |(_, nic)| nic.pool == *pool)
    }
}

/// The ranges of the `count` lowest addresses of a set.
fn lowest(set: &AddressSet, count: u128) -> Vec<AddressRange> {
    let mut left = count;
    let mut ranges = Vec::new();
    for range in set.ranges() {
        let Some(last) = left.checked_sub(1).map(|last| last.min(range.size() - 1)) else {
            break;
        };
        let end = range.nth(last).unwrap_or(range.end());
        ranges.extend(AddressRange::new(range.start(), end));
        left -= last + 1;
    }
    ranges
}
