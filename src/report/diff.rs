//! Takes a text with its edits and gives a unified diff; looks only at the lines that the edits touch, so its cost does not grow with the text.

use std::fmt::Write as _;
use std::ops::Range;

use crate::yaml::{Edit, Edits};

const CONTEXT: usize = 3;

/// Whole lines of the old text that change together, and what stands there afterwards.
struct Block<'t> {
    old: Vec<&'t str>,
    new: String,
    /// The bytes of the old lines.
    bytes: Range<usize>,
    /// How many lines stand before them.
    line: usize,
}

/// The unified diff of a text and its edited form; empty without edits.
#[must_use]
pub fn unified_diff(name: &str, text: &str, edits: &Edits) -> String {
    let blocks = blocks(text, edits);
    let mut out = String::new();
    if blocks.is_empty() {
        return out;
    }
    let name = name.trim_start_matches("./").trim_start_matches('/');
    // Writing to a String cannot fail.
    let _ = write!(out, "--- a/{name}\n+++ b/{name}\n");
    let mut shift = 0_isize;
    for hunk in blocks.chunk_by(|one, other| other.line - (one.line + one.old.len()) <= 2 * CONTEXT) {
        shift += write_hunk(&mut out, text, hunk, shift);
    }
    out
}

/// Writes the blocks of a hunk with their context; gives how many lines it adds.
fn write_hunk(out: &mut String, text: &str, hunk: &[Block<'_>], shift: isize) -> isize {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return 0;
    };
    let before = lines_before(text, first.bytes.start);
    let after: Vec<&str> = text[last.bytes.end..].split_inclusive('\n').take(CONTEXT).collect();
    let mut body = String::new();
    let (mut old, mut new) = (0, 0);
    let context = |body: &mut String, lines: &[&str]| {
        lines.iter().for_each(|line| push(body, ' ', line));
        lines.len()
    };
    let mut kept = context(&mut body, &before);
    for (index, block) in hunk.iter().enumerate() {
        if let Some(earlier) = index.checked_sub(1).map(|index| &hunk[index]) {
            let between: Vec<&str> = text[earlier.bytes.end..block.bytes.start]
                .split_inclusive('\n')
                .collect();
            kept += context(&mut body, &between);
        }
        block.old.iter().for_each(|line| push(&mut body, '-', line));
        block
            .new
            .split_inclusive('\n')
            .for_each(|line| push(&mut body, '+', line));
        old += block.old.len();
        new += block.new.split_inclusive('\n').count();
    }
    kept += context(&mut body, &after);
    let line = first.line - before.len();
    let start = |line: usize, count: usize| if count == 0 { line } else { line + 1 };
    let new_line = (line as isize + shift) as usize;
    let _ = writeln!(
        out,
        "@@ -{},{} +{},{} @@",
        start(line, old + kept),
        old + kept,
        start(new_line, new + kept),
        new + kept
    );
    out.push_str(&body);
    new as isize - old as isize
}

fn push(out: &mut String, mark: char, line: &str) {
    out.push(mark);
    out.push_str(line);
    if !line.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

/// Groups the edits by the lines that they touch; equal lines at both ends of a block are context.
fn blocks<'t>(text: &'t str, edits: &Edits) -> Vec<Block<'t>> {
    let mut groups: Vec<(Range<usize>, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        let bytes = whole_lines(text.as_bytes(), edit);
        match groups.last_mut() {
            Some((last, edits)) if bytes.start < last.end || bytes.start == last.start => {
                last.end = bytes.end.max(last.end);
                edits.push(edit);
            }
            _ => groups.push((bytes, vec![edit])),
        }
    }
    let (mut line, mut at) = (0, 0);
    let mut blocks = Vec::new();
    for (bytes, edits) in groups {
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[at..bytes.start]).count();
        at = bytes.start;
        let new = spliced(text, &bytes, &edits);
        blocks.extend(trimmed(text, bytes, &new, line));
    }
    blocks
}

/// The lines that an edit touches. An insertion at the start of a line touches none.
fn whole_lines(bytes: &[u8], edit: &Edit) -> Range<usize> {
    let Range { start, end } = edit.range;
    let first = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |at| at + 1);
    let ends_at_line_start = end == 0 || bytes[end - 1] == b'\n';
    let inserts_lines = start == end && ends_at_line_start && (edit.text.ends_with('\n') || edit.text.is_empty());
    let removes_lines =
        start < end && first == start && ends_at_line_start && (edit.text.ends_with('\n') || edit.text.is_empty());
    let last = if inserts_lines || removes_lines {
        end
    } else {
        memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |at| end + at + 1)
    };
    first..last
}

fn spliced(text: &str, bytes: &Range<usize>, edits: &[&Edit]) -> String {
    let mut out = String::new();
    let mut at = bytes.start;
    for edit in edits {
        out.push_str(&text[at..edit.range.start]);
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(&text[at..bytes.end]);
    out
}

/// A block without the equal lines at its ends; none when all are equal.
fn trimmed<'t>(text: &'t str, bytes: Range<usize>, new: &str, line: usize) -> Option<Block<'t>> {
    let old: Vec<&str> = text[bytes.clone()].split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let tail = old[head..]
        .iter()
        .rev()
        .zip(new[head..].iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let length = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let block = Block {
        bytes: bytes.start + length(&old[..head])..bytes.end - length(&old[old.len() - tail..]),
        new: new[head..new.len() - tail].concat(),
        line: line + head,
        old: old[head..old.len() - tail].to_vec(),
    };
    (!block.old.is_empty() || !block.new.is_empty()).then_some(block)
}

/// The lines right before an offset that begins a line.
fn lines_before(text: &str, at: usize) -> Vec<&str> {
    let mut start = at;
    for _ in 0..CONTEXT {
        start = memchr::memrchr(b'\n', &text.as_bytes()[..start.saturating_sub(1)]).map_or(0, |end| end + 1);
    }
    text[start..at].split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_the_changed_lines_with_context() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15";
        let edits = Edits::new(vec![Edit::replace(6..7, "four"), Edit::insert(text.len(), "\nend")]).unwrap();
        let diff = unified_diff("./a.yaml", text, &edits);
        assert_eq!(
            diff,
            "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,7 +1,7 @@\n 1\n 2\n 3\n-4\n+four\n 5\n 6\n 7\n@@ -12,4 +12,5 @@\n 12\n 13\n 14\n-15\n\\ No newline at end of file\n+15\n+end\n\\ No newline at end of file\n"
        );
        assert_eq!(unified_diff("a", text, &Edits::default()), "");
    }
}
