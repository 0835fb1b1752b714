//! Takes a document, its edits and the changes they stand for, and tells whether the edited text reads back as the old values with exactly those changes.

use serde_json::Value;

use super::document::{Chunk, Limits};
use super::edit::Edits;
use super::layout;
use super::node::{Kind, NodeId, Tree};
use super::wanted::Changes;

/// Parses the edited text and walks both trees side by side.
///
/// # Errors
/// The first difference, in words.
pub(super) fn reads_back(old: &Tree<'_>, edits: &Edits, changes: &Changes, limits: &Limits) -> Result<(), String> {
    let text = edits.splice(old.text());
    let ended = |text: &str| layout::before_break(text, text.len()) < text.len();
    if ended(old.text()) && !ended(&text) {
        return Err("the last line would lose its end".to_owned());
    }
    let new = Tree::parse(&Chunk::alone(&text), limits).map_err(|error| error.to_string())?;
    let walk = Walk {
        old,
        new: &new,
        changes,
        limits,
    };
    match (old.root(), new.root()) {
        (Some(before), Some(after)) => walk.same(before, after),
        (None, None) => Ok(()),
        _ => Err("the document would become empty".to_owned()),
    }
}

struct Walk<'w> {
    old: &'w Tree<'w>,
    new: &'w Tree<'w>,
    changes: &'w Changes,
    limits: &'w Limits,
}

impl Walk<'_> {
    fn same(&self, before: NodeId, after: NodeId) -> Result<(), String> {
        let (old, new) = (self.old, self.new);
        if let Some(wanted) = self.changes.replaced.get(&before) {
            return self.holds(after, wanted);
        }
        if old.anchor(before) != new.anchor(after) || old.tag(before) != new.tag(after) {
            return Err("an anchor or a tag would change".to_owned());
        }
        match (old.kind(before), new.kind(after)) {
            (Kind::Alias, Kind::Alias) => self.equal(old.text().get(old.span(before)), new.text().get(new.span(after))),
            (Kind::Scalar(style), Kind::Scalar(other)) if style == other => {
                self.equal(old.scalar(before), new.scalar(after))
            }
            (Kind::Mapping { .. }, Kind::Mapping { .. }) => self.mapping(before, after),
            (Kind::Sequence { .. }, Kind::Sequence { .. }) => self.sequence(before, after),
            _ => Err("a value would change its kind".to_owned()),
        }
    }

    fn mapping(&self, before: NodeId, after: NodeId) -> Result<(), String> {
        let removed = self.changes.removed.get(&before);
        let kept = self
            .old
            .entries(before)
            .enumerate()
            .filter(|(place, _)| removed.is_none_or(|removed| !removed.contains(place)));
        let mut found = self.new.entries(after);
        for (_, (key, value)) in kept {
            let (new_key, new_value) = found.next().ok_or("an entry would be lost")?;
            self.same(key, new_key)?;
            self.same(value, new_value)?;
        }
        for (key, value) in self.changes.entries.get(&before).into_iter().flatten() {
            let (new_key, new_value) = found.next().ok_or("a new entry would be missing")?;
            self.holds(new_key, &Value::String(key.clone()))?;
            self.holds(new_value, value)?;
        }
        found
            .next()
            .map_or(Ok(()), |_| Err("an entry too many would appear".to_owned()))
    }

    fn sequence(&self, before: NodeId, after: NodeId) -> Result<(), String> {
        let removed = self.changes.removed.get(&before);
        let inserted = self.changes.items.get(&before);
        let items: Vec<NodeId> = self.old.items(before).collect();
        let mut place = 0;
        let mut found = self.new.items(after);
        loop {
            for (_, value) in inserted.into_iter().flatten().filter(|(at, _)| *at == place) {
                self.holds(found.next().ok_or("a new item would be missing")?, value)?;
            }
            let Some(item) = items.get(place) else { break };
            if removed.is_none_or(|removed| !removed.contains(&place)) {
                self.same(*item, found.next().ok_or("an item would be lost")?)?;
            }
            place += 1;
        }
        found
            .next()
            .map_or(Ok(()), |_| Err("an item too many would appear".to_owned()))
    }

    fn holds(&self, node: NodeId, wanted: &Value) -> Result<(), String> {
        let found = self.new.value(node, self.limits).map_err(|error| error.to_string())?;
        self.equal(Some(&found), Some(wanted))
    }

    fn equal<T: PartialEq>(&self, before: Option<T>, after: Option<T>) -> Result<(), String> {
        if before == after {
            Ok(())
        } else {
            Err("a value would change".to_owned())
        }
    }
}
