//! Takes a pool and more addresses for it, gives the larger pool; refuses what no machine could use or somebody else has.

use std::net::IpAddr;

use super::start::PoolStart;
use crate::ipam::{AddressRange, Family, Network, Pool, parse_address};

impl PoolStart {
    /// The pool with the range as well; `endpoints` are those of clusters.
    ///
    /// # Errors
    /// The pool is not known or has the range already; the range is of the other family, reaches beyond the pool's networks,
    /// or holds an address that is no machine's.
    pub(super) fn enlarged(&self, range: AddressRange, endpoints: &[IpAddr]) -> Result<Pool, String> {
        let name = &self.reference.name;
        let Some(pool) = &self.pool else {
            return Err(format!(
                "the pool {name} is not in the manifest; give its manifest as well"
            ));
        };
        let first = pool.addresses().first();
        if let Some(family) = first.map(Family::of).filter(|family| *family != range.family()) {
            return Err(format!(
                "{range} is {}, and the pool {name} is {family}",
                range.family()
            ));
        }
        let (networks, gateways) = surroundings(pool);
        let around = |network: &&Network| network.contains(range.start()) && network.contains(range.end());
        let network = networks.iter().find(around);
        if let (None, Some(other)) = (network, networks.first()) {
            return Err(format!(
                "{range} is not inside {}/{}, the network of the pool {name}; addresses of another network want an entry \
                 with a prefix and a gateway of its own in the manifest",
                other.network(),
                other.prefix()
            ));
        }
        let taken = gateways.into_iter().map(|gateway| (gateway, "the gateway"));
        let endpoints = endpoints.iter();
        let taken = taken.chain(endpoints.map(|endpoint| (*endpoint, "the endpoint of a cluster")));
        let ends = network.map(|network| {
            [
                (network.anycast(), "the network address"),
                (network.broadcast(), "the broadcast address"),
            ]
        });
        let ends = ends.into_iter().flatten();
        let mut taken = taken.chain(ends.filter_map(|(address, what)| Some((address?, what))));
        if let Some((address, what)) = taken.find(|(address, _)| range.contains(*address)) {
            return Err(format!("{range} holds {address}, {what}, which is no machine's"));
        }
        let enlarged = pool.enlarged(range);
        enlarged.ok_or_else(|| format!("the pool {name} has {range} already"))
    }
}

/// The networks and gateways of a pool's entries, as far as they are written.
fn surroundings(pool: &Pool) -> (Vec<Network>, Vec<IpAddr>) {
    let (mut networks, mut gateways) = (Vec::new(), Vec::new());
    for (index, entry) in pool.entries().iter().enumerate() {
        let Some(first) = entry.ranges(pool.strategy()).next().map(AddressRange::start) else {
            continue;
        };
        let grant = pool.grant(first, Some(index), "");
        let gateway = grant.gateway.and_then(|text| parse_address(&text).ok());
        let prefix = u8::try_from(grant.prefix).ok().filter(|prefix| *prefix > 0);
        networks.extend(prefix.and_then(|prefix| Network::new(gateway.unwrap_or(first), prefix).ok()));
        gateways.extend(gateway);
    }
    (networks, gateways)
}
