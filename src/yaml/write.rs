//! Takes the changes of a document and writes the edits that make them, each in the style of what stands around it; never judges whether a change is allowed.

use std::cell::OnceCell;

use super::edit::Edit;
use super::emit::Layout;
use super::guard::Refusal;
use super::layout;
use super::node::{NodeId, Tree};
use super::replace::is_inline;
use super::wanted::Changes;

/// What the parts of the writer share: `replace.rs`, `remove.rs` and `insert.rs` add to its edits.
pub(super) struct Writer<'w, 't> {
    pub(super) tree: &'w Tree<'t>,
    pub(super) changes: &'w Changes,
    pub(super) edits: Vec<Edit>,
    /// How the document lays out its blocks, looked up once.
    layout: OnceCell<Layout>,
}

impl<'w, 't> Writer<'w, 't> {
    /// The edits of all changes; those for one place in the order in which their text belongs there.
    ///
    /// # Errors
    /// A layout that is not edited.
    pub(super) fn write(tree: &'w Tree<'t>, changes: &'w Changes) -> Result<Vec<Edit>, Refusal> {
        let mut writer = Writer {
            tree,
            changes,
            edits: Vec::new(),
            layout: OnceCell::new(),
        };
        // Collections can end at the same place: what the inner one gets comes before what the outer one gets.
        for node in changes.nodes().into_iter().rev() {
            if let Some(value) = changes.replaced.get(&node) {
                writer.replace(node, value)?;
            }
            if let Some(places) = changes.removed.get(&node) {
                writer.remove(node, places)?;
            }
            if let Some(entries) = changes.entries.get(&node) {
                writer.insert_entries(node, entries)?;
            }
            if let Some(items) = changes.items.get(&node) {
                writer.insert_items(node, items)?;
            }
        }
        Ok(writer.edits)
    }

    fn stays(&self, collection: NodeId, place: usize) -> bool {
        let removed = self.changes.removed.get(&collection);
        removed.is_none_or(|removed| !removed.contains(&place))
    }

    /// The place of the first child from `place` on that stays.
    pub(super) fn next_kept(&self, collection: NodeId, place: usize) -> Option<usize> {
        (place..self.tree.children_of(collection).len()).find(|place| self.stays(collection, *place))
    }

    /// The last child that stays.
    pub(super) fn last_kept(&self, collection: NodeId) -> Option<NodeId> {
        let children = self.tree.children_of(collection);
        let place = (0..children.len()).rev().find(|place| self.stays(collection, *place))?;
        Some(children[place])
    }

    /// Where the text of a node ends once everything has gone that goes.
    pub(super) fn kept_end(&self, node: NodeId) -> usize {
        let end = self.tree.span(node).end;
        if !self.tree.is_block(node) {
            return end;
        }
        match (self.changes.replaced.get(&node), self.last_kept(node)) {
            (Some(value), _) if !is_inline(value) => end,
            (None, Some(child)) => self.kept_end(self.tree.last_of(node, child)),
            _ => self.beside_key(node).unwrap_or(end),
        }
    }

    /// The document's layout with the line ends that stand around a node.
    pub(super) fn layout(&self, near: NodeId) -> Layout {
        Layout {
            line_break: layout::line_break(self.tree.text(), self.tree.span(near).start),
            ..*self.layout.get_or_init(|| self.tree.layout())
        }
    }
}
