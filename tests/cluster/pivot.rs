//! A management cluster moves to another API server as `clusterctl move` does it: objects without status and with new UIDs,
//! created on the target and then deleted on the source, while the Cluster is paused. No address changes.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::api_server::{ADMIN, ApiServer, shared};
use crate::bench::{
    ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, CLUSTER, POOL, capi_claim, claim, eventually, failure, pool, run,
};
use crate::capv::{MACHINE, OWNER, TEMPLATE, cluster, devices, label, machine, nic, template};
use crate::history::History;
use crate::pools::address;

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

/// The label by which a claim belongs to the Cluster, as the makers of claims set it.
fn of_cluster(mut claim: Value) -> Value {
    claim["metadata"]["labels"]["cluster.x-k8s.io/cluster-name"] = json!("c");
    claim
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

/// Creates every object on the target, owners first, then deletes all of them on the source.
async fn by_hand(source: &Bench, target: &Bench) {
    source.patch(CLUSTER, "c", json!({"spec": {"paused": true}})).await;
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
    // Whoever decided too early had the time to do so.
    tokio::time::sleep(Duration::from_millis(500)).await;
    target.patch(CLUSTER, "c", json!({"spec": {"paused": false}})).await;
}

/// The real thing, which pauses and unpauses by itself.
async fn by_clusterctl(source: &Bench, target: &Bench) {
    for bench in [source, target] {
        // clusterctl gives these labels to what it installs itself.
        let others = ["label", "crd", "--all", "clusterctl.cluster.x-k8s.io="];
        bench.server.kubectl(&others);
        bench.server.install(&["--only", "crds"]);
    }
    // It moves nothing that is still coming up.
    let status = |api: Api<DynamicObject>, name: String, status: Value| async move {
        let patch = Patch::Merge(json!({"status": status}));
        api.patch_status(&name, &PatchParams::default(), &patch).await.unwrap();
    };
    let now = "2026-01-05T10:00:00Z";
    let up = json!({
        "initialization": {"infrastructureProvisioned": true, "controlPlaneInitialized": true},
        "conditions": [{"type": "ControlPlaneInitialized", "status": "True", "reason": "Initialized", "message": "", "lastTransitionTime": now}],
    });
    status(source.api(CLUSTER), "c".into(), up).await;
    for owner in source.list(OWNER).await {
        let name = owner.metadata.name.unwrap();
        status(source.api(OWNER), name.clone(), json!({"nodeRef": {"name": name}})).await;
    }
    let home = tempfile::tempdir().unwrap();
    let clusterctl = std::env::var("CLUSTERCTL").unwrap_or_else(|_| "clusterctl".into());
    let output = Command::new(clusterctl)
        .args(["move", "-v", "3", "--namespace", &source.namespace, "--kubeconfig"])
        .arg(source.server.kubeconfig(ADMIN))
        .arg("--to-kubeconfig")
        .arg(target.server.kubeconfig(ADMIN))
        .env("XDG_CONFIG_HOME", home.path())
        .env("CLUSTERCTL_DISABLE_VERSIONCHECK", "true")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_pivot_changes_no_address() {
    pivot(by_hand);
}

#[test]
#[ignore = "needs clusterctl, by CLUSTERCTL or on PATH"]
fn a_pivot_by_clusterctl_changes_no_address() {
    pivot(by_clusterctl);
}

fn pivot(carry_over: impl AsyncFn(&Bench, &Bench)) {
    let (Some(server), Some(other)) = (shared(), ApiServer::start("new")) else {
        return;
    };
    // It ends with the process.
    let other: &'static ApiServer = Box::leak(Box::new(other));
    run(async {
        let source = Bench::new(server).await;
        let _first = source.controller(&[]);
        let owner = source.create(cluster("c")).await;
        let mut owned = pool("p", "192.0.2.10", "192.0.2.19");
        owned["spec"]["clusterName"] = json!("c");
        source.create(owned).await;
        // Names in the opposite order of creation, and a gap: nothing of this may be computed anew.
        for name in ["z", "y", "x"] {
            source.create(of_cluster(claim(name, "p"))).await;
            source.bound(CLAIM, name).await;
        }
        source.create(of_cluster(capi_claim("k", "p"))).await;
        source.bound(CAPI_CLAIM, "k").await;
        source.create(template("t", label("p"))).await;
        for name in ["m2", "m1"] {
            source
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
            source.served(name).await;
        }
        // As Cluster API and CAPV do: what belongs to the Cluster says so.
        let of_cluster = json!({"metadata": {"ownerReferences": [{
            "apiVersion": CLUSTER.0, "kind": CLUSTER.1, "name": "c", "uid": owner.metadata.uid,
        }]}});
        for (kind, name) in [(TEMPLATE, "t"), (OWNER, "m1"), (OWNER, "m2"), (CAPI_CLAIM, "k")] {
            source.patch(kind, name, of_cluster.clone()).await;
        }
        source.delete(CLAIM, "z").await;
        source.gone(CLAIM, "z").await;
        // A pool of nobody's, with an address that is reserved by hand and a claim that no Cluster stops.
        source
            .create(address("reserved", "shared", "", "192.0.2.100", None))
            .await;
        source.create(pool("shared", "192.0.2.100", "192.0.2.109")).await;
        for name in ["first", "vip"] {
            source.create(claim(name, "shared")).await;
            source.bound(CLAIM, name).await;
        }
        source.delete(CLAIM, "first").await;
        source.gone(CLAIM, "first").await;
        let before = addresses(&source).await;
        assert_eq!(before.len(), 8, "{before:?}");
        // As docs/controller.md says.
        let paused = |value: Value| json!({"metadata": {"annotations": {"cluster.x-k8s.io/paused": value}}});
        source.patch(POOL, "shared", paused(json!(""))).await;

        let target = Bench::named(other, &source.namespace).await;
        let history = History::record(&target).await;
        let controller = target.controller(&[]);
        carry_over(&source, &target).await;
        for kind in MOVED {
            eventually(&format!("the source has no {} left", kind.1), async || {
                source.list(kind).await.is_empty().then_some(())
            })
            .await;
        }
        assert!(controller.is_alive());
        target.patch(POOL, "shared", paused(Value::Null)).await;
        eventually("every claim shows its address again", async || {
            let now = addresses(&target).await;
            println!("{now:?}");
            (now == before).then_some(())
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
        target.create(claim("another", "shared")).await;
        assert_eq!(target.bound(CLAIM, "another").await, "shared-192-0-2-101");
        history.check();
        // The owners hold there too: a machine that goes takes its claim along.
        target.delete(MACHINE, "m1").await;
        target.gone(CLAIM, "m1-0").await;
    });
}
