//! Takes a text with its edits and gives a unified diff; looks only at the lines that the edits touch, so its cost does not grow with the text.

use std::fmt::Write as _;
use std::ops::Range;

use similar::{ChangeTag, TextDiff};

use crate::yaml::{Edit, Edits};

const CONTEXT: usize = 3;

/// Lines of the old text that change together, and what stands there afterwards.
struct Region {
    bytes: Range<usize>,
    new: String,
}

/// A line of the diff, without its mark.
struct Line<'t> {
    tag: ChangeTag,
    text: &'t str,
}

/// The unified diff of a text and its edited form; empty without edits.
#[must_use]
pub fn unified_diff(name: &str, text: &str, edits: &Edits) -> String {
    let regions = regions(text, edits);
    let mut out = String::new();
    if regions.is_empty() {
        return out;
    }
    let name = name.trim_start_matches("./").trim_start_matches('/');
    // Writing to a String cannot fail.
    let _ = write!(out, "--- a/{name}\n+++ b/{name}\n");
    let (mut line, mut at, mut shift) = (1, 0, 0_isize);
    for region in &regions {
        line += line_count(&text[at..region.bytes.start]);
        at = region.bytes.start;
        let diff = TextDiff::from_lines(&text[region.bytes.clone()], region.new.as_str());
        let lines: Vec<Line<'_>> = diff.iter_all_changes().map(|change| Line { tag: change.tag(), text: change.value() }).collect();
        let count = |not: ChangeTag| lines.iter().filter(|line| line.tag != not).count();
        let (old, new) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
        let start = |line: usize, count: usize| if count == 0 { line - 1 } else { line };
        let new_line = (line as isize + shift) as usize;
        let _ = writeln!(out, "@@ -{},{old} +{},{new} @@", start(line, old), start(new_line, new));
        for line in &lines {
            let mark = match line.tag {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            out.push(mark);
            out.push_str(line.text);
            if !line.text.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
        shift += new as isize - old as isize;
    }
    out
}

/// Groups the edits by the lines that they touch, each with its context; regions do not touch each other.
fn regions(text: &str, edits: &Edits) -> Vec<Region> {
    let mut groups: Vec<(Range<usize>, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        let bytes = with_context(text, &edit.range);
        match groups.last_mut() {
            Some((last, edits)) if bytes.start <= last.end => {
                last.end = bytes.end.max(last.end);
                edits.push(edit);
            }
            _ => groups.push((bytes, vec![edit])),
        }
    }
    groups.into_iter().map(|(bytes, edits)| Region { new: spliced(text, &bytes, &edits), bytes }).collect()
}

fn with_context(text: &str, range: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let mut start = memchr::memrchr(b'\n', &bytes[..range.start]).map_or(0, |end| end + 1);
    for _ in 0..CONTEXT {
        start = memchr::memrchr(b'\n', &bytes[..start.saturating_sub(1)]).map_or(0, |end| end + 1);
    }
    let mut end = next_line(bytes, range.end.max(range.start));
    for _ in 0..CONTEXT {
        end = next_line(bytes, end);
    }
    start..end
}

fn next_line(bytes: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |found| from + found + 1)
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

fn line_count(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
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
