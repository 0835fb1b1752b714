//! Takes where and as what the controller is to run, gives the objects to apply; never talks to a cluster.

mod crd;
mod rights;
mod webhook;
mod workload;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Role;
use crate::yaml::{Layout, emit};

/// What everything of ours is called.
const NAME: &str = "capv-ipam";

/// A part of the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The definitions of metal3's three kinds.
    Crds,
    /// Namespace and account.
    Namespace,
    /// Rights of the roles.
    Rbac,
    /// Deployment, Service and disruption budget.
    Deployment,
    /// Service, rights and configurations of the webhooks.
    Webhooks,
    /// For Prometheus' operator.
    ServiceMonitor,
    /// Who may talk to the pods.
    NetworkPolicy,
}

/// What is to be installed.
#[derive(Clone, Debug)]
pub struct Install {
    /// The image of this program.
    pub image: String,
    /// Where it runs.
    pub namespace: String,
    /// The roles that it plays.
    pub roles: BTreeSet<Role>,
    /// The parts wanted.
    pub parts: BTreeSet<Part>,
    /// Whether the webhooks are served; only with the role pool, since another manager of the pools has its own.
    pub webhooks: bool,
}

impl Install {
    /// The parts of an ordinary installation.
    pub const USUAL: [Part; 5] = [
        Part::Crds,
        Part::Namespace,
        Part::Rbac,
        Part::Deployment,
        Part::Webhooks,
    ];

    /// The parts of an ordinary installation with these roles: without the role pool the definitions and webhooks are
    /// those of whoever serves the pools.
    #[must_use]
    pub fn usual(roles: &BTreeSet<Role>) -> BTreeSet<Part> {
        let pool = roles.contains(&Role::Pool);
        let parts = Self::USUAL.into_iter();
        parts
            .filter(|part| pool || !matches!(part, Part::Crds | Part::Webhooks))
            .collect()
    }

    fn serves_webhooks(&self) -> bool {
        self.webhooks && self.roles.contains(&Role::Pool)
    }

    /// Every object, in the order in which they are applied.
    #[must_use]
    pub fn objects(&self) -> Vec<Value> {
        self.parts.iter().flat_map(|part| self.part(*part)).collect()
    }

    /// The objects as one stream of YAML documents.
    #[must_use]
    pub fn yaml(&self) -> String {
        let documents = self.objects().into_iter().filter_map(|object| match object {
            Value::Object(mapping) => Some(format!("---\n{}", emit::document(&mapping, Layout::default()))),
            _ => None,
        });
        documents.collect()
    }

    fn part(&self, part: Part) -> Vec<Value> {
        match part {
            Part::Crds => crd::all(),
            Part::Namespace => vec![
                json!({
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {
                        "name": self.namespace,
                        "labels": {
                            "app.kubernetes.io/name": NAME,
                            "pod-security.kubernetes.io/enforce": "restricted",
                        },
                    },
                }),
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": self.metadata(NAME, true)}),
            ],
            Part::Rbac => rights::all(self),
            Part::Deployment => {
                vec![
                    workload::deployment(self),
                    workload::service(self),
                    workload::disruption_budget(self),
                ]
            }
            Part::Webhooks if self.serves_webhooks() => webhook::all(self),
            Part::Webhooks => Vec::new(),
            Part::ServiceMonitor => vec![workload::service_monitor(self)],
            Part::NetworkPolicy => vec![workload::network_policy(self)],
        }
    }

    fn metadata(&self, name: &str, namespaced: bool) -> Value {
        let mut metadata = json!({"name": name, "labels": {"app.kubernetes.io/name": NAME}});
        if namespaced {
            metadata["namespace"] = json!(self.namespace);
        }
        metadata
    }
}
