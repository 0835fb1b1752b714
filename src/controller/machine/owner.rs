//! Takes claims that the static-address adapter made, writes the version of their owner anew: garbage collection cannot
//! resolve an owner in a version that is not served any more, so such claims would stay for ever.

use serde_json::json;

use super::super::call::{Key, Trouble};
use super::super::kinds::Kind;
use super::super::store::Wake;
use super::super::world::World;
use crate::api::metal3;

/// Renews the owner references of the machine's claims. The UIDs stay: if the machine is gone, so is the claim then.
///
/// # Errors
/// Those of the API server.
pub(super) async fn renew(world: &World, machine: &Key) -> Result<(), Trouble> {
    renew_of(world, &Wake::Machine(machine.clone()), Kind::Machine, machine).await
}

/// As [`renew`], for claims of a machine or VSphereCluster.
pub(in super::super) async fn renew_of(world: &World, owner: &Wake, kind: Kind, key: &Key) -> Result<(), Trouble> {
    let Some(served) = world.caller.api_version(kind) else {
        return Ok(());
    };
    let claims: Vec<Key> = {
        let store = world.store();
        let claims = &store.namespace(&key.namespace).claims;
        let old = claims.values().iter().filter(|claim| {
            let note = claims.get(&claim.id).map(|(_, _, note)| note);
            note.is_some_and(|note| note.old_owner.as_deref() == Some(owner))
        });
        old.map(|claim| Key::new(key.namespace.clone(), claim.id.name.clone()))
            .collect()
    };
    for place in claims {
        let object = match world.caller.get(Kind::Claim, &place).await {
            Ok(object) => object,
            Err(Trouble::Missing) => continue,
            Err(trouble) => return Err(trouble),
        };
        let claim: metal3::IPClaim =
            serde_json::from_value(object).map_err(|error| Trouble::Refused(error.to_string()))?;
        let mut owners = claim.metadata.owner_references.clone();
        let (group, name, _) = kind.names();
        let old = owners
            .iter_mut()
            .filter(|owner| owner.group() == group && owner.kind == name && owner.api_version != served);
        let mut changed = false;
        for owner in old {
            owner.api_version.clone_from(&served);
            changed = true;
        }
        if !changed {
            continue;
        }
        let patch =
            json!({"metadata": {"resourceVersion": claim.metadata.resource_version, "ownerReferences": owners}});
        match world.caller.patch(Kind::Claim, &place, &patch).await {
            Ok(stored) => {
                tracing::info!(claim = %place, served, "the owner reference has a served version now");
                world.keep(Kind::Claim, stored);
            }
            Err(Trouble::Missing) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}
