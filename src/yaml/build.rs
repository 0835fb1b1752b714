//! Takes libyaml's events of one document and builds its nodes with exact spans; finds what aliases stand for, and never resolves a value.

use std::collections::HashMap;
use std::ops::Range;

use super::document::{Chunk, Limits, SyntaxError};
use super::events::{Event, Events, Properties, Style};
use super::layout;
use super::node::{Decoration, Kind, Node, Tree};

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
                        let problem = if explicit {
                            "a second document begins here, and only one is read"
                        } else {
                            "a second document begins without `---`"
                        };
                        return Err(fault(problem, span.start));
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
        let count = usize::from(properties.anchor.is_some()) + usize::from(properties.tag.is_some());
        let decorated = count > 0;
        let content = if decorated {
            layout::after_properties(self.tree.text, start, count)
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
            parent: self.open.last().copied().unwrap_or(id),
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

#[cfg(test)]
mod tests {
    use crate::yaml::{Chunk, Limits, Tree};

    #[test]
    fn a_collection_begins_before_the_anchor_of_its_first_child() {
        for (text, begins) in [
            ("a: &x\n  &k b: c\n", "&k b"),
            ("a: &x\n  &k : c\n", "&k :"),
            ("a: !!map &x\n  !!str b: c\n", "!!str b"),
            ("a: &x\n  b: c\n", "b: c"),
        ] {
            let tree = Tree::parse(&Chunk::alone(text), &Limits::default()).expect("it is YAML");
            let mapping = tree.get(tree.root().expect("a root"), "a").expect("under its key");
            assert_eq!(
                tree.span(mapping).start,
                text.find(begins).expect("it is there"),
                "{text}"
            );
        }
    }
}
