//! The machine and endpoint roles on a real API server; tests are named after the defects of the old adapter that they show
//! to be cured.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::api_server::shared;
use crate::bench::{Bench, CLAIM, CLUSTER, POOL, claim, eventually, pool, run};
use crate::capv::{MACHINE, TEMPLATE, VSPHERE_CLUSTER, cluster, devices, label, machine, nic, template, waiting};
use crate::pools::address;

#[test]
fn a_machine_gets_its_address_gateway_and_servers_in_one_patch() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(cluster("c")).await;
        let mut with_servers = pool("p", "192.0.2.10", "192.0.2.19");
        with_servers["spec"]["dnsServers"] = json!(["192.0.2.53"]);
        with_servers["metadata"]["annotations"] =
            json!({"cluster.x-k8s.io/dns-search-domains": "a.example, b.example"});
        bench.create(with_servers).await;
        bench.create(template("t", label("p"))).await;
        bench
            .machine(machine("m", "t", "c", true, json!([nic("Public")])))
            .await;
        let machine = bench.served("m").await;
        assert_eq!(
            devices(&machine)[0],
            json!({
                "networkName": "Public", "dhcp4": false, "dhcp6": false, "ipAddrs": ["192.0.2.10/24"],
                "gateway4": "192.0.2.1", "nameservers": ["192.0.2.53"], "searchDomains": ["a.example", "b.example"],
            })
        );
        let made = bench.get(CLAIM, "m-0").await.unwrap();
        assert_eq!(made.metadata.labels.unwrap()["cluster.x-k8s.io/cluster-name"], "c");
        assert_eq!(made.metadata.owner_references.unwrap()[0].api_version, MACHINE.0);
        // With the machine its claim and address go.
        bench.delete(MACHINE, "m").await;
        bench.gone(CLAIM, "m-0").await;
    });
}

#[test]
fn defects_01_03_10_no_label_no_pool_and_dhcp_are_said_and_take_nothing() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(cluster("c")).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        bench.create(template("plain", json!({}))).await;
        bench.create(template("wrong", label("q"))).await;
        bench.create(template("right", label("p"))).await;
        for (name, template) in [("no-label", "plain"), ("no-pool", "wrong"), ("no-template", "gone")] {
            bench
                .machine(machine(name, template, "c", true, json!([nic("Public")])))
                .await;
        }
        let dhcp = json!([{"networkName": "Public", "dhcp4": false, "dhcp6": true}]);
        bench.machine(machine("dhcp", "right", "c", true, dhcp)).await;
        bench.waits(MACHINE, "no-label", "NoPoolLabel").await;
        bench.waits(MACHINE, "no-pool", "PoolNotFound").await;
        bench.waits(MACHINE, "no-template", "TemplateNotFound").await;
        bench.waits(MACHINE, "dhcp", "DHCPStillOn").await;
        assert!(bench.list(CLAIM).await.is_empty());
        // What was missing appears, and the sign goes.
        bench.create(pool("q", "198.51.100.10", "198.51.100.19")).await;
        let machine = bench.served("no-pool").await;
        assert_eq!(waiting(&machine), None);
    });
}

#[test]
fn defect_02_a_selector_prefers_a_pool_with_room_by_name() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(cluster("c")).await;
        for (name, last) in [("a", "192.0.2.10"), ("b", "192.0.2.19")] {
            let mut pool = pool(name, if name == "a" { "192.0.2.10" } else { "192.0.2.15" }, last);
            pool["metadata"]["labels"] = json!({"cluster.x-k8s.io/ip-pool-group": "g"});
            bench.create(pool).await;
        }
        bench
            .create(template("t", json!({"cluster.x-k8s.io/ip-pool-group": "g"})))
            .await;
        for (name, address) in [("m1", "192.0.2.10/24"), ("m2", "192.0.2.15/24")] {
            bench
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
            assert_eq!(devices(&bench.served(name).await)[0]["ipAddrs"][0], address);
        }
    });
}

#[test]
fn defect_04_a_pool_of_another_namespace_or_cluster_is_refused() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        let mut elsewhere = cluster("elsewhere");
        elsewhere["metadata"]["annotations"] = json!({"cluster.x-k8s.io/ip-pool-namespace": "other"});
        bench.create(elsewhere).await;
        bench.create(cluster("c")).await;
        bench.create(cluster("d")).await;
        let mut owned = pool("p", "192.0.2.10", "192.0.2.19");
        owned["spec"]["clusterName"] = json!("d");
        bench.create(owned).await;
        bench.create(template("t", label("p"))).await;
        bench
            .machine(machine("m1", "t", "elsewhere", true, json!([nic("Public")])))
            .await;
        bench
            .machine(machine("m2", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.waits(MACHINE, "m1", "OtherNamespace").await;
        bench.waits(MACHINE, "m2", "PoolOfAnotherCluster").await;
        bench
            .patch(
                POOL,
                "p",
                json!({"metadata": {"annotations": {"capv-ipam.dev/shared": "true"}}}),
            )
            .await;
        bench.served("m2").await;
    });
}

#[test]
fn defect_05_a_claim_of_an_earlier_machine_is_replaced_and_one_made_ahead_is_used() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.labelled("192.0.2.10", "192.0.2.19").await;
        // The claim's name is the one that m1 will need, its owner is another machine that lives.
        let mut other = machine(
            "other",
            "t",
            "c",
            true,
            json!([{"networkName": "Public", "dhcp4": true}]),
        );
        other["metadata"]
            .as_object_mut()
            .unwrap()
            .shift_remove("ownerReferences");
        let other = bench.create(other).await;
        let mut stale = claim("m1-0", "p");
        stale["metadata"]["ownerReferences"] =
            json!([{"apiVersion": MACHINE.0, "kind": MACHINE.1, "name": "other", "uid": other.metadata.uid}]);
        let stale = bench.create(stale).await;
        let mut ahead = claim("m2-0", "p");
        ahead["metadata"]["annotations"] = json!({"ipAddress": "192.0.2.17"});
        bench.create(ahead).await;
        for name in ["m1", "m2"] {
            bench
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
            bench.served(name).await;
        }
        assert_ne!(bench.get(CLAIM, "m1-0").await.unwrap().metadata.uid, stale.metadata.uid);
        assert_eq!(
            devices(&bench.get(MACHINE, "m2").await.unwrap())[0]["ipAddrs"][0],
            "192.0.2.17/24"
        );
        assert_eq!(
            bench
                .get(CLAIM, "m2-0")
                .await
                .unwrap()
                .metadata
                .owner_references
                .unwrap()
                .len(),
            1
        );
    });
}

#[test]
fn defects_06_07_entries_families_and_gateways_are_right_for_each_nic() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(cluster("c")).await;
        bench
            .create(json!({
                "apiVersion": POOL.0, "kind": POOL.1,
                "metadata": {"name": "storage", "labels": {"cluster.x-k8s.io/ip-pool-group": "g",
                    "cluster.x-k8s.io/network-name": "Storage"}},
                "spec": {"namePrefix": "storage", "prefix": 24, "pools": [{"start": "198.51.100.10", "end": "198.51.100.19"}]},
            }))
            .await;
        bench
            .create(json!({
                "apiVersion": POOL.0, "kind": POOL.1,
                "metadata": {"name": "public", "labels": {"cluster.x-k8s.io/ip-pool-group": "g",
                    "cluster.x-k8s.io/network-name": "Public"}},
                "spec": {"namePrefix": "public", "prefix": 64, "dnsServers": ["2001:db8::53"], "pools": [{
                    "start": "2001:db8::10", "end": "2001:db8::19", "gateway": "2001:db8::1", "dnsServers": ["2001:db8::54"],
                }]},
            }))
            .await;
        bench
            .create(template("t", json!({"cluster.x-k8s.io/ip-pool-group": "g"})))
            .await;
        bench
            .machine(machine("m", "t", "c", true, json!([nic("Public"), nic("Storage")])))
            .await;
        let machine = bench.served("m").await;
        assert_eq!(
            devices(&machine)[0],
            json!({
                "networkName": "Public", "dhcp4": false, "dhcp6": false, "ipAddrs": ["2001:db8::10/64"],
                "gateway6": "2001:db8::1", "nameservers": ["2001:db8::54"],
            })
        );
        assert_eq!(
            devices(&machine)[1],
            json!({"networkName": "Storage", "dhcp4": false, "dhcp6": false, "ipAddrs": ["198.51.100.10/24"]})
        );
    });
}

#[test]
fn defect_08_an_endpoint_is_filled_only_where_its_own_label_asks() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        let owner = bench.create(cluster("c")).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        let object = |name: &str, labels: Value| {
            json!({
                "apiVersion": VSPHERE_CLUSTER.0, "kind": VSPHERE_CLUSTER.1,
                "metadata": {"name": name, "labels": labels},
                "spec": {"server": "vcenter"},
            })
        };
        bench
            .create(object("silent", json!({"cluster.x-k8s.io/cluster-name": "c"})))
            .await;
        let mut labels = label("p");
        labels["cluster.x-k8s.io/cluster-name"] = json!("c");
        // Without an owner nothing happens and nothing breaks; with one it is served.
        bench.create(object("c", labels)).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert!(bench.list(CLAIM).await.is_empty());
        let owners = json!([{"apiVersion": CLUSTER.0, "kind": CLUSTER.1, "name": "c", "uid": owner.metadata.uid}]);
        for name in ["silent", "c"] {
            bench
                .patch(VSPHERE_CLUSTER, name, json!({"metadata": {"ownerReferences": owners}}))
                .await;
        }
        let endpoint = eventually("the endpoint", async || {
            let object = bench.get(VSPHERE_CLUSTER, "c").await?;
            object.data["spec"].get("controlPlaneEndpoint").cloned()
        })
        .await;
        assert_eq!(endpoint, json!({"host": "192.0.2.10", "port": 6443}));
        assert_eq!(bench.list(CLAIM).await.len(), 1);
    });
}

#[test]
fn defect_09_pause_and_role_are_honoured_and_workers_wait_for_the_control_plane() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        let mut paused = cluster("c");
        paused["spec"]["paused"] = json!(true);
        bench.create(paused).await;
        bench.create(pool("p", "192.0.2.10", "192.0.2.19")).await;
        bench.create(template("t", label("p"))).await;
        bench
            .machine(machine("worker", "t", "c", false, json!([nic("Public")])))
            .await;
        bench
            .machine(machine("first", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.waits(MACHINE, "first", "Paused").await;
        bench.patch(CLUSTER, "c", json!({"spec": {"paused": false}})).await;
        assert_eq!(devices(&bench.served("first").await)[0]["ipAddrs"][0], "192.0.2.10/24");
        bench
            .machine(machine("second", "t", "c", true, json!([nic("Public")])))
            .await;
        assert_eq!(devices(&bench.served("second").await)[0]["ipAddrs"][0], "192.0.2.11/24");
        let status = json!({"status": {"initialization": {"controlPlaneInitialized": true}}});
        let params = kube::api::PatchParams::default();
        let api = bench.api(CLUSTER);
        api.patch_status("c", &params, &kube::api::Patch::Merge(status))
            .await
            .unwrap();
        assert_eq!(devices(&bench.served("worker").await)[0]["ipAddrs"][0], "192.0.2.12/24");
    });
}

#[test]
fn a_lost_address_is_written_again() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.labelled("192.0.2.10", "192.0.2.19").await;
        bench
            .machine(machine("m", "t", "c", true, json!([nic("Public")])))
            .await;
        bench.served("m").await;
        bench
            .patch(MACHINE, "m", json!({"spec": {"network": {"devices": [nic("Public")]}}}))
            .await;
        assert_eq!(devices(&bench.served("m").await)[0]["ipAddrs"][0], "192.0.2.10/24");
    });
}

#[test]
fn migration_owner_references_of_the_old_adapter_get_a_served_version() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.labelled("192.0.2.10", "192.0.2.19").await;
        bench
            .machine(machine(
                "m",
                "t",
                "c",
                true,
                json!([{"networkName": "Public", "ipAddrs": ["192.0.2.10/24"]}]),
            ))
            .await;
        let uid = bench.get(MACHINE, "m").await.unwrap().metadata.uid;
        let mut old = claim("m-0", "p");
        old["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "infrastructure.cluster.x-k8s.io/v1alpha4", "kind": MACHINE.1, "name": "m", "uid": uid,
        }]);
        bench.create(old).await;
        let _controller = bench.controller(&[]);
        eventually("a served version", async || {
            let claim = bench.get(CLAIM, "m-0").await?;
            (claim.metadata.owner_references?[0].api_version == MACHINE.0).then_some(())
        })
        .await;
        bench.delete(MACHINE, "m").await;
        bench.gone(CLAIM, "m-0").await;
    });
}

/// The IPClaim is gone before the VM is: `kubectl delete --cascade=foreground`, or somebody deletes it.
#[test]
fn a_deleted_claim_keeps_its_address_while_its_machine_has_it() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.labelled("192.0.2.10", "192.0.2.19").await;
        for name in ["a", "b"] {
            let mut machine = machine(name, "t", "c", true, json!([nic("Public")]));
            machine["metadata"]["finalizers"] = json!(["vspheremachine.infrastructure.cluster.x-k8s.io"]);
            bench.machine(machine).await;
            bench.served(name).await;
        }
        // One claim is deleted by hand, the other as the garbage collector does it, while the VM is still being destroyed.
        bench.delete(MACHINE, "b").await;
        for name in ["a-0", "b-0"] {
            bench.delete(CLAIM, name).await;
        }
        bench
            .machine(machine("next", "t", "c", true, json!([nic("Public")])))
            .await;
        assert_eq!(devices(&bench.served("next").await)[0]["ipAddrs"][0], "192.0.2.12/24");
        eventually("it is said", async || {
            let events = server.kubectl(&[
                "-n",
                &bench.namespace,
                "get",
                "events",
                "-o",
                "jsonpath={.items[*].reason}",
            ]);
            events.contains("AddressInUse").then_some(())
        })
        .await;
        for name in ["a-0", "b-0"] {
            assert!(bench.get(CLAIM, name).await.is_some(), "{name} stays");
        }
        // CAPV's finalizer goes with the VM.
        let gone = json!({"metadata": {"finalizers": null}});
        bench.patch(MACHINE, "b", gone.clone()).await;
        bench.gone(CLAIM, "b-0").await;
        bench.gone(MACHINE, "b").await;
        bench.delete(MACHINE, "a").await;
        bench.patch(MACHINE, "a", gone).await;
        bench.gone(CLAIM, "a-0").await;
        bench
            .machine(machine("last", "t", "c", true, json!([nic("Public")])))
            .await;
        assert_eq!(devices(&bench.served("last").await)[0]["ipAddrs"][0], "192.0.2.10/24");
    });
}

#[test]
fn an_address_of_another_claim_is_not_written_and_one_made_by_hand_is() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        bench.labelled("192.0.2.10", "192.0.2.19").await;
        // Imported: the object has a name of its own.
        bench.create(address("import", "p", "i-0", "192.0.2.15", None)).await;
        let addressing = bench.controller(&["--roles=pool"]);
        for name in ["a-0", "b-0"] {
            bench.create(claim(name, "p")).await;
            bench.bound(CLAIM, name).await;
        }
        addressing.kill();
        let wrong = json!({"status": {"address": {"name": "p-192-0-2-10", "namespace": bench.namespace}}});
        let (api, params) = (bench.api(CLAIM), PatchParams::default());
        api.patch_status("b-0", &params, &Patch::Merge(wrong)).await.unwrap();
        let _controller = bench.controller(&[]);
        for name in ["a", "b", "i"] {
            bench
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
        }
        let address_of = async |name: &str| devices(&bench.served(name).await)[0]["ipAddrs"][0].clone();
        assert_eq!(address_of("i").await, "192.0.2.15/24");
        assert_eq!(address_of("a").await, "192.0.2.10/24");
        // It waits, or the pool role has put it right by then.
        eventually("b has its own address or none", async || {
            let machine = bench.get(MACHINE, "b").await?;
            let address = devices(&machine)[0].get("ipAddrs").cloned();
            assert_ne!(address, Some(json!(["192.0.2.10/24"])));
            (address.is_some() || waiting(&machine).is_some_and(|text| text.starts_with("BadAddress"))).then_some(())
        })
        .await;
    });
}

#[test]
fn a_refused_claim_is_made_anew_for_the_pool_that_the_template_names_now() {
    let Some(server) = shared() else { return };
    run(async {
        let bench = Bench::new(server).await;
        let _controller = bench.controller(&[]);
        bench.create(cluster("c")).await;
        bench.create(pool("tiny", "192.0.2.10", "192.0.2.10")).await;
        bench.create(pool("big", "192.0.2.20", "192.0.2.29")).await;
        bench.create(template("t", label("tiny"))).await;
        for name in ["a", "b"] {
            bench
                .machine(machine(name, "t", "c", true, json!([nic("Public")])))
                .await;
        }
        bench.served("a").await;
        bench.waits(MACHINE, "b", "ClaimRefused").await;
        bench
            .patch(TEMPLATE, "t", json!({"metadata": {"labels": label("big")}}))
            .await;
        assert_eq!(devices(&bench.served("b").await)[0]["ipAddrs"][0], "192.0.2.20/24");
        assert_eq!(devices(&bench.served("a").await)[0]["ipAddrs"][0], "192.0.2.10/24");
    });
}
