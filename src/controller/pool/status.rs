//! Takes a claim as stored and what became of it, gives its status in the form of its own version
//! (`ippool_manager.go`); never talks to anybody.

use serde_json::{Map, Value, json};

use super::super::call::Key;
use super::super::clock;
use super::super::event::Subject;
use super::super::kinds::Kind;
use crate::api::capi;
use crate::api::metal3::{self, IPPool};
use crate::ipam::{ClaimId, ClaimKind, ObjectId};

/// The kind of the claims of this kind.
pub(super) const fn kind_of_claim(kind: ClaimKind) -> Kind {
    match kind {
        ClaimKind::IPClaim => Kind::Claim,
        ClaimKind::IPAddressClaim => Kind::ClusterApiClaim,
    }
}

/// The kind of the address objects that answer claims of this kind.
pub(super) const fn kind_of_address(kind: ClaimKind) -> Kind {
    match kind {
        ClaimKind::IPClaim => Kind::Address,
        ClaimKind::IPAddressClaim => Kind::ClusterApiAddress,
    }
}

/// Where a claim of the pool is.
pub(super) fn claim_key(pool: &Key, claim: &ClaimId) -> Key {
    Key::new(pool.namespace.clone(), claim.name.clone())
}

/// Where an address object of the pool is.
pub(super) fn object_key(pool: &Key, object: &ObjectId) -> Key {
    Key::new(pool.namespace.clone(), object.name.clone())
}

/// The pool as the subject of an event.
pub(super) fn subject(pool: &IPPool) -> Subject {
    let metadata = &pool.metadata;
    Subject {
        api_version: metal3::API_VERSION.into(),
        kind: metal3::POOL_KIND,
        key: Key::new(metadata.namespace.clone().unwrap_or_default(), metadata.name.clone()),
        uid: metadata.uid.clone().unwrap_or_default(),
    }
}

/// What a claim's status is to say.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word<'a> {
    /// The claim has this address object.
    Bound(&'a str),
    /// The claim has no address, for this reason and in these words.
    Failed(&'static str, &'a str),
    /// The claim is being deleted and has nothing any more.
    LetGo,
}

/// The claim with a status that says it, to be written on the condition of the claim's version. What the status says besides
/// stays. Replacing costs the API server less than patching.
pub(super) fn written(kind: ClaimKind, claim: &Value, word: Word<'_>) -> Value {
    let part = |path: &str| claim.pointer(path);
    let mut status = match part("/status") {
        Some(Value::Object(status)) => status.clone(),
        _ => Map::new(),
    };
    for (key, value) in changes(kind, claim, word) {
        match value {
            Some(value) => drop(status.insert(key.into(), value)),
            None => drop(status.remove(key)),
        }
    }
    json!({
        "apiVersion": part("/apiVersion"),
        "kind": part("/kind"),
        "metadata": {
            "name": part("/metadata/name"),
            "namespace": part("/metadata/namespace"),
            "uid": part("/metadata/uid"),
            "resourceVersion": part("/metadata/resourceVersion"),
        },
        "status": status,
    })
}

/// The fields of the status that change; those without a value go.
fn changes(kind: ClaimKind, claim: &Value, word: Word<'_>) -> Vec<(&'static str, Option<Value>)> {
    let namespace = claim.pointer("/metadata/namespace");
    match (kind, word) {
        (ClaimKind::IPClaim, Word::Bound(object)) => vec![
            ("address", Some(json!({"name": object, "namespace": namespace}))),
            ("errorMessage", None),
        ],
        (ClaimKind::IPClaim, Word::Failed(_, text)) => vec![("errorMessage", Some(json!(text)))],
        (ClaimKind::IPClaim, Word::LetGo) => vec![("address", None)],
        (ClaimKind::IPAddressClaim, Word::Bound(object)) => vec![
            ("addressRef", Some(json!({"name": object}))),
            ("conditions", Some(conditions(claim, "True", "Ready", ""))),
        ],
        (ClaimKind::IPAddressClaim, Word::Failed(reason, text)) => {
            vec![("conditions", Some(conditions(claim, "False", reason, text)))]
        }
        (ClaimKind::IPAddressClaim, Word::LetGo) => vec![("addressRef", None)],
    }
}

/// The claim's conditions with Ready set. What other writers say stays.
fn conditions(claim: &Value, status: &str, reason: &str, message: &str) -> Value {
    let old = claim.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions: Vec<Value> = old.cloned().unwrap_or_default();
    let is_ready = |condition: &Value| condition.get("type").and_then(Value::as_str) == Some(capi::READY);
    let place = conditions.iter().position(is_ready);
    let same = place
        .map(|place| &conditions[place])
        .filter(|ready| ready.get("status").and_then(Value::as_str) == Some(status));
    let since = same.and_then(|ready| ready.get("lastTransitionTime")).cloned();
    let since = since.unwrap_or_else(|| json!(clock::seconds(clock::now())));
    let mut ready = json!({
        "type": capi::READY,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": since,
    });
    let version = claim.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if version.ends_with("/v1beta2") {
        ready["observedGeneration"] = claim.pointer("/metadata/generation").cloned().unwrap_or(json!(1));
    } else if status == "False" {
        ready["severity"] = json!("Error");
    }
    match place {
        Some(place) => conditions[place] = ready,
        None => conditions.push(ready),
    }
    conditions.into()
}
