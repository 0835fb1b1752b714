//! `status` on dumps: what it says about machines that wait, that share an address, or whose Cluster is missing, and when a plan is
//! not met.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]
#![cfg(all(feature = "cli", feature = "controller"))]

#[path = "support/program.rs"]
mod program;

use program::Folder;
use serde_json::{Value, json};

fn cluster(initialized: bool) -> Value {
    json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": {"name": "oak", "namespace": "plants"},
        "spec": {}, "status": {"initialization": {"controlPlaneInitialized": initialized}}})
}

fn machine(name: &str, control_plane: bool, nic: &Value) -> Value {
    let mut labels = json!({"cluster.x-k8s.io/cluster-name": "oak"});
    if control_plane {
        labels["cluster.x-k8s.io/control-plane"] = json!("");
    }
    json!({"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2", "kind": "VSphereMachine",
        "metadata": {"name": name, "namespace": "plants", "labels": labels, "creationTimestamp": "2026-01-05T10:00:00Z"},
        "spec": {"network": {"devices": [nic]}}})
}

fn with(address: &str) -> Value {
    json!({"networkName": "n", "ipAddrs": [address]})
}

fn status(objects: &[Value], arguments: &[&str]) -> (String, i32) {
    let folder = Folder::new();
    let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    folder.write("dump.yaml", if text.is_empty() { "{}\n".into() } else { text });
    let ran = folder.run(&[&["status", "-f", "dump.yaml"][..], arguments].concat());
    (ran.stdout, ran.code)
}

fn line<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines()
        .find(|line| line.contains(name))
        .unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/f5/plan.yaml");

#[test]
fn two_machines_with_one_address_are_never_fine() {
    let objects = [
        cluster(true),
        machine("a", true, &with("192.0.2.10/24")),
        machine("b", true, &with("192.0.2.10/24")),
    ];
    let (text, code) = status(&objects, &[]);
    assert!(
        text.contains("plants/oak: 192.0.2.10 is an address of a and b"),
        "{text}"
    );
    assert_eq!(code, 1);
}

#[test]
fn a_plan_whose_cluster_is_not_there_is_not_met() {
    for (objects, namespace) in [(vec![], &[][..]), (vec![cluster(true)], &["-n", "elsewhere"][..])] {
        let (text, code) = status(&objects, &[&["--against", PLAN][..], namespace].concat());
        assert!(text.contains("default/dkp-demo: the Cluster is not there"), "{text}");
        assert_eq!(code, 1);
    }
}

#[test]
fn machines_without_their_cluster_are_shown() {
    let (text, code) = status(&[machine("a", true, &with("192.0.2.10/24"))], &[]);
    assert!(line(&text, "Cluster/plants/oak").contains("NotFound"), "{text}");
    assert!(line(&text, "    a ").contains("192.0.2.10/24"), "{text}");
    assert_eq!(code, 0);
}

#[test]
fn a_worker_that_is_held_is_not_blamed_on_the_controller() {
    let bare = json!({"networkName": "n"});
    let objects = [cluster(false), machine("w", false, &bare), machine("m", true, &bare)];
    let (text, _) = status(&objects, &["-o", "wide"]);
    assert!(line(&text, "    w ").contains("ControlPlaneNotUp"), "{text}");
    assert!(line(&text, "    m ").contains("NotClaimed"), "{text}");
    let (text, _) = status(&[cluster(true), machine("w", false, &bare)], &[]);
    assert!(line(&text, "    w ").contains("NotClaimed"), "{text}");
}

#[test]
fn a_machine_on_dhcp_that_a_pool_was_meant_for_says_so() {
    let mut machine = machine("a", true, &json!({"networkName": "n", "dhcp4": true}));
    machine["metadata"]["annotations"] = json!({"capv-ipam.dev/waiting-for": "DHCPStillOn: set both to false"});
    let (text, _) = status(&[cluster(true), machine], &["-o", "wide"]);
    let line = line(&text, "    a ");
    assert!(
        line.contains("DHCPStillOn") && line.contains("set both to false"),
        "{text}"
    );
}
