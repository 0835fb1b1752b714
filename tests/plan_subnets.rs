//! What the plan says of subnets: networks, gateways, endpoints, name servers, every pool with what its addresses are for, and who stays on DHCP; whatever the order of the documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod support;

use capv_ipam::objects::Source;
use capv_ipam::outcome;
use capv_ipam::planning::AddressPlan;
use serde_json::{Value, json};
use support::run;

/// The plan of a manifest that has its pools and labels, or gets them by a configuration.
fn plan(text: &str, config: &str) -> AddressPlan {
    let edits = run(text, config).edits.expect("no error");
    let sources = [Source {
        name: "input.yaml",
        text,
    }];
    outcome::plan(&sources, &[edits], None).unwrap_or_else(|_| panic!("the text is read"))
}

fn subnets(text: &str) -> Value {
    serde_json::to_value(plan(text, "").subnets).unwrap()
}

/// A cluster `name` with a control plane of `replicas` machines on the pool `name`.
fn cluster(name: &str, host: &str, replicas: &str) -> String {
    format!(
        "---
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {{name: {name}, namespace: ns}}
spec:
  controlPlaneRef: {{apiVersion: controlplane.cluster.x-k8s.io/v1beta1, kind: KubeadmControlPlane, name: {name}}}
  infrastructureRef: {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereCluster, name: {name}}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereCluster
metadata: {{name: {name}, namespace: ns}}
spec: {{controlPlaneEndpoint: {{host: \"{host}\", port: 6443}}}}
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta1
kind: KubeadmControlPlane
metadata: {{name: {name}, namespace: ns}}
spec:
  replicas: {replicas}
  machineTemplate: {{infrastructureRef: {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: {name}}}}}
{}",
        template(name, "net", "dhcp4: false")
    )
}

fn template(name: &str, network: &str, dhcp: &str) -> String {
    format!(
        "---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata: {{name: {name}, namespace: ns, labels: {{cluster.x-k8s.io/ip-pool-name: {name}}}}}
spec: {{template: {{spec: {{network: {{devices: [{{networkName: {network}, {dhcp}}}]}}}}}}}}
"
    )
}

fn pool(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {{name: {name}, namespace: ns}}\nspec: {{namePrefix: x, {spec}}}\n"
    )
}

#[test]
fn a_subnet_says_what_lies_where() {
    let pool = pool(
        "blue",
        "prefix: 24, gateway: 10.0.0.1, dnsServers: [10.0.0.2, 9.9.9.9], preAllocations: {a-0: 10.0.0.12}, pools: [{start: 10.0.0.11, end: 10.0.0.20}]",
    );
    let text = cluster("blue", "10.0.0.5", "3") + &pool;
    assert_eq!(
        subnets(&text),
        json!([{
            "cidr": "10.0.0.0/24",
            "family": "IPv4",
            "networks": ["net"],
            "gateways": ["10.0.0.1"],
            "dnsServers": ["10.0.0.2"],
            "endpoints": [{"address": "10.0.0.5", "port": 6443, "cluster": "blue", "namespace": "ns"}],
            "pools": [{
                "kind": "IPPool", "namespace": "ns", "name": "blue",
                "groups": [{"cluster": "blue", "namespace": "ns", "kind": "KubeadmControlPlane", "name": "blue"}],
                "ranges": ["10.0.0.11-10.0.0.20"],
                "replicas": ["10.0.0.11", "10.0.0.13-10.0.0.14"],
                "surge": ["10.0.0.15"],
                "reserved": ["10.0.0.12"],
            }],
        }])
    );
}

#[test]
fn pools_of_other_clusters_and_of_nobody_are_there() {
    let range = |name: &str, from: u8| {
        pool(
            name,
            &format!(
                "prefix: 24, gateway: 10.0.0.1, pools: [{{start: 10.0.0.{from}, end: 10.0.0.{}}}]",
                from + 4
            ),
        )
    };
    let text = cluster("blue", "10.0.0.5", "3")
        + &range("blue", 11)
        + &cluster("red", "203.0.113.7", "1")
        + &range("red", 31)
        + &range("old", 21);
    let subnets = subnets(&text);
    assert_eq!(subnets.as_array().unwrap().len(), 1, "{subnets}");
    let pools: Vec<&str> = subnets[0]["pools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pool| pool["name"].as_str().unwrap())
        .collect();
    assert_eq!(pools, ["blue", "old", "red"], "in the order of their addresses");
    assert_eq!(subnets[0]["pools"][1].get("groups"), None, "nothing draws from it");
    let endpoints = subnets[0]["endpoints"].as_array().unwrap();
    assert_eq!(endpoints.len(), 1, "the other endpoint is elsewhere");
}

#[test]
fn what_is_not_known_is_any_of_the_pool() {
    let spec = "prefix: 24, pools: [{start: 10.0.0.11, end: 10.0.0.20}]";
    let unknown = subnets(&(cluster("blue", "10.0.0.5", "${N}") + &pool("blue", spec)));
    assert_eq!(unknown[0]["pools"][0]["any"], json!(["10.0.0.11-10.0.0.20"]));
    assert_eq!(unknown[0]["pools"][0].get("replicas"), None);
    let spec = format!("allocationStrategy: random, {spec}");
    let random = subnets(&(cluster("blue", "10.0.0.5", "3") + &pool("blue", &spec)));
    assert_eq!(random[0]["pools"][0]["any"], json!(["10.0.0.11-10.0.0.20"]));
}

#[test]
fn the_entries_of_a_pool_may_be_in_several_subnets() {
    let spec = "pools: [{start: 10.1.0.10, end: 10.1.0.11, prefix: 24, gateway: 10.1.0.1}, {start: 10.2.0.10, end: 10.2.0.20, prefix: 24, gateway: 10.2.0.1}]";
    let subnets = subnets(&(cluster("blue", "api.example.net", "3") + &pool("blue", spec)));
    let part = |index: usize, key: &str| subnets[index]["pools"][0][key].clone();
    assert_eq!(subnets[0]["gateways"], json!(["10.1.0.1"]));
    assert_eq!(part(0, "replicas"), json!(["10.1.0.10-10.1.0.11"]));
    assert_eq!(subnets[1]["gateways"], json!(["10.2.0.1"]));
    assert_eq!(part(1, "replicas"), json!(["10.2.0.10"]));
    assert_eq!(part(1, "surge"), json!(["10.2.0.11"]));
}

#[test]
fn a_pool_without_a_prefix_that_fits_is_shown_without_a_subnet() {
    for prefix in ["", "prefix: 28, "] {
        let spec = format!("{prefix}pools: [{{start: 10.0.0.11, end: 10.0.0.20}}]");
        let alone = subnets(&(cluster("blue", "10.0.0.5", "3") + &pool("blue", &spec)));
        assert_eq!(alone[0].get("cidr"), None, "{alone}");
        assert_eq!(alone[0]["family"], json!("IPv4"));
        assert_eq!(alone[0]["networks"], json!(["net"]));
        assert_eq!(alone[0]["pools"][0]["ranges"], json!(["10.0.0.11-10.0.0.20"]));
        // Another pool tells the subnet: then it is in that one.
        let other = pool("other", "prefix: 24, pools: [{start: 10.0.0.30, end: 10.0.0.31}]");
        let known = subnets(&(cluster("blue", "10.0.0.5", "3") + &pool("blue", &spec) + &other));
        assert_eq!(known.as_array().unwrap().len(), 1, "{known}");
        assert_eq!(known[0]["pools"][0]["name"], json!("blue"));
    }
}

#[test]
fn groups_on_dhcp_stand_at_their_network() {
    let spec = "prefix: 24, pools: [{start: 10.0.0.11, end: 10.0.0.20}]";
    let workers = |name: &str| {
        format!(
            "---\napiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {{name: {name}, namespace: ns}}\nspec: {{clusterName: blue, template: {{spec: {{infrastructureRef: {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: {name}}}}}}}}}\n"
        )
    };
    let text = cluster("blue", "10.0.0.5", "3")
        + &pool("blue", spec)
        + &workers("here")
        + &template("here", "net", "dhcp4: true")
        + &workers("there")
        + &template("there", "storage", "dhcp6: true");
    let subnets = subnets(&text);
    let group = |name: &str, network: &str| json!({"cluster": "blue", "namespace": "ns", "kind": "MachineDeployment", "name": name, "device": 0, "network": network});
    assert_eq!(subnets[0]["dhcp"], json!([group("here", "net")]));
    assert_eq!(
        subnets[1],
        json!({"networks": ["storage"], "dhcp": [group("there", "storage")]})
    );
}

#[test]
fn the_order_of_the_documents_is_of_no_weight() {
    let text = cluster("blue", "10.0.0.5", "3")
        + &pool(
            "blue",
            "prefix: 24, gateway: 10.0.0.1, pools: [{start: 10.0.0.11, end: 10.0.0.20}]",
        )
        + &cluster("red", "10.0.0.6", "5")
        + &pool(
            "red",
            "prefix: 24, gateway: 10.0.0.254, pools: [{start: 10.0.0.31, end: 10.0.0.40}]",
        )
        + &pool("free", "prefix: 64, pools: [{start: 2001:db8::11, end: 2001:db8::40}]");
    let documents: Vec<&str> = text.split("---\n").collect();
    let backwards: String = documents
        .iter()
        .rev()
        .map(|document| format!("---\n{document}"))
        .collect();
    assert_eq!(subnets(&text), subnets(&backwards));
}

#[test]
fn a_plan_of_an_earlier_version_is_still_read() {
    let old = json!({
        "apiVersion": "capv-ipam.dev/v1alpha1", "kind": "AddressPlan",
        "clusters": [{"name": "c", "groups": [], "pools": [{"kind": "IPPool", "name": "p", "size": 5, "needed": 4, "free": 1}]}],
    });
    let plan: AddressPlan = serde_json::from_value(old).unwrap();
    assert!(plan.subnets.is_empty() && plan.clusters[0].pools[0].addresses.is_empty());
}

#[test]
fn machines_of_a_group_have_a_name_that_is_known_in_part() {
    let names = |text: &str| -> Vec<Option<String>> {
        let plan = plan(text, "");
        plan.clusters
            .into_iter()
            .flat_map(|cluster| cluster.groups)
            .map(|group| group.machine_name)
            .collect()
    };
    let pool = pool("blue", "prefix: 24, pools: [{start: 10.0.0.11, end: 10.0.0.20}]");
    let text = cluster("blue", "10.0.0.5", "3") + &pool;
    assert_eq!(names(&text), [Some("blue-<random>".to_owned())]);
    let template = "machineNaming: {template: \"{{ .cluster.name }}-node-{{ .random }}\"}\n  replicas: 3";
    assert_eq!(
        names(&text.replace("replicas: 3", template)),
        [Some("blue-node-<random>".to_owned())]
    );
    let (input, config) = (
        "fixtures/topology-workers/input.yaml",
        "fixtures/topology-workers/config.yaml",
    );
    let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let workers = plan(&read(input), &read(config)).clusters.remove(0).groups.remove(0);
    let name = workers.machine_name.unwrap();
    assert!(name.ends_with("-<random>-<random>-<random>"), "{name}");
}

#[test]
fn groups_of_clusters_that_the_manifest_does_not_have_stay_apart() {
    let group = |name: &str| {
        format!(
            "---\napiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {{name: {name}-md, namespace: ns}}\nspec: {{clusterName: {name}, template: {{spec: {{infrastructureRef: {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: blue}}}}}}}}\n"
        )
    };
    let pool = pool("blue", "prefix: 24, pools: [{start: 10.0.0.11, end: 10.0.0.20}]");
    let plan = plan(
        &(group("one") + &group("two") + &template("blue", "net", "dhcp4: false") + &pool),
        "",
    );
    let names: Vec<Option<String>> = plan.clusters.into_iter().map(|cluster| cluster.name).collect();
    assert_eq!(names, [Some("one".to_owned()), Some("two".to_owned())]);
}
