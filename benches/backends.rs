//! Measures every format for 1,000 clusters with four members each, from the plan to the text.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use capv_ipam::addressing::{Backends, Format};
use capv_ipam::backends::{Settings, Wanted, collect, render};
use capv_ipam::planning::AddressPlan;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

fn cluster(number: usize) -> Value {
    let name = format!("c{number}");
    let address = |last: usize| format!("10.{}.{}.{last}", number / 250, number % 250);
    let pool = json!({"kind": "IPPool", "name": name});
    let nic = |last: Option<usize>| {
        let mut nic = json!({"device": 0, "family": "IPv4", "pool": pool, "claim": "<machine>-0", "prefix": 24});
        nic["certainty"] = json!(if last.is_some() { "exact" } else { "set" });
        nic["address"] = json!(last.map(address));
        nic
    };
    let slot =
        |number: usize| json!({"name": format!("cp-{number}"), "kind": "replica", "nics": [nic(Some(20 + number))]});
    let mut slots: Vec<Value> = (1..=3).map(slot).collect();
    slots.push(json!({"name": "cp-surge-1", "kind": "surge", "nics": [nic(None)]}));
    let addresses: Vec<String> = (21..=24).map(address).collect();
    json!({
        "name": name, "endpoint": {"host": address(10), "port": 6443},
        "groups": [{
            "kind": "KubeadmControlPlane", "name": format!("{name}-cp"), "role": "control-plane", "template": name,
            "replicas": 3, "surge": 1, "certainty": "exact", "slots": slots, "addresses": addresses,
        }],
        "pools": [{"kind": "IPPool", "name": name, "addresses": addresses}],
    })
}

fn formats(criterion: &mut Criterion) {
    let clusters: Vec<Value> = (0..1000).map(cluster).collect();
    let plan = json!({"apiVersion": "capv-ipam.dev/v1alpha1", "kind": "AddressPlan", "clusters": clusters});
    let plan: AddressPlan = serde_json::from_value(plan).unwrap();
    let settings = Settings::new([], &Backends::default()).unwrap();
    let mut group = criterion.benchmark_group("1,000 clusters");
    group.sample_size(10);
    for format in Format::ALL {
        group.bench_function(format.name(), |bencher| {
            bencher.iter(|| {
                let (list, _) = collect(&plan, &settings, &[]);
                let wanted = Wanted {
                    list: &list,
                    against: None,
                    rollback: false,
                };
                render(format, wanted).unwrap().0.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, formats);
criterion_main!(benches);
