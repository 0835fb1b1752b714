//! Takes a configuration and a manifest's groups, and gives the templates, NICs and pools that are meant; an ambiguous wish is an error, never a guess.

use std::collections::HashSet;

use super::configuration::{Binding, PoolConfig, StaticAddressing};
use super::groups::{Groups, MachineGroup, TemplateUse};
use super::selector::Selector;
use super::validation::{ConfigError, label_value_problem, object_name_problem};
use crate::check::Finding;
use crate::check::codes::{self, Code};
use crate::ipam::{AddressRange, usable_range};
use crate::objects::{Detail, Manifest, Object, Role, Template, Text, is_placeholder};
use crate::yaml::Segment;

/// Which cluster a configuration is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterScope {
    /// A Cluster of the manifest.
    Cluster(usize),
    /// The manifest has no Cluster: all groups are meant.
    Whole,
}

/// What one configuration means in one manifest.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The cluster.
    pub scope: ClusterScope,
    /// The pools to write, in the order of the configuration.
    pub pools: Vec<WantedPool>,
    /// The templates to edit, in the order of the manifest.
    pub templates: Vec<ChosenTemplate>,
}

/// A pool to write.
#[derive(Clone, Debug)]
pub struct WantedPool {
    /// Its index in the configuration.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Its namespace: the Cluster's, else the template's.
    pub namespace: Option<String>,
    /// The Cluster's name.
    pub cluster_name: Option<String>,
    /// Its addresses.
    pub ranges: Vec<AddressRange>,
    /// The network of its NICs, where it can stand in a label.
    pub network: Option<String>,
    /// The first template that it serves.
    pub first_template: usize,
}

/// A template to edit.
#[derive(Clone, Debug)]
pub struct ChosenTemplate {
    /// The object.
    pub object: usize,
    /// The pool by index in [`Selection::pools`]. A template that several pools serve occurs once for each.
    pub pool: usize,
    /// The NICs that get an address from it.
    pub nics: NicSet,
}

/// Which NICs of a template; CAPV allows at most 128 (v1beta2), and older API versions have fewer in practice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NicSet(u128);

impl NicSet {
    /// Whether a NIC is in it.
    #[must_use]
    pub fn contains(self, index: usize) -> bool {
        index < 128 && self.0 & (1 << index) != 0
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    fn insert(&mut self, index: usize) {
        if index < 128 {
            self.0 |= 1 << index;
        }
    }

    fn first(self) -> Option<usize> {
        (self.0 != 0).then_some(self.0.trailing_zeros() as usize)
    }
}

/// Finds what a configuration means.
///
/// # Errors
/// What is wrong with the configuration, by key, and what is wrong with the manifest.
pub fn select<'a>(
    manifest: &Manifest<'a>,
    groups: &Groups<'_, 'a>,
    config: &StaticAddressing,
) -> Result<Selection, (Vec<ConfigError>, Vec<Finding>)> {
    let scope = match scope(manifest, groups, config) {
        Ok(scope) => scope,
        Err(error) => return Err((vec![error], Vec::new())),
    };
    let mut selector = Selecting {
        manifest,
        groups,
        config,
        scope,
        pools: Vec::new(),
        chosen: Vec::new(),
        errors: Vec::new(),
        findings: Vec::new(),
    };
    for (index, pool) in config.spec.pools.iter().enumerate() {
        selector.pool(index, pool);
    }
    selector.check_sharing();
    if !selector.errors.is_empty() || !selector.findings.is_empty() {
        return Err((selector.errors, selector.findings));
    }
    let mut templates = selector.chosen;
    templates.sort_unstable_by_key(|chosen| (chosen.object, chosen.pool));
    Ok(Selection {
        scope,
        pools: selector.pools,
        templates,
    })
}

fn scope(
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
        let names: Vec<String> = groups
            .clusters
            .iter()
            .map(|cluster| path(&manifest.objects[*cluster]))
            .collect();
        names.join(", ")
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
        (None, _) => {
            let problem = format!("the manifest has several clusters: {}", names());
            Err(error(
                key(),
                problem,
                "set `cluster` (--cluster) to one of them, in a configuration for each".into(),
            ))
        }
        (Some(name), clusters) => {
            let mut named = clusters
                .iter()
                .filter(|cluster| manifest.objects[**cluster].name() == name);
            match (named.next(), named.next()) {
                (Some(cluster), None) => Ok(ClusterScope::Cluster(*cluster)),
                (Some(_), Some(_)) => {
                    let problem = format!("the manifest has two clusters called {name}");
                    Err(error(
                        key(),
                        problem,
                        "give the manifests of the namespaces one at a time".into(),
                    ))
                }
                (None, _) => {
                    let problem = format!("the manifest has no cluster {name}; it has {}", names());
                    Err(error(key(), problem, "correct the name".into()))
                }
            }
        }
    }
}

struct Selecting<'s, 'm, 'a> {
    manifest: &'s Manifest<'a>,
    groups: &'s Groups<'m, 'a>,
    config: &'s StaticAddressing,
    scope: ClusterScope,
    pools: Vec<WantedPool>,
    chosen: Vec<ChosenTemplate>,
    errors: Vec<ConfigError>,
    findings: Vec<Finding>,
}

impl<'a> Selecting<'_, '_, 'a> {
    fn error(&mut self, code: &'static Code, pool: usize, rest: &[Segment], problem: String, help: String) {
        let mut path = vec![
            Segment::Key("spec".into()),
            Segment::Key("pools".into()),
            Segment::Index(pool),
        ];
        path.extend_from_slice(rest);
        self.errors.push(ConfigError {
            path,
            problem,
            help,
            code,
        });
    }

    /// The groups of the configuration's cluster.
    fn in_scope(&self) -> impl Iterator<Item = &MachineGroup<'_, 'a>> {
        self.groups.all.iter().filter(|group| match self.scope {
            ClusterScope::Cluster(cluster) => group.cluster == Some(cluster),
            ClusterScope::Whole => match (&self.config.spec.cluster, group.cluster_name) {
                (Some(wanted), Some(name)) => wanted == name,
                _ => true,
            },
        })
    }

    fn pool(&mut self, index: usize, pool: &PoolConfig) {
        let mut templates: Vec<usize> = Vec::new();
        let before = self.errors.len() + self.findings.len();
        let selectors: Vec<Selector> = pool.machines.iter().filter_map(|text| text.parse().ok()).collect();
        for (at, selector) in selectors.iter().enumerate() {
            templates.extend(self.templates(index, at, selector));
        }
        templates.sort_unstable();
        templates.dedup();
        let Some(&first) = templates.first() else { return };
        if self.errors.len() + self.findings.len() > before {
            return;
        }
        let network = self.choose_nics(index, pool, &templates);
        let Some(name) = self.pool_name(index, pool, &selectors) else {
            return;
        };
        let cluster = match self.scope {
            ClusterScope::Cluster(cluster) => Some(&self.manifest.objects[cluster]),
            ClusterScope::Whole => None,
        };
        let namespace = cluster.unwrap_or(&self.manifest.objects[first]).namespace();
        self.pools.push(WantedPool {
            index,
            name,
            namespace: namespace.map(ToOwned::to_owned),
            cluster_name: cluster
                .and_then(|cluster| cluster.name.as_ref())
                .map(|name| name.value.to_string()),
            ranges: pool
                .addresses
                .iter()
                .filter_map(|text| usable_range(text, pool.prefix).ok())
                .collect(),
            network: network.filter(|network| !is_placeholder(network) && label_value_problem(network).is_none()),
            first_template: first,
        });
    }

    fn templates(&mut self, pool: usize, at: usize, selector: &Selector) -> Vec<usize> {
        if let Selector::Template(name) = selector {
            return self.template_by_name(pool, at, name);
        }
        let wanted = |group: &&MachineGroup<'_, 'a>| match selector {
            Selector::ControlPlane => group.role == Role::ControlPlane,
            Selector::Workers => group.role == Role::Worker,
            Selector::Group { kind, name } => group.kind == kind && group.name == name,
            Selector::All | Selector::Template(_) => true,
        };
        let mut found = Vec::new();
        let mut findings = Vec::new();
        for group in self.in_scope().filter(wanted) {
            match &group.template {
                TemplateUse::Found(template) => found.push(*template),
                TemplateUse::Foreign => {}
                problem => findings.push(self.unusable(group, problem)),
            }
        }
        if found.is_empty() && findings.is_empty() {
            let known: Vec<String> = self.in_scope().map(ToString::to_string).collect();
            let known = if self.manifest.sources.iter().all(|source| source.text.trim().is_empty()) {
                "the input is empty".to_owned()
            } else if known.is_empty() {
                "it has no machine groups".to_owned()
            } else {
                format!("it has {}", known.join(", "))
            };
            let problem = format!("{selector} selects no group with a VSphereMachineTemplate in the manifest; {known}");
            let path = [Segment::Key("machines".into()), Segment::Index(at)];
            self.error(
                &codes::EMPTY_SELECTION,
                pool,
                &path,
                problem,
                "correct the selector, or give the whole manifest".into(),
            );
        }
        self.findings.extend(findings);
        found
    }

    fn template_by_name(&mut self, pool: usize, at: usize, name: &str) -> Vec<usize> {
        let namespace = match self.scope {
            ClusterScope::Cluster(cluster) => self.manifest.objects[cluster].namespace(),
            ClusterScope::Whole => None,
        };
        let is_template = |object: &&Object<'_>| matches!(object.detail, Detail::Template(_));
        let named = |object: &&Object<'_>| object.name.as_ref().is_some_and(|own| own.value == name);
        let objects = self.manifest.objects.iter().enumerate();
        let found: Vec<usize> = objects
            .filter(|(_, object)| is_template(object) && named(object) && object.in_namespace(namespace))
            .map(|(index, _)| index)
            .collect();
        match found[..] {
            [] => {
                let templates = self.manifest.objects.iter().filter(is_template);
                let known: Vec<&str> = templates.map(|template| template.name()).collect();
                let problem = format!(
                    "the manifest has no VSphereMachineTemplate {name}; it has [{}]",
                    known.join(", ")
                );
                let path = [Segment::Key("machines".into()), Segment::Index(at)];
                self.error(&codes::EMPTY_SELECTION, pool, &path, problem, "correct the name".into());
                Vec::new()
            }
            [template] => vec![template],
            _ => {
                self.findings.push(self.ambiguous(&found));
                Vec::new()
            }
        }
    }

    fn unusable(&self, group: &MachineGroup<'_, '_>, problem: &TemplateUse) -> Finding {
        let holder = match group.source {
            super::GroupSource::Object(object) => object,
            super::GroupSource::TopologyControlPlane { cluster }
            | super::GroupSource::TopologyWorkers { cluster, .. } => cluster,
            super::GroupSource::ClassControlPlane(class) | super::GroupSource::ClassWorkers(class, _) => class,
        };
        let object = &self.manifest.objects[holder];
        let source = self.manifest.source_of(object);
        let reference = group.reference.filter(|_| group.class.is_none());
        let span = reference.map_or(object.name_span(), |reference| {
            reference.name.as_ref().map_or(object.name_span(), |name| name.span)
        });
        match problem {
            TemplateUse::Ambiguous(templates) => self.ambiguous(templates),
            TemplateUse::ClassMissing => Finding::new(
                &codes::CLASS_MISSING,
                format!(
                    "{object} is made from the ClusterClass {}, which is not in the manifest",
                    class_name(object).map_or("<no name>", |name| &name.value)
                ),
            )
            .on(object)
            .at(source, class_name(object).map_or(span, |name| name.span))
            .help("give the manifest of the ClusterClass and its templates as well (-f may be repeated)"),
            TemplateUse::Unnamed => Finding::new(
                &codes::TEMPLATE_MISSING,
                format!("{group} refers to a VSphereMachineTemplate without a name"),
            )
            .on(object)
            .at(source, span)
            .help("write the name of its template, or select it by template/NAME"),
            _ => {
                let name = group
                    .reference
                    .and_then(|reference| reference.name.as_ref())
                    .map_or("", |name| &name.value);
                Finding::new(
                    &codes::TEMPLATE_MISSING,
                    format!("{group} refers to the VSphereMachineTemplate {name}, which is not in the manifest"),
                )
                .on(object)
                .at(source, span)
                .help("give the manifest that holds the template as well (-f may be repeated)")
            }
        }
    }

    fn ambiguous(&self, templates: &[usize]) -> Finding {
        let objects: Vec<&Object<'_>> = templates
            .iter()
            .map(|template| &self.manifest.objects[*template])
            .collect();
        let finding = Finding::new(
            &codes::TEMPLATE_AMBIGUOUS,
            format!("{} templates are called {}", objects.len(), objects[0].name()),
        )
        .on(objects[0])
        .at(self.manifest.source_of(objects[0]), objects[0].name_span())
        .help("remove or rename one of them");
        match objects.get(1) {
            Some(other) => finding.with(self.manifest.source_of(other), other.name_span(), "the other one"),
            None => finding,
        }
    }

    /// Chooses the pool's NICs in each template; gives the network of the first.
    fn choose_nics(&mut self, index: usize, pool: &PoolConfig, templates: &[usize]) -> Option<String> {
        let place = self.pools.len();
        let mut network = None;
        let earlier: HashSet<usize> = self.chosen.iter().map(|chosen| chosen.object).collect();
        for &template in templates {
            let object = &self.manifest.objects[template];
            let Detail::Template(detail) = &object.detail else {
                continue;
            };
            if let Some(finding) = self.patched(template) {
                self.findings.push(finding);
                continue;
            }
            match nics(detail, pool.network.as_deref()) {
                Ok(nics) => {
                    let of_first = nics.first().and_then(|nic| detail.nics[nic].network.as_ref());
                    network = network.or(of_first.map(|name| name.value.to_string()));
                    if self.config.spec.binding == Binding::Label && earlier.contains(&template) {
                        let problem = format!("{object} is chosen by two pools, and a template has one pool label");
                        let help = "use `binding: addressesFromPools`, or choose different groups".to_owned();
                        self.error(
                            &codes::TWO_POOLS,
                            index,
                            &[Segment::Key("machines".into())],
                            problem,
                            help,
                        );
                        continue;
                    }
                    self.chosen.push(ChosenTemplate {
                        object: template,
                        pool: place,
                        nics,
                    });
                }
                Err((code, message, help)) if pool.network.is_some() && code.id == codes::NIC_CHOICE.id => {
                    self.error(
                        code,
                        index,
                        &[Segment::Key("network".into())],
                        format!("{object} {message}"),
                        help,
                    );
                }
                Err((code, message, help)) => {
                    let finding = Finding::new(code, format!("{object} {message}")).on(object);
                    self.findings
                        .push(finding.at(self.manifest.source_of(object), detail.span).help(help));
                }
            }
        }
        network
    }

    /// A patch of the class that replaces the NICs of a template, so that an edit of the template has no effect.
    fn patched(&self, template: usize) -> Option<Finding> {
        self.groups.users(template).find_map(|user| {
            let group = &self.groups.all[user];
            let (class, worker) = group.class?;
            let object = &self.manifest.objects[class];
            let Detail::Class(detail) = &object.detail else { return None };
            let patch = detail.patches.iter().find_map(|patch| patch.sets_nics(worker))?;
            let name = detail.patches.iter().find(|patch| patch.sets_nics(worker).is_some()).and_then(|patch| patch.name.as_ref());
            let name = name.map_or(String::new(), |name| format!(" {}", name.value));
            let message = format!("the patch{name} of {object} sets the NICs of {}", self.manifest.objects[template]);
            let finding = Finding::new(&codes::CLASS_PATCH, message)
                .on(object)
                .at(self.manifest.source_of(object), patch.path.as_ref().map_or(patch.span, |path| path.span));
            let help = "take the NICs out of the patch and write them into the template; or make this group static by hand: \
                        dhcp4 and dhcp6 false in the patch, the pool's label or reference where the binding wants it";
            Some(finding.help(help))
        })
    }

    fn pool_name(&mut self, index: usize, pool: &PoolConfig, selectors: &[Selector]) -> Option<String> {
        if let Some(name) = &pool.name {
            return Some(name.clone());
        }
        let cluster = match self.scope {
            ClusterScope::Cluster(cluster) => self.manifest.objects[cluster].name.as_ref(),
            ClusterScope::Whole => None,
        };
        let (Some(cluster), [selector]) = (cluster, selectors) else {
            let problem = if selectors.len() > 1 {
                "a pool with several selectors needs a name"
            } else {
                "without a Cluster in the manifest a pool needs a name"
            };
            self.error(
                &codes::NAME_REQUIRED,
                index,
                &[],
                problem.to_owned(),
                "set `name` (--name)".into(),
            );
            return None;
        };
        let name = selector.pool_name(&cluster.value);
        let label = self.config.spec.binding == Binding::Label && !is_placeholder(&name);
        let problem = label
            .then(|| label_value_problem(&name))
            .flatten()
            .or_else(|| object_name_problem(&name));
        if let Some(problem) = problem {
            self.error(
                &codes::CONFIGURATION,
                index,
                &[],
                format!("the default name does not work: {problem}"),
                "set `name` (--name)".into(),
            );
            return None;
        }
        Some(name)
    }

    /// A group that was not chosen must not use a chosen template.
    fn check_sharing(&mut self) {
        for template in self.chosen.iter().map(|chosen| chosen.object) {
            let users = self.groups.users(template);
            let object = &self.manifest.objects[template];
            let chosen = |group: &&MachineGroup<'_, 'a>| self.chooses(group, object.name());
            let all = || users.clone().map(|user| &self.groups.all[user]);
            let Some(stranger) = all().find(|group| !chosen(group)) else {
                continue;
            };
            let mine: Vec<String> = all().filter(chosen).map(ToString::to_string).collect();
            let message = format!(
                "{object} is used by {} and also by {stranger}, which is not chosen",
                mine.join(", ")
            );
            self.findings.push(
                Finding::new(&codes::TEMPLATE_SHARED, message)
                    .on(object)
                    .at(self.manifest.source_of(object), object.name_span())
                    .help(format!("choose {stranger} too, or give it a template of its own")),
            );
        }
    }

    /// Whether a selector of this configuration takes a group (or its template by name).
    fn chooses(&self, group: &MachineGroup<'_, '_>, template: &str) -> bool {
        let in_scope = match self.scope {
            ClusterScope::Cluster(cluster) => group.cluster == Some(cluster),
            ClusterScope::Whole => true,
        };
        let selectors = self.config.spec.pools.iter().flat_map(|pool| &pool.machines);
        selectors
            .filter_map(|text| text.parse::<Selector>().ok())
            .any(|selector| match selector {
                Selector::Template(name) => name == template,
                Selector::All => in_scope,
                Selector::ControlPlane => in_scope && group.role == Role::ControlPlane,
                Selector::Workers => in_scope && group.role == Role::Worker,
                Selector::Group { kind, name } => in_scope && group.kind == kind && group.name == name,
            })
    }
}

fn class_name<'o, 'a>(cluster: &'o Object<'a>) -> Option<&'o Text<'a>> {
    match &cluster.detail {
        Detail::Cluster(cluster) => cluster.topology.as_ref()?.class.as_ref(),
        _ => None,
    }
}

/// The NICs of a template that a pool serves.
fn nics(template: &Template<'_>, network: Option<&str>) -> Result<NicSet, (&'static Code, String, String)> {
    let names = || {
        let names = template
            .nics
            .iter()
            .map(|nic| nic.network.as_ref().map_or("<none>", |name| &name.value));
        names.collect::<Vec<_>>().join(", ")
    };
    if template.nics.is_empty() {
        let help = "write the NIC into the template; a ClusterClass patch that adds NICs is not edited".to_owned();
        return Err((&codes::NO_NICS, "has no network.devices".to_owned(), help));
    }
    let Some(network) = network else {
        if template.nics.len() == 1 {
            return Ok(NicSet(1));
        }
        let help = format!("set `network` (--network) to one of: {}", names());
        return Err((
            &codes::NIC_CHOICE,
            format!("has {} NICs and no network is named", template.nics.len()),
            help,
        ));
    };
    let on_network = |nic: &crate::objects::Nic<'_>| nic.network.as_ref().is_some_and(|name| name.value == network);
    let mut found = NicSet::default();
    template
        .nics
        .iter()
        .enumerate()
        .filter(|(_, nic)| on_network(nic))
        .for_each(|(index, _)| found.insert(index));
    if found.first().is_none() {
        let help = format!("its NICs are on: {}", names());
        return Err((&codes::NIC_CHOICE, format!("has no NIC on the network {network}"), help));
    }
    Ok(found)
}
