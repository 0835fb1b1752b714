//! Takes any text, reads its documents, and makes sure that every span lies in the text and in its parent's and that no look-up
//! panics; never edits.
#![no_main]

use capv_ipam::yaml::{Chunk, Kind, Limits, NodeId, Segment, Tree, chunks};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    for chunk in chunks(text).chain([Chunk::alone(text)]) {
        match Tree::parse(&chunk, &limits) {
            Ok(tree) => look_at(&tree, &limits),
            Err(error) => assert!(!error.problem.is_empty()),
        }
    }
});

fn look_at(tree: &Tree<'_>, limits: &Limits) {
    let text = tree.text();
    assert_eq!(tree.all().count(), tree.len());
    for node in tree.all() {
        let span = tree.span(node);
        assert!(text.get(span.clone()).is_some(), "the span {span:?} is no part of the text");
        let start = tree.outer_start(node);
        assert!(start <= span.start && text.is_char_boundary(start));
        let is_scalar = matches!(tree.kind(tree.target(node)), Kind::Scalar(_));
        assert_eq!(tree.scalar(node).is_some(), is_scalar);
        assert_eq!(tree.scalar(node), tree.scalar_text(node).as_deref());
        if tree.kind(node) == Kind::Alias {
            continue;
        }
        let children: Vec<NodeId> = tree
            .entries(node)
            .flat_map(|(key, value)| [key, value])
            .chain(tree.items(node))
            .collect();
        let mut reached = span.start;
        for child in children {
            let inner = tree.span(child);
            assert!(reached <= inner.start && inner.end <= span.end, "{inner:?} in {span:?}");
            assert!(tree.holds(node, child) && !tree.holds(child, node));
            reached = inner.end;
        }
    }
    let Some(root) = tree.root() else { return };
    for (key, _) in tree.entries(root) {
        if let Some(key) = tree.scalar(key) {
            let found = tree.get(root, key);
            let path = [Segment::Key(key.to_owned()), Segment::Index(0)];
            let place = tree.span_at(root, &path, found.and_then(|_| Some("name")));
            assert!(text.get(place).is_some());
        }
    }
    let read = tree.value(root, limits);
    if let Err(error) = &read {
        assert!(text.get(error.span.clone()).is_some());
    }
    // Twice the same.
    assert_eq!(read, tree.value(root, limits));
}
