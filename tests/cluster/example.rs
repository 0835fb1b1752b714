//! The example in `examples/controller` on a real API server: what `transform` writes is applied, machines are made as Cluster API
//! makes them, and the controller gives each the address that the plan said. The example's dump comes from here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::api_server::ADMIN;
use crate::bench::{Bench, eventually, run};
use crate::capv::devices;

const MACHINE: (&str, &str) = ("infrastructure.cluster.x-k8s.io/v1beta1", "VSphereMachine");
const OWNER: (&str, &str) = ("cluster.x-k8s.io/v1beta1", "Machine");
const CLUSTER: &str = "dkp-demo";
const GROUP: &str = "dkp-demo-control-plane";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

/// Runs the program in the root of the repository, and gives what it prints and how it ends.
fn capv_ipam(arguments: &[&str]) -> (String, Option<i32>) {
    let quickstart = [
        "-f",
        "examples/quickstart/cluster.yaml",
        "--config",
        "examples/quickstart/addressing.yaml",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_capv-ipam"));
    command.current_dir(root()).args(arguments);
    if arguments[0] != "status" {
        command.args(quickstart).args(["--report", "json=/dev/null"]);
    }
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(2), "{arguments:?}: {error}");
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

/// A machine of the control plane, and its VSphereMachine, as KubeadmControlPlane and Cluster API make them.
async fn machine(bench: &Bench, name: &str) {
    let labels = json!({
        "cluster.x-k8s.io/cluster-name": CLUSTER,
        "cluster.x-k8s.io/control-plane": "",
        "cluster.x-k8s.io/control-plane-name": GROUP,
    });
    let groups = bench.api(("controlplane.cluster.x-k8s.io/v1beta1", "KubeadmControlPlane"));
    let group = groups.get(GROUP).await.unwrap();
    let owner = bench
        .create(json!({
            "apiVersion": OWNER.0, "kind": OWNER.1,
            "metadata": {"name": name, "labels": labels, "ownerReferences": [{
                "apiVersion": "controlplane.cluster.x-k8s.io/v1beta1", "kind": "KubeadmControlPlane", "name": GROUP,
                "uid": group.metadata.uid, "controller": true,
            }]},
            "spec": {
                "clusterName": CLUSTER, "bootstrap": {"dataSecretName": name},
                "infrastructureRef": {"apiVersion": MACHINE.0, "kind": MACHINE.1, "name": name},
            },
        }))
        .await;
    let templates = bench.api(("infrastructure.cluster.x-k8s.io/v1beta1", "VSphereMachineTemplate"));
    let template = templates.get(GROUP).await.unwrap();
    bench
        .create(json!({
            "apiVersion": MACHINE.0, "kind": MACHINE.1,
            "metadata": {
                "name": name, "labels": labels,
                "annotations": {
                    "cluster.x-k8s.io/cloned-from-name": GROUP,
                    "cluster.x-k8s.io/cloned-from-groupkind": "VSphereMachineTemplate.infrastructure.cluster.x-k8s.io",
                },
                "ownerReferences": [{"apiVersion": OWNER.0, "kind": OWNER.1, "name": name, "uid": owner.metadata.uid}],
            },
            "spec": template.data["spec"]["template"]["spec"],
        }))
        .await;
}

/// The dump without what is another at every run.
fn settled(dump: &str) -> String {
    let mut list: Value = serde_yaml::from_str(dump).unwrap();
    list.as_object_mut().unwrap().shift_remove("metadata");
    let mut uids: BTreeMap<String, String> = BTreeMap::new();
    for object in list["items"].as_array_mut().unwrap() {
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.shift_remove("resourceVersion");
        metadata.shift_remove("generation");
        metadata.insert("creationTimestamp".into(), json!("2026-01-05T10:00:00Z"));
        let owners = metadata.get("ownerReferences").and_then(Value::as_array);
        let owners = owners.into_iter().flatten().map(|owner| owner["uid"].clone());
        for uid in std::iter::once(metadata["uid"].clone()).chain(owners) {
            let number = uids.len() + 1;
            let settled = || format!("00000000-0000-4000-8000-{number:012}");
            uids.entry(uid.as_str().unwrap().into()).or_insert_with(settled);
        }
        // kubectl's own note, which repeats the object.
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        for place in ["/status/lastUpdated", "/status/conditions/0/lastTransitionTime"] {
            if let Some(time) = object.pointer_mut(place) {
                *time = json!("2026-01-05T10:00:00Z");
            }
        }
    }
    let mut text = serde_yaml::to_string(&list).unwrap();
    for (uid, settled) in uids {
        text = text.replace(&uid, &settled);
    }
    text
}

#[test]
fn the_plan_of_the_example_is_what_the_controller_gives() {
    let Some(server) = crate::older::server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    std::fs::write(&plan, capv_ipam(&["plan", "-o", "yaml"]).0).unwrap();
    let expected: Value = serde_json::from_str(&capv_ipam(&["plan", "-o", "json"]).0).unwrap();
    run(async {
        let bench = Bench::inside(server, "default").await;
        let _controller = bench.controller(&[]);
        // Other kinds belong to providers that are not installed here.
        let served = [
            "Cluster",
            "IPPool",
            "KubeadmControlPlane",
            "VSphereCluster",
            "VSphereMachineTemplate",
        ];
        let (manifest, _) = capv_ipam(&["transform"]);
        let documents = serde_yaml::Deserializer::from_str(&manifest)
            .map(|document| <Value as serde::Deserialize>::deserialize(document).unwrap());
        let objects: Vec<Value> = documents
            .filter(|object| object["kind"].as_str().is_some_and(|kind| served.contains(&kind)))
            .collect();
        assert_eq!(objects.len(), 6);
        server.apply(&objects);
        for name in ["2v7t9", "8zvlz", "kx79v"] {
            let name = format!("{GROUP}-{name}");
            machine(&bench, &name).await;
            eventually(&format!("{name} has its address"), async || {
                let machine = bench.get(MACHINE, &name).await?;
                devices(&machine)[0].get("ipAddrs").cloned()
            })
            .await;
        }
        let mut given = Vec::new();
        for machine in bench.list(MACHINE).await {
            let address = devices(&machine)[0]["ipAddrs"][0].as_str().unwrap().to_owned();
            given.push(address.split('/').next().unwrap().to_owned());
        }
        let slots = expected["clusters"][0]["groups"][0]["slots"].as_array().unwrap();
        let exact = slots.iter().filter_map(|slot| slot["nics"][0]["address"].as_str());
        assert_eq!(given, exact.collect::<Vec<_>>());
        let (kubeconfig, plan) = (server.kubeconfig(ADMIN), plan.display().to_string());
        let kubeconfig = kubeconfig.display().to_string();
        let (tree, code) = capv_ipam(&[
            "status",
            "--kubeconfig",
            &kubeconfig,
            "-n",
            "default",
            "--against",
            &plan,
        ]);
        println!("{tree}");
        assert_eq!(code, Some(0), "{tree}");
        assert!(given.iter().all(|address| tree.contains(address)), "{tree}");

        let kinds = "clusters,vspheremachines,machines,ipclaims,ipaddresses.ipam.metal3.io";
        let dump = settled(&server.kubectl(&["-n", "default", "get", kinds, "-o", "yaml"]));
        let path = root().join("examples/controller/dump.yaml");
        if std::env::var_os("UPDATE_EXAMPLE").is_some() {
            std::fs::write(&path, &dump).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            there, dump,
            "UPDATE_EXAMPLE=1 cargo test --test controller the_plan_of_the_example writes it anew"
        );
    });
}
