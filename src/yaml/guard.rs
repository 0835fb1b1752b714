//! Takes a node that is about to change and tells whether that is safe: not shared by aliases, not tagged, not written twice, not overridden by a merge key.

use std::ops::Range;

use super::node::{Kind, NodeId, Tree};

/// Why an edit was not made, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The class of the refusal.
    pub reason: Reason,
    /// The bytes of the document's text that it is about.
    pub span: Range<usize>,
    /// The bytes of what stands against it, such as an alias.
    pub other: Option<Range<usize>>,
}

/// The classes of refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// An alias elsewhere points at the node, or at a node that holds it.
    #[error("an alias elsewhere in the document shares this part, so changing it would change both places")]
    Shared,
    /// The value to replace has an explicit tag.
    #[error("the value has an explicit tag")]
    Tagged,
    /// The mapping holds the key twice.
    #[error("the key `{0}` occurs twice in one mapping, and readers disagree on which one counts")]
    Duplicate(String),
    /// A merge key behind the entry brings the same key; kubectl keeps the merged value whatever is written before it.
    #[error("the merge key `<<` behind `{0}` overrides it for kubectl")]
    MergeOverrides(String),
    /// Nothing can be inserted here without guessing.
    #[error("{0}")]
    Layout(&'static str),
    /// The edited text does not read back as wanted.
    #[error("the edited text would not read back as intended ({0})")]
    Verification(String),
}

impl Tree<'_> {
    pub(super) fn refusal(&self, reason: Reason, node: NodeId) -> Refusal {
        Refusal {
            reason,
            span: self.span(node),
            other: None,
        }
    }

    fn shared(&self, node: NodeId, alias: NodeId) -> Refusal {
        let start = self.outer_start(node);
        let anchor = self.anchor(node).map_or(1, |anchor| anchor.len() + 1);
        Refusal {
            reason: Reason::Shared,
            span: start..start + anchor,
            other: Some(self.span(alias)),
        }
    }

    /// Makes sure that a collection may change: nothing on the way to it is shared, doubled or overridden.
    pub(super) fn guard(&self, collection: NodeId) -> Result<(), Refusal> {
        let mut at = collection;
        loop {
            if let Some((alias, _)) = self.aliases().find(|(_, target)| *target == at) {
                return Err(self.shared(at, alias));
            }
            let Some(parent) = self.parent(at) else {
                return Ok(());
            };
            if let Some((key, _)) = self.entries(parent).find(|(_, value)| *value == at) {
                self.guard_key(parent, key)?;
            }
            at = parent;
        }
    }

    /// Makes sure that an entry is the only one of its name and that no merge key behind it counts instead.
    pub(super) fn guard_key(&self, mapping: NodeId, key: NodeId) -> Result<(), Refusal> {
        let name = self.scalar(key).unwrap_or_default();
        let same = |other: NodeId| other != key && self.scalar(other) == Some(name);
        if let Some((other, _)) = self.entries(mapping).find(|(other, _)| same(*other)) {
            return Err(Refusal {
                other: Some(self.span(other.min(key))),
                ..self.refusal(Reason::Duplicate(name.to_owned()), other.max(key))
            });
        }
        let overrides = |(other, value): (NodeId, NodeId)| {
            other > key && self.is_merge_key(other) && self.brought(value, name).is_some()
        };
        match self.entries(mapping).find(|entry| overrides(*entry)) {
            Some((merge, _)) => Err(self.refusal(Reason::MergeOverrides(name.to_owned()), merge)),
            None => Ok(()),
        }
    }

    /// Makes sure that a value may go: no tag on it, and nothing inside it is used elsewhere.
    pub(super) fn guard_value(&self, value: NodeId) -> Result<(), Refusal> {
        if self.tag(value).is_some() {
            return Err(self.refusal(Reason::Tagged, value));
        }
        self.guard_removal(value)
    }

    /// Makes sure that nothing inside a part that goes is used outside it.
    pub(super) fn guard_removal(&self, part: NodeId) -> Result<(), Refusal> {
        let used = |(alias, target): &(NodeId, NodeId)| self.holds(part, *target) && !self.holds(part, *alias);
        match self.aliases().find(used) {
            Some((alias, target)) => Err(self.shared(target, alias)),
            None => Ok(()),
        }
    }

    /// Makes sure that a block mapping has no explicit `? key` entries, whose layout is not copied.
    pub(super) fn guard_simple_keys(&self, mapping: NodeId) -> Result<(), Refusal> {
        for (key, _) in self.entries(mapping) {
            let before = self.text()[..self.outer_start(key)].trim_end_matches([' ', '\t']);
            let explicit = before
                .strip_suffix('?')
                .is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace));
            if explicit {
                return Err(self.refusal(
                    Reason::Layout("a mapping with explicit `? key` entries is not changed"),
                    key,
                ));
            }
            if self.kind(key) == Kind::Alias {
                return Err(self.refusal(Reason::Layout("a mapping whose key is an alias is not changed"), key));
            }
        }
        Ok(())
    }
}
