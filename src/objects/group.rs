//! Takes an object that creates machines and gives its role, its cluster and the template that it refers to; never matches them.

use std::borrow::Cow;

use super::cursor::{Cursor, Text};
use super::reference::Reference;
use super::size::{self, GroupSize, Strategy};
use super::template::POOL_LABEL;

/// What kind of machines a group makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Machines of the control plane.
    ControlPlane,
    /// Machines of a MachineDeployment or MachineSet.
    Worker,
    /// Machines of an etcd cluster of its own (EtcdadmCluster).
    Etcd,
}

/// An object that creates machines from a template.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// What its machines are.
    pub role: Role,
    /// The references to templates; RKE2 v1beta1 has two that must agree.
    pub references: Box<[Reference<'a>]>,
    /// `spec.clusterName`, else the cluster-name label.
    pub cluster: Option<Text<'a>>,
    /// How many machines it can have.
    pub size: GroupSize,
    /// The pool label in the metadata that it gives its machines, which nobody reads.
    pub machine_label: Option<Text<'a>>,
    /// The object that controls it, where the text comes from a live cluster.
    pub owner: Option<Owner<'a>>,
}

/// The first entry of `metadata.ownerReferences`.
#[derive(Clone, Debug)]
pub struct Owner<'a> {
    /// The owner's kind.
    pub kind: Cow<'a, str>,
    /// The owner's name.
    pub name: Cow<'a, str>,
}

/// Where the kinds and API versions keep the reference to the template (CAPI, CABPT, CAPRKE2, EKS Anywhere).
const REFERENCES: [&[&str]; 6] = [
    &["spec", "machineTemplate", "spec", "infrastructureRef"],
    &["spec", "machineTemplate", "infrastructureRef"],
    &["spec", "machineTemplate", "infrastructureTemplate"],
    &["spec", "infrastructureTemplate"],
    &["spec", "infrastructureRef"],
    &["spec", "template", "spec", "infrastructureRef"],
];

impl<'a> Group<'a> {
    /// `None` for objects without a reference to a machine template.
    pub(super) fn read(at: Cursor<'_, 'a>, api_group: &str, kind: &str) -> Option<Self> {
        let references: Box<[_]> = REFERENCES
            .iter()
            .filter_map(|path| at.at(path).and_then(Reference::read))
            .filter(|reference| reference.kind.ends_with("MachineTemplate"))
            .collect();
        if references.is_empty() {
            return None;
        }
        let role = match (api_group, kind) {
            (_, "MachineDeployment" | "MachineSet") => Role::Worker,
            ("controlplane.cluster.x-k8s.io", _) => Role::ControlPlane,
            (group, _) if group.starts_with("etcdcluster.") => Role::Etcd,
            _ if kind.ends_with("ControlPlane") => Role::ControlPlane,
            _ => return None,
        };
        let label = || at.at(&["metadata", "labels", "cluster.x-k8s.io/cluster-name"])?.text();
        let owner = at
            .at(&["metadata", "ownerReferences"])
            .and_then(|owners| owners.items().next());
        let strategy = match kind {
            "MachineSet" => Some(Strategy::OnDelete),
            _ => at.get("spec").and_then(Strategy::read),
        };
        const MACHINES: [&[&str]; 2] = [&["spec", "machineTemplate"], &["spec", "template"]];
        let machine_label = MACHINES
            .iter()
            .find_map(|path| at.at(path)?.at(&["metadata", "labels", POOL_LABEL])?.text());
        Some(Group {
            role,
            size: size::size(at.get("spec"), at.get("metadata"), strategy),
            references,
            machine_label,
            cluster: at.at(&["spec", "clusterName"]).and_then(Cursor::text).or_else(label),
            owner: owner.and_then(|owner| {
                Some(Owner {
                    kind: owner.text_of("kind")?.value,
                    name: owner.text_of("name")?.value,
                })
            }),
        })
    }

    /// The reference to a VSphereMachineTemplate, if that is what the group uses.
    #[must_use]
    pub fn template(&self) -> Option<&Reference<'a>> {
        self.references.iter().find(|reference| reference.is_machine_template())
    }
}
