//! metal3's own manager and this program in one namespace: either goes on where the other ended, and one gives the addresses
//! that the other's machine role claims.

use std::collections::BTreeSet;

use serde_json::json;

use crate::bench::{ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, claim, eventually, run, shown};
use crate::capv::{MACHINE, devices, machine, nic};
use crate::metal3::{UNBOUND, difference, manager, start, view};

/// Every claim shows an address object that is its own, and no address has two objects.
async fn all_differ(bench: &Bench, claims: usize) {
    let mut addresses = BTreeSet::new();
    let mut shown_objects = BTreeSet::new();
    for (kind, of) in [(ADDRESS, "claim"), (CAPI_ADDRESS, "claimRef")] {
        for object in bench.list(kind).await {
            assert!(object.data["spec"][of]["name"].is_string());
            assert!(
                addresses.insert(object.data["spec"]["address"].to_string()),
                "{object:?}"
            );
        }
    }
    for kind in [CLAIM, CAPI_CLAIM] {
        for claim in bench.list(kind).await {
            shown_objects.extend(shown(&claim));
        }
    }
    assert_eq!((addresses.len(), shown_objects.len()), (claims, claims));
}

/// Waits until a claim that comes now is served and gone again: whoever serves the pool has seen everything before.
async fn served(bench: &Bench) {
    bench.create(claim("probe", "p")).await;
    bench.bound(CLAIM, "probe").await;
    bench.delete(CLAIM, "probe").await;
    bench.gone(CLAIM, "probe").await;
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
    let Some(program) = manager(server) else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.create(crate::bench::pool("p", "10.0.0.10", "10.0.0.99")).await;
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
        let before = view(&bench).await;
        drop(theirs);

        let ours = bench.controller(&["--roles=pool"]);
        served(&bench).await;
        let after = view(&bench).await;
        assert_eq!(after, before, "{}", difference(&before, &after));
        bench.create_claims((20..50).map(|n| format!("c{n}")), false, "p").await;
        eventually("some are bound", async || {
            (bound_claims(&bench).await > 22).then_some(())
        })
        .await;
        // In the middle of its work.
        ours.kill();
        let left: BTreeSet<String> = bench.list(CLAIM).await.iter().filter_map(shown).collect();

        let theirs = start(&program, &bench, &UNBOUND);
        bench.all_bound(CLAIM, 44).await;
        all_differ(&bench, 48).await;
        let all: BTreeSet<String> = bench.list(CLAIM).await.iter().filter_map(shown).collect();
        assert!(all.is_superset(&left));
        bench.create_claims((50..70).map(|n| format!("c{n}")), false, "p").await;
        eventually("some are bound", async || {
            (bound_claims(&bench).await > 52).then_some(())
        })
        .await;
        drop(theirs);
        let left: BTreeSet<String> = bench.list(CLAIM).await.iter().filter_map(shown).collect();

        let _ours = bench.controller(&["--roles=pool"]);
        bench.all_bound(CLAIM, 64).await;
        all_differ(&bench, 68).await;
        let all: BTreeSet<String> = bench.list(CLAIM).await.iter().filter_map(shown).collect();
        assert!(all.is_superset(&left));
        println!("{} of 64 were bound when metal3's manager was killed", left.len());
    });
}

#[test]
fn metal3s_manager_gives_the_addresses_that_the_machine_role_claims() {
    let Some(server) = crate::api_server::shared() else {
        return;
    };
    let Some(program) = manager(server) else { return };
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
