//! Takes the spec of a pool of either provider, gives the one form from which addresses are given out; holds no state of
//! who has what.

use std::collections::HashMap;
use std::net::IpAddr;

use super::address::parse_address;
use super::claim::ippool_reference;
use super::entry::Entry;
use super::field::FieldError;
use super::in_cluster::InClusterAddresses;
use super::naming::Naming;
use super::range::AddressRange;
use super::set::AddressSet;
use super::strategy::{Randomness, Strategy};
use crate::api::capi::PoolReference;
use crate::api::in_cluster::InClusterIPPool;
use crate::api::metal3::IPPoolSpec;

/// An address with all that its object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The address.
    pub address: IpAddr,
    /// Prefix length in bits; 0 is unset, and an IPClaim may get a number that is no prefix length at all.
    pub prefix: i64,
    /// Gateway as the pool's author wrote it.
    pub gateway: Option<String>,
    /// DNS servers as the pool's author wrote them; a Cluster API address has no field for them.
    pub dns_servers: Vec<String>,
    /// Name of the address object.
    pub object: String,
    /// The entry that yields the address, from 0; none for an address held from outside all entries.
    pub entry: Option<usize>,
}

/// A pool, read.
#[derive(Clone, Debug)]
pub struct Pool {
    reference: PoolReference,
    entries: Vec<Entry>,
    strategy: Strategy,
    naming: Naming,
    /// Claim name to address; none where the text is no address.
    pre_allocations: HashMap<String, Option<IpAddr>>,
    honours_requests: bool,
    prefix: i64,
    gateway: Option<String>,
    dns_servers: Vec<String>,
}

impl Pool {
    /// A metal3 pool. What does not parse yields nothing, as in metal3; admission is where it is refused.
    #[must_use]
    pub fn ippool(name: &str, spec: &IPPoolSpec) -> Self {
        Self {
            reference: ippool_reference(name),
            entries: spec.pools.iter().map(Entry::new).collect(),
            strategy: Strategy::named(spec.allocation_strategy.as_deref()),
            naming: Naming::PrefixAndAddress(spec.name_prefix.clone()),
            pre_allocations: spec
                .pre_allocations
                .iter()
                .map(|(claim, text)| (claim.clone(), parse_address(text).ok()))
                .collect(),
            honours_requests: true,
            prefix: spec.prefix,
            gateway: spec.gateway.clone(),
            dns_servers: spec.dns_servers.clone(),
        }
    }

    /// A pool of the in-cluster provider: lowest free address, no requests, objects named as their claims.
    ///
    /// # Errors
    /// Those of [`InClusterAddresses::read`].
    pub fn in_cluster(pool: &InClusterIPPool) -> Result<Self, Vec<FieldError>> {
        let InClusterAddresses { addresses, prefix } = InClusterAddresses::read(&pool.spec)?;
        Ok(Self {
            reference: PoolReference {
                api_group: crate::api::in_cluster::GROUP.into(),
                kind: pool.kind.clone(),
                name: pool.metadata.name.clone(),
            },
            entries: addresses.spans().map(Entry::of_span).collect(),
            strategy: Strategy::Sequential,
            naming: Naming::Claim,
            pre_allocations: HashMap::new(),
            honours_requests: false,
            prefix: prefix.into(),
            gateway: pool.spec.gateway.clone().filter(|text| !text.is_empty()),
            dns_servers: Vec::new(),
        })
    }

    /// How claims name the pool.
    #[must_use]
    pub fn reference(&self) -> &PoolReference {
        &self.reference
    }

    /// The entries in declaration order; of an in-cluster pool its ranges, ascending.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The strategy.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// How address objects are named.
    #[must_use]
    pub fn naming(&self) -> &Naming {
        &self.naming
    }

    /// Whether the annotation that asks for an address counts.
    #[must_use]
    pub fn honours_requests(&self) -> bool {
        self.honours_requests
    }

    /// Every address that the pool can give out, preallocated ones included.
    #[must_use]
    pub fn addresses(&self) -> AddressSet {
        self.entries
            .iter()
            .flat_map(|entry| entry.ranges(self.strategy))
            .collect()
    }

    /// Whether the pool has the claim's name among its preallocations, and the address there (none: no address).
    #[must_use]
    pub fn pre_allocated(&self, claim: &str) -> Option<Option<IpAddr>> {
        self.pre_allocations.get(claim).copied()
    }

    /// All preallocated addresses, inside and outside the entries.
    #[must_use]
    pub fn reserved(&self) -> AddressSet {
        self.pre_allocations.values().flatten().copied().collect()
    }

    /// Every address that the pool can give to claims that are not named among its preallocations.
    #[must_use]
    pub fn usable(&self) -> AddressSet {
        let mut usable = self.addresses();
        for range in self.reserved().ranges() {
            usable.remove(range);
        }
        usable
    }

    /// The pool with more addresses: an IPPool gets them as its last entry, a pool of the in-cluster provider in their
    /// place in ascending order, without its gateway. `None` when it has all of them already.
    #[must_use]
    pub fn enlarged(&self, range: AddressRange) -> Option<Self> {
        let mut addresses = self.addresses();
        let before = addresses.size();
        addresses.insert(range);
        let mut enlarged = self.clone();
        match self.naming {
            Naming::PrefixAndAddress(_) => enlarged.entries.push(Entry::of_span(range.into())),
            Naming::Claim => {
                if let Some(gateway) = self.gateway.as_deref().and_then(|text| parse_address(text).ok()) {
                    addresses.remove(AddressRange::single(gateway));
                }
                enlarged.entries = addresses.spans().map(Entry::of_span).collect();
            }
        }
        (addresses.size() > before).then_some(enlarged)
    }

    /// The first entry in declaration order in which an ordered scan meets the address (also under `random`).
    #[must_use]
    pub fn entry_of(&self, address: IpAddr) -> Option<usize> {
        self.entries.iter().position(|entry| entry.yields(address))
    }

    /// The address with the values that its entry or else the pool sets: prefix if not 0, gateway if given, DNS servers
    /// if any, never mixed (metal3 `ippool_manager.go`).
    #[must_use]
    pub fn grant(&self, address: IpAddr, entry: Option<usize>, claim: &str) -> Grant {
        let own = entry.and_then(|entry| self.entries.get(entry));
        Grant {
            address,
            prefix: own
                .map(|e| e.prefix)
                .filter(|&prefix| prefix != 0)
                .unwrap_or(self.prefix),
            gateway: own.and_then(|e| e.gateway.clone()).or_else(|| self.gateway.clone()),
            dns_servers: own
                .filter(|e| !e.dns_servers.is_empty())
                .map_or_else(|| self.dns_servers.clone(), |e| e.dns_servers.clone()),
            object: self.naming.object_name(address, claim),
            entry,
        }
    }

    /// The addresses in the order in which claims without a wish would get them, one after the other, while none of
    /// `held` nor a preallocated one is free. Under `random` the order is the drawn one.
    pub fn succession<'a>(&'a self, held: &AddressSet, randomness: &'a mut dyn Randomness) -> Succession<'a> {
        let mut taken = self.reserved();
        taken.extend(held.ranges());
        Succession {
            pool: self,
            taken,
            randomness,
        }
    }
}

/// See [`Pool::succession`].
pub struct Succession<'a> {
    pool: &'a Pool,
    taken: AddressSet,
    randomness: &'a mut dyn Randomness,
}

impl Iterator for Succession<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        let pool = self.pool;
        let address = pool
            .entries
            .iter()
            .find_map(|entry| entry.choose(pool.strategy, &self.taken, self.randomness))?;
        self.taken.insert_address(address);
        Some(address)
    }
}
