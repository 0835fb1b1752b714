//! Takes what becomes of pools and claims, gives one row for each claim and each address that is kept for somebody else.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::Allocation;
use super::claims::reason;
use crate::ipam::{AddressObject, ClaimId, ClaimKind, Grant, Source, parse_address};
use crate::state::{AddressRecord, Fate, PoolObject, PoolView, Settled};

/// Who would get what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Namespace of the claim.
    pub namespace: String,
    /// The pool's name.
    pub pool: String,
    /// The claim's kind and name; none for an address without one.
    pub claim: Option<(&'static str, String)>,
    /// The address at the end.
    pub address: Option<String>,
    /// Prefix length in bits, where the address has one.
    pub prefix: Option<i64>,
    /// The gateway.
    pub gateway: Option<String>,
    /// The DNS servers.
    pub dns_servers: Vec<String>,
    /// The address object.
    pub object: Option<String>,
    /// How the claim comes by it, or why not.
    pub state: State,
}

/// How a claim fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It shows the address.
    Holds,
    /// It gets the address now.
    New,
    /// `status.indexes` had the address for it.
    Promised,
    /// An address object that names it had the address.
    Adopted,
    /// It is refused, for this reason.
    Refused(String),
    /// It is deleted and lets this address go.
    Released,
    /// It is deleted and keeps the address for now.
    Waits,
    /// It or its pool is paused.
    Paused,
    /// What it gets is not known.
    Unknown,
    /// No claim of the input has the address.
    Reserved,
    /// The pool keeps the address for the claim, which is not in the input.
    PreAllocated,
}

impl std::fmt::Display for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Holds => "holds",
            Self::New => "new",
            Self::Promised => "promised",
            Self::Adopted => "adopted",
            Self::Refused(refusal) => return write!(out, "refused: {refusal}"),
            Self::Released => "released",
            Self::Waits => "deleted, waits",
            Self::Paused => "paused",
            Self::Unknown => "unknown",
            Self::Reserved => "reserved",
            Self::PreAllocated => "preallocated",
        })
    }
}

/// The rows: pool by pool, claims in the order in which they are served, then what is kept without a claim, by address.
#[must_use]
pub fn rows(allocation: &Allocation) -> Vec<Row> {
    let mut rows = Vec::new();
    for (view, settled) in &allocation.pools {
        let objects = objects(allocation, view);
        rows.extend(
            settled
                .order
                .iter()
                .map(|id| row(allocation, view, &objects, id, &settled.fates[id])),
        );
        rows.extend(reserved(view, settled));
        rows.extend(pre_allocated(allocation, view, settled));
    }
    rows
}

/// The address objects of a pool by kind, namespace and claim.
type Objects<'a> = HashMap<(ClaimKind, &'a str, &'a str), Vec<&'a AddressRecord>>;

fn objects<'a>(allocation: &'a Allocation, view: &PoolView) -> Objects<'a> {
    let mut objects = Objects::new();
    for stored in view.addresses.iter().map(|index| &allocation.live.addresses()[*index]) {
        let key = (stored.value.kind(), &*stored.namespace, stored.value.claim());
        objects.entry(key).or_default().push(&stored.value);
    }
    objects
}

fn row(allocation: &Allocation, view: &PoolView, objects: &Objects<'_>, id: &ClaimId, fate: &Fate) -> Row {
    let stored = view.sources.get(id).map(|index| &allocation.live.claims()[*index]);
    let name = stored.map_or(id.name.as_str(), |stored| stored.value.metadata().name.as_str());
    let state = match fate {
        Fate::Holds(_) => State::Holds,
        Fate::Gets {
            source: Source::New, ..
        } => State::New,
        Fate::Gets {
            source: Source::Promised,
            ..
        } => State::Promised,
        Fate::Gets {
            source: Source::Adopted,
            ..
        } => State::Adopted,
        Fate::Refused(refusal) => State::Refused(reason(view, refusal)),
        Fate::Released { .. } => State::Released,
        Fate::Waits(_) => State::Waits,
        Fate::Paused(_) => State::Paused,
        Fate::Undecided => State::Unknown,
    };
    let address = match fate {
        Fate::Released { address, .. } => *address,
        fate => fate.address(),
    };
    let namespace = stored.map_or("", |stored| stored.namespace.as_str());
    let existing = objects.get(&(id.kind, namespace, name)).into_iter().flatten();
    let existing = existing
        .copied()
        .find(|object| parse_address(object.address()).ok() == address);
    let grant = match (fate, existing) {
        (_, Some(object)) => address.map(|address| as_stored(object, address)),
        (Fate::Gets { grant, .. }, None) => Some(Grant {
            object: view.pool.naming().object_name(grant.address, name),
            ..grant.clone()
        }),
        _ => address.map(|address| view.pool.grant(address, view.pool.entry_of(address), name)),
    };
    Row {
        namespace: namespace.to_owned(),
        pool: view.id.name.clone(),
        claim: Some((id.kind.name(), name.to_owned())),
        address: address.map(|address| address.to_string()),
        prefix: grant.as_ref().map(|grant| grant.prefix).filter(|prefix| *prefix != 0),
        gateway: grant.as_ref().and_then(|grant| grant.gateway.clone()),
        // Cluster API's address has no field for them.
        dns_servers: grant
            .as_ref()
            .filter(|_| id.kind == ClaimKind::IPClaim)
            .map(|grant| grant.dns_servers.clone())
            .unwrap_or_default(),
        object: grant.map(|grant| grant.object),
        state,
    }
}

/// What an address object that exists says.
fn as_stored(object: &AddressRecord, address: IpAddr) -> Grant {
    let (prefix, gateway, dns_servers) = match object {
        AddressRecord::Metal3(object) => (
            object.spec.prefix,
            object.spec.gateway.clone(),
            object.spec.dns_servers.clone(),
        ),
        AddressRecord::ClusterApi(object) => {
            let gateway = Some(object.spec.gateway.clone()).filter(|gateway| !gateway.is_empty());
            (object.spec.prefix.into(), gateway, Vec::new())
        }
    };
    Grant {
        address,
        prefix,
        gateway,
        dns_servers,
        object: object.metadata().name.clone(),
        entry: None,
    }
}

/// Addresses of objects that no claim of the pool has.
fn reserved(view: &PoolView, settled: &Settled) -> Vec<Row> {
    let claimed: BTreeSet<_> = settled.fates.values().filter_map(Fate::address).collect();
    let own = settled
        .objects
        .iter()
        .filter(|object| *object.pool == *view.pool.reference());
    let addressed = own.filter_map(|object| Some((parse_address(&object.address).ok()?, object)));
    let mut kept: Vec<_> = addressed.filter(|(address, _)| !claimed.contains(address)).collect();
    kept.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    let row = |(address, object): (IpAddr, &AddressObject)| Row {
        namespace: view.id.namespace.clone(),
        pool: view.id.name.clone(),
        claim: Some((object.id.kind.name(), object.claim.clone())).filter(|(_, name)| !name.is_empty()),
        address: Some(address.to_string()),
        prefix: None,
        gateway: None,
        dns_servers: Vec::new(),
        object: Some(object.id.name.clone()),
        state: State::Reserved,
    };
    kept.into_iter().map(row).collect()
}

/// Addresses that the pool keeps for claims that do not exist yet.
fn pre_allocated(allocation: &Allocation, view: &PoolView, settled: &Settled) -> Vec<Row> {
    let PoolObject::IPPool(pool) = &allocation.live.pools[&view.id].value else {
        return Vec::new();
    };
    let there: BTreeSet<&str> = settled.order.iter().map(|id| id.name.as_str()).collect();
    let held: BTreeSet<IpAddr> = settled.held.iter().copied().collect();
    let kept = pool
        .spec
        .pre_allocations
        .iter()
        .filter(|(name, _)| !there.contains(name.as_str()));
    let kept = kept.filter_map(|(name, text)| Some((name, parse_address(text).ok()?)));
    kept.filter(|(_, address)| !held.contains(address))
        .map(|(name, address)| Row {
            namespace: view.id.namespace.clone(),
            pool: view.id.name.clone(),
            claim: Some(("claim", name.clone())),
            address: Some(address.to_string()),
            prefix: None,
            gateway: None,
            dns_servers: Vec::new(),
            object: None,
            state: State::PreAllocated,
        })
        .collect()
}
