//! Takes a Cluster or VSphereCluster and gives endpoint, references and topology as the text says them; never resolves them.

use super::cursor::{Cursor, Span, Text};
use super::reference::Reference;
use super::size::{self, GroupSize, Strategy};
use crate::yaml::NodeId;

/// A Cluster of Cluster API.
#[derive(Clone, Debug)]
pub struct Cluster<'a> {
    /// `spec.controlPlaneRef`.
    pub control_plane: Option<Reference<'a>>,
    /// `spec.managedExternalEtcdRef` (EKS Anywhere).
    pub etcd: Option<Reference<'a>>,
    /// `spec.infrastructureRef`.
    pub infrastructure: Option<Reference<'a>>,
    /// `spec.controlPlaneEndpoint.host`, where the Cluster itself gives one.
    pub endpoint: Option<Text<'a>>,
    /// `spec.topology`.
    pub topology: Option<Topology<'a>>,
}

/// A cluster made from a ClusterClass.
#[derive(Clone, Debug)]
pub struct Topology<'a> {
    /// The class's name: `class` up to v1beta1, `classRef.name` from v1beta2 on.
    pub class: Option<Text<'a>>,
    /// The class's namespace, where it is not the cluster's.
    pub class_namespace: Option<Text<'a>>,
    /// How many control-plane machines it has; the class says how they are replaced.
    pub replicas: Option<u32>,
    /// Its MachineDeployments.
    pub workers: Vec<TopologyWorkers<'a>>,
    /// Every variable that it sets, overrides of control plane and workers included.
    pub variables: Vec<Variable<'a>>,
    /// The mapping.
    pub span: Span,
}

/// One of a topology's MachineDeployments.
#[derive(Clone, Debug)]
pub struct TopologyWorkers<'a> {
    /// The worker class.
    pub class: Option<Text<'a>>,
    /// The name in the topology.
    pub name: Option<Text<'a>>,
    /// How many machines it can have; without a strategy of its own it has the class's.
    pub size: GroupSize,
    /// How it replaces its machines, where it says so itself.
    pub strategy: Option<Strategy>,
}

/// A variable's value in a topology.
#[derive(Clone, Debug)]
pub struct Variable<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// The mapping whose entry the list is.
    pub holder: NodeId,
    /// The key of the list in `holder`.
    pub key: &'static str,
    /// The list it stands in.
    pub list: NodeId,
    /// Its place in that list.
    pub index: usize,
}

impl<'a> Cluster<'a> {
    pub(super) fn read(at: Cursor<'_, 'a>) -> Self {
        let spec = at.get("spec");
        let reference = |key| spec.and_then(|spec| spec.get(key)).and_then(Reference::read);
        Cluster {
            control_plane: reference("controlPlaneRef"),
            etcd: reference("managedExternalEtcdRef"),
            infrastructure: reference("infrastructureRef"),
            endpoint: endpoint(at),
            topology: spec.and_then(|spec| spec.get("topology")).map(Topology::read),
        }
    }
}

/// The host of `spec.controlPlaneEndpoint`; empty and missing hosts are none.
pub(super) fn endpoint<'a>(at: Cursor<'_, 'a>) -> Option<Text<'a>> {
    let host = at.at(&["spec", "controlPlaneEndpoint", "host"])?.text()?;
    (!host.value.is_empty()).then_some(host)
}

impl<'a> Topology<'a> {
    fn read(at: Cursor<'_, 'a>) -> Self {
        let workers = at.at(&["workers", "machineDeployments"]);
        let mut variables = Variable::list(at, "variables");
        let groups = at
            .get("controlPlane")
            .into_iter()
            .chain(workers.into_iter().flat_map(Cursor::items));
        for overrides in groups.filter_map(|group| group.get("variables")) {
            variables.extend(Variable::list(overrides, "overrides"));
        }
        let replicas = at.at(&["controlPlane", "replicas"]).and_then(Cursor::text);
        Topology {
            replicas: replicas.and_then(|text| text.value.parse().ok()),
            class: at.text_of("class").or_else(|| at.at(&["classRef", "name"])?.text()),
            class_namespace: at
                .text_of("classNamespace")
                .or_else(|| at.at(&["classRef", "namespace"])?.text()),
            workers: workers
                .into_iter()
                .flat_map(Cursor::items)
                .map(TopologyWorkers::read)
                .collect(),
            variables,
            span: at.span(),
        }
    }
}

impl<'a> TopologyWorkers<'a> {
    fn read(entry: Cursor<'_, 'a>) -> Self {
        let strategy = Strategy::read(entry);
        TopologyWorkers {
            class: entry.text_of("class"),
            name: entry.text_of("name"),
            size: size::size(Some(entry), entry.get("metadata"), strategy),
            strategy,
        }
    }
}

impl<'a> Variable<'a> {
    fn list(holder: Cursor<'_, 'a>, key: &'static str) -> Vec<Self> {
        let Some(list) = holder.get(key) else {
            return Vec::new();
        };
        let named = list
            .items()
            .enumerate()
            .filter_map(|(index, item)| Some((index, item.text_of("name")?)));
        named
            .map(|(index, name)| Variable {
                name,
                holder: holder.node,
                key,
                list: list.node,
                index,
            })
            .collect()
    }
}
