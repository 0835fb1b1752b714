//! What happens around the controller on a real API server: the storage stops, webhooks cannot be reached, clocks differ.
//! Afterwards every claim has its address, and the history shows that no two ever showed the same.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::json;

use crate::api_server::{ApiServer, CONTROLLER, free_port, shared};
use crate::bench::{Bench, CAPI_CLAIM, CLAIM, capi_claim, claim, clocks, eventually, pool, run};
use crate::capv::{MACHINE, devices, machine, nic};
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
fn an_api_server_that_starts_makes_no_machine_forgotten() {
    static SERVER: OnceLock<Option<ApiServer>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| ApiServer::start("new")).as_ref() else {
        return;
    };
    run(async {
        let bench = Bench::new(server).await;
        let controller = bench.controller(&[]);
        bench.labelled("192.0.2.10", "192.0.2.11").await;
        for name in ["e-1", "e-2"] {
            bench
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
            bench.served(name).await;
        }
        bench
            .machine(machine("e-3", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.waits(MACHINE, "e-3", "ClaimRefused").await;
        for claim in ["e-1-0", "e-2-0"] {
            bench.delete(CLAIM, claim).await;
        }
        // It refuses for a moment what it will allow, and says that kinds are not served that will be.
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            server.restart();
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        let during = controller.log();
        controller.kill();
        let _controller = bench.controller(&[]);
        server.restart();
        tokio::time::sleep(Duration::from_secs(6)).await;
        for claim in ["e-1-0", "e-2-0"] {
            assert!(
                bench.get(CLAIM, claim).await.is_some(),
                "{claim} is gone, and its machine lives"
            );
        }
        let third = bench.get(MACHINE, "e-3").await.unwrap();
        assert_eq!(devices(&third)[0].get("ipAddrs"), None);
        let refused = during.matches("what was read still counts").count();
        println!("{refused} lists and watches were refused while the API server started");
        bench.delete(MACHINE, "e-1").await;
        bench.served("e-3").await;
    });
}

#[test]
fn what_can_never_be_written_is_tried_ever_more_rarely() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let controller = bench.controller(&[]);
        // No object can be named so.
        let mut wrong = pool("p", "192.0.2.1", "192.0.2.99");
        wrong["spec"]["namePrefix"] = json!("UPPER_case!");
        bench.create(wrong).await;
        bench.create_claims((0..4).map(|n| format!("c{n}")), false, "p").await;
        tokio::time::sleep(Duration::from_secs(8)).await;
        let tries = controller.log().matches("not carried out").count();
        println!("{tries} tries in 8 s");
        assert!((4..60).contains(&tries), "{tries}");
    });
}

/// A webhook at `url` that every write of these kinds in the bench's namespace waits for, this many seconds at most. Gives its
/// configuration's name.
fn webhook(bench: &Bench, url: &str, seconds: u32, group: &str, resources: &[&str]) -> String {
    let name = format!("test-{}", bench.namespace);
    bench.server.apply(&[json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name},
        "webhooks": [{
            "name": "test.capv-ipam.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
            "timeoutSeconds": seconds, "clientConfig": {"url": url},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": bench.namespace}},
            "rules": [{"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": resources}],
        }],
    })]);
    name
}

#[test]
fn a_claim_whose_write_hangs_holds_up_no_other() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.99")).await;
        bench.create(capi_claim("hangs", "p")).await;
        // Connections are taken, and nothing is ever answered, as by a pod on a dead node.
        let hole = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", hole.local_addr().unwrap());
        let name = webhook(&bench, &url, 6, "ipam.cluster.x-k8s.io", &["ipaddressclaims"]);
        // The API server knows of a webhook a moment after it was made.
        eventually("a write of the kind waits for the webhook", async || {
            let probe = bench.try_create(capi_claim("probe", "p"));
            let waited = tokio::time::timeout(Duration::from_secs(1), probe).await;
            if let Ok(Ok(_)) = &waited {
                bench.delete(CAPI_CLAIM, "probe").await;
            }
            waited.is_err().then_some(())
        })
        .await;
        let _controller = bench.controller(&[]);
        for number in 0..5 {
            let claim_name = format!("c{number}");
            bench.create(claim(&claim_name, "p")).await;
            let bound = tokio::time::timeout(Duration::from_secs(4), bench.bound(CLAIM, &claim_name)).await;
            assert!(bound.is_ok(), "{claim_name} waits for another claim's write");
        }
        assert_eq!(bench.shown(CAPI_CLAIM, "hangs").await, None);
        server.kubectl(&["delete", "validatingwebhookconfiguration", &name]);
        bench.bound(CAPI_CLAIM, "hangs").await;
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
        let url = format!("https://127.0.0.1:{}/", free_port());
        let name = webhook(&bench, &url, 1, "ipam.metal3.io", &["ipclaims", "ipaddresses"]);
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

#[test]
fn clocks_that_differ_take_no_lease_away_and_keep_none_for_ever() {
    let Some(server) = shared() else { return };
    if clocks::library().is_none() {
        return;
    }
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.9")).await;
        let lease = bench.lease();
        let with_lease = lease.each_ref().map(String::as_str);
        let kubeconfig = server.kubeconfig(CONTROLLER);
        // By the second one's clock the first one's lease begins tomorrow; by the third one's it ran out yesterday.
        let first = bench.controller_by("+1d", &kubeconfig, &with_lease);
        bench.create(claim("a", "p")).await;
        bench.bound(CLAIM, "a").await;
        let others = ["-30m", "+2d"].map(|clock| bench.controller_by(clock, &kubeconfig, &with_lease));
        for other in &others {
            eventually("it waits for the lease", async || {
                other.log().contains("waits for the lease").then_some(())
            })
            .await;
        }
        tokio::time::sleep(Duration::from_secs(7)).await;
        for other in &others {
            assert!(other.is_alive() && !other.log().contains("leads"));
        }
        // Killed, it gives nothing up: the lease runs out by the others' own watch, whatever time it says.
        first.kill();
        bench.create(claim("b", "p")).await;
        bench.bound(CLAIM, "b").await;
        let leaders = others.iter().filter(|other| other.log().contains("leads")).count();
        assert_eq!(leaders, 1);
    });
}
