//! One story of users and controllers that touches every path of the pool role, and the end that it must have.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fake::process::{Process, eventually};
use crate::fake::server::{ADDRESSES, CAPI_ADDRESSES, CAPI_CLAIMS, CLAIMS, Fake, POOLS};

pub(crate) fn pool(name: &str, last: u8) -> Value {
    json!({
        "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool", "metadata": {"name": name},
        "spec": {"namePrefix": name, "prefix": 24, "pools": [{"start": "192.0.2.1", "end": format!("192.0.2.{last}")}]},
    })
}

pub(crate) fn claim(name: &str) -> Value {
    claim_of(name, "p")
}

pub(crate) fn capi_claim(name: &str) -> Value {
    capi_claim_of(name, "p")
}

pub(crate) fn claim_of(name: &str, pool: &str) -> Value {
    json!({
        "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPClaim", "metadata": {"name": name},
        "spec": {"pool": {"name": pool}},
    })
}

pub(crate) fn capi_claim_of(name: &str, pool: &str) -> Value {
    json!({
        "apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddressClaim", "metadata": {"name": name},
        "spec": {"poolRef": {"apiGroup": "ipam.metal3.io", "kind": "IPPool", "name": pool}},
    })
}

/// The address objects that claims show, by collection and claim.
pub(crate) fn shown(fake: &Fake) -> BTreeMap<String, Option<String>> {
    let mut shown = BTreeMap::new();
    for (collection, pointer) in [
        (CLAIMS, "/status/address/name"),
        (CAPI_CLAIMS, "/status/addressRef/name"),
    ] {
        for claim in fake.list(collection) {
            let name = format!("{collection} {}", claim["metadata"]["name"].as_str().unwrap());
            shown.insert(
                name,
                claim.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned),
            );
        }
    }
    shown
}

/// What must be the same however the story was disturbed: who has what, what exists, and what the pool records.
pub(crate) fn end(fake: &Fake) -> Value {
    let names = |collection: &str| -> Vec<Value> {
        let objects = fake.list(collection);
        objects
            .iter()
            .map(|object| object["metadata"]["name"].clone())
            .collect()
    };
    let failures: Vec<Value> = fake
        .list(CLAIMS)
        .iter()
        .filter_map(|c| c.pointer("/status/errorMessage").cloned())
        .collect();
    json!({
        "shown": shown(fake),
        "addresses": names(ADDRESSES),
        "capi addresses": names(CAPI_ADDRESSES),
        "failures": failures,
        "indexes": fake.get(POOLS, "p").map(|pool| pool["status"]["indexes"].clone()),
    })
}

/// How the story ends.
pub(crate) fn expected() -> Value {
    json!({
        "shown": {
            format!("{CLAIMS} b"): "p-192-0-2-2",
            format!("{CLAIMS} d"): "p-192-0-2-1",
            format!("{CLAIMS} e"): null,
            format!("{CAPI_CLAIMS} b"): "p-192-0-2-3",
        },
        "addresses": ["p-192-0-2-1", "p-192-0-2-2"],
        "capi addresses": ["p-192-0-2-3"],
        "failures": ["Exhausted IP Pools"],
        "indexes": {"b": "192.0.2.2", "d": "192.0.2.1", "IPAddressClaim/b": "192.0.2.3"},
    })
}

/// Runs the story. `keep_alive` is called again and again and starts a controller where one has died.
pub(crate) fn tell(fake: &Fake, keep_alive: &mut dyn FnMut()) {
    let bound = |keys: &[String]| {
        let shown = shown(fake);
        keys.iter().all(|key| shown.get(key).is_some_and(Option::is_some))
    };
    assert!(fake.create(POOLS, pool("p", 3)));
    let mut wait = |what: &str, is_so: &dyn Fn() -> bool| {
        eventually(what, || {
            keep_alive();
            is_so()
        });
    };
    for (collection, object) in [
        (CLAIMS, claim("a")),
        (CLAIMS, claim("b")),
        (CAPI_CLAIMS, capi_claim("b")),
    ] {
        let name = format!("{collection} {}", object["metadata"]["name"].as_str().unwrap());
        assert!(fake.create(collection, object));
        wait(&name, &|| bound(std::slice::from_ref(&name)));
    }
    assert!(fake.create(CLAIMS, claim("d")));
    wait("d is refused", &|| {
        fake.get(CLAIMS, "d")
            .is_some_and(|d| d.pointer("/status/errorMessage").is_some())
    });
    fake.delete(CLAIMS, "a");
    wait("a is gone and d has its address", &|| {
        fake.get(CLAIMS, "a").is_none() && bound(&[format!("{CLAIMS} d")])
    });
    assert!(fake.create(CLAIMS, claim("e")));
    wait("the end", &|| end(fake) == expected());
}

/// Runs the story with controllers that `start` makes, one after the other as they die.
pub(crate) fn tell_with(fake: &Fake) {
    let mut number = 0;
    let mut process = Some(Process::start(fake, number));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        tell(fake, &mut || {
            if fake.is_dead(number) {
                if let Some(process) = process.take() {
                    process.kill();
                }
                number += 1;
                process = Some(Process::start(fake, number));
            }
        });
    }));
    if let Err(panic) = result {
        eprintln!("as it stands: {:#}", end(fake));
        std::panic::resume_unwind(panic);
    }
    // Nothing moves any more, and nobody was ever given another's address.
    crate::fake::server::quiet(fake, Duration::from_millis(30));
    assert_eq!(end(fake), expected());
    assert_eq!(fake.broken(), None);
}
