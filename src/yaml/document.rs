//! Takes the text of a stream and gives its documents as slices of it; never reads what stands inside one, beyond a search for words.

use std::ops::Range;

use memchr::memmem::Finder;

/// One document of a stream with the comments and directives before it.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The text from its first comment, directive or marker to the next document's.
    pub text: &'a str,
    /// Where the text starts in the stream, in bytes.
    pub start: usize,
    /// A `...` stands before it, so content must begin with `---`.
    after_end_marker: bool,
}

impl<'a> Chunk<'a> {
    /// A piece of text that is one document by itself.
    #[must_use]
    pub fn alone(text: &'a str) -> Self {
        Chunk {
            text,
            start: 0,
            after_end_marker: false,
        }
    }

    /// A part of the chunk that is a document by itself.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        Chunk {
            start: self.start + range.start,
            text: &self.text[range],
            ..*self
        }
    }

    /// The bytes of the stream that it spans.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub(super) fn demands_marker(&self) -> bool {
        self.after_end_marker
    }
}

/// Why a text is not YAML, with byte offsets into that text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SyntaxError {
    /// What is wrong.
    pub problem: String,
    /// Where.
    pub at: usize,
    /// What libyaml was reading and where that began: the better hint for a quote or bracket that is not closed.
    pub context: Option<(String, usize)>,
}

/// Bounds that keep hostile input cheap.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Deepest nesting of collections; libyaml's scan of deep flow nesting is quadratic.
    pub depth: usize,
    /// Most nodes that aliases may add when a value is built.
    pub expanded_nodes: usize,
    /// Most bytes of scalars that aliases may add when a value is built.
    pub expanded_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            depth: 200,
            expanded_nodes: 1_000_000,
            expanded_bytes: 64 << 20,
        }
    }
}

/// The byte order mark.
pub(super) const MARK: char = '\u{feff}';

/// Splits a stream at its document markers. A byte order mark at the start belongs to no document.
///
/// A marker is `---` or `...` at the start of a line, before a blank, a line end or the end of the text. YAML keeps
/// such lines out of every scalar, so the split needs no parser.
pub fn chunks(text: &str) -> impl Iterator<Item = Chunk<'_>> {
    let mut start = if text.starts_with(MARK) { MARK.len_utf8() } else { 0 };
    let mut after_end_marker = false;
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let (end, by_end_marker) = chunk_end(text, start);
        let chunk = Chunk {
            text: &text[start..end],
            start,
            after_end_marker,
        };
        start = end;
        after_end_marker = by_end_marker;
        done = end == text.len();
        Some(chunk)
    })
}

/// Where the chunk that begins at `start` ends, and whether a `...` ends it.
fn chunk_end(text: &str, start: usize) -> (usize, bool) {
    let bytes = text.as_bytes();
    let mut opened = false;
    let mut line = start;
    loop {
        match marker(bytes, line) {
            Some(b'-') if opened => return (line, false),
            Some(b'-') => opened = true,
            Some(_) => return (after_line(bytes, line), true),
            // Comments, blank lines and directives before the first marker belong to its document.
            None => opened = opened || !is_preamble(bytes, line),
        }
        line = after_line(bytes, line);
        if line >= bytes.len() {
            return (bytes.len(), false);
        }
    }
}

/// The character of the marker that stands at this line start.
fn marker(bytes: &[u8], line: usize) -> Option<u8> {
    let rest = bytes.get(line..line + 3)?;
    let found = rest == b"---" || rest == b"...";
    let ends = matches!(bytes.get(line + 3), None | Some(b' ' | b'\t' | b'\n' | b'\r'));
    (found && ends).then_some(rest[0])
}

fn is_preamble(bytes: &[u8], line: usize) -> bool {
    let mut at = line;
    while let Some(b' ' | b'\t') = bytes.get(at) {
        at += 1;
    }
    match bytes.get(at) {
        None | Some(b'\n' | b'\r') => true,
        Some(b'#') => !goes_on(&bytes[at..after_line(bytes, at)]),
        Some(b'%') => at == line,
        _ => false,
    }
}

/// Whether something stands behind a line end that only Unicode and YAML know: there a comment has ended.
fn goes_on(line: &[u8]) -> bool {
    ["\u{85}", "\u{2028}", "\u{2029}"]
        .iter()
        .any(|end| memchr::memmem::find(line, end.as_bytes()).is_some())
}

/// The start of the next line: after LF, CRLF or a lone CR.
fn after_line(bytes: &[u8], from: usize) -> usize {
    match memchr::memchr2(b'\n', b'\r', &bytes[from..]) {
        None => bytes.len(),
        Some(found) => {
            let at = from + found;
            let crlf = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
            at + 1 + usize::from(crlf)
        }
    }
}

/// A byte order mark that stands where a document or a line begins, past the start of the stream.
///
/// Files joined by `cat` have one there; readers disagree about it.
#[must_use]
pub fn stray_byte_order_mark(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, "\u{feff}".as_bytes()).find(|&at| {
        let line = text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let before = &text[line..at];
        at > 0 && (before.is_empty() || before.trim_end() == "---")
    })
}

/// Tells by a search for words which documents can hold something of interest.
///
/// Sound for words of ASCII letters, digits, `.`, `-` and `/` that hold no blank: only an escape in double quotes can
/// spell or join them otherwise, and a document with such an escape always passes.
pub struct Prefilter {
    words: Vec<Finder<'static>>,
    escapes: Vec<Finder<'static>>,
}

impl Prefilter {
    /// A filter that passes documents which hold one of the words.
    #[must_use]
    pub fn new(words: &[&str]) -> Self {
        let finder = |word: &&str| Finder::new(word.as_bytes()).into_owned();
        Prefilter {
            words: words.iter().map(finder).collect(),
            escapes: ["\\x", "\\u", "\\U", "\\\n", "\\\r"].iter().map(finder).collect(),
        }
    }

    /// Whether the document may hold one of the words.
    #[must_use]
    pub fn may_match(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        self.words.iter().any(|word| word.find(bytes).is_some())
            || (memchr::memchr(b'\\', bytes).is_some() && self.escapes.iter().any(|word| word.find(bytes).is_some()))
    }
}

/// Whether a chunk has nothing to parse: only blank lines, comments or an end marker.
#[must_use]
pub fn is_bare(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut line = 0;
    while line < bytes.len() {
        if marker(bytes, line) == Some(b'-') {
            return false;
        }
        if marker(bytes, line).is_none() && (!is_preamble(bytes, line) || bytes[line] == b'%') {
            return false;
        }
        line = after_line(bytes, line);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        chunks(text).map(|chunk| chunk.text).collect()
    }

    #[test]
    fn a_stream_splits_at_markers_and_nowhere_else() {
        assert_eq!(split("a\n---\nb\n"), ["a\n", "---\nb\n"]);
        assert_eq!(split("# c\n---\na\n--- # x\nb"), ["# c\n---\na\n", "--- # x\nb"]);
        assert_eq!(
            split("a: |\n  ---\n ---\n----\n---x\n"),
            ["a: |\n  ---\n ---\n----\n---x\n"]
        );
        assert_eq!(split("a\r\n---\r\nb"), ["a\r\n", "---\r\nb"]);
        assert_eq!(split("a\r---\rb"), ["a\r", "---\rb"]);
        assert_eq!(split("---\n---\n---"), ["---\n", "---\n", "---"]);
        assert_eq!(
            split("a\n...\n# between\n---\nb\n"),
            ["a\n...\n", "# between\n---\nb\n"]
        );
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn the_byte_order_mark_at_the_start_belongs_to_no_document() {
        assert_eq!(split("\u{feff}a\n"), ["a\n"]);
        assert_eq!(chunks("\u{feff}a\n").next().map(|chunk| chunk.start), Some(3));
        assert_eq!(stray_byte_order_mark("\u{feff}a\n"), None);
        assert_eq!(stray_byte_order_mark("a\n\u{feff}---\nb"), Some(2));
        assert_eq!(stray_byte_order_mark("a\n--- \u{feff}b"), Some(6));
        assert_eq!(stray_byte_order_mark("a: x\u{feff}y\n"), None);
    }

    #[test]
    fn the_filter_passes_what_could_spell_the_word() {
        let filter = Prefilter::new(&["IPPool"]);
        assert!(filter.may_match("kind: IPPool"));
        assert!(filter.may_match("kind: \"IP\\x50ool\""));
        assert!(filter.may_match("kind: \"IPP\\\n  ool\""));
        assert!(!filter.may_match("kind: \"a\\n\""));
    }

    #[test]
    fn bare_chunks_are_known() {
        assert!(is_bare("...\n"));
        assert!(is_bare("# c\n\n"));
        assert!(!is_bare("---\n"));
        assert!(!is_bare("a"));
        for end in ['\u{85}', '\u{2028}', '\u{2029}'] {
            assert!(!is_bare(&format!("# c{end}a: 1\n")));
        }
    }

    #[test]
    fn a_comment_ends_where_libyaml_ends_it() {
        assert_eq!(split("# c\u{2028}a: 1\n---\nb\n"), ["# c\u{2028}a: 1\n", "---\nb\n"]);
    }
}
