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
        return pool.usable().without(&used.fixed);
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

/// How many of the addresses passed so far the holdings can have.
struct Lower {
    sets: Vec<Passed>,
    /// Passed addresses that lie in any set.
    passed: u64,
}

/// A set of addresses, and how many of it were passed.
struct Passed {
    addresses: AddressSet,
    passed: u64,
    /// How many of it can be held; `None` when unknown.
    most: Option<u64>,
}

impl Lower {
    fn new(loose: &[&Holding]) -> Self {
        let mut sets: Vec<Passed> = Vec::new();
        for holding in loose {
            let (addresses, most) = (holding.addresses(), holding.most());
            // Groups that share a pool have the same set.
            match sets.iter_mut().find(|set| set.addresses == addresses) {
                Some(set) => set.most = set.most.zip(most).map(|(one, more)| one + more),
                None => sets.push(Passed {
                    addresses,
                    passed: 0,
                    most,
                }),
            }
        }
        Lower { sets, passed: 0 }
    }

    fn pass(&mut self, address: IpAddr) {
        let mut any = false;
        for set in self.sets.iter_mut().filter(|set| set.addresses.contains(address)) {
            set.passed += 1;
            any = true;
        }
        self.passed += u64::from(any);
    }

    fn held(&self) -> u64 {
        let each = self.sets.iter().map(|set| set.passed.min(set.most.unwrap_or(u64::MAX)));
        each.sum::<u64>().min(self.passed)
    }
}
