//! Takes a grant that is binding, gives the claim its finalizer (unless it came early), its address object and its status, in
//! this order; ends at the first write that is refused.

use serde_json::Value;

use super::super::call::{Key, Trouble};
use super::super::event::{Subject, Tone};
use super::super::world::World;
use super::decision::Decision;
use super::guard::{Early, ensure_finalizer, settled};
use super::status::{self, Word, claim_key, kind_of_address, kind_of_claim};
use crate::api::{capi, metal3};
use crate::ipam::{AddressObject, ClaimKind, Granted, cluster_api_address, metal3_address, parse_address};

/// metal3's words for an address object that the API server does not take.
const NOT_CREATED: &str = "Failed to create associated IPAddress object";

/// Carries the grant out.
///
/// # Errors
/// Those of the API server; `Conflict` where the claim is not the one that was read, `Exists` where the object's name belongs
/// to somebody else.
pub(super) async fn fulfil(
    world: &World,
    key: &Key,
    decision: &Decision,
    early: &Early,
    granted: &Granted,
) -> Result<(), Trouble> {
    let claim = match early.get(&granted.claim) {
        Some(guarded) => guarded.clone()?,
        None => {
            let seen = decision.claims.get(&granted.claim).ok_or(Trouble::Missing)?;
            ensure_finalizer(world, &claim_key(key, &granted.claim), seen).await?
        }
    };
    let kind = granted.claim.kind;
    if granted.create {
        match create(world, key, decision, granted, &claim).await {
            Ok(()) => {}
            Err(trouble @ (Trouble::Refused(_) | Trouble::Forbidden(_))) => {
                let subject = Subject::of(kind.name(), &claim);
                let message = format!("the address object {} was not created: {trouble}", granted.grant.object);
                world.events.say(&subject, Tone::Warning, "AddressNotCreated", message);
                let seen = decision.claims.get(&granted.claim);
                if seen.is_none_or(|seen| seen.claim.failure.as_deref() != Some(NOT_CREATED)) {
                    let word = Word::Failed(capi::ALLOCATION_FAILED, NOT_CREATED);
                    say(world, key, granted, &claim, word).await?;
                }
                return Err(trouble);
            }
            Err(trouble) => return Err(trouble),
        }
    }
    say(world, key, granted, &claim, Word::Bound(&granted.grant.object)).await?;
    tracing::info!(pool = %key, claim = %granted.claim, address = %granted.grant.address, source = ?granted.source, "bound");
    Ok(())
}

async fn say(world: &World, key: &Key, granted: &Granted, claim: &Value, word: Word<'_>) -> Result<(), Trouble> {
    let kind = granted.claim.kind;
    let place = claim_key(key, &granted.claim);
    let object = status::written(kind, claim, word);
    match world.caller.put_status(kind_of_claim(kind), &place, &object).await {
        Ok(object) => world.keep(kind_of_claim(kind), object),
        Err(trouble) => return Err(settled(world, kind, &place, trouble).await),
    }
    Ok(())
}

async fn create(
    world: &World,
    key: &Key,
    decision: &Decision,
    granted: &Granted,
    claim: &Value,
) -> Result<(), Trouble> {
    let claim_kind = granted.claim.kind;
    let unreadable = |error: serde_json::Error| Trouble::Refused(error.to_string());
    let object = match claim_kind {
        ClaimKind::IPClaim => {
            let claim: metal3::IPClaim = serde_json::from_value(claim.clone()).map_err(unreadable)?;
            serde_json::to_value(metal3_address(&decision.pool, &claim, &granted.grant))
        }
        ClaimKind::IPAddressClaim => {
            let claim: capi::IPAddressClaim = serde_json::from_value(claim.clone()).map_err(unreadable)?;
            serde_json::to_value(cluster_api_address(&decision.pool, &claim, &granted.grant))
        }
    };
    let object = object.map_err(unreadable)?;
    let kind = kind_of_address(claim_kind);
    match world.caller.create(kind, &key.namespace, &object).await {
        Ok(stored) => world.keep(kind, stored),
        Err(Trouble::Exists) => {
            let there = world
                .caller
                .get(kind, &Key::new(key.namespace.clone(), granted.grant.object.clone()))
                .await?;
            let ours = is_same(claim_kind, &object, &there);
            world.keep(kind, there);
            if !ours {
                return Err(Trouble::Exists);
            }
        }
        Err(trouble) => return Err(trouble),
    }
    Ok(())
}

/// Whether the object that has the name is the very one that was to be created: same pool, claim, owner and address.
fn is_same(kind: ClaimKind, wanted: &Value, there: &Value) -> bool {
    let read = |object: &Value| -> Option<AddressObject> {
        match kind {
            ClaimKind::IPClaim => Some((&serde_json::from_value::<metal3::IPAddress>(object.clone()).ok()?).into()),
            ClaimKind::IPAddressClaim => {
                Some((&serde_json::from_value::<capi::IPAddress>(object.clone()).ok()?).into())
            }
        }
    };
    let (Some(wanted), Some(there)) = (read(wanted), read(there)) else {
        return false;
    };
    wanted.pool == there.pool
        && wanted.claim == there.claim
        && wanted.owner == there.owner
        && parse_address(&wanted.address).ok() == parse_address(&there.address).ok()
}
