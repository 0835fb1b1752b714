//! Takes a machine that exists, gives the machine group of the manifest that it belongs to: by what made it, else by its
//! template, else by its name; never by a name that fits two groups.

use super::Reader;
use crate::addressing::{GroupSource, MachineGroup, TemplateUse};
use crate::objects::Role;
use crate::state::Machine;

/// How a machine's group was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// By labels, owners or the template.
    ByObject(usize),
    /// By the form of its name alone.
    ByName(usize),
}

impl Reader<'_, '_, '_> {
    /// The group of a machine; none for one of another cluster, or of a group that the manifest does not have.
    pub(super) fn group_of(&self, machine: &Machine) -> Option<Found> {
        let candidates: Vec<usize> = (0..self.groups.all.len())
            .filter(|group| self.may_own(*group, machine))
            .collect();
        let by = |fits: &dyn Fn(&MachineGroup<'_, '_>) -> bool| {
            only(
                candidates
                    .iter()
                    .copied()
                    .filter(|group| fits(&self.groups.all[*group])),
            )
        };
        let found = by(&|group| self.made(group, machine)).or_else(|| match (&machine.maker, machine.control_plane) {
            // What made it is known, and the manifest does not have it.
            (Some((kind, _)), false) if kind != "MachineSet" => None,
            (_, true) => by(&|group| group.role == Role::ControlPlane),
            _ => by(&|group| self.is_template(group, machine)),
        });
        found.map(Found::ByObject).or_else(|| {
            let unknown = machine.maker.is_none() && !machine.control_plane;
            let named = || {
                only(
                    candidates
                        .iter()
                        .copied()
                        .filter(|group| self.names(&self.groups.all[*group], &machine.name)),
                )
            };
            unknown.then(named).flatten().map(Found::ByName)
        })
    }

    /// Whether cluster and namespace do not stand against it.
    fn may_own(&self, index: usize, machine: &Machine) -> bool {
        let group = &self.groups.all[index];
        let cluster = group.cluster.map(|cluster| &self.manifest.objects[cluster]);
        let name = cluster.map(|cluster| cluster.name()).or(group.cluster_name);
        let same = match (name, &machine.cluster) {
            (Some(name), Some(own)) => name == own,
            _ => true,
        };
        let object = match group.source {
            GroupSource::Object(object) => Some(&self.manifest.objects[object]),
            _ => None,
        };
        let namespace = cluster.or(object).and_then(|object| object.namespace());
        same && namespace.is_none_or(|namespace| machine.namespace.is_empty() || namespace == machine.namespace)
    }

    /// Whether the group is what made the machine.
    fn made(&self, group: &MachineGroup<'_, '_>, machine: &Machine) -> bool {
        match group.source {
            GroupSource::TopologyWorkers { .. } => machine.topology.as_deref() == Some(group.name),
            GroupSource::TopologyControlPlane { .. } => machine.control_plane,
            GroupSource::Object(_) => machine
                .maker
                .as_ref()
                .is_some_and(|(kind, name)| kind == group.kind && name == group.name),
            GroupSource::ClassControlPlane(_) | GroupSource::ClassWorkers(..) => false,
        }
    }

    fn is_template(&self, group: &MachineGroup<'_, '_>, machine: &Machine) -> bool {
        match group.template {
            TemplateUse::Found(template) => machine.template.as_deref() == Some(self.manifest.objects[template].name()),
            _ => false,
        }
    }

    /// Whether the name is one that Cluster API gives to machines of the group: the group's, and for a MachineDeployment its
    /// MachineSet's random part, then the machine's own. A topology adds a random part to the group's name.
    fn names(&self, group: &MachineGroup<'_, '_>, name: &str) -> bool {
        let cluster = group.cluster_name.unwrap_or_default();
        let (base, parts) = match group.source {
            GroupSource::TopologyControlPlane { .. } => (cluster.to_owned(), 2),
            GroupSource::TopologyWorkers { .. } => (format!("{cluster}-{}", group.name), 3),
            _ if group.kind == "MachineDeployment" => (group.name.to_owned(), 2),
            _ => (group.name.to_owned(), 1),
        };
        let Some(rest) = name.strip_prefix(&base).and_then(|rest| rest.strip_prefix('-')) else {
            return false;
        };
        let random = |part: &str| {
            (5..=10).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        rest.split('-').count() == parts && rest.split('-').all(random)
    }
}

/// The only element, if there is exactly one.
fn only(mut groups: impl Iterator<Item = usize>) -> Option<usize> {
    groups.next().filter(|_| groups.next().is_none())
}
