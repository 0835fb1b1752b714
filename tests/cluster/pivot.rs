//! A management cluster moves to another API server as `clusterctl move` does it: objects without status and with new UIDs,
//! created on the target and then deleted on the source, while the Cluster is paused. No address changes.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::api_server::{ApiServer, shared};
use crate::bench::{
    ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, CLUSTER, POOL, capi_claim, claim, eventually, failure, pool, run,
};
use crate::capv::{MACHINE, OWNER, TEMPLATE, cluster, devices, label, machine, nic, template};
use crate::history::History;

/// Owners come before what they own, as clusterctl creates them.
const MOVED: [(&str, &str); 9] = [
    CLUSTER,
    TEMPLATE,
    OWNER,
    MACHINE,
    POOL,
    CLAIM,
    CAPI_CLAIM,
    ADDRESS,
    CAPI_ADDRESS,
];

/// The object as another API server is given it. `uids` has those of the owners there.
fn moved(object: &DynamicObject, uids: &BTreeMap<String, String>) -> Value {
    let mut moved = serde_json::to_value(object).unwrap();
    moved.as_object_mut().unwrap().shift_remove("status");
    let metadata = moved["metadata"].as_object_mut().unwrap();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "generation",
    ] {
        metadata.shift_remove(field);
    }
    for owner in metadata
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        owner["uid"] = json!(uids[owner["uid"].as_str().unwrap()]);
    }
    moved
}

/// Which claim shows which address object, and what is written into the machines.
async fn addresses(bench: &Bench) -> BTreeMap<String, String> {
    let mut addresses = BTreeMap::new();
    for kind in [CLAIM, CAPI_CLAIM] {
        for claim in bench.list(kind).await {
            let address = crate::bench::shown(&claim).unwrap_or_default();
            addresses.insert(format!("{}/{}", kind.1, claim.metadata.name.unwrap()), address);
        }
    }
    for machine in bench.list(MACHINE).await {
        let written = devices(&machine)[0]["ipAddrs"].to_string();
        addresses.insert(machine.metadata.name.unwrap(), written);
    }
    addresses
}

#[test]
fn a_pivot_changes_no_address() {
    static SERVER: OnceLock<Option<ApiServer>> = OnceLock::new();
    let Some(server) = shared() else { return };
    let Some(other) = SERVER.get_or_init(|| ApiServer::start("new")).as_ref() else {
        return;
    };
    run(async {
        let source = Bench::new(server).await;
        let _first = source.controller(&[]);
        source.create(cluster("c")).await;
        let mut owned = pool("p", "192.0.2.10", "192.0.2.19");
        owned["spec"]["clusterName"] = json!("c");
        source.create(owned).await;
        // Names in the opposite order of creation, and a gap: nothing of this may be computed anew.
        for name in ["z", "y", "x"] {
            source.create(claim(name, "p")).await;
            source.bound(CLAIM, name).await;
        }
        source.create(capi_claim("k", "p")).await;
        source.bound(CAPI_CLAIM, "k").await;
        source.create(template("t", label("p"))).await;
        for name in ["m2", "m1"] {
            source
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
            source.served(name).await;
        }
        source.delete(CLAIM, "z").await;
        source.gone(CLAIM, "z").await;
        let before = addresses(&source).await;
        assert_eq!(before.len(), 7, "{before:?}");
        source.patch(CLUSTER, "c", json!({"spec": {"paused": true}})).await;

        let target = Bench::named(other, &source.namespace).await;
        let history = History::record(&target).await;
        let controller = target.controller(&[]);
        let mut uids = BTreeMap::new();
        for kind in MOVED {
            for object in source.list(kind).await {
                let made = target.create(moved(&object, &uids)).await;
                uids.insert(object.metadata.uid.unwrap(), made.metadata.uid.unwrap());
            }
        }
        for kind in MOVED.into_iter().rev() {
            for object in source.list(kind).await {
                let name = object.metadata.name.unwrap();
                source
                    .patch(kind, &name, json!({"metadata": {"finalizers": null}}))
                    .await;
                source.delete(kind, &name).await;
            }
        }
        for kind in MOVED {
            eventually(&format!("the source has no {} left", kind.1), async || {
                source.list(kind).await.is_empty().then_some(())
            })
            .await;
        }
        // Whoever decided too early had the time to do so.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(controller.is_alive());
        target.patch(CLUSTER, "c", json!({"spec": {"paused": false}})).await;
        eventually("every claim shows its address again", async || {
            (addresses(&target).await == before).then_some(())
        })
        .await;
        for kind in [CLAIM, CAPI_CLAIM] {
            assert!(target.list(kind).await.iter().all(|claim| failure(claim).is_none()));
        }
        target.create(claim("next", "p")).await;
        assert_eq!(
            target.bound(CLAIM, "next").await,
            "p-192-0-2-10",
            "the gap is what is free"
        );
        target.tidy(6).await;
        history.check();
        // The owners hold there too: a machine that goes takes its claim along.
        target.delete(MACHINE, "m1").await;
        target.gone(CLAIM, "m1-0").await;
    });
}
