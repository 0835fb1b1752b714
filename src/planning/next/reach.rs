//! Takes a pool and what is known of its use in a step, gives every address that a new claim can get; a superset of every possible run.

use std::net::IpAddr;

use super::holding::Holding;
use crate::ipam::{AddressSet, Pool, Seeded, Strategy};

/// What is known of a pool's use in a step.
pub(super) struct Use<'h> {
    /// Addresses that are held through the whole step.
    pub(super) fixed: AddressSet,
    /// Holdings of which some addresses may be free or become free.
    pub(super) loose: Vec<&'h Holding>,
    /// Addresses at once beyond the fixed ones; `None` when unknown.
    pub(super) most: Option<u64>,
    /// Addresses given out in the step and held at once; `None` when unknown.
    pub(super) fresh: Option<u64>,
    /// Released addresses do not come back at once.
    pub(super) rests: bool,
}

/// Every address that a new claim can get.
///
/// The lowest free address is taken. So the address of rank r among those that are not fixed is taken only while the r - 1
/// lower ones are held: by holdings from before the step, which have at most so many of them, or by claims of this step.
pub(super) fn reachable(pool: &Pool, used: &Use<'_>) -> AddressSet {
    if used.fresh == Some(0) {
        return AddressSet::new();
    }
    let bounds = used.most.zip(used.fresh).filter(|_| !used.rests);
    let Some((most, fresh)) = bounds.filter(|_| pool.strategy() == Strategy::Sequential) else {
        return without(pool.usable(), &used.fixed);
    };
    let mut reached = AddressSet::new();
    let mut lower = Lower::new(&used.loose);
    let mut seed = Seeded::new(0);
    for (rank, address) in (1..).zip(pool.succession(&used.fixed, &mut seed)) {
        if rank > most || rank > fresh.saturating_add(lower.held()) {
            break;
        }
        reached.insert_address(address);
        lower.pass(address);
    }
    reached
}

fn without(mut set: AddressSet, gone: &AddressSet) -> AddressSet {
    for range in gone.ranges() {
        set.remove(range);
    }
    set
}

/// How many of the addresses passed so far the holdings can have.
struct Lower<'h> {
    /// Each set, with how many addresses of it were passed and how many of it can be held.
    sets: Vec<(AddressSet, u64, &'h Holding)>,
    /// Passed addresses that lie in any set.
    passed: u64,
}

impl<'h> Lower<'h> {
    fn new(loose: &[&'h Holding]) -> Self {
        Lower {
            sets: loose.iter().map(|holding| (holding.addresses(), 0, *holding)).collect(),
            passed: 0,
        }
    }

    fn pass(&mut self, address: IpAddr) {
        let mut any = false;
        for (addresses, passed, _) in &mut self.sets {
            if addresses.contains(address) {
                *passed += 1;
                any = true;
            }
        }
        self.passed += u64::from(any);
    }

    fn held(&self) -> u64 {
        let each = self
            .sets
            .iter()
            .map(|(_, passed, holding)| holding.most().map_or(*passed, |most| most.min(*passed)));
        each.sum::<u64>().min(self.passed)
    }
}
