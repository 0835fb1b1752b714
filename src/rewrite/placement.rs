//! Takes new objects and says in which file they belong, where the objects around them come with files: one of their own beside the template's.

use serde_json::{Map, Value, json};

use super::Plan;
use crate::objects::carried::{INDEX, PACKAGE, PATH};
use crate::objects::{Manifest, Object};

/// Annotates every new object of a plan. Nothing is added where the template's item has no path.
pub(super) fn place(manifest: &Manifest<'_>, plan: &mut Plan) {
    let mut files = manifest.files.clone();
    for (template, pool) in &mut plan.pools {
        annotate(&manifest.objects[*template], pool, &mut files);
    }
    for copy in &mut plan.copies {
        if let Value::Object(value) = &mut copy.value {
            annotate(&manifest.objects[copy.object], value, &mut files);
        }
    }
}

fn annotate(beside: &Object<'_>, new: &mut Map<String, Value>, files: &mut crate::objects::Files) {
    let Some(carried) = &beside.carried else { return };
    let Some(path) = &carried.path else { return };
    let text = |key: &str, of: &Map<String, Value>| of.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let kind = text("kind", new).unwrap_or_default();
    let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let name = text("name", metadata).unwrap_or_default();
    let folder = path.rfind('/').map_or("", |end| &path[..=end]);
    let path = format!("{folder}{}_{}.yaml", kind.to_lowercase(), file_name(&name));
    let package = carried.package.as_deref().unwrap_or_default();
    let index = files.append(package, &path).to_string();
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    let Some(annotations) = annotations.as_object_mut() else {
        return;
    };
    for (key, index_key) in PATH.into_iter().zip(INDEX) {
        if carried.path_keys.contains(&key) {
            annotations.insert(key.to_owned(), json!(path));
            annotations.insert(index_key.to_owned(), json!(index));
        }
    }
    if let Some(package) = &carried.package {
        annotations.insert(PACKAGE.to_owned(), json!(package));
    }
}

/// A name as a part of a file name: what a file system or kpt could take otherwise becomes a dash.
fn file_name(name: &str) -> String {
    let safe = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    name.chars().map(|char| if safe(char) { char } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_leave_its_folder() {
        assert_eq!(super::file_name("../a/${B}"), "..-a---B-");
    }
}
