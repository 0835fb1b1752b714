//! Takes objects that create machines and finds the cluster and template of each by group, kind, name and namespace; look-ups by name cost little in large manifests.

use std::collections::HashMap;

use super::groups::{GroupSource, MachineGroup, TemplateUse};
use crate::objects::{
    Class, Cluster, Detail, Group, GroupSize, Manifest, Object, Reference, Role, Strategy, TopologyWorkers, WorkerClass,
};

/// Objects by name.
struct ByName<'m>(Vec<(&'m str, usize)>);

impl<'m> ByName<'m> {
    fn new(mut objects: Vec<(&'m str, usize)>) -> Self {
        objects.sort_unstable();
        objects.dedup();
        ByName(objects)
    }

    fn get(&self, name: &str) -> impl Iterator<Item = usize> + '_ {
        let start = self.0.partition_point(|(other, _)| *other < name);
        let end = self.0.partition_point(|(other, _)| *other <= name);
        self.0[start..end].iter().map(|(_, object)| *object)
    }
}

/// Look-ups by name.
pub(super) struct Finder<'m, 'a> {
    manifest: &'m Manifest<'a>,
    templates: ByName<'m>,
    classes: ByName<'m>,
    named_clusters: ByName<'m>,
    /// Templates of control planes, such as a KubeadmControlPlaneTemplate.
    control_planes: ByName<'m>,
    /// Clusters by the kind and name of the control plane or etcd that they refer to.
    by_reference: HashMap<(&'m str, &'m str), Vec<usize>>,
    pub(super) clusters: Vec<usize>,
    used_classes: Vec<usize>,
}

impl<'m, 'a> Finder<'m, 'a> {
    pub(super) fn new(manifest: &'m Manifest<'a>) -> Self {
        let (mut templates, mut classes, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
        let mut control_planes = Vec::new();
        let mut by_reference: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, object) in manifest.objects.iter().enumerate() {
            let names = object.names().map(|name| (name, index));
            match &object.detail {
                Detail::Template(_) => templates.extend(names),
                Detail::Class(_) => classes.extend(names),
                Detail::Other if object.kind.ends_with("ControlPlaneTemplate") => control_planes.extend(names),
                Detail::Cluster(cluster) => {
                    clusters.extend(names);
                    for reference in cluster.control_plane.iter().chain(&cluster.etcd) {
                        if let Some(name) = &reference.name {
                            by_reference
                                .entry((&*reference.kind, &*name.value))
                                .or_default()
                                .push(index);
                        }
                    }
                }
                _ => {}
            }
        }
        let mut finder = Finder {
            manifest,
            clusters: indices(&clusters),
            templates: ByName::new(templates),
            classes: ByName::new(classes),
            named_clusters: ByName::new(clusters),
            control_planes: ByName::new(control_planes),
            by_reference,
            used_classes: Vec::new(),
        };
        finder.used_classes = finder
            .clusters
            .iter()
            .filter_map(|cluster| finder.class_of(*cluster))
            .collect();
        finder
    }

    fn object(&self, index: usize) -> &'m Object<'a> {
        &self.manifest.objects[index]
    }

    pub(super) fn of_object(
        &self,
        index: usize,
        object: &'m Object<'a>,
        group: &'m Group<'a>,
    ) -> Option<MachineGroup<'m, 'a>> {
        // A MachineSet of a MachineDeployment follows it; only the deployment is configured.
        if group
            .owner
            .as_ref()
            .is_some_and(|owner| owner.kind == "MachineDeployment")
        {
            return None;
        }
        let reference = group.template();
        Some(MachineGroup {
            source: GroupSource::Object(index),
            role: group.role,
            size: group.size,
            kind: &object.kind,
            name: object.name(),
            cluster: self.cluster_of(object, group),
            cluster_name: group.cluster.as_ref().map(|name| &*name.value),
            class: None,
            reference,
            template: reference.map_or(TemplateUse::Foreign, |reference| {
                self.template(reference, object, object.namespace())
            }),
        })
    }

    fn cluster_of(&self, object: &Object<'_>, group: &Group<'_>) -> Option<usize> {
        let here = |cluster: &usize| self.object(*cluster).in_namespace(object.namespace());
        let of_one_base = |cluster: &usize| self.object(*cluster).of_one_base(object);
        let one_of = |candidates: Vec<usize>| {
            let same = candidates.iter().copied().find(of_one_base);
            same.or(candidates.first().copied())
        };
        let referring = object
            .names()
            .filter_map(|name| self.by_reference.get(&(&*object.kind, name)));
        let referred = one_of(referring.flatten().copied().filter(here).collect());
        match &group.cluster {
            _ if referred.is_some() => referred,
            Some(name) => one_of(self.named_clusters.get(&name.value).filter(here).collect()),
            // Without any word about its cluster a group belongs to the only one there is, unless that names another.
            None => self
                .clusters
                .first()
                .copied()
                .filter(|_| self.clusters.len() == 1 && !self.names_another(group.role)),
        }
    }

    /// Whether the only Cluster refers to a control plane or etcd, which then is not the group at hand.
    fn names_another(&self, role: Role) -> bool {
        let cluster = self.clusters.first().map(|cluster| &self.object(*cluster).detail);
        let Some(Detail::Cluster(cluster)) = cluster else {
            return false;
        };
        match role {
            Role::ControlPlane => cluster.control_plane.is_some(),
            Role::Etcd => cluster.etcd.is_some(),
            Role::Worker => false,
        }
    }

    fn template(&self, reference: &Reference<'_>, referrer: &Object<'_>, namespace: Option<&str>) -> TemplateUse {
        let Some(name) = &reference.name else {
            return TemplateUse::Unnamed;
        };
        let namespace = reference
            .namespace
            .as_ref()
            .map(|namespace| &*namespace.value)
            .or(namespace);
        let mut candidates = self
            .templates
            .get(&name.value)
            .filter(|template| self.object(*template).in_namespace(namespace));
        let (first, second) = (candidates.next(), candidates.next());
        let (Some(first), Some(second)) = (first, second) else {
            return first.map_or(TemplateUse::Missing, TemplateUse::Found);
        };
        let candidates: Vec<usize> = [first, second].into_iter().chain(candidates).collect();
        let candidates = narrowed(candidates, |template| self.object(template).of_one_base(referrer));
        let candidates = narrowed(candidates, |template| self.object(template).namespace() == namespace);
        match narrowed(candidates, |template| self.object(template).name() == &*name.value)[..] {
            [] => TemplateUse::Missing,
            [template] => TemplateUse::Found(template),
            ref several => TemplateUse::Ambiguous(several.to_vec()),
        }
    }

    /// The class of a Cluster with a topology.
    fn class_of(&self, cluster: usize) -> Option<usize> {
        let Detail::Cluster(detail) = &self.object(cluster).detail else {
            return None;
        };
        let topology = detail.topology.as_ref()?;
        let namespace = topology
            .class_namespace
            .as_ref()
            .map(|text| &*text.value)
            .or(self.object(cluster).namespace());
        let name = &topology.class.as_ref()?.value;
        let mut classes = self.classes.get(name);
        classes.find(|class| self.object(*class).is_meant(name, namespace, self.object(cluster)))
    }

    pub(super) fn of_topology(
        &self,
        index: usize,
        object: &'m Object<'a>,
        cluster: &'m Cluster<'a>,
        all: &mut Vec<MachineGroup<'m, 'a>>,
    ) {
        let Some(topology) = &cluster.topology else { return };
        // A live dump holds the generated objects too: they are the groups then.
        let generated = cluster
            .control_plane
            .as_ref()
            .and_then(|reference| reference.name.as_ref())
            .is_some_and(|name| {
                self.manifest
                    .objects
                    .iter()
                    .any(|object| matches!(object.detail, Detail::Group(_)) && object.is_called(&name.value))
            });
        if generated {
            return;
        }
        let class_index = self.class_of(index);
        let class = class_index.and_then(|class| match &self.object(class).detail {
            Detail::Class(class) => Some(&**class),
            _ => None,
        });
        let class_namespace = class_index.and_then(|class| self.object(class).namespace());
        let size = |source| match source {
            GroupSource::TopologyWorkers { index, .. } => workers_size(&topology.workers[index], class),
            _ => {
                let strategy = class.and_then(|class| self.control_plane_strategy(class, class_namespace));
                GroupSize {
                    // A control plane adds at most one machine; a class whose template says 0 needs one address less.
                    surge: strategy.map_or(Some(1), |strategy| strategy.surge(topology.replicas)),
                    ..GroupSize::new(topology.replicas, strategy.unwrap_or(Strategy::UNKNOWN))
                }
            }
        };
        let mut group = |source, role, kind: &'m str, name: &'m str, worker, reference: Option<&'m Reference<'a>>| {
            all.push(MachineGroup {
                source,
                role,
                kind,
                name,
                cluster: Some(index),
                cluster_name: object.name.as_ref().map(|name| &*name.value),
                class: class_index.map(|class| (class, worker)),
                size: size(source),
                reference,
                template: match (class, reference) {
                    (None, _) => TemplateUse::ClassMissing,
                    (_, Some(reference)) if reference.is_machine_template() => self.template(
                        reference,
                        class_index.map_or(object, |class| self.object(class)),
                        class_namespace,
                    ),
                    _ => TemplateUse::Foreign,
                },
            });
        };
        let kind = control_plane_kind(class);
        let machines = class.and_then(|class| class.machines.as_ref());
        group(
            GroupSource::TopologyControlPlane { cluster: index },
            Role::ControlPlane,
            kind,
            object.name(),
            None,
            machines,
        );
        for (place, workers) in topology.workers.iter().enumerate() {
            let name = workers.name.as_ref().map_or("", |name| &*name.value);
            let worker = workers.class.as_ref().map(|class| &*class.value);
            let found = class.and_then(|class| {
                class
                    .workers
                    .iter()
                    .find(|known| known.class.as_ref().map(|class| &*class.value) == worker)
            });
            let source = GroupSource::TopologyWorkers {
                cluster: index,
                index: place,
            };
            let reference = found.and_then(|class| class.machines.as_ref());
            group(source, Role::Worker, "MachineDeployment", name, worker, reference);
        }
    }

    pub(super) fn of_class(
        &self,
        index: usize,
        object: &'m Object<'a>,
        class: &'m Class<'a>,
        all: &mut Vec<MachineGroup<'m, 'a>>,
    ) {
        if self.used_classes.contains(&index) {
            return;
        }
        let mut group = |source, role, kind: &'m str, name: &'m str, worker, reference: &'m Reference<'a>| {
            all.push(MachineGroup {
                source,
                role,
                kind,
                name,
                cluster: None,
                cluster_name: None,
                class: Some((index, worker)),
                size: GroupSize::default(),
                reference: Some(reference),
                template: if reference.is_machine_template() {
                    self.template(reference, object, object.namespace())
                } else {
                    TemplateUse::Foreign
                },
            });
        };
        if let Some(reference) = &class.machines {
            let kind = control_plane_kind(Some(class));
            group(
                GroupSource::ClassControlPlane(index),
                Role::ControlPlane,
                kind,
                object.name(),
                None,
                reference,
            );
        }
        for (place, worker) in class.workers.iter().enumerate() {
            let Some(reference) = &worker.machines else { continue };
            let name = worker.class.as_ref().map(|class| &*class.value);
            let source = GroupSource::ClassWorkers(index, place);
            group(
                source,
                Role::Worker,
                "MachineDeployment",
                name.unwrap_or_default(),
                name,
                reference,
            );
        }
    }
}

impl Finder<'_, '_> {
    /// How a class's control plane replaces its machines; `None` when its template is not in the manifest or a patch of
    /// the class may change it.
    fn control_plane_strategy(&self, class: &Class<'_>, namespace: Option<&str>) -> Option<Strategy> {
        let patched = |path: &str| path.contains("/rollout");
        let mut operations = class.patches.iter().flat_map(|patch| &patch.operations);
        if operations.any(|operation| operation.path.as_ref().is_some_and(|path| patched(&path.value))) {
            return None;
        }
        let reference = class.control_plane.as_ref()?;
        let mut named = self.control_planes.get(&reference.name.as_ref()?.value);
        let template = named.find(|template| {
            let object = self.object(*template);
            object.kind == reference.kind && object.in_namespace(namespace)
        })?;
        Some(Strategy::of_template(self.manifest, self.object(template)))
    }
}

/// The size of a topology's MachineDeployment: a strategy that it does not give is the class's.
fn workers_size(workers: &TopologyWorkers<'_>, class: Option<&Class<'_>>) -> GroupSize {
    let named = |known: &&WorkerClass<'_>| match (&known.class, &workers.class) {
        (Some(known), Some(wanted)) => known.value == wanted.value,
        _ => false,
    };
    let of_class = class.and_then(|class| class.workers.iter().find(named)?.strategy);
    match (workers.strategy, of_class) {
        (None, Some(strategy)) => GroupSize {
            autoscaler: workers.size.autoscaler,
            ..GroupSize::new(workers.size.replicas, strategy)
        },
        _ => workers.size,
    }
}

/// The objects of some names, each once, in order.
fn indices(named: &[(&str, usize)]) -> Vec<usize> {
    let mut indices: Vec<usize> = named.iter().map(|(_, index)| *index).collect();
    indices.dedup();
    indices
}

/// Those of several candidates that fit better; all of them when none does.
fn narrowed(candidates: Vec<usize>, fits: impl Fn(usize) -> bool) -> Vec<usize> {
    let better: Vec<usize> = candidates
        .iter()
        .copied()
        .filter(|candidate| fits(*candidate))
        .collect();
    if better.is_empty() { candidates } else { better }
}

/// The kind of a class's control plane: that of its template without `Template`.
fn control_plane_kind<'m>(class: Option<&'m Class<'_>>) -> &'m str {
    let kind = class
        .and_then(|class| class.control_plane.as_ref())
        .map_or("KubeadmControlPlane", |reference| &*reference.kind);
    kind.strip_suffix("Template").unwrap_or(kind)
}
