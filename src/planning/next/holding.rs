//! What a group holds of a pool: exactly and in order of creation, or a set that holds it; plain data.

use std::net::IpAddr;

use crate::ipam::AddressSet;

/// What the machines of a group hold of one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// The addresses of each machine, the oldest first. A machine with several NICs on the pool has several, and which
    /// of its NICs has which is not known.
    InOrder(Vec<Vec<IpAddr>>),
    /// Only a set is known.
    Among {
        /// Every address that may be held.
        addresses: AddressSet,
        /// How many are held at least.
        least: u64,
        /// How many are held at most; `None` while the number of machines is unknown.
        most: Option<u64>,
    },
}

impl Holding {
    /// A set of which every address is held.
    #[must_use]
    pub fn all_of(addresses: AddressSet) -> Self {
        let held = u64::try_from(addresses.size()).unwrap_or(u64::MAX);
        Holding::Among {
            addresses,
            least: held,
            most: Some(held),
        }
    }

    /// Nothing, of a group whose order of creation is never known.
    #[must_use]
    pub fn none() -> Self {
        Holding::all_of(AddressSet::new())
    }

    /// Every address that may be held.
    #[must_use]
    pub fn addresses(&self) -> AddressSet {
        match self {
            Holding::InOrder(machines) => machines.iter().flatten().copied().collect(),
            Holding::Among { addresses, .. } => addresses.clone(),
        }
    }

    /// How many addresses are held at least.
    #[must_use]
    pub fn least(&self) -> u64 {
        match self {
            Holding::InOrder(machines) => machines.iter().map(|machine| machine.len() as u64).sum(),
            Holding::Among { least, .. } => *least,
        }
    }

    /// How many addresses are held at most.
    #[must_use]
    pub fn most(&self) -> Option<u64> {
        match self {
            Holding::InOrder(_) => Some(self.least()),
            Holding::Among { most, .. } => *most,
        }
    }

    /// Whether every address that may be held is held.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        match self {
            Holding::InOrder(_) => true,
            Holding::Among { addresses, least, .. } => addresses.size() == u128::from(*least),
        }
    }
}
