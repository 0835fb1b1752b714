//! Takes an address object whose claim seems to be gone, looks again at both without the store, and deletes the object only
//! if it is so; never deletes one that was made by hand.

use serde_json::Value;

use super::super::call::{Key, Trouble};
use super::super::world::World;
use super::decision::Decision;
use super::release::delete_object;
use super::status::{kind_of_address, kind_of_claim, object_key};
use crate::ipam::{Claim, ClaimKind, LOST_OWNER, ObjectId};

/// Deletes the object if its claim is gone or shows another one.
///
/// # Errors
/// Those of the API server.
pub(super) async fn collect(world: &World, key: &Key, decision: &Decision, orphan: &ObjectId) -> Result<(), Trouble> {
    let Some(seen) = decision.objects.get(orphan) else {
        return Ok(());
    };
    let Some(owner) = &seen.object.owner else {
        return Ok(());
    };
    let kind = kind_of_claim(orphan.kind);
    let place = Key::new(key.namespace.clone(), seen.object.claim.clone());
    let is_orphan = match world.caller.get(kind, &place).await {
        Err(Trouble::Missing) => true,
        Ok(object) => {
            let shown = shown(orphan.kind, &object);
            let uid = object.pointer("/metadata/uid").and_then(Value::as_str);
            let is_of_another = owner != LOST_OWNER && uid != Some(owner);
            let is_orphan = is_of_another || shown.is_some_and(|shown| shown != orphan.name);
            world.keep(kind, object);
            is_orphan
        }
        Err(trouble) => return Err(trouble),
    };
    if !is_orphan {
        return Ok(());
    }
    // An object that was never put into `indexes` is read once more, so that it goes only in the version seen.
    delete_object(world, &object_key(key, orphan), seen).await?;
    tracing::info!(pool = %key, kind = kind_of_address(orphan.kind).label(), object = orphan.name, "an orphan is collected");
    Ok(())
}

/// The name of the address object that the claim shows.
fn shown(kind: ClaimKind, object: &Value) -> Option<String> {
    let claim: Claim = match kind {
        ClaimKind::IPClaim => (&serde_json::from_value::<crate::api::metal3::IPClaim>(object.clone()).ok()?).into(),
        ClaimKind::IPAddressClaim => {
            (&serde_json::from_value::<crate::api::capi::IPAddressClaim>(object.clone()).ok()?).into()
        }
    };
    claim.address
}
