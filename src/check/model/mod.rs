//! Takes a manifest, what is wanted and what is live, and gives who draws from which pool once the edits are made; judges nothing.

mod endpoint;
mod pool;
mod pool_place;
mod rollout;
mod special;

use std::collections::{HashMap, HashSet};

pub(super) use endpoint::Endpoint;
pub(super) use pool::{JudgedPool, Origin, PoolSpec};
pub(super) use rollout::Rollout;
pub(super) use special::{Role, Special, Specials};

use super::codes::Code;
use super::finding::{Finding, Place};
use crate::addressing::{
    After, ClusterScope, ConfigDocument, GroupSource, Groups, MachineGroup, Selection, TemplateAfter, TemplateUse,
};
use crate::ipam::FieldPath;
use crate::objects::{Detail, Manifest, Object, PoolKind, Span, Template};
use crate::planning::Draws;
use crate::state::State;

/// What a run's findings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An edit: only what it touches is judged.
    Transform,
    /// A plan: everything is judged.
    Plan,
    /// A judgement of the manifest as it stands: everything is judged, and a pool without enough addresses is an error.
    Check,
}

/// What is judged.
pub(crate) struct Subject<'c, 'a> {
    /// What for.
    pub(crate) purpose: Purpose,
    /// The manifest.
    pub(crate) manifest: &'c Manifest<'a>,
    /// Its machine groups.
    pub(crate) groups: &'c Groups<'c, 'a>,
    /// What is wanted.
    pub(crate) documents: &'c [ConfigDocument<'c>],
    /// What each document selects; `None` after an error.
    pub(crate) selections: &'c [Option<Selection>],
    /// What is live.
    pub(crate) state: Option<&'c State<'c>>,
}

/// A manifest as it will be, with its pools and who draws from them.
pub(super) struct Model<'c, 'a> {
    pub(super) purpose: Purpose,
    pub(super) manifest: &'c Manifest<'a>,
    pub(super) groups: &'c Groups<'c, 'a>,
    pub(super) documents: &'c [ConfigDocument<'c>],
    pub(super) wishes: Vec<(&'c ConfigDocument<'c>, &'c Selection)>,
    pub(super) state: Option<&'c State<'c>>,
    /// Templates after the edits.
    pub(super) after: After<'c>,
    /// Every pool: wanted, of the manifest, live.
    pub(super) pools: Vec<JudgedPool>,
    /// Which group draws from which pool reference.
    pub(super) draws: Draws,
    /// What each pool reference of `draws` leads to.
    pub(super) leads_to: Vec<LeadsTo>,
    /// What a plain roll-out means for each pool.
    pub(super) rollouts: Vec<Option<Rollout>>,
    /// The endpoints of the manifest and of what is live.
    pub(super) endpoints: Vec<Endpoint>,
    /// The addresses that nodes must not get.
    pub(super) specials: Specials,
    members: HashMap<usize, Vec<usize>>,
    touched: HashSet<usize>,
    whole: bool,
}

/// What a pool reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeadsTo {
    /// A pool, by index.
    Pool(usize),
    /// A pool of a provider whose pools are not read here.
    Foreign,
    /// Only a pool of that name in another namespace.
    Elsewhere(usize),
    /// Nothing that was given.
    Nothing,
}

/// An address that a NIC of a group takes.
#[derive(Clone, Copy)]
pub(super) struct Taken<'m> {
    /// The NIC's index.
    pub(super) device: usize,
    /// The place in `addressesFromPools`; none under label binding.
    pub(super) place: Option<usize>,
    /// The pool that it comes from.
    pub(super) pool: &'m JudgedPool,
}

impl<'c, 'a> Model<'c, 'a> {
    pub(super) fn new(subject: &Subject<'c, 'a>) -> Self {
        let pairs = subject.documents.iter().zip(subject.selections);
        let wishes: Vec<_> = pairs
            .filter_map(|(document, selection)| Some((document, selection.as_ref()?)))
            .collect();
        let after = After::new(&wishes);
        let draws = Draws::after(subject.manifest, subject.groups, &after);
        let mut pools = pool::pools(subject);
        let leads_to = lead(&draws, &mut pools);
        let judged = wishes.iter().filter(|(_, selection)| !selection.pools.is_empty());
        let scopes: HashSet<ClusterScope> = judged.map(|(_, selection)| selection.scope).collect();
        Model {
            purpose: subject.purpose,
            manifest: subject.manifest,
            groups: subject.groups,
            documents: subject.documents,
            state: subject.state,
            endpoints: endpoint::endpoints(subject),
            specials: Specials::of(&pools),
            members: members(subject.groups),
            whole: scopes.contains(&ClusterScope::Whole),
            touched: scopes
                .iter()
                .filter_map(|scope| match scope {
                    ClusterScope::Cluster(cluster) => Some(*cluster),
                    ClusterScope::Whole => None,
                })
                .collect(),
            rollouts: rollout::rollouts(subject.manifest, subject.groups, &draws, &leads_to, &pools),
            wishes,
            after,
            pools,
            draws,
            leads_to,
        }
    }

    /// Whether everything is judged, and not only what a configuration touches.
    pub(super) fn everything(&self) -> bool {
        self.purpose != Purpose::Transform
    }

    pub(super) fn concerns_cluster(&self, cluster: Option<usize>) -> bool {
        self.everything() || self.whole || cluster.is_some_and(|cluster| self.touched.contains(&cluster))
    }

    pub(super) fn concerns_template(&self, object: usize) -> bool {
        self.everything() || self.after.chooses(object)
    }

    /// A live pool is never judged itself.
    pub(super) fn concerns_pool(&self, pool: &JudgedPool) -> bool {
        match pool.origin {
            Origin::Wanted { .. } => true,
            Origin::Live(_) => false,
            Origin::Present(_) => self.everything() || pool.users.iter().any(|(group, _)| self.concerns_group(*group)),
        }
    }

    /// Whether a group that is judged draws from a pool.
    pub(super) fn is_drawn_from(&self, pool: &JudgedPool) -> bool {
        let concerned = |group: &usize| {
            let template = self.template_of(*group);
            template.is_some_and(|(template, _)| self.concerns_template(template))
        };
        pool.users.iter().any(|(group, _)| concerned(group))
    }

    fn concerns_group(&self, group: usize) -> bool {
        let template = self.template_of(group);
        template.is_some_and(|(template, _)| self.after.chooses(template))
    }

    /// The templates that are judged, each with what it is after the edits.
    pub(super) fn templates(&self) -> impl Iterator<Item = (usize, &Object<'a>, &Template<'a>, TemplateAfter<'_>)> {
        let objects = self.manifest.objects.iter().enumerate();
        objects.filter_map(|(index, object)| match &object.detail {
            Detail::Template(template) if self.concerns_template(index) => {
                Some((index, object, &**template, self.after.template(index, template)))
            }
            _ => None,
        })
    }

    /// The template of a group's machines.
    pub(super) fn template_of(&self, group: usize) -> Option<(usize, &Template<'a>)> {
        let TemplateUse::Found(index) = self.groups.all[group].template else {
            return None;
        };
        match &self.manifest.objects[index].detail {
            Detail::Template(template) => Some((index, template)),
            _ => None,
        }
    }

    /// The groups of a Cluster.
    pub(super) fn groups_of(&self, cluster: usize) -> &[usize] {
        self.members.get(&cluster).map_or(&[], Vec::as_slice)
    }

    /// The addresses that each machine of a group takes from pools that were given.
    pub(super) fn taken(&self, group: usize) -> impl Iterator<Item = Taken<'_>> {
        let draws = self.draws.groups.get(&group).map_or(&[][..], Vec::as_slice);
        draws.iter().filter_map(|draw| match self.leads_to[draw.pool] {
            LeadsTo::Pool(pool) => Some(Taken {
                device: draw.device,
                place: draw.place,
                pool: &self.pools[pool],
            }),
            _ => None,
        })
    }

    /// The object that a group is written in.
    pub(super) fn holder(&self, group: &MachineGroup<'_, '_>) -> &Object<'a> {
        let index = match group.source {
            GroupSource::Object(object) => object,
            GroupSource::TopologyControlPlane { cluster } | GroupSource::TopologyWorkers { cluster, .. } => cluster,
            GroupSource::ClassControlPlane(class) | GroupSource::ClassWorkers(class, _) => class,
        };
        &self.manifest.objects[index]
    }

    /// A finding about a part of an object of the manifest.
    pub(super) fn finding(
        &self,
        object: &Object<'a>,
        span: Span,
        code: &'static Code,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(code, message)
            .on(object)
            .at(self.manifest.source_of(object), span)
    }

    /// A finding about a pool: at one of its entries, else at the pool. A wanted pool is shown in the configuration.
    pub(super) fn pool_finding(
        &self,
        pool: &JudgedPool,
        entry: Option<usize>,
        code: &'static Code,
        message: String,
        help: impl Into<String>,
    ) -> Finding {
        let finding = match pool.origin {
            Origin::Wanted { document, pool: index } => {
                let error = pool_place::config_error(index, entry, code, message, help.into());
                self.documents[document].finding(&error)
            }
            _ => Finding {
                place: self.pool_place(pool, entry),
                ..Finding::new(code, message).help(help)
            },
        };
        finding.on(&pool.object)
    }

    /// Where a pool, or one of its entries, stands.
    pub(super) fn pool_place(&self, pool: &JudgedPool, entry: Option<usize>) -> Option<Place> {
        match pool.origin {
            Origin::Wanted { document, pool: index } => match entry {
                Some(entry) => self.documents[document].place_of_address(index, entry),
                None => self.documents[document].place_of_pool(index, "addresses"),
            },
            _ => entry
                .and_then(|entry| pool.entry_places.get(entry).copied())
                .or(pool.place),
        }
    }

    /// Whether a pool of its kind, name and namespace is live.
    pub(super) fn is_live(&self, pool: &JudgedPool) -> bool {
        let objects = self.state.iter().flat_map(|state| &state.manifest.objects);
        objects.into_iter().any(|object| {
            let same_kind = matches!(&object.detail, Detail::Pool(detail) if detail.kind == pool.kind);
            same_kind && Some(object.name()) == pool.name.as_deref() && object.in_namespace(pool.namespace.as_deref())
        })
    }

    /// Where a field of a pool of the manifest stands; the deepest part of it that is there.
    pub(super) fn field_place(&self, pool: &JudgedPool, path: &FieldPath) -> Option<Place> {
        let Origin::Present(index) = pool.origin else {
            return self.pool_place(pool, None);
        };
        let object = &self.manifest.objects[index];
        Some(Place {
            source: self.manifest.source_of(object),
            span: pool_place::field_span(self.manifest, object, path),
        })
    }
}

/// The groups of each Cluster.
fn members(groups: &Groups<'_, '_>) -> HashMap<usize, Vec<usize>> {
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, group) in groups.all.iter().enumerate() {
        if let Some(cluster) = group.cluster {
            members.entry(cluster).or_default().push(index);
        }
    }
    members
}

/// Finds the pool of every reference and writes the drawing groups into it.
fn lead(draws: &Draws, pools: &mut [JudgedPool]) -> Vec<LeadsTo> {
    let mut named: HashMap<(&'static str, String), Vec<usize>> = HashMap::new();
    for (index, pool) in pools.iter().enumerate() {
        let Some(name) = &pool.name else { continue };
        named.entry((pool.kind.name(), name.clone())).or_default().push(index);
    }
    let mut leads_to = Vec::new();
    for drawn in &draws.pools {
        let reference = &drawn.reference;
        if drawn.foreign {
            leads_to.push(LeadsTo::Foreign);
            continue;
        }
        let kind = PoolKind::named(&reference.kind);
        let candidates = kind
            .and_then(|kind| named.get(&(kind.name(), reference.name.clone())))
            .map_or(&[][..], Vec::as_slice);
        // Pools are in the order wanted, of the manifest, live; the first that fits is what will be there.
        let found = candidates
            .iter()
            .find(|pool| pools[**pool].serves_namespace(reference.namespace.as_deref()));
        leads_to.push(match (found, candidates.first()) {
            (Some(pool), _) => {
                pools[*pool].users.extend(&drawn.users);
                LeadsTo::Pool(*pool)
            }
            (None, Some(elsewhere)) => LeadsTo::Elsewhere(*elsewhere),
            (None, None) => LeadsTo::Nothing,
        });
    }
    for pool in pools {
        pool.users.sort_unstable();
        pool.users.dedup_by(|other, kept| {
            let same = other.0 == kept.0;
            kept.1 += if same { other.1 } else { 0 };
            same
        });
    }
    leads_to
}
