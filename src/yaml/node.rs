//! Takes one document and gives its nodes with their spans; looks values up, follows aliases, and never copies text that stands in the source.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::events::Style;

/// A node of one [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mapping; `flow` when it is written in braces.
    Mapping {
        /// Written in braces.
        flow: bool,
    },
    /// A sequence; `flow` when it is written in brackets.
    Sequence {
        /// Written in brackets.
        flow: bool,
    },
    /// A scalar; the text may be empty.
    Scalar(Style),
    /// `*name`.
    Alias,
}

/// Most merge sources that one look-up follows; nested merge lists would grow without bound.
const MERGE_BUDGET: usize = 10_000;

/// Nodes lie in the order of the text: the children of a collection follow it, `next` jumps over them.
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) next: u32,
    /// The collection that holds it; the node itself at the root.
    pub(super) parent: u32,
    pub(super) kind: Kind,
    /// The value is not the source text itself and stands in `cooked`.
    pub(super) cooked: bool,
}

pub(super) struct Decoration {
    pub(super) start: u32,
    pub(super) anchor: Option<Box<str>>,
    pub(super) tag: Option<Box<str>>,
}

/// The nodes of one document over its text. Offsets are bytes in that text.
pub struct Tree<'t> {
    pub(super) text: &'t str,
    pub(super) nodes: Vec<Node>,
    pub(super) cooked: HashMap<u32, Box<str>>,
    pub(super) decorations: HashMap<u32, Decoration>,
    pub(super) aliases: HashMap<u32, u32>,
}

impl<'t> Tree<'t> {
    /// The text that the spans refer to.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The document's node; `None` when the document is empty.
    #[must_use]
    pub fn root(&self) -> Option<NodeId> {
        (!self.nodes.is_empty()).then_some(NodeId(0))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the document holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Gives back memory that was reserved for more nodes.
    pub fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
    }

    /// Memory that the nodes take, in bytes, roughly.
    #[must_use]
    pub fn weight(&self) -> usize {
        let cooked: usize = self.cooked.values().map(|text| text.len() + 48).sum();
        self.nodes.capacity() * size_of::<Node>() + cooked + (self.decorations.len() + self.aliases.len()) * 64
    }

    /// What the node is.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> Kind {
        self.nodes[node.index()].kind
    }

    /// The bytes of the node's content, without anchor and tag, and without the blank lines after a block scalar.
    #[must_use]
    pub fn span(&self, node: NodeId) -> Range<usize> {
        let node = &self.nodes[node.index()];
        node.start as usize..node.end as usize
    }

    /// Where the node begins, its anchor and tag included.
    #[must_use]
    pub fn outer_start(&self, node: NodeId) -> usize {
        match self.decorations.get(&node.0) {
            Some(decoration) => decoration.start as usize,
            None => self.span(node).start,
        }
    }

    /// The node's tag, its handle expanded.
    #[must_use]
    pub fn tag(&self, node: NodeId) -> Option<&str> {
        self.decorations.get(&node.0)?.tag.as_deref()
    }

    /// The node's anchor.
    #[must_use]
    pub fn anchor(&self, node: NodeId) -> Option<&str> {
        self.decorations.get(&node.0)?.anchor.as_deref()
    }

    /// How many of anchor and tag the node has.
    pub(super) fn properties(&self, node: NodeId) -> usize {
        usize::from(self.anchor(node).is_some()) + usize::from(self.tag(node).is_some())
    }

    /// The node itself, or what it is an alias of.
    #[must_use]
    pub fn target(&self, node: NodeId) -> NodeId {
        self.aliases.get(&node.0).map_or(node, |&target| NodeId(target))
    }

    /// The text of a scalar, escapes and folds undone; `None` for collections.
    #[must_use]
    pub fn scalar(&self, node: NodeId) -> Option<&str> {
        let node = self.target(node);
        self.in_source(node)
            .or_else(|| self.cooked.get(&node.0).map(|text| &**text))
    }

    /// The text of a scalar, borrowed from the document's text where it stands there as it is.
    #[must_use]
    pub fn scalar_text(&self, node: NodeId) -> Option<Cow<'t, str>> {
        let node = self.target(node);
        let cooked = || self.cooked.get(&node.0).map(|text| Cow::Owned(text.to_string()));
        self.in_source(node).map(Cow::Borrowed).or_else(cooked)
    }

    /// The text of a scalar that stands in the source as it is, without its quotes.
    fn in_source(&self, node: NodeId) -> Option<&'t str> {
        let node = &self.nodes[node.index()];
        let Kind::Scalar(style) = node.kind else {
            return None;
        };
        let quote = usize::from(matches!(style, Style::Single | Style::Double));
        let text: &'t str = self.text;
        (!node.cooked).then(|| &text[node.start as usize + quote..node.end as usize - quote])
    }

    /// The keys and values of a mapping in the order written, nothing merged; empty for other nodes.
    pub fn entries(&self, mapping: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let mapping = self.target(mapping);
        let is_mapping = matches!(self.kind(mapping), Kind::Mapping { .. });
        let mut children = self.children(mapping, is_mapping);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The items of a sequence; none for other nodes.
    pub fn items(&self, sequence: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let sequence = self.target(sequence);
        let is_sequence = matches!(self.kind(sequence), Kind::Sequence { .. });
        self.children(sequence, is_sequence)
    }

    fn children(&self, parent: NodeId, any: bool) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.nodes[parent.index()].next;
        let mut at = if any { parent.0 + 1 } else { end };
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let child = NodeId(at);
            at = self.nodes[child.index()].next;
            Some(child)
        })
    }

    /// The value that kubectl finds under the key: entries and merge keys apply in the order written, the last one wins.
    #[must_use]
    pub fn get(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        self.find(mapping, key, &mut { MERGE_BUDGET })
    }

    /// The value under the key that a merge key's value brings.
    pub(super) fn brought(&self, merge_value: NodeId, key: &str) -> Option<NodeId> {
        self.bring(merge_value, key, &mut { MERGE_BUDGET })
    }

    fn find(&self, mapping: NodeId, key: &str, budget: &mut usize) -> Option<NodeId> {
        let mut found = None;
        for (name, value) in self.entries(mapping) {
            if self.is_merge_key(name) {
                found = self.bring(value, key, budget).or(found);
            } else if self.scalar(name) == Some(key) {
                found = Some(self.target(value));
            }
        }
        found
    }

    fn bring(&self, merge_value: NodeId, key: &str, budget: &mut usize) -> Option<NodeId> {
        *budget = budget.checked_sub(1)?;
        match self.kind(self.target(merge_value)) {
            Kind::Sequence { .. } => self
                .items(merge_value)
                .find_map(|source| self.find(source, key, budget)),
            _ => self.find(merge_value, key, budget),
        }
    }

    /// Only a plain `<<` merges; in quotes it is an ordinary key.
    pub(super) fn is_merge_key(&self, key: NodeId) -> bool {
        self.kind(key) == Kind::Scalar(Style::Plain)
            && self.scalar(key) == Some("<<")
            && self.tag(key).is_none_or(|tag| tag == "tag:yaml.org,2002:merge")
    }

    /// Whether a node lies in the part of the tree below another, or is it.
    #[must_use]
    pub fn holds(&self, outer: NodeId, inner: NodeId) -> bool {
        outer <= inner && inner.0 < self.nodes[outer.index()].next
    }

    /// The node that follows a node and all below it in the order of the text; past the last one there is none of that name.
    pub(super) fn after(&self, node: NodeId) -> NodeId {
        NodeId(self.nodes[node.index()].next)
    }

    /// The aliases of the document, each with the node it stands for.
    pub(super) fn aliases(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.aliases
            .iter()
            .map(|(&alias, &target)| (NodeId(alias), NodeId(target)))
    }

    /// The collection that holds a node.
    #[must_use]
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        let parent = NodeId(self.nodes[node.index()].parent);
        (parent != node).then_some(parent)
    }

    /// The scalar that an offset of the text lies in.
    #[must_use]
    pub fn scalar_at(&self, at: usize) -> Option<NodeId> {
        let after = self.nodes.partition_point(|node| node.start as usize <= at);
        let node = NodeId(after.checked_sub(1)? as u32);
        let inside = self.span(node).contains(&at) && matches!(self.kind(node), Kind::Scalar(_));
        inside.then_some(node)
    }

    /// A node and all below it, in the order of the text.
    pub fn below(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        (node.0..self.nodes[node.index()].next).map(NodeId)
    }

    /// All nodes, in the order of the text.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len() as u32).map(NodeId)
    }
}
