//! Takes the node of one item of a ResourceList and gives its head: what it is, which file it stands in, who sent it; the rest of the item is not read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use super::local_texts::WRITTEN_BY;
use crate::objects::Cursor;
use crate::objects::carried::{IDS, INDEX, LOCAL_CONFIG, PACKAGE, PATH};
use crate::yaml::{Kind, NodeId, Tree};

/// By this kustomize knows an item when it comes back.
const KUSTOMIZE_ID: &str = "kustomize.config.k8s.io/id";

/// An object as others refer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity<'a> {
    pub(super) api_version: Cow<'a, str>,
    pub(super) kind: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) namespace: Option<Cow<'a, str>>,
}

/// The head of an item.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    /// The bytes of the list's text that hold it: its lines from the dash to the next one's, or its mapping.
    pub(super) range: Range<usize>,
    pub(super) identity: Identity<'a>,
    /// The file that it stands in, relative to its package.
    pub(super) path: Option<Cow<'a, str>>,
    /// Its place among the file's documents, from 0; a function may leave it to kpt.
    pub(super) index: Option<u64>,
    pub(super) package: Option<Cow<'a, str>>,
    /// It has the id by which kpt and kustomize pair what they sent with what comes back.
    pub(super) has_id: bool,
    /// It has kustomize's own id.
    pub(super) from_kustomize: bool,
    /// It is for local tools and never reaches a cluster.
    pub(super) local: bool,
    /// A call before this one has added it.
    pub(super) added: bool,
}

/// What is wrong with an item.
#[derive(Clone, Debug)]
pub(super) struct ItemFault {
    /// The item's place in the list, from 0.
    pub(super) index: usize,
    /// The bytes of the list's text.
    pub(super) span: Range<usize>,
    pub(super) problem: String,
    pub(super) kind: ItemFaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemFaultKind {
    /// No object: null, a scalar, or without apiVersion or kind.
    NoObject,
    /// A key that occurs twice.
    Duplicate,
}

impl Identity<'_> {
    /// The same, without the text that it was read from.
    pub(super) fn into_owned(self) -> Identity<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Identity {
            api_version: owned(self.api_version),
            kind: owned(self.kind),
            name: owned(self.name),
            namespace: self.namespace.map(owned),
        }
    }
}

/// As kpt prints it: `apps/v1/Deployment/prod/web`.
impl fmt::Display for Identity<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.api_version, self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(out, "/{namespace}")?;
        }
        write!(out, "/{}", self.name)
    }
}

impl<'a> Identity<'a> {
    /// `None` without apiVersion or kind; a missing name is empty.
    pub(super) fn read(at: Cursor<'_, 'a>) -> Option<Self> {
        let metadata = at.get("metadata");
        let of_metadata = |key| {
            metadata
                .and_then(|metadata| metadata.text_of(key))
                .map(|text| text.value)
        };
        Some(Identity {
            api_version: at.text_of("apiVersion")?.value,
            kind: at.text_of("kind")?.value,
            name: of_metadata("name").unwrap_or_default(),
            namespace: of_metadata("namespace"),
        })
    }
}

impl<'a> Item<'a> {
    /// Reads the head of the item at a node. `range` is what holds it; the tree's text begins at `base`.
    pub(super) fn read(at: Cursor<'_, 'a>, range: Range<usize>) -> Result<Self, ItemFault> {
        let fault = |problem: String| ItemFault {
            index: 0,
            span: at.span().range(),
            problem,
            kind: ItemFaultKind::NoObject,
        };
        if at.tree.is_null(at.node) {
            return Err(fault("the item is null".to_owned()));
        }
        if !matches!(at.tree.kind(at.node), Kind::Mapping { .. }) {
            return Err(fault("the item is no mapping".to_owned()));
        }
        let Some(identity) = Identity::read(at) else {
            let missing = if at.text_of("kind").is_none() {
                "kind"
            } else {
                "apiVersion"
            };
            return Err(fault(format!("the item has no {missing}")));
        };
        let mut item = Item {
            range,
            identity,
            path: None,
            index: None,
            package: None,
            has_id: false,
            from_kustomize: false,
            local: false,
            added: false,
        };
        let annotations = at.get("metadata").and_then(|metadata| metadata.get("annotations"));
        for (key, value) in annotations.into_iter().flat_map(|annotations| annotations.entries()) {
            let Some(key) = at.tree.scalar(key.node) else { continue };
            let text = || value.text().map(|text| text.value);
            match key {
                _ if PATH.contains(&key) => item.path = text(),
                _ if INDEX.contains(&key) => item.index = text().and_then(|index| index.parse().ok()),
                _ if IDS.contains(&key) => item.has_id = true,
                PACKAGE => item.package = text(),
                KUSTOMIZE_ID => item.from_kustomize = true,
                WRITTEN_BY => item.added = true,
                LOCAL_CONFIG => item.local = text().is_some_and(|local| local == "true"),
                _ => {}
            }
        }
        Ok(item)
    }
}

/// The keys that occur twice in one mapping of an item.
pub(super) fn duplicates(tree: &Tree<'_>, base: usize, item: NodeId) -> Vec<ItemFault> {
    let mut faults = Vec::new();
    // Most mappings are small: looking back over a few names costs less than hashing each.
    let mut names: Vec<&str> = Vec::new();
    let mut many = HashSet::new();
    let mappings = tree
        .below(item)
        .filter(|node| matches!(tree.kind(*node), Kind::Mapping { .. }));
    for node in mappings {
        names.clear();
        many.clear();
        for (key, _) in tree.entries(node) {
            let Some(name) = tree.scalar(key).filter(|name| *name != "<<") else {
                continue;
            };
            let known = if names.len() < 16 {
                names.contains(&name)
            } else {
                many.contains(name)
            };
            names.push(name);
            if names.len() == 16 {
                many.extend(names.iter().copied());
            } else if names.len() > 16 {
                many.insert(name);
            }
            if known {
                let span = tree.span(key);
                faults.push(ItemFault {
                    index: 0,
                    span: base + span.start..base + span.end,
                    problem: format!("the key `{name}` occurs twice in one mapping"),
                    kind: ItemFaultKind::Duplicate,
                });
            }
        }
    }
    faults
}
