//! Takes a manifest and tells what of it was not checked: everything, or documents that are code; silent about what was.

use super::codes;
use super::finding::Finding;
use super::model::Model;
use crate::objects::{Detail, Span};
use crate::yaml::template_language;

/// Findings about what was not checked.
pub(super) fn coverage(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    if !model.everything() {
        return;
    }
    let ours = |detail: &Detail<'_>| matches!(detail, Detail::Template(_) | Detail::Pool(_));
    // With a configuration the selection says what is missing.
    let found = model.manifest.objects.iter().any(|object| ours(&object.detail));
    if !found && findings.is_empty() && model.documents.is_empty() {
        let other = model
            .manifest
            .objects
            .iter()
            .find(|object| object.kind.ends_with("MachineTemplate"));
        let message = match other {
            Some(other) => format!(
                "no addresses were checked: the manifest has a {} of {}, but no VSphereMachineTemplate of CAPV and no pool",
                other.kind,
                other.group()
            ),
            None => {
                "no addresses were checked: the manifest has no VSphereMachineTemplate of CAPV and no pool".to_owned()
            }
        };
        findings.push(
            Finding::new(&codes::NOTHING_TO_CHECK, message)
                .help("give the cluster manifest, and the pools if they stand elsewhere"),
        );
    }
    not_rendered(model, findings);
}

/// Texts of a template language, each told once.
fn not_rendered(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut told = None;
    for (index, object) in model.manifest.objects.iter().enumerate() {
        let source = model.manifest.source_of(object);
        let chunk = &model.manifest.documents[object.document as usize].chunk;
        let marks: [&[u8]; 2] = [b"#@", b"{{"];
        let marked = || {
            marks
                .iter()
                .any(|mark| memchr::memmem::find(chunk.text.as_bytes(), mark).is_some())
        };
        if told == Some(source) || model.after.chooses(index) || !marked() {
            continue;
        }
        if let Some((language, at)) = model.manifest.with_tree(object.document, template_language) {
            told = Some(source);
            let name = model.manifest.sources[source].name;
            let message = format!("{name} is written in {language}: its values are code, and are not checked");
            let span = Span::new(chunk.start + at.start..chunk.start + at.end);
            findings.push(
                Finding::new(&codes::NOT_RENDERED, message)
                    .at(source, span)
                    .help("render it first and check the result"),
            );
        }
    }
}
