//! Several processes, deaths, stops and a bad network before a real API server: afterwards every claim has an address of its
//! own, and the history shows that no two ever showed the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::api_server::{ApiServer, CONTROLLER, shared};
use crate::bench::{
    ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, POOL, capi_claim, claim, eventually, pool, run, shown,
};
use crate::history::History;
use crate::proxy::{Fault, Proxy};

impl Bench {
    /// Every claim has an address of its own, every object a claim, and the pool records just that.
    pub(crate) async fn tidy(&self, claims: usize) {
        let mut names = BTreeSet::new();
        for kind in [CLAIM, CAPI_CLAIM] {
            names.extend(self.list(kind).await.iter().filter_map(shown));
        }
        assert_eq!(names.len(), claims);
        eventually("no object too many", async || {
            // Objects of the two kinds can have one name.
            let mut objects = Vec::new();
            for kind in [ADDRESS, CAPI_ADDRESS] {
                objects.extend(
                    self.list(kind)
                        .await
                        .into_iter()
                        .filter_map(|object| object.metadata.name),
                );
            }
            (objects.len() == claims && objects.iter().all(|name| names.contains(name))).then_some(())
        })
        .await;
        // A process whose watch lags may promise an address to a claim that has gone, until it hears of it.
        eventually("the pool records just that", async || {
            let pool = self.get(POOL, "p").await?;
            (pool.data["status"]["indexes"].as_object()?.len() == claims).then_some(())
        })
        .await;
    }

    async fn fill(&self, each: usize) {
        let claims = (0..each).map(|n| format!("c{n}"));
        tokio::join!(
            self.create_claims(claims.clone(), false, "p"),
            self.create_claims(claims.map(|name| name.replace('c', "k")), true, "p"),
        );
    }
}

#[test]
fn three_processes_without_a_lease_and_deaths_in_between() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let history = History::record(&bench).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.200")).await;
        let mut controllers: Vec<_> = (0..3).map(|_| bench.controller(&[])).collect();
        let deaths = async {
            for round in 0..12 {
                tokio::time::sleep(Duration::from_millis(150)).await;
                controllers.remove(round % 3).kill();
                controllers.push(bench.controller(&[]));
            }
        };
        tokio::join!(bench.fill(60), deaths);
        bench.all_bound(CLAIM, 60).await;
        bench.all_bound(CAPI_CLAIM, 60).await;
        bench.tidy(120).await;
        // Half of them go, others come, with three that decide.
        for number in 0..30 {
            bench.delete(CLAIM, &format!("c{number}")).await;
        }
        bench
            .create_claims((100..130).map(|n| format!("n{n}")), false, "p")
            .await;
        eventually("all are bound", async || {
            let claims = bench.list(CLAIM).await;
            (claims.len() == 60 && claims.iter().all(|claim| shown(claim).is_some())).then_some(())
        })
        .await;
        bench.tidy(120).await;
        println!("{} changes of claims, three processes, 12 deaths", history.check());
    });
}

#[test]
fn a_bad_network_loses_no_claim_and_leaks_no_address() {
    let Some(server) = shared() else { return };
    run(async {
        let (faulted, calls, changes) = bad_network(server, 1, 40).await;
        println!("{faulted} of {calls} calls disturbed, {changes} changes of claims");
    });
}

/// How many calls on the real server the longer run disturbs.
const MANY: usize = 10_000;

#[test]
#[ignore = "takes minutes: cargo test --test controller ten_thousand -- --ignored --nocapture"]
fn ten_thousand_disturbed_calls_on_the_real_server() {
    let Some(server) = shared() else { return };
    run(async {
        let (mut faulted, mut calls, mut changes, mut seed) = (0, 0, 0, 0);
        while faulted < MANY {
            seed += 1;
            let round = bad_network(server, seed, 100).await;
            faulted += round.0;
            calls += round.1;
            changes += round.2;
        }
        println!(
            "{faulted} of {calls} calls disturbed in {seed} rounds, {changes} changes of claims, the law held in each"
        );
    });
}

/// Two controllers behind a network that drops, delays, repeats and refuses calls, breaks watches and gives old lists. Gives how
/// many calls were disturbed, how many there were, and how many changes of claims the history has.
async fn bad_network(server: &'static ApiServer, seed: u64, claims: usize) -> (usize, usize, usize) {
    let bench = Bench::new(server).await;
    let history = History::record(&bench).await;
    let proxy = Proxy::start(server.client(CONTROLLER).await).await;
    let mut number: u64 = seed;
    proxy.choose(move |_, _| {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match (number >> 33) % 20 {
            0 => Fault::Refuse(409),
            1 => Fault::Refuse(429),
            2 => Fault::Refuse(500),
            3 => Fault::Refuse(503),
            4 => Fault::Lose,
            5 => Fault::Twice,
            6 => Fault::Delay(30),
            7 => Fault::Stale,
            _ => Fault::None,
        }
    });
    let kubeconfig = server.kubeconfig_for(CONTROLLER, &proxy.url, &bench.namespace);
    bench.create(pool("p", "192.0.2.1", "192.0.2.240")).await;
    let controllers = [
        bench.controller_to(&kubeconfig, &[]),
        bench.controller_to(&kubeconfig, &[]),
    ];
    bench.fill(claims).await;
    bench.all_bound(CLAIM, claims).await;
    bench.all_bound(CAPI_CLAIM, claims).await;
    let half = claims / 2;
    for number in 0..half {
        bench.delete(CLAIM, &format!("c{number}")).await;
    }
    eventually("the deleted are gone", async || {
        (bench.list(CLAIM).await.len() == claims - half).then_some(())
    })
    .await;
    eventually("the pool has dropped them", async || {
        let pool = bench.get(POOL, "p").await?;
        (pool.data["status"]["indexes"].as_object()?.len() == 2 * claims - half).then_some(())
    })
    .await;
    bench.tidy(2 * claims - half).await;
    let (calls, faulted) = (
        proxy.calls.load(Ordering::Relaxed),
        proxy.faulted.load(Ordering::Relaxed),
    );
    drop(controllers);
    (faulted, calls, history.check())
}

/// One story on the real server with one controller behind a proxy, which is killed at call `target` and started again. Gives
/// how many calls there were.
async fn killed_at(server: &'static ApiServer, target: usize, hold: Fault) -> usize {
    let bench = Bench::new(server).await;
    let history = History::record(&bench).await;
    let proxy = Proxy::start(server.client(CONTROLLER).await).await;
    let (mut number, reached) = (0, Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&reached);
    proxy.choose(move |_, _| {
        number += 1;
        if number == target {
            flag.store(true, Ordering::Relaxed);
            return hold;
        }
        Fault::None
    });
    let kubeconfig = server.kubeconfig_for(CONTROLLER, &proxy.url, &bench.namespace);
    let start = || bench.controller_to(&kubeconfig, &["--roles=pool"]);
    let death = async {
        let first = start();
        while !reached.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.kill();
        proxy.release();
        start()
    };
    let story = async {
        bench.create(pool("p", "192.0.2.1", "192.0.2.3")).await;
        bench.create(claim("a", "p")).await;
        assert_eq!(bench.bound(CLAIM, "a").await, "p-192-0-2-1");
        bench.create(capi_claim("b", "p")).await;
        assert_eq!(bench.bound(CAPI_CLAIM, "b").await, "p-192-0-2-2");
        bench.delete(CLAIM, "a").await;
        bench.gone(CLAIM, "a").await;
        bench.create(capi_claim("c", "p")).await;
        assert_eq!(bench.bound(CAPI_CLAIM, "c").await, "p-192-0-2-1");
        bench.tidy(2).await;
    };
    // The story may end before the call is reached.
    let calls = {
        let (mut death, mut story) = (Box::pin(death), Box::pin(story));
        tokio::select! {
            _second = &mut death => story.await,
            () = &mut story => {}
        }
        proxy.calls.load(Ordering::Relaxed)
    };
    history.check();
    calls
}

#[test]
fn deaths_around_sampled_calls_on_the_real_server() {
    let Some(server) = shared() else { return };
    run(async {
        let calls = killed_at(server, usize::MAX, Fault::None).await;
        let every = calls.div_ceil(6);
        for target in (2..calls).step_by(every) {
            for hold in [Fault::Hold, Fault::HoldAnswer] {
                killed_at(server, target, hold).await;
            }
        }
        println!("killed before and after every {every}th of {calls} calls");
    });
}

#[test]
#[ignore = "takes minutes: cargo test --test controller deaths_around_every -- --ignored --nocapture"]
fn deaths_around_every_call_on_the_real_server() {
    let Some(server) = shared() else { return };
    run(async {
        let calls = killed_at(server, usize::MAX, Fault::None).await;
        for target in 1..=calls {
            for hold in [Fault::Hold, Fault::HoldAnswer] {
                killed_at(server, target, hold).await;
            }
        }
        println!("killed before and after each of {calls} calls");
    });
}

#[test]
fn a_process_that_is_stopped_between_decision_and_creation_does_no_harm() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let history = History::record(&bench).await;
        let proxy = Proxy::start(server.client(CONTROLLER).await).await;
        // The creation of an address is held up until the claim has gone and its address has another holder.
        proxy.choose(|method, path| {
            if *method == http::Method::POST && path.ends_with("/ipaddresses") {
                Fault::Hold
            } else {
                Fault::None
            }
        });
        let kubeconfig = server.kubeconfig_for(CONTROLLER, &proxy.url, &bench.namespace);
        bench.create(pool("p", "192.0.2.1", "192.0.2.9")).await;
        let sleeper = bench.controller_to(&kubeconfig, &[]);
        bench.create(claim("a", "p")).await;
        eventually("the decision and the finalizer", async || {
            let pool = bench.get(POOL, "p").await?;
            pool.data.pointer("/status/indexes/a")?;
            bench
                .get(CLAIM, "a")
                .await?
                .metadata
                .finalizers
                .filter(|list| !list.is_empty())
        })
        .await;
        sleeper.signal("-STOP");
        let other = bench.controller(&[]);
        bench.delete(CLAIM, "a").await;
        bench.gone(CLAIM, "a").await;
        bench.create(capi_claim("b", "p")).await;
        assert_eq!(bench.bound(CAPI_CLAIM, "b").await, "p-192-0-2-1");
        // Now the server gets the creation that rests on the old decision, and the process wakes up.
        proxy.choose(|_, _| Fault::None);
        proxy.release();
        sleeper.signal("-CONT");
        bench.create(claim("d", "p")).await;
        bench.bound(CLAIM, "d").await;
        bench.tidy(2).await;
        history.check();
        drop(other);
    });
}

#[test]
fn one_of_two_with_a_lease_acts_and_the_other_takes_over() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(pool("p", "192.0.2.1", "192.0.2.9")).await;
        let lease = bench.lease();
        let with_lease = lease.each_ref().map(String::as_str);
        let first = bench.controller(&with_lease);
        bench.create(claim("a", "p")).await;
        bench.bound(CLAIM, "a").await;
        let mut second = bench.controller(&with_lease);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!second.log().contains("leads"));
        // A leader that is asked to stop gives the lease up; its successor need not wait for it to run out.
        first.signal("-TERM");
        bench.create(claim("b", "p")).await;
        bench.bound(CLAIM, "b").await;
        // A leader whose lease is taken ends.
        let taken = r#"{"spec":{"holderIdentity":"somebody else"}}"#;
        let lease = "lease/capv-ipam-controller";
        server.kubectl(&["-n", &bench.namespace, "patch", lease, "--type=merge", "-p", taken]);
        assert!(!second.wait().success());
        assert!(second.log().contains("leads"));
        drop(first);
    });
}
