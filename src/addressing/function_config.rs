//! Takes the functionConfig of a KRM function, a StaticAddressing or a ConfigMap with the flags' names, and gives the configuration; what carries no wish gives none.

use serde_json::{Map, Value, json};

use super::flat;
use super::reading::{ConfigDocument, Form, Origin, document, parse};
use crate::check::codes;
use crate::check::{Finding, Place};
use crate::objects::Span;
use crate::yaml::{Chunk, Limits, NodeId};

/// Keys that kustomize allows beside the legacy plugin's own ones.
const PLUGIN_KEYS: [&str; 2] = ["argsOneLiner", "argsFromFile"];

/// Reads a functionConfig. `text` is a document by itself, `source` its index among the run's texts.
///
/// `None` for a ConfigMap without data: that is what kpt sends when it has no configuration.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_function_config(source: usize, text: &str) -> Result<Option<ConfigDocument<'_>>, Vec<Finding>> {
    let Some(mut origin) = parse(source, &Chunk::alone(text)).map_err(|finding| vec![*finding])? else {
        return Ok(None);
    };
    let Some(root) = origin.tree.root() else {
        return Ok(None);
    };
    let text_of = |key: &str| {
        let value = origin.tree.get(root, key)?;
        origin.tree.scalar(value).map(ToOwned::to_owned)
    };
    let (version, kind) = (text_of("apiVersion"), text_of("kind"));
    match (version.as_deref(), kind.as_deref()) {
        (Some("v1"), Some("ConfigMap")) => {
            let spec = settings(&origin, root)?;
            if spec.is_empty() {
                return Ok(None);
            }
            origin.form = Form::Flat(Value::Object(spec));
        }
        (Some(version), Some(super::KIND)) if version.starts_with("capv-ipam.dev/") => {
            origin.ignored = &PLUGIN_KEYS;
        }
        (version, kind) => {
            let said = match (version, kind) {
                (Some(version), Some(kind)) => format!("a {kind} of {version}"),
                _ => "an object without apiVersion and kind".to_owned(),
            };
            let at = origin.tree.get(root, "kind").unwrap_or(root);
            let finding = Finding::new(&codes::FUNCTION_CONFIG, format!("the functionConfig is {said}"));
            let help = format!(
                "it must be a {} of {}, or a v1 ConfigMap whose data has the flags' names",
                super::KIND,
                super::API_VERSION
            );
            return Err(vec![
                Finding {
                    place: Some(place(&origin, at)),
                    ..finding
                }
                .help(help),
            ]);
        }
    }
    document(Some(origin), &json!({}), &[]).map(Some)
}

fn place(origin: &Origin<'_>, node: NodeId) -> Place {
    let span = origin.tree.span(node);
    let span = Span::new(origin.base + span.start..origin.base + span.end);
    Place {
        source: origin.source,
        span: span.first_line(origin.tree.text(), origin.base),
    }
}

/// The `spec` that a ConfigMap's data stands for. Keys and plain values are taken by their text: `yes` is no boolean here.
fn settings(origin: &Origin<'_>, root: NodeId) -> Result<Map<String, Value>, Vec<Finding>> {
    let tree = &origin.tree;
    let mut spec = Map::new();
    let mut findings = Vec::new();
    let mut error = |node: NodeId, message: String, help: String| {
        let finding = Finding::new(&codes::FUNCTION_CONFIG, message).help(help);
        findings.push(Finding {
            place: Some(place(origin, node)),
            ..finding
        });
    };
    if let Err(problem) = tree.value(root, &Limits::default()) {
        return Err(vec![
            Finding::new(&codes::FUNCTION_CONFIG, problem.problem)
                .at(origin.source, Span::new(problem.span))
                .help("write each key once, as plain YAML"),
        ]);
    }
    let Some(data) = tree.get(root, "data") else {
        return Ok(spec);
    };
    for (key, value) in tree.entries(data) {
        let name = tree.scalar(key).unwrap_or_default();
        let Some(text) = tree.scalar(value) else {
            error(
                value,
                format!("`{name}` must be a text"),
                "put the value in quotes".to_owned(),
            );
            continue;
        };
        if !flat::add(&mut spec, name, text) {
            let known = flat::names().collect::<Vec<_>>().join(", ");
            error(
                key,
                format!("unknown setting `{name}`"),
                format!("allowed here: {known}"),
            );
        }
    }
    if findings.is_empty() { Ok(spec) } else { Err(findings) }
}
