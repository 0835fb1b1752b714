//! Takes a document whose mapping holds a long block list and cuts the list into batches of whole items that can be parsed apart; gives nothing where the text does not show that this is sound.

use std::ops::Range;

use super::document::{Chunk, Limits, MARK};
use super::node::{Kind, Tree};

/// A block list inside a mapping at column 0, and the text around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// The list's lines, from its first dash.
    pub list: Range<usize>,
    /// The list in portions of whole items, if every portion parses as a list.
    ///
    /// A line that begins with the list's dash ends every scalar and collection of the item before it but those in quotes
    /// and brackets, and of these the portion before holds an unclosed one, which is an error. So when all portions
    /// parse, each begins where an item begins.
    pub portions: Vec<Range<usize>>,
}

impl BlockList {
    /// Finds the list under a key in a text of one document, cut into portions of about `size` bytes.
    #[must_use]
    pub fn find(text: &str, key: &str, size: usize) -> Option<Self> {
        if text.contains(MARK) {
            // A parser skips it where a line begins, and counts it as a column: whether the whole is refused shows only there.
            return None;
        }
        let head = key_line(text, key)?;
        let mut list: Option<(usize, usize)> = None;
        let mut starts = Vec::new();
        let mut end = text.len();
        let mut portion = 0;
        for line in lines(text, head) {
            let content = &text[line.clone()];
            let blanks = content.len() - content.trim_start_matches(' ').len();
            let rest = content[blanks..].trim_end_matches(['\n', '\r']);
            if rest.is_empty() || rest.starts_with('#') {
                continue;
            }
            let dash = rest == "-" || rest.starts_with("- ");
            match list {
                None if dash => {
                    list = Some((line.start, blanks));
                    starts.push(line.start);
                    portion = line.start;
                }
                None => return None,
                Some((_, column)) if dash && blanks == column => {
                    if line.start - portion >= size {
                        starts.push(line.start);
                        portion = line.start;
                    }
                }
                Some((_, column)) if blanks <= column && (blanks < column || column == 0) => {
                    // What follows the list must be a further key of the same mapping: a tag or an anchor alone in its
                    // line belongs to a mapping only where that begins.
                    if blanks > 0 || !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '"' || c == '\'') {
                        return None;
                    }
                    end = line.start;
                    break;
                }
                Some(_) => {}
            }
        }
        let (start, _) = list?;
        let ends = starts.iter().skip(1).copied().chain([end]);
        Some(BlockList {
            list: start..end,
            portions: starts
                .iter()
                .copied()
                .zip(ends)
                .map(|(start, end)| start..end)
                .collect(),
        })
    }

    /// The document without the list, if what stands before it and after it parses by itself.
    #[must_use]
    pub fn envelope(&self, text: &str, key: &str, limits: &Limits) -> Option<String> {
        let (before, after) = (&text[..self.list.start], &text[self.list.end..]);
        let opened = Tree::parse(&Chunk::alone(before), limits).ok()?;
        let (last, value) = opened.entries(opened.root()?).last()?;
        let open = opened.scalar(last) == Some(key) && opened.is_null(value) && opened.tag(value).is_none();
        if !open || opened.anchor(value).is_some() {
            return None;
        }
        if !after.is_empty() {
            let rest = Tree::parse(&Chunk::alone(after), limits).ok()?;
            if !matches!(rest.kind(rest.root()?), Kind::Mapping { flow: false }) {
                return None;
            }
        }
        Some(format!("{before}{after}"))
    }
}

/// The line after `key:` at column 0, where nothing but a comment stands behind the colon.
fn key_line(text: &str, key: &str) -> Option<usize> {
    lines(text, 0).find_map(|line| {
        let rest = text[line.clone()].strip_prefix(key)?.strip_prefix(':')?.trim_end();
        let bare = rest.is_empty() || (rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'));
        bare.then_some(line.end)
    })
}

/// The lines from an offset on, their ends included. Only LF ends a line here: a lone CR makes a line longer, never shorter.
fn lines(text: &str, from: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = from;
    std::iter::from_fn(move || {
        if at >= text.len() {
            return None;
        }
        let start = at;
        at = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |end| start + end + 1);
        Some(start..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portions(text: &str) -> Option<Vec<&str>> {
        let found = BlockList::find(text, "items", 1)?;
        found.envelope(text, "items", &Limits::default())?;
        Some(found.portions.iter().map(|portion| &text[portion.clone()]).collect())
    }

    #[test]
    fn a_list_is_cut_at_its_own_dashes() {
        let text = "kind: L\nitems:\n# c\n- a: 1\n  b:\n  - c\n-\n  d: |\n   - x\n   y\nrest: {}\n";
        assert_eq!(
            portions(text).unwrap(),
            ["- a: 1\n  b:\n  - c\n", "-\n  d: |\n   - x\n   y\n"]
        );
        assert_eq!(portions("items:\n  - a\n  - b\n").unwrap(), ["  - a\n", "  - b\n"]);
        assert_eq!(portions("items: # c\r\n- a\r\n- b").unwrap(), ["- a\r\n", "- b"]);
    }

    #[test]
    fn other_layouts_are_left_to_the_parser() {
        for text in [
            "items: []\n",
            "items: [a]\n",
            "{items: [a]}",
            "items:\n",
            "items: &a\n- a\n",
            "items:\n- a\n---\nb: c\n",
            "items:\n- a\n...\n",
            "items:\n  - a\n b: c\n",
            "a: 'x\nitems:\n- a\nb: '\n",
            "items:\n- a: b\r\u{feff}- c\n- d\n",
            "items:\n- a: x\u{feff}y\n",
            "items:\n- a\n!\n\n  b: c\n",
            "items:\n- a\n&b\nc: d\n",
            "items:\n- a\n? b\n: c\n",
        ] {
            assert_eq!(portions(text), None, "{text}");
        }
    }
}
