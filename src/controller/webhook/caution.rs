//! Takes a pool under review and what the cluster holds, gives warnings of what is allowed and does harm; refuses nothing.

use std::net::IpAddr;

use serde_json::Value;

use super::super::call::Caller;
use super::super::kinds::{Kind, Served};
use crate::addressing::object_name_problem;
use crate::api::metal3::IPPool;
use crate::ipam::{AddressSet, Pool, parse_address, reserved_addresses};

/// The warnings of a review; none where the pool's spec stays as it was. What cannot be read is not warned of: a review must
/// not fail for it.
pub(super) async fn cautions(caller: &Caller, review: &Value) -> Vec<String> {
    let new = review
        .pointer("/request/object")
        .and_then(|pool| serde_json::from_value::<IPPool>(pool.clone()).ok());
    let Some(new) = new else { return Vec::new() };
    let old = review.pointer("/request/oldObject/spec");
    if old.is_some() && old == review.pointer("/request/object/spec") {
        return Vec::new();
    }
    let pool = Pool::ippool(&new.metadata.name, &new.spec);
    let usable = pool.usable();
    let mut warnings = own(&pool, &usable);
    warnings.extend(endpoints(
        &items(caller, Kind::Cluster, new.metadata.namespace.as_deref()).await,
        &usable,
    ));
    warnings.extend(overlaps(
        &items(caller, Kind::Pool, None).await,
        &new,
        &pool.addresses(),
    ));
    warnings
}

async fn items(caller: &Caller, kind: Kind, namespace: Option<&str>) -> Vec<Value> {
    // The webhooks know of the pools alone until somebody asks.
    if !caller.serves(kind)
        && let Ok(served) = Served::discover(caller.client(), &[Kind::Pool, kind]).await
    {
        caller.serve(served);
    }
    let page = caller.page(kind, namespace, None).await.unwrap_or_default();
    page.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// What of the pool itself takes a node down, or cannot be used: metal3 takes and gives it out like any other.
fn own(pool: &Pool, usable: &AddressSet) -> Vec<String> {
    let mut warnings = Vec::new();
    for (place, entry) in pool.entries().iter().enumerate() {
        for range in entry.ranges(pool.strategy()) {
            let grant = pool.grant(range.start(), Some(place), "");
            let gateway = grant.gateway.as_deref().and_then(|text| parse_address(text).ok());
            let bits = if range.start().is_ipv4() { 32 } else { 128 };
            let prefix = u8::try_from(grant.prefix)
                .ok()
                .filter(|prefix| (1..=bits).contains(prefix));
            if prefix.is_none() {
                let length = grant.prefix;
                warnings.push(format!(
                    "spec.pools[{place}]: {length} is no prefix length of {range} (1 to {bits})"
                ));
            }
            let held = reserved_addresses(range, gateway, prefix);
            let held = held.into_iter().filter(|(address, _)| usable.contains(*address));
            warnings.extend(held.map(|(address, what)| {
                format!("spec.pools[{place}] holds {what} {address}, which a claim can get; leave it out of the pool")
            }));
        }
    }
    let first = usable
        .ranges()
        .next()
        .map(|range| pool.grant(range.start(), None, "").object);
    if let Some(problem) = first.as_deref().and_then(object_name_problem) {
        warnings.push(format!("spec.namePrefix: {problem}, so no address object can be made"));
    }
    warnings
}

/// Endpoints of the namespace's Clusters that a machine could get.
fn endpoints(clusters: &[Value], usable: &AddressSet) -> Vec<String> {
    let endpoint = |cluster: &Value| -> Option<(String, IpAddr)> {
        let host = cluster.pointer("/spec/controlPlaneEndpoint/host")?.as_str()?;
        let name = cluster.pointer("/metadata/name")?.as_str()?;
        Some((name.to_owned(), parse_address(host).ok()?))
    };
    let all = clusters.iter().filter_map(endpoint);
    all.filter(|(_, address)| usable.contains(*address))
        .map(|(name, address)| {
            format!(
                "the pool holds {address}, the endpoint of the Cluster {name}, which a claim can get; leave it out of the pool, \
                 or reserve it in spec.preAllocations"
            )
        })
        .collect()
}

/// Other pools that can give out an address of this one.
fn overlaps(pools: &[Value], new: &IPPool, own: &AddressSet) -> Vec<String> {
    let place = |pool: &IPPool| {
        (
            pool.metadata.namespace.clone().unwrap_or_default(),
            pool.metadata.name.clone(),
        )
    };
    pools
        .iter()
        .filter_map(|pool| serde_json::from_value::<IPPool>(pool.clone()).ok())
        .filter(|other| place(other) != place(new))
        .filter_map(|other| {
            let shared = Pool::ippool(&other.metadata.name, &other.spec)
                .addresses()
                .intersection(own);
            let range = shared.ranges().next()?;
            let (namespace, name) = place(&other);
            Some(format!("{range} can be given out by the IPPool {namespace}/{name} too"))
        })
        .collect()
}
