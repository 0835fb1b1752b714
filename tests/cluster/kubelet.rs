//! The kubelets that VMs would run: a node for each machine, and the pods by which a control plane is judged.

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::bench::{Bench, resource};
use crate::workload::{CONTROL_PLANE, CONTROL_PLANE_LABEL};

const NODE: (&str, &str) = ("v1", "Node");
const POD: (&str, &str) = ("v1", "Pod");
/// The pods by which a control plane is judged.
const COMPONENTS: [&str; 3] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// The nodes of a namespace's machines, on the same API server.
pub(crate) struct Kubelets<'b>(pub(crate) &'b Bench);

impl Kubelets<'_> {
    /// The control plane's controller looks at its pods every 15 s, and at once when its object is written: here from time to
    /// time.
    pub(crate) async fn poke(&self, number: usize) {
        if number.is_multiple_of(12) {
            let poke = json!({"metadata": {"annotations": {"example.com/poke": number.to_string()}}});
            let api = self.0.api(CONTROL_PLANE);
            let _ = api.patch("cp", &PatchParams::default(), &Patch::Merge(poke)).await;
        }
    }

    /// Takes the node of a machine away.
    pub(crate) async fn leave(&self, name: &str) {
        let at_once = DeleteParams::default().grace_period(0);
        let _ = self.nodes().delete(name, &at_once).await;
        for component in COMPONENTS {
            let _ = self.pods().delete(&format!("{component}-{name}"), &at_once).await;
        }
    }

    /// The node and its pods, as kubelet reports them.
    pub(crate) async fn join(&self, machine: &DynamicObject, provider: &str) -> kube::Result<()> {
        let name = machine.metadata.name.as_deref().unwrap();
        let labels = machine.metadata.labels.clone().unwrap_or_default();
        let leads = labels.contains_key(CONTROL_PLANE_LABEL);
        let role = if leads {
            json!({"node-role.kubernetes.io/control-plane": ""})
        } else {
            json!({})
        };
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": role},
            "spec": {"providerID": provider}});
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": "2026-01-05T10:00:00Z"});
        let troubles = ["MemoryPressure", "DiskPressure", "PIDPressure"].map(|kind| condition(kind, "False"));
        let healthy: Vec<Value> = std::iter::once(condition("Ready", "True")).chain(troubles).collect();
        put(&self.nodes(), node, json!({"conditions": healthy})).await?;
        if !leads {
            return Ok(());
        }
        for component in COMPONENTS {
            let pod = json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{component}-{name}"), "labels": {"tier": "control-plane", "component": component},
                    // A pod of this kind is none that a node is drained of.
                    "annotations": {"kubernetes.io/config.mirror": "x"}},
                "spec": {"nodeName": name, "containers": [{"name": "c", "image": "i"}]}});
            let conditions =
                ["Ready", "PodScheduled", "Initialized", "ContainersReady"].map(|kind| condition(kind, "True"));
            put(&self.pods(), pod, json!({"phase": "Running", "conditions": conditions})).await?;
        }
        Ok(())
    }

    fn nodes(&self) -> Api<DynamicObject> {
        Api::all_with(self.0.client.clone(), &resource(NODE))
    }

    fn pods(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.0.client.clone(), "kube-system", &resource(POD))
    }
}

/// Creates an object with a status; one that is there already only gets the status.
async fn put(api: &Api<DynamicObject>, object: Value, status: Value) -> kube::Result<()> {
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let name = object.metadata.name.clone().unwrap();
    let _ = api.create(&PostParams::default(), &object).await;
    let status = Patch::Merge(json!({"status": status}));
    api.patch_status(&name, &PatchParams::default(), &status)
        .await
        .map(drop)
}
