//! Takes a document, its edits and the changes they stand for, reads the edited text step by step beside the old nodes, and tells whether it says exactly the old values with those changes; keeps nothing of what it reads.

use serde_json::Value;

use super::document::Limits;
use super::edit::Edits;
use super::events::{Event, Events, Properties, Style};
use super::layout;
use super::node::{Kind, NodeId, Tree};
use super::scalar;
use super::wanted::Changes;

/// Reads the edited text beside the old nodes.
///
/// # Errors
/// The first difference, in words.
pub(super) fn reads_back(old: &Tree<'_>, edits: &Edits, changes: &Changes, limits: &Limits) -> Result<(), String> {
    let text = edits.splice(old.text());
    let ended = |text: &str| layout::before_break(text, text.len()) < text.len();
    if ended(old.text()) && !ended(&text) {
        return Err("the last line would lose its end".to_owned());
    }
    let mut walk = Walk {
        old,
        changes,
        depth: limits.depth,
        events: Events::new(&text),
    };
    walk.document()
}

struct Walk<'w> {
    old: &'w Tree<'w>,
    changes: &'w Changes,
    /// How many levels may still be opened.
    depth: usize,
    events: Events<'w>,
}

impl Walk<'_> {
    fn document(&mut self) -> Result<(), String> {
        self.next()?;
        if let Some(root) = self.old.root() {
            match self.next()? {
                Event::DocumentStart { .. } => self.same(root)?,
                _ => return Err("the document would become empty".to_owned()),
            }
            self.expect(|event| matches!(event, Event::DocumentEnd))?;
        }
        match self.next()? {
            Event::StreamEnd => Ok(()),
            _ => Err("another document would appear".to_owned()),
        }
    }

    fn next(&mut self) -> Result<Event<'_>, String> {
        match self.events.next() {
            Ok(Some((event, _))) => Ok(event),
            Ok(None) => Err("the text would end too early".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn expect(&mut self, end: fn(Event<'_>) -> bool) -> Result<(), String> {
        if end(self.next()?) {
            Ok(())
        } else {
            Err("a value too many would appear".to_owned())
        }
    }

    /// The next value is the old one with its changes.
    fn same(&mut self, node: NodeId) -> Result<(), String> {
        if let Some(wanted) = self.changes.replaced.get(&node) {
            return self.holds(wanted);
        }
        let old = self.old;
        let decorated = |properties: Properties<'_>| {
            if old.anchor(node) == properties.anchor && old.tag(node) == properties.tag {
                Ok(())
            } else {
                Err("an anchor or a tag would change".to_owned())
            }
        };
        match (old.kind(node), self.next()?) {
            (Kind::Alias, Event::Alias(name)) if old.text()[old.span(node)].strip_prefix('*') == Some(name) => Ok(()),
            (
                Kind::Scalar(style),
                Event::Scalar {
                    value,
                    style: new,
                    properties,
                },
            ) if style == new && old.scalar(node) == Some(value) => decorated(properties),
            (Kind::Mapping { .. }, Event::MappingStart { properties, .. }) => {
                decorated(properties)?;
                self.inside(|walk| walk.mapping(node))
            }
            (Kind::Sequence { .. }, Event::SequenceStart { properties, .. }) => {
                decorated(properties)?;
                self.inside(|walk| walk.sequence(node))
            }
            (_, Event::MappingEnd | Event::SequenceEnd) => Err("a value would be lost".to_owned()),
            _ => Err("a value would change".to_owned()),
        }
    }

    fn inside(&mut self, children: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        self.depth = self.depth.checked_sub(1).ok_or("it would nest too deep")?;
        children(self)?;
        self.depth += 1;
        Ok(())
    }

    fn mapping(&mut self, mapping: NodeId) -> Result<(), String> {
        let (old, changes) = (self.old, self.changes);
        let removed = changes.removed.get(&mapping);
        for (place, (key, value)) in old.entries(mapping).enumerate() {
            if removed.is_none_or(|removed| !removed.contains(&place)) {
                self.same(key)?;
                self.same(value)?;
            }
        }
        for (key, value) in changes.entries.get(&mapping).into_iter().flatten() {
            self.key(key)?;
            self.holds(value)?;
        }
        self.expect(|event| matches!(event, Event::MappingEnd))
    }

    fn sequence(&mut self, sequence: NodeId) -> Result<(), String> {
        let (old, changes) = (self.old, self.changes);
        let removed = changes.removed.get(&sequence);
        let inserted = changes.items.get(&sequence);
        let mut inserted = inserted.into_iter().flatten().peekable();
        for (place, item) in old.items(sequence).enumerate() {
            while let Some((_, value)) = inserted.next_if(|(before, _)| *before <= place) {
                self.holds(value)?;
            }
            if removed.is_none_or(|removed| !removed.contains(&place)) {
                self.same(item)?;
            }
        }
        for (_, value) in inserted {
            self.holds(value)?;
        }
        self.expect(|event| matches!(event, Event::SequenceEnd))
    }

    /// The next value is a wanted one, written out: no alias stands in it, and no merge key.
    fn holds(&mut self, wanted: &Value) -> Result<(), String> {
        match (wanted, self.next()?) {
            (Value::Object(map), Event::MappingStart { properties, .. }) if is_plain(properties.tag, "map") => self
                .inside(|walk| {
                    for (key, value) in map {
                        walk.key(key)?;
                        walk.holds(value)?;
                    }
                    walk.expect(|event| matches!(event, Event::MappingEnd))
                }),
            (Value::Array(items), Event::SequenceStart { properties, .. }) if is_plain(properties.tag, "seq") => self
                .inside(|walk| {
                    items.iter().try_for_each(|item| walk.holds(item))?;
                    walk.expect(|event| matches!(event, Event::SequenceEnd))
                }),
            (
                wanted,
                Event::Scalar {
                    value,
                    style,
                    properties,
                },
            ) if scalar::value(value, style, properties.tag).as_ref() == Ok(wanted) => Ok(()),
            (_, Event::MappingEnd | Event::SequenceEnd) => Err("a new value would be missing".to_owned()),
            _ => Err("a new value would be another".to_owned()),
        }
    }

    fn key(&mut self, wanted: &str) -> Result<(), String> {
        match self.next()? {
            Event::Scalar {
                value,
                style,
                properties,
            } if !(style == Style::Plain && value == "<<") => match scalar::value(value, style, properties.tag) {
                Ok(Value::String(key)) if key == wanted => Ok(()),
                _ => Err("a new key would be another".to_owned()),
            },
            Event::MappingEnd => Err("a new entry would be missing".to_owned()),
            _ => Err("a new key would be another".to_owned()),
        }
    }
}

/// Whether a collection has no tag but that of every mapping or sequence.
fn is_plain(tag: Option<&str>, own: &str) -> bool {
    tag.is_none_or(|tag| tag == "!" || tag.strip_prefix("tag:yaml.org,2002:") == Some(own))
}
