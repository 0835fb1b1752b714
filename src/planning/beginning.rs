//! Takes a manifest's groups and what they draw, and gives the point from which its machines are made and events are played.

use std::collections::{BTreeMap, BTreeSet};

use super::draws::Draws;
use super::infrastructure::{endpoint, has_zones, lacks_endpoint, selects_zones};
use super::next::{GroupDraw, GroupStart, Order, PoolStart, Start, Unsure};
use crate::addressing::{Groups, MachineGroup};
use crate::ipam::{AddressSet, Pool, parse_address};
use crate::objects::{Autoscaler, Manifest, Object, Role};

/// Control planes that make one machine at a time and wait until it runs: seen with the first, read of the others
/// (`scale.go` of cluster-api-provider-rke2 and of cluster-api-k3s).
const ONE_BY_ONE: [&str; 3] = ["KubeadmControlPlane", "RKE2ControlPlane", "KThreesControlPlane"];

/// The start of a manifest of which nothing exists yet; what exists can be put into its holdings.
#[must_use]
pub fn start(manifest: &Manifest<'_>, groups: &Groups<'_, '_>) -> Start {
    let draws = Draws::of(manifest, groups);
    beginning(manifest, groups, &draws, &|pool| draws.pools[pool].pool.clone())
}

/// The start of a manifest of which nothing exists yet. Its groups are those of [`Draws::groups`], in that order.
/// What each pool of the draws has is given.
pub(crate) fn beginning(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    draws: &Draws,
    pool_of: &dyn Fn(usize) -> Option<Pool>,
) -> Start {
    let pools: Vec<PoolStart> = (0..draws.pools.len())
        .map(|pool| pool_start(manifest, groups, draws, pool, pool_of(pool)))
        .collect();
    let zones = has_zones(manifest);
    let group = |index: &usize| {
        let group = &groups.all[*index];
        let cluster = group.cluster.map(|cluster| &manifest.objects[cluster]);
        let spread = zones
            || group
                .cluster
                .is_some_and(|cluster| selects_zones(manifest, groups, cluster));
        let order = order(group, spread);
        let mut each: BTreeMap<usize, u32> = BTreeMap::new();
        for draw in &draws.groups[index] {
            *each.entry(draw.pool).or_default() += 1;
        }
        let draw = |(pool, each): (usize, u32)| GroupDraw {
            unsure: unsure(group, order, &pools[pool]),
            ..GroupDraw::new(pool, each, order)
        };
        GroupStart {
            cluster: cluster.map(Object::name).or(group.cluster_name).map(ToOwned::to_owned),
            namespace: cluster.and_then(|cluster| cluster.namespace()).map(ToOwned::to_owned),
            kind: group.kind.to_owned(),
            name: group.name.to_owned(),
            order,
            strategy: group.size.strategy,
            replicas: group.size.replicas,
            elastic: matches!(group.size.autoscaler, Autoscaler::From(_)),
            draws: each.into_iter().map(draw).collect(),
            stuck: None,
        }
    };
    let address = |cluster: &usize| parse_address(&endpoint(manifest, groups, *cluster)?.host).ok();
    Start {
        endpoints: groups.clusters.iter().filter_map(address).collect(),
        groups: draws.groups.keys().map(group).collect(),
        pools,
    }
}

fn order(group: &MachineGroup<'_, '_>, spread: bool) -> Order {
    if group.role == Role::ControlPlane && ONE_BY_ONE.contains(&group.kind) {
        Order::OneByOne { spread }
    } else {
        Order::AnyOrder
    }
}

/// Why a group in no fixed order is not exact from the start.
fn unsure(group: &MachineGroup<'_, '_>, order: Order, pool: &PoolStart) -> Option<Unsure> {
    match order {
        Order::OneByOne { .. } => None,
        Order::AnyOrder if pool.pool.is_none() => Some(Unsure::PoolMissing(pool.reference.name.clone())),
        Order::AnyOrder if group.role == Role::ControlPlane => Some(Unsure::Kind(group.kind.to_owned())),
        Order::AnyOrder => Some(Unsure::AnyOrder),
    }
}

fn pool_start(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    draws: &Draws,
    index: usize,
    addresses: Option<Pool>,
) -> PoolStart {
    let drawn = &draws.pools[index];
    let by_label = |user: usize| draws.groups[&user].iter().any(|draw| draw.place.is_none());
    let by_label = drawn.users.iter().filter(|(user, _)| by_label(*user));
    let clusters: BTreeSet<usize> = by_label.filter_map(|(user, _)| groups.all[*user].cluster).collect();
    let lacking = |cluster: &&usize| lacks_endpoint(manifest, groups, **cluster);
    PoolStart {
        reference: drawn.reference.clone(),
        pool: addresses,
        taken: AddressSet::new(),
        guests: Ok(clusters.iter().filter(lacking).count() as u64),
        rests: drawn.rests,
    }
}
