//! Takes the places of entries and items that go and writes the edits that take them out; comments above them stay.

use std::collections::BTreeSet;
use std::ops::Range;

use super::change::Editor;
use super::edit::Edit;
use super::events::Style;
use super::guard::{Reason, Refusal};
use super::layout;
use super::node::{Kind, NodeId};

impl Editor<'_, '_> {
    pub(super) fn remove_children(&mut self, collection: NodeId, places: &BTreeSet<usize>) -> Result<(), Refusal> {
        let children = self.tree.children_of(collection);
        if places.len() == children.len() {
            return self.empty(collection, &children);
        }
        for run in runs(places) {
            if self.tree.is_flow(collection) {
                self.edits
                    .push(Edit::delete(self.flow_range(collection, &children, &run)));
                continue;
            }
            self.tree.guard_simple_keys(collection)?;
            for part in self.separable(collection, &children, run)? {
                let range = self.block_range(collection, &children, &part)?;
                self.edits.push(Edit::delete(range));
            }
        }
        Ok(())
    }

    /// The children of a run one by one, so that comments between them stay; the run as a whole where its lines hang together.
    fn separable(
        &self,
        collection: NodeId,
        children: &[NodeId],
        run: Range<usize>,
    ) -> Result<Vec<Range<usize>>, Refusal> {
        let source = self.tree.text();
        let behind_dash = layout::indentation(source, self.start_of(collection, children, run.start)?).is_none();
        let last_line = layout::line_end(source, self.tree.child_end(collection, children[run.end - 1]));
        let unended = layout::after_break(source, last_line) == last_line;
        if behind_dash || unended {
            return Ok(vec![run]);
        }
        Ok(run.map(|place| place..place + 1).collect())
    }

    /// Nothing is left: `[]` or `{}`.
    fn empty(&mut self, collection: NodeId, children: &[NodeId]) -> Result<(), Refusal> {
        let brackets = if matches!(self.tree.kind(collection), Kind::Mapping { .. }) {
            "{}"
        } else {
            "[]"
        };
        if self.tree.is_flow(collection) {
            let span = self.tree.span(collection);
            self.edits.push(Edit::delete(span.start + 1..span.end - 1));
            return Ok(());
        }
        let parent = self.tree.parent(collection);
        let key = parent.and_then(|parent| {
            self.tree
                .entries(parent)
                .find(|(_, value)| *value == collection)
                .map(|(key, _)| key)
        });
        let source = self.tree.text();
        match key.and_then(|key| self.tree.after_colon(key)) {
            Some(after) if layout::line_end(source, after) < self.start_of(collection, children, 0)? => {
                let range = self.block_range(collection, children, &(0..children.len()))?;
                self.edits.push(Edit::insert(after, format!(" {brackets}")));
                self.edits.push(Edit::delete(range));
            }
            _ => self.edits.push(Edit::replace(self.tree.span(collection), brackets)),
        }
        Ok(())
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
    fn block_range(
        &self,
        collection: NodeId,
        children: &[NodeId],
        run: &Range<usize>,
    ) -> Result<Range<usize>, Refusal> {
        let source = self.tree.text();
        let first = self.start_of(collection, children, run.start)?;
        let content_end = self.tree.child_end(collection, children[run.end - 1]);
        let line_end = layout::line_end(source, content_end);
        if layout::indentation(source, first).is_none() {
            // The first child stands behind a dash: the next one moves there.
            return match children.get(run.end) {
                Some(_) => Ok(first..self.start_of(collection, children, run.end)?),
                None => Ok(first..line_end),
            };
        }
        let start = layout::line_start(source, first);
        let mut end = layout::after_break(source, line_end);
        if end == line_end {
            // The last line has no end: take the one before it.
            return Ok(layout::before_break(source, start)..end);
        }
        if run.start > 0 && self.keeps_blank_lines(collection, children[run.start - 1]) {
            // Left where they are, these lines would become part of the scalar before.
            loop {
                let blank = layout::line_end(source, end);
                if blank == end && blank == source.len() || !source[end..blank].trim().is_empty() {
                    break;
                }
                end = layout::after_break(source, blank);
                if end == blank {
                    break;
                }
            }
        }
        Ok(start..end)
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
        self.tree.dash(collection, place).ok_or_else(missing)
    }

    /// The nodes of a child; for a mapping's key those of its value.
    fn below(&self, collection: NodeId, child: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let value = self
            .tree
            .entries(collection)
            .find(|(key, _)| *key == child)
            .map(|(_, value)| value);
        self.tree.below(value.unwrap_or(child))
    }

    /// Whether the text of a child ends in a block scalar that keeps the blank lines after it.
    fn keeps_blank_lines(&self, collection: NodeId, child: NodeId) -> bool {
        let end = self.tree.child_end(collection, child);
        self.below(collection, child).any(|node| {
            let block = matches!(self.tree.kind(node), Kind::Scalar(Style::Literal | Style::Folded));
            let span = self.tree.span(node);
            block && span.end == end && layout::keeps_blank_lines(self.tree.text(), span.start)
        })
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
