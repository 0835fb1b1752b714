//! Takes a configuration and a manifest's groups, and gives the templates, NICs and pools that are meant; an ambiguous wish is an error, never a guess.

use std::collections::{BTreeSet, HashSet};

use super::cluster_name::ClusterName;
use super::configuration::{Binding, PoolConfig, StaticAddressing};
use super::groups::{Groups, MachineGroup};
use super::nics::{NicSet, nics};
use super::scope::{ClusterScope, scope};
use super::selector::Selector;
use super::validation::{ConfigError, label_value_problem, object_name_problem};
use crate::check::Finding;
use crate::check::codes::{self, Code};
use crate::ipam::{AddressRange, usable_range};
use crate::objects::{Detail, Manifest, Object, PoolKind, is_placeholder};
use crate::yaml::Segment;

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

impl WantedPool {
    /// A pool whose machines are not known, with what its configuration says by itself.
    pub(crate) fn unselected(pool: &PoolConfig, index: usize) -> Self {
        WantedPool {
            index,
            name: pool.name.clone().unwrap_or_default(),
            namespace: None,
            cluster_name: None,
            ranges: wanted_ranges(pool),
            network: None,
            first_template: 0,
        }
    }
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

/// The addresses of a pool; the configuration's reader has refused what is none.
fn wanted_ranges(pool: &PoolConfig) -> Vec<AddressRange> {
    let ranges = pool.addresses.iter().map(|text| usable_range(text, pool.prefix));
    ranges.filter_map(Result::ok).collect()
}

/// Whether a network's name can stand in a label.
pub(crate) fn can_be_label(network: &str) -> bool {
    !is_placeholder(network) && label_value_problem(network).is_none()
}

/// A selection in the making.
pub(super) struct Selecting<'s, 'm, 'a> {
    pub(super) manifest: &'s Manifest<'a>,
    pub(super) groups: &'s Groups<'m, 'a>,
    pub(super) config: &'s StaticAddressing,
    pub(super) scope: ClusterScope,
    pools: Vec<WantedPool>,
    pub(super) chosen: Vec<ChosenTemplate>,
    pub(super) errors: Vec<ConfigError>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Selecting<'_, '_, 'a> {
    pub(super) fn error(&mut self, code: &'static Code, pool: usize, rest: &[Segment], problem: String, help: String) {
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
    pub(super) fn in_scope(&self) -> impl Iterator<Item = &MachineGroup<'_, 'a>> {
        self.groups.all.iter().filter(|group| match self.scope {
            ClusterScope::Cluster(cluster) => group.cluster == Some(cluster),
            ClusterScope::Whole => match (&self.config.spec.cluster, group.cluster_name) {
                (Some(wanted), Some(name)) => ClusterName::read(wanted).name == name,
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
            name: self.current_name(name, namespace),
            namespace: namespace.map(ToOwned::to_owned),
            cluster_name: cluster
                .and_then(|cluster| cluster.name.as_ref())
                .map(|name| name.value.to_string()),
            ranges: wanted_ranges(pool),
            network: network.filter(|network| can_be_label(network)),
            first_template: first,
        });
    }

    /// What the pool of a name is called now: kustomize may have renamed one that is there already.
    fn current_name(&self, name: String, namespace: Option<&str>) -> String {
        let kind = PoolKind::from(self.config.spec.pool_kind);
        let same = |object: &&Object<'_>| match &object.detail {
            Detail::Pool(pool) => pool.kind == kind && object.is_called(&name) && object.in_namespace(namespace),
            _ => false,
        };
        let found = self.manifest.objects.iter().find(same);
        found.map(|object| object.name().to_owned()).unwrap_or(name)
    }

    /// Chooses the pool's NICs in each template; gives their network when all are on one.
    fn choose_nics(&mut self, index: usize, pool: &PoolConfig, templates: &[usize]) -> Option<String> {
        let place = self.pools.len();
        let mut networks = BTreeSet::new();
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
                    let chosen = detail.nics.iter().enumerate().filter(|(nic, _)| nics.contains(*nic));
                    networks.extend(chosen.map(|(_, nic)| nic.network.as_ref().map(|name| name.value.to_string())));
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
        if networks.len() == 1 {
            networks.pop_first().flatten()
        } else {
            None
        }
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
}
