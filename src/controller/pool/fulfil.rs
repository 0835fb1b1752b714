//! Takes a grant that is binding, gives the claim its finalizer, its address object and its status, in this order; ends at
//! the first write that is refused.

use std::collections::HashMap;

use futures::future::join_all;
use serde_json::{Value, json};

use super::super::call::{Key, Trouble};
use super::super::event::{Subject, Tone};
use super::super::world::World;
use super::commit::refresh;
use super::decision::{Decision, Seen};
use super::status::{self, Word, claim_key, kind_of_address, kind_of_claim};
use crate::api::{capi, metal3};
use crate::ipam::{AddressObject, ClaimId, ClaimKind, Granted, cluster_api_address, metal3_address, parse_address};

/// metal3's words for an address object that the API server does not take.
const NOT_CREATED: &str = "Failed to create associated IPAddress object";

/// So many claims come one by one; more come as a batch, which the pool's write does not hold up.
const ONE_BY_ONE: usize = 4;

/// Carries the grant out.
///
/// # Errors
/// Those of the API server; `Conflict` where the claim is not the one that was read, `Exists` where the object's name belongs
/// to somebody else.
pub(super) async fn fulfil(world: &World, key: &Key, decision: &Decision, granted: &Granted) -> Result<(), Trouble> {
    let claim = guard(world, key, decision, granted).await?;
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

/// Puts the finalizer on the claim, unless it is there. Gives the claim whole, in the version that is then stored.
async fn guard(world: &World, key: &Key, decision: &Decision, granted: &Granted) -> Result<Value, Trouble> {
    if let Some(claim) = decision.guarded.get(&granted.claim) {
        return Ok(claim.clone());
    }
    let seen = decision.claims.get(&granted.claim).ok_or(Trouble::Missing)?;
    ensure_finalizer(world, &claim_key(key, &granted.claim), seen).await
}

/// Puts the finalizer on claims that come one by one while their promises are being written: what a single claim waits for.
/// Like metal3's manager, which guards a claim before it promises. A claim that is not guarded here meets [`guard`] again.
pub(super) async fn guard_early(world: &World, key: &Key, decision: &Decision) -> HashMap<ClaimId, Value> {
    let granted = &decision.outcome.granted;
    if granted.len() > ONE_BY_ONE {
        return HashMap::new();
    }
    let unguarded = granted.iter().filter_map(|granted| {
        let seen = decision.claims.get(&granted.claim)?;
        (!seen.is_guarded()).then_some((&granted.claim, seen))
    });
    let guards = unguarded.map(|(id, seen)| async move {
        let claim = ensure_finalizer(world, &claim_key(key, id), seen).await.ok()?;
        Some((id.clone(), claim))
    });
    join_all(guards).await.into_iter().flatten().collect()
}

/// As [`guard`], for any claim that was read.
pub(super) async fn ensure_finalizer(world: &World, place: &Key, seen: &Seen) -> Result<Value, Trouble> {
    let claim_kind = seen.claim.id.kind;
    let kind = kind_of_claim(claim_kind);
    let finalizer = claim_kind.finalizer();
    let object = if seen.is_guarded() {
        read_as_seen(world, place, seen).await?
    } else {
        let mut finalizers = Vec::clone(&seen.claim.finalizers);
        finalizers.push(finalizer.into());
        let patch = json!({"metadata": {"resourceVersion": seen.version.0, "finalizers": finalizers}});
        match world.caller.patch(kind, place, &patch).await {
            Ok(object) => object,
            Err(trouble) => return Err(settled(world, claim_kind, place, trouble).await),
        }
    };
    world.keep(kind, object.clone());
    Ok(object)
}

/// The claim whole, if it is still as it was read.
pub(super) async fn read_as_seen(world: &World, place: &Key, seen: &Seen) -> Result<Value, Trouble> {
    let kind = kind_of_claim(seen.claim.id.kind);
    let object = world.caller.get(kind, place).await?;
    if object.pointer("/metadata/resourceVersion").and_then(Value::as_str) != Some(&seen.version.0) {
        world.keep(kind, object);
        return Err(Trouble::Conflict);
    }
    Ok(object)
}

/// After a conflict the claim is read again, so that the next decision does not meet the same one.
async fn settled(world: &World, kind: ClaimKind, place: &Key, trouble: Trouble) -> Trouble {
    if trouble == Trouble::Conflict
        && let Err(worse) = refresh(world, kind_of_claim(kind), place).await
    {
        return worse;
    }
    trouble
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
