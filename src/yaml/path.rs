//! Takes an offset and gives the keys and indices that lead to what stands there; aliases are not followed.

use super::node::{Kind, NodeId, Tree};
use super::value::Segment;

impl Tree<'_> {
    /// The path from a node to the deepest value or key that holds an offset, and that value.
    #[must_use]
    pub fn path_at(&self, from: NodeId, at: usize) -> (Vec<Segment>, NodeId) {
        let mut path = Vec::new();
        let mut node = from;
        while let Some((segment, child)) = self.child_at(node, at) {
            path.push(segment);
            node = child;
        }
        (path, node)
    }

    fn child_at(&self, node: NodeId, at: usize) -> Option<(Segment, NodeId)> {
        let holds = |from: usize, child: NodeId| (from..=self.span(child).end).contains(&at);
        match self.kind(node) {
            Kind::Mapping { .. } => {
                let mut entries = self.entries(node);
                let (key, value) = entries.find(|(key, value)| holds(self.outer_start(*key), *value))?;
                Some((Segment::Key(self.scalar(key)?.to_owned()), value))
            }
            Kind::Sequence { .. } => {
                let mut items = self.items(node).enumerate();
                let (index, item) = items.find(|(_, item)| holds(self.outer_start(*item), *item))?;
                Some((Segment::Index(index), item))
            }
            Kind::Scalar(_) | Kind::Alias => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::{Chunk, Limits};
    use super::*;

    #[test]
    fn a_path_leads_to_the_deepest_value() {
        let text = "a:\n- b: 1\n  c: {d: x}\n";
        let tree = Tree::parse(&Chunk::alone(text), &Limits::default()).unwrap();
        let path = |at: &str| tree.path_at(tree.root().unwrap(), text.find(at).unwrap()).0;
        let keys = |keys: &[&str]| keys.iter().map(|key| Segment::Key((*key).into())).collect::<Vec<_>>();
        let below = |rest: &[&str]| [keys(&["a"]), vec![Segment::Index(0)], keys(rest)].concat();
        assert_eq!(path("b: 1"), below(&["b"]));
        assert_eq!(path("x}"), below(&["c", "d"]));
        assert_eq!(path("{d"), below(&["c"]));
    }
}
