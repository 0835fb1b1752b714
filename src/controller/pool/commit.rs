//! Takes a decision, makes it binding: confirms what it rests on, fences what it takes away, and swaps `status.indexes` on
//! the condition that the pool is as it was read.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::super::call::{Key, Trouble};
use super::super::clock;
use super::super::kinds::Kind;
use super::super::world::World;
use super::decision::Decision;
use super::guard::{Early, guard_early};
use super::status::{claim_key, kind_of_claim};
use crate::api::metal3;
use crate::ipam::{ClaimId, ClaimKind};

/// Written into a claim that loses a promise, so that whoever acts on the old promise meets a conflict.
const FENCE: &str = "capv-ipam.dev/fence";
/// From how many claims on a list is cheaper than single reads.
const MANY: usize = 16;

/// Makes the decision binding. Nothing of it may be carried out before, but for the finalizers of a few new claims, which show
/// no address; gives those.
///
/// # Errors
/// `Conflict` where something is not as it was read: everything is to be read and decided again.
pub(super) async fn commit(world: &World, key: &Key, decision: &mut Decision) -> Result<Early, Trouble> {
    confirm_unseen(world, key, &decision.outcome.unseen).await?;
    for (claim, _) in std::mem::take(&mut decision.outcome.fenced) {
        fence(world, key, decision, &claim).await?;
    }
    if !decision.needs_commit() {
        return Ok(Early::new());
    }
    let (swapped, early) = tokio::join!(swap(world, key, decision), guard_early(world, key, decision));
    swapped.map(|()| early)
}

/// Makes sure that claims which `indexes` may mean, and which the store does not have, do not exist.
async fn confirm_unseen(world: &World, key: &Key, unseen: &[ClaimId]) -> Result<(), Trouble> {
    for kind in [ClaimKind::IPClaim, ClaimKind::IPAddressClaim] {
        let names: Vec<&str> = unseen
            .iter()
            .filter(|id| id.kind == kind)
            .map(|id| id.name.as_str())
            .collect();
        // Claims of a kind that is not served do not exist.
        if names.is_empty() || !world.caller.serves(kind_of_claim(kind)) {
            continue;
        }
        let found = if names.len() > MANY {
            list_one_of(world, key, kind, &names).await?
        } else {
            read_one_of(world, key, kind, &names).await?
        };
        if let Some(object) = found {
            world.keep(kind_of_claim(kind), object);
            return Err(Trouble::Conflict);
        }
    }
    Ok(())
}

async fn read_one_of(world: &World, key: &Key, kind: ClaimKind, names: &[&str]) -> Result<Option<Value>, Trouble> {
    let claims = names.iter().map(|name| Key::new(key.namespace.clone(), *name));
    let reads: Vec<_> = claims.map(|claim| read_if_there(world, kind, claim)).collect();
    let found = stream::iter(reads).buffer_unordered(world.options.parallel);
    let found: Vec<Option<Value>> = found.try_collect().await?;
    Ok(found.into_iter().flatten().next())
}

async fn read_if_there(world: &World, kind: ClaimKind, claim: Key) -> Result<Option<Value>, Trouble> {
    match world.caller.get(kind_of_claim(kind), &claim).await {
        Ok(object) => Ok(Some(object)),
        Err(Trouble::Missing) => Ok(None),
        // Without the right to read them no claim of the kind was ever served from here.
        Err(Trouble::Forbidden(_)) if kind_of_claim(kind).is_optional() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

async fn list_one_of(world: &World, key: &Key, kind: ClaimKind, names: &[&str]) -> Result<Option<Value>, Trouble> {
    let mut token = None;
    loop {
        let page = world
            .caller
            .page(kind_of_claim(kind), Some(&key.namespace), token)
            .await?;
        let items = page
            .get("items")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let is_wanted = |object: &&Value| {
            let name = object.pointer("/metadata/name").and_then(Value::as_str);
            name.is_some_and(|name| names.contains(&name))
        };
        if let Some(object) = items.iter().find(is_wanted) {
            return Ok(Some(object.clone()));
        }
        token = page
            .pointer("/metadata/continue")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned);
        if token.as_deref().is_none_or(str::is_empty) {
            return Ok(None);
        }
    }
}

/// Changes the claim's version, which nothing else that is decided here may overlook.
async fn fence(world: &World, key: &Key, decision: &mut Decision, id: &ClaimId) -> Result<(), Trouble> {
    let seen = decision.claims.get_mut(id).ok_or(Trouble::Conflict)?;
    let patch = json!({"metadata": {
        "resourceVersion": seen.version.0,
        "annotations": {FENCE: seen.version.0},
    }});
    let kind = kind_of_claim(id.kind);
    let claim = claim_key(key, id);
    match world.caller.patch(kind, &claim, &patch).await {
        Ok(object) => {
            let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
            version.unwrap_or_default().clone_into(&mut seen.version.0);
            world.keep(kind, object);
            Ok(())
        }
        Err(Trouble::Conflict | Trouble::Missing) => {
            refresh(world, kind, &claim).await?;
            Err(Trouble::Conflict)
        }
        Err(trouble) => Err(trouble),
    }
}

/// Reads a claim again that is not as it was.
pub(super) async fn refresh(world: &World, kind: Kind, claim: &Key) -> Result<(), Trouble> {
    match world.caller.get(kind, claim).await {
        Ok(object) => world.keep(kind, object),
        Err(Trouble::Missing) => {}
        Err(trouble) => return Err(trouble),
    }
    Ok(())
}

/// The compare-and-swap. The time always changes, and so does the version: a swap that changed nothing else would let a
/// decision pass that somebody made before it.
async fn swap(world: &World, key: &Key, decision: &Decision) -> Result<(), Trouble> {
    let metadata = &decision.pool.metadata;
    let now = clock::now();
    let earlier = decision.last_updated().and_then(|text| text.parse().ok());
    let time = match earlier {
        Some(earlier) if earlier >= now || clock::seconds(earlier) == clock::seconds(now) => earlier + 1.second(),
        _ => now,
    };
    let mut status = json!({
        "apiVersion": metal3::API_VERSION,
        "kind": metal3::POOL_KIND,
        "metadata": {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "status": {"lastUpdated": clock::seconds(time)},
    });
    // Like metal3's manager: without entries there is no field.
    if !decision.outcome.indexes.is_empty() {
        status["status"]["indexes"] = json!(decision.outcome.indexes);
    }
    let stored = world.caller.put_status(Kind::Pool, key, &status).await?;
    world.keep(Kind::Pool, stored);
    Ok(())
}
