//! Takes new entries and items and writes the edits that add them in the style of their neighbours; never touches what stands there.

use serde_json::{Map, Value};

use super::change::Editor;
use super::edit::Edit;
use super::emit::{self, Flow};
use super::events::Style;
use super::guard::{Reason, Refusal};
use super::layout;
use super::node::{Kind, NodeId};
use super::place;

impl Editor<'_, '_> {
    pub(super) fn insert_entries(&mut self, mapping: NodeId, entries: &Map<String, Value>) -> Result<(), Refusal> {
        if self.tree.is_flow(mapping) {
            let flow = self.tree.flow(mapping);
            let inner = inner(&flow);
            let texts: Vec<String> = entries
                .iter()
                .map(|(key, value)| emit::flow_entry(key, value, &inner))
                .collect();
            return self.insert_in_flow(mapping, usize::MAX, &texts, &flow);
        }
        self.tree.guard_simple_keys(mapping)?;
        let layout = self.layout(mapping);
        let column = self.tree.column(mapping);
        let texts: Vec<String> = entries
            .iter()
            .map(|(key, value)| emit::block_entry(key, value, column, layout))
            .collect();
        self.append_lines(mapping, column, &texts)
    }

    pub(super) fn insert_items(&mut self, sequence: NodeId, items: &[(usize, Value)]) -> Result<(), Refusal> {
        for (index, item) in items {
            if self.tree.is_flow(sequence) {
                let flow = self.tree.flow(sequence);
                let text = emit::flow_value(item, &inner(&flow));
                self.insert_in_flow(sequence, *index, &[text], &flow)?;
                continue;
            }
            let column = self.tree.column(sequence);
            let text = emit::block_sequence(std::slice::from_ref(item), column, self.layout(sequence));
            if *index < self.tree.items(sequence).count() {
                self.insert_line_before(sequence, *index, &text)?;
            } else {
                self.append_lines(sequence, column, &[text])?;
            }
        }
        Ok(())
    }

    /// New lines after the last child of a block collection and the comment on its line, before blank lines and comments.
    fn append_lines(&mut self, collection: NodeId, column: usize, texts: &[String]) -> Result<(), Refusal> {
        let Some(end) = self.last_kept_end(collection) else {
            return Err(self
                .tree
                .refusal(Reason::Layout("nothing is left to insert after"), collection));
        };
        let source = self.tree.text();
        let at = layout::line_end(source, end);
        let line_break = self.layout(collection).line_break;
        let mut text = String::new();
        for line in texts {
            text.push_str(line_break);
            text.extend(std::iter::repeat_n(' ', column));
            text.push_str(line);
        }
        self.edits.push(Edit::insert(at, text));
        Ok(())
    }

    /// A new line before an item of a block sequence, and before the comment lines right above it.
    fn insert_line_before(&mut self, sequence: NodeId, index: usize, text: &str) -> Result<(), Refusal> {
        let source = self.tree.text();
        let dash = self.tree.dash(sequence, index);
        let Some((dash, prefix)) = dash.and_then(|at| Some((at, layout::indentation(source, at)?))) else {
            return Err(self
                .tree
                .refusal(Reason::Layout("the item does not begin a line of its own"), sequence));
        };
        let line_break = self.layout(sequence).line_break;
        let mut line = layout::line_start(source, dash);
        let floor = match index {
            0 => layout::line_start(source, self.tree.span(sequence).start),
            _ => self
                .tree
                .items(sequence)
                .nth(index - 1)
                .map_or(line, |item| self.tree.span(item).end),
        };
        loop {
            let above = layout::line_start(source, layout::before_break(source, line));
            let comment = source[above..]
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('#'));
            if above <= floor || above == line || !comment {
                break;
            }
            line = above;
        }
        self.edits
            .push(Edit::insert(line, format!("{prefix}{text}{line_break}")));
        Ok(())
    }

    /// New entries of a flow collection, before a child or at the end.
    fn insert_in_flow(
        &mut self,
        collection: NodeId,
        index: usize,
        texts: &[String],
        flow: &Flow,
    ) -> Result<(), Refusal> {
        let source = self.tree.text();
        let span = self.tree.span(collection);
        let children = self.tree.children_of(collection);
        let line = flow
            .lines
            .as_ref()
            .map(|lines| format!("{}{}", lines.line_break, lines.prefix));
        let gap = match &line {
            Some(line) => line.as_str(),
            None if flow.spaced_commas => " ",
            None => "",
        };
        let joined = texts.join(&format!(",{gap}"));
        if let Some(child) = children.get(index) {
            let at = self.tree.outer_start(*child);
            self.edits.push(Edit::insert(at, format!("{joined},{gap}")));
            return Ok(());
        }
        let Some(end) = self.last_kept_end(collection) else {
            return self.fill_flow(collection, &joined, flow);
        };
        if self.tree.entries(collection).any(|(key, value)| {
            self.tree.is_unwritten(value) || source.as_bytes()[..self.tree.outer_start(key)].ends_with(b"? ")
        }) {
            return Err(self.tree.refusal(
                Reason::Layout("a flow mapping with an empty value is not changed"),
                collection,
            ));
        }
        let next = layout::skip_trivia(source, end);
        let edit = match source.as_bytes().get(next) {
            // A trailing comma separates already.
            Some(b',') if next < span.end => {
                Edit::insert(next + 1, format!("{}{joined}", if gap.is_empty() { " " } else { gap }))
            }
            _ => Edit::insert(end, format!(",{gap}{joined}")),
        };
        self.edits.push(edit);
        Ok(())
    }

    /// `{}` gets its first entries.
    fn fill_flow(&mut self, collection: NodeId, joined: &str, flow: &Flow) -> Result<(), Refusal> {
        let span = self.tree.span(collection);
        let inside = span.start + 1..span.end - 1;
        if !self.tree.text()[inside.clone()].trim().is_empty() {
            return Err(self
                .tree
                .refusal(Reason::Layout("a comment stands between the brackets"), collection));
        }
        let text = match &flow.lines {
            Some(lines) => {
                let outer = lines.prefix.strip_suffix(lines.unit.as_str()).unwrap_or(&lines.prefix);
                format!("{0}{1}{joined}{0}{outer}", lines.line_break, lines.prefix)
            }
            None => joined.to_owned(),
        };
        self.edits.push(Edit::replace(inside, text));
        Ok(())
    }

    /// Where the last child that stays ends.
    fn last_kept_end(&self, collection: NodeId) -> Option<usize> {
        let removed = self.changes.removed.get(&collection);
        let children = self.tree.children_of(collection);
        let kept = children
            .iter()
            .enumerate()
            .rev()
            .find(|(place, _)| removed.is_none_or(|removed| !removed.contains(place)));
        kept.map(|(_, child)| self.tree.child_end(collection, *child))
    }

    /// The document's layout with the line ends that stand around a node.
    pub(super) fn layout(&self, near: NodeId) -> emit::Layout {
        emit::Layout {
            line_break: layout::line_break(self.tree.text(), self.tree.span(near).start),
            ..*self.layout.get_or_init(|| self.tree.layout())
        }
    }
}

/// How collections inside a flow collection's entries are written: over lines only in JSON.
pub(super) fn inner(flow: &Flow) -> Flow {
    Flow {
        lines: flow.lines.clone().filter(|_| flow.json).map(place::nested),
        ..flow.clone()
    }
}

impl Editor<'_, '_> {
    /// Puts a value in the place of an old one, which is an entry's value (with its key) or an item.
    pub(super) fn replace(
        &mut self,
        holder: NodeId,
        key: Option<NodeId>,
        old: NodeId,
        value: &Value,
    ) -> Result<(), Refusal> {
        self.tree.guard_value(old)?;
        let edits = if self.tree.is_flow(holder) {
            let flow = self.tree.flow(holder);
            vec![self.put(key, old, &emit::flow_value(value, &inner(&flow)))]
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
                self.put_over_block(key, old, &text)?
            } else {
                vec![self.put(key, old, &text)]
            }
        } else {
            vec![self.put_collection(holder, key, old, value)?]
        };
        self.edits.extend(edits);
        self.changes.replaced.insert(old, value.clone());
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

    /// A short value in the place of a block collection; a comment behind the colon stays.
    fn put_over_block(&self, key: Option<NodeId>, old: NodeId, text: &str) -> Result<Vec<Edit>, Refusal> {
        let source = self.tree.text();
        let Some(after) = key.and_then(|key| self.tree.after_colon(key)) else {
            return Ok(vec![Edit::replace(self.tree.span(old), text)]);
        };
        if self.tree.outer_start(old) != self.tree.span(old).start {
            return Err(self
                .tree
                .refusal(Reason::Layout("the block to replace has an anchor"), old));
        }
        let line_end = layout::line_end(source, after);
        Ok(vec![
            Edit::insert(after, format!(" {text}")),
            Edit::delete(line_end..self.tree.span(old).end.max(line_end)),
        ])
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

fn is_inline(value: &Value) -> bool {
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
