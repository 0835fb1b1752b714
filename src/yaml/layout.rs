//! Takes a text and an offset and finds what libyaml's spans leave out: line ends, blanks and comments, anchors, the ends of block scalars; never changes a byte.

/// The start of the line that holds the offset.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &text.as_bytes()[..at]).map_or(0, |end| end + 1)
}

/// Where the line that holds the offset ends, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found)
}

/// The offset behind the line break that stands at the offset, if one does.
pub(super) fn after_break(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    at + match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// The offset before the line break that ends at the offset, if one does.
pub(super) fn before_break(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at];
    at - match before {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    }
}

/// The line end that the lines around the offset use.
pub(super) fn line_break(text: &str, at: usize) -> &'static str {
    let end = line_end(text, at);
    let here = &text[end..after_break(text, end)];
    let start = line_start(text, at);
    let found = if here.is_empty() {
        &text[before_break(text, start)..start]
    } else {
        here
    };
    match found {
        "\r\n" => "\r\n",
        "\r" => "\r",
        _ => "\n",
    }
}

/// The characters between the start of the line and the offset.
pub(super) fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

/// What stands before the offset on its line, when that is only blanks. Lines can be very long: only blanks are looked at.
pub(super) fn indentation(text: &str, at: usize) -> Option<&str> {
    let bytes = &text.as_bytes()[..at];
    let blanks = bytes
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let start = at - blanks;
    let begins_line = start == 0 || matches!(bytes[start - 1], b'\n' | b'\r');
    begins_line.then(|| &text[start..at])
}

/// Skips blanks, line breaks and comments.
pub(super) fn skip_trivia(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\n' | b'\r') => at += 1,
            Some(b'#') if at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r') || at == from => {
                at = line_end(text, at);
            }
            _ => return at,
        }
    }
}

/// Skips blanks on the line.
pub(super) fn skip_blanks(text: &str, from: usize) -> usize {
    let rest = &text.as_bytes()[from..];
    from + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Where a node's content begins: after its anchor, its tag and what lies between. `count` says how many of these it has.
pub(super) fn after_properties(text: &str, start: usize, count: usize) -> usize {
    let end = properties_end(text, start, count);
    let at = skip_trivia(text, end);
    // Nothing follows on this line or below that belongs to the node when the next thing ends an entry.
    if at == text.len() { end } else { at }
}

/// Where a node's anchor and tag end, of which it has `count`: what follows them may be those of its first child.
pub(super) fn properties_end(text: &str, start: usize, count: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut end = start;
    for _ in 0..count {
        if !matches!(bytes.get(at), Some(b'&' | b'!')) {
            break;
        }
        while bytes
            .get(at)
            .is_some_and(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}'))
        {
            at += 1;
        }
        end = at;
        at = skip_trivia(text, at);
    }
    end
}

/// Where a block scalar's content ends, given where libyaml lets its span end: at the start of a later line.
///
/// The blank lines after it belong to it only under the keep indicator `+`.
pub(super) fn block_scalar_end(text: &str, start: usize, span_end: usize) -> usize {
    let header = &text[start..line_end(text, start)];
    let indicators = header.split([' ', '\t']).next().unwrap_or_default();
    let mut end = before_break(text, span_end);
    if chomping(text, start) == Some('+') {
        return end.max(start);
    }
    loop {
        let line = line_start(text, end);
        if line <= start || !text[line..end].trim().is_empty() {
            return end.max(start + indicators.len());
        }
        end = before_break(text, line);
    }
}

/// The indicator of a block scalar that says what becomes of its last line ends: `+` keeps them all, `-` none.
pub(super) fn chomping(text: &str, start: usize) -> Option<char> {
    let header = &text[start..line_end(text, start)];
    let indicators = header.split([' ', '\t']).next()?;
    indicators.chars().find(|sign| matches!(sign, '+' | '-'))
}
