//! Takes the objects of a manifest and gives its machine groups, each with its cluster and template; references are matched by group, kind, name and namespace, never by name patterns.

use std::collections::HashMap;
use std::fmt;

use super::finder::Finder;
use super::infrastructure::infrastructure;
use crate::objects::{Detail, GroupSize, Manifest, Reference, Role};

/// Where a machine group comes from. Numbers are indices of the manifest's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupSource {
    /// An object such as a KubeadmControlPlane.
    Object(usize),
    /// The control plane of a Cluster's topology.
    TopologyControlPlane {
        /// The Cluster.
        cluster: usize,
    },
    /// One of the MachineDeployments of a Cluster's topology.
    TopologyWorkers {
        /// The Cluster.
        cluster: usize,
        /// Its place in the topology.
        index: usize,
    },
    /// The control plane of a class that no Cluster of the manifest uses.
    ClassControlPlane(usize),
    /// A worker class of such a class.
    ClassWorkers(usize, usize),
}

/// Something that creates machines.
#[derive(Clone, Debug)]
pub struct MachineGroup<'m, 'a> {
    /// Where it comes from.
    pub source: GroupSource,
    /// What its machines are.
    pub role: Role,
    /// The kind by which KIND/NAME selects it.
    pub kind: &'m str,
    /// The name by which KIND/NAME selects it.
    pub name: &'m str,
    /// The Cluster that it belongs to, where the manifest has it.
    pub cluster: Option<usize>,
    /// The name of the cluster that it says it belongs to.
    pub cluster_name: Option<&'m str>,
    /// The class that its template comes from, with the worker class.
    pub class: Option<(usize, Option<&'m str>)>,
    /// The reference to its template.
    pub reference: Option<&'m Reference<'a>>,
    /// How many machines it can have.
    pub size: GroupSize,
    /// The template.
    pub template: TemplateUse,
}

/// What a group's reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateUse {
    /// A VSphereMachineTemplate of the manifest.
    Found(usize),
    /// Several of one name and namespace.
    Ambiguous(Vec<usize>),
    /// None of the manifest.
    Missing,
    /// The reference has no name.
    Unnamed,
    /// The class is not in the manifest.
    ClassMissing,
    /// Another kind of template.
    Foreign,
}

impl fmt::Display for MachineGroup<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.kind, self.name)
    }
}

/// The machine groups of a manifest.
pub struct Groups<'m, 'a> {
    /// All groups, in the order of their objects.
    pub all: Vec<MachineGroup<'m, 'a>>,
    /// The Clusters, as indices of objects.
    pub clusters: Vec<usize>,
    /// The index in `all` of each template's groups, sorted by template.
    users: Vec<(usize, usize)>,
    /// The VSphereCluster of each Cluster.
    infrastructure: HashMap<usize, usize>,
}

impl<'m, 'a> Groups<'m, 'a> {
    /// Finds the groups of a manifest.
    #[must_use]
    pub fn of(manifest: &'m Manifest<'a>) -> Self {
        let finder = Finder::new(manifest);
        let mut all = Vec::new();
        for (index, object) in manifest.objects.iter().enumerate() {
            match &object.detail {
                Detail::Group(group) => all.extend(finder.of_object(index, object, group)),
                Detail::Cluster(cluster) => finder.of_topology(index, object, cluster, &mut all),
                Detail::Class(class) => finder.of_class(index, object, class, &mut all),
                _ => {}
            }
        }
        let used = |(index, group): (usize, &MachineGroup<'_, '_>)| match group.template {
            TemplateUse::Found(template) => Some((template, index)),
            _ => None,
        };
        let mut users: Vec<(usize, usize)> = all.iter().enumerate().filter_map(used).collect();
        users.sort_unstable();
        Groups {
            all,
            infrastructure: infrastructure(manifest, &finder.clusters),
            clusters: finder.clusters,
            users,
        }
    }

    /// The VSphereCluster that a Cluster refers to; both are indices of objects.
    #[must_use]
    pub fn infrastructure(&self, cluster: usize) -> Option<usize> {
        self.infrastructure.get(&cluster).copied()
    }

    /// The groups that use a template, as indices.
    pub fn users(&self, template: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let start = self.users.partition_point(|(of, _)| *of < template);
        self.users[start..]
            .iter()
            .take_while(move |(of, _)| *of == template)
            .map(|(_, group)| *group)
    }
}
