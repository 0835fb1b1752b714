//! Takes wanted changes of one document's values, and gives the edits that make them and nothing else; refuses what cannot be done safely.

use serde_json::{Map, Value};

use super::document::Limits;
use super::edit::Edits;
use super::guard::{Reason, Refusal};
use super::lines;
use super::node::{Kind, NodeId, Tree};
use super::verify;
use super::wanted::Changes;
use super::write::Writer;

/// Collects the changes of one document. What is said about the same value twice counts as said last; what is said about a
/// part that goes goes with it.
pub struct Editor<'d, 't> {
    tree: &'d Tree<'t>,
    changes: Changes,
    limits: Limits,
}

impl<'d, 't> Editor<'d, 't> {
    /// An editor without changes.
    #[must_use]
    pub fn new(tree: &'d Tree<'t>, limits: Limits) -> Self {
        Editor {
            tree,
            changes: Changes::default(),
            limits,
        }
    }

    /// Puts new keys at the end of a block mapping behind the comment lines that follow its last key, with an empty line
    /// between. kpt knows such a comment as one of that key and restores it there (kyaml `comments/comments.go`); above the
    /// new key it would stand a second time.
    pub fn keep_foot_comments(&mut self) {
        self.changes.keep_foot_comments = true;
    }

    /// Gives the key of a mapping a value. Where it has that value already nothing changes; a missing key is added at the end.
    ///
    /// # Errors
    /// See [`Reason`].
    pub fn set(&mut self, mapping: NodeId, key: &str, value: &Value) -> Result<(), Refusal> {
        let tree = self.tree;
        let mapping = tree.target(mapping);
        let written = tree.entries(mapping).find(|(name, _)| tree.scalar(*name) == Some(key));
        if written.is_none()
            && tree
                .get(mapping, key)
                .is_some_and(|merged| self.has_value(merged, value))
        {
            return Ok(());
        }
        match written {
            Some((name, old)) => {
                tree.guard_key(mapping, name)?;
                self.replace(mapping, old, value)
            }
            None => {
                tree.guard(mapping)?;
                merge(self.changes.entries.entry(mapping).or_default(), key, value);
                Ok(())
            }
        }
    }

    /// Gives a value a place below a mapping; mappings on the way that are missing, null or empty are made.
    ///
    /// # Errors
    /// See [`Reason`]; also when something else than a mapping stands on the way.
    pub fn set_at(&mut self, mapping: NodeId, path: &[&str], value: &Value) -> Result<(), Refusal> {
        let [key, rest @ ..] = path else {
            return Ok(());
        };
        if rest.is_empty() {
            return self.set(mapping, key, value);
        }
        let child = self.tree.get(mapping, key);
        match child {
            Some(child) if matches!(self.tree.kind(child), Kind::Mapping { .. }) => {
                self.guard_path(mapping, key)?;
                self.set_at(child, rest, value)
            }
            Some(child) if !self.tree.is_null(child) => Err(self
                .tree
                .refusal(Reason::Layout("something else than a mapping stands here"), child)),
            _ => {
                let wrapped = rest.iter().rev().fold(value.clone(), |inner, key| {
                    Value::Object(Map::from_iter([((*key).to_owned(), inner)]))
                });
                self.set(mapping, key, &wrapped)
            }
        }
    }

    /// Brings a value to a wanted one in place: entries that `wanted` does not name stay, lists get the wanted items.
    ///
    /// # Errors
    /// See [`Reason`].
    pub fn bring(&mut self, mapping: NodeId, key: &str, wanted: &Value) -> Result<(), Refusal> {
        let old = self.tree.get(mapping, key).filter(|old| !self.has_value(*old, wanted));
        match (old, wanted) {
            (Some(old), Value::Object(map)) if self.tree.entries(old).next().is_some() => {
                self.guard_path(mapping, key)?;
                map.iter().try_for_each(|(key, value)| self.bring(old, key, value))
            }
            (Some(old), Value::Array(items)) if self.tree.items(old).next().is_some() && !items.is_empty() => {
                self.guard_path(mapping, key)?;
                self.bring_items(old, items)
            }
            _ => self.set(mapping, key, wanted),
        }
    }

    /// Items that are as wanted at the start and at the end of the list stay; those between become others one by one.
    fn bring_items(&mut self, sequence: NodeId, wanted: &[Value]) -> Result<(), Refusal> {
        let tree = self.tree;
        let old: Vec<NodeId> = tree.items(sequence).collect();
        let same = |(item, value): &(&NodeId, &Value)| self.has_value(**item, value);
        let start = old.iter().zip(wanted).take_while(same).count();
        let rest = old[start..].iter().rev().zip(wanted[start..].iter().rev());
        let end = rest.take_while(same).count();
        let places = start..old.len() - end;
        let wanted = &wanted[start..wanted.len() - end];
        for (item, value) in old[places.clone()].iter().zip(wanted) {
            match value {
                Value::Object(map) if !self.has_value(*item, value) && tree.entries(*item).next().is_some() => {
                    map.iter().try_for_each(|(key, value)| self.bring(*item, key, value))?;
                }
                value => self.replace(sequence, *item, value)?,
            }
        }
        for value in wanted.iter().skip(places.len()) {
            self.insert_item(sequence, places.end, value)?;
        }
        let surplus: Vec<usize> = places.skip(wanted.len()).collect();
        self.remove_items(sequence, &surplus)
    }

    /// Adds an item to a sequence before the one at `index`, or at the end.
    ///
    /// # Errors
    /// See [`Reason`].
    pub fn insert_item(&mut self, sequence: NodeId, index: usize, value: &Value) -> Result<(), Refusal> {
        let sequence = self.tree.target(sequence);
        self.tree.guard(sequence)?;
        let place = index.min(self.tree.items(sequence).count());
        let items = self.changes.items.entry(sequence).or_default();
        items.push((place, value.clone()));
        Ok(())
    }

    /// Takes items out of a sequence; comments above them stay. Without items left it is `[]`.
    ///
    /// # Errors
    /// See [`Reason`].
    pub fn remove_items(&mut self, sequence: NodeId, places: &[usize]) -> Result<(), Refusal> {
        let sequence = self.tree.target(sequence);
        let items: Vec<NodeId> = self.tree.items(sequence).collect();
        for place in places {
            let Some(item) = items.get(*place) else { continue };
            self.tree.guard_removal(*item)?;
            self.remove(sequence, *place)?;
        }
        Ok(())
    }

    /// Takes an entry out of a mapping; comments above it stay. A key that is not there is no error.
    ///
    /// # Errors
    /// See [`Reason`].
    pub fn remove_entry(&mut self, mapping: NodeId, key: &str) -> Result<(), Refusal> {
        let tree = self.tree;
        let mapping = tree.target(mapping);
        let found = tree
            .entries(mapping)
            .enumerate()
            .find(|(_, (name, _))| tree.scalar(*name) == Some(key));
        let Some((place, (name, value))) = found else {
            return Ok(());
        };
        tree.guard_key(mapping, name)?;
        tree.guard_removal(name)?;
        tree.guard_removal(value)?;
        self.remove(mapping, place)
    }

    fn replace(&mut self, holder: NodeId, old: NodeId, value: &Value) -> Result<(), Refusal> {
        if self.has_value(old, value) {
            self.changes.replaced.remove(&old);
            return Ok(());
        }
        self.tree.guard(holder)?;
        self.tree.guard_value(old)?;
        self.changes.replaced.insert(old, value.clone());
        Ok(())
    }

    fn remove(&mut self, collection: NodeId, place: usize) -> Result<(), Refusal> {
        self.tree.guard(collection)?;
        self.changes.removed.entry(collection).or_default().insert(place);
        Ok(())
    }

    fn guard_path(&self, mapping: NodeId, key: &str) -> Result<(), Refusal> {
        let tree = self.tree;
        match tree.entries(mapping).find(|(name, _)| tree.scalar(*name) == Some(key)) {
            Some((name, _)) => tree.guard_key(mapping, name),
            None => Ok(()),
        }
    }

    fn has_value(&self, node: NodeId, value: &Value) -> bool {
        self.tree.value(node, &self.limits).is_ok_and(|old| old == *value)
    }

    /// The edits of all changes, checked by reading the edited text back.
    ///
    /// # Errors
    /// Edits that touch each other, or a text that does not read back as the old value with exactly these changes.
    pub fn finish(mut self) -> Result<Edits, Refusal> {
        self.changes.settle(self.tree);
        let mut edits = Writer::write(self.tree, &self.changes)?;
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let whole = |reason| Refusal {
            reason,
            span: 0..0,
            other: None,
        };
        let edits = Edits::new(lines::settle(self.tree, edits))
            .map_err(|overlap| whole(Reason::Verification(overlap.to_string())))?;
        if !edits.is_empty() {
            verify::reads_back(self.tree, &edits, &self.changes, &self.limits)
                .map_err(|difference| whole(Reason::Verification(difference)))?;
        }
        Ok(edits)
    }
}

/// Adds a key; mappings under the same key become one.
fn merge(into: &mut Map<String, Value>, key: &str, value: &Value) {
    match (into.get_mut(key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            for (key, value) in new {
                merge(old, key, value);
            }
        }
        _ => {
            into.insert(key.to_owned(), value.clone());
        }
    }
}
