//! Objects of every kind that are made to do harm, on a real API server: they harm only themselves.

use serde_json::{Value, json};

use crate::api_server::shared;
use crate::bench::{ADDRESS, Bench, CAPI_CLAIM, CLAIM, POOL, capi_claim, claim, eventually, failure, pool, run};
use crate::capv::{MACHINE, TEMPLATE, VSPHERE_CLUSTER, cluster, devices, label, machine, nic, template};
use crate::history::History;

/// As large as annotations may be together.
fn large() -> String {
    "x".repeat(250_000)
}

fn with_annotation(mut object: Value, key: &str, value: String) -> Value {
    object["metadata"]["annotations"][key] = json!(value);
    object
}

#[test]
fn objects_made_to_do_harm_harm_only_themselves() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let history = History::record(&bench).await;
        let controller = bench.controller(&[]);
        // By hand: an address object that names nobody's claim, and one outside the pool.
        for (name, address) in [("by-hand", "192.0.2.1"), ("outside", "203.0.113.7")] {
            let object = json!({
                "apiVersion": ADDRESS.0, "kind": ADDRESS.1, "metadata": {"name": name},
                "spec": {"address": address, "pool": {"name": "p"}, "claim": {"name": "nobody"}},
            });
            bench.create(with_annotation(object, "note", large())).await;
        }
        bench
            .create(with_annotation(pool("p", "192.0.2.1", "192.0.2.9"), "note", large()))
            .await;
        // The request itself is what is large, and metal3 repeats it in the reason.
        bench
            .create(with_annotation(claim("long-request", "p"), "ipAddress", large()))
            .await;
        bench
            .create(with_annotation(
                capi_claim("long-request-too", "p"),
                "ipAddress",
                large(),
            ))
            .await;
        bench
            .create(with_annotation(claim("large", "p"), "note", large()))
            .await;
        let mut unknown = capi_claim("unknown-fields", "p");
        unknown["spec"]["surprise"] = json!({"deep": [1, 2, 3]});
        unknown["status"] = json!({"addressRef": {"name": "stolen"}, "conditions": "none"});
        // The schema drops what it does not know, and refuses what is of another type; both must leave the rest alone.
        let _ = bench.try_create(unknown).await;
        for wrong in [
            json!({"apiVersion": CLAIM.0, "kind": CLAIM.1, "metadata": {"name": "wrong"}, "spec": {"pool": 7}}),
            json!({"apiVersion": POOL.0, "kind": POOL.1, "metadata": {"name": "wrong"}, "spec": {"namePrefix": "w", "pools": "all"}}),
            json!({"apiVersion": ADDRESS.0, "kind": ADDRESS.1, "metadata": {"name": "wrong"}, "spec": {"address": [1]}}),
        ] {
            bench.try_create(wrong).await.unwrap_err();
        }
        // What a pool can be told that no pool can do.
        bench
            .create(json!({
                "apiVersion": POOL.0, "kind": POOL.1, "metadata": {"name": "nonsense"},
                "spec": {"namePrefix": "no name/at all", "prefix": -4, "pools": [
                    {"start": "192.0.2.9", "end": "192.0.2.1"}, {"end": "10.0.0.1"}, {}, {"subnet": "::/0", "start": "10.0.0.1"}],
                    "preAllocations": {"a": "::1", "": "10.0.0.1"}},
            }))
            .await;
        bench.create(claim("a", "nonsense")).await;
        let bound = bench.bound(CLAIM, "large").await;
        assert_ne!(bound, "p-192-0-2-1", "somebody has reserved it");
        bench.create(claim("ordinary", "p")).await;
        bench.bound(CLAIM, "ordinary").await;
        for (kind, name) in [(CLAIM, "long-request"), (CAPI_CLAIM, "long-request-too")] {
            let text = bench.failure(kind, name).await;
            assert!(text.starts_with("Invalid ipAddress annotation"), "{}", &text[..60]);
            assert!(text.len() < 2000, "a reason is for people: {} bytes", text.len());
        }
        let other = eventually("the nonsense pool's claim is answered", async || {
            let claim = bench.get(CLAIM, "a").await?;
            failure(&claim).or_else(|| crate::bench::shown(&claim)).or_else(|| {
                let text = controller.log();
                text.contains("nonsense").then_some(text)
            })
        })
        .await;
        assert!(!other.is_empty());
        assert!(controller.is_alive());
        history.check();
    });
}

#[test]
fn machines_templates_and_clusters_made_to_do_harm_harm_only_themselves() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let history = History::record(&bench).await;
        let controller = bench.controller(&[]);
        let owner = bench.create(with_annotation(cluster("c"), "note", large())).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.250")).await;
        bench
            .create(with_annotation(template("t", label("p")), "note", large()))
            .await;
        bench
            .create(template(
                "odd",
                json!({"cluster.x-k8s.io/ip-pool-name": "No_Name.of-any.Pool"}),
            ))
            .await;
        bench
            .create(template(
                "empty",
                json!({"cluster.x-k8s.io/ip-pool-name": "", "cluster.x-k8s.io/ip-pool-group": ""}),
            ))
            .await;
        let one = |name: &str, template: &str, devices: Value| machine(name, template, "c", true, devices);
        bench
            .machine(with_annotation(
                one("large", "t", json!([nic("Public")])),
                "note",
                large(),
            ))
            .await;
        // The API server takes names of 253 characters; a claim's would have 255.
        let long = "m".repeat(253);
        bench.machine(one(&long, "t", json!([nic("Public")]))).await;
        bench
            .machine(one(
                "many",
                "t",
                json!((0..60).map(|n| nic(&format!("net-{n}"))).collect::<Vec<_>>()),
            ))
            .await;
        bench
            .machine(one(
                "garbage",
                "t",
                json!([{"networkName": "x", "dhcp4": false, "ipAddrs": ["not an address", "300.1.1.1/99"]}, nic("y")]),
            ))
            .await;
        for (name, template) in [("odd", "odd"), ("empty", "empty"), ("nowhere", "../../etc/passwd")] {
            bench.machine(one(name, template, json!([nic("Public")]))).await;
        }
        // An owner that is nobody, and one whose labels lead to a Cluster that is not there.
        let mut stray = one("stray", "t", json!([nic("Public")]));
        stray["metadata"]["labels"]["cluster.x-k8s.io/cluster-name"] = json!("no-such-cluster");
        bench.machine(stray).await;
        let mut endpoint = json!({
            "apiVersion": VSPHERE_CLUSTER.0, "kind": VSPHERE_CLUSTER.1,
            "metadata": {"name": "c", "labels": label("No_Name.of-any.Pool"), "ownerReferences": [{
                "apiVersion": crate::bench::CLUSTER.0, "kind": "Cluster", "name": "c", "uid": owner.metadata.uid,
            }]},
            "spec": {"server": "vcenter"},
        });
        endpoint["metadata"]["labels"]["cluster.x-k8s.io/cluster-name"] = json!("c");
        endpoint = with_annotation(endpoint, "note", large());
        bench.create(endpoint).await;
        for wrong in [
            json!({"apiVersion": MACHINE.0, "kind": MACHINE.1, "metadata": {"name": "wrong"}, "spec": {"network": {"devices": "all"}}}),
            json!({"apiVersion": TEMPLATE.0, "kind": TEMPLATE.1, "metadata": {"name": "wrong"}, "spec": {"template": []}}),
            json!({"apiVersion": crate::bench::CLUSTER.0, "kind": "Cluster", "metadata": {"name": "wrong"}, "spec": {"paused": "maybe"}}),
        ] {
            bench.try_create(wrong).await.unwrap_err();
        }
        bench.machine(one("ordinary", "t", json!([nic("Public")]))).await;
        for name in ["large", "many", "ordinary"] {
            bench.served(name).await;
        }
        let many = bench.get(MACHINE, "many").await.unwrap();
        let written = devices(&many).as_array().unwrap().iter();
        assert_eq!(written.filter(|device| device["ipAddrs"].is_array()).count(), 60);
        let with_route = devices(&many).as_array().unwrap().iter();
        assert_eq!(with_route.filter(|device| device.get("gateway4").is_some()).count(), 1);
        for (name, reason) in [
            ("odd", "PoolNotFound"),
            ("nowhere", "TemplateNotFound"),
            ("empty", "NoPoolLabel"),
        ] {
            bench.waits(MACHINE, name, reason).await;
        }
        assert!(controller.is_alive());
        bench.waits(MACHINE, &long, "ClaimNotCreated").await;
        bench.waits(VSPHERE_CLUSTER, "c", "PoolNotFound").await;
        // What nobody can make sense of stays as it is, and the NIC beside it is served.
        let garbage = eventually("the NIC beside garbage is served", async || {
            let machine = bench.get(MACHINE, "garbage").await?;
            devices(&machine)[1]["ipAddrs"].is_array().then_some(machine)
        })
        .await;
        assert_eq!(
            devices(&garbage)[0]["ipAddrs"],
            json!(["not an address", "300.1.1.1/99"])
        );
        let stray = bench.get(MACHINE, "stray").await.unwrap();
        assert!(devices(&stray)[0].get("ipAddrs").is_none());
        assert!(
            controller.log().lines().count() < 1000,
            "nobody is to be flooded with lines"
        );
        history.check();
    });
}
