//! From what is wanted to the edits that make it so: pools, templates, kube-vip, names; pure, and a part that cannot be done makes the whole an error.

mod apply;
mod identity;
mod kube_vip;
mod kube_vip_class;
mod kube_vip_patch;
mod placement;
mod pool;
mod refused;
mod rename;
mod template;

pub(crate) use apply::rendered_later;
pub(crate) use pool::pools_alone;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::addressing::{Groups, Selection, StaticAddressing};
use crate::check::Finding;
use crate::objects::Manifest;
use crate::yaml::{Edits, NodeId};

/// A change of a value of one document.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A value below a mapping becomes this; mappings on the way are made.
    Set {
        /// The mapping.
        mapping: NodeId,
        /// The keys.
        path: Vec<&'static str>,
        /// The value.
        value: Value,
    },
    /// The value of a key is brought to this; entries that it does not name stay.
    Bring {
        /// The mapping.
        mapping: NodeId,
        /// The key.
        key: &'static str,
        /// The value.
        value: Value,
    },
    /// Items go.
    RemoveItems {
        /// The list.
        sequence: NodeId,
        /// The places.
        places: Vec<usize>,
    },
    /// An entry goes.
    RemoveEntry {
        /// The mapping.
        mapping: NodeId,
        /// The key.
        key: String,
    },
}

/// Everything that one run changes.
#[derive(Default)]
pub(crate) struct Plan {
    /// Changes by document, each with the object that it concerns.
    changes: BTreeMap<u32, Vec<(usize, Change)>>,
    /// Templates that are edited in place, as the index of the wish and the templates' first entry there; their changes
    /// are made when their document is at hand.
    templates: Vec<(usize, usize)>,
    /// New pools, each before the object of a template.
    pools: Vec<(usize, Map<String, Value>)>,
    /// Copies of templates under new names.
    copies: Vec<rename::Copy>,
}

impl Plan {
    fn change(&mut self, manifest: &Manifest<'_>, object: usize, change: Change) {
        let document = manifest.objects[object].document;
        self.changes.entry(document).or_default().push((object, change));
    }
}

/// One configuration with what it means.
pub(crate) struct Wish<'w> {
    /// The configuration.
    pub(crate) config: &'w StaticAddressing,
    /// What it selects.
    pub(crate) selection: &'w Selection,
}

/// The edits of every source, and what there is to say about them.
///
/// # Errors
/// Findings about edits that cannot be made; then there are none at all.
pub(crate) fn rewrite(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    wishes: &[Wish<'_>],
    findings: &mut Vec<Finding>,
) -> Option<Vec<Edits>> {
    let mut plan = Plan::default();
    let errors = |findings: &[Finding]| crate::check::has_errors(findings);
    for (index, wish) in wishes.iter().enumerate() {
        pool::plan(manifest, wish, &mut plan, findings);
        template::plan(manifest, groups, index, wish, &mut plan, findings);
    }
    kube_vip::plan(manifest, groups, wishes, &mut plan, findings);
    if errors(findings) {
        return None;
    }
    placement::place(manifest, &mut plan);
    match apply::apply(manifest, wishes, &plan) {
        Ok((edits, notes)) => {
            findings.extend(notes);
            Some(edits)
        }
        Err(refusals) => {
            findings.extend(refusals);
            None
        }
    }
}
