//! Takes one document and gives its nodes with their spans; looks values up, follows aliases, and never copies text that stands in the source.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::document::{Chunk, Limits, SyntaxError};
use super::events::{Event, Events, Properties, Style};
use super::layout;

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
struct Node {
    start: u32,
    end: u32,
    next: u32,
    kind: Kind,
    /// The value is not the source text itself and stands in `cooked`.
    cooked: bool,
}

struct Decoration {
    start: u32,
    anchor: Option<Box<str>>,
    tag: Option<Box<str>>,
}

/// The nodes of one document over its text. Offsets are bytes in that text.
pub struct Tree<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    cooked: HashMap<u32, Box<str>>,
    decorations: HashMap<u32, Decoration>,
    aliases: HashMap<u32, u32>,
}

impl<'t> Tree<'t> {
    /// Reads a document.
    ///
    /// # Errors
    /// The text is not YAML as libyaml reads it, holds several documents, nests deeper than the limit, or an alias has no anchor.
    pub fn parse(chunk: &Chunk<'t>, limits: &Limits) -> Result<Self, SyntaxError> {
        if u32::try_from(chunk.text.len()).is_err() {
            return Err(fault("a document of 4 GiB or more cannot be read", 0));
        }
        let mut builder = Builder::new(chunk.text, limits.depth);
        let mut events = Events::new(chunk.text);
        let mut documents = 0;
        while let Some((event, span)) = events.next()? {
            match event {
                Event::DocumentStart { explicit } => {
                    documents += 1;
                    if documents > 1 {
                        return Err(fault("a second document begins without `---`", span.start));
                    }
                    if chunk.demands_marker() && !explicit {
                        return Err(fault("after `...` a document must begin with `---`", span.start));
                    }
                }
                event => builder.take(event, span)?,
            }
        }
        Ok(builder.tree)
    }

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

    /// The node itself, or what it is an alias of.
    #[must_use]
    pub fn target(&self, node: NodeId) -> NodeId {
        self.aliases.get(&node.0).map_or(node, |&target| NodeId(target))
    }

    /// The text of a scalar, escapes and folds undone; `None` for collections.
    #[must_use]
    pub fn scalar(&self, node: NodeId) -> Option<&str> {
        let node = self.target(node);
        let Node {
            start,
            end,
            kind,
            cooked,
            ..
        } = self.nodes[node.index()];
        let Kind::Scalar(style) = kind else {
            return None;
        };
        if cooked {
            return self.cooked.get(&node.0).map(|text| &**text);
        }
        let quote = usize::from(matches!(style, Style::Single | Style::Double));
        Some(&self.text[start as usize + quote..end as usize - quote])
    }

    /// The text of a scalar, borrowed from the document's text where it stands there as it is.
    #[must_use]
    pub fn scalar_text(&self, node: NodeId) -> Option<Cow<'t, str>> {
        let node = self.target(node);
        let Node {
            start,
            end,
            kind,
            cooked,
            ..
        } = self.nodes[node.index()];
        let Kind::Scalar(style) = kind else {
            return None;
        };
        if cooked {
            return self.cooked.get(&node.0).map(|text| Cow::Owned(text.to_string()));
        }
        let quote = usize::from(matches!(style, Style::Single | Style::Double));
        let text: &'t str = self.text;
        Some(Cow::Borrowed(&text[start as usize + quote..end as usize - quote]))
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

    /// The aliases of the document, each with the node it stands for.
    pub(super) fn aliases(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.aliases
            .iter()
            .map(|(&alias, &target)| (NodeId(alias), NodeId(target)))
    }

    /// All nodes, in the order of the text.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len() as u32).map(NodeId)
    }
}

struct Builder<'t> {
    tree: Tree<'t>,
    open: Vec<u32>,
    anchors: HashMap<Box<str>, u32>,
    /// Where the last finished node ends.
    reached: u32,
    depth: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, depth: usize) -> Self {
        let tree = Tree {
            text,
            nodes: Vec::new(),
            cooked: HashMap::new(),
            decorations: HashMap::new(),
            aliases: HashMap::new(),
        };
        Builder {
            tree,
            open: Vec::new(),
            anchors: HashMap::new(),
            reached: 0,
            depth,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), SyntaxError> {
        match event {
            Event::Alias(name) => self.alias(name, span),
            Event::Scalar {
                value,
                style,
                properties,
            } => {
                self.scalar(value, style, properties, span);
                Ok(())
            }
            Event::SequenceStart { flow, properties } => self.begin(Kind::Sequence { flow }, properties, span),
            Event::MappingStart { flow, properties } => self.begin(Kind::Mapping { flow }, properties, span),
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, kind: Kind, properties: Properties<'_>, span: Range<usize>) -> Result<(), SyntaxError> {
        if self.open.len() >= self.depth {
            return Err(fault(&format!("nested deeper than {} levels", self.depth), span.start));
        }
        let node = self.add(kind, properties, span.start, span.start);
        self.open.push(node);
        Ok(())
    }

    fn end(&mut self, span: Range<usize>) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let next = self.tree.nodes.len() as u32;
        let flow = matches!(
            self.tree.nodes[open as usize].kind,
            Kind::Mapping { flow: true } | Kind::Sequence { flow: true }
        );
        // A block collection ends, for libyaml, where the next token starts; here with its last child.
        if flow {
            self.reached = span.end as u32;
        }
        let node = &mut self.tree.nodes[open as usize];
        node.end = self.reached.max(node.start);
        node.next = next;
    }

    fn alias(&mut self, name: &str, span: Range<usize>) -> Result<(), SyntaxError> {
        let Some(&target) = self.anchors.get(name) else {
            return Err(fault(&format!("the alias *{name} has no anchor before it"), span.start));
        };
        if self.open.contains(&target) {
            return Err(fault(&format!("the anchor &{name} contains itself"), span.start));
        }
        let node = self.add(Kind::Alias, Properties::default(), span.start, span.end);
        self.tree.aliases.insert(node, target);
        self.reached = span.end as u32;
        Ok(())
    }

    fn scalar(&mut self, value: &str, style: Style, properties: Properties<'_>, span: Range<usize>) {
        let text = self.tree.text;
        let node = self.add(Kind::Scalar(style), properties, span.start, span.end);
        let mut start = self.tree.nodes[node as usize].start as usize;
        if style == Style::Plain && value.is_empty() {
            // Nothing is written: what follows an anchor or tag belongs to another node.
            start = span.end;
        }
        let end = match style {
            Style::Literal | Style::Folded => layout::block_scalar_end(text, start, span.end),
            Style::Plain | Style::Single | Style::Double => span.end.max(start),
        };
        let quote = usize::from(matches!(style, Style::Single | Style::Double));
        let source = text.get(start + quote..end.saturating_sub(quote));
        let cooked = source != Some(value);
        let entry = &mut self.tree.nodes[node as usize];
        entry.start = start as u32;
        entry.end = end as u32;
        entry.cooked = cooked;
        self.reached = end as u32;
        if cooked {
            self.tree.cooked.insert(node, value.into());
        }
    }

    /// Adds a node; its content begins after anchor and tag.
    fn add(&mut self, kind: Kind, properties: Properties<'_>, start: usize, end: usize) -> u32 {
        let id = self.tree.nodes.len() as u32;
        let decorated = properties.anchor.is_some() || properties.tag.is_some();
        let content = if decorated {
            layout::after_properties(self.tree.text, start)
        } else {
            start
        };
        if decorated {
            let decoration = Decoration {
                start: start as u32,
                anchor: properties.anchor.map(Into::into),
                tag: properties.tag.map(Into::into),
            };
            self.tree.decorations.insert(id, decoration);
        }
        if let Some(anchor) = properties.anchor {
            self.anchors.insert(anchor.into(), id);
        }
        self.tree.nodes.push(Node {
            start: content as u32,
            end: end.max(content) as u32,
            next: id + 1,
            kind,
            cooked: false,
        });
        id
    }
}

fn fault(problem: &str, at: usize) -> SyntaxError {
    SyntaxError {
        problem: problem.to_owned(),
        at,
        context: None,
    }
}
