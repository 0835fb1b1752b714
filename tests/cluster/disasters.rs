//! What happens around the controller on a real API server: the storage stops, webhooks cannot be reached, clocks differ, objects
//! are made to do harm. Afterwards every claim has its address, and the history shows that no two ever showed the same.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api_server::{ApiServer, CONTROLLER, free_port, shared};
use crate::bench::{
    ADDRESS, Bench, CAPI_CLAIM, CLAIM, POOL, capi_claim, claim, clocks, eventually, failure, pool, run,
};
use crate::history::History;

#[test]
fn the_storage_stops_and_starts() {
    static SERVER: OnceLock<Option<ApiServer>> = OnceLock::new();
    // A server of its own: the others' tests go on meanwhile.
    let Some(server) = SERVER.get_or_init(|| ApiServer::start("new")).as_ref() else {
        return;
    };
    run(async {
        let bench = Bench::new(server).await;
        let history = History::record(&bench).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.200")).await;
        let _controllers = [bench.controller(&[]), bench.controller(&[])];
        bench.bound_after_creation(20).await;
        // In the middle of a batch.
        let batch = async {
            for number in 100..140 {
                let _ = bench.try_create(claim(&format!("c{number}"), "p")).await;
            }
        };
        let stop = async {
            eventually("some of the batch are there", async || {
                (bench.list(CLAIM).await.len() >= 30).then_some(())
            })
            .await;
            server.stop_etcd();
            tokio::time::sleep(Duration::from_secs(3)).await;
            server.start_etcd();
        };
        // Claims that the stopped storage did not take are not there.
        tokio::join!(batch, stop);
        let claims = eventually("the storage answers", async || {
            let claims = bench.api(CLAIM).list(&kube::api::ListParams::default()).await.ok()?;
            Some(claims.items.len())
        })
        .await;
        assert!(claims >= 30, "{claims}");
        eventually("the storage takes a claim", async || {
            bench.try_create(capi_claim("after", "p")).await.ok()
        })
        .await;
        bench.bound(CAPI_CLAIM, "after").await;
        bench.all_bound(CLAIM, claims).await;
        bench.tidy(claims + 1).await;
        println!("the storage was away for 3 s, {} changes of claims", history.check());
    });
}

#[test]
fn webhooks_that_cannot_be_reached_hold_claims_up_and_lose_none() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let history = History::record(&bench).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.99")).await;
        bench.create_claims((0..5).map(|n| format!("c{n}")), false, "p").await;
        // Nobody listens on the port. Every write of the claims and the creation of every address is refused.
        let name = format!("unreachable-{}", bench.namespace);
        server.apply(&[json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name},
            "webhooks": [{
                "name": "unreachable.capv-ipam.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                "timeoutSeconds": 1,
                "clientConfig": {"url": format!("https://127.0.0.1:{}/", free_port())},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": bench.namespace}},
                "rules": [{"apiGroups": ["ipam.metal3.io"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
                    "resources": ["ipclaims", "ipaddresses"]}],
            }],
        })]);
        let controller = bench.controller(&[]);
        eventually("a write is refused for the webhook's sake", async || {
            controller.log().contains("failed calling webhook").then_some(())
        })
        .await;
        server.kubectl(&["delete", "validatingwebhookconfiguration", &name]);
        bench.all_bound(CLAIM, 5).await;
        bench.tidy(5).await;
        history.check();
    });
}

#[test]
fn clocks_that_differ_by_hours_decide_nothing() {
    let Some(server) = shared() else { return };
    if clocks::library().is_none() {
        return;
    }
    run(async {
        let bench = Bench::new(server).await;
        let history = History::record(&bench).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.200")).await;
        let kubeconfig = server.kubeconfig(CONTROLLER);
        let _controllers = [
            bench.controller_by("+3h", &kubeconfig, &[]),
            bench.controller_by("-30m", &kubeconfig, &[]),
            bench.controller(&[]),
        ];
        tokio::join!(
            bench.create_claims((0..40).map(|n| format!("c{n}")), false, "p"),
            bench.create_claims((0..40).map(|n| format!("k{n}")), true, "p"),
        );
        bench.all_bound(CLAIM, 40).await;
        bench.all_bound(CAPI_CLAIM, 40).await;
        for number in 0..20 {
            bench.delete(CLAIM, &format!("c{number}")).await;
        }
        bench.create_claims((50..70).map(|n| format!("c{n}")), false, "p").await;
        eventually("the deleted are gone and the new are bound", async || {
            let claims = bench.list(CLAIM).await;
            (claims.len() == 40 && claims.iter().all(|claim| crate::bench::shown(claim).is_some())).then_some(())
        })
        .await;
        bench.tidy(80).await;
        println!("clocks 3.5 h apart, {} changes of claims", history.check());
    });
}

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
