//! Takes a pool at the ends of its life: one that is not in the store, one with nothing left to do; never takes an address.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::call::{Key, Trouble};
use super::super::clock;
use super::super::event::{Subject, Tone};
use super::super::kinds::Kind;
use super::super::queue::Pass;
use super::super::store::Wake;
use super::super::world::World;
use super::decision::{Decision, SeenObject};
use super::release::delete_object;
use super::status::{claim_key, kind_of_claim, object_key};
use crate::api::metal3::{self, IPPool};
use crate::ipam::{Claim, ippool_reference};

/// How long a claim waits for its pool before it is told that there is none.
const PATIENCE: SignedDuration = SignedDuration::from_secs(3);
/// When such a claim is looked at again.
const LOOK: Duration = Duration::from_secs(4);
/// How many claims of one pool are told.
const MOST_TOLD: usize = 20;

/// The pool as the store has it. One that the store does not have is looked for, since a store may lag.
///
/// # Errors
/// Those of the API server.
pub(super) async fn pool(world: &World, key: &Key) -> Result<Option<IPPool>, Trouble> {
    if let Some(pool) = world.store().pool(key) {
        return Ok(Some(pool.without_status()));
    }
    // A claim may name no pool at all, which no call can be made for.
    if key.name.is_empty() {
        return Ok(None);
    }
    match world.caller.get(Kind::Pool, key).await {
        Ok(object) => {
            world.keep(Kind::Pool, object);
            Ok(world.store().pool(key).cloned())
        }
        Err(Trouble::Missing) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Ends a pass that has nothing to do: a deleted pool that nothing uses goes.
///
/// # Errors
/// Those of the API server.
pub(super) async fn finish(world: &World, key: &Key, decision: &Decision) -> Result<(), Trouble> {
    let metadata = &decision.pool.metadata;
    let guarded = metadata
        .finalizers
        .iter()
        .any(|finalizer| finalizer == metal3::POOL_FINALIZER);
    if metadata.deletion_timestamp.is_none() || !guarded || decision.outcome.in_use > 0 || world.pools.is_busy(key) {
        return Ok(());
    }
    let rest: Vec<&String> = metadata
        .finalizers
        .iter()
        .filter(|f| *f != metal3::POOL_FINALIZER)
        .collect();
    let patch = json!({"metadata": {"resourceVersion": metadata.resource_version, "finalizers": rest}});
    match world.caller.patch(Kind::Pool, key, &patch).await {
        Ok(_) | Err(Trouble::Missing) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// What claims have of a pool that does not exist: those that wait are told so, deleted ones go, since nothing else would ever
/// take our finalizer off.
///
/// # Errors
/// Those of the API server.
pub(super) async fn orphaned_claims(world: &Arc<World>, key: &Key) -> Result<Pass, Trouble> {
    world.metrics.pool(key, None);
    world.pools.forget(key);
    let reference = ippool_reference(&key.name);
    let (claims, objects) = {
        let store = world.store();
        let namespace = store.namespace(&key.namespace);
        let own = namespace
            .claims
            .values()
            .iter()
            .filter(|claim| *claim.pool == reference);
        let goes = |claim: &&Claim| claim.deleting && *claim.finalizers == [claim.id.kind.finalizer()];
        let claims: Vec<(Claim, String)> = own
            .filter(goes)
            .filter_map(|claim| Some((claim.clone(), namespace.claims.get(&claim.id)?.1.0.clone())))
            .collect();
        let objects: Vec<SeenObject> = namespace
            .objects
            .values()
            .iter()
            .filter(|object| *object.pool == reference && object.owner.is_some())
            .filter(|object| claims.iter().any(|(claim, _)| claim.uid == object.owner))
            .filter_map(|object| {
                let (object, version, note) = namespace.objects.get(&object.id)?;
                let (object, version, note) = (object.clone(), version.clone(), note.clone());
                Some(SeenObject { object, note, version })
            })
            .collect();
        (claims, objects)
    };
    if say_that_it_is_missing(world, key) == Said::Early {
        // The pool's own rest would hold up the pass that its creation brings.
        let (world, wake) = (Arc::clone(world), Wake::Pool(key.clone()));
        tokio::spawn(async move {
            tokio::time::sleep(LOOK).await;
            world.queue.ask(wake);
        });
    }
    for seen in &objects {
        delete_object(world, &object_key(key, &seen.object.id), seen).await?;
    }
    for (claim, version) in claims {
        let patch = json!({"metadata": {"resourceVersion": version, "finalizers": []}});
        match world
            .caller
            .patch(kind_of_claim(claim.id.kind), &claim_key(key, &claim.id), &patch)
            .await
        {
            Ok(_) | Err(Trouble::Missing) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(Pass::DONE)
}

/// Whether everybody was told.
#[derive(PartialEq)]
enum Said {
    All,
    /// Some claims came just now.
    Early,
}

/// Says it to the first claims that wait for the pool, unless they came just now: a pool is often applied after its claims.
fn say_that_it_is_missing(world: &World, key: &Key) -> Said {
    let reference = ippool_reference(&key.name);
    let waiting: Vec<Claim> = {
        let store = world.store();
        let claims = store.namespace(&key.namespace).claims.values().iter();
        let waits = |claim: &&Claim| *claim.pool == reference && !claim.deleting && claim.address.is_none();
        claims.filter(waits).take(MOST_TOLD).cloned().collect()
    };
    let now = clock::now();
    let mut said = Said::All;
    for claim in waiting {
        let created = claim.created.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        if created.is_some_and(|created| now.duration_since(created) < PATIENCE) {
            said = Said::Early;
            continue;
        }
        let kind = claim.id.kind;
        let subject = Subject {
            api_version: world.caller.api_version(kind_of_claim(kind)).unwrap_or_default(),
            kind: kind.name(),
            key: claim_key(key, &claim.id),
            uid: claim.uid.unwrap_or_default(),
        };
        let message = if key.name.is_empty() {
            "the claim names no IPPool".to_owned()
        } else {
            format!(
                "no IPPool {} is in the namespace {}; the claim is served when there is one",
                key.name, key.namespace
            )
        };
        world.events.say(&subject, Tone::Warning, "PoolNotFound", message);
    }
    said
}
