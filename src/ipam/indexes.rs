//! Takes `IPPool.status.indexes`, gives the claim that each entry is a promise to, and the other way round; never drops or
//! adds a promise.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use super::address::parse_address;
use super::claim::{Claim, ClaimId, ClaimKind};

/// What comes before the name of an IPAddressClaim whose plain name an IPClaim uses. No object name has a slash.
const CLUSTER_API_MARK: &str = "IPAddressClaim/";

/// What `status.indexes` promises, and to whom that is not certain.
#[derive(Debug, Default)]
pub(crate) struct Promises<'a> {
    /// Claims that live and what they are promised.
    pub(crate) to: BTreeMap<&'a ClaimId, IpAddr>,
    /// Whom an entry may mean besides the claim to which it was read as a promise.
    pub(crate) doubts: Vec<Doubt<'a>>,
}

/// Another meaning of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Doubt<'a> {
    pub(crate) key: &'a str,
    pub(crate) address: IpAddr,
    /// The claim to which the entry was read as a promise, if any that was read.
    pub(crate) winner: Option<&'a ClaimId>,
    /// The claim that it may mean all the same.
    pub(crate) other: Other<'a>,
}

/// A claim that an entry may mean.
#[derive(Clone, Debug)]
pub(crate) enum Other<'a> {
    /// One that was read.
    Seen(&'a Claim),
    /// One that was not, and may exist.
    Unseen(ClaimId),
}

impl<'a> Promises<'a> {
    /// Reads the entries. One whose text is no address or whose claim is gone promises nothing.
    ///
    /// Where claims of both kinds have the entry's name and no marked entry exists, the entry was written for one of them
    /// before the other came. It is read as a promise to the one that `shows` the address (in its status or an address
    /// object), else to the older; the other is a doubt, since an object may come from a writer that slept. `claims` are in
    /// the order in which they are served.
    pub(crate) fn read(
        indexes: &'a BTreeMap<String, String>,
        claims: &[&'a Claim],
        shows: impl Fn(&Claim, IpAddr) -> bool,
    ) -> Self {
        if indexes.is_empty() {
            return Self::default();
        }
        let ages: BTreeMap<&ClaimId, usize> = claims.iter().enumerate().map(|(age, claim)| (&claim.id, age)).collect();
        let mut promises = Self::default();
        for (key, text) in indexes {
            let Ok(address) = parse_address(text) else {
                continue;
            };
            let mut seen = Vec::new();
            let mut others = Vec::new();
            for id in meanings(key, indexes) {
                match ages.get(&id) {
                    Some(&age) => seen.push((!shows(claims[age], address), age)),
                    None => others.push(Other::Unseen(id)),
                }
            }
            seen.sort_unstable();
            let mut seen = seen.into_iter().map(|(_, age)| claims[age]);
            let winner = seen.next().map(|claim| &claim.id);
            if let Some(winner) = winner {
                promises.to.insert(winner, address);
            }
            others.extend(seen.map(Other::Seen));
            let doubt = |other| Doubt {
                key,
                address,
                winner,
                other,
            };
            promises.doubts.extend(others.into_iter().map(doubt));
        }
        promises
    }
}

/// The claim that a key of `status.indexes` is written for; a plain one can mean an IPAddressClaim too.
#[must_use]
pub fn indexed_claim(key: &str) -> (ClaimKind, &str) {
    match key.strip_prefix(CLUSTER_API_MARK) {
        Some(name) => (ClaimKind::IPAddressClaim, name),
        None => (ClaimKind::IPClaim, key),
    }
}

/// The claims that a key can mean. A plain key beside a marked one of the same name is an IPClaim's.
fn meanings(key: &str, indexes: &BTreeMap<String, String>) -> Vec<ClaimId> {
    match key.strip_prefix(CLUSTER_API_MARK) {
        Some(name) => vec![ClaimId::new(ClaimKind::IPAddressClaim, name)],
        None if indexes.contains_key(&format!("{CLUSTER_API_MARK}{key}")) => {
            vec![ClaimId::new(ClaimKind::IPClaim, key)]
        }
        None => [ClaimKind::IPClaim, ClaimKind::IPAddressClaim]
            .map(|kind| ClaimId::new(kind, key))
            .into(),
    }
}

/// The map that records who has which address, keyed by claim name. An IPAddressClaim is marked where an IPClaim of its name
/// is in the map or among `living`, so that no entry written here can be read in two ways. Of several addresses of one claim
/// the first given counts. The texts are canonical.
pub(crate) fn record<'a>(
    holders: impl Iterator<Item = (&'a ClaimId, IpAddr)> + Clone,
    living: impl Iterator<Item = &'a ClaimId>,
) -> BTreeMap<String, String> {
    let of_both_kinds = holders.clone().any(|(id, _)| id.kind == ClaimKind::IPAddressClaim);
    let claims = holders
        .clone()
        .map(|(id, _)| id)
        .chain(living)
        .filter(|_| of_both_kinds);
    let claimed: HashSet<&str> = claims
        .filter(|id| id.kind == ClaimKind::IPClaim)
        .map(|id| id.name.as_str())
        .collect();
    let entry = |(id, address): (&ClaimId, IpAddr)| {
        let marked = id.kind == ClaimKind::IPAddressClaim && claimed.contains(id.name.as_str());
        let key = if marked {
            format!("{CLUSTER_API_MARK}{}", id.name)
        } else {
            id.name.clone()
        };
        (key, address.to_string())
    };
    let mut entries: Vec<(String, String)> = holders.map(entry).collect();
    // A map is built fastest from entries in order.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.dedup_by(|(later, _), (first, _)| later == first);
    entries.into_iter().collect()
}
