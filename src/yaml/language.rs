//! Takes the nodes of a document and tells whether they are code of a template language rather than values; never renders it.

use std::ops::Range;

use super::node::Tree;

/// The template language that a document is written in, by its comments or keys, and where that shows.
#[must_use]
pub fn template_language(tree: &Tree<'_>) -> Option<(&'static str, Range<usize>)> {
    let text = tree.text();
    let ytt = memchr::memmem::find_iter(text.as_bytes(), b"#@").find(|at| {
        let starts = text[..*at].chars().next_back().is_none_or(char::is_whitespace);
        starts && tree.scalar_at(*at).is_none()
    });
    if let Some(at) = ytt {
        return Some(("ytt", at..at + 2));
    }
    let keys = tree.all().flat_map(|node| tree.entries(node)).map(|(key, _)| key);
    keys.filter(|key| tree.scalar(*key).is_none())
        .map(|key| ("a Go template", tree.span(key)))
        .next()
}
