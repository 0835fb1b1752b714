//! Takes the edits of a document in the order of its text and settles what becomes of the line ends and blank lines around lines that go; never touches a line that stays otherwise.

use super::edit::Edit;
use super::events::Style;
use super::layout;
use super::node::{Kind, NodeId, Tree};

/// Lets lines that go beside each other go together. Blank lines that a scalar before them would take in go too, and a text
/// without a final line end gets none.
pub(super) fn settle(tree: &Tree<'_>, edits: Vec<Edit>) -> Vec<Edit> {
    let mut settled: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match settled.last_mut() {
            Some(last) if is_removal(last) && is_removal(&edit) && last.range.end == edit.range.start => {
                last.range.end = edit.range.end;
            }
            _ => settled.push(edit),
        }
        take_blank_lines(tree, &mut settled);
    }
    end_without_break(tree, &mut settled);
    settled
}

fn is_removal(edit: &Edit) -> bool {
    edit.text.is_empty() && !edit.range.is_empty()
}

/// The last edit, when it takes whole lines away, and the edits before it.
fn removed_lines<'e>(tree: &Tree<'_>, edits: &'e mut [Edit]) -> Option<(&'e mut Edit, &'e mut [Edit])> {
    let (last, before) = edits.split_last_mut()?;
    // Lines can be very long: only the byte before is looked at.
    let before_line = tree.text().as_bytes()[..last.range.start].last();
    let whole = before_line.is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
    (is_removal(last) && whole).then_some((last, before))
}

/// The block scalar whose text ends with the line before the one that begins at the offset.
fn scalar_before(tree: &Tree<'_>, line: usize) -> Option<NodeId> {
    let end = layout::before_break(tree.text(), line);
    let scalar = tree.scalar_at(end.checked_sub(1)?)?;
    let block = matches!(tree.kind(scalar), Kind::Scalar(Style::Literal | Style::Folded));
    (block && tree.span(scalar).end == end).then_some(scalar)
}

/// Blank lines behind lines that go would become part of a scalar before them that keeps such lines.
fn take_blank_lines(tree: &Tree<'_>, edits: &mut [Edit]) {
    let text = tree.text();
    let Some((last, before)) = removed_lines(tree, edits) else {
        return;
    };
    let inserted = before.last().is_some_and(|edit| edit.range.end == last.range.start);
    let keeps = |scalar: NodeId| layout::chomping(text, tree.span(scalar).start) == Some('+');
    if inserted || !scalar_before(tree, last.range.start).is_some_and(keeps) {
        return;
    }
    loop {
        let line = last.range.end;
        let end = layout::line_end(text, line);
        let next = layout::after_break(text, end);
        if next == line || !text[line..end].trim().is_empty() {
            return;
        }
        last.range.end = next;
    }
}

/// When the last lines of a text go that has no final line end, the line before them loses its own, unless that is part of
/// a scalar's value.
fn end_without_break(tree: &Tree<'_>, edits: &mut [Edit]) {
    let text = tree.text();
    if layout::before_break(text, text.len()) < text.len() {
        return;
    }
    let Some((last, before)) = removed_lines(tree, edits) else {
        return;
    };
    let start = layout::before_break(text, last.range.start);
    if last.range.end < text.len() {
        return;
    }
    match before.last_mut() {
        Some(edit) if edit.range.end == last.range.start => {
            let end = layout::before_break(&edit.text, edit.text.len());
            edit.text.truncate(end);
        }
        Some(edit) if edit.range.end == start => last.range.start = start,
        _ => {
            let value = scalar_before(tree, last.range.start);
            if value.is_none_or(|scalar| layout::chomping(text, tree.span(scalar).start) == Some('-')) {
                last.range.start = start;
            }
        }
    }
}
