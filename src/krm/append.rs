//! Takes the results of a call and gives the edit that puts them into a ResourceList, behind those of functions before this one; never changes what stands there.

use serde_json::Value;

use super::list::{Layout as Items, ResourceList};
use crate::yaml::{Chunk, Edit, Editor, Layout, Limits, Tree, emit, stream};

const RESULTS: &str = "results";

/// The edits that add the results; `None` where the text does not let them be added safely.
pub(super) fn edits(list: &ResourceList<'_>, results: Vec<Value>, limits: &Limits) -> Option<Vec<Edit>> {
    if results.is_empty() {
        return Some(Vec::new());
    }
    let results = Value::Array(results);
    if let (Items::Block(block), false) = (&list.layout, list.has_results) {
        let after = &list.text[block.list.end..];
        let marker = after
            .lines()
            .any(|line| line.starts_with("...") || line.starts_with("---"));
        if !marker {
            return at_end(list.text, &results, limits).map(|edit| vec![edit]);
        }
    }
    let tree = Tree::parse(&Chunk::alone(list.text), limits).ok()?;
    let root = tree.root()?;
    let mut editor = Editor::new(&tree, *limits);
    let written = tree.get(root, RESULTS).filter(|written| !tree.is_null(*written));
    match (written, results) {
        (Some(written), Value::Array(results)) => {
            let count = tree.items(written).count();
            results
                .iter()
                .try_for_each(|result| editor.insert_item(written, count, result))
                .ok()?;
        }
        (_, results) => editor.set(root, RESULTS, &results).ok()?,
    }
    Some(editor.finish().ok()?.iter().cloned().collect())
}

/// A new key at column 0, behind everything; before the items where a line end more would change the last value.
fn at_end(text: &str, results: &Value, limits: &Limits) -> Option<Edit> {
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let layout = Layout {
        line_break,
        ..Layout::default()
    };
    let entry = emit::block_entry(RESULTS, results, 0, layout);
    if text.ends_with('\n') {
        return Some(Edit::insert(text.len(), format!("{entry}{line_break}")));
    }
    if stream::insert_after(&Chunk::alone(text), "", limits).is_ok() {
        return Some(Edit::insert(text.len(), format!("{line_break}{entry}{line_break}")));
    }
    let items = text
        .find("\nitems:")
        .map(|at| at + 1)
        .or_else(|| text.starts_with("items:").then_some(0))?;
    Some(Edit::insert(items, format!("{entry}{line_break}")))
}
