//! Measures the transformation beside a bare YAML parse of the same text in the same run; the ratio counts, not the seconds.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::fmt::Write as _;

use capv_ipam::addressing::read_configurations;
use capv_ipam::objects::Source;
use capv_ipam::outcome::compute;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;

const CONFIG: &str = "\
apiVersion: capv-ipam.dev/v1alpha1
kind: StaticAddressing
spec:
  pools:
  - name: bench
    machines: [all]
    addresses: [10.0.0.1-10.0.255.254]
    prefix: 16
";

/// A template and the control plane that uses it.
fn ours(out: &mut String, number: usize) {
    let _ = write!(
        out,
        "---\napiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata:\n  name: c{number}\n  \
         namespace: default\nspec:\n  template:\n    spec:\n      cloneMode: fullClone\n      datacenter: dc1\n      datastore: store\n      \
         diskGiB: 80\n      folder: /dc1/vm/folder\n      memoryMiB: 16384\n      network:\n        devices:\n        - dhcp4: true\n          \
         networkName: Public # the network\n      numCPUs: 4\n      server: vcenter.example.com\n      template: ubuntu\n---\napiVersion: \
         controlplane.cluster.x-k8s.io/v1beta1\nkind: KubeadmControlPlane\nmetadata:\n  name: c{number}\n  namespace: default\nspec:\n  \
         kubeadmConfigSpec:\n    preKubeadmCommands:\n    - hostname \"{{{{ ds.meta_data.hostname }}}}\"\n  machineTemplate:\n    \
         infrastructureRef:\n      apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n      kind: VSphereMachineTemplate\n      name: \
         c{number}\n  replicas: 3\n  version: v1.28.3\n"
    );
}

/// A document of another kind, as long as ours.
fn other(out: &mut String, number: usize) {
    let _ = write!(
        out,
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number}\n  namespace: default\ndata:\n  settings: |\n"
    );
    for line in 0..12 {
        let _ = writeln!(out, "    line{line}: a value that nobody reads in this run");
    }
}

/// A stream of 10,000 documents of which one in `every` pairs is ours.
fn stream(every: usize) -> String {
    let mut out = String::new();
    for number in 0..5_000 {
        if number % every == 0 {
            ours(&mut out, number);
        } else {
            other(&mut out, number);
            other(&mut out, number + 5_000);
        }
    }
    out
}

fn transform(text: &str) -> usize {
    let configs = read_configurations(&[(1, CONFIG)], &json!({})).ok().unwrap();
    let sources = [Source {
        name: "bench.yaml",
        text,
    }];
    let outcome = compute(&sources, &configs, None);
    outcome.edits.unwrap()[0].iter().count()
}

fn parse(text: &str) -> usize {
    let documents = serde_yaml::Deserializer::from_str(text);
    let values = documents.map(|document| <serde_yaml::Value as serde::Deserialize>::deserialize(document).unwrap());
    values.filter(|value| !value.is_null()).count()
}

fn bench(criterion: &mut Criterion) {
    let quickstart = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/cluster.yaml");
    let cases = [
        ("one manifest", std::fs::read_to_string(quickstart).unwrap()),
        ("10,000 documents, 1 % ours", stream(100)),
        ("10,000 documents, all ours", stream(1)),
    ];
    for (name, text) in &cases {
        let mut group = criterion.benchmark_group(*name);
        group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("transform", |bencher| bencher.iter(|| transform(text)));
        group.bench_function("bare parse into values", |bencher| bencher.iter(|| parse(text)));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
