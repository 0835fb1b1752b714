//! metal3's own manager as a process, and what a namespace holds in a form that two managers can be compared by.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::api_server::{ADMIN, ApiServer, Supervised, free_port};
use crate::bench::{ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, POOL};

/// The manager's program, where `tests/cluster/metal3/build` puts it; else one line says that it is missing.
pub(crate) fn manager(server: &ApiServer) -> Option<PathBuf> {
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
        crate::workload::certificate(&folder);
    }
    let address = |flag: &str| format!("--{flag}=127.0.0.1:{}", free_port());
    let mut arguments = vec![
        format!("--kubeconfig={}", bench.server.kubeconfig(ADMIN).display()),
        format!("--namespace={}", bench.namespace),
        format!("--webhook-cert-dir={}", folder.display()),
        format!("--webhook-port={}", crate::workload::port_of_any_address()),
        address("health-addr"),
        address("diagnostics-address"),
        "--insecure-diagnostics".into(),
    ];
    arguments.extend(more.iter().map(ToString::to_string));
    Supervised::start(program, &arguments, &folder.join("log"))
}

/// What a namespace holds, without what differs between any two runs (identities, versions, times, the namespace's name), and
/// without what is decided otherwise here: the condition of an IPAddressClaim, the flags of its address's owners.
pub(crate) async fn view(bench: &Bench) -> Value {
    let mut all = Map::new();
    for kind in [POOL, CLAIM, ADDRESS, CAPI_CLAIM, CAPI_ADDRESS] {
        for object in bench.list(kind).await {
            let object = serde_json::to_value(&object).unwrap();
            let name = object["metadata"]["name"].as_str().unwrap();
            all.insert(
                format!("{} {} {name}", kind.0, kind.1),
                common(&object, &bench.namespace),
            );
        }
    }
    Value::Object(all)
}

fn common(value: &Value, namespace: &str) -> Value {
    const OWN: [&str; 11] = [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "lastUpdated",
        "conditions",
        "controller",
        "blockOwnerDeletion",
        "deletionGracePeriodSeconds",
    ];
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !OWN.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), common(value, namespace)))
            // A time alone is written or not: nothing rests on it.
            .filter(|(key, value)| key != "status" || *value != json!({}))
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
