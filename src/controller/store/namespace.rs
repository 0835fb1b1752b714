//! Holds the objects of one namespace, takes claims and address objects in, and answers whom a change concerns; never calls
//! anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::super::call::Key;
use super::super::kinds::{INFRASTRUCTURE_GROUP, Kind};
use super::super::machine::CLONED_FROM;
use super::super::machine::waiting::WAITING_FOR;
use super::super::table::{Identified, Table, Version};
use super::shared::Shared;
use super::user::User;
use super::{CLUSTER_NAME, Cluster, Wake};
use crate::api::capi::PoolReference;
use crate::api::metal3::IPPool;
use crate::api::{ObjectMeta, OwnerReference};
use crate::ipam::{AddressObject, Claim, ClaimId, ClaimKind, ObjectId};

/// What is kept of a claim beside what the allocator reads.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct ClaimNote {
    /// The Cluster that it names.
    pub(in super::super) cluster: Option<String>,
    /// The machine or VSphereCluster that owns it in a version that newer CAPV does not serve.
    pub(in super::super) old_owner: Option<Box<Wake>>,
    /// Whom it was made for, while it is being deleted.
    pub(in super::super) user: Option<Box<User>>,
}

/// What is kept of an address object beside what the allocator reads.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct ObjectNote {
    pub(in super::super) uid: String,
    pub(in super::super) deleting: bool,
    pub(in super::super) finalizers: Arc<Vec<String>>,
}

impl Identified for Claim {
    type Id = ClaimId;
    fn id(&self) -> &ClaimId {
        &self.id
    }
}

impl Identified for AddressObject {
    type Id = ObjectId;
    fn id(&self) -> &ObjectId {
        &self.id
    }
}

/// An object that is kept whole, as it was sent.
#[derive(Clone, Debug)]
pub(in super::super) struct Whole {
    pub(in super::super) version: Version,
    pub(in super::super) value: Value,
}

/// The objects of one namespace.
#[derive(Debug, Default)]
pub(in super::super) struct Namespace {
    pub(in super::super) claims: Table<Claim, ClaimNote>,
    pub(in super::super) objects: Table<AddressObject, ObjectNote>,
    pub(in super::super) pools: BTreeMap<String, IPPool>,
    pub(in super::super) clusters: BTreeMap<String, (Version, Cluster)>,
    /// VSphereMachines, templates and VSphereClusters.
    pub(in super::super) whole: BTreeMap<(Kind, String), Whole>,
    pool_references: Shared<PoolReference>,
    finalizers: Shared<Vec<String>>,
}

impl Namespace {
    pub(super) fn put_claim(
        &mut self,
        namespace: &str,
        mut claim: Claim,
        version: Version,
        cluster: Option<String>,
        metadata: &ObjectMeta,
        wakes: &mut BTreeSet<Wake>,
    ) {
        let wake = |claim: &Claim| Wake::Pool(Key::new(namespace, claim.pool.name.clone()));
        claim.pool = self.pool_references.one(claim.pool);
        claim.finalizers = self.finalizers.one(claim.finalizers);
        let new = claim.clone();
        let old_owner = metadata
            .owner_references
            .iter()
            .find_map(|owner| old_owner(namespace, owner));
        wakes.extend(old_owner.clone());
        let old_owner = old_owner.map(Box::new);
        let note = ClaimNote {
            cluster,
            old_owner,
            user: User::of(metadata).map(Box::new),
        };
        let Some(old) = self.claims.put(claim, version, note) else {
            return;
        };
        let unchanged = old.as_ref().is_some_and(|old| {
            let mut old = old.clone();
            old.paused = new.paused;
            old == new
        });
        if unchanged {
            return;
        }
        wakes.extend(old.as_ref().map(wake));
        wakes.insert(wake(&new));
        let key = Key::new(namespace, metadata.name.clone());
        wakes.extend(self.claimant(&key, new.id.kind));
    }

    pub(super) fn put_object(
        &mut self,
        namespace: &str,
        mut object: AddressObject,
        version: Version,
        metadata: &ObjectMeta,
        wakes: &mut BTreeSet<Wake>,
    ) {
        let wake = |object: &AddressObject| Wake::Pool(Key::new(namespace, object.pool.name.clone()));
        object.pool = self.pool_references.one(object.pool);
        let new = object.clone();
        let note = ObjectNote {
            uid: metadata.uid.clone().unwrap_or_default(),
            deleting: metadata.deletion_timestamp.is_some(),
            finalizers: self.finalizers.one(metadata.finalizers.clone().into()),
        };
        if let Some(old) = self.objects.put(object, version, note)
            && old.as_ref() != Some(&new)
        {
            wakes.extend(old.as_ref().map(wake));
            wakes.insert(wake(&new));
        }
    }

    /// The VSphereMachine or VSphereCluster that a claim of this name was made for.
    pub(super) fn claimant(&self, claim: &Key, kind: ClaimKind) -> Option<Wake> {
        if kind != ClaimKind::IPClaim {
            return None;
        }
        if self.whole.contains_key(&(Kind::VSphereCluster, claim.name.clone())) {
            return Some(Wake::Endpoint(claim.clone()));
        }
        let (machine, _) = claim.name.rsplit_once('-')?;
        self.whole
            .contains_key(&(Kind::Machine, machine.into()))
            .then(|| Wake::Machine(Key::new(claim.namespace.clone(), machine)))
    }

    /// Everything in the namespace that a Cluster's state can hold up.
    pub(super) fn members_of_cluster(&self, cluster: &Key) -> BTreeSet<Wake> {
        let key = |name: &str| Key::new(cluster.namespace.clone(), name);
        let pools = self.pools.iter();
        let mut wakes: BTreeSet<Wake> = pools
            .filter(|(_, pool)| pool.spec.cluster_name.as_ref() == Some(&cluster.name))
            .map(|(name, _)| Wake::Pool(key(name)))
            .collect();
        for claim in self.claims.values() {
            let note = self.claims.get(&claim.id).map(|(_, _, note)| note);
            if note.and_then(|note| note.cluster.as_ref()) == Some(&cluster.name) {
                wakes.insert(Wake::Pool(key(&claim.pool.name)));
            }
        }
        for ((kind, name), whole) in &self.whole {
            let label = whole
                .value
                .pointer("/metadata/labels")
                .and_then(|labels| labels.get(CLUSTER_NAME));
            match kind {
                Kind::Machine if label.and_then(Value::as_str) == Some(&cluster.name) => {
                    wakes.insert(Wake::Machine(key(name)));
                }
                Kind::VSphereCluster => {
                    wakes.insert(Wake::Endpoint(key(name)));
                }
                _ => {}
            }
        }
        wakes
    }

    /// Everything in the namespace that may have waited for a pool.
    pub(super) fn waiting(&self, namespace: &str) -> BTreeSet<Wake> {
        let waits = |whole: &Whole| whole.value.pointer("/metadata/annotations").is_some_and(waits);
        let waiting = self.whole.iter().filter(|(_, whole)| waits(whole));
        waiting
            .filter_map(|((kind, name), _)| wake_of(*kind, Key::new(namespace, name.clone())))
            .collect()
    }

    /// The pools of claims that are being deleted and may go when this object does.
    fn held_for(&self, kind: Kind, key: &Key) -> BTreeSet<Wake> {
        let claims = self.claims.iter().filter(|(_, note)| {
            let user = note.user.as_deref();
            user.is_some_and(|user| user.kind == kind && user.name == key.name)
        });
        claims
            .map(|(claim, _)| Wake::Pool(Key::new(key.namespace.clone(), claim.pool.name.clone())))
            .collect()
    }

    /// Deleted claims whose address the machine still has.
    pub(in super::super) fn kept_for(&self, machine: &Key) -> Vec<String> {
        let Some(whole) = self.whole.get(&(Kind::Machine, machine.name.clone())) else {
            return Vec::new();
        };
        let kept = self.claims.iter().filter(|(claim, note)| {
            let user = note.user.as_deref();
            user.is_some_and(|user| {
                user.kind == Kind::Machine
                    && user.name == machine.name
                    && user.has_address(&whole.value, &claim.id.name)
            })
        });
        kept.map(|(claim, _)| claim.id.name.clone()).collect()
    }

    /// Whom a change of a VSphereMachine, a template or a VSphereCluster concerns.
    pub(super) fn concerned(&self, kind: Kind, key: &Key) -> BTreeSet<Wake> {
        if kind != Kind::Template {
            let mut wakes = self.held_for(kind, key);
            wakes.extend(wake_of(kind, key.clone()));
            return wakes;
        }
        let machines = self.whole.iter().filter(|((kind, _), machine)| {
            *kind == Kind::Machine
                && machine
                    .value
                    .pointer("/metadata/annotations")
                    .and_then(|annotations| annotations.get(CLONED_FROM))
                    .and_then(Value::as_str)
                    == Some(&key.name)
        });
        machines
            .map(|((_, name), _)| Wake::Machine(Key::new(key.namespace.clone(), name.clone())))
            .collect()
    }
}

/// The owner of a claim that the static-address adapter made: it knows no version but these.
fn old_owner(namespace: &str, owner: &OwnerReference) -> Option<Wake> {
    let version = owner.api_version.split_once('/').map(|(_, version)| version);
    if owner.group() != INFRASTRUCTURE_GROUP || !version.is_some_and(|v| v.starts_with("v1alpha")) {
        return None;
    }
    let key = Key::new(namespace, owner.name.clone());
    match owner.kind.as_str() {
        "VSphereMachine" => Some(Wake::Machine(key)),
        "VSphereCluster" => Some(Wake::Endpoint(key)),
        _ => None,
    }
}

pub(super) fn claim_kind(kind: Kind) -> ClaimKind {
    match kind {
        Kind::ClusterApiClaim | Kind::ClusterApiAddress => ClaimKind::IPAddressClaim,
        _ => ClaimKind::IPClaim,
    }
}

fn wake_of(kind: Kind, key: Key) -> Option<Wake> {
    match kind {
        Kind::Machine => Some(Wake::Machine(key)),
        Kind::VSphereCluster => Some(Wake::Endpoint(key)),
        _ => None,
    }
}

fn waits(annotations: &Value) -> bool {
    annotations.get(WAITING_FOR).is_some()
}

/// Drops what nobody here reads and what makes most of an object's size.
pub(super) fn slim(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    if let Some(object) = object.as_object_mut() {
        object.shift_remove("status");
    }
}
