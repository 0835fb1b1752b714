//! Takes what becomes of pools and claims, gives the objects that the controllers would create and those whose status they
//! would write, whole and in the order in which they can be applied; everything else of an object stays as it was given.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::Allocation;
use crate::api::{CLUSTER_LABEL, PROVIDER_LABEL, capi, in_cluster, metal3};
use crate::ipam::{ClaimId, Grant, Refusal, cluster_api_address, in_cluster_address, metal3_address};
use crate::objects::Manifest;
use crate::state::{ClaimObject, Fate, PoolObject, PoolView, Settled, Stored};

/// The pools, then the claims, then the addresses. `now` is the time of the writes, as the API server writes times.
#[must_use]
pub fn documents(allocation: &Allocation, manifest: &Manifest<'_>, now: &str) -> Vec<Value> {
    let writer = Writer {
        allocation,
        given: given(manifest, allocation),
        now,
    };
    let (mut pools, mut claims, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    for (view, settled) in &allocation.pools {
        pools.extend(writer.pool(view, settled));
        for id in &settled.order {
            claims.extend(writer.claim(view, id, &settled.fates[id]));
            addresses.extend(writer.address(view, id, &settled.fates[id]));
        }
    }
    pools.into_iter().chain(claims).chain(addresses).collect()
}

/// The pools and claims of the input as they were given, by their objects. Each document is read once.
fn given(manifest: &Manifest<'_>, allocation: &Allocation) -> HashMap<usize, Value> {
    let pools = allocation.live.pools.values().filter_map(|pool| pool.object);
    let claims = allocation.live.claims().iter().filter_map(|claim| claim.object);
    let mut by_document: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for object in pools.chain(claims) {
        by_document
            .entry(manifest.objects[object].document)
            .or_default()
            .push(object);
    }
    let mut given = HashMap::new();
    for (document, objects) in by_document {
        manifest.with_tree(document, |tree| {
            for object in objects {
                let value = tree.value(manifest.objects[object].node, &manifest.limits());
                // It was read once already.
                given.insert(object, value.unwrap_or_default());
            }
        });
    }
    given
}

struct Writer<'w> {
    allocation: &'w Allocation,
    given: HashMap<usize, Value>,
    now: &'w str,
}

impl Writer<'_> {
    /// The pool, if its status or what guards it changes.
    fn pool(&self, view: &PoolView, settled: &Settled) -> Option<Value> {
        if view.paused.is_some() || !view.gaps.unknown.is_empty() {
            return None;
        }
        let stored = &self.allocation.live.pools[&view.id];
        let before = self.before(stored.object)?;
        let mut after = before.clone();
        match &stored.value {
            PoolObject::IPPool(pool) => {
                if !view.deleting {
                    add_finalizer(&mut after, metal3::POOL_FINALIZER);
                    self.belong(&mut after, view, pool);
                }
                if view.indexes != settled.indexes {
                    set(&mut after, &["status", "indexes"], json!(settled.indexes));
                    set(&mut after, &["status", "lastUpdated"], json!(self.now));
                }
            }
            PoolObject::InCluster(_) => {
                if !view.deleting {
                    add_finalizer(&mut after, in_cluster::POOL_FINALIZER);
                    set(&mut after, &["status", "ipAddresses"], counts(view, settled));
                }
            }
        }
        (after != before).then_some(after)
    }

    /// What ties a pool to its Cluster; the reference only where the input has the Cluster with its UID.
    fn belong(&self, pool: &mut Value, view: &PoolView, object: &metal3::IPPool) {
        let Some(cluster) = object.spec.cluster_name.as_ref().filter(|name| !name.is_empty()) else {
            return;
        };
        set(pool, &["metadata", "labels", CLUSTER_LABEL], json!(cluster));
        set(pool, &["metadata", "labels", PROVIDER_LABEL], json!(metal3::PROVIDER));
        let key = (view.id.namespace.clone(), cluster.clone());
        let Some((state, uid)) = self
            .allocation
            .live
            .clusters
            .get(&key)
            .and_then(|state| Some((state, state.uid.as_ref()?)))
        else {
            return;
        };
        let owners = &object.metadata.owner_references;
        if owners
            .iter()
            .any(|owner| owner.kind == "Cluster" && owner.name == *cluster)
        {
            return;
        }
        let owner = json!({
            "apiVersion": state.api_version, "kind": "Cluster", "name": cluster, "uid": uid, "controller": false,
        });
        push(pool, &["metadata", "ownerReferences"], owner);
    }

    /// The claim, if its status or what guards it changes.
    fn claim(&self, view: &PoolView, id: &ClaimId, fate: &Fate) -> Option<Value> {
        let stored = &self.allocation.live.claims()[*view.sources.get(id)?];
        let (before, new) = match stored.object {
            Some(_) => (self.before(stored.object)?, false),
            None => (written(&stored.value), true),
        };
        let mut after = before.clone();
        match fate {
            Fate::Gets { grant, .. } => self.bind(&mut after, view, stored, grant),
            Fate::Refused(refusal) => self.refuse(&mut after, view, stored, refusal),
            // A released claim goes; only the stray finalizer keeps it, and then without an address.
            Fate::Released {
                stray_finalizer: true, ..
            } => {
                remove_finalizer(&mut after, id.kind.finalizer());
                let shown = if id.kind == crate::ipam::ClaimKind::IPClaim {
                    "address"
                } else {
                    "addressRef"
                };
                if let Some(status) = after.get_mut("status").and_then(Value::as_object_mut) {
                    status.shift_remove(shown);
                }
                // v1beta2 wants a status to hold something.
                if after["status"].as_object().is_some_and(Map::is_empty)
                    && let Some(object) = after.as_object_mut()
                {
                    object.shift_remove("status");
                }
            }
            Fate::Holds(_) | Fate::Released { .. } | Fate::Waits(_) | Fate::Paused(_) | Fate::Undecided => {}
        }
        (new || after != before).then_some(after)
    }

    fn bind(&self, claim: &mut Value, view: &PoolView, stored: &Stored<ClaimObject>, grant: &Grant) {
        let of_metal3 = view.id.kind == metal3::POOL_KIND;
        match &stored.value {
            ClaimObject::IPClaim(_) => {
                add_finalizer(claim, metal3::CLAIM_FINALIZER);
                let mut address = Map::new();
                address.insert("name".into(), json!(grant.object));
                if !view.id.namespace.is_empty() {
                    address.insert("namespace".into(), json!(view.id.namespace));
                }
                set(claim, &["status", "address"], Value::Object(address));
                if let Some(status) = claim.get_mut("status").and_then(Value::as_object_mut) {
                    status.shift_remove("errorMessage");
                }
            }
            ClaimObject::IPAddressClaim(object) => {
                let name = if of_metal3 {
                    &grant.object
                } else {
                    &object.metadata.name
                };
                add_finalizer(
                    claim,
                    if of_metal3 {
                        capi::CLAIM_FINALIZER
                    } else {
                        in_cluster::CLAIM_FINALIZER
                    },
                );
                set(claim, &["status", "addressRef"], json!({ "name": name }));
                if of_metal3 {
                    self.ready(claim, &object.api_version, "True", capi::READY_REASON, "");
                }
            }
        }
    }

    /// The in-cluster provider writes nothing on a claim that it cannot serve.
    fn refuse(&self, claim: &mut Value, view: &PoolView, stored: &Stored<ClaimObject>, refusal: &Refusal) {
        let of_metal3 = view.id.kind == metal3::POOL_KIND;
        match &stored.value {
            ClaimObject::IPClaim(_) => {
                add_finalizer(claim, metal3::CLAIM_FINALIZER);
                set(claim, &["status", "errorMessage"], json!(refusal.to_string()));
            }
            ClaimObject::IPAddressClaim(object) if of_metal3 => {
                add_finalizer(claim, capi::CLAIM_FINALIZER);
                self.ready(
                    claim,
                    &object.api_version,
                    "False",
                    refusal.reason(),
                    &refusal.to_string(),
                );
            }
            ClaimObject::IPAddressClaim(_) => add_finalizer(claim, in_cluster::CLAIM_FINALIZER),
        }
    }

    /// The Ready condition in the form of the claim's version; conditions of other types stay. Its time moves only when its
    /// status does.
    fn ready(&self, claim: &mut Value, api_version: &str, status: &str, reason: &str, message: &str) {
        let generation = claim.pointer("/metadata/generation").cloned();
        let conditions = claim.pointer("/status/conditions").and_then(Value::as_array).cloned();
        let mut conditions = conditions.unwrap_or_default();
        let old = conditions.iter().position(|condition| condition["type"] == capi::READY);
        let same = old
            .map(|index| &conditions[index])
            .filter(|old| old["status"] == status);
        let time = same.and_then(|old| old.get("lastTransitionTime")).cloned();
        let mut ready = Map::new();
        let mut put = |key: &str, value: Value| ready.insert(key.to_owned(), value);
        put("type", json!(capi::READY));
        put("status", json!(status));
        if is_first_form(api_version) {
            if status == "False" {
                put("severity", json!("Error"));
            }
        } else if let Some(generation) = generation {
            put("observedGeneration", generation);
        }
        put("lastTransitionTime", time.unwrap_or_else(|| json!(self.now)));
        put("reason", json!(reason));
        if !is_first_form(api_version) || !message.is_empty() {
            put("message", json!(message));
        }
        match old {
            Some(index) => conditions[index] = Value::Object(ready),
            None => conditions.push(Value::Object(ready)),
        }
        set(claim, &["status", "conditions"], Value::Array(conditions));
    }

    /// The address object that does not exist yet.
    fn address(&self, view: &PoolView, id: &ClaimId, fate: &Fate) -> Option<Value> {
        let Fate::Gets {
            grant, create: true, ..
        } = fate
        else {
            return None;
        };
        let stored = &self.allocation.live.claims()[*view.sources.get(id)?];
        let pool = &self.allocation.live.pools[&view.id].value;
        let namespace = Some(stored.namespace.clone()).filter(|namespace| !namespace.is_empty());
        let object = match (pool, &stored.value) {
            (PoolObject::IPPool(pool), ClaimObject::IPClaim(claim)) => {
                let mut pool = pool.clone();
                pool.metadata.namespace = namespace;
                written(&metal3_address(&pool, claim, grant))
            }
            (PoolObject::IPPool(pool), ClaimObject::IPAddressClaim(claim)) => {
                let mut pool = pool.clone();
                pool.metadata.namespace = namespace;
                written(&cluster_api_address(&pool, claim, grant))
            }
            (PoolObject::InCluster(pool), ClaimObject::IPAddressClaim(claim)) => {
                let mut claim = claim.clone();
                claim.metadata.namespace = namespace;
                written(&in_cluster_address(pool, &claim, grant))
            }
            (PoolObject::InCluster(_), ClaimObject::IPClaim(_)) => return None,
        };
        Some(object)
    }

    fn before(&self, object: Option<usize>) -> Option<Value> {
        let mut value = self.given.get(&object?)?.clone();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            // Who wrote which field is nothing that can be applied.
            metadata.shift_remove("managedFields");
        }
        Some(value)
    }
}

/// Conditions of v1alpha1 and v1beta1 have a severity, and reason and message may be missing.
fn is_first_form(api_version: &str) -> bool {
    matches!(
        api_version.rsplit_once('/').map(|(_, version)| version),
        Some("v1alpha1" | "v1beta1")
    )
}

/// How full a pool of the in-cluster provider is (`inclusterippool.go`): numbers stop at the largest of Go's.
fn counts(view: &PoolView, settled: &Settled) -> Value {
    let most = i64::MAX.unsigned_abs();
    let number = |count: u128| u64::try_from(count).unwrap_or(most).min(most);
    let addresses = view.pool.addresses();
    let total = number(addresses.size());
    let outside: std::collections::BTreeSet<_> = settled
        .held
        .iter()
        .filter(|address| !addresses.contains(**address))
        .collect();
    let used = settled.held.len() as u64;
    json!({
        "total": total, "used": used, "free": total.saturating_sub(used), "outOfRange": outside.len(),
    })
}

fn written(object: &impl serde::Serialize) -> Value {
    // Plain structures of texts and numbers always have a JSON form.
    serde_json::to_value(object).unwrap_or_default()
}

/// Sets a value below a path of keys; what is no mapping on the way is replaced by one.
fn set(value: &mut Value, path: &[&str], new: Value) {
    let Some((last, before)) = path.split_last() else {
        return;
    };
    let mut at = value;
    for key in before {
        let map = mapping(at);
        at = map.entry(*key).or_insert_with(|| Value::Object(Map::new()));
    }
    mapping(at).insert((*last).to_owned(), new);
}

fn push(value: &mut Value, path: &[&str], item: Value) {
    let pointer: String = path.iter().map(|key| format!("/{key}")).collect();
    let list = value.pointer(&pointer).and_then(Value::as_array).cloned();
    let list = list.into_iter().flatten().chain([item]).collect();
    set(value, path, Value::Array(list));
}

fn mapping(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was just made a mapping"),
    }
}

fn add_finalizer(object: &mut Value, finalizer: &str) {
    let present = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    if !present.is_some_and(|list| list.iter().any(|own| own == finalizer)) {
        push(object, &["metadata", "finalizers"], json!(finalizer));
    }
}

fn remove_finalizer(object: &mut Value, finalizer: &str) {
    if let Some(list) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
        list.retain(|own| own != finalizer);
    }
}

impl serde::Serialize for ClaimObject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::IPClaim(claim) => claim.serialize(serializer),
            Self::IPAddressClaim(claim) => claim.serialize(serializer),
        }
    }
}
