//! Measures the function on a ResourceList of 10,000 items beside a bare pass over the same text in the same run; the ratio counts, not the seconds.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::fmt::Write as _;

use capv_ipam::krm::{End, answer};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize as _;
use serde::de::IgnoredAny;

const ITEMS: usize = 10_000;
const CONFIG: &str = "\
functionConfig:
  apiVersion: capv-ipam.dev/v1alpha1
  kind: StaticAddressing
  spec:
    pools:
    - name: bench
      machines: [all]
      addresses: [10.0.0.1-10.0.255.254]
      prefix: 16
";

/// What kpt adds to every item.
fn head(out: &mut String, version: &str, kind: &str, name: &str, number: usize) {
    let (file, index) = (number / 100, number % 100);
    let _ = write!(
        out,
        "- apiVersion: {version}\n  kind: {kind}\n  metadata:\n    name: {name}\n    annotations:\n      config.kubernetes.io/index: \
         '{index}'\n      config.kubernetes.io/path: 'f{file}.yaml'\n      internal.config.kubernetes.io/index: '{index}'\n      \
         internal.config.kubernetes.io/path: 'f{file}.yaml'\n      internal.config.kubernetes.io/seqindent: 'compact'\n      \
         internal.config.kubernetes.io/annotations-migration-resource-id: '{number}'\n      internal.config.kubernetes.io/id: \
         '{number}'\n      config.k8s.io/id: '{number}'\n"
    );
}

/// A template or the control plane that uses it, every hundredth pair; else what clusters run.
fn item(out: &mut String, number: usize) {
    let pair = number - number % 2;
    match number % 200 {
        0 => {
            head(
                out,
                "infrastructure.cluster.x-k8s.io/v1beta1",
                "VSphereMachineTemplate",
                &format!("c{pair}"),
                number,
            );
            out.push_str("  spec:\n    template:\n      spec:\n        network:\n          devices:\n          - dhcp4: true # now\n            networkName: Public\n        template: ubuntu\n");
        }
        1 => {
            head(
                out,
                "controlplane.cluster.x-k8s.io/v1beta1",
                "KubeadmControlPlane",
                &format!("c{pair}"),
                number,
            );
            let _ = write!(
                out,
                "  spec:\n    replicas: 3\n    machineTemplate:\n      infrastructureRef:\n        apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n        kind: VSphereMachineTemplate\n        name: c{pair}\n"
            );
        }
        _ => {
            head(out, "apps/v1", "Deployment", &format!("d{number}"), number);
            out.push_str("  spec:\n    replicas: 3\n    selector:\n      matchLabels: {app: web}\n    template:\n      metadata:\n        labels: {app: web}\n      spec:\n        containers:\n        - name: web\n          image: nginx:1.27\n          env:\n          - {name: A, value: \"1\"}\n          - name: B\n            value: |\n              one\n              two\n");
        }
    }
}

fn list(config: &str) -> String {
    let mut text = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n".to_owned();
    (0..ITEMS).for_each(|number| item(&mut text, number));
    text + config
}

fn answered(text: &str, edits: bool) -> usize {
    let answer = answer(text, false);
    assert!(answer.end == End::Done && answer.edits.as_ref().is_some_and(|found| found.is_empty() != edits));
    answer.edits.unwrap().splice(text).len()
}

fn bench(criterion: &mut Criterion) {
    let (bare, configured) = (list(""), list(CONFIG));
    let mut group = criterion.benchmark_group("ResourceList of 10,000 items");
    group.sample_size(10).throughput(Throughput::Bytes(bare.len() as u64));
    group.bench_function("bare pass over the events", |bencher| {
        bencher.iter(|| IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(&bare)).unwrap());
    });
    group.bench_function("no configuration", |bencher| bencher.iter(|| answered(&bare, false)));
    group.bench_function("1 % to edit", |bencher| bencher.iter(|| answered(&configured, true)));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
