//! Takes a stream and a new document's text, and gives the edit that puts it before or after one of the stream's documents; never changes another document's value.

use super::document::{Chunk, Limits};
use super::edit::{Edit, Edits};
use super::guard::{Reason, Refusal};
use super::layout;
use super::node::Tree;
use super::verify;
use super::wanted::Changes;

/// Puts a document before another. Comments above the other's marker stay where they are, and so does what stands above a
/// blank line at the start of a stream, such as a licence.
#[must_use]
pub fn insert_before(chunk: &Chunk<'_>, document: &str) -> Edit {
    let text = chunk.text;
    let line_break = layout::line_break(text, 0);
    let mut line = 0;
    let mut directives = false;
    let mut header = 0;
    while line < text.len() {
        let rest = &text[line..layout::line_end(text, line)];
        if rest == "---" || rest.starts_with("--- ") || rest.starts_with("---\t") {
            // A directive must stay with its own document, and only `...` can end the one before it.
            return if directives {
                Edit::insert(chunk.start, format!("---{line_break}{document}...{line_break}"))
            } else {
                Edit::insert(chunk.start + line, format!("---{line_break}{document}"))
            };
        }
        if !rest.trim().is_empty() && !rest.trim_start().starts_with('#') && !rest.starts_with('%') {
            break;
        }
        directives |= rest.starts_with('%');
        let blank = rest.trim().is_empty();
        line = layout::after_break(text, layout::line_end(text, line));
        if blank {
            header = line;
        }
    }
    let at = if directives { 0 } else { header };
    Edit::insert(chunk.start + at, format!("{document}---{line_break}"))
}

/// Puts a document after another, as the stream's last one when that is the last.
///
/// # Errors
/// The stream has no final line end, and adding one would change its last scalar.
pub fn insert_after(chunk: &Chunk<'_>, document: &str, limits: &Limits) -> Result<Edit, Refusal> {
    let text = chunk.text;
    let line_break = layout::line_break(text, text.len());
    let end = chunk.range().end;
    if text.is_empty() {
        return Ok(Edit::insert(end, document));
    }
    if layout::before_break(text, text.len()) < text.len() {
        return Ok(Edit::insert(end, format!("---{line_break}{document}")));
    }
    let verification = |problem: String| Refusal {
        reason: Reason::Verification(problem),
        span: text.len()..text.len(),
        other: None,
    };
    let tree = Tree::parse(chunk, limits).map_err(|error| verification(error.to_string()))?;
    let ended = Edits::new(vec![Edit::insert(text.len(), line_break)]).unwrap_or_default();
    verify::reads_back(&tree, &ended, &Changes::default(), limits).map_err(verification)?;
    Ok(Edit::insert(end, format!("{line_break}---{line_break}{document}")))
}
