//! Takes a claim that is being deleted, says whether the machine or VSphereCluster that it was made for lives and has its address;
//! never looks at claims that stay.

use serde_json::Value;

use super::super::kinds::{INFRASTRUCTURE_GROUP, Kind};
use crate::api::ObjectMeta;

/// Finalizers of the API server itself: an object that has no other is only waiting for what it owns.
const OWN: [&str; 2] = ["foregroundDeletion", "orphan"];

/// Whom a claim was made for, by its owner reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct User {
    /// VSphereMachine or VSphereCluster.
    pub(in super::super) kind: Kind,
    pub(in super::super) name: String,
    uid: String,
}

impl User {
    /// The owner of a claim that is being deleted.
    pub(super) fn of(claim: &ObjectMeta) -> Option<Self> {
        claim.deletion_timestamp.as_ref()?;
        claim.owner_references.iter().find_map(|owner| {
            let kind = match owner.kind.as_str() {
                "VSphereMachine" => Kind::Machine,
                "VSphereCluster" => Kind::VSphereCluster,
                _ => return None,
            };
            (owner.group() == INFRASTRUCTURE_GROUP).then(|| Self {
                kind,
                name: owner.name.clone(),
                uid: owner.uid.clone(),
            })
        })
    }

    /// Whether this object is the owner, lives, and has the address of the claim of this name.
    pub(super) fn has_address(&self, object: &Value, claim: &str) -> bool {
        object.pointer("/metadata/uid").and_then(Value::as_str) == Some(&self.uid)
            && lives(object)
            && match self.kind {
                Kind::Machine => self.nic(object, claim).is_some_and(has_addresses),
                _ => object
                    .pointer("/spec/controlPlaneEndpoint/host")
                    .and_then(Value::as_str)
                    .is_some_and(|host| !host.is_empty()),
            }
    }

    /// The NIC that the claim `<machine>-<index>` was made for.
    fn nic<'v>(&self, machine: &'v Value, claim: &str) -> Option<&'v Value> {
        let index: usize = claim.strip_prefix(&self.name)?.strip_prefix('-')?.parse().ok()?;
        machine.pointer("/spec/network/devices")?.get(index)
    }
}

/// Whether something behind the object may still use what it says: CAPV's finalizer goes when the VM is gone.
fn lives(object: &Value) -> bool {
    if object.pointer("/metadata/deletionTimestamp").is_none() {
        return true;
    }
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    let mut finalizers = finalizers.into_iter().flatten().filter_map(Value::as_str);
    finalizers.any(|finalizer| !OWN.contains(&finalizer))
}

fn has_addresses(nic: &Value) -> bool {
    let addresses = nic.get("ipAddrs").and_then(Value::as_array);
    addresses.is_some_and(|addresses| !addresses.is_empty())
}
