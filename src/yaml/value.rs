//! Takes nodes and gives JSON values and typed structures under Go's rules: merge keys applied, keys made text, expansion bounded; never follows a position back.

use std::collections::HashSet;
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::document::Limits;
use super::events::Style;
use super::node::{Kind, NodeId, Tree};
use super::scalar;

/// Why a node has no value, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ReadError {
    /// What is wrong.
    pub problem: String,
    /// The bytes of the document's text that it is about.
    pub span: Range<usize>,
}

impl Tree<'_> {
    /// The value of a node as sigs.k8s.io/yaml gives it to Go programs.
    ///
    /// # Errors
    /// A key that occurs twice or is no scalar, a tag or a number without JSON form, a merge key that brings no mapping,
    /// or aliases that expand past the limits.
    pub fn value(&self, node: NodeId, limits: &Limits) -> Result<Value, ReadError> {
        let mut reader = Reader {
            tree: self,
            nodes: limits.expanded_nodes,
            bytes: limits.expanded_bytes,
            depth: limits.depth,
            inside_alias: 0,
        };
        reader.value(node, 0)
    }

    /// Reads a node into a structure; an error names the part that it is about.
    ///
    /// # Errors
    /// As [`Tree::value`], and when the value does not fit the structure.
    pub fn read<T: DeserializeOwned>(&self, node: NodeId, limits: &Limits) -> Result<T, ReadError> {
        let value = self.value(node, limits)?;
        serde_path_to_error::deserialize(value).map_err(|error| {
            let segments: Vec<Segment> = error.path().iter().filter_map(Segment::of).collect();
            let problem = error.into_inner().to_string();
            ReadError {
                span: self.span_at(node, &segments, unknown_field(&problem)),
                problem,
            }
        })
    }

    /// The bytes of what a path of keys and indices leads to, or of the deepest part of it that exists;
    /// the key itself when `key` names one there.
    #[must_use]
    pub fn span_at(&self, from: NodeId, path: &[Segment], key: Option<&str>) -> Range<usize> {
        let mut at = self.target(from);
        for segment in path {
            let child = match segment {
                Segment::Key(name) if Some(name.as_str()) == key => None,
                Segment::Key(name) => self.get(at, name),
                Segment::Index(index) => self.items(at).nth(*index),
            };
            let Some(child) = child else { break };
            at = self.target(child);
        }
        let named = key.and_then(|key| self.entries(at).find(|(name, _)| self.scalar(*name) == Some(key)));
        self.span(named.map_or(at, |(name, _)| name))
    }
}

/// One step of a path to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The value of a key.
    Key(String),
    /// The item at an index, from 0.
    Index(usize),
}

impl Segment {
    fn of(segment: &serde_path_to_error::Segment) -> Option<Self> {
        match segment {
            serde_path_to_error::Segment::Map { key } => Some(Segment::Key(key.clone())),
            serde_path_to_error::Segment::Seq { index } => Some(Segment::Index(*index)),
            _ => None,
        }
    }
}

/// The name that serde quotes when it meets a field that the structure does not have.
fn unknown_field(problem: &str) -> Option<&str> {
    problem.strip_prefix("unknown field `")?.split('`').next()
}

struct Reader<'r, 't> {
    tree: &'r Tree<'t>,
    nodes: usize,
    bytes: usize,
    depth: usize,
    inside_alias: usize,
}

impl Reader<'_, '_> {
    fn value(&mut self, node: NodeId, depth: usize) -> Result<Value, ReadError> {
        if depth > self.depth {
            return Err(self.error(node, format!("nested deeper than {} levels", self.depth)));
        }
        let tree = self.tree;
        if tree.kind(node) == Kind::Alias {
            self.inside_alias += 1;
            let value = self.value(tree.target(node), depth + 1);
            self.inside_alias -= 1;
            return value;
        }
        self.spend(node)?;
        match tree.kind(node) {
            Kind::Scalar(style) => {
                let text = tree.scalar(node).unwrap_or_default();
                scalar::value(text, style, tree.tag(node)).map_err(|problem| self.error(node, problem))
            }
            Kind::Sequence { .. } => {
                self.refuse_tag(node, "seq")?;
                tree.items(node).map(|item| self.value(item, depth + 1)).collect()
            }
            Kind::Mapping { .. } | Kind::Alias => {
                self.refuse_tag(node, "map")?;
                self.mapping(node, depth).map(Value::Object)
            }
        }
    }

    /// Go applies merge keys where they stand: an entry before one is overwritten by it, an entry after one overwrites it.
    fn mapping(&mut self, node: NodeId, depth: usize) -> Result<Map<String, Value>, ReadError> {
        let tree = self.tree;
        let mut map = Map::new();
        let mut written = HashSet::new();
        for (key, value) in tree.entries(node) {
            if tree.is_merge_key(key) {
                for (name, value) in self.merge(value, depth)? {
                    map.insert(name, value);
                }
                continue;
            }
            let name = self.key(key)?;
            let value = self.value(value, depth + 1)?;
            if !written.insert(name.clone()) {
                return Err(self.error(key, format!("the key {name:?} occurs twice")));
            }
            map.insert(name, value);
        }
        Ok(map)
    }

    /// Of several mappings the first that has a key wins.
    fn merge(&mut self, node: NodeId, depth: usize) -> Result<Map<String, Value>, ReadError> {
        let sources = match self.value(node, depth + 1)? {
            Value::Array(sources) => sources,
            single => vec![single],
        };
        let mut merged = Map::new();
        for source in sources.into_iter().rev() {
            match source {
                Value::Object(map) => merged.extend(map),
                _ => return Err(self.error(node, "a merge key must bring a mapping".to_owned())),
            }
        }
        Ok(merged)
    }

    fn key(&self, key: NodeId) -> Result<String, ReadError> {
        let tree = self.tree;
        let node = tree.target(key);
        let (Some(text), Kind::Scalar(style)) = (tree.scalar(node), tree.kind(node)) else {
            return Err(self.error(
                key,
                "a key must be a scalar (a template marker such as {{ … }} reads as a mapping)".to_owned(),
            ));
        };
        match scalar::value(text, style, tree.tag(node)).map_err(|problem| self.error(key, problem))? {
            Value::String(text) => Ok(text),
            Value::Null => Err(self.error(key, "a key must not be null".to_owned())),
            other => Ok(other.to_string()),
        }
    }

    /// Only nodes reached through aliases count: the document's own are bounded by its size.
    fn spend(&mut self, node: NodeId) -> Result<(), ReadError> {
        if self.inside_alias == 0 {
            return Ok(());
        }
        let bytes = self.tree.scalar(node).map_or(0, str::len);
        match (self.nodes.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(nodes), Some(bytes)) => {
                self.nodes = nodes;
                self.bytes = bytes;
                Ok(())
            }
            _ => Err(self.error(node, "aliases expand to more than is sane".to_owned())),
        }
    }

    fn refuse_tag(&self, node: NodeId, own: &str) -> Result<(), ReadError> {
        match self.tree.tag(node) {
            Some(tag) if tag != "!" && tag.strip_prefix("tag:yaml.org,2002:") != Some(own) => {
                Err(self.error(node, format!("the tag {tag} is not read here")))
            }
            _ => Ok(()),
        }
    }

    fn error(&self, node: NodeId, problem: String) -> ReadError {
        ReadError {
            problem,
            span: self.tree.span(node),
        }
    }
}

impl Tree<'_> {
    /// Whether a scalar is one that Go reads as null.
    #[must_use]
    pub fn is_null(&self, node: NodeId) -> bool {
        let node = self.target(node);
        self.kind(node) == Kind::Scalar(Style::Plain)
            && self.tag(node).is_none()
            && matches!(self.scalar(node), Some("" | "~" | "null" | "Null" | "NULL"))
    }
}
