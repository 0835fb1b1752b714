//! Takes new entries and items and writes the edits that add them in the style of their neighbours; never touches what stands there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::edit::Edit;
use super::emit::{self, Flow};
use super::guard::{Reason, Refusal};
use super::layout;
use super::node::NodeId;
use super::place;
use super::write::Writer;

impl Writer<'_, '_> {
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
        match self.foot_comment_end(mapping, column) {
            Some(end) => self.append_lines_at(end, mapping, column, &texts, 2),
            None => self.append_lines(mapping, column, &texts),
        }
        Ok(())
    }

    /// Where the comment lines end that follow a block mapping's last value without an empty line; `None` without one, or
    /// where they may stay below new keys.
    fn foot_comment_end(&self, mapping: NodeId, column: usize) -> Option<usize> {
        if !self.changes.keep_foot_comments {
            return None;
        }
        let source = self.tree.text();
        let end = layout::line_end(source, self.kept_end(mapping));
        let mut foot = end;
        loop {
            let start = layout::after_break(source, foot);
            let line = &source[start..layout::line_end(source, start)];
            let content = line.trim_start_matches(' ');
            if line.len() - content.len() < column || !content.starts_with('#') {
                break;
            }
            foot = start + line.len();
        }
        (foot > end).then_some(foot)
    }

    pub(super) fn insert_items(&mut self, sequence: NodeId, items: &[(usize, Value)]) -> Result<(), Refusal> {
        let mut places: BTreeMap<usize, Vec<&Value>> = BTreeMap::new();
        for (index, item) in items {
            let place = self.next_kept(sequence, *index).unwrap_or(usize::MAX);
            places.entry(place).or_default().push(item);
        }
        for (place, items) in places {
            if self.tree.is_flow(sequence) {
                let flow = self.tree.flow(sequence);
                let inner = inner(&flow);
                let texts: Vec<String> = items.iter().map(|item| emit::flow_value(item, &inner)).collect();
                self.insert_in_flow(sequence, place, &texts, &flow)?;
                continue;
            }
            let (column, layout) = (self.tree.column(sequence), self.layout(sequence));
            let text = |item: &&Value| emit::block_sequence(std::slice::from_ref(*item), column, layout);
            let texts: Vec<String> = items.iter().map(text).collect();
            match place {
                usize::MAX => self.append_lines(sequence, column, &texts),
                place => self.insert_lines_before(sequence, place, &texts)?,
            }
        }
        Ok(())
    }

    /// New lines after the last child of a block collection and the comment on its line, before blank lines and comments.
    fn append_lines(&mut self, collection: NodeId, column: usize, texts: &[String]) {
        let at = layout::line_end(self.tree.text(), self.kept_end(collection));
        self.append_lines_at(at, collection, column, texts, 1);
    }

    /// New lines at the end of a line, the first after a number of line ends.
    fn append_lines_at(&mut self, at: usize, collection: NodeId, column: usize, texts: &[String], breaks: usize) {
        let line_break = self.layout(collection).line_break;
        let mut text = line_break.repeat(breaks - 1);
        for line in texts {
            text.push_str(line_break);
            text.extend(std::iter::repeat_n(' ', column));
            text.push_str(line);
        }
        self.edits.push(Edit::insert(at, text));
    }

    /// New lines before an item of a block sequence, and before the comment lines right above it.
    fn insert_lines_before(&mut self, sequence: NodeId, index: usize, texts: &[String]) -> Result<(), Refusal> {
        let source = self.tree.text();
        let items: Vec<NodeId> = self.tree.items(sequence).take(index).collect();
        let before = items.last().copied();
        let dash = self.tree.dash(sequence, before);
        let Some((dash, prefix)) = dash.and_then(|at| Some((at, layout::indentation(source, at)?))) else {
            return Err(self
                .tree
                .refusal(Reason::Layout("the item does not begin a line of its own"), sequence));
        };
        let line_break = self.layout(sequence).line_break;
        let mut line = layout::line_start(source, dash);
        let floor = match before {
            None => layout::line_start(source, self.tree.span(sequence).start),
            Some(before) => self.tree.span(before).end,
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
        let lines = texts.iter().map(|text| format!("{prefix}{text}{line_break}"));
        self.edits.push(Edit::insert(line, lines.collect::<String>()));
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
        if let Some(next) = self.next_kept(collection, index) {
            let at = self.tree.outer_start(children[next]);
            self.edits.push(Edit::insert(at, format!("{joined},{gap}")));
            return Ok(());
        }
        let Some(last) = self.last_kept(collection) else {
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
        let end = self.tree.child_end(collection, last);
        let next = layout::skip_trivia(source, end);
        let edit = match source.as_bytes().get(next) {
            // A trailing comma separates already; any other goes with what it separates.
            Some(b',') if next < span.end && children.last() == Some(&last) => {
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
}

/// How collections inside a flow collection's entries are written: over lines only in JSON.
pub(super) fn inner(flow: &Flow) -> Flow {
    Flow {
        lines: flow.lines.clone().filter(|_| flow.json).map(place::nested),
        ..flow.clone()
    }
}
