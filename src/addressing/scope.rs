//! Takes a configuration's cluster and the Clusters of a manifest, and gives which one is meant; never guesses among several.

use super::cluster_name::ClusterName;
use super::configuration::StaticAddressing;
use super::groups::Groups;
use super::matching::listed;
use super::validation::ConfigError;
use crate::check::codes;
use crate::objects::{Manifest, Object};
use crate::yaml::Segment;

/// Which cluster a configuration is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClusterScope {
    /// A Cluster of the manifest.
    Cluster(usize),
    /// All groups are meant: the manifest has no Cluster, or several, and nothing is to change.
    Whole,
}

/// The cluster that a configuration is about.
pub(super) fn scope(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    config: &StaticAddressing,
) -> Result<ClusterScope, ConfigError> {
    let names = || {
        let path = |object: &Object<'_>| {
            object.namespace().map_or(object.name().to_owned(), |namespace| {
                format!("{namespace}/{}", object.name())
            })
        };
        listed(groups.clusters.iter().map(|cluster| path(&manifest.objects[*cluster])))
    };
    let error = |path: Vec<Segment>, problem: String, help: String| ConfigError {
        path,
        problem,
        help,
        code: &codes::CLUSTER_CHOICE,
    };
    let key = || vec![Segment::Key("spec".into()), Segment::Key("cluster".into())];
    match (&config.spec.cluster, &groups.clusters[..]) {
        (_, []) => Ok(ClusterScope::Whole),
        (None, [cluster]) => Ok(ClusterScope::Cluster(*cluster)),
        // What only judges and lists need not choose.
        (None, _) if !config.asks_for_edits() => Ok(ClusterScope::Whole),
        (None, _) => {
            let problem = format!("the manifest has several clusters: {}", names());
            Err(error(
                key(),
                problem,
                "set `cluster` (--cluster) to one of them, in a configuration for each".into(),
            ))
        }
        (Some(name), clusters) => {
            let wanted = ClusterName::read(name);
            let mut named = clusters
                .iter()
                .filter(|cluster| wanted.means(&manifest.objects[**cluster]));
            match (named.next(), named.next()) {
                (Some(cluster), None) => Ok(ClusterScope::Cluster(*cluster)),
                (Some(one), Some(_)) => {
                    let problem = format!("the manifest has two clusters called {name}");
                    let help = match manifest.objects[*one]
                        .namespace()
                        .filter(|_| wanted.namespace.is_none())
                    {
                        Some(namespace) => {
                            format!("write NAMESPACE/NAME, for example {namespace}/{}", wanted.name)
                        }
                        None => "give the manifests of the namespaces one at a time".into(),
                    };
                    Err(error(key(), problem, help))
                }
                (None, _) => {
                    let problem = format!("the manifest has no cluster {name}; it has {}", names());
                    Err(error(key(), problem, "correct the name".into()))
                }
            }
        }
    }
}
