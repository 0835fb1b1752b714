//! Takes any text, splits it, and makes sure that the chunks cover it, break only at line starts and hold the documents that
//! a parser sees in the whole; never looks at what the documents mean.
#![no_main]

use capv_ipam::yaml::{chunks, is_bare, stray_byte_order_mark};
use libfuzzer_sys::fuzz_target;
use serde_yaml::{Deserializer, Value};

const MARK: &str = "\u{feff}";

/// The documents of a text; `None` when the parser refuses it.
fn documents(text: &str) -> Option<Vec<Value>> {
    Deserializer::from_str(text)
        .map(|document| serde::Deserialize::deserialize(document).ok())
        .collect()
}

/// A directive behind a document that `...` does not end: no YAML (1.2.2, 9.2), though the reference takes it behind an empty
/// document.
fn has_stray_directive(text: &str) -> bool {
    let lines: Vec<&str> = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).collect();
    let ended = |before: &[&str]| {
        let mut content = before.iter().rev().map(|line| line.trim_start_matches(MARK));
        content
            .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%'))
            .is_none_or(|line| line.starts_with("..."))
    };
    (0..lines.len()).any(|at| lines[at].starts_with('%') && !ended(&lines[..at]))
}

fuzz_target!(|text: &str| {
    let mut at = if text.starts_with(MARK) { MARK.len() } else { 0 };
    let mut pieces = Vec::new();
    for chunk in chunks(text) {
        assert_eq!(chunk.start, at, "a gap or an overlap");
        assert_eq!(&text[chunk.range()], chunk.text);
        let before = &text[..at];
        assert!(
            at == 0 || before == MARK || before.ends_with(['\n', '\r']),
            "a chunk begins inside a line"
        );
        at = chunk.range().end;
        pieces.push(chunk.text);
    }
    assert_eq!(at, text.len(), "the end is lost");

    if stray_byte_order_mark(text).is_some() || has_stray_directive(text) {
        return;
    }
    // The reference counts a mark as a column, and then sees no `---` behind it.
    let Some(whole) = documents(text.strip_prefix(MARK).unwrap_or(text)) else {
        return;
    };
    let mut parts = Vec::new();
    for piece in pieces.into_iter().filter(|piece| !is_bare(piece)) {
        parts.extend(documents(piece).expect("a chunk of a good stream is a good stream"));
    }
    let meaningful = |documents: Vec<Value>| -> Vec<Value> {
        documents.into_iter().filter(|document| !document.is_null()).collect()
    };
    assert_eq!(meaningful(whole), meaningful(parts), "the split changed a document");
});
