//! Takes a node of a document and walks to the fields below it, giving texts with their place in the source; never fails on what is missing.

use std::borrow::Cow;
use std::ops::Range;

use crate::yaml::{NodeId, Tree};

/// Bytes of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Span {
    /// A span from offsets in a source, which is always smaller than 4 GiB.
    #[must_use]
    pub fn new(range: Range<usize>) -> Self {
        Span {
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    /// The part on its first line, so that a long block is not shown whole. `text` begins at the offset `base`.
    #[must_use]
    pub fn first_line(self, text: &str, base: usize) -> Self {
        let text = &text[self.start as usize - base..self.end as usize - base];
        let line = text.lines().next().map_or(0, |line| line.trim_end().len());
        Span {
            end: self.start + line as u32,
            ..self
        }
    }

    /// The span as offsets.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value of the manifest as text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The value, quotes and escapes undone.
    pub value: Cow<'a, str>,
    /// Where it is written.
    pub span: Span,
}

/// A place in a document.
#[derive(Clone, Copy)]
pub struct Cursor<'r, 'a> {
    /// The document's nodes.
    pub tree: &'r Tree<'a>,
    /// Where the document starts in its source.
    pub base: usize,
    /// The node, aliases followed.
    pub node: NodeId,
}

impl<'r, 'a> Cursor<'r, 'a> {
    /// The value of a key.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.tree.get(self.node, key).map(|node| Cursor { node, ..self })
    }

    /// The value that a path of keys leads to.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |at, key| at.get(key))
    }

    /// The items of a sequence; none for other values.
    pub fn items(self) -> impl Iterator<Item = Self> + 'r {
        self.tree.items(self.node).map(move |node| Cursor {
            node: self.tree.target(node),
            ..self
        })
    }

    /// The entries of a mapping; none for other values.
    pub fn entries(self) -> impl Iterator<Item = (Self, Self)> + 'r {
        let here = move |node| Cursor { node, ..self };
        self.tree
            .entries(self.node)
            .map(move |(key, value)| (here(key), here(self.tree.target(value))))
    }

    /// The text of a scalar that is not null.
    #[must_use]
    pub fn text(self) -> Option<Text<'a>> {
        if self.tree.is_null(self.node) {
            return None;
        }
        Some(Text {
            value: self.tree.scalar_text(self.node)?,
            span: self.span(),
        })
    }

    /// The text under a key.
    #[must_use]
    pub fn text_of(self, key: &str) -> Option<Text<'a>> {
        self.get(key)?.text()
    }

    /// A boolean as Go reads it, `yes` and `on` included.
    #[must_use]
    pub fn bool(self) -> Option<bool> {
        self.tree
            .value(self.node, &crate::yaml::Limits::default())
            .ok()?
            .as_bool()
    }

    /// Where the value stands in the source.
    #[must_use]
    pub fn span(self) -> Span {
        let span = self.tree.span(self.node);
        Span::new(self.base + span.start..self.base + span.end)
    }
}
