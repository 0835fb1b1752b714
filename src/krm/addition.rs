//! Takes objects to add to a ResourceList and gives the edits: appended in the list's style, or brought up to date where they are there already.

use serde_json::{Map, Value, json};

use super::item::Item;
use super::list::{Layout as Items, ResourceList};
use super::work::Addition;
use crate::objects::Files;
use crate::objects::carried::{INDEX, PACKAGE, PATH};
use crate::yaml::{Chunk, Edit, Editor, Kind, Layout, Limits, NodeId, Reason, Refusal, Tree, emit};

/// The edits of all additions.
pub(super) fn edits(
    list: &ResourceList<'_>,
    additions: Vec<Addition>,
    files: &mut Files,
    limits: &Limits,
) -> Result<Vec<Edit>, Refusal> {
    let mut edits = Vec::new();
    let mut new = Vec::new();
    for mut addition in additions {
        match list.items.iter().find(|item| is(item, &addition.object)) {
            Some(item) => edits.extend(update(list, item, &addition, limits)?),
            None => {
                annotate(list, &mut addition.object, files);
                new.push(addition.object);
            }
        }
    }
    if !new.is_empty() {
        edits.push(append(list, &new, limits)?);
    }
    Ok(edits)
}

/// The items that stand where a ConfigMap is to be added, and that no call of the function has written.
pub(super) fn foreign<'l, 'a>(list: &'l ResourceList<'a>, additions: &[Addition]) -> Vec<&'l Item<'a>> {
    let marked = additions.iter().filter(|addition| addition.is_marked());
    let there = marked.filter_map(|addition| list.items.iter().find(|item| is(item, &addition.object)));
    there.filter(|item| !(item.added && item.local)).collect()
}

fn is(item: &Item<'_>, object: &Map<String, Value>) -> bool {
    let text = |at: &[&str]| {
        let value = at
            .iter()
            .skip(1)
            .try_fold(object.get(at[0])?, |value, key| value.get(*key))?;
        value.as_str()
    };
    let own = &item.identity;
    text(&["apiVersion"]) == Some(&own.api_version)
        && text(&["kind"]) == Some(&own.kind)
        && text(&["metadata", "name"]) == Some(&own.name)
        && text(&["metadata", "namespace"]) == own.namespace.as_deref()
}

/// Gives a new object a file of its own in the folder of the first item that is about a cluster, where items have files.
fn annotate(list: &ResourceList<'_>, object: &mut Map<String, Value>, files: &mut Files) {
    let of_cluster = |item: &&Item<'_>| item.identity.api_version.contains("cluster.x-k8s.io/") && !item.local;
    let mut with_file = list.items.iter().filter(|item| item.path.is_some());
    let beside = with_file.clone().find(of_cluster).or_else(|| with_file.next());
    let Some((item, path)) = beside.and_then(|item| Some((item, item.path.as_deref()?))) else {
        return;
    };
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let name = metadata.get("name").and_then(Value::as_str).unwrap_or_default();
    let folder = path.rfind('/').map_or("", |end| &path[..=end]);
    let path = format!("{folder}{name}.yaml");
    let index = files
        .append(item.package.as_deref().unwrap_or_default(), &path)
        .to_string();
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    for (key, index_key) in PATH.into_iter().zip(INDEX) {
        annotations[key] = json!(path);
        annotations[index_key] = json!(index);
    }
    if let Some(package) = &item.package {
        annotations[PACKAGE] = json!(package);
    }
}

/// Brings the part of an object that is ours to what it must be.
fn update(
    list: &ResourceList<'_>,
    item: &Item<'_>,
    addition: &Addition,
    limits: &Limits,
) -> Result<Vec<Edit>, Refusal> {
    let Some(wanted) = addition.object.get(addition.part) else {
        return Ok(Vec::new());
    };
    let start = if list.layout == Items::Whole {
        0
    } else {
        item.range.start
    };
    let text = if list.layout == Items::Whole {
        list.text
    } else {
        &list.text[item.range.clone()]
    };
    let tree = Tree::parse(&Chunk::alone(text), limits).map_err(|error| refusal(error.to_string()))?;
    let Some(node) = object_at(&tree, item.range.start - start) else {
        return Ok(Vec::new());
    };
    let part = tree.get(node, addition.part);
    if part.is_some_and(|part| tree.value(part, limits).is_ok_and(|value| value == *wanted)) {
        return Ok(Vec::new());
    }
    if let (Some(part), Some(texts), "data") = (part, wanted.as_object(), addition.part)
        && tree.kind(part) == (Kind::Mapping { flow: false })
    {
        let column = tree.span(part).start - text[..tree.span(part).start].rfind('\n').map_or(0, |end| end + 1);
        let block = emit::block_mapping_of_texts(texts, column, tree.layout());
        let edit = Edit::replace(tree.span(part), block);
        return Ok(crate::yaml::Edits::new(vec![edit])
            .map_err(|overlap| refusal(overlap.to_string()))?
            .shifted(start));
    }
    let mut editor = Editor::new(&tree, *limits);
    editor.bring(node, addition.part, wanted)?;
    Ok(editor.finish()?.shifted(start))
}

/// The mapping of an item in the text that was parsed for it.
fn object_at(tree: &Tree<'_>, at: usize) -> Option<NodeId> {
    let root = tree.root()?;
    let items = tree.get(root, "items").unwrap_or(root);
    tree.items(items).map(|item| tree.target(item)).find(|item| {
        let span = tree.span(*item);
        span.start >= at || span.contains(&at)
    })
}

/// New items behind the last one.
fn append(list: &ResourceList<'_>, new: &[Map<String, Value>], limits: &Limits) -> Result<Edit, Refusal> {
    if let Items::Block(block) = &list.layout
        && let Some(last) = list.items.last()
        && let Ok(tree) = Tree::parse(&Chunk::alone(&list.text[last.range.clone()]), limits)
        && let Some(root) = tree.root()
    {
        let layout = Layout {
            // kpt and kustomize send lists that are not indented below their key, and read them back as they wish.
            indented_lists: false,
            ..tree.layout()
        };
        let line = &list.text[last.range.clone()];
        let indentation = &line[..tree
            .span(root)
            .start
            .min(line.len() - line.trim_start_matches(' ').len())];
        let text = items(new, indentation, layout);
        return Ok(match list.text[..block.list.end].ends_with('\n') {
            true => Edit::insert(block.list.end, text),
            false => Edit::insert(block.list.end, format!("{}{}", layout.line_break, text.trim_end())),
        });
    }
    let tree = Tree::parse(&Chunk::alone(list.text), limits).map_err(|error| refusal(error.to_string()))?;
    let root = tree.root().ok_or_else(|| refusal("the list is empty".to_owned()))?;
    let sequence = tree
        .get(root, "items")
        .ok_or_else(|| refusal("there are no items".to_owned()))?;
    if tree.kind(root) == (Kind::Mapping { flow: false }) && list.count == 0 {
        let layout = tree.layout();
        let text = items(new, "", layout);
        let span = tree.span(sequence);
        let blank = list.text[..span.start].trim_end_matches(' ').len();
        return Ok(Edit::replace(
            blank..span.end,
            format!("{}{}", layout.line_break, text.trim_end()),
        ));
    }
    let mut editor = Editor::new(&tree, *limits);
    for object in new {
        editor.insert_item(sequence, list.count, &Value::Object(object.clone()))?;
    }
    let edits = editor.finish()?;
    let edit = edits.iter().next().cloned();
    edit.ok_or_else(|| refusal("nothing was added".to_owned()))
}

/// Items of a block list, each with its final line end.
fn items(new: &[Map<String, Value>], indentation: &str, layout: Layout) -> String {
    let column = indentation.len() + 2;
    let item = |object: &Map<String, Value>| {
        let text = emit::block_mapping_of_texts(object, column, layout);
        format!("{indentation}- {text}{}", layout.line_break)
    };
    new.iter().map(item).collect()
}

fn refusal(problem: String) -> Refusal {
    Refusal {
        reason: Reason::Verification(problem),
        span: 0..0,
        other: None,
    }
}
