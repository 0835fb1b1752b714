//! Takes the pools of a manifest and the planned groups, and gives each pool's ranges with their subnets, its users and what its addresses are for; knows no other pool.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::draws::{self, DrawnPool};
use super::plan::{ClusterPlan, GroupPlan, PoolReference};
use super::shares::Shares;
use super::slots::Planner;
use super::subnet::{PoolUser, SubnetPool};
use crate::ipam::{AddressRange, AddressSet, Network, Pool, parse_address};
use crate::objects::{Detail, Object};

/// A pool with all that a map of its subnets needs.
pub(super) struct PlacedPool {
    /// Its ranges.
    pub(super) pieces: Vec<Piece>,
    /// The networks of the NICs that draw from it.
    pub(super) networks: BTreeSet<String>,
    /// The name servers that its machines get.
    pub(super) servers: BTreeSet<IpAddr>,
    reference: PoolReference,
    users: Vec<PoolUser>,
    shares: Shares,
}

/// A range of a pool.
pub(super) struct Piece {
    pub(super) range: AddressRange,
    /// Its subnet; none without a prefix length, or with one whose subnet does not hold the whole range.
    pub(super) network: Option<Network>,
    pub(super) gateway: Option<IpAddr>,
}

/// All pools of a manifest: those that groups draw from, then the others; each kind sorted.
pub(super) fn placed_pools(planner: &Planner<'_, '_, '_>, clusters: &[ClusterPlan]) -> Vec<PlacedPool> {
    let mut planned: HashMap<PoolUser, &GroupPlan> = HashMap::new();
    for cluster in clusters {
        for group in &cluster.groups {
            planned.insert(PoolUser::of(cluster, group), group);
        }
    }
    let drawn = planner.draws.pools.iter();
    let mut pools: Vec<PlacedPool> = drawn.filter_map(|drawn| used(planner, drawn, &planned)).collect();
    pools.sort_by(|one, other| one.reference.cmp(&other.reference));
    let mut others = unused(planner);
    others.sort_by(|one, other| one.reference.cmp(&other.reference));
    pools.extend(others);
    pools
}

/// A pool that groups draw from; none while the manifest does not have it.
fn used(
    planner: &Planner<'_, '_, '_>,
    drawn: &DrawnPool,
    planned: &HashMap<PoolUser, &GroupPlan>,
) -> Option<PlacedPool> {
    let pool = drawn.pool.as_ref()?;
    let (mut users, mut networks, mut servers) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (group, _) in &drawn.users {
        users.push(planner.user(*group));
        for draw in &planner.draws.groups[group] {
            let own = planner.draws.pools[draw.pool].reference == drawn.reference;
            let nic = planner.nic_of(&planner.groups.all[*group], draw.device);
            if let Some((network, nameservers)) = nic.filter(|_| own) {
                networks.extend(network);
                // CAPV takes no name servers from a pool.
                servers.extend(
                    nameservers
                        .iter()
                        .filter(|_| draw.place.is_some())
                        .filter_map(|text| parse_address(text).ok()),
                );
                servers.extend(pool_servers(pool).filter(|_| draw.place.is_none()));
            }
        }
    }
    users.sort();
    let groups: Vec<&GroupPlan> = users.iter().filter_map(|user| planned.get(user).copied()).collect();
    Some(PlacedPool {
        pieces: pieces(pool),
        networks,
        servers,
        shares: Shares::of(pool, &drawn.reference, &groups),
        reference: drawn.reference.clone(),
        users,
    })
}

/// The pools of the manifest that no group draws from.
fn unused(planner: &Planner<'_, '_, '_>) -> Vec<PlacedPool> {
    let mut drawn: HashMap<(&str, &str), Vec<&PoolReference>> = HashMap::new();
    for pool in &planner.draws.pools {
        let reference = &pool.reference;
        drawn
            .entry((&reference.kind, &reference.name))
            .or_default()
            .push(reference);
    }
    let is_drawn = |object: &Object<'_>, kind| {
        let mut named = drawn.get(&(kind, object.name())).into_iter().flatten();
        named.any(|reference| object.in_namespace(reference.namespace.as_deref()))
    };
    let mut pools = Vec::new();
    for object in &planner.manifest.objects {
        let Detail::Pool(detail) = &object.detail else { continue };
        if is_drawn(object, detail.kind.name()) {
            continue;
        }
        let Some(pool) = draws::read(planner.manifest, object) else {
            continue;
        };
        let reference = PoolReference {
            kind: detail.kind.name().to_owned(),
            namespace: object.namespace().map(ToOwned::to_owned),
            name: object.name().to_owned(),
        };
        pools.push(PlacedPool {
            pieces: pieces(&pool),
            networks: BTreeSet::new(),
            servers: pool_servers(&pool).collect(),
            shares: Shares::of(&pool, &reference, &[]),
            reference,
            users: Vec::new(),
        });
    }
    pools
}

fn pieces(pool: &Pool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, entry) in pool.entries().iter().enumerate() {
        for range in entry.ranges(pool.strategy()) {
            let grant = pool.grant(range.start(), Some(index), "");
            let prefix = u8::try_from(grant.prefix).ok().filter(|prefix| *prefix != 0);
            let network = prefix.and_then(|prefix| network(range.start(), prefix));
            pieces.push(Piece {
                range,
                network: network.filter(|network| network.contains(range.end())),
                gateway: grant.gateway.and_then(|text| parse_address(&text).ok()),
            });
        }
    }
    pieces
}

/// The subnet of an address, without the address's own host part.
fn network(address: IpAddr, prefix: u8) -> Option<Network> {
    let seen = Network::new(address, prefix).ok()?;
    Network::new(seen.network(), prefix).ok()
}

/// The name servers that a pool gives with its addresses.
fn pool_servers(pool: &Pool) -> impl Iterator<Item = IpAddr> + '_ {
    let grants = pool.entries().iter().enumerate().flat_map(move |(index, entry)| {
        entry
            .ranges(pool.strategy())
            .map(move |range| pool.grant(range.start(), Some(index), ""))
    });
    grants
        .flat_map(|grant| grant.dns_servers)
        .filter_map(|text| parse_address(&text).ok())
}

impl PlacedPool {
    /// What it has in a subnet.
    pub(super) fn part_in(&self, whole: AddressRange) -> Option<SubnetPool> {
        let touches = |set: &AddressSet| set.ranges().any(|range| range.overlaps(whole));
        let here = touches(&self.shares.all) || touches(&self.shares.reserved);
        here.then(|| self.part(&AddressSet::from_iter([whole])))
    }

    /// Its lowest address in a subnet.
    pub(super) fn first_in(&self, whole: AddressRange) -> Option<IpAddr> {
        let mut here = self.shares.all.ranges().filter_map(|range| range.intersection(whole));
        here.next().map(AddressRange::start)
    }

    /// What it has beyond the subnets that are known; none when they hold all of it.
    pub(super) fn outside(&self, subnets: &[AddressRange]) -> Option<SubnetPool> {
        let mut rest: AddressSet = self
            .pieces
            .iter()
            .filter(|piece| piece.network.is_none())
            .map(|piece| piece.range)
            .collect();
        subnets.iter().for_each(|subnet| rest.remove(*subnet));
        (!rest.is_empty()).then(|| self.part(&rest))
    }

    fn part(&self, among: &AddressSet) -> SubnetPool {
        let part = |set: &AddressSet| {
            set.intersection(among)
                .ranges()
                .map(|range| range.to_string())
                .collect()
        };
        SubnetPool {
            pool: self.reference.clone(),
            groups: self.users.clone(),
            ranges: part(&self.shares.all),
            replicas: part(&self.shares.replicas),
            surge: part(&self.shares.surge),
            any: part(&self.shares.any),
            reserved: part(&self.shares.reserved),
        }
    }
}
