//! Takes pools and gives the addresses that no node may get: gateways, name servers, networks' own addresses; finds those inside a range without a scan.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::pool::JudgedPool;
use crate::ipam::{AddressRange, Network};

/// What an address is to a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// The gateway of an entry.
    Gateway,
    /// A name server.
    NameServer,
    /// The network address, in IPv6 the routers' anycast address.
    Network,
    /// The broadcast address.
    Broadcast,
}

/// An address with what it is to a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Special {
    /// The pool's index.
    pub(crate) pool: usize,
    /// What it is.
    pub(crate) role: Role,
}

/// All such addresses.
pub(crate) struct Specials(BTreeMap<IpAddr, Vec<Special>>);

impl Role {
    /// In a sentence such as `holds the gateway`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Gateway => "the gateway",
            Role::NameServer => "the name server",
            Role::Network => "the network address",
            Role::Broadcast => "the broadcast address",
        }
    }
}

impl Specials {
    pub(super) fn of(pools: &[JudgedPool]) -> Self {
        let mut all: BTreeMap<IpAddr, Vec<Special>> = BTreeMap::new();
        let mut add = |address: Option<IpAddr>, pool, role| {
            let Some(address) = address else { return };
            let known = all.entry(address).or_default();
            if known.last() != Some(&Special { pool, role }) {
                known.push(Special { pool, role });
            }
        };
        for (index, pool) in pools.iter().enumerate() {
            for network in &pool.networks {
                add(network.gateway, index, Role::Gateway);
                let servers = network.dns_servers.iter();
                servers.for_each(|server| add(Some(*server), index, Role::NameServer));
            }
            for held in &pool.held {
                let network = pool
                    .networks
                    .get(held.entry)
                    .and_then(|network| network.around(held.range));
                add(network.and_then(Network::anycast), index, Role::Network);
                add(network.and_then(Network::broadcast), index, Role::Broadcast);
            }
        }
        for known in all.values_mut() {
            known.sort_unstable();
            known.dedup();
        }
        Specials(all)
    }

    /// What an address is to pools, in their order.
    pub(crate) fn at(&self, address: IpAddr) -> &[Special] {
        self.0.get(&address).map_or(&[], Vec::as_slice)
    }

    /// The special addresses inside a range, ascending.
    pub(crate) fn inside(&self, range: AddressRange) -> impl Iterator<Item = (IpAddr, &[Special])> {
        let inside = self.0.range(range.start()..=range.end());
        inside.map(|(address, specials)| (*address, specials.as_slice()))
    }
}
