//! Takes nodes and finds where their colons, dashes and commas stand and how the text around them is laid out; never decides what is written there.

use std::ops::Range;

use super::emit::{Flow, Layout, Lines};
use super::events::Style;
use super::layout;
use super::node::{Kind, NodeId, Tree};

impl Tree<'_> {
    /// The offset behind the colon of an entry.
    pub(super) fn after_colon(&self, key: NodeId) -> Option<usize> {
        let at = layout::skip_trivia(self.text(), self.span(key).end);
        (self.text().as_bytes().get(at) == Some(&b':')).then_some(at + 1)
    }

    /// The offset of the dash before an item of a block sequence, given the item before it.
    pub(super) fn dash(&self, sequence: NodeId, before: Option<NodeId>) -> Option<usize> {
        let at = match before {
            None => self.span(sequence).start,
            Some(before) => layout::skip_trivia(self.text(), self.span(before).end),
        };
        (self.text().as_bytes().get(at) == Some(&b'-')).then_some(at)
    }

    /// The key whose value a node is.
    pub(super) fn key_of(&self, value: NodeId) -> Option<NodeId> {
        let mut entries = self.entries(self.parent(value)?);
        entries.find(|(_, of)| *of == value).map(|(key, _)| key)
    }

    /// The lines of each item of a block sequence, from the line of its dash to that of the next one's; the last to the end of
    /// the text. Comments above a dash belong to the item before.
    #[must_use]
    pub fn item_lines(&self, sequence: NodeId) -> Vec<Range<usize>> {
        let text = self.text();
        let mut dash = self.span(sequence).start;
        let mut starts = Vec::new();
        for item in self.items(sequence) {
            starts.push(layout::line_start(text, dash));
            dash = layout::skip_trivia(text, self.span(item).end);
        }
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        starts
            .iter()
            .copied()
            .zip(ends)
            .map(|(start, end)| start..end)
            .collect()
    }

    /// Bytes that hold a value and are a document by themselves: a block with the indentation of its first line.
    #[must_use]
    pub fn lines_of_value(&self, node: NodeId) -> Range<usize> {
        let span = self.span(node);
        let text = self.text();
        match layout::indentation(text, span.start) {
            Some(indentation) if self.is_block(node) => {
                span.start - indentation.len()..layout::after_break(text, span.end)
            }
            _ => span,
        }
    }

    /// The column at which the keys of a block mapping or the dashes of a block sequence stand.
    pub(super) fn column(&self, collection: NodeId) -> usize {
        layout::column(self.text(), self.span(collection).start)
    }

    pub(super) fn is_flow(&self, node: NodeId) -> bool {
        matches!(
            self.kind(node),
            Kind::Mapping { flow: true } | Kind::Sequence { flow: true }
        )
    }

    pub(super) fn is_block(&self, node: NodeId) -> bool {
        matches!(
            self.kind(node),
            Kind::Mapping { flow: false } | Kind::Sequence { flow: false }
        )
    }

    /// A null that is not written out.
    pub(super) fn is_unwritten(&self, node: NodeId) -> bool {
        self.span(node).is_empty() && matches!(self.kind(node), Kind::Scalar(Style::Plain))
    }

    /// How the document lays out its blocks, read from the first nested mapping and the first list.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let mut layout = Layout {
            line_break: layout::line_break(self.text(), self.root().map_or(0, |root| self.span(root).start)),
            ..Layout::default()
        };
        let nested = |wanted: fn(Kind) -> bool| {
            let mappings = self
                .all()
                .filter(|node| self.kind(*node) == Kind::Mapping { flow: false });
            mappings
                .flat_map(|outer| self.entries(outer).map(move |(_, value)| (outer, value)))
                .find(move |(outer, value)| {
                    let below = layout::line_start(self.text(), self.span(*value).start) > self.span(*outer).start;
                    wanted(self.kind(*value)) && below
                })
        };
        if let Some((outer, inner)) = nested(|kind| kind == Kind::Mapping { flow: false }) {
            layout.step = self.column(inner).saturating_sub(self.column(outer)).max(1);
        }
        if let Some((outer, inner)) = nested(|kind| kind == Kind::Sequence { flow: false }) {
            layout.indented_lists = self.column(inner) > self.column(outer);
        }
        layout
    }

    /// The keys of a mapping, or the items of a sequence.
    pub(super) fn children_of(&self, collection: NodeId) -> Vec<NodeId> {
        match self.kind(collection) {
            Kind::Mapping { .. } => self.entries(collection).map(|(key, _)| key).collect(),
            _ => self.items(collection).collect(),
        }
    }

    /// The last node of a child: an item itself, of a key its value.
    pub(super) fn last_of(&self, collection: NodeId, child: NodeId) -> NodeId {
        match self.kind(collection) {
            Kind::Mapping { .. } => self.after(child),
            _ => child,
        }
    }

    /// Where a child of a collection ends; for a mapping with its value.
    pub(super) fn child_end(&self, collection: NodeId, child: NodeId) -> usize {
        self.span(self.last_of(collection, child)).end
    }

    /// How a flow collection is written: as JSON or not, where it has blanks and line ends.
    #[must_use]
    pub fn flow(&self, collection: NodeId) -> Flow {
        let json = self.is_json(collection);
        let children = self.children_of(collection);
        let text = self.text();
        let blank_at = |at: usize| matches!(text.as_bytes().get(at), Some(b' ' | b'\t' | b'\n' | b'\r'));
        let colon = self
            .entries(collection)
            .next()
            .and_then(|(key, _)| self.after_colon(key));
        let parent = self.parent(collection).filter(|parent| self.is_flow(*parent));
        let spaced_colons = match (colon, parent) {
            (Some(at), _) => blank_at(at),
            (None, Some(parent)) => self.flow(parent).spaced_colons,
            (None, None) => true,
        };
        let comma = children
            .first()
            .filter(|_| children.len() > 1)
            .map(|first| layout::skip_trivia(text, self.child_end(collection, *first)));
        let lines = match children.last() {
            Some(last) => self.own_lines(collection, *last),
            None => parent.and_then(|parent| self.flow(parent).lines).map(nested),
        };
        Flow {
            json,
            spaced_colons,
            spaced_commas: comma.map_or(spaced_colons, |at| blank_at(at + 1)),
            lines,
        }
    }

    /// The lines of a flow collection whose last entry begins one.
    fn own_lines(&self, collection: NodeId, last: NodeId) -> Option<Lines> {
        let text = self.text();
        let prefix = layout::indentation(text, self.outer_start(last))?;
        let open = layout::line_start(text, self.span(collection).start);
        if open == layout::line_start(text, self.outer_start(last)) {
            return None;
        }
        let outer = &text[open..layout::skip_blanks(text, open)];
        Some(Lines {
            line_break: layout::line_break(text, open),
            prefix: prefix.to_owned(),
            unit: prefix
                .strip_prefix(outer)
                .filter(|unit| !unit.is_empty())
                .unwrap_or("  ")
                .to_owned(),
        })
    }

    /// A collection counts as JSON when the nearest mapping around it has its first key in double quotes.
    fn is_json(&self, collection: NodeId) -> bool {
        let mut at = Some(collection);
        while let Some(node) = at {
            if !self.is_flow(node) {
                return false;
            }
            if let Some((key, _)) = self.entries(node).next() {
                return self.kind(key) == Kind::Scalar(Style::Double);
            }
            at = self.parent(node);
        }
        false
    }
}

/// The lines of a collection inside one with these.
pub(super) fn nested(lines: Lines) -> Lines {
    Lines {
        prefix: format!("{}{}", lines.prefix, lines.unit),
        ..lines
    }
}
