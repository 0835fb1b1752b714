//! Runs the recorded edits and scalars of `tests/vectors` against the YAML rooms, byte for byte.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads its cases and says what it found"
)]

use capv_ipam::yaml::{Chunk, Editor, Edits, Kind, Limits, NodeId, Reason, Tree, chunks, emit, is_bare, stream};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Joined { join: Vec<Part> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Text { text: String },
    Repeat { repeat: String, times: usize },
}

impl Text {
    fn build(&self) -> String {
        match self {
            Text::Plain(text) => text.clone(),
            Text::Joined { join } => join
                .iter()
                .map(|part| match part {
                    Part::Text { text } => text.clone(),
                    Part::Repeat { repeat, times } => repeat.repeat(*times),
                })
                .collect(),
        }
    }
}

#[derive(Deserialize)]
struct EditCases {
    cases: Vec<EditCase>,
}

#[derive(Deserialize)]
struct EditCase {
    name: String,
    operation: String,
    index: Option<usize>,
    input: Text,
    expected: Option<Text>,
    because: Option<String>,
}

#[derive(Deserialize)]
struct Scalars {
    scalars: Vec<Scalar>,
}

#[derive(Deserialize)]
struct Scalar {
    text: Text,
    plain_safe: bool,
    sigs: Safe,
    v3: Safe,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Safe {
    Word(String),
    Positions(serde::de::IgnoredAny),
}

fn load<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Applies an operation to every object of kind T in a stream.
fn apply(case: &EditCase, input: &str) -> Result<String, Reason> {
    let limits = Limits::default();
    if case.operation == "append-document" {
        let last = chunks(input).last().unwrap();
        let line_break = if input.contains("\r\n") { "\r\n" } else { "\n" };
        let edit =
            stream::insert_after(&last, &format!("kind: N{line_break}"), &limits).map_err(|refusal| refusal.reason)?;
        return Ok(Edits::new(vec![edit]).unwrap().splice(input));
    }
    let mut edits = Vec::new();
    for chunk in chunks(input).filter(|chunk| !is_bare(chunk.text)) {
        let tree = Tree::parse(&chunk, &limits).unwrap();
        let mut editor = Editor::new(&tree, limits);
        for object in objects(&tree) {
            change(case, &tree, &mut editor, object).map_err(|refusal| refusal.reason)?;
        }
        edits.extend(editor.finish().map_err(|refusal| refusal.reason)?.shifted(chunk.start));
    }
    Ok(Edits::new(edits).unwrap().splice(input))
}

fn objects(tree: &Tree<'_>) -> Vec<NodeId> {
    let Some(root) = tree.root() else { return Vec::new() };
    let kind = |node: NodeId| {
        tree.get(node, "kind")
            .and_then(|kind| tree.scalar(kind))
            .unwrap_or_default()
    };
    let all = if kind(root).ends_with("List") {
        tree.items(tree.get(root, "items").unwrap()).collect()
    } else {
        vec![root]
    };
    all.into_iter().filter(|object| kind(*object) == "T").collect()
}

fn change(
    case: &EditCase,
    tree: &Tree<'_>,
    editor: &mut Editor<'_, '_>,
    object: NodeId,
) -> Result<(), capv_ipam::yaml::Refusal> {
    if case.operation == "add-label" {
        return editor.set_at(object, &["metadata", "labels", "x.io/m"], &json!("true"));
    }
    let devices = tree.get(tree.get(object, "spec").unwrap(), "devices").unwrap();
    if case.operation == "remove-item" {
        return editor.remove_items(devices, &[case.index.unwrap()]);
    }
    tree.items(devices)
        .try_for_each(|device| editor.set(device, "dhcp4", &json!(false)))
}

#[test]
fn every_recorded_edit_is_exact() {
    let mut failures = Vec::new();
    let cases = load::<EditCases>("yaml-edits.yaml").cases;
    let count = cases.len();
    for case in cases {
        let result = apply(&case, &case.input.build());
        let class = |reason: &Reason| match reason {
            Reason::Shared => "shared",
            Reason::Tagged => "tagged",
            Reason::Duplicate(_) => "duplicate",
            Reason::Verification(_) => "verification",
            _ => "other",
        };
        let right = match (&result, &case.expected, &case.because) {
            (Ok(text), Some(expected), None) => *text == expected.build(),
            (Err(reason), None, Some(because)) => class(reason) == because,
            _ => false,
        };
        if !right {
            failures.push(format!("{}: {result:?}", case.name));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{count} recorded edits");
}

#[test]
fn every_recorded_scalar_is_written_safely() {
    let scalars = load::<Scalars>("yaml-scalars.yaml").scalars;
    println!("{} recorded scalars", scalars.len());
    let limits = Limits::default();
    for scalar in scalars {
        let text = scalar.text.build();
        for json in [false, true] {
            let written = emit::string(&text, json);
            let plain = !written.starts_with('"');
            assert!(!plain || !json, "{text:?} stands plain in JSON");
            let safe = |safe: &Safe| matches!(safe, Safe::Word(word) if word == "all");
            assert!(
                !plain || scalar.plain_safe || (safe(&scalar.sigs) && safe(&scalar.v3)),
                "{text:?} stands plain"
            );
            if !plain {
                assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
            }
        }
        for value in [
            json!({"v": text}),
            json!({"v": [text]}),
            json!({ text.clone(): 1 }),
            json!({"a": {"b": [{text.clone(): text}]}}),
        ] {
            let Value::Object(map) = &value else { unreachable!() };
            let flow = emit::Flow {
                json: false,
                spaced_colons: true,
                spaced_commas: true,
                lines: None,
            };
            let json = emit::Flow {
                json: true,
                ..flow.clone()
            };
            for document in [
                emit::document(map, emit::Layout::default()),
                emit::document(
                    map,
                    emit::Layout {
                        indented_lists: true,
                        step: 4,
                        line_break: "\r\n",
                    },
                ),
                emit::flow_value(&value, &flow),
                emit::flow_value(&value, &json),
            ] {
                if text.len() > 1000 && document.starts_with('{') {
                    continue; // a key that long has no flow form
                }
                let tree = Tree::parse(&Chunk::alone(&document), &limits)
                    .unwrap_or_else(|error| panic!("{error}: {document}"));
                let root = tree.root().unwrap();
                assert!(matches!(tree.kind(root), Kind::Mapping { .. }));
                assert_eq!(tree.value(root, &limits).unwrap(), value, "{document}");
            }
        }
    }
}
