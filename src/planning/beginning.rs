//! Takes a manifest's groups and what they draw, and gives the point from which its machines are made and events are played.

use super::draws::{DrawnPool, Draws};
use super::infrastructure::{has_zones, lacks_endpoint, selects_zones};
use super::next::{GroupDraw, GroupStart, Order, PoolStart, Start, Unsure};
use crate::addressing::{Groups, MachineGroup};
use crate::ipam::AddressSet;
use crate::objects::{Manifest, Object, Role};

/// Control planes that make one machine at a time and wait until it runs: seen with the first, read of the others
/// (`scale.go` of cluster-api-provider-rke2 and of cluster-api-k3s).
const ONE_BY_ONE: [&str; 3] = ["KubeadmControlPlane", "RKE2ControlPlane", "KThreesControlPlane"];

/// The start of a manifest of which nothing exists yet; what exists can be put into its holdings.
#[must_use]
pub fn start(manifest: &Manifest<'_>, groups: &Groups<'_, '_>) -> Start {
    beginning(manifest, groups, &Draws::of(manifest, groups))
}

/// The start of a manifest of which nothing exists yet. Its groups are those of [`Draws::groups`], in that order.
pub(super) fn beginning(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, draws: &Draws) -> Start {
    let zones = has_zones(manifest);
    let group = |index: &usize| {
        let group = &groups.all[*index];
        let cluster = group.cluster.map(|cluster| &manifest.objects[cluster]);
        let spread = zones || cluster.is_some_and(|cluster| selects_zones(manifest, cluster));
        let order = order(group, spread);
        let pools = draws.pools.iter().enumerate();
        let own = pools.filter_map(|(pool, drawn)| Some((pool, drawn, drawn.each_of(*index)?)));
        GroupStart {
            cluster: cluster.map(Object::name).or(group.cluster_name).map(ToOwned::to_owned),
            namespace: cluster.and_then(|cluster| cluster.namespace()).map(ToOwned::to_owned),
            kind: group.kind.to_owned(),
            name: group.name.to_owned(),
            order,
            strategy: group.size.strategy,
            replicas: group.size.replicas,
            elastic: group.size.elastic,
            draws: own
                .map(|(pool, drawn, each)| GroupDraw {
                    unsure: unsure(group, order, drawn),
                    ..GroupDraw::new(pool, each, order)
                })
                .collect(),
        }
    };
    Start {
        pools: draws
            .pools
            .iter()
            .map(|pool| pool_start(manifest, groups, draws, pool))
            .collect(),
        groups: draws.groups.keys().map(group).collect(),
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
fn unsure(group: &MachineGroup<'_, '_>, order: Order, pool: &DrawnPool) -> Option<Unsure> {
    match order {
        Order::OneByOne { .. } => None,
        Order::AnyOrder if pool.pool.is_none() => Some(Unsure::PoolMissing(pool.reference.name.clone())),
        Order::AnyOrder if group.role == Role::ControlPlane => Some(Unsure::Kind(group.kind.to_owned())),
        Order::AnyOrder => Some(Unsure::AnyOrder),
    }
}

fn pool_start(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, draws: &Draws, pool: &DrawnPool) -> PoolStart {
    let by_label = |user: usize| draws.groups[&user].iter().any(|draw| draw.place.is_none());
    let mut clusters: Vec<usize> = pool
        .users
        .iter()
        .filter(|(user, _)| by_label(*user))
        .filter_map(|(user, _)| groups.all[*user].cluster)
        .collect();
    clusters.sort_unstable();
    clusters.dedup();
    let lacking = |cluster: &&usize| lacks_endpoint(manifest, &manifest.objects[**cluster]);
    PoolStart {
        reference: pool.reference.clone(),
        pool: pool.pool.clone(),
        taken: AddressSet::new(),
        guests: Ok(clusters.iter().filter(lacking).count() as u64),
        rests: pool.rests,
    }
}
