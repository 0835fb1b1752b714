//! Takes one change to an editor, and turns what the editor refuses into a finding on the user's line.

use super::Change;
use crate::check::Finding;
use crate::check::codes;
use crate::objects::{Manifest, Span};
use crate::yaml::{Editor, Reason, Refusal};

/// Makes one change.
pub(super) fn edit(editor: &mut Editor<'_, '_>, change: &Change) -> Result<(), Refusal> {
    match change {
        Change::Set { mapping, path, value } => editor.set_at(*mapping, path, value),
        Change::Bring { mapping, key, value } => editor.bring(*mapping, key, value),
        Change::RemoveItems { sequence, places } => editor.remove_items(*sequence, places),
        Change::RemoveEntry { mapping, key } => editor.remove_entry(*mapping, key),
    }
}

/// The finding of a refused edit.
pub(super) fn finding(manifest: &Manifest<'_>, object: usize, refusal: &Refusal) -> Finding {
    let object = &manifest.objects[object];
    let base = manifest.documents[object.document as usize].chunk.start;
    let span = Span::new(base + refusal.span.start..base + refusal.span.end);
    let help = match &refusal.reason {
        Reason::Shared => "write the value out at each place, without anchor and alias",
        Reason::Tagged => "remove the tag",
        Reason::Duplicate(_) => "remove one of the two entries",
        Reason::MergeOverrides(_) => "move the merge key to the top of its mapping",
        Reason::Layout(_) => "write this part as a plain block",
        Reason::Verification(_) => "end the file with a line end, and write this part as a plain block",
    };
    let span = if span.start == span.end && refusal.span.start == 0 {
        object.name_span()
    } else {
        span
    };
    let finding = Finding::new(
        &codes::UNSAFE_EDIT,
        format!("{object} cannot be edited safely: {refusal}"),
    )
    .on(object)
    .at(manifest.source_of(object), span)
    .help(help);
    let what = if refusal.reason == Reason::Shared {
        "the alias"
    } else {
        "the other one"
    };
    match &refusal.other {
        Some(other) => finding.with(
            manifest.source_of(object),
            Span::new(base + other.start..base + other.end),
            what,
        ),
        None => finding,
    }
}
