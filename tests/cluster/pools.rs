//! The pool role on a real API server: both kinds of claims from their creation to their end.

use serde_json::{Value, json};

use crate::api_server::shared;
use crate::bench::{ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, POOL, capi_claim, claim, eventually, pool, run};

#[test]
fn claims_of_both_kinds_get_addresses_and_give_them_back() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(pool("p", "192.0.2.10", "192.0.2.11")).await;
        bench.create(claim("a", "p")).await;
        assert_eq!(bench.bound(CLAIM, "a").await, "p-192-0-2-10");
        bench.create(capi_claim("b", "p")).await;
        assert_eq!(bench.bound(CAPI_CLAIM, "b").await, "p-192-0-2-11");

        let address = bench.get(ADDRESS, "p-192-0-2-10").await.unwrap();
        assert_eq!(
            address.metadata.finalizers.as_deref(),
            Some(&["ipaddress.ipam.metal3.io".to_owned()][..])
        );
        assert_eq!(address.metadata.labels.as_ref().unwrap()["made-by"], "test");
        assert_eq!(
            address.data["spec"],
            json!({
                "address": "192.0.2.10", "prefix": 24, "gateway": "192.0.2.1",
                "claim": {"name": "a", "namespace": bench.namespace}, "pool": {"name": "p", "namespace": bench.namespace},
            })
        );
        let owners = address.metadata.owner_references.unwrap();
        let kinds: Vec<_> = owners
            .iter()
            .map(|owner| (owner.kind.as_str(), owner.controller))
            .collect();
        assert_eq!(kinds, [("IPPool", None), ("IPClaim", None)]);

        let address = bench.get(CAPI_ADDRESS, "p-192-0-2-11").await.unwrap();
        let owners = address.metadata.owner_references.unwrap();
        let kinds: Vec<_> = owners
            .iter()
            .map(|owner| (owner.kind.as_str(), owner.controller))
            .collect();
        assert_eq!(kinds, [("IPPool", Some(false)), ("IPAddressClaim", Some(true))]);
        let ready = bench.get(CAPI_CLAIM, "b").await.unwrap().data["status"]["conditions"][0].clone();
        assert_eq!(
            (&ready["type"], &ready["status"], &ready["reason"]),
            (&json!("Ready"), &json!("True"), &json!("Ready"))
        );

        let stored = bench.get(POOL, "p").await.unwrap();
        assert_eq!(
            stored.data["status"]["indexes"],
            json!({"a": "192.0.2.10", "b": "192.0.2.11"})
        );
        assert_eq!(
            stored.metadata.finalizers.as_deref(),
            Some(&["ippool.ipam.metal3.io".to_owned()][..])
        );

        bench.create(claim("c", "p")).await;
        assert_eq!(bench.failure(CLAIM, "c").await, "Exhausted IP Pools");
        bench.delete(CLAIM, "a").await;
        assert_eq!(bench.bound(CLAIM, "c").await, "p-192-0-2-10");
        bench.gone(CLAIM, "a").await;

        for (kind, name) in [(CLAIM, "c"), (CAPI_CLAIM, "b"), (POOL, "p")] {
            bench.delete(kind, name).await;
        }
        bench.gone(POOL, "p").await;
        for kind in [CLAIM, CAPI_CLAIM, ADDRESS, CAPI_ADDRESS] {
            eventually("nothing is left", async || {
                bench.list(kind).await.is_empty().then_some(())
            })
            .await;
        }
    });
}

/// An address object as metal3 or a person makes it.
pub(crate) fn address(
    name: &str,
    pool: &str,
    claim: &str,
    address: &str,
    owner: Option<&kube::api::DynamicObject>,
) -> Value {
    let mut object = json!({
        "apiVersion": ADDRESS.0, "kind": ADDRESS.1, "metadata": {"name": name},
        "spec": {"address": address, "prefix": 24, "claim": {"name": claim}, "pool": {"name": pool}},
    });
    if let Some(owner) = owner {
        object["metadata"]["ownerReferences"] = json!([
            {"apiVersion": CLAIM.0, "kind": CLAIM.1, "name": claim, "uid": owner.metadata.uid},
        ]);
        object["metadata"]["finalizers"] = json!(["ipaddress.ipam.metal3.io"]);
    }
    object
}

#[test]
fn d1_a_refused_claim_is_tried_again_when_the_pool_grows_and_delays_nobody() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(pool("p", "192.0.2.10", "192.0.2.12")).await;
        let mut wrong = claim("wrong", "p");
        wrong["metadata"]["annotations"] = json!({"ipAddress": "nonsense"});
        bench.create(wrong).await;
        let text = "Invalid ipAddress annotation \"nonsense\": not a valid IP address";
        assert_eq!(bench.failure(CLAIM, "wrong").await, text);
        bench.create(claim("right", "p")).await;
        bench.bound(CLAIM, "right").await;
        bench
            .patch(
                CLAIM,
                "wrong",
                json!({"metadata": {"annotations": {"ipAddress": "192.0.2.50"}}}),
            )
            .await;
        eventually("the new reason", async || {
            let claim = bench.get(CLAIM, "wrong").await?;
            (claim.data["status"]["errorMessage"] == "Exhausted IP Pools").then_some(())
        })
        .await;
        let spec = json!({"spec": {"pools": [{"start": "192.0.2.10", "end": "192.0.2.60"}]}});
        bench.patch(POOL, "p", spec).await;
        assert_eq!(bench.bound(CLAIM, "wrong").await, "p-192-0-2-50");
        assert_eq!(
            bench.get(CLAIM, "wrong").await.unwrap().data["status"].get("errorMessage"),
            None
        );
    });
}

#[test]
fn d3_adopts_what_metal3_left_and_collects_what_nobody_has() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        let adopted = bench.create(claim("adopted", "p")).await;
        bench
            .create(address("p-192-0-2-15", "p", "adopted", "192.0.2.15", Some(&adopted)))
            .await;
        bench.create(address("by-hand", "p", "", "192.0.2.10", None)).await;
        // An orphan: its claim is gone before it could be released, as in metal3's known leak.
        let leaked = bench.create(claim("leaked", "p")).await;
        bench
            .create(address("p-192-0-2-11", "p", "leaked", "192.0.2.11", Some(&leaked)))
            .await;
        bench.delete(CLAIM, "leaked").await;
        let _controller = bench.controller(&[]);
        assert_eq!(bench.bound(CLAIM, "adopted").await, "p-192-0-2-15");
        eventually("the orphan is collected", async || {
            let orphan = bench.get(ADDRESS, "p-192-0-2-11").await;
            orphan.is_none().then_some(())
        })
        .await;
        bench.create(claim("new", "p")).await;
        assert_eq!(bench.bound(CLAIM, "new").await, "p-192-0-2-11");
        assert!(bench.get(ADDRESS, "by-hand").await.is_some());
    });
}

#[test]
fn what_a_claim_shows_is_in_use_though_object_and_promise_are_lost() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let first = bench.controller(&[]);
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        bench.create(claim("a", "p")).await;
        assert_eq!(bench.bound(CLAIM, "a").await, "p-192-0-2-10");
        first.kill();
        bench
            .patch(ADDRESS, "p-192-0-2-10", json!({"metadata": {"finalizers": null}}))
            .await;
        bench.delete(ADDRESS, "p-192-0-2-10").await;
        // As a manager does that computes everything from the address objects.
        let (api, params) = (bench.api(POOL), kube::api::PatchParams::default());
        let forgotten = kube::api::Patch::Merge(json!({"status": {"indexes": null}}));
        api.patch_status("p", &params, &forgotten).await.unwrap();
        let _controller = bench.controller(&[]);
        bench.create(claim("b", "p")).await;
        assert_eq!(bench.bound(CLAIM, "b").await, "p-192-0-2-11");
        eventually("it is promised again", async || {
            let pool = bench.get(POOL, "p").await?;
            (pool.data["status"]["indexes"]["a"] == "192.0.2.10").then_some(())
        })
        .await;
    });
}

#[test]
fn d6_claims_of_other_providers_are_left_alone_and_other_conditions_stay() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        let mut other = capi_claim("other", "p");
        other["spec"]["poolRef"] = json!({"apiGroup": "ipam.cluster.x-k8s.io", "kind": "InClusterIPPool", "name": "p"});
        bench.create(other).await;
        bench.create(capi_claim("mine", "p")).await;
        let theirs = json!({
            "type": "Theirs", "status": "True", "reason": "Said", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let patch = kube::api::Patch::Merge(json!({"status": {"conditions": [theirs]}}));
        bench
            .api(CAPI_CLAIM)
            .patch_status("mine", &kube::api::PatchParams::default(), &patch)
            .await
            .unwrap();
        let _controller = bench.controller(&[]);
        bench.bound(CAPI_CLAIM, "mine").await;
        let mine = bench.get(CAPI_CLAIM, "mine").await.unwrap();
        let types: Vec<&str> = mine.data["status"]["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|condition| condition["type"].as_str().unwrap())
            .collect();
        assert_eq!(types, ["Theirs", "Ready"]);
        let other = bench.get(CAPI_CLAIM, "other").await.unwrap();
        assert_eq!((other.metadata.finalizers, other.data.get("status")), (None, None));
    });
}

#[test]
fn d7_pause_and_missing_clusters_stop_and_their_end_goes_on() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        let mut owned = pool("p", "192.0.2.10", "192.0.2.19");
        owned["spec"]["clusterName"] = json!("c");
        bench.create(owned).await;
        bench.create(claim("a", "p")).await;
        let mut alone = pool("q", "198.51.100.10", "198.51.100.19");
        alone["metadata"]["annotations"] = json!({"cluster.x-k8s.io/paused": ""});
        bench.create(alone).await;
        bench.create(claim("b", "q")).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(
            (bench.shown(CLAIM, "a").await, bench.shown(CLAIM, "b").await),
            (None, None)
        );
        bench
            .create(json!({
                "apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": {"name": "c"},
                "spec": {"infrastructureRef": {
                    "apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "VSphereCluster", "name": "c"}},
            }))
            .await;
        bench.bound(CLAIM, "a").await;
        let stored = bench.get(POOL, "p").await.unwrap().metadata;
        assert_eq!(stored.owner_references.unwrap()[0].kind, "Cluster");
        assert_eq!(stored.labels.unwrap()["cluster.x-k8s.io/cluster-name"], "c");
        bench
            .patch(
                POOL,
                "q",
                json!({"metadata": {"annotations": {"cluster.x-k8s.io/paused": null}}}),
            )
            .await;
        bench.bound(CLAIM, "b").await;
    });
}

#[test]
fn d8_an_address_whose_name_is_taken_is_passed_over_and_said() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        bench.create(pool("q", "198.51.100.10", "198.51.100.19")).await;
        bench
            .create(address("p-192-0-2-10", "q", "", "198.51.100.10", None))
            .await;
        let _controller = bench.controller(&[]);
        bench.create(claim("a", "p")).await;
        assert_eq!(bench.bound(CLAIM, "a").await, "p-192-0-2-11");
        eventually("the event", async || {
            let events = bench.list(("v1", "Event")).await;
            events
                .iter()
                .any(|event| event.data["reason"] == "IPAddressNameCollision")
                .then_some(())
        })
        .await;
    });
}

#[test]
fn d12_a_stray_finalizer_holds_no_address() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let controller = bench.controller(&[]);
        bench.create(pool("p", "192.0.2.10", "192.0.2.10")).await;
        let mut stray = capi_claim("stray", "p");
        stray["metadata"]["finalizers"] = json!(["ipam.cluster.x-k8s.io/ReleaseAddress"]);
        bench.create(stray).await;
        bench.bound(CAPI_CLAIM, "stray").await;
        bench.delete(CAPI_CLAIM, "stray").await;
        bench.create(claim("next", "p")).await;
        assert_eq!(bench.bound(CLAIM, "next").await, "p-192-0-2-10");
        assert_eq!(bench.shown(CAPI_CLAIM, "stray").await, None);
        eventually("the event", async || {
            let events = bench.list(("v1", "Event")).await;
            events
                .iter()
                .any(|event| event.data["reason"] == "StrayFinalizer")
                .then_some(())
        })
        .await;
        controller.kill();
        let _controller = bench.controller(&["--remove-stray-finalizers"]);
        bench.gone(CAPI_CLAIM, "stray").await;
    });
}

#[test]
fn without_the_rights_to_cluster_apis_kinds_metal3s_are_served() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        // Rights as metal3 1.2 granted them: its own group and Clusters.
        let name = format!("old-rights-{}", bench.namespace);
        server.kubectl(&[
            "create",
            "clusterrole",
            &name,
            "--verb=*",
            "--resource=*.ipam.metal3.io",
        ]);
        let user = format!("--user={}", crate::api_server::LEGACY);
        server.kubectl(&["create", "clusterrolebinding", &name, "--clusterrole", &name, &user]);
        let kubeconfig = server.kubeconfig(crate::api_server::LEGACY);
        let _controller = bench.controller_to(&kubeconfig, &["--roles=pool"]);
        bench.create(claim("a", "p")).await;
        bench.bound(CLAIM, "a").await;
    });
}

#[test]
fn a_pool_that_comes_after_its_claims_serves_them_at_once() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(pool("first", "192.0.2.1", "192.0.2.9")).await;
        bench.create(claim("first", "first")).await;
        bench.bound(CLAIM, "first").await;
        bench.create(claim("early", "late")).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        bench.create(pool("late", "192.0.2.11", "192.0.2.19")).await;
        // A wait of some seconds would be one that the missing pool had left behind.
        let bound = tokio::time::timeout(std::time::Duration::from_secs(2), bench.bound(CLAIM, "early")).await;
        assert!(bound.is_ok(), "the claim waits though its pool is there");
    });
}
