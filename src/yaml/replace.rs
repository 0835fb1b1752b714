//! Takes values that become others and writes the edits that put the new text in the place of the old; a comment beside a value stays.

use serde_json::Value;

use super::edit::Edit;
use super::emit::{self, Flow};
use super::events::Style;
use super::guard::{Reason, Refusal};
use super::insert::inner;
use super::layout;
use super::node::{Kind, NodeId};
use super::write::Writer;

impl Writer<'_, '_> {
    /// Puts a value in the place of an old one, which is an entry's value, an item or the whole document.
    pub(super) fn replace(&mut self, old: NodeId, value: &Value) -> Result<(), Refusal> {
        let holder = self.tree.parent(old).unwrap_or(old);
        let key = self.tree.key_of(old);
        let edit = if self.tree.is_flow(holder) {
            let flow = self.tree.flow(holder);
            self.put(key, old, &emit::flow_value(value, &inner(&flow)))
        } else if is_inline(value) {
            let quoted = matches!(self.tree.kind(old), Kind::Scalar(Style::Single | Style::Double));
            let text = emit::flow_value(
                value,
                &Flow {
                    json: quoted,
                    ..plain_flow()
                },
            );
            if self.tree.is_block(old) {
                return self.shorten(old, &text);
            }
            self.put(key, old, &text)
        } else {
            self.put_collection(holder, key, old, value)?
        };
        self.edits.push(edit);
        Ok(())
    }

    /// Text in the place of a value's own; after the colon or dash when nothing is written there.
    fn put(&self, key: Option<NodeId>, old: NodeId, text: &str) -> Edit {
        if !self.tree.is_unwritten(old) {
            return Edit::replace(self.tree.span(old), text);
        }
        let decorated = self.tree.outer_start(old) < self.tree.span(old).start;
        let after = key.filter(|_| !decorated).and_then(|key| self.tree.after_colon(key));
        Edit::insert(after.unwrap_or(self.tree.span(old).end), format!(" {text}"))
    }

    /// A collection in the place of an old value of a block collection.
    fn put_collection(&self, holder: NodeId, key: Option<NodeId>, old: NodeId, value: &Value) -> Result<Edit, Refusal> {
        let source = self.tree.text();
        let layout = self.layout(holder);
        let block = |column: usize| match value {
            Value::Object(map) => emit::block_mapping(map, column, layout),
            Value::Array(items) => emit::block_sequence(items, column, layout),
            _ => String::new(),
        };
        if self.tree.is_block(old) {
            let same_kind = matches!(self.tree.kind(old), Kind::Mapping { .. }) == value.is_object();
            let column = self.tree.column(old);
            if same_kind {
                return Ok(Edit::replace(self.tree.span(old), block(column)));
            }
            return Err(self.tree.refusal(
                Reason::Layout("a list stands where a mapping belongs, or the reverse"),
                old,
            ));
        }
        if let (true, Some(after)) = (
            self.tree.is_unwritten(old),
            key.and_then(|key| self.tree.after_colon(key)),
        ) {
            let deeper = value.is_object() || layout.indented_lists;
            let column = self.tree.column(holder) + if deeper { layout.step } else { 0 };
            let text = format!("{}{}{}", layout.line_break, " ".repeat(column), block(column));
            return Ok(Edit::insert(layout::line_end(source, after), text));
        }
        let flow = if self.tree.is_flow(old) {
            self.tree.flow(old)
        } else {
            plain_flow()
        };
        Ok(Edit::replace(self.tree.span(old), emit::flow_value(value, &flow)))
    }
}

pub(super) fn is_inline(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => true,
    }
}

fn plain_flow() -> Flow {
    Flow {
        json: false,
        spaced_colons: true,
        spaced_commas: true,
        lines: None,
    }
}
