//! Which balancer settings hold for which cluster of a run; takes what the configurations say and decides nothing else.

use crate::addressing::{Backends, Balancer, BalancerError, ClusterName, Spec, read_balancer};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For clusters that no configuration names.
    pub others: Balancer,
    /// For clusters that a configuration names.
    pub clusters: Vec<(String, Balancer)>,
}

impl Settings {
    /// The settings that configurations make; `flags` hold for clusters that none of them names.
    ///
    /// # Errors
    /// Keys that validation of the configurations refuses too.
    pub fn new<'s>(specs: impl IntoIterator<Item = &'s Spec>, flags: &Backends) -> Result<Self, Vec<BalancerError>> {
        let mut settings = Settings {
            others: read_balancer(flags)?,
            clusters: Vec::new(),
        };
        for spec in specs {
            let balancer = match &spec.backends {
                Some(backends) => read_balancer(backends)?,
                None => settings.others.clone(),
            };
            match &spec.cluster {
                Some(cluster) => settings.clusters.push((cluster.clone(), balancer)),
                None => settings.others = balancer,
            }
        }
        Ok(settings)
    }

    /// The settings of a cluster.
    #[must_use]
    pub fn of(&self, namespace: Option<&str>, cluster: &str) -> &Balancer {
        let mut clusters = self.clusters.iter();
        let named = clusters.find(|(name, _)| ClusterName::read(name).is(namespace, cluster));
        named.map_or(&self.others, |(_, balancer)| balancer)
    }
}
