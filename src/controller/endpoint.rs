//! The endpoint role: takes a VSphereCluster without an endpoint host whose own label asks for one, claims an address and
//! writes it as the host; never touches a host that is set.

use serde_json::{Value, json};

use super::call::{Key, Trouble};
use super::kinds::Kind;
use super::machine::choice::{Asker, choose, is_labelled};
use super::machine::claim::{Owner, Progress, claim};
use super::machine::waiting::{WAITING_FOR, Waiting, conclude};
use super::machine::{has_owner, owner, stored, texts};
use super::queue::Pass;
use super::store::{CLUSTER_NAME, PAUSED, Wake};
use super::world::World;

/// The port of an endpoint that names none.
const PORT: u16 = 6443;

/// One pass over a VSphereCluster.
///
/// # Errors
/// Those of the API server.
pub(super) async fn pass(world: &World, key: &Key) -> Result<Pass, Trouble> {
    if !world.vitals.unsynced().is_empty() {
        return Ok(Pass::DONE);
    }
    owner::renew_of(world, &Wake::Endpoint(key.clone()), Kind::VSphereCluster, key).await?;
    let Some(object) = stored(&world.store(), Kind::VSphereCluster, key) else {
        return Ok(Pass::DONE);
    };
    let labels = texts(&object, "/metadata/labels");
    let host = object
        .pointer("/spec/controlPlaneEndpoint/host")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let deleting = object.pointer("/metadata/deletionTimestamp").is_some();
    if deleting || !host.is_empty() || !is_labelled(&labels) {
        return conclude(world, Kind::VSphereCluster, key, &object, None).await;
    }
    // Without its Cluster the object may be anybody's; the change of its owner brings the next pass.
    let Some(cluster) = labels.get(CLUSTER_NAME).filter(|_| has_owner(&object, "Cluster")) else {
        return Ok(Pass::DONE);
    };
    let paused = {
        let store = world.store();
        let cluster = store.namespace(&key.namespace).clusters.get(cluster);
        cluster.map(|(_, cluster)| cluster.paused || texts(&object, "/metadata/annotations").contains_key(PAUSED))
    };
    match paused {
        None => return Ok(Pass::DONE),
        Some(true) => {
            let waiting = Waiting::new("Paused", "the Cluster or the VSphereCluster is paused; unpause it");
            return conclude(world, Kind::VSphereCluster, key, &object, Some(&waiting)).await;
        }
        Some(false) => {}
    }
    let owner = Owner {
        kind: Kind::VSphereCluster,
        object: &object,
        cluster,
    };
    let asker = Asker {
        namespace: &key.namespace,
        cluster,
        labelled: &format!("the VSphereCluster {}", key.name),
        labels: &labels,
        network: "",
    };
    let held = match claim(world, key, &owner, |store| choose(store, &asker)).await? {
        Progress::Held(held) => held,
        Progress::Pending => return Ok(Pass::DONE),
        Progress::Waiting(waiting) => {
            return conclude(world, Kind::VSphereCluster, key, &object, Some(&waiting)).await;
        }
    };
    let port = object
        .pointer("/spec/controlPlaneEndpoint/port")
        .and_then(Value::as_u64)
        .filter(|port| *port > 0);
    let patch = json!({
        "metadata": {
            "resourceVersion": object.pointer("/metadata/resourceVersion"),
            "annotations": {WAITING_FOR: null},
        },
        "spec": {"controlPlaneEndpoint": {"host": held.address.to_string(), "port": port.unwrap_or(PORT.into())}},
    });
    match world.caller.patch(Kind::VSphereCluster, key, &patch).await {
        Ok(stored) => {
            tracing::info!(cluster = %key, host = %held.address, "the endpoint has its host");
            world.keep(Kind::VSphereCluster, stored);
        }
        Err(Trouble::Conflict) => {
            let fresh = world.caller.get(Kind::VSphereCluster, key).await?;
            world.keep(Kind::VSphereCluster, fresh);
            return Ok(Pass::Again);
        }
        Err(Trouble::Missing) => {}
        Err(trouble) if trouble.is_refusal() => {
            let waiting = Waiting::not_taken("AddressRefused", "the endpoint", &trouble);
            return conclude(world, Kind::VSphereCluster, key, &object, Some(&waiting)).await;
        }
        Err(trouble) => return Err(trouble),
    }
    Ok(Pass::DONE)
}
