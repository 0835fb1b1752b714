//! Takes the claims of the pools and what becomes of them, gives for each NIC of each machine the claim that is named for it and
//! the address that it has or gets for certain.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::Held;
use crate::allocation::Allocation;
use crate::api::metal3;
use crate::ipam::{ClaimId, ClaimKind, Source, parse_address};
use crate::planning::plan::PoolReference;
use crate::state::{AddressRecord, Fate, PoolView, Settled, claimed_nic};

/// What a claim for a machine's NIC comes to.
pub(super) struct Claimed<'l> {
    pub(super) claim: &'l str,
    pub(super) held: Option<Held>,
    /// It gets no address before something changes.
    pub(super) refused: bool,
    pub(super) device: usize,
    pub(super) place: Option<usize>,
}

/// Claims by namespace and machine.
pub(super) type ByMachine<'l> = BTreeMap<(&'l str, &'l str), Vec<Claimed<'l>>>;

/// Every claim that is named for a NIC of a machine.
pub(super) fn claimed(allocation: &Allocation) -> ByMachine<'_> {
    let mut claimed: ByMachine<'_> = BTreeMap::new();
    for (view, settled) in &allocation.pools {
        let objects = objects(allocation, view);
        let alone = waiting(settled) <= 1 && leaving(settled).is_none();
        let refused = refused(view, settled);
        for (id, fate) in &settled.fates {
            let Some(stored) = view.sources.get(id).map(|index| &allocation.live.claims()[*index]) else {
                continue;
            };
            let Some((machine, device, place)) = claimed_nic(stored) else {
                continue;
            };
            let name = &stored.value.metadata().name;
            let existing = objects.get(&(id.kind, &*stored.namespace, name.as_str())).copied();
            let entry = claimed.entry((&stored.namespace, machine)).or_default();
            entry.push(Claimed {
                claim: name,
                held: fate
                    .address()
                    .filter(|_| alone || !is_new(fate))
                    .map(|address| held(view, fate, existing, address)),
                refused: refused.contains(id),
                device,
                place,
            });
        }
    }
    claimed
}

/// Whether the claim gets an address that nothing had given it before.
fn is_new(fate: &Fate) -> bool {
    matches!(
        fate,
        Fate::Gets {
            source: Source::New,
            ..
        }
    )
}

/// The claims that get no address now, and those that metal3 has refused earlier: it passes over one with a failure in its
/// status (`ippool_manager.go`).
fn refused<'v>(view: &'v PoolView, settled: &'v Settled) -> BTreeSet<&'v ClaimId> {
    let retries = view.id.kind != metal3::POOL_KIND;
    let failed = view.own_claims().filter(|claim| claim.failure.is_some() && !retries);
    let failed: BTreeSet<&ClaimId> = failed.map(|claim| &claim.id).collect();
    let refused = settled.fates.iter().filter(|(id, fate)| match fate {
        Fate::Refused(_) => true,
        fate => is_new(fate) && failed.contains(id),
    });
    refused.map(|(id, _)| id).collect()
}

/// How many claims get an address at the same time. The providers serve them in no fixed order, so with several of them none
/// of the addresses is certain.
pub(super) fn waiting(settled: &Settled) -> usize {
    settled.fates.values().filter(|fate| is_new(fate)).count()
}

/// A claim that is being deleted and has an address. Whether that is free before another claim is served is not known: metal3
/// takes claims in no fixed order.
pub(super) fn leaving(settled: &Settled) -> Option<&ClaimId> {
    let leaves = |fate: &Fate| {
        matches!(
            fate,
            Fate::Waits(Some(_))
                | Fate::Released {
                    address: Some(_),
                    stray_finalizer: false
                }
        )
    };
    settled.fates.iter().find(|(_, fate)| leaves(fate)).map(|(id, _)| id)
}

type Objects<'l> = HashMap<(ClaimKind, &'l str, &'l str), &'l AddressRecord>;

fn objects<'l>(allocation: &'l Allocation, view: &PoolView) -> Objects<'l> {
    let stored = view.addresses.iter().map(|index| &allocation.live.addresses()[*index]);
    stored
        .map(|stored| {
            (
                (stored.value.kind(), &*stored.namespace, stored.value.claim()),
                &stored.value,
            )
        })
        .collect()
}

/// The address with what its object says, or what it will say.
fn held(view: &PoolView, fate: &Fate, existing: Option<&AddressRecord>, address: IpAddr) -> Held {
    let pool = PoolReference {
        kind: view.id.kind.to_owned(),
        namespace: Some(view.id.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        name: view.id.name.clone(),
    };
    let existing = existing.filter(|object| parse_address(object.address()).ok() == Some(address));
    let (prefix, gateway, dns_servers, object) = match (existing, fate) {
        (Some(AddressRecord::Metal3(object)), _) => (
            object.spec.prefix,
            object.spec.gateway.clone(),
            Some(object.spec.dns_servers.clone()),
            Some(object.metadata.name.clone()),
        ),
        (Some(AddressRecord::ClusterApi(object)), _) => {
            let gateway = Some(object.spec.gateway.clone()).filter(|gateway| !gateway.is_empty());
            (
                object.spec.prefix.into(),
                gateway,
                None,
                Some(object.metadata.name.clone()),
            )
        }
        (None, Fate::Gets { grant, .. }) => (
            grant.prefix,
            grant.gateway.clone(),
            Some(grant.dns_servers.clone()),
            Some(grant.object.clone()),
        ),
        (None, _) => {
            let grant = view.pool.grant(address, view.pool.entry_of(address), "");
            (grant.prefix, grant.gateway, Some(grant.dns_servers), None)
        }
    };
    Held {
        address,
        prefix: Some(prefix).filter(|prefix| *prefix != 0),
        gateway,
        dns_servers,
        object,
        pool,
    }
}
