//! Takes objects of a management cluster as JSON, sorts them for look-ups; never asks a cluster.

use std::collections::BTreeMap;

use serde_json::Value;

/// The group of CAPV's kinds.
pub(super) const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io";
/// Label that names an object's Cluster.
pub(super) const CLUSTER_NAME: &str = "cluster.x-k8s.io/cluster-name";

/// Objects of a management cluster.
#[derive(Debug, Default)]
pub struct Objects {
    of_kind: BTreeMap<(String, String), Vec<Value>>,
}

impl Objects {
    /// Sorts objects in; lists are taken apart, everything else than the kinds that are needed is kept and ignored.
    #[must_use]
    pub fn read(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut read = Self::default();
        for object in objects {
            read.add(object);
        }
        read
    }

    fn add(&mut self, object: Value) {
        if let Some(items) = object.get("items").and_then(Value::as_array) {
            for item in items.clone() {
                self.add(item);
            }
            return;
        }
        let group = text(&object, "/apiVersion")
            .split_once('/')
            .map_or(String::new(), |(group, _)| group.to_owned());
        self.of_kind
            .entry((group, text(&object, "/kind")))
            .or_default()
            .push(object);
    }

    /// All objects of a kind.
    pub(super) fn all(&self, group: &str, kind: &str) -> &[Value] {
        self.of_kind
            .get(&(group.to_owned(), kind.to_owned()))
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        let named = |object: &&Value| {
            text(object, "/metadata/namespace") == namespace && text(object, "/metadata/name") == name
        };
        self.all(group, kind).iter().find(named)
    }

    /// The VSphereMachines of a Cluster, in order of creation, then name.
    pub(super) fn machines_of(&self, namespace: &str, name: &str) -> Vec<&Value> {
        let mut machines: Vec<&Value> = self
            .all(INFRASTRUCTURE, "VSphereMachine")
            .iter()
            .filter(|machine| text(machine, "/metadata/namespace") == namespace && label(machine, CLUSTER_NAME) == name)
            .collect();
        machines.sort_by_key(|machine| {
            (
                text(machine, "/metadata/creationTimestamp"),
                text(machine, "/metadata/name"),
            )
        });
        machines
    }

    /// The claims made for a machine: `<machine>-<NIC>`, and CAPV's own `<machine>-<NIC>-<index>`.
    pub(super) fn claims_of(&self, machine: &Value) -> Vec<&Value> {
        let (namespace, name) = (text(machine, "/metadata/namespace"), text(machine, "/metadata/name"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let own = |claim: &&Value, parts: usize| {
            let full = text(claim, "/metadata/name");
            let rest = full.strip_prefix(&format!("{name}-")).map(ToOwned::to_owned);
            text(claim, "/metadata/namespace") == namespace
                && rest.is_some_and(|rest| rest.split('-').count() == parts && rest.split('-').all(is_number))
        };
        let metal3 = self
            .all("ipam.metal3.io", "IPClaim")
            .iter()
            .filter(|claim| own(claim, 1));
        let capi = self
            .all("ipam.cluster.x-k8s.io", "IPAddressClaim")
            .iter()
            .filter(|claim| own(claim, 2));
        metal3.chain(capi).collect()
    }

    /// What made a machine: the owner of its Machine, by the labels that Cluster API puts on both.
    pub(super) fn group_of(&self, machine: &Value) -> (String, String) {
        let deployment = label(machine, "cluster.x-k8s.io/deployment-name");
        if !deployment.is_empty() {
            return ("MachineDeployment".into(), deployment);
        }
        let (namespace, name) = (text(machine, "/metadata/namespace"), text(machine, "/metadata/name"));
        let owner_of = |object: &Value| {
            let owners = items(object, "/metadata/ownerReferences").iter();
            let made = owners
                .filter(|owner| owner["kind"] != "Machine")
                .find(|owner| owner["controller"] == true);
            made.map(|owner| (text(owner, "/kind"), text(owner, "/name")))
        };
        let real = self.find("cluster.x-k8s.io", "Machine", &namespace, &name);
        if let Some(owner) = real.and_then(owner_of).or_else(|| owner_of(machine)) {
            return owner;
        }
        let control_plane = machine
            .pointer("/metadata/labels")
            .and_then(|l| l.get("cluster.x-k8s.io/control-plane"));
        if control_plane.is_some() {
            return (
                "ControlPlane".into(),
                label(machine, "cluster.x-k8s.io/control-plane-name"),
            );
        }
        ("MachineSet".into(), label(machine, "cluster.x-k8s.io/set-name"))
    }
}

/// The text at a place; empty where there is none.
pub(super) fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The list at a place; empty where there is none.
pub(super) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A label; empty where there is none.
pub(super) fn label(object: &Value, key: &str) -> String {
    let labels = object.pointer("/metadata/labels");
    labels
        .and_then(|labels| labels.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The address that a claim shows.
pub(super) fn address_of(claim: &Value, objects: &Objects) -> Option<String> {
    let namespace = text(claim, "/metadata/namespace");
    let (group, pointer) = match claim["kind"].as_str()? {
        "IPClaim" => ("ipam.metal3.io", "/status/address/name"),
        _ => ("ipam.cluster.x-k8s.io", "/status/addressRef/name"),
    };
    let name = text(claim, pointer);
    let address = objects.find(group, "IPAddress", &namespace, &name)?;
    Some(text(address, "/spec/address"))
}

/// Why a claim has no address, if it says so.
pub(super) fn failure_of(claim: &Value) -> Option<String> {
    let metal3 = text(claim, "/status/errorMessage");
    if !metal3.is_empty() {
        return Some(metal3);
    }
    let conditions = items(claim, "/status/conditions").iter();
    let ready = conditions
        .filter(|c| c["type"] == "Ready" && c["status"] == "False")
        .map(|c| text(c, "/message"));
    ready.into_iter().find(|message| !message.is_empty())
}
