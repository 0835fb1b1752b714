//! Takes the changes of a template and plans them on a copy under `<base>-<8 hex of its spec>`, with every reference moved; the old template stays for the machines that were made from it.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::refused::{self, edit};
use super::{Change, Plan};
use crate::addressing::{GroupSource, Groups};
use crate::check::Finding;
use crate::check::codes;
use crate::objects::{Cursor, Detail, Manifest, Object, carried};
use crate::yaml::{Chunk, Editor, Refusal, Tree};

/// A copy of a template.
pub(crate) struct Copy {
    /// The template that is copied.
    pub(super) object: usize,
    /// The copy's text, for a document of its own.
    pub(super) text: String,
    /// The copy as a value, for an item of a list or a JSON stream.
    pub(super) value: Value,
}

/// Fields that the API server sets; they belong to the old object.
const LIVE_FIELDS: [&str; 9] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "selfLink",
    "managedFields",
    "ownerReferences",
    "finalizers",
];
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Annotations that are about the old object, not about what it describes.
fn belongs_to_the_old(annotation: &str) -> bool {
    annotation == LAST_APPLIED || carried::belongs_to_transport(annotation)
}

pub(super) fn plan(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    template: usize,
    changes: Vec<Change>,
    plan: &mut Plan,
    findings: &mut Vec<Finding>,
) {
    let object = &manifest.objects[template];
    let copied = manifest.with_object(object, |at| copy(manifest, object, at, &changes));
    let (name, text, value) = match copied {
        Ok(copied) => copied,
        Err(refusal) => {
            findings.push(refused::finding(manifest, template, &refusal));
            return;
        }
    };
    if name == object.name() {
        changes
            .into_iter()
            .for_each(|change| plan.change(manifest, template, change));
        return;
    }
    let taken = manifest.objects.iter().enumerate().find(|(_, other)| {
        matches!(other.detail, Detail::Template(_)) && other.name() == name && other.in_namespace(object.namespace())
    });
    if let Some((index, other)) = taken {
        // An earlier run made this copy: only what is not in its spec may still differ.
        let same = manifest.with_object(other, |at| {
            at.tree.value(at.node, &manifest.limits()).ok().as_ref().map(spec_hash) == Some(spec_hash(&value))
        });
        if !same {
            let message = format!("{object} would be copied as {name}, but that is another template");
            findings.push(
                Finding::new(&codes::TEMPLATE_NAME_TAKEN, message)
                    .on(object)
                    .at(manifest.source_of(other), other.name_span())
                    .help("rename the other template"),
            );
            return;
        }
        for change in changes {
            if let Change::Set { path, value, .. } = &change
                && path.first() == Some(&"metadata")
            {
                plan.change(
                    manifest,
                    index,
                    Change::Set {
                        mapping: other.node,
                        path: path.clone(),
                        value: value.clone(),
                    },
                );
            }
        }
    } else if name.len() > 253 {
        let message = format!("the copy of {object} would have a name of {} characters", name.len());
        findings.push(
            Finding::new(&codes::TEMPLATE_NAME_TAKEN, message)
                .on(object)
                .at(manifest.source_of(object), object.name_span())
                .help("shorten the name"),
        );
        return;
    } else {
        plan.copies.push(Copy {
            object: template,
            text,
            value,
        });
    }
    move_references(manifest, groups, template, &name, plan);
}

/// Every reference of the template's groups; a group can have two that must agree.
fn move_references(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, template: usize, name: &str, plan: &mut Plan) {
    let old = &manifest.objects[template];
    for group in groups.users(template).map(|group| &groups.all[group]) {
        let holder = match (group.source, group.class) {
            (GroupSource::Object(object), _) => object,
            (_, Some((class, _))) => class,
            _ => continue,
        };
        let references: Vec<_> = match &manifest.objects[holder].detail {
            Detail::Group(group) => group.references.iter().collect(),
            _ => group.reference.into_iter().collect(),
        };
        for reference in references {
            if reference.is_machine_template() && reference.name.as_ref().is_some_and(|own| old.is_called(&own.value)) {
                plan.change(
                    manifest,
                    holder,
                    Change::Set {
                        mapping: reference.node,
                        path: vec!["name"],
                        value: json!(name),
                    },
                );
            }
        }
    }
}

/// The copy's name, text and value.
fn copy(
    manifest: &Manifest<'_>,
    object: &Object<'_>,
    at: Cursor<'_, '_>,
    changes: &[Change],
) -> Result<(String, String, Value), Refusal> {
    let limits = manifest.limits();
    let mut editor = Editor::new(at.tree, limits);
    for change in changes {
        edit(&mut editor, change)?;
    }
    let edited = editor.finish()?.splice(at.tree.text());
    // Finishing has read the edited text back already.
    let chunk = Chunk::alone(&edited);
    let broken = |_| Refusal {
        reason: crate::yaml::Reason::Verification("the copy cannot be read".into()),
        span: 0..0,
        other: None,
    };
    let tree = Tree::parse(&chunk, &limits).map_err(broken)?;
    let Some(node) = (match object.item {
        None => tree.root(),
        Some((_, index)) => tree
            .root()
            .map(|root| tree.get(root, "items").unwrap_or(root))
            .and_then(|items| tree.items(items).nth(index as usize)),
    }) else {
        return Err(Refusal {
            reason: crate::yaml::Reason::Verification("the copy cannot be read".into()),
            span: 0..0,
            other: None,
        });
    };
    let mut value = tree.value(node, &limits).map_err(|error| Refusal {
        reason: crate::yaml::Reason::Verification(error.problem),
        span: error.span,
        other: None,
    })?;
    let name = format!("{}-{}", base(object.name()), spec_hash(&value));
    let mut editor = Editor::new(&tree, limits);
    editor.set_at(node, &["metadata", "name"], &json!(name))?;
    if let Some(metadata) = tree.get(node, "metadata") {
        for field in LIVE_FIELDS {
            // A null creationTimestamp is what Go's encoders print for a new object.
            if object.live || field != "creationTimestamp" {
                editor.remove_entry(metadata, field)?;
            }
        }
        if let Some(annotations) = tree.get(metadata, "annotations") {
            let (go, stay): (Vec<_>, Vec<_>) = tree
                .entries(annotations)
                .filter_map(|(key, _)| tree.scalar(key))
                .partition(|key| belongs_to_the_old(key));
            if stay.is_empty() && !go.is_empty() {
                editor.remove_entry(metadata, "annotations")?;
            } else {
                go.iter().try_for_each(|key| editor.remove_entry(annotations, key))?;
            }
        }
    }
    let text = document_text(&editor.finish()?.splice(&edited));
    strip(&mut value, &name, object.live);
    Ok((name, text, value))
}

/// A document's text without what stands before it and its end marker, with a final line end.
fn document_text(text: &str) -> String {
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = String::new();
    let mut inside = !text
        .lines()
        .any(|line| line.trim_end() == "---" || line.starts_with("--- "));
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        match inside {
            false if bare == "---" || line.starts_with("--- #") => inside = true,
            false if line.starts_with("--- ") => {
                inside = true;
                out.push_str(&line[4..]);
            }
            false => {}
            true if bare == "..." => break,
            true => out.push_str(line),
        }
    }
    if !out.ends_with('\n') {
        out.push_str(line_break);
    }
    out
}

fn strip(value: &mut Value, name: &str, live: bool) {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("name".into(), json!(name));
        for field in LIVE_FIELDS
            .iter()
            .filter(|field| live || **field != "creationTimestamp")
        {
            metadata.shift_remove(*field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            let before = annotations.len();
            annotations.retain(|key, _| !belongs_to_the_old(key));
            if annotations.is_empty() && before > 0 {
                metadata.shift_remove("annotations");
            }
        }
    }
}

/// The name without a suffix that an earlier run gave.
fn base(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, suffix))
            if suffix.len() == 8
                && !base.is_empty()
                && suffix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
        {
            base
        }
        _ => name,
    }
}

/// The first 8 hexadecimal digits of the SHA-256 of the spec as JSON with sorted keys, so that layout and order do not count.
fn spec_hash(object: &Value) -> String {
    let spec = sorted(object.get("spec").unwrap_or(&Value::Null)).to_string();
    let digest = Sha256::digest(spec.as_bytes());
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.clone(), sorted(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_suffix_is_replaced() {
        assert_eq!(base("demo-control-plane"), "demo-control-plane");
        assert_eq!(base("demo-0a1b2c3d"), "demo");
        assert_eq!(base("demo-0A1B2C3D"), "demo-0A1B2C3D");
        assert_eq!(base("-0a1b2c3d"), "-0a1b2c3d");
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys() {
        assert_eq!(
            spec_hash(&json!({"spec": {"a": 1, "b": [2]}})),
            spec_hash(&json!({"spec": {"b": [2], "a": 1}}))
        );
        assert_ne!(
            spec_hash(&json!({"spec": {"a": 1}})),
            spec_hash(&json!({"spec": {"a": 2}}))
        );
    }
}
