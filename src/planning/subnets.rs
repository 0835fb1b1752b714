//! Takes the planned clusters and the manifest's pools, endpoints and NICs, and gives what lies where in every subnet; never decides who gets an address.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::dhcp::{dhcp_groups, leave_to_dhcp};
use super::infrastructure::endpoint;
use super::plan::ClusterPlan;
use super::slots::Planner;
use super::subnet::{SubnetEndpoint, SubnetPlan, SubnetPool};
use super::subnet_pools::{PlacedPool, placed_pools};
use crate::ipam::{AddressRange, Network, parse_address};

/// The subnets of all pools of a manifest, IPv4 first, then pools without a prefix length, then the networks of which
/// nothing but DHCP is known.
pub(super) fn subnets(planner: &Planner<'_, '_, '_>, clusters: &[ClusterPlan]) -> Vec<SubnetPlan> {
    let pools = placed_pools(planner, clusters);
    let endpoints = endpoints(planner, clusters);
    let networks = networks(&pools);
    let whole: Vec<AddressRange> = networks.iter().copied().map(AddressRange::whole).collect();
    let known = networks.into_iter().map(|network| subnet(network, &pools, &endpoints));
    let mut subnets: Vec<SubnetPlan> = known.collect();
    for pool in &pools {
        subnets.extend(pool.outside(&whole).map(|part| {
            SubnetPlan {
                family: part
                    .ranges
                    .first()
                    .and_then(|text| Some(text.parse::<AddressRange>().ok()?.family().to_string())),
                networks: pool.networks.iter().cloned().collect(),
                pools: vec![part],
                ..SubnetPlan::default()
            }
        }));
    }
    leave_to_dhcp(&mut subnets, dhcp_groups(planner));
    subnets
}

/// The subnets that the pools name by their prefix lengths.
fn networks(pools: &[PlacedPool]) -> Vec<Network> {
    let pieces = pools.iter().flat_map(|pool| &pool.pieces);
    let mut networks: Vec<Network> = pieces.filter_map(|piece| piece.network).collect();
    networks.sort_by_key(|network| (network.network(), network.prefix()));
    networks.dedup();
    networks
}

fn subnet(network: Network, pools: &[PlacedPool], endpoints: &[(IpAddr, SubnetEndpoint)]) -> SubnetPlan {
    let inside = |address: &IpAddr| network.contains(*address);
    let pieces = || {
        pools
            .iter()
            .flat_map(|pool| pool.pieces.iter().map(move |piece| (pool, piece)))
    };
    let own = || pieces().filter(|(_, piece)| piece.network == Some(network));
    let names: BTreeSet<&String> = own().flat_map(|(pool, _)| &pool.networks).collect();
    let gateways: BTreeSet<IpAddr> = own().filter_map(|(_, piece)| piece.gateway).collect();
    let servers: BTreeSet<IpAddr> = pools
        .iter()
        .flat_map(|pool| pool.servers.iter().copied())
        .filter(inside)
        .collect();
    let whole = AddressRange::whole(network);
    let mut parts: Vec<(&PlacedPool, SubnetPool)> = pools
        .iter()
        .filter_map(|pool| Some((pool, pool.part_in(whole)?)))
        .collect();
    parts.sort_by_key(|(pool, part)| (pool.first_in(whole), part.pool.clone()));
    SubnetPlan {
        cidr: Some(network.to_string()),
        family: Some(network.family().to_string()),
        networks: names.into_iter().cloned().collect(),
        gateways: gateways.iter().map(ToString::to_string).collect(),
        dns_servers: servers.iter().map(ToString::to_string).collect(),
        endpoints: endpoints
            .iter()
            .filter(|(address, _)| inside(address))
            .map(|(_, endpoint)| endpoint.clone())
            .collect(),
        pools: parts.into_iter().map(|(_, part)| part).collect(),
        dhcp: Vec::new(),
    }
}

/// The endpoints that are addresses, of all clusters of the manifest, sorted.
fn endpoints(planner: &Planner<'_, '_, '_>, clusters: &[ClusterPlan]) -> Vec<(IpAddr, SubnetEndpoint)> {
    let planned: HashMap<_, _> = clusters
        .iter()
        .map(|cluster| {
            (
                (cluster.name.as_deref(), cluster.namespace.as_deref()),
                &cluster.endpoint,
            )
        })
        .collect();
    let mut endpoints = Vec::new();
    for cluster in &planner.groups.clusters {
        let object = &planner.manifest.objects[*cluster];
        let known = planned.get(&(Some(object.name()), object.namespace()));
        let unknown = || endpoint(planner.manifest, planner.groups, *cluster);
        let endpoint = known.map_or_else(unknown, |endpoint| (*endpoint).clone());
        let Some(endpoint) = endpoint else { continue };
        let Ok(address) = parse_address(&endpoint.host) else {
            continue;
        };
        let endpoint = SubnetEndpoint {
            address: address.to_string(),
            port: endpoint.port,
            cluster: object.name().to_owned(),
            namespace: object.namespace().map(ToOwned::to_owned),
        };
        endpoints.push((address, endpoint));
    }
    endpoints.sort();
    endpoints
}

impl SubnetPlan {
    /// The subnet, where it is known; also none for a text that a hand has changed.
    #[must_use]
    pub fn network(&self) -> Option<Network> {
        self.cidr.as_ref()?.parse().ok()
    }
}
