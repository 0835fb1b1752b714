//! metal3's own manager as a process, and what a namespace holds in a form that two managers can be compared by.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::api_server::{ApiServer, Supervised};
use crate::bench::{ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, POOL};
use crate::manager;

/// The manager's program, where `tests/cluster/metal3/build` puts it; else one line says that it is missing.
pub(crate) fn program(server: &ApiServer) -> Option<PathBuf> {
    let program = server.assets.join("metal3-ipam");
    if !program.exists() {
        crate::skipped::missing("no metal3-ipam beside kube-apiserver; tests/cluster/metal3/build makes one");
        return None;
    }
    Some(program)
}

/// How metal3's manager is let go as fast as it can: as shipped it makes 20 calls a second.
pub(crate) const UNBOUND: [&str; 2] = ["--kube-api-qps=2000", "--kube-api-burst=2000"];

/// Starts metal3's manager on a namespace.
pub(crate) fn start(program: &Path, bench: &Bench, more: &[&str]) -> Supervised {
    let folder = bench.server.path(&format!("metal3-{}", bench.namespace));
    if !folder.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        manager::certificate(&folder);
    }
    let mut arguments = vec![format!("--namespace={}", bench.namespace)];
    arguments.extend(more.iter().map(ToString::to_string));
    manager::start(program, bench.server, &folder, &arguments)
}

/// What a namespace holds, without what differs between any two runs: identities, versions, times, the namespace's name; and
/// without what is decided otherwise here.
pub(crate) async fn view(bench: &Bench) -> Value {
    let mut all = Map::new();
    for kind in [POOL, CLAIM, ADDRESS, CAPI_CLAIM, CAPI_ADDRESS] {
        for object in bench.list(kind).await {
            let object = serde_json::to_value(&object).unwrap();
            let mut object = common(&object, &bench.namespace);
            leave_out_decisions(kind, &mut object);
            // A time alone is written or not: nothing rests on it.
            if object["status"] == json!({}) {
                object.as_object_mut().unwrap().shift_remove("status");
            }
            all.insert(format!("{} {} {}", kind.0, kind.1, object["metadata"]["name"]), object);
        }
    }
    Value::Object(all)
}

/// An address of Cluster API's kind names its owners as the contract says; of a claim of that kind the condition is stored when
/// it is true, too.
fn leave_out_decisions(kind: (&str, &str), object: &mut Value) {
    if kind == CAPI_ADDRESS {
        for owner in object["metadata"]["ownerReferences"].as_array_mut().unwrap() {
            owner
                .as_object_mut()
                .unwrap()
                .retain(|key, _| key != "controller" && key != "blockOwnerDeletion");
        }
    }
    if kind == CAPI_CLAIM
        && let Some(conditions) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut)
    {
        conditions.retain(|condition| condition["status"] == "False");
        if conditions.is_empty() {
            object["status"].as_object_mut().unwrap().shift_remove("conditions");
        }
    }
}

fn common(value: &Value, namespace: &str) -> Value {
    const OWN: [&str; 10] = [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "observedGeneration",
        "managedFields",
        "lastUpdated",
        "lastTransitionTime",
    ];
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !OWN.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), common(value, namespace)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| common(item, namespace)).collect(),
        Value::String(text) if text == namespace => json!("its namespace"),
        other => other.clone(),
    }
}

/// Where two views differ, in lines.
pub(crate) fn difference(theirs: &Value, ours: &Value) -> String {
    let keys: BTreeSet<&String> = [theirs, ours]
        .iter()
        .flat_map(|view| view.as_object().unwrap().keys())
        .collect();
    let differing = keys
        .iter()
        .filter(|key| theirs.get(key.as_str()) != ours.get(key.as_str()));
    let lines = differing.map(|key| {
        let of = |view: &Value| view.get(key.as_str()).cloned().unwrap_or_default();
        format!("{key}\n  metal3 {}\n  ours   {}\n", of(theirs), of(ours))
    });
    lines.collect()
}
