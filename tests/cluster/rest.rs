//! A controller with nothing to do, on a real API server: it reads nothing again and writes nothing but its Lease.

use std::time::Duration;

use kube::api::DynamicObject;
use serde_json::json;

use crate::api_server::{CONTROLLER, shared};
use crate::bench::{Bench, CAPI_CLAIM, CLAIM, capi_claim, claim, eventually, run};
use crate::capv::{MACHINE, machine, nic, template};
use crate::proxy::Proxy;

/// Seconds of rest that are looked at; `CAPV_IPAM_REST` makes it longer.
fn rest() -> Duration {
    let wanted = std::env::var("CAPV_IPAM_REST").ok().map(|text| text.parse().unwrap());
    Duration::from_secs(wanted.unwrap_or(12))
}

#[test]
fn at_rest_nothing_is_read_and_nothing_is_written() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let proxy = Proxy::start(server.client(CONTROLLER).await).await;
        let kubeconfig = server.kubeconfig_for(CONTROLLER, &proxy.url, &bench.namespace);
        let lease = bench.lease();
        let _controller = bench.controller_to(&kubeconfig, &lease.each_ref().map(String::as_str));
        // Whatever a controller could be tempted to look at again: what is served, what was refused, what waits.
        bench.labelled("192.0.2.10", "192.0.2.13").await;
        bench.create(template("bare", json!({}))).await;
        bench.create(claim("a", "p")).await;
        bench.bound(CLAIM, "a").await;
        bench.create(capi_claim("k", "p")).await;
        bench.bound(CAPI_CLAIM, "k").await;
        for (name, template) in [("m", "t"), ("n", "bare")] {
            bench
                .machine(machine(name, template, "c", true, json!([nic("Public")])))
                .await;
        }
        bench.served("m").await;
        bench.waits(MACHINE, "n", "NoPoolLabel").await;
        bench.create(claim("last", "p")).await;
        bench.bound(CLAIM, "last").await;
        bench.create(claim("refused", "p")).await;
        bench.failure(CLAIM, "refused").await;
        bench.create(claim("no-pool", "nowhere")).await;
        let told = async || {
            let events = bench.list(("v1", "Event")).await;
            let about = |event: &DynamicObject| {
                event.data["reason"] == "PoolNotFound" && event.data["involvedObject"]["name"] == "no-pool"
            };
            events.iter().any(about).then_some(())
        };
        eventually("the claim is told that there is no pool", told).await;
        tokio::time::sleep(Duration::from_secs(2)).await;

        // Watches are opened again when they end, which others' tests bring about too.
        proxy.seen.lock().unwrap().clear();
        tokio::time::sleep(rest()).await;
        let seen = std::mem::take(&mut *proxy.seen.lock().unwrap());
        let (lease, rest_of): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(call, _)| call.contains("/leases/"));
        let renewals: usize = lease.iter().map(|(_, count)| count).sum();
        println!("at rest for {:?}: {renewals} calls for the lease", rest());
        // A reading and a writing every 5 s.
        let most = 2 * (rest().as_secs() / 5 + 1);
        assert!(
            (1..=most).contains(&u64::try_from(renewals).unwrap()),
            "{renewals} calls for the lease"
        );
        assert_eq!(rest_of, [], "calls at rest");
    });
}
