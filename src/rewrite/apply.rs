//! Takes the planned changes and gives the edits of each source; what cannot be edited safely is a finding, and then there are no edits.

use serde_json::Value;

use super::{Change, Plan};
use crate::check::Finding;
use crate::check::codes;
use crate::addressing::ConfigDocument;
use crate::objects::{Detail, Form, Manifest, Object};
use crate::yaml::{Edit, Edits, Editor, Layout, Reason, Refusal, Tree, emit, stream};

/// All edits, one set for each source.
///
/// # Errors
/// A finding for every document that cannot be edited.
pub(super) fn apply(manifest: &Manifest<'_>, plan: &Plan) -> Result<Vec<Edits>, Vec<Finding>> {
    let mut edits: Vec<Vec<Edit>> = vec![Vec::new(); manifest.sources.len()];
    let mut findings = Vec::new();
    for document in touched(manifest, plan) {
        let source = manifest.documents[document].source;
        match manifest.with_tree(document, |tree| document_edits(manifest, plan, document, tree)) {
            Ok(found) => edits[source].extend(found),
            Err(finding) => findings.push(*finding),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let checked: Result<Vec<Edits>, _> = edits.into_iter().map(Edits::new).collect();
    checked.map_err(|overlap| vec![Finding::new(&codes::UNSAFE_EDIT, overlap.to_string())])
}

/// The documents that change, in order.
fn touched(manifest: &Manifest<'_>, plan: &Plan) -> Vec<usize> {
    let of = |object: usize| manifest.objects[object].document;
    let pools = plan.pools.iter().map(|(object, _)| of(*object));
    let copies = plan.copies.iter().map(|copy| of(copy.object));
    let mut documents: Vec<usize> = plan.changes.keys().copied().chain(pools).chain(copies).collect();
    documents.sort_unstable();
    documents.dedup();
    documents
}

fn document_edits(manifest: &Manifest<'_>, plan: &Plan, document: usize, tree: &Tree<'_>) -> Result<Vec<Edit>, Box<Finding>> {
    let chunk = &manifest.documents[document].chunk;
    let mut editor = Editor::new(tree, manifest.limits());
    let mut last = 0;
    for (object, change) in plan.changes.get(&document).into_iter().flatten() {
        last = *object;
        edit(&mut editor, change).map_err(|refusal| Box::new(finding(manifest, *object, &refusal)))?;
    }
    let mut whole = Vec::new();
    for (object, pool) in plan.pools.iter().filter(|(object, _)| manifest.objects[*object].document == document) {
        last = *object;
        let refused = |refusal: Refusal| Box::new(finding(manifest, *object, &refusal));
        match manifest.objects[*object].item {
            Some((list, index)) => editor.insert_item(list, index, &Value::Object(pool.clone())).map_err(refused)?,
            None => whole.push(new_document(manifest, document, tree, pool)),
        }
    }
    for copy in plan.copies.iter().filter(|copy| manifest.objects[copy.object].document == document) {
        last = copy.object;
        let refused = |refusal: Refusal| Box::new(finding(manifest, copy.object, &refusal));
        match (manifest.objects[copy.object].item, manifest.documents[document].form) {
            (Some((list, index)), _) => editor.insert_item(list, index + 1, &copy.value).map_err(refused)?,
            (None, Form::JsonStream) => whole.push(Edit::insert(chunk.range().end, format!("\n{}", json_text(tree, &copy.value)))),
            (None, Form::Yaml) => whole.push(stream::insert_after(chunk, &copy.text, &manifest.limits()).map_err(refused)?),
        }
    }
    let edits = editor.finish().map_err(|refusal| Box::new(finding(manifest, last, &refusal)))?;
    if !edits.is_empty()
        && let Some(language) = template_language(tree)
    {
        return Err(Box::new(written_in(manifest, &manifest.objects[last], language)));
    }
    Ok(edits.shifted(chunk.start).into_iter().chain(whole).collect())
}

/// Makes one change.
pub(super) fn edit(editor: &mut Editor<'_, '_>, change: &Change) -> Result<(), Refusal> {
    match change {
        Change::Set { mapping, path, value } => editor.set_at(*mapping, path, value),
        Change::Bring { mapping, key, value } => editor.bring(*mapping, key, value),
        Change::RemoveItems { sequence, places } => editor.remove_items(*sequence, places),
        Change::RemoveEntry { mapping, key } => editor.remove_entry(*mapping, key),
    }
}

/// The edit that puts a pool before the document, written as the document is.
fn new_document(manifest: &Manifest<'_>, document: usize, tree: &Tree<'_>, pool: &serde_json::Map<String, Value>) -> Edit {
    let document = &manifest.documents[document];
    let layout: Layout = tree.layout();
    let json = tree.text().trim_start_matches("---").trim_start().starts_with('{');
    if document.form == Form::JsonStream {
        return Edit::insert(document.chunk.start, format!("{}{}", json_text(tree, &Value::Object(pool.clone())), layout.line_break));
    }
    let text = if json {
        format!("{}{}", json_text(tree, &Value::Object(pool.clone())), layout.line_break)
    } else {
        emit::document(pool, layout)
    };
    stream::insert_before(&document.chunk, &text)
}

fn json_text(tree: &Tree<'_>, value: &Value) -> String {
    match tree.root() {
        Some(root) => emit::flow_value(value, &tree.flow(root)),
        None => value.to_string(),
    }
}

/// The finding of a refused edit.
pub(super) fn finding(manifest: &Manifest<'_>, object: usize, refusal: &Refusal) -> Finding {
    let object = &manifest.objects[object];
    let base = manifest.documents[object.document].chunk.start;
    let span = crate::objects::Span::new(base + refusal.span.start..base + refusal.span.end);
    let help = match &refusal.reason {
        Reason::Shared => "write the value out at each place, without anchor and alias",
        Reason::Tagged => "remove the tag",
        Reason::Duplicate(_) => "remove one of the two entries",
        Reason::MergeOverrides(_) => "move the merge key to the top of its mapping",
        Reason::Layout(_) => "write this part as a plain block",
        Reason::Verification(_) => "end the file with a line end, and write this part as a plain block",
    };
    let span = if span.start == span.end && refusal.span.start == 0 { object.name_span() } else { span };
    Finding::new(&codes::UNSAFE_EDIT, format!("{object} cannot be edited safely: {refusal}"))
        .on(object)
        .at(manifest.source_of(object), span)
        .help(help)
}

/// A document with templates or groups that is written in ytt: its names are code, so nothing in it can be matched.
pub(crate) fn rendered_later(manifest: &Manifest<'_>, configs: &[ConfigDocument<'_>]) -> Option<Finding> {
    if configs.iter().all(|document| document.config.spec.pools.is_empty()) {
        return None;
    }
    manifest.objects.iter().filter(|object| matches!(object.detail, Detail::Template(_) | Detail::Group(_))).find_map(|object| {
        let chunk = &manifest.documents[object.document].chunk;
        memchr::memmem::find(chunk.text.as_bytes(), b"#@")?;
        let language = manifest.with_tree(object.document, template_language)?;
        Some(written_in(manifest, object, language))
    })
}

fn written_in(manifest: &Manifest<'_>, object: &Object<'_>, language: &str) -> Finding {
    Finding::new(&codes::TEMPLATE_LANGUAGE, format!("{object} is written in {language}"))
        .on(object)
        .at(manifest.source_of(object), object.name_span())
        .help("render it first, and give the result")
}

/// The template language that a document is written in, by its comments or keys.
fn template_language(tree: &Tree<'_>) -> Option<&'static str> {
    let text = tree.text();
    let in_scalar = |at: usize| tree.all().any(|node| tree.scalar(node).is_some() && tree.span(node).contains(&at));
    let ytt = memchr::memmem::find_iter(text.as_bytes(), b"#@").any(|at| {
        let starts = text[..at].chars().next_back().is_none_or(char::is_whitespace);
        starts && !in_scalar(at)
    });
    if ytt {
        return Some("ytt");
    }
    let collections_as_keys = tree.all().any(|node| tree.entries(node).any(|(key, _)| tree.scalar(key).is_none()));
    collections_as_keys.then_some("a Go template")
}
