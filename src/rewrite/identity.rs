//! Takes the changes of an item that kpt pairs by an id and takes the id off where kpt would put comments beside other values; every other annotation stays.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use crate::check::Finding;
use crate::check::codes;
use crate::objects::Manifest;
use crate::objects::carried::IDS;
use crate::yaml::{Editor, NodeId, Refusal, Tree};

/// The objects whose changes remove an item from a list in such a way that comments would move.
pub(super) fn losing_comments<'c>(
    tree: &Tree<'_>,
    changes: impl Iterator<Item = &'c (usize, Change)>,
) -> BTreeSet<usize> {
    let mut removed: BTreeMap<(usize, NodeId), Vec<usize>> = BTreeMap::new();
    for (object, change) in changes {
        if let Change::RemoveItems { sequence, places } = change {
            removed.entry((*object, *sequence)).or_default().extend(places);
        }
    }
    let moves = |((object, sequence), places): ((usize, NodeId), Vec<usize>)| {
        tree.removal_moves_comments(sequence, &places).then_some(object)
    };
    removed.into_iter().filter_map(moves).collect()
}

/// Takes the ids off an item that has them. One alone would change nothing.
pub(super) fn withdraw(
    manifest: &Manifest<'_>,
    object: usize,
    tree: &Tree<'_>,
    editor: &mut Editor<'_, '_>,
) -> Result<Option<Finding>, Refusal> {
    let object = &manifest.objects[object];
    let annotations = tree
        .get(object.node, "metadata")
        .and_then(|metadata| tree.get(metadata, "annotations"));
    let Some(annotations) = annotations.filter(|_| object.carried.as_ref().is_some_and(|carried| carried.identified))
    else {
        return Ok(None);
    };
    IDS.iter().try_for_each(|id| editor.remove_entry(annotations, id))?;
    let message =
        format!("{object} loses a list item, so it goes back to kpt without the ids by which kpt restores comments");
    Ok(Some(
        Finding::new(&codes::COMMENTS_KEPT_APART, message)
            .on(object)
            .at(manifest.source_of(object), object.name_span())
            .help("comments above the document that end in a blank line are lost from the file; put them back by hand"),
    ))
}
