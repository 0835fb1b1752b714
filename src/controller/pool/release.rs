//! Takes a deleted claim that nobody else holds, deletes its address objects, then lets the claim go; never frees the address
//! itself: that is the next decision's.

use serde_json::json;

use super::super::call::{Key, Trouble};
use super::super::event::{Subject, Tone};
use super::super::world::World;
use super::decision::{Decision, SeenObject};
use super::guard::read_as_seen;
use super::status::{self, Word, claim_key, kind_of_address, kind_of_claim, object_key};
use crate::api::{capi, in_cluster, metal3};
use crate::ipam::{ClaimKind, Released};

/// Releases the claim.
///
/// # Errors
/// Those of the API server; `Conflict` where the claim or an object is not the one that was read.
pub(super) async fn release(world: &World, key: &Key, decision: &Decision, released: &Released) -> Result<(), Trouble> {
    for id in &released.objects {
        if let Some(seen) = decision.objects.get(id) {
            delete_object(world, &object_key(key, id), seen).await?;
        }
    }
    let seen = decision.claims.get(&released.claim).ok_or(Trouble::Missing)?;
    let claim_kind = released.claim.kind;
    let (kind, place) = (kind_of_claim(claim_kind), claim_key(key, &released.claim));
    let removes_stray = released.stray_finalizer && world.options.remove_stray_finalizers;
    let stays = |finalizer: &&String| {
        *finalizer != claim_kind.finalizer() && !(removes_stray && *finalizer == in_cluster::CLAIM_FINALIZER)
    };
    let rest: Vec<&String> = seen.claim.finalizers.iter().filter(stays).collect();
    let mut version = seen.version.0.clone();
    if !rest.is_empty() && seen.claim.address.is_some() {
        let claim = read_as_seen(world, &place, seen).await?;
        let object = status::written(claim_kind, &claim, Word::LetGo);
        let stored = world.caller.put_status(kind, &place, &object).await?;
        let new = stored
            .pointer("/metadata/resourceVersion")
            .and_then(|version| version.as_str());
        new.unwrap_or_default().clone_into(&mut version);
        world.keep(kind, stored);
    }
    if rest.len() < seen.claim.finalizers.len() {
        let patch = json!({"metadata": {"resourceVersion": version, "finalizers": rest}});
        match world.caller.patch(kind, &place, &patch).await {
            Ok(stored) => {
                if released.stray_finalizer && !removes_stray {
                    name_the_culprit(world, &Subject::of(claim_kind.name(), &stored), &place);
                }
                if rest.is_empty() {
                    world.gone(kind, &place);
                } else {
                    world.keep(kind, stored);
                }
            }
            Err(Trouble::Missing) => world.gone(kind, &place),
            Err(trouble) => return Err(trouble),
        }
    }
    tracing::info!(pool = %key, claim = %released.claim, address = ?released.address, "released");
    Ok(())
}

/// Says which finalizer of another provider keeps the claim, and how to take it off.
fn name_the_culprit(world: &World, subject: &Subject, claim: &Key) {
    let message = format!(
        "released, but the in-cluster IPAM provider's finalizer {} keeps the claim; take it off: kubectl -n {} patch \
         ipaddressclaims.{} {} --type=merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'",
        in_cluster::CLAIM_FINALIZER,
        claim.namespace,
        capi::GROUP,
        claim.name
    );
    world.events.say(subject, Tone::Warning, "StrayFinalizer", message);
}

/// Takes our finalizer off an address object and deletes it, if it is still the one that was read.
pub(super) async fn delete_object(world: &World, place: &Key, seen: &SeenObject) -> Result<(), Trouble> {
    let kind = kind_of_address(seen.object.id.kind);
    let own = match seen.object.id.kind {
        ClaimKind::IPClaim => metal3::ADDRESS_FINALIZER,
        ClaimKind::IPAddressClaim => capi::ADDRESS_FINALIZER,
    };
    let rest: Vec<&String> = seen
        .note
        .finalizers
        .iter()
        .filter(|finalizer| *finalizer != own)
        .collect();
    if rest.len() < seen.note.finalizers.len() {
        let patch = json!({"metadata": {
            "resourceVersion": seen.version.0,
            "uid": seen.note.uid,
            "finalizers": rest,
        }});
        match world.caller.patch(kind, place, &patch).await {
            Ok(stored) => world.keep(kind, stored),
            Err(Trouble::Missing) => {}
            Err(trouble) => return Err(read_again(world, place, seen, trouble).await),
        }
    }
    if !seen.note.deleting {
        match world.caller.delete(kind, place, &seen.note.uid).await {
            Ok(()) | Err(Trouble::Missing) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    if rest.is_empty() {
        world.gone(kind, place);
    }
    Ok(())
}

async fn read_again(world: &World, place: &Key, seen: &SeenObject, trouble: Trouble) -> Trouble {
    let kind = kind_of_address(seen.object.id.kind);
    if trouble == Trouble::Conflict {
        match world.caller.get(kind, place).await {
            Ok(object) => world.keep(kind, object),
            Err(Trouble::Missing) => {}
            Err(worse) => return worse,
        }
    }
    trouble
}
