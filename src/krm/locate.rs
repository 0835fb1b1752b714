//! Takes findings with their places and says which item or configuration each is about, at which field and in which line of its document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::item::{Identity, Item};
use super::list::{FunctionConfig, Layout, ResourceList};
use super::results::{File, Located};
use crate::check::Finding;
use crate::objects::carried::belongs_to_transport;
use crate::yaml::{Chunk, Kind, Limits, NodeId, Segment, Tree};

/// A part of the list's text that was a source of the computation, and where it starts there.
pub(super) struct Piece<'a> {
    pub(super) start: usize,
    pub(super) text: &'a str,
}

/// Says what each finding is about. Sources count the pieces first, then the functionConfig.
pub(super) fn locate<'l>(
    findings: &'l [Finding],
    list: &'l ResourceList<'_>,
    pieces: &[Piece<'_>],
    limits: &Limits,
) -> Vec<Located<'l>> {
    // One parse for all findings of a piece; broken lists can have thousands in one.
    let mut trees: HashMap<usize, Option<Tree<'_>>> = HashMap::new();
    let mut one = |finding: &'l Finding| {
        let unplaced = Located::nowhere(finding);
        let Some(place) = finding.place else { return unplaced };
        let at = place.span.start as usize;
        match (pieces.get(place.source), &list.config) {
            (Some(piece), _) => {
                let parse = || Tree::parse(&Chunk::alone(piece.text), limits).ok();
                let tree = trees.entry(place.source).or_insert_with(parse).as_ref();
                in_item(unplaced, list, piece, tree, at)
            }
            (None, Some(config)) => {
                let span = at..place.span.end as usize;
                in_config(unplaced, list, config, span, limits)
            }
            (None, None) => unplaced,
        }
    };
    findings.iter().map(&mut one).collect()
}

fn in_item<'l>(
    unplaced: Located<'l>,
    list: &'l ResourceList<'_>,
    piece: &Piece<'_>,
    tree: Option<&Tree<'_>>,
    at: usize,
) -> Located<'l> {
    let Some(item) = list.item_at(piece.start + at) else {
        return unplaced;
    };
    let located = Located {
        object: Some(borrowed(&item.identity)),
        file: item.path.as_deref().map(|path| File {
            path,
            index: item.index.unwrap_or(0),
        }),
        ..unplaced
    };
    let Some((tree, root)) = tree.and_then(|tree| Some((tree, tree.root()?))) else {
        return located;
    };
    let (path, node) = tree.path_at(root, at);
    Located {
        field: path.into_iter().skip(steps_to_object(tree, root)).collect(),
        value: value(tree, node),
        line: line(tree, list, item, piece, at),
        ..located
    }
}

fn in_config<'l>(
    unplaced: Located<'l>,
    list: &ResourceList<'_>,
    config: &'l FunctionConfig,
    span: Range<usize>,
    limits: &Limits,
) -> Located<'l> {
    let located = Located {
        object: config.identity.as_ref().map(borrowed),
        file: config.path.as_deref().map(|path| File { path, index: 0 }),
        ..unplaced
    };
    let Ok(tree) = Tree::parse(&Chunk::alone(&list.text[config.range.clone()]), limits) else {
        return located;
    };
    let Some(root) = tree.root() else { return located };
    let (mut field, node) = tree.path_at(root, span.start);
    // What begins at a key and reaches past it is the mapping that begins there: it lacks something.
    let key = match field.last() {
        Some(Segment::Key(key)) => key.len() + "\"\"".len(),
        _ => usize::MAX,
    };
    if tree.span(node).start > span.start && span.len() > key {
        field.pop();
        return Located { field, ..located };
    }
    Located {
        field,
        value: value(&tree, node),
        ..located
    }
}

fn borrowed<'l>(identity: &'l Identity<'_>) -> Identity<'l> {
    Identity {
        api_version: Cow::Borrowed(&identity.api_version),
        kind: Cow::Borrowed(&identity.kind),
        name: Cow::Borrowed(&identity.name),
        namespace: identity.namespace.as_deref().map(Cow::Borrowed),
    }
}

fn value(tree: &Tree<'_>, node: NodeId) -> Option<String> {
    tree.scalar(node)
        .filter(|text| !text.contains('\n'))
        .map(ToOwned::to_owned)
}

/// The line of an offset within the item's document, without the lines that the caller's annotations add; `None` where the
/// item stands in one line.
fn line(tree: &Tree<'_>, list: &ResourceList<'_>, item: &Item<'_>, piece: &Piece<'_>, at: usize) -> Option<usize> {
    let first = item.range.start.checked_sub(piece.start)?;
    let last = (item.range.end - piece.start).min(piece.text.len());
    let text = piece.text.get(first..last)?;
    if list.layout == Layout::Whole && !text.contains('\n') {
        return None;
    }
    let lines = |text: &str| memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let counted = lines(piece.text.get(first..at)?) + 1;
    let root = tree.root()?;
    let (path, _) = tree.path_at(root, first.max(at));
    let object = node_at(tree, root, path.get(..steps_to_object(tree, root))?)?;
    let annotations = tree
        .get(object, "metadata")
        .and_then(|metadata| tree.get(metadata, "annotations"))
        .filter(|annotations| matches!(tree.kind(*annotations), Kind::Mapping { flow: false }));
    let Some(annotations) = annotations else {
        return Some(counted);
    };
    let before = |node: NodeId| tree.span(node).end < at;
    let entries: Vec<(NodeId, NodeId)> = tree.entries(annotations).collect();
    let added = |(key, _): &(NodeId, NodeId)| tree.scalar(*key).is_some_and(is_added);
    let taken: usize = entries
        .iter()
        .filter(|entry| added(entry) && before(entry.1))
        .map(|(key, value)| 1 + lines(&tree.text()[tree.span(*key).start..tree.span(*value).end]))
        .sum();
    let header = usize::from(entries.iter().all(added) && before(annotations));
    Some(counted.saturating_sub(taken + header).max(1))
}

/// How many steps lead from a piece's root to an object: its place in a list, after `items` where the piece is a whole
/// ResourceList.
fn steps_to_object(tree: &Tree<'_>, root: NodeId) -> usize {
    if matches!(tree.kind(root), Kind::Sequence { .. }) {
        1
    } else {
        2
    }
}

/// Annotations that kpt adds on the way and takes off again; others of the transport stand in the user's file.
fn is_added(key: &str) -> bool {
    let own = ["config.kubernetes.io/local-config", "config.kubernetes.io/function"];
    belongs_to_transport(key) && !own.contains(&key)
}

fn node_at(tree: &Tree<'_>, root: NodeId, path: &[Segment]) -> Option<NodeId> {
    path.iter().try_fold(root, |node, segment| match segment {
        Segment::Key(key) => tree.get(node, key),
        Segment::Index(index) => tree.items(node).nth(*index).map(|item| tree.target(item)),
    })
}
