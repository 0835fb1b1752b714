//! Takes ClusterClasses and plans the removal of kube-vip from them: patch, variable, placeholder file, and the variable's values in topologies; a patch that does more stops the run.

use super::kube_vip::removal;
use super::kube_vip_patch::{PatchKind, TemplateFile, about_kube_vip, patch_kind, uses_variable};
use super::{Change, Plan};
use crate::addressing::ClusterScope;
use crate::check::Finding;
use crate::check::codes;
use crate::objects::kube_vip::{COMMANDS, configuration, kube_vip_files, mentions};
use crate::objects::kube_vip_command::{Service, mentions_kube_vip, service};
use crate::objects::{Class, Cluster, Cursor, Detail, Manifest, Object, Patch, Span, Variable};

pub(super) fn plan(manifest: &Manifest<'_>, scopes: &[ClusterScope], plan: &mut Plan, findings: &mut Vec<Finding>) {
    for (index, object) in manifest.objects.iter().enumerate() {
        if let Detail::Class(class) = &object.detail {
            let users = users(manifest, object);
            let wanted =
                |user: &usize| scopes.contains(&ClusterScope::Cluster(*user)) || scopes.contains(&ClusterScope::Whole);
            let meant = if users.is_empty() {
                scopes.contains(&ClusterScope::Whole)
            } else {
                users.iter().any(wanted)
            };
            if meant {
                let removal = Removal {
                    manifest,
                    object,
                    class,
                    users: &users,
                };
                removal.plan(index, users.iter().find(|user| !wanted(user)).copied(), plan, findings);
            }
        }
    }
    for scope in scopes {
        if let ClusterScope::Cluster(cluster) = scope {
            foreign_class(manifest, *cluster, findings);
        }
    }
}

/// The Clusters that are made from a class.
fn users(manifest: &Manifest<'_>, class: &Object<'_>) -> Vec<usize> {
    let uses = |object: &Object<'_>| match &object.detail {
        Detail::Cluster(cluster) => cluster.topology.as_ref().is_some_and(|topology| {
            let namespace = topology
                .class_namespace
                .as_ref()
                .map(|text| &*text.value)
                .or(object.namespace());
            topology
                .class
                .as_ref()
                .is_some_and(|name| class.is_meant(&name.value, namespace, object))
        }),
        _ => false,
    };
    manifest
        .objects
        .iter()
        .enumerate()
        .filter(|(_, object)| uses(object))
        .map(|(index, _)| index)
        .collect()
}

/// A topology that sets kube-vip variables of a class that is not in the manifest cannot be cleaned.
fn foreign_class(manifest: &Manifest<'_>, cluster: usize, findings: &mut Vec<Finding>) {
    let object = &manifest.objects[cluster];
    let Detail::Cluster(detail) = &object.detail else {
        return;
    };
    let Some(topology) = &detail.topology else { return };
    let known = manifest
        .objects
        .iter()
        .any(|class| matches!(class.detail, Detail::Class(_)) && users(manifest, class).contains(&cluster));
    if known {
        return;
    }
    for variable in topology
        .variables
        .iter()
        .filter(|variable| mentions_kube_vip(&variable.name.value))
    {
        let class = topology.class.as_ref().map_or("<no name>", |name| &name.value);
        let message = format!(
            "{object} sets the variable {} of the ClusterClass {class}, which is not in the manifest",
            variable.name.value
        );
        findings.push(
            Finding::new(&codes::CLASS_MISSING, message)
                .on(object)
                .at(manifest.source_of(object), variable.name.span)
                .help("give the manifest of the ClusterClass as well: its patch must go together with the value"),
        );
    }
}

struct Removal<'r, 'm, 'a> {
    manifest: &'r Manifest<'a>,
    object: &'m Object<'a>,
    class: &'m Class<'a>,
    users: &'r [usize],
}

impl Removal<'_, '_, '_> {
    fn plan(&self, index: usize, stranger: Option<usize>, plan: &mut Plan, findings: &mut Vec<Finding>) {
        let template = self.control_plane_template();
        let files = template
            .map(|template| self.template_files(template))
            .unwrap_or_default();
        let kinds: Vec<(usize, PatchKind)> = self
            .class
            .patches
            .iter()
            .enumerate()
            .map(|(place, patch)| (place, patch_kind(patch, &files)))
            .collect();
        for (place, kind) in &kinds {
            if *kind == PatchKind::Mixed {
                findings.push(self.mixed(&self.class.patches[*place]));
            }
        }
        let patches: Vec<usize> = kinds
            .iter()
            .filter(|(_, kind)| *kind == PatchKind::Only)
            .map(|(place, _)| *place)
            .collect();
        let placeholder = files.iter().any(|file| file.kube_vip);
        if patches.is_empty() && !placeholder {
            return;
        }
        if let Some(stranger) = stranger {
            let other = &self.manifest.objects[stranger];
            let message = format!(
                "{} is also the class of {other}, whose kube-vip is to stay",
                self.object
            );
            findings.push(self.stuck(
                message,
                self.object.name_span(),
                "remove it from both, or give one of them a class of its own",
            ));
            return;
        }
        if let Some(template) = template {
            self.placeholder(template, &patches, plan, findings);
        }
        let variables = self.variables(&patches);
        self.lists(index, &patches, &variables, plan);
        self.values(&variables, plan);
        self.remind(&variables, findings);
        self.left(&patches, &variables, findings);
    }

    /// The control plane's template of the class, when it is in the manifest.
    fn control_plane_template(&self) -> Option<usize> {
        let reference = self.class.control_plane.as_ref()?;
        let name = &reference.name.as_ref()?.value;
        let namespace = reference
            .namespace
            .as_ref()
            .map(|text| &*text.value)
            .or(self.object.namespace());
        self.manifest
            .objects
            .iter()
            .position(|object| object.kind == reference.kind && object.is_meant(name, namespace, self.object))
    }

    fn template_files(&self, template: usize) -> Vec<TemplateFile> {
        let object = &self.manifest.objects[template];
        self.manifest.with_object(object, |at| {
            let Some(files) = configuration(object, at).and_then(|config| config.get("files")) else {
                return Vec::new();
            };
            let kube_vip = kube_vip_files(files);
            (0..files.items().count())
                .map(|place| TemplateFile {
                    kube_vip: kube_vip.contains(&place),
                })
                .collect()
        })
    }

    /// The placeholder file, and the commands of the class's template.
    fn placeholder(&self, template: usize, patches: &[usize], plan: &mut Plan, findings: &mut Vec<Finding>) {
        let object = &self.manifest.objects[template];
        let stays = |place: &usize| !patches.contains(place);
        let others = || {
            (0..self.class.patches.len())
                .filter(stays)
                .flat_map(|place| &self.class.patches[place].operations)
        };
        let paths = || others().filter_map(|operation| operation.path.as_ref());
        self.manifest.with_object(object, |at| {
            let Some(config) = configuration(object, at) else {
                return;
            };
            for key in std::iter::once("files").chain(COMMANDS) {
                let Some(list) = config.get(key) else { continue };
                let places = if key == "files" {
                    kube_vip_files(list)
                } else {
                    only_commands(list)
                };
                let Some(first) = places.first() else { continue };
                let pointer = format!("/{key}/");
                let behind = |path: &str| {
                    let index = path
                        .split_once(&pointer)
                        .and_then(|(_, rest)| rest.split('/').next()?.parse::<usize>().ok());
                    index.is_some_and(|index| index > *first)
                };
                if let Some(path) = paths().find(|path| behind(&path.value)) {
                    let message = format!(
                        "a patch of {} counts the {key} of {object} by number, and the numbers would change",
                        self.object
                    );
                    findings.push(self.stuck(message, path.span, "use `/-` in the patch, or remove kube-vip by hand"));
                    continue;
                }
                // A patch that adds to the list needs the list.
                let needed = paths().any(|path| path.value.contains(&pointer));
                let change = if needed {
                    Some(Change::RemoveItems {
                        sequence: list.node,
                        places,
                    })
                } else {
                    removal(config.node, key, list, places)
                };
                change
                    .into_iter()
                    .for_each(|change| plan.change(self.manifest, template, change));
            }
        });
    }

    /// The places of the variables that only the removed patches use.
    fn variables(&self, patches: &[usize]) -> Vec<usize> {
        let used_elsewhere = |name: &str| {
            let stays = |(place, _): &(usize, &Patch<'_>)| !patches.contains(place);
            self.class
                .patches
                .iter()
                .enumerate()
                .filter(stays)
                .any(|(_, patch)| uses_variable(patch, name))
        };
        let names = self.class.variables.iter().enumerate();
        let own = names.filter_map(|(place, name)| Some((place, &*name.as_ref()?.value)));
        own.filter(|(_, name)| mentions_kube_vip(name) && !used_elsewhere(name))
            .map(|(place, _)| place)
            .collect()
    }

    /// Patches and variables leave the class; a list without anything left goes with its key.
    fn lists(&self, index: usize, patches: &[usize], variables: &[usize], plan: &mut Plan) {
        let Some(spec) = self.class.spec else { return };
        let lists = [
            ("patches", self.class.patch_list, patches),
            ("variables", self.class.variable_list, variables),
        ];
        for (key, list, places) in lists {
            let Some(list) = list else { continue };
            let change = self.manifest.with_object(self.object, |at| {
                removal(spec, key, Cursor { node: list, ..at }, places.to_vec())
            });
            change
                .into_iter()
                .for_each(|change| plan.change(self.manifest, index, change));
        }
    }

    /// A value for a variable that is no longer defined would be refused.
    fn values(&self, variables: &[usize], plan: &mut Plan) {
        let names: Vec<&str> = variables
            .iter()
            .filter_map(|place| Some(&*self.class.variables[*place].as_ref()?.value))
            .collect();
        for &user in self.users {
            let object = &self.manifest.objects[user];
            let Detail::Cluster(cluster) = &object.detail else {
                continue;
            };
            for (first, places) in lists_of(cluster, &names) {
                let change = self.manifest.with_object(object, |at| {
                    removal(
                        first.holder,
                        first.key,
                        Cursor { node: first.list, ..at },
                        places.clone(),
                    )
                });
                change
                    .into_iter()
                    .for_each(|change| plan.change(self.manifest, user, change));
            }
        }
    }

    /// Clusters of the class that are not in the manifest must drop their values too.
    fn remind(&self, variables: &[usize], findings: &mut Vec<Finding>) {
        for name in variables
            .iter()
            .filter_map(|place| self.class.variables[*place].as_ref())
        {
            findings.push(
                Finding::new(&codes::KUBE_VIP_VALUES, format!("the variable {} leaves {}", name.value, self.object))
                    .on(self.object)
                    .at(self.manifest.source_of(self.object), name.span)
                    .help("clusters of this class outside the manifest must drop their value for it in spec.topology.variables"),
            );
        }
    }

    /// What still mentions kube-vip in the class.
    fn left(&self, patches: &[usize], variables: &[usize], findings: &mut Vec<Finding>) {
        let lists = |at: Cursor<'_, '_>, list: Option<crate::yaml::NodeId>, places: &[usize]| -> Vec<Span> {
            let items = list
                .map(|node| Cursor { node, ..at }.items().collect::<Vec<_>>())
                .unwrap_or_default();
            places
                .iter()
                .filter_map(|place| items.get(*place))
                .map(|item| item.span())
                .collect()
        };
        let spans = self.manifest.with_object(self.object, |at| {
            let mut gone = lists(at, self.class.patch_list, patches);
            gone.extend(lists(at, self.class.variable_list, variables));
            mentions(at, &gone)
        });
        for span in spans {
            findings.push(
                Finding::new(
                    &codes::KUBE_VIP_LEFT,
                    format!("something else mentions kube-vip; it stays in {}", self.object),
                )
                .on(self.object)
                .at(self.manifest.source_of(self.object), span)
                .help("remove by hand what only served kube-vip"),
            );
        }
    }

    fn mixed(&self, patch: &Patch<'_>) -> Finding {
        let name = patch.name.as_ref().map_or("without a name", |name| &name.value);
        let operation = patch
            .operations
            .iter()
            .find(|operation| about_kube_vip(operation))
            .map_or(patch.span, |operation| operation.span);
        let message = format!("the patch {name} of {} does more than kube-vip", self.object);
        self.stuck(message, operation, "take the kube-vip part out of the patch by hand")
    }

    fn stuck(&self, message: String, span: Span, help: &str) -> Finding {
        let line = Span {
            end: span.start,
            ..span
        };
        Finding::new(&codes::KUBE_VIP_STUCK, message)
            .on(self.object)
            .at(self.manifest.source_of(self.object), line)
            .help(help)
    }
}

fn only_commands(list: Cursor<'_, '_>) -> Vec<usize> {
    let serves = |item: &Cursor<'_, '_>| item.text().is_some_and(|text| service(&text.value) == Service::Only);
    list.items()
        .enumerate()
        .filter(|(_, item)| serves(item))
        .map(|(place, _)| place)
        .collect()
}

/// The variables of these names in a topology, by the list that they stand in.
fn lists_of<'c, 'a>(cluster: &'c Cluster<'a>, names: &[&str]) -> Vec<(&'c Variable<'a>, Vec<usize>)> {
    let mut lists: Vec<(&Variable<'_>, Vec<usize>)> = Vec::new();
    let variables = cluster.topology.iter().flat_map(|topology| &topology.variables);
    for variable in variables.filter(|variable| names.contains(&&*variable.name.value)) {
        match lists.iter_mut().find(|(first, _)| first.list == variable.list) {
            Some((_, places)) => places.push(variable.index),
            None => lists.push((variable, vec![variable.index])),
        }
    }
    lists
}
