//! Measures `plan` and `check` of a stream of 1,000 clusters, as a user's run does them: everything read, judged and reported.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::fmt::Write as _;

use capv_ipam::addressing::{ConfigDocument, read_configurations};
use capv_ipam::check::Purpose;
use capv_ipam::objects::Source;
use capv_ipam::outcome::{compute_for, plan};
use capv_ipam::report::{Report, sarif, text};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;

const CLUSTERS: usize = 1_000;

/// The third octet and the first of eight addresses of a cluster's pool.
fn place(number: usize) -> (usize, usize) {
    (number / 24, 10 + number % 24 * 10)
}

/// A cluster of a control plane on static addresses and workers on DHCP, with its pool and label when `pools`.
fn cluster(out: &mut String, number: usize, pools: bool) {
    let (net, first) = place(number);
    let (dhcp, label) = if pools {
        (
            "false",
            format!("\n  labels:\n    cluster.x-k8s.io/ip-pool-name: c{number}-cp-pool"),
        )
    } else {
        ("true", String::new())
    };
    let _ = write!(
        out,
        "---
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata:
  name: c{number}
  namespace: default
spec:
  controlPlaneRef:
    apiVersion: controlplane.cluster.x-k8s.io/v1beta1
    kind: KubeadmControlPlane
    name: c{number}-cp
  infrastructureRef:
    apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
    kind: VSphereCluster
    name: c{number}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereCluster
metadata:
  name: c{number}
  namespace: default
spec:
  controlPlaneEndpoint:
    host: 10.1.{net}.{first}
    port: 6443
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta1
kind: KubeadmControlPlane
metadata:
  name: c{number}-cp
  namespace: default
spec:
  replicas: 3
  kubeadmConfigSpec:
    preKubeadmCommands:
    - hostname \"{{{{ ds.meta_data.hostname }}}}\"
  machineTemplate:
    infrastructureRef:
      apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
      kind: VSphereMachineTemplate
      name: c{number}-cp
  version: v1.28.3
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata:
  name: c{number}-cp
  namespace: default{label}
spec:
  template:
    spec:
      cloneMode: fullClone
      datacenter: dc1
      diskGiB: 80
      memoryMiB: 16384
      network:
        devices:
        - dhcp4: {dhcp}
          dhcp6: false
          networkName: Public
      numCPUs: 4
      template: ubuntu
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata:
  name: c{number}-md
  namespace: default
spec:
  clusterName: c{number}
  replicas: 4
  template:
    spec:
      clusterName: c{number}
      infrastructureRef:
        apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
        kind: VSphereMachineTemplate
        name: c{number}-md
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: VSphereMachineTemplate
metadata:
  name: c{number}-md
  namespace: default
spec:
  template:
    spec:
      network:
        devices:
        - dhcp4: true
          networkName: Workers
      numCPUs: 4
      template: ubuntu
"
    );
    if pools {
        let _ = write!(
            out,
            "---
apiVersion: ipam.metal3.io/v1alpha1
kind: IPPool
metadata:
  name: c{number}-cp-pool
  namespace: default
spec:
  clusterName: c{number}
  namePrefix: c{number}
  pools:
  - start: 10.0.{net}.{first}
    end: 10.0.{net}.{}
  prefix: 24
  gateway: 10.0.{net}.1
  dnsServers: [10.2.0.53]
",
            first + 4
        );
    }
}

/// One configuration for each cluster, with an acceptance of its own.
fn configurations() -> String {
    let mut out = String::new();
    for number in 0..CLUSTERS {
        let (net, first) = place(number);
        let _ = write!(
            out,
            "---
apiVersion: capv-ipam.dev/v1alpha1
kind: StaticAddressing
metadata:
  name: c{number}
spec:
  cluster: c{number}
  pools:
  - name: c{number}-cp-pool
    machines: [control-plane]
    addresses: [10.0.{net}.{first}-10.0.{net}.{}]
    prefix: 24
    gateway: 10.0.{net}.1
    dnsServers: [10.2.0.53]
  accept:
  - code: CI312
    object: IPPool/c{number}-cp-pool
    reason: the control plane rolls out without surge
",
            first + 3
        );
    }
    out
}

fn check(source: &Source<'_>, configs: &[ConfigDocument<'_>], config: &str) -> usize {
    let sources = [*source];
    let outcome = compute_for(Purpose::Check, &sources, configs, None);
    assert!(outcome.edits.is_some(), "{:?}", outcome.findings.first());
    let report = Report {
        findings: &outcome.findings,
        accepted: &outcome.accepted,
        texts: &[(source.name, source.text), ("config.yaml", config)],
    };
    text(&report, false).len() + sarif(&report).len()
}

fn plans(source: &Source<'_>, configs: &[ConfigDocument<'_>]) -> usize {
    let sources = [*source];
    let outcome = compute_for(Purpose::Plan, &sources, configs, None);
    let plan = plan(&sources, &outcome.edits.unwrap(), None).unwrap();
    assert_eq!(plan.clusters.len(), CLUSTERS);
    serde_json::to_string(&plan).unwrap().len()
}

fn bench(criterion: &mut Criterion) {
    let stream = |pools| {
        let mut out = String::new();
        (0..CLUSTERS).for_each(|number| cluster(&mut out, number, pools));
        out
    };
    let config = configurations();
    let cases = [
        ("1,000 clusters, pools in the stream", stream(true), String::new()),
        ("1,000 clusters, 1,000 configurations", stream(false), config),
    ];
    for (name, text, config) in &cases {
        let source = Source {
            name: "clusters.yaml",
            text,
        };
        let read = || {
            let files = [(1, config.as_str())];
            let files = if config.is_empty() { &[][..] } else { &files[..] };
            read_configurations(files, &json!({})).ok().unwrap()
        };
        let mut group = criterion.benchmark_group(*name);
        group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("check", |bencher| bencher.iter(|| check(&source, &read(), config)));
        group.bench_function("plan", |bencher| bencher.iter(|| plans(&source, &read())));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
