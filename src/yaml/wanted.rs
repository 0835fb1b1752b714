//! The wanted changes of one document's values as data; settles which of them still mean something, and never looks at how a value is written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Map, Value};

use super::node::{NodeId, Tree};

/// The changes of a document, kept apart from the edits so that the edited text can be checked against them.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Values that become others.
    pub(super) replaced: BTreeMap<NodeId, Value>,
    /// Keys and items that go, by collection and place.
    pub(super) removed: BTreeMap<NodeId, BTreeSet<usize>>,
    /// Entries that mappings get at their end.
    pub(super) entries: BTreeMap<NodeId, Map<String, Value>>,
    /// Items that sequences get: before which place, and what; in the order of the places.
    pub(super) items: BTreeMap<NodeId, Vec<(usize, Value)>>,
    /// New keys come behind the comment lines that follow a mapping's last key.
    pub(super) keep_foot_comments: bool,
}

impl Changes {
    /// Leaves out what stands inside a part that goes, and makes a collection that loses everything and gets something new
    /// a new value.
    pub(super) fn settle(&mut self, tree: &Tree<'_>) {
        let gone = self.gone(tree);
        let stays = |node: &NodeId| {
            let before = gone.partition_point(|part| part.start <= *node);
            before == 0 || !gone[before - 1].contains(node)
        };
        self.replaced.retain(|node, _| stays(node));
        self.removed.retain(|node, _| stays(node));
        self.entries.retain(|node, _| stays(node));
        self.items.retain(|node, _| stays(node));
        for items in self.items.values_mut() {
            items.sort_by_key(|(place, _)| *place);
        }
        let everything = |(node, places): (&NodeId, &BTreeSet<usize>)| {
            (places.len() == tree.children_of(*node).len()).then_some(*node)
        };
        let emptied: Vec<NodeId> = self.removed.iter().filter_map(everything).collect();
        for node in emptied {
            let entries = self.entries.remove(&node).map(Value::Object);
            let items = self.items.remove(&node);
            let items = items.map(|items| items.into_iter().map(|(_, value)| value).collect());
            if let Some(value) = entries.or(items) {
                self.removed.remove(&node);
                self.replaced.entry(node).or_insert(value);
            }
        }
    }

    /// The nodes of the parts that go, as disjoint ranges in order.
    fn gone(&self, tree: &Tree<'_>) -> Vec<Range<NodeId>> {
        let mut parts: Vec<Range<NodeId>> = Vec::new();
        for (collection, places) in &self.removed {
            let children = tree.children_of(*collection);
            let end = tree.after(*collection);
            parts.extend(places.iter().filter_map(|place| {
                let start = *children.get(*place)?;
                Some(start..children.get(place + 1).copied().unwrap_or(end))
            }));
        }
        parts.sort_by_key(|part| part.start);
        // A part inside another is covered by it.
        let mut reached = None;
        parts.retain(|part| {
            let outer = reached.is_none_or(|reached| part.start >= reached);
            if outer {
                reached = Some(part.end);
            }
            outer
        });
        parts
    }

    /// The nodes that something changes about, in the order of the text.
    pub(super) fn nodes(&self) -> BTreeSet<NodeId> {
        let replaced = self.replaced.keys().chain(self.removed.keys());
        replaced
            .chain(self.entries.keys())
            .chain(self.items.keys())
            .copied()
            .collect()
    }
}
