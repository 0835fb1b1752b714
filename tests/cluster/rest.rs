//! A controller with nothing to do, on a real API server: it reads nothing again and writes nothing but its Lease.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::api_server::{CONTROLLER, shared};
use crate::bench::{Bench, CAPI_CLAIM, CLAIM, capi_claim, claim, pool, run};
use crate::capv::{MACHINE, cluster, label, machine, nic, template};
use crate::proxy::{Fault, Proxy};

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
        let calls: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
        let counted = Arc::clone(&calls);
        proxy.choose(move |method, path| {
            let last = path.rsplit('/').next().unwrap_or(path);
            let call = if path.contains("/leases") {
                "the lease".into()
            } else {
                format!("{method} {last}")
            };
            *counted.lock().unwrap().entry(call).or_default() += 1;
            Fault::None
        });
        let kubeconfig = server.kubeconfig_for(CONTROLLER, &proxy.url, &bench.namespace);
        let lease = bench.lease();
        let _controller = bench.controller_to(&kubeconfig, &lease.each_ref().map(String::as_str));
        // Whatever a controller could be tempted to look at again: what is served, what was refused, what waits.
        bench.create(cluster("c")).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.13")).await;
        bench.create(template("t", label("p"))).await;
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
        tokio::time::sleep(Duration::from_secs(2)).await;

        calls.lock().unwrap().clear();
        tokio::time::sleep(rest()).await;
        let mut seen = std::mem::take(&mut *calls.lock().unwrap());
        let renewals = seen.remove("the lease").unwrap_or_default();
        println!("at rest for {:?}: {renewals} calls for the lease", rest());
        assert!(renewals > 0, "the proxy saw nothing at all");
        assert_eq!(seen, BTreeMap::new(), "calls at rest");
    });
}
