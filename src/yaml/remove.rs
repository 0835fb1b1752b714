//! Takes the places of entries and items that go and writes the edits that take them out; comments above them stay.

use std::collections::BTreeSet;
use std::ops::Range;

use super::edit::Edit;
use super::guard::{Reason, Refusal};
use super::layout;
use super::node::{Kind, NodeId};
use super::write::Writer;

impl Writer<'_, '_> {
    pub(super) fn remove(&mut self, collection: NodeId, places: &BTreeSet<usize>) -> Result<(), Refusal> {
        let children = self.tree.children_of(collection);
        if places.len() == children.len() {
            return self.empty(collection);
        }
        for run in runs(places) {
            if self.tree.is_flow(collection) {
                let range = self.flow_range(collection, &children, &run);
                self.edits.push(Edit::delete(range));
                continue;
            }
            self.tree.guard_simple_keys(collection)?;
            let first = self.start_of(collection, &children, run.start)?;
            if layout::indentation(self.tree.text(), first).is_none() {
                // The first child stands behind a dash: the next one that stays moves there.
                let next = self.start_of(collection, &children, run.end)?;
                self.edits.push(Edit::delete(first..next));
                continue;
            }
            // One by one, so that comments between them stay.
            for place in run {
                let lines = self.lines(collection, &children, &(place..place + 1))?;
                self.edits.push(Edit::delete(lines));
            }
        }
        Ok(())
    }

    /// Nothing is left: `[]` or `{}`.
    fn empty(&mut self, collection: NodeId) -> Result<(), Refusal> {
        if self.tree.is_flow(collection) {
            let span = self.tree.span(collection);
            self.edits.push(Edit::delete(span.start + 1..span.end - 1));
            return Ok(());
        }
        let brackets = if matches!(self.tree.kind(collection), Kind::Mapping { .. }) {
            "{}"
        } else {
            "[]"
        };
        self.shorten(collection, brackets)
    }

    /// Puts a short text in the place of a block collection: where its lines were, or on the line of its key, which keeps its
    /// anchor and its comment.
    pub(super) fn shorten(&mut self, collection: NodeId, text: &str) -> Result<(), Refusal> {
        if let Some(after) = self.beside_key(collection) {
            let children = self.tree.children_of(collection);
            let lines = self.lines(collection, &children, &(0..children.len()))?;
            self.edits.push(Edit::insert(after, format!(" {text}")));
            self.edits.push(Edit::delete(lines));
        } else {
            self.edits.push(Edit::replace(self.tree.span(collection), text));
        }
        Ok(())
    }

    /// The offset behind the colon of a collection, and behind its anchor, when it begins on a later line.
    pub(super) fn beside_key(&self, collection: NodeId) -> Option<usize> {
        let text = self.tree.text();
        let (outer, span) = (self.tree.outer_start(collection), self.tree.span(collection));
        let after = match self.tree.key_of(collection)? {
            _ if outer < span.start => layout::properties_end(text, outer, self.tree.properties(collection)),
            key => self.tree.after_colon(key)?,
        };
        (layout::line_end(text, after) < span.start).then_some(after)
    }

    /// From the first of a run to the next child, or from the end of the one before.
    fn flow_range(&self, collection: NodeId, children: &[NodeId], run: &Range<usize>) -> Range<usize> {
        let start = self.tree.outer_start(children[run.start]);
        match children.get(run.end) {
            Some(next) => start..self.tree.outer_start(*next),
            None => {
                let before = run
                    .start
                    .checked_sub(1)
                    .map(|before| self.tree.child_end(collection, children[before]));
                before.unwrap_or(start)..self.tree.child_end(collection, children[run.end - 1])
            }
        }
    }

    /// The lines of a run of children in a block.
    fn lines(&self, collection: NodeId, children: &[NodeId], run: &Range<usize>) -> Result<Range<usize>, Refusal> {
        let source = self.tree.text();
        let start = layout::line_start(source, self.start_of(collection, children, run.start)?);
        let end = layout::line_end(source, self.tree.child_end(collection, children[run.end - 1]));
        Ok(start..layout::after_break(source, end))
    }

    /// Where a child of a block collection begins: its dash or its key.
    fn start_of(&self, collection: NodeId, children: &[NodeId], place: usize) -> Result<usize, Refusal> {
        if matches!(self.tree.kind(collection), Kind::Mapping { .. }) {
            return Ok(self.tree.outer_start(children[place]));
        }
        let missing = || {
            self.tree
                .refusal(Reason::Layout("the dash of the item was not found"), children[place])
        };
        let before = place.checked_sub(1).map(|before| children[before]);
        self.tree.dash(collection, before).ok_or_else(missing)
    }
}

/// Neighbouring places as ranges.
fn runs(places: &BTreeSet<usize>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for &place in places {
        match runs.last_mut() {
            Some(run) if run.end == place => run.end = place + 1,
            _ => runs.push(place..place + 1),
        }
    }
    runs
}
