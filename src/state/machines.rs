//! Takes the objects of a running cluster, gives its machines: what made them, how old they are and which addresses their
//! NICs have; knows no pools and no plan.

use std::collections::BTreeMap;

use super::live::{ClaimObject, Stored};
use crate::api::CLUSTER_LABEL;
use crate::objects::{Cursor, INFRASTRUCTURE, Manifest, Object};

/// A machine as its Machine, VSphereMachine and VSphereVM together describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its namespace.
    pub namespace: String,
    /// Name of the VSphereMachine; of the Machine or VSphereVM where the input has no VSphereMachine.
    pub name: String,
    /// Name of the VSphereVM where it differs (before Cluster API 1.7).
    pub virtual_machine: Option<String>,
    /// Name of its cluster.
    pub cluster: Option<String>,
    /// Whether it is marked as a machine of a control plane.
    pub control_plane: bool,
    /// Kind and name of what made it; a MachineDeployment rather than its MachineSet.
    pub maker: Option<(String, String)>,
    /// Name of its MachineDeployment in the Cluster's topology.
    pub topology: Option<String>,
    /// Name of the template that it was cloned from.
    pub template: Option<String>,
    /// RFC 3339 time of the creation of its first object.
    pub created: Option<String>,
    /// Whether one of its objects is being deleted.
    pub deleting: bool,
    /// UID of its VSphereMachine.
    pub uid: Option<String>,
    /// Its NICs; none where the input has no VSphereMachine.
    pub nics: Vec<MachineNic>,
    /// The object that it is known by, as an index of the manifest's.
    pub object: Option<usize>,
}

/// One element of a VSphereMachine's `network.devices`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineNic {
    /// Whether a DHCP flag is set.
    pub dhcp: bool,
    /// `ipAddrs`: addresses with prefix lengths.
    pub addresses: Vec<String>,
}

/// Labels that tell what made a machine.
const CONTROL_PLANE: &str = "cluster.x-k8s.io/control-plane";
const CONTROL_PLANE_NAME: &str = "cluster.x-k8s.io/control-plane-name";
const DEPLOYMENT_NAME: &str = "cluster.x-k8s.io/deployment-name";
const SET_NAME: &str = "cluster.x-k8s.io/set-name";
const TOPOLOGY_NAME: &str = "topology.cluster.x-k8s.io/deployment-name";
const CLONED_FROM: &str = "cluster.x-k8s.io/cloned-from-name";

/// The machines of the input, sorted by namespace and name. `home` is the namespace of objects that give none.
#[must_use]
pub fn machines(manifest: &Manifest<'_>, home: &str) -> Vec<Machine> {
    let mut reading = Reading::default();
    for (index, object) in manifest.objects.iter().enumerate() {
        let kind = match (object.group(), &*object.kind) {
            ("cluster.x-k8s.io", "Machine") => Kind::Machine,
            ("cluster.x-k8s.io", "MachineSet") => Kind::Set,
            (INFRASTRUCTURE, "VSphereMachine") => Kind::VSphereMachine,
            (INFRASTRUCTURE, "VSphereVM") => Kind::VirtualMachine,
            _ => continue,
        };
        reading.found.push((kind, index));
    }
    // One document at a time: a long list is parsed once.
    let found = std::mem::take(&mut reading.found);
    let mut rest = found.as_slice();
    while let Some((_, first)) = rest.first() {
        let document = manifest.objects[*first].document;
        let count = rest
            .iter()
            .take_while(|(_, index)| manifest.objects[*index].document == document)
            .count();
        manifest.with_tree(document, |tree| {
            for (kind, index) in &rest[..count] {
                let object = &manifest.objects[*index];
                let at = Cursor {
                    tree,
                    base: manifest.documents[document as usize].chunk.start,
                    node: object.node,
                };
                reading.read(*kind, *index, object, at, home);
            }
        });
        rest = &rest[count..];
    }
    reading.machines()
}

/// The machine and NIC that a claim is for: its owner or else its name without the indexes, the NIC's index, and the index
/// in `addressesFromPools` (none under label binding). None for a claim that is not named in this way.
#[must_use]
pub fn claimed_nic(claim: &Stored<ClaimObject>) -> Option<(&str, usize, Option<usize>)> {
    let metadata = claim.value.metadata();
    let owner = metadata
        .owner_references
        .iter()
        .find(|owner| owner.group() == INFRASTRUCTURE && matches!(&*owner.kind, "VSphereMachine" | "VSphereVM"));
    let by_pools = matches!(claim.value, ClaimObject::IPAddressClaim(_));
    let (rest, last) = metadata.name.rsplit_once('-')?;
    let (machine, device, place) = if by_pools {
        let (machine, device) = rest.rsplit_once('-')?;
        (machine, device.parse().ok()?, Some(last.parse().ok()?))
    } else {
        (rest, last.parse().ok()?, None)
    };
    match owner {
        Some(owner) if owner.name != machine => None,
        _ => Some((machine, device, place)),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Machine,
    Set,
    VSphereMachine,
    VirtualMachine,
}

/// What one object says.
#[derive(Clone, Default)]
struct Said {
    name: String,
    labels: BTreeMap<&'static str, String>,
    owners: Vec<(String, String)>,
    created: Option<String>,
    deleting: bool,
    uid: Option<String>,
    template: Option<String>,
    infrastructure: Option<String>,
    nics: Vec<MachineNic>,
    object: usize,
}

/// Objects by namespace and name.
type Named = BTreeMap<(String, String), Said>;

#[derive(Default)]
struct Reading {
    found: Vec<(Kind, usize)>,
    machines: Named,
    sets: Named,
    vsphere_machines: Named,
    virtual_machines: Named,
}

impl Reading {
    fn read(&mut self, kind: Kind, index: usize, object: &Object<'_>, at: Cursor<'_, '_>, home: &str) {
        let text = |path: &[&str]| at.at(path).and_then(Cursor::text).map(|text| text.value.into_owned());
        let label = |key: &'static str| Some((key, text(&["metadata", "labels", key])?));
        let owners = at
            .at(&["metadata", "ownerReferences"])
            .into_iter()
            .flat_map(Cursor::items);
        let owner = |owner: Cursor<'_, '_>| {
            let text = |key| owner.text_of(key).map(|text| text.value.into_owned());
            Some((text("kind")?, text("name")?))
        };
        let devices = at
            .at(&["spec", "network", "devices"])
            .into_iter()
            .flat_map(Cursor::items);
        // A control-plane label is there with an empty text, which is null to some writers.
        let marked = at
            .at(&["metadata", "labels", CONTROL_PLANE])
            .map(|_| (CONTROL_PLANE, String::new()));
        let labels = [
            CLUSTER_LABEL,
            CONTROL_PLANE_NAME,
            DEPLOYMENT_NAME,
            SET_NAME,
            TOPOLOGY_NAME,
        ];
        let said = Said {
            name: object.name().to_owned(),
            labels: labels.into_iter().filter_map(label).chain(marked).collect(),
            owners: owners.filter_map(owner).collect(),
            created: text(&["metadata", "creationTimestamp"]),
            deleting: text(&["metadata", "deletionTimestamp"]).is_some(),
            uid: text(&["metadata", "uid"]),
            template: text(&["metadata", "annotations", CLONED_FROM]),
            infrastructure: text(&["spec", "infrastructureRef", "name"]),
            nics: devices.map(nic).collect(),
            object: index,
        };
        let key = (object.namespace().unwrap_or(home).to_owned(), said.name.clone());
        let named = match kind {
            Kind::Machine => &mut self.machines,
            Kind::Set => &mut self.sets,
            Kind::VSphereMachine => &mut self.vsphere_machines,
            Kind::VirtualMachine => &mut self.virtual_machines,
        };
        named.insert(key, said);
    }

    /// Joins the objects of each machine.
    fn machines(&self) -> Vec<Machine> {
        let mut parts: BTreeMap<(String, String), Vec<(&Said, Kind)>> = BTreeMap::new();
        for (key, said) in &self.vsphere_machines {
            parts.entry(key.clone()).or_default().push((said, Kind::VSphereMachine));
        }
        for ((namespace, name), said) in &self.machines {
            let key = (
                namespace.clone(),
                said.infrastructure.clone().unwrap_or_else(|| name.clone()),
            );
            parts.entry(key).or_default().push((said, Kind::Machine));
        }
        for ((namespace, name), said) in &self.virtual_machines {
            let owner = said.owners.iter().find(|(kind, _)| kind == "VSphereMachine");
            let key = (namespace.clone(), owner.map_or(name, |(_, owner)| owner).clone());
            parts.entry(key).or_default().push((said, Kind::VirtualMachine));
        }
        parts
            .into_iter()
            .map(|((namespace, name), parts)| self.join(namespace, name, &parts))
            .collect()
    }

    fn join(&self, namespace: String, name: String, parts: &[(&Said, Kind)]) -> Machine {
        let label = |key| parts.iter().find_map(|(said, _)| said.labels.get(key)).cloned();
        let vsphere_machine = parts
            .iter()
            .find(|(_, kind)| matches!(kind, Kind::VSphereMachine))
            .map(|(said, _)| *said);
        let virtual_machine = parts
            .iter()
            .find(|(_, kind)| matches!(kind, Kind::VirtualMachine))
            .map(|(said, _)| *said);
        let set = self.set(&namespace, parts);
        Machine {
            cluster: label(CLUSTER_LABEL),
            control_plane: label(CONTROL_PLANE).is_some(),
            maker: self.maker(&namespace, parts),
            topology: label(TOPOLOGY_NAME).or_else(|| set?.labels.get(TOPOLOGY_NAME).cloned()),
            template: vsphere_machine.and_then(|said| said.template.clone()),
            created: parts.iter().filter_map(|(said, _)| said.created.clone()).min(),
            deleting: parts.iter().any(|(said, _)| said.deleting),
            uid: vsphere_machine.and_then(|said| said.uid.clone()),
            nics: vsphere_machine.map(|said| said.nics.clone()).unwrap_or_default(),
            object: parts.first().map(|(said, _)| said.object),
            virtual_machine: virtual_machine
                .map(|said| said.name.clone())
                .filter(|other| *other != name),
            namespace,
            name,
        }
    }

    /// What made a machine, by its labels, else by its owners. A Machine owns its VSphereMachine, which owns its VSphereVM.
    fn maker(&self, namespace: &str, parts: &[(&Said, Kind)]) -> Option<(String, String)> {
        let label = |key| parts.iter().find_map(|(said, _)| said.labels.get(key)).cloned();
        let owners = parts.iter().flat_map(|(said, _)| &said.owners);
        let owner = owners
            .filter(|(kind, _)| {
                !matches!(
                    kind.as_str(),
                    "Machine" | "VSphereMachine" | "VSphereCluster" | "Cluster"
                )
            })
            .find(|(kind, _)| kind != "MachineSet");
        if let Some(owner) = owner {
            return Some(owner.clone());
        }
        if let Some(deployment) = label(DEPLOYMENT_NAME) {
            return Some(("MachineDeployment".to_owned(), deployment));
        }
        if let Some(set) = self.set(namespace, parts) {
            let deployment = set.owners.iter().find(|(kind, _)| kind == "MachineDeployment");
            let by_label = || {
                set.labels
                    .get(DEPLOYMENT_NAME)
                    .map(|name| ("MachineDeployment".to_owned(), name.clone()))
            };
            return deployment
                .cloned()
                .or_else(by_label)
                .or_else(|| Some(("MachineSet".to_owned(), set.name.clone())));
        }
        let owners = parts.iter().flat_map(|(said, _)| &said.owners);
        let set = owners
            .filter(|(kind, _)| kind == "MachineSet")
            .map(|(_, name)| name.clone())
            .next();
        set.or_else(|| label(SET_NAME))
            .map(|name| ("MachineSet".to_owned(), name))
    }

    fn set(&self, namespace: &str, parts: &[(&Said, Kind)]) -> Option<&Said> {
        let owners = parts.iter().flat_map(|(said, _)| &said.owners);
        let owned = owners.filter(|(kind, _)| kind == "MachineSet").map(|(_, name)| name);
        let labelled = parts.iter().filter_map(|(said, _)| said.labels.get(SET_NAME));
        owned
            .chain(labelled)
            .find_map(|name| self.sets.get(&(namespace.to_owned(), name.clone())))
    }
}

fn nic(device: Cursor<'_, '_>) -> MachineNic {
    let flag = |key| device.get(key).and_then(Cursor::bool) == Some(true);
    let addresses = device.get("ipAddrs").into_iter().flat_map(Cursor::items);
    MachineNic {
        dhcp: flag("dhcp4") || flag("dhcp6"),
        addresses: addresses
            .filter_map(Cursor::text)
            .map(|text| text.value.into_owned())
            .collect(),
    }
}
