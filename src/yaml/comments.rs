//! Takes a list that loses items and tells whether a reader that pairs old and new items by their index would put comments beside other values; finds comments and never changes one.

use std::ops::Range;

use super::layout;
use super::node::{Kind, NodeId, Tree};

impl Tree<'_> {
    /// Whether the removal makes an item stand at the index of another one that has a comment: kpt copies the comments of
    /// the item that it sent to the one that comes back at that index, if both are mappings or lists
    /// (kyaml `comments/comments.go`).
    #[must_use]
    pub fn removal_moves_comments(&self, sequence: NodeId, removed: &[usize]) -> bool {
        let items: Vec<NodeId> = self.items(sequence).collect();
        let kept: Vec<usize> = (0..items.len()).filter(|place| !removed.contains(place)).collect();
        let mut paired = kept.iter().enumerate().filter(|(new, old)| new != *old);
        paired.any(|(new, old)| {
            let collections = self.is_collection(items[new]) && self.is_collection(items[*old]);
            collections && self.has_comment(self.lines_of(sequence, &items, new))
        })
    }

    fn is_collection(&self, node: NodeId) -> bool {
        matches!(self.kind(node), Kind::Mapping { .. } | Kind::Sequence { .. })
    }

    /// An item with the comments above it and the one behind it.
    fn lines_of(&self, sequence: NodeId, items: &[NodeId], place: usize) -> Range<usize> {
        let text = self.text();
        let before = match place.checked_sub(1) {
            Some(before) => self.span(items[before]).end,
            None => {
                let holder = self.parent(sequence);
                let mut entries = holder.into_iter().flat_map(|holder| self.entries(holder));
                let key = entries.find(|(_, value)| *value == sequence).map(|(key, _)| key);
                key.and_then(|key| self.after_colon(key))
                    .unwrap_or(self.span(sequence).start)
            }
        };
        let end = self.span(items[place]).end;
        layout::line_end(text, before).min(end)..layout::line_end(text, end)
    }

    /// Whether a comment stands in a part of the text, outside every scalar.
    fn has_comment(&self, range: Range<usize>) -> bool {
        let bytes = self.text().as_bytes();
        let inside = |at: usize| self.scalar_at(at).is_some();
        memchr::memchr_iter(b'#', &bytes[range.clone()])
            .map(|at| range.start + at)
            .any(|at| at > 0 && matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r') && !inside(at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::{Chunk, Limits};
    use super::*;

    fn moves(text: &str, removed: &[usize]) -> bool {
        let tree = Tree::parse(&Chunk::alone(text), &Limits::default()).unwrap();
        let list = tree.get(tree.root().unwrap(), "l").unwrap();
        tree.removal_moves_comments(list, removed)
    }

    #[test]
    fn comments_move_only_where_another_item_takes_the_place() {
        let commented = "l:\n- a: 1 # one\n  b: '# no'\n- a: 2\n- a: 3\n";
        assert!(moves(commented, &[0]));
        assert!(!moves(commented, &[1]));
        assert!(!moves(commented, &[2]));
        assert!(!moves(commented, &[0, 1, 2]));
        assert!(moves("l:\n# head\n- a: 1\n- a: 2\n", &[0]));
        assert!(moves("l:\n- a: 1\n# head\n- a: 2\n- a: 3\n", &[1]));
        assert!(!moves("l: # key\n- a: 1\n- a: 2\n", &[0]));
        assert!(!moves("l:\n- a: |\n    # text\n- a: 2\n", &[0]));
        assert!(!moves("l:\n- one # c\n- two\n", &[0]));
    }
}
