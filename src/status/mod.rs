//! Takes the objects of a management cluster, gives the tree of clusters, groups and machines with who has which address, who
//! waits for what, and what differs from a saved plan; never asks a cluster.

mod machine;
mod objects;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use machine::{Machine, State};
pub use objects::Objects;

use crate::planning::AddressPlan;
use objects::{CLUSTER_NAME, INFRASTRUCTURE, items, label, text};

/// A cluster with its machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Host of its endpoint; empty while it has none.
    pub endpoint: String,
    /// Whether there is a Cluster of this name, and not only machines that name it or a plan that knows it.
    pub found: bool,
    /// Whether it is paused, which stops all addressing.
    pub paused: bool,
    /// Its machines by group, in order of creation, then name.
    pub groups: BTreeMap<(String, String), Vec<Machine>>,
    /// Addresses that several machines have, and what differs from the plan.
    pub differences: Vec<String>,
}

/// Every cluster among the objects, by namespace and name, also one that only its machines or the plan know. `namespace`
/// leaves others out.
#[must_use]
pub fn clusters(objects: &Objects, namespace: Option<&str>, plan: Option<&AddressPlan>) -> Vec<Cluster> {
    let mut known: BTreeMap<(String, String), Option<&Value>> = BTreeMap::new();
    for machine in objects.all(INFRASTRUCTURE, "VSphereMachine") {
        let cluster = label(machine, CLUSTER_NAME);
        if !cluster.is_empty() {
            known.insert((text(machine, "/metadata/namespace"), cluster), None);
        }
    }
    for object in objects.all("cluster.x-k8s.io", "Cluster") {
        let place = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
        known.insert(place, Some(object));
    }
    let mut clusters: Vec<Cluster> = known
        .into_iter()
        .filter(|((its, _), _)| namespace.is_none_or(|wanted| its == wanted))
        .map(|(place, object)| Cluster::of(place, object, objects))
        .collect();
    for cluster in &mut clusters {
        cluster.differences = doubles(cluster);
    }
    if let Some(plan) = plan {
        compare(&mut clusters, plan);
    }
    clusters
}

impl Cluster {
    fn of((namespace, name): (String, String), object: Option<&Value>, objects: &Objects) -> Self {
        let is_true = |pointer: &str| {
            let value = object.and_then(|object| object.pointer(pointer));
            value.and_then(Value::as_bool).unwrap_or_default()
        };
        let annotations = object.and_then(|object| object.pointer("/metadata/annotations"));
        let paused = annotations.is_some_and(|a| a.get("cluster.x-k8s.io/paused").is_some());
        let is_up = object.is_none_or(is_initialized);
        let mut groups: BTreeMap<_, Vec<Machine>> = BTreeMap::new();
        for machine in objects.machines_of(&namespace, &name) {
            let machine = Machine::of(machine, objects, is_up);
            groups.entry(machine.group.clone()).or_default().push(machine);
        }
        Cluster {
            namespace,
            name,
            endpoint: object.map_or(String::new(), |object| text(object, "/spec/controlPlaneEndpoint/host")),
            found: object.is_some(),
            paused: paused || is_true("/spec/paused"),
            groups,
            differences: Vec::new(),
        }
    }

    fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.groups.values().flatten()
    }
}

/// Whether the control plane of a Cluster has come up once, by what any version of Cluster API writes.
fn is_initialized(cluster: &Value) -> bool {
    let flag = cluster.pointer("/status/initialization/controlPlaneInitialized");
    let is_true = |condition: &Value| condition["type"] == "ControlPlaneInitialized" && condition["status"] == "True";
    flag.and_then(Value::as_bool).unwrap_or_default()
        || ["/status/conditions", "/status/v1beta2/conditions"]
            .iter()
            .any(|list| items(cluster, list).iter().any(is_true))
}

/// Addresses that several machines of a cluster have.
fn doubles(cluster: &Cluster) -> Vec<String> {
    let mut holders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for machine in cluster.machines() {
        for address in &machine.addresses {
            let plain = address.split('/').next().unwrap_or(address);
            holders.entry(plain).or_default().push(&machine.name);
        }
    }
    let several = holders.into_iter().filter(|(_, machines)| machines.len() > 1);
    several
        .map(|(address, machines)| format!("{address} is an address of {}", machines.join(" and ")))
        .collect()
}

/// Notes on each cluster what is not as planned.
fn compare(clusters: &mut Vec<Cluster>, plan: &AddressPlan) {
    for planned in &plan.clusters {
        let name = planned.name.clone().unwrap_or_default();
        if clusters.iter().all(|cluster| cluster.name != name) {
            let place = (planned.namespace.clone().unwrap_or_default(), name);
            clusters.push(Cluster::of(place, None, &Objects::default()));
        }
    }
    for cluster in clusters {
        if !cluster.found {
            cluster.differences.push("the Cluster is not there".into());
        }
        let planned = plan
            .clusters
            .iter()
            .find(|planned| planned.name.as_deref() == Some(&cluster.name));
        let Some(planned) = planned else {
            cluster.differences.push("the plan does not know this cluster".into());
            continue;
        };
        if let Some(endpoint) = &planned.endpoint
            && !cluster.endpoint.is_empty()
            && endpoint.host != cluster.endpoint
        {
            let difference = format!("the endpoint is {}, planned was {}", cluster.endpoint, endpoint.host);
            cluster.differences.push(difference);
        }
        for group in &planned.groups {
            let machines = cluster
                .groups
                .iter()
                .find(|((_, name), _)| *name == group.name)
                .map(|(_, machines)| machines);
            let allowed = addresses(&group.addresses);
            for machine in machines.into_iter().flatten() {
                for address in &machine.addresses {
                    let plain = address.split('/').next().unwrap_or(address);
                    if !allowed.iter().any(|range| range.contains(plain)) {
                        let difference = format!(
                            "{} has {plain}, which the plan does not give to {}",
                            machine.name, group.name
                        );
                        cluster.differences.push(difference);
                    }
                }
            }
        }
    }
}

/// One address or range of a plan.
struct Allowed(Option<crate::ipam::AddressRange>);

impl Allowed {
    fn contains(&self, text: &str) -> bool {
        let address = crate::ipam::parse_address(text).ok();
        self.0
            .is_some_and(|range| address.is_some_and(|address| range.contains(address)))
    }
}

fn addresses(texts: &[String]) -> Vec<Allowed> {
    texts.iter().map(|text| Allowed(text.parse().ok())).collect()
}

/// How many machines wait.
#[must_use]
pub fn waiting(clusters: &[Cluster]) -> usize {
    let machines = clusters.iter().flat_map(Cluster::machines);
    machines.filter(|machine| machine.state == State::Waiting).count()
}

/// Everything as JSON, with what could not be read; the form may grow, fields keep their meaning.
#[must_use]
pub fn as_json(clusters: &[Cluster], unread: &[String]) -> Value {
    let machine = |machine: &Machine| {
        json!({
            "name": machine.name,
            "state": machine.state.name(),
            "addresses": machine.addresses,
            "claims": machine.claims,
            "reason": machine.reason,
            "repair": machine.repair,
            "created": machine.created,
        })
    };
    let clusters: Vec<Value> = clusters
        .iter()
        .map(|cluster| {
            let groups: Vec<Value> = cluster
                .groups
                .iter()
                .map(|((kind, name), machines)| {
                    json!({"kind": kind, "name": name, "machines": machines.iter().map(machine).collect::<Vec<_>>()})
                })
                .collect();
            json!({
                "namespace": cluster.namespace,
                "name": cluster.name,
                "endpoint": cluster.endpoint,
                "found": cluster.found,
                "paused": cluster.paused,
                "groups": groups,
                "differences": cluster.differences,
            })
        })
        .collect();
    json!({"apiVersion": "capv-ipam.dev/v1alpha1", "kind": "Status", "clusters": clusters, "unread": unread})
}
