//! Takes the planned changes and gives the edits of each source; what cannot be edited safely is a finding, and then there are no edits.

use std::ops::Range;

use serde_json::Value;

use super::identity;
use super::refused::{edit, finding};
use super::template;
use super::{Plan, Wish};
use crate::addressing::ConfigDocument;
use crate::check::Finding;
use crate::check::codes;
use crate::objects::{Cursor, Detail, Document, Form, Manifest, Object};
use crate::yaml::{Edit, Editor, Edits, Layout, Refusal, Tree, emit, stream, template_language};

/// All edits, one set for each source, and what is worth knowing about them.
///
/// # Errors
/// A finding for every document that cannot be edited.
pub(super) fn apply(
    manifest: &Manifest<'_>,
    wishes: &[Wish<'_>],
    plan: &Plan,
) -> Result<(Vec<Edits>, Vec<Finding>), Vec<Finding>> {
    let mut edits: Vec<Vec<Edit>> = vec![Vec::new(); manifest.sources.len()];
    let mut findings = Vec::new();
    let mut notes = Vec::new();
    let tasks = tasks(manifest, wishes, plan);
    // In portions, so that the results of few documents are held twice.
    for portion in tasks.chunks(2048) {
        let results = crate::parallel::map(portion, 256, |task| {
            manifest.with_tree(task.document, |tree| document_edits(manifest, wishes, plan, task, tree))
        });
        for (task, result) in portion.iter().zip(results) {
            let source = manifest.documents[task.document as usize].source;
            match result {
                Ok((found, note)) => {
                    edits[source].extend(found);
                    notes.extend(note);
                }
                Err(finding) => findings.push(*finding),
            }
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let checked: Result<Vec<Edits>, _> = edits.into_iter().map(Edits::new).collect();
    let checked = checked.map_err(|overlap| vec![Finding::new(&codes::UNSAFE_EDIT, overlap.to_string())])?;
    Ok((checked, notes))
}

/// A document that changes, with the templates in it that are edited in place.
struct Task {
    document: u32,
    templates: Vec<(usize, usize)>,
}

/// The documents that change, in order.
fn tasks(manifest: &Manifest<'_>, wishes: &[Wish<'_>], plan: &Plan) -> Vec<Task> {
    let of = |object: usize| manifest.objects[object].document;
    let template = |(wish, first): &(usize, usize)| of(wishes[*wish].selection.templates[*first].object);
    let mut templates: Vec<(u32, (usize, usize))> = plan.templates.iter().map(|task| (template(task), *task)).collect();
    templates.sort_unstable();
    let others = plan.changes.keys().copied();
    let pools = plan.pools.iter().map(|(object, _)| of(*object));
    let copies = plan.copies.iter().map(|copy| of(copy.object));
    let mut documents: Vec<u32> = others
        .chain(pools)
        .chain(copies)
        .chain(templates.iter().map(|(document, _)| *document))
        .collect();
    documents.sort_unstable();
    documents.dedup();
    let mut templates = templates.into_iter().peekable();
    let own = |document: u32| {
        let mut own = Vec::new();
        while let Some((_, task)) = templates.next_if(|(of, _)| *of == document) {
            own.push(task);
        }
        own
    };
    let mut own = own;
    documents
        .into_iter()
        .map(|document| Task {
            document,
            templates: own(document),
        })
        .collect()
}

fn document_edits(
    manifest: &Manifest<'_>,
    wishes: &[Wish<'_>],
    plan: &Plan,
    task: &Task,
    tree: &Tree<'_>,
) -> Result<(Vec<Edit>, Vec<Finding>), Box<Finding>> {
    let document = task.document;
    let mut notes = Vec::new();
    let Document { chunk, form, .. } = &manifest.documents[document as usize];
    let mut editor = Editor::new(tree, manifest.limits());
    if from_kpt(manifest, wishes, plan, task) {
        editor.keep_foot_comments();
    }
    let mut last = 0;
    for (wish, first) in &task.templates {
        let wish = &wishes[*wish];
        last = wish.selection.templates[*first].object;
        let Detail::Template(template) = &manifest.objects[last].detail else {
            continue;
        };
        let pools = wish.selection.templates[*first..]
            .chunk_by(|one, other| one.object == other.object)
            .next()
            .unwrap_or_default();
        let at = Cursor {
            tree,
            base: chunk.start,
            node: manifest.objects[last].node,
        };
        for change in template::changes(template, at, pools, wish) {
            edit(&mut editor, &change).map_err(|refusal| Box::new(finding(manifest, last, &refusal)))?;
        }
    }
    for (object, change) in plan.changes.get(&document).into_iter().flatten() {
        last = *object;
        edit(&mut editor, change).map_err(|refusal| Box::new(finding(manifest, *object, &refusal)))?;
    }
    for object in identity::losing_comments(tree, plan.changes.get(&document).into_iter().flatten()) {
        let refused = |refusal: Refusal| Box::new(finding(manifest, object, &refusal));
        notes.extend(identity::withdraw(manifest, object, tree, &mut editor).map_err(refused)?);
    }
    let mut whole = Vec::new();
    for (object, pool) in plan
        .pools
        .iter()
        .filter(|(object, _)| manifest.objects[*object].document == document)
    {
        last = *object;
        let refused = |refusal: Refusal| Box::new(finding(manifest, *object, &refusal));
        match manifest.objects[*object].item {
            Some((list, index)) => editor
                .insert_item(list, index as usize, &Value::Object(pool.clone()))
                .map_err(refused)?,
            None => whole.push(new_document(&manifest.documents[document as usize], tree, pool)),
        }
    }
    for copy in plan
        .copies
        .iter()
        .filter(|copy| manifest.objects[copy.object].document == document)
    {
        last = copy.object;
        let refused = |refusal: Refusal| Box::new(finding(manifest, copy.object, &refusal));
        match (manifest.objects[copy.object].item, *form) {
            (Some((list, index)), _) => editor
                .insert_item(list, index as usize + 1, &copy.value)
                .map_err(refused)?,
            (None, Form::JsonStream) => whole.push(Edit::insert(
                chunk.range().end,
                format!("\n{}", json_text(tree, &copy.value)),
            )),
            (None, Form::Yaml) => {
                whole.push(stream::insert_after(chunk, &copy.text, &manifest.limits()).map_err(refused)?)
            }
        }
    }
    let edits = editor
        .finish()
        .map_err(|refusal| Box::new(finding(manifest, last, &refusal)))?;
    if !edits.is_empty()
        && let Some((language, at)) = template_language(tree)
    {
        return Err(Box::new(written_in(manifest, &manifest.objects[last], language, at)));
    }
    Ok((edits.shifted(chunk.start).into_iter().chain(whole).collect(), notes))
}

/// Whether an object of a document goes back to a tool that pairs it with the one that it sent.
fn from_kpt(manifest: &Manifest<'_>, wishes: &[Wish<'_>], plan: &Plan, task: &Task) -> bool {
    let templates = task.templates.iter();
    let templates = templates.map(|(wish, first)| wishes[*wish].selection.templates[*first].object);
    let changed = plan.changes.get(&task.document).into_iter().flatten();
    let mut objects = templates.chain(changed.map(|(object, _)| *object));
    objects.any(|object| {
        let carried = manifest.objects[object].carried.as_ref();
        carried.is_some_and(|carried| carried.identified)
    })
}

/// The edit that puts a pool before the document, written as the document is.
fn new_document(document: &Document<'_>, tree: &Tree<'_>, pool: &serde_json::Map<String, Value>) -> Edit {
    let layout: Layout = tree.layout();
    let json = tree.text().trim_start_matches("---").trim_start().starts_with('{');
    if document.form == Form::JsonStream {
        return Edit::insert(
            document.chunk.start,
            format!("{}{}", json_text(tree, &Value::Object(pool.clone())), layout.line_break),
        );
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

/// A document with templates or groups that is written in ytt: its names are code, so nothing in it can be matched.
pub(crate) fn rendered_later(manifest: &Manifest<'_>, configs: &[ConfigDocument<'_>]) -> Option<Finding> {
    if configs.iter().all(|document| document.config.spec.pools.is_empty()) {
        return None;
    }
    let mut searched = None;
    let relevant = |object: &&Object<'_>| matches!(object.detail, Detail::Template(_) | Detail::Group(_));
    manifest.objects.iter().filter(relevant).find_map(|object| {
        if searched.replace(object.document) == Some(object.document) {
            return None;
        }
        let chunk = &manifest.documents[object.document as usize].chunk;
        memchr::memmem::find(chunk.text.as_bytes(), b"#@")?;
        let (language, at) = manifest.with_tree(object.document, template_language)?;
        Some(written_in(manifest, object, language, at))
    })
}

fn written_in(manifest: &Manifest<'_>, object: &Object<'_>, language: &str, at: Range<usize>) -> Finding {
    let base = manifest.documents[object.document as usize].chunk.start;
    let render = if language == "ytt" {
        "render it first with `ytt -f`"
    } else {
        "render it first, for example with `helm template`"
    };
    Finding::new(
        &codes::TEMPLATE_LANGUAGE,
        format!("the document of this {} is written in {language}", object.kind),
    )
    .on(object)
    .at(
        manifest.source_of(object),
        crate::objects::Span::new(base + at.start..base + at.end),
    )
    .help(format!("{render}, and give the result"))
}
