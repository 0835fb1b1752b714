//! Takes a planned group with its cluster's pools and gives which of the group's addresses come from which pool; computes no new address.

use super::plan::{ClusterPlan, GroupPlan, PoolPlan, PoolReference};
use crate::ipam::{AddressRange, AddressSet};

/// For each pool of a cluster that a group can hold addresses of: those, as ranges, ascending.
///
/// A machine of a set gets one of these. Ranges that do not touch stay apart, and pools of two families too.
#[must_use]
pub fn choices<'p>(cluster: &'p ClusterPlan, group: &GroupPlan) -> Vec<(&'p PoolReference, Vec<String>)> {
    let all: AddressSet = parsed(&group.addresses).collect();
    let of_pool = |pool: &PoolPlan| match (&pool.size, &pool.addresses[..]) {
        (None, _) => AddressSet::new(),
        // A plan of an earlier version does not say which addresses a pool has.
        (Some(_), []) => all.clone(),
        (Some(_), texts) => all.intersection(&parsed(texts).collect()),
    };
    let pools = cluster.pools.iter().map(|pool| (&pool.pool, of_pool(pool)));
    let held = pools.filter(|(_, addresses)| !addresses.is_empty());
    held.map(|(pool, addresses)| (pool, addresses.ranges().map(|range| range.to_string()).collect()))
        .collect()
}

/// The ranges of some texts; what a hand has made unreadable is left out.
fn parsed(texts: &[String]) -> impl Iterator<Item = AddressRange> + '_ {
    texts.iter().filter_map(|text| text.parse().ok())
}
