//! Takes one claim that holds nothing, gives it an address or metal3's reason why not; never moves another claim.

use std::net::IpAddr;

use super::address::parse_address;
use super::claim::{ClaimId, ClaimKind};
use super::naming::Naming;
use super::occupancy::Occupancy;
use super::pool::{Grant, Pool};
use super::refusal::Refusal;
use super::strategy::Randomness;

/// Prefix lengths that a Cluster API address can carry.
const PREFIXES: std::ops::RangeInclusive<i64> = 0..=128;

/// Chooses the claim's address and notes it in `occupancy`.
///
/// `requested` is the text of the annotation `ipAddress`; empty is no request. The order of the checks and their texts are
/// metal3's (`ippool_manager.go`), with two differences: a preallocated address that somebody holds is refused, and a
/// requested or preallocated one is looked up, never searched for.
///
/// # Errors
/// A [`Refusal`]; then `occupancy` has no new holder.
pub fn allocate(
    pool: &Pool,
    occupancy: &mut Occupancy,
    claim: &ClaimId,
    requested: Option<&str>,
    randomness: &mut dyn Randomness,
) -> Result<Grant, Refusal> {
    let requested = match requested.filter(|text| !text.is_empty() && pool.honours_requests()) {
        None => None,
        Some(text) => {
            let wrong = |_| Refusal::InvalidRequest { text: text.into() };
            Some(parse_address(text).map_err(wrong)?)
        }
    };
    let pre_allocated = pool.pre_allocated(&claim.name);
    if let (Some(requested), Some(pre_allocated)) = (requested, pre_allocated)
        && pre_allocated != Some(requested)
    {
        return Err(Refusal::Conflicting);
    }
    let grant = match (pre_allocated, requested) {
        (Some(wanted), _) => {
            let absent = Refusal::OutOfBounds {
                claim: claim.name.clone(),
            };
            wish(pool, occupancy, claim, wanted, true, absent)?
        }
        (None, Some(wanted)) => {
            let absent = Refusal::Exhausted;
            wish(pool, occupancy, claim, Some(wanted), false, absent)?
        }
        (None, None) => any(pool, occupancy, claim, randomness)?,
    };
    if claim.kind == ClaimKind::IPAddressClaim && !PREFIXES.contains(&grant.prefix) {
        let set_by_entry = |entry: &usize| pool.entries().get(*entry).is_some_and(|entry| entry.prefix != 0);
        let entry = grant.entry.filter(set_by_entry);
        return Err(Refusal::InvalidPrefix { entry });
    }
    occupancy.hold(grant.address, claim.kind);
    Ok(grant)
}

/// Grants exactly one address, found by looking the entries up.
fn wish(
    pool: &Pool,
    occupancy: &mut Occupancy,
    claim: &ClaimId,
    wanted: Option<IpAddr>,
    own_reservation: bool,
    absent: Refusal,
) -> Result<Grant, Refusal> {
    let found = wanted.and_then(|address| Some((address, pool.entry_of(address)?)));
    let Some((address, entry)) = found else {
        return Err(absent);
    };
    let grant = pool.grant(address, Some(entry), &claim.name);
    if occupancy.is_taken(address, own_reservation) || occupancy.collides(pool.naming(), claim, address, &grant.object)
    {
        return Err(Refusal::NotAvailable);
    }
    Ok(grant)
}

/// Grants the address that the strategy chooses, from the first entry that has one.
fn any(
    pool: &Pool,
    occupancy: &mut Occupancy,
    claim: &ClaimId,
    randomness: &mut dyn Randomness,
) -> Result<Grant, Refusal> {
    let first = occupancy.exhausted(claim.kind);
    for (index, entry) in pool.entries().iter().enumerate().skip(first) {
        while let Some(address) = entry.choose(pool.strategy(), occupancy.unusable(claim.kind), randomness) {
            let grant = pool.grant(address, Some(index), &claim.name);
            if !occupancy.collides(pool.naming(), claim, address, &grant.object) {
                return Ok(grant);
            }
            // An object named as the claim is in the way of every address alike.
            if *pool.naming() == Naming::Claim {
                return Err(Refusal::NotAvailable);
            }
        }
        occupancy.exhaust(claim.kind, index);
    }
    Err(Refusal::Exhausted)
}
