//! Address plans for tests of the load balancer's lists, as `plan -o json` prints them.
#![allow(dead_code, reason = "no test file needs all of it")]

use std::net::{IpAddr, Ipv4Addr};

use capv_ipam::addressing::{Backends, Format};
use capv_ipam::backends::{MemberList, PlanFinding, Settings, Vip, Wanted, collect, render};
use capv_ipam::planning::AddressPlan;
use serde_json::{Value, json};

/// A cluster with an exact control plane; the surge addresses follow the replicas' in its pool.
pub(crate) fn cluster(name: &str, vip: &str, replicas: &[&str], surge: &[&str]) -> Value {
    let all: Vec<&str> = replicas.iter().chain(surge).copied().collect();
    let six = all.iter().any(|address| address.contains(':'));
    let pool = json!({"kind": "IPPool", "namespace": "default", "name": format!("{name}-pool")});
    let nic = |address: Option<&str>| {
        let mut nic = json!({
            "device": 0, "network": "Public", "family": if six { "IPv6" } else { "IPv4" }, "pool": pool,
            "certainty": if address.is_some() { "exact" } else { "set" }, "claim": "<machine>-0",
        });
        if let Some(address) = address {
            nic["address"] = json!(address);
        }
        nic
    };
    let replica = |(index, address): (usize, &&str)| json!({"name": format!("control-plane-{}", index + 1), "kind": "replica", "nics": [nic(Some(address))]});
    let extra = |index: usize| json!({"name": format!("control-plane-surge-{}", index + 1), "kind": "surge", "nics": [nic(None)]});
    let slots: Vec<Value> = replicas
        .iter()
        .enumerate()
        .map(replica)
        .chain((0..surge.len()).map(extra))
        .collect();
    let mut of_pool = pool.clone();
    of_pool["addresses"] = json!(all);
    json!({
        "name": name,
        "namespace": "default",
        "endpoint": {"host": vip, "port": 6443},
        "groups": [{
            "kind": "KubeadmControlPlane", "name": format!("{name}-control-plane"), "role": "control-plane",
            "template": format!("{name}-control-plane"), "replicas": replicas.len(), "surge": surge.len(),
            "certainty": "exact", "slots": slots, "addresses": all,
        }],
        "pools": [of_pool],
    })
}

/// Adds workers with a pool of their own, known as a set.
pub(crate) fn with_workers(mut cluster: Value, addresses: &[&str]) -> Value {
    let name = cluster["name"].as_str().unwrap().to_owned();
    let pool = json!({"kind": "IPPool", "namespace": "default", "name": format!("{name}-workers")});
    let six = addresses.iter().any(|address| address.contains(':'));
    let nic = json!({
        "device": 0, "network": "Public", "family": if six { "IPv6" } else { "IPv4" }, "pool": pool,
        "certainty": "set", "claim": "<machine>-0",
    });
    let slot = |index: usize| json!({"name": format!("md-0-{}", index + 1), "kind": "replica", "nics": [nic]});
    let slots: Vec<Value> = (0..addresses.len()).map(slot).collect();
    let mut of_pool = pool.clone();
    of_pool["addresses"] = json!(addresses);
    cluster["groups"].as_array_mut().unwrap().push(json!({
        "kind": "MachineDeployment", "name": format!("{name}-md-0"), "role": "worker", "template": format!("{name}-md-0"),
        "replicas": addresses.len(), "surge": 0, "certainty": "set", "why": "the order is not fixed",
        "slots": slots, "addresses": addresses,
    }));
    cluster["pools"].as_array_mut().unwrap().push(of_pool);
    cluster
}

/// A plan of clusters.
pub(crate) fn plan(clusters: &[Value]) -> Value {
    json!({"apiVersion": "capv-ipam.dev/v1alpha1", "kind": "AddressPlan", "clusters": clusters})
}

/// The member list of a plan with keys of `backends`.
pub(crate) fn list(plan: &Value, backends: &Value) -> (MemberList, Vec<PlanFinding>) {
    let plan: AddressPlan = serde_json::from_value(plan.clone()).unwrap();
    let backends: Backends = serde_json::from_value(backends.clone()).unwrap();
    let settings = Settings::new([], &backends).unwrap();
    collect(&plan, &settings, &[])
}

/// The list of a plan that is right.
pub(crate) fn members(plan: &Value, backends: &Value) -> MemberList {
    let (list, findings) = list(plan, backends);
    assert!(
        findings
            .iter()
            .all(|found| found.finding.severity != capv_ipam::check::Severity::Error),
        "{findings:#?}"
    );
    list
}

/// The list with VIPs on loopback addresses, which every host holds: 127.0.A.B for 198.18.A.B, because no VIP may be one.
pub(crate) fn on_loopback(mut list: MemberList) -> MemberList {
    for service in &mut list.services {
        if let Vip::Address(IpAddr::V4(vip)) = &mut service.vip
            && vip.octets().starts_with(&[198, 18])
        {
            let [.., third, fourth] = vip.octets();
            *vip = Ipv4Addr::new(127, 0, third, fourth);
        }
    }
    list
}

/// The codes of everything that is said about a plan.
pub(crate) fn codes(plan: &Value, backends: &Value) -> Vec<&'static str> {
    let (_, findings) = list(plan, backends);
    findings.iter().map(|found| found.finding.code.id).collect()
}

/// A whole list in a format.
pub(crate) fn whole(list: &MemberList, format: Format) -> String {
    rendered(list, format, None, false)
}

/// A list, or its difference, in a format.
pub(crate) fn rendered(list: &MemberList, format: Format, against: Option<&MemberList>, rollback: bool) -> String {
    let wanted = Wanted {
        list,
        against,
        rollback,
    };
    let (text, _) = render(format, wanted).unwrap_or_else(|findings| panic!("{findings:#?}"));
    text
}

/// A manifest of a cluster with a pool and a label, so that it needs no configuration.
pub(crate) fn manifest(name: &str, vip: &str, first: &str, last: &str) -> String {
    format!(
        "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  controlPlaneRef: \
         {{apiVersion: controlplane.cluster.x-k8s.io/v1beta1, kind: KubeadmControlPlane, name: {name}}}\n  infrastructureRef: \
         {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereCluster, name: {name}}}\n---\napiVersion: \
         infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereCluster\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  \
         controlPlaneEndpoint: {{host: {vip}, port: 6443}}\n---\napiVersion: controlplane.cluster.x-k8s.io/v1beta1\nkind: \
         KubeadmControlPlane\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  replicas: 2\n  machineTemplate:\n    \
         infrastructureRef: {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, name: {name}}}\n---\n\
         apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata:\n  name: {name}\n  namespace: \
         default\n  labels: {{cluster.x-k8s.io/ip-pool-name: {name}-pool}}\nspec:\n  template:\n    spec:\n      network:\n        \
         devices:\n        - {{networkName: Public, dhcp4: false, dhcp6: false}}\n      template: img\n---\napiVersion: \
         ipam.metal3.io/v1alpha1\nkind: IPPool\nmetadata: {{name: {name}-pool, namespace: default}}\nspec:\n  clusterName: {name}\n  \
         namePrefix: {name}\n  pools:\n  - {{start: {first}, end: {last}, prefix: 24, gateway: 192.0.2.254}}\n"
    )
}
