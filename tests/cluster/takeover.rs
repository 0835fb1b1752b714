//! metal3's own manager and this program in one namespace: either goes on where the other ended, and one gives the addresses
//! that the other's machine role claims.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value, json};

use crate::bench::{
    ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, Controller, capi_claim, claim, eventually, run, shown,
};
use crate::capv::{MACHINE, devices, machine, nic};
use crate::metal3::{self, UNBOUND, difference, start, view};

/// Every claim shows an address object that is its own, and no address has two objects.
async fn all_differ(bench: &Bench, claims: usize) {
    let (mut addresses, mut objects) = (BTreeSet::new(), 0);
    for (kind, of, address) in [(CLAIM, "claim", ADDRESS), (CAPI_CLAIM, "claimRef", CAPI_ADDRESS)] {
        for claim in bench.list(kind).await {
            let name = shown(&claim).unwrap();
            let object = bench.get(address, &name).await.unwrap();
            assert_eq!(object.data["spec"][of]["name"], json!(claim.metadata.name), "{name}");
            let text = object.data["spec"]["address"].to_string();
            assert!(addresses.insert(text), "two claims have the address of {name}");
        }
        objects += bench.list(address).await.len();
    }
    assert_eq!((addresses.len(), objects), (claims, claims));
}

/// Creates so many claims, and kills whoever serves them when some more than before are bound. Gives what is bound then.
async fn killed_amid<S>(bench: &Bench, names: Range<usize>, server: S, kill: impl FnOnce(S)) -> BTreeSet<String> {
    let before = bound_claims(bench).await;
    let all = before + names.len();
    let created = bench.create_claims(names.map(|n| format!("c{n}")), false, "p");
    let killed = async {
        eventually("some are bound", async || {
            (bound_claims(bench).await > before).then_some(())
        })
        .await;
        kill(server);
    };
    tokio::join!(created, killed);
    let bound = bound_claims(bench).await;
    assert!(bound < all, "all {all} were bound before the end");
    println!("{bound} of {all} were bound");
    bench.list(CLAIM).await.iter().filter_map(shown).collect()
}

/// Waits until every IPClaim is bound; those of before still have what they had.
async fn all_bound_after(bench: &Bench, before: &BTreeSet<String>) {
    let claims = bench.list(CLAIM).await.len();
    bench.all_bound(CLAIM, claims).await;
    all_differ(bench, claims + bench.list(CAPI_CLAIM).await.len()).await;
    let all: BTreeSet<String> = bench.list(CLAIM).await.iter().filter_map(shown).collect();
    assert!(all.is_superset(before));
}

/// Waits until a claim that comes now is served and gone again: whoever serves the pool has seen everything before.
async fn served(bench: &Bench) {
    // metal3's manager has a controller for each kind.
    for (kind, probe) in [(CLAIM, claim("probe", "p")), (CAPI_CLAIM, capi_claim("probe-k", "p"))] {
        let name = probe["metadata"]["name"].as_str().unwrap().to_owned();
        bench.create(probe).await;
        bench.bound(kind, &name).await;
        bench.delete(kind, &name).await;
        bench.gone(kind, &name).await;
    }
}

/// What the namespace holds when the probes' promises are gone, too.
async fn rest(bench: &Bench) -> Value {
    eventually("nothing is left of the probes", async || {
        let view = view(bench).await;
        (!view.to_string().contains("probe")).then_some(view)
    })
    .await
}

async fn bound_claims(bench: &Bench) -> usize {
    let (metal3, capi) = (bench.list(CLAIM).await, bench.list(CAPI_CLAIM).await);
    metal3.iter().chain(&capi).filter_map(shown).count()
}

#[test]
fn either_goes_on_where_the_other_ended() {
    let Some(server) = crate::api_server::shared() else {
        return;
    };
    let Some(program) = metal3::program(server) else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(crate::bench::pool("p", "10.0.0.10", "10.0.0.199")).await;
        let theirs = start(&program, &bench, &UNBOUND);
        bench.create_claims((0..16).map(|n| format!("c{n}")), false, "p").await;
        bench.create_claims((0..4).map(|n| format!("k{n}")), true, "p").await;
        bench.all_bound(CLAIM, 16).await;
        bench.all_bound(CAPI_CLAIM, 4).await;
        for gone in ["c3", "c7"] {
            bench.delete(CLAIM, gone).await;
            bench.gone(CLAIM, gone).await;
        }
        let mut refused = claim("refused", "p");
        refused["metadata"]["annotations"] = json!({"ipAddress": "10.9.0.1"});
        bench.create(refused).await;
        bench.failure(CLAIM, "refused").await;
        served(&bench).await;
        let before = rest(&bench).await;
        drop(theirs);

        let ours = bench.controller(&["--roles=pool"]);
        served(&bench).await;
        let after = rest(&bench).await;
        assert_eq!(after, before, "{}", difference(&before, &after));
        bench.delete(CLAIM, "refused").await;
        bench.gone(CLAIM, "refused").await;
        let before = killed_amid(&bench, 20..80, ours, Controller::kill).await;
        let theirs = start(&program, &bench, &UNBOUND);
        all_bound_after(&bench, &before).await;
        let before = killed_amid(&bench, 80..140, theirs, drop).await;
        let _ours = bench.controller(&["--roles=pool"]);
        all_bound_after(&bench, &before).await;
    });
}

#[test]
fn metal3s_manager_gives_the_addresses_that_the_machine_role_claims() {
    let Some(server) = crate::api_server::shared() else {
        return;
    };
    let Some(program) = metal3::program(server) else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _theirs = start(&program, &bench, &UNBOUND);
        let _ours = bench.controller(&["--roles=machine"]);
        bench.labelled("192.0.2.10", "192.0.2.11").await;
        for (name, address) in [("m-1", "192.0.2.10/24"), ("m-2", "192.0.2.11/24")] {
            bench
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
            let served = bench.served(name).await;
            assert_eq!(devices(&served)[0]["ipAddrs"], json!([address]));
        }
        // metal3's manager never tries a refused claim again: the reason stands at the machine.
        bench
            .machine(machine("m-3", "t", "c", true, json!([nic("Public")])))
            .await;
        bench
            .waits(MACHINE, "m-3", "ClaimRefused: IPClaim m-3-0: Exhausted IP Pools")
            .await;
        let text = crate::capv::waiting(&bench.get(MACHINE, "m-3").await.unwrap()).unwrap();
        assert!(text.contains("only when the claim's status is removed"), "{text}");
        for name in ["m-1", "m-2", "m-3"] {
            bench.delete(MACHINE, name).await;
            bench.gone(CLAIM, &format!("{name}-0")).await;
        }
        assert_eq!(bench.list(ADDRESS).await, []);
    });
}
