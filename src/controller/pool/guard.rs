//! Takes a claim as it was read, puts the finalizer on it by a write that counts in that version alone; promises nothing.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::super::call::{Key, Trouble};
use super::super::world::World;
use super::commit::refresh;
use super::decision::{Decision, Seen};
use super::status::{claim_key, kind_of_claim};
use crate::ipam::{ClaimId, ClaimKind, Source};

/// Claims whose finalizer was written while their promises were: each whole, or what was in the way.
pub(super) type Early = HashMap<ClaimId, Result<Value, Trouble>>;

/// How many new claims of one decision are guarded early. With more of them the writes only compete with the pool's.
const MOST_EARLY: usize = 4;
/// How long a decision waits for that: a claim whose write hangs holds up no other.
const PATIENCE: Duration = Duration::from_millis(100);

/// Guards new claims that come one by one, as metal3's manager does before it promises; a single claim is served so much
/// sooner. A write that was given up may still arrive: whoever writes the claim next then meets a conflict.
pub(super) async fn guard_early(world: &World, key: &Key, decision: &Decision) -> Early {
    let granted = decision.outcome.granted.iter();
    let new: Vec<&ClaimId> = granted
        .filter(|granted| granted.source == Source::New)
        .map(|granted| &granted.claim)
        .collect();
    if new.len() > MOST_EARLY {
        return Early::new();
    }
    let guards = new.into_iter().filter_map(|id| {
        let seen = decision.claims.get(id).filter(|seen| !seen.is_guarded())?;
        Some(async move {
            let place = claim_key(key, id);
            let guard = ensure_finalizer(world, &place, seen);
            let guarded = tokio::time::timeout(PATIENCE, guard).await.ok()?;
            Some((id.clone(), guarded))
        })
    });
    join_all(guards).await.into_iter().flatten().collect()
}

/// Puts the finalizer on a claim, unless it is there. Gives the claim whole, in the version that is then stored.
///
/// # Errors
/// Those of the API server; `Conflict` where the claim is not the one that was read.
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
///
/// # Errors
/// Those of the API server; `Conflict` where it is not.
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
pub(super) async fn settled(world: &World, kind: ClaimKind, place: &Key, trouble: Trouble) -> Trouble {
    if trouble == Trouble::Conflict
        && let Err(worse) = refresh(world, kind_of_claim(kind), place).await
    {
        return worse;
    }
    trouble
}
