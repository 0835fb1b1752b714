//! Objects of Cluster API and CAPV in one line, and waiting for machines to be served.

use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::bench::{Bench, CLUSTER, eventually, pool};

pub(crate) const MACHINE: (&str, &str) = ("infrastructure.cluster.x-k8s.io/v1beta2", "VSphereMachine");
pub(crate) const TEMPLATE: (&str, &str) = ("infrastructure.cluster.x-k8s.io/v1beta2", "VSphereMachineTemplate");
pub(crate) const VSPHERE_CLUSTER: (&str, &str) = ("infrastructure.cluster.x-k8s.io/v1beta2", "VSphereCluster");
pub(crate) const OWNER: (&str, &str) = ("cluster.x-k8s.io/v1beta2", "Machine");

pub(crate) fn template(name: &str, labels: Value) -> Value {
    json!({
        "apiVersion": TEMPLATE.0, "kind": TEMPLATE.1, "metadata": {"name": name, "labels": labels},
        "spec": {"template": {"spec": {
            "template": "image", "server": "vcenter", "datacenter": "dc",
            "network": {"devices": [{"networkName": "Public", "dhcp4": false, "dhcp6": false}]},
        }}},
    })
}

pub(crate) fn machine(name: &str, template: &str, cluster: &str, control_plane: bool, devices: Value) -> Value {
    let mut labels = json!({"cluster.x-k8s.io/cluster-name": cluster});
    if control_plane {
        labels["cluster.x-k8s.io/control-plane"] = json!("");
    }
    json!({
        "apiVersion": MACHINE.0, "kind": MACHINE.1,
        "metadata": {
            "name": name, "labels": labels,
            "annotations": {
                "cluster.x-k8s.io/cloned-from-name": template,
                "cluster.x-k8s.io/cloned-from-groupkind": "VSphereMachineTemplate.infrastructure.cluster.x-k8s.io",
            },
            "ownerReferences": [{"apiVersion": OWNER.0, "kind": OWNER.1, "name": name, "uid": format!("machine-{name}")}],
        },
        "spec": {"template": "image", "server": "vcenter", "datacenter": "dc", "network": {"devices": devices}},
    })
}

pub(crate) fn nic(network: &str) -> Value {
    json!({"networkName": network, "dhcp4": false, "dhcp6": false})
}

pub(crate) fn cluster(name: &str) -> Value {
    json!({
        "apiVersion": CLUSTER.0, "kind": CLUSTER.1, "metadata": {"name": name},
        "spec": {"infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "VSphereCluster", "name": name}},
    })
}

pub(crate) fn label(pool: &str) -> Value {
    json!({"cluster.x-k8s.io/ip-pool-name": pool})
}

pub(crate) fn devices(machine: &DynamicObject) -> &Value {
    &machine.data["spec"]["network"]["devices"]
}

pub(crate) fn waiting(object: &DynamicObject) -> Option<String> {
    let annotations = object.metadata.annotations.as_ref()?;
    annotations.get("capv-ipam.dev/waiting-for").cloned()
}

impl Bench {
    /// What most tests begin with: the Cluster `c`, the pool `p`, and the template `t` whose label names it.
    pub(crate) async fn labelled(&self, start: &str, end: &str) {
        self.create(cluster("c")).await;
        self.create(pool("p", start, end)).await;
        self.create(template("t", label("p"))).await;
    }

    /// Machines here have owners that do not exist, so nothing may collect them: the owner is made first.
    pub(crate) async fn machine(&self, mut object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let cluster = object["metadata"]["labels"]["cluster.x-k8s.io/cluster-name"].clone();
        let owner = self
            .create(json!({
                "apiVersion": OWNER.0, "kind": OWNER.1, "metadata": {"name": name},
                "spec": {
                    "clusterName": cluster,
                    "bootstrap": {"dataSecretName": "x"},
                    "infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "VSphereMachine", "name": name},
                },
            }))
            .await;
        object["metadata"]["ownerReferences"][0]["uid"] = json!(owner.metadata.uid);
        self.create(object).await;
    }

    pub(crate) async fn served(&self, name: &str) -> DynamicObject {
        eventually(&format!("{name} is served"), async || {
            let machine = self.get(MACHINE, name).await?;
            devices(&machine)[0].get("ipAddrs")?;
            Some(machine)
        })
        .await
    }

    pub(crate) async fn waits(&self, kind: (&str, &str), name: &str, reason: &str) {
        eventually(&format!("{name} waits for {reason}"), async || {
            let object = self.get(kind, name).await?;
            waiting(&object).filter(|text| text.starts_with(reason))
        })
        .await;
    }
}
