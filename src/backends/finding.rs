//! A finding about an address plan, with what in the plan it is about; the place in a text is found later.

use crate::check::{Code, Finding};
use crate::planning::ClusterPlan;

/// What a finding is about, by its index in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A cluster.
    Cluster(usize),
    /// Its endpoint.
    Endpoint(usize),
    /// One of its groups.
    Group(usize, usize),
}

impl About {
    /// The cluster.
    #[must_use]
    pub fn cluster(self) -> usize {
        match self {
            About::Cluster(cluster) | About::Endpoint(cluster) | About::Group(cluster, _) => cluster,
        }
    }
}

/// A finding and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFinding {
    /// The finding, without a place.
    pub finding: Box<Finding>,
    /// What it is about.
    pub about: About,
}

impl PlanFinding {
    pub(super) fn new(code: &'static Code, about: About, message: impl Into<String>, help: impl Into<String>) -> Self {
        PlanFinding {
            finding: Box::new(Finding::new(code, message).help(help)),
            about,
        }
    }

    pub(super) fn on(mut self, cluster: &ClusterPlan) -> Self {
        let name = cluster.name.as_deref().unwrap_or_default();
        let path = cluster
            .namespace
            .as_deref()
            .map(|namespace| format!("{namespace}/{name}"));
        self.finding.object = Some(format!("Cluster {}", path.as_deref().unwrap_or(name)));
        self
    }
}
