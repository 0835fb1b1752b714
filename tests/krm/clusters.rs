//! Several clusters in one list, and the ConfigMaps with plans and member lists: whose they are, and about which cluster.

use serde_json::Value;

use crate::given::{HEAD, call, item, of_items, part};
use crate::program::Ran;

/// A cluster that has its addresses already.
fn cluster(name: &str, namespace: &str, network: &str) -> String {
    "\
- apiVersion: cluster.x-k8s.io/v1beta1
  kind: Cluster
  metadata: {name: NAME, namespace: SPACE}
  spec:
    controlPlaneRef: {apiVersion: controlplane.cluster.x-k8s.io/v1beta1, kind: KubeadmControlPlane, name: NAME-cp}
    infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereCluster, name: NAME}
- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
  kind: VSphereCluster
  metadata: {name: NAME, namespace: SPACE}
  spec:
    controlPlaneEndpoint: {host: NET.9, port: 6443}
- apiVersion: controlplane.cluster.x-k8s.io/v1beta1
  kind: KubeadmControlPlane
  metadata: {name: NAME-cp, namespace: SPACE}
  spec:
    replicas: 3
    version: v1.28.3
    machineTemplate:
      infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: NAME-cp}
- apiVersion: ipam.metal3.io/v1alpha1
  kind: IPPool
  metadata: {name: NAME-pool, namespace: SPACE}
  spec:
    clusterName: NAME
    namePrefix: NAME-pool
    pools:
    - {start: NET.10, end: NET.14, prefix: 24, gateway: NET.1}
- apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
  kind: VSphereMachineTemplate
  metadata:
    name: NAME-cp
    namespace: SPACE
    labels:
      cluster.x-k8s.io/ip-pool-name: NAME-pool
  spec:
    template:
      spec:
        network:
          devices:
          - networkName: nodes
            dhcp4: false
            dhcp6: false
        template: ubuntu
"
    .replace("NAME", name)
    .replace("SPACE", namespace)
    .replace("NET", network)
}

fn two() -> String {
    cluster("edge", "lab", "203.0.113") + &cluster("oak", "lab", "198.51.100")
}

fn twins() -> String {
    cluster("edge", "n1", "203.0.113") + &cluster("edge", "n2", "198.51.100")
}

fn run(items: &str, spec: &str) -> (String, Ran) {
    let text = format!(
        "{HEAD}{items}functionConfig:\n  apiVersion: capv-ipam.dev/v1alpha1\n  kind: StaticAddressing\n  metadata:\n    name: site\n  spec: {{{spec}}}\n"
    );
    let ran = call(&text);
    (text, ran)
}

fn done(items: &str, spec: &str) -> String {
    let (_, ran) = run(items, spec);
    assert_eq!(ran.code, 0, "{spec}: {}", ran.stderr);
    ran.stdout
}

/// The items as they came, and the first result.
fn refused(items: &str, spec: &str) -> Value {
    let (text, ran) = run(items, spec);
    assert_eq!(ran.code, 1, "{spec}: {}{}", ran.stderr, ran.stdout);
    assert!(ran.stdout.starts_with(&text), "{}", ran.stdout);
    part(&ran.stdout, "results")[0].clone()
}

fn data(answer: &str, name: &str, key: &str) -> String {
    let found = item(answer, "ConfigMap", name).unwrap_or_else(|| panic!("{name} is not in {answer}"));
    found["data"][key].as_str().unwrap().to_owned()
}

#[test]
fn lists_and_plans_are_about_the_named_cluster_alone() {
    for (verb, name, key) in [
        ("backends", "oak-backends", "table"),
        ("plan", "oak-address-plan", "plan.yaml"),
    ] {
        let answer = done(&two(), &format!("verb: {verb}, cluster: oak"));
        let text = data(&answer, name, key);
        assert!(text.contains("198.51.100.10"), "{text}");
        assert!(!text.contains("203.0.113.") && !text.contains("edge"), "{text}");
    }
}

#[test]
fn a_cluster_that_is_not_there_is_refused() {
    let listed = refused(&two(), "verb: backends, cluster: nope");
    assert_eq!(listed["tags"]["code"], "CI601", "{listed}");
    let message = listed["message"].as_str().unwrap();
    assert!(message.contains("no cluster nope"), "{message}");
    assert_eq!(listed["field"]["path"], "spec.cluster");
    for verb in ["plan", "check"] {
        let planned = refused(&two(), &format!("verb: {verb}, cluster: nope"));
        assert_eq!(planned["tags"]["code"], "CI103", "{planned}");
    }
}

#[test]
fn two_steps_for_two_clusters_leave_both_lists() {
    let (_, first) = run(&two(), "verb: backends, cluster: edge");
    let second = call(&first.stdout.replace("cluster: edge}", "cluster: oak}"));
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(data(&second.stdout, "edge-backends", "table").contains("203.0.113.10"));
    assert!(data(&second.stdout, "oak-backends", "table").contains("198.51.100.10"));
}

#[test]
fn without_a_name_all_clusters_are_judged_and_listed() {
    let checked = done(&two(), "verb: check");
    assert!(!checked.contains("CI103"), "{checked}");
    for (verb, name, key) in [
        ("backends", "site-backends", "table"),
        ("plan", "site-address-plan", "plan.yaml"),
    ] {
        let text = data(&done(&two(), &format!("verb: {verb}")), name, key);
        assert!(
            text.contains("203.0.113.10") && text.contains("198.51.100.10"),
            "{text}"
        );
    }
    // What is to change needs to know whose it is.
    assert_eq!(
        refused(&two(), "verb: transform, kubeVip: remove")["tags"]["code"],
        "CI103"
    );
}

#[test]
fn clusters_of_one_name_are_told_apart_by_their_namespace() {
    let spec = "pools: [{name: edge-pool, machines: [control-plane], addresses: [203.0.113.10-203.0.113.14], prefix: 24, gateway: 203.0.113.1}]";
    let which = refused(&twins(), spec);
    let message = which["message"].as_str().unwrap();
    assert!(message.contains("n1/edge, n2/edge"), "{message}");
    let named = refused(&twins(), &format!("cluster: edge, {spec}"));
    let message = named["message"].as_str().unwrap();
    assert!(message.contains("NAMESPACE/NAME, for example n1/edge"), "{message}");
    let answer = done(&twins(), &format!("cluster: n1/edge, {spec}"));
    let pool = item(&answer, "IPPool", "edge-pool").unwrap();
    assert_eq!(
        (&pool["metadata"]["namespace"], &pool["spec"]["clusterName"]),
        (&"n1".into(), &"edge".into())
    );
    let lists = done(&twins(), "verb: backends, cluster: n2/edge");
    let text = data(&lists, "n2-edge-backends", "table");
    assert!(text.contains("198.51.100.10") && !text.contains("203.0.113."), "{text}");
}

/// A ConfigMap of the user's that has the name which the function would take.
#[test]
fn a_config_map_of_somebody_else_is_never_replaced() {
    let mine = "- # my own\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: NAME # mine\nMARK  data:\n    # my upstreams\n    \
                nginx.conf: |\n      upstream { server a; }\n    other: x\n";
    let local = "    annotations:\n      config.kubernetes.io/local-config: \"true\"\n";
    for (verb, name) in [("backends", "edge-backends"), ("plan", "edge-address-plan")] {
        for mark in ["", local] {
            let items = cluster("edge", "lab", "203.0.113") + &mine.replace("NAME", name).replace("MARK", mark);
            let result = refused(&items, &format!("verb: {verb}"));
            assert_eq!(result["tags"]["code"], "CI707", "{result}");
            assert_eq!(result["resourceRef"]["name"], name);
        }
    }
}

#[test]
fn a_list_of_the_call_before_is_replaced() {
    let first = done(&cluster("edge", "lab", "203.0.113"), "verb: backends");
    let other = first
        .replace("end: 203.0.113.14", "end: 203.0.113.13")
        .replace("start: 203.0.113.10", "start: 203.0.113.11");
    let again = call(&other);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let text = data(&again.stdout, "edge-backends", "table");
    assert!(
        text.contains("203.0.113.11") && !text.contains("203.0.113.10"),
        "{text}"
    );
    assert_eq!(of_items(&again.stdout, &["kind"]), of_items(&first, &["kind"]));
}
