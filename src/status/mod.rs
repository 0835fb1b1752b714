//! Takes the objects of a management cluster, gives the tree of clusters, groups and machines with who has which address, who
//! waits for what, and what differs from a saved plan; never asks a cluster.

mod machine;
mod objects;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use machine::{Machine, State};
pub use objects::Objects;

use crate::planning::AddressPlan;
use objects::text;

/// A cluster with its machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Host of its endpoint; empty while it has none.
    pub endpoint: String,
    /// Whether it is paused, which stops all addressing.
    pub paused: bool,
    /// Its machines by group, in order of creation, then name.
    pub groups: BTreeMap<(String, String), Vec<Machine>>,
    /// What differs from the plan; empty without one.
    pub differences: Vec<String>,
}

/// Every cluster among the objects, by namespace and name.
#[must_use]
pub fn clusters(objects: &Objects, plan: Option<&AddressPlan>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = objects
        .all("cluster.x-k8s.io", "Cluster")
        .iter()
        .map(|object| {
            let mut groups: BTreeMap<_, Vec<Machine>> = BTreeMap::new();
            for machine in objects.machines_of(object) {
                let machine = Machine::of(machine, objects);
                groups.entry(machine.group.clone()).or_default().push(machine);
            }
            let annotations = object.pointer("/metadata/annotations");
            let paused = annotations.is_some_and(|a| a.get("cluster.x-k8s.io/paused").is_some());
            Cluster {
                namespace: text(object, "/metadata/namespace"),
                name: text(object, "/metadata/name"),
                endpoint: text(object, "/spec/controlPlaneEndpoint/host"),
                paused: paused
                    || object
                        .pointer("/spec/paused")
                        .and_then(Value::as_bool)
                        .unwrap_or_default(),
                groups,
                differences: Vec::new(),
            }
        })
        .collect();
    clusters.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    if let Some(plan) = plan {
        compare(&mut clusters, plan);
    }
    clusters
}

/// Notes on each cluster what is not as planned.
fn compare(clusters: &mut [Cluster], plan: &AddressPlan) {
    for cluster in clusters {
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
    let machines = clusters.iter().flat_map(|cluster| cluster.groups.values().flatten());
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
                "paused": cluster.paused,
                "groups": groups,
                "differences": cluster.differences,
            })
        })
        .collect();
    json!({"apiVersion": "capv-ipam.dev/v1alpha1", "kind": "Status", "clusters": clusters, "unread": unread})
}
