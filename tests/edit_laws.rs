//! The law of edits, on documents written by chance and changes made by chance: what is made is exactly the old value with the changes, and nothing is refused but a list in the place of a mapping.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;
#[path = "support/tape.rs"]
#[allow(dead_code, reason = "nothing is shuffled here")]
mod tape;
#[path = "support/writer.rs"]
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use capv_ipam::yaml::{Chunk, Editor, Edits, Limits, NodeId, Reason, Refusal, Tree};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::value;
use tape::Tape;
use writer::Writer;

const KEYS: [&str; 9] = ["a", "b", "labels", "x.io/m", "on", "devices", "- é", "0644", "name"];
const TEXTS: [&str; 14] = [
    "x",
    "ubuntu v1.28",
    "",
    "yes",
    "# none",
    "one\ntwo",
    "one\ntwo\n",
    "  one\n\n\ntwo\n",
    "one\n\n\n",
    "a: b",
    "{{ x }}",
    "ü → ü",
    "0x1F",
    "it's \"so\"",
];

fn scalar(tape: &mut Tape) -> Value {
    match tape.pick(6) {
        0 => json!(true),
        1 => Value::Null,
        2 => json!(7),
        _ => json!(TEXTS[tape.pick(TEXTS.len())]),
    }
}

fn made(tape: &mut Tape, depth: usize) -> Value {
    match tape.pick(4) {
        0 if depth > 0 => json!((0..tape.pick(4)).map(|_| made(tape, depth - 1)).collect::<Vec<_>>()),
        1 | 2 if depth > 0 => mapping(tape, depth),
        _ => scalar(tape),
    }
}

fn mapping(tape: &mut Tape, depth: usize) -> Value {
    let mut map = Map::new();
    for _ in 0..tape.pick(5) {
        map.insert(
            KEYS[tape.pick(KEYS.len())].to_owned(),
            made(tape, depth.saturating_sub(1)),
        );
    }
    Value::Object(map)
}

/// What becomes of one collection.
#[derive(Debug, Default)]
struct Wanted {
    set: Map<String, Value>,
    removed: BTreeSet<String>,
    removed_items: BTreeSet<usize>,
    inserted: Vec<(usize, Value)>,
}

/// A step to a child, by key or by index.
type Path = Vec<String>;

/// The paths of all collections of a value.
fn collections(value: &Value, at: &mut Path, out: &mut Vec<Path>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => return,
    };
    out.push(at.clone());
    for (step, child) in children {
        at.push(step);
        collections(child, at, out);
        at.pop();
    }
}

fn part<'v>(value: &'v Value, path: &[String]) -> &'v Value {
    path.iter().fold(value, |value, step| match value {
        Value::Object(map) => &map[step],
        other => &other[step.parse::<usize>().unwrap()],
    })
}

fn plan(value: &Value, tape: &mut Tape) -> BTreeMap<Path, Wanted> {
    let mut paths = Vec::new();
    collections(value, &mut Vec::new(), &mut paths);
    let mut plan: BTreeMap<Path, Wanted> = BTreeMap::new();
    // A value that is replaced has no changes inside, and the reverse.
    let mut replaced: Vec<Path> = Vec::new();
    for _ in 0..1 + tape.pick(6) {
        let path = paths[tape.pick(paths.len())].clone();
        if replaced.iter().any(|outer| path.starts_with(outer)) {
            continue;
        }
        let inside = |plan: &BTreeMap<Path, Wanted>, path: &Path| plan.keys().any(|inner| inner.starts_with(path));
        match part(value, &path) {
            Value::Object(map) => {
                let key = KEYS[tape.pick(KEYS.len())];
                let mut child = path.clone();
                child.push(key.to_owned());
                if map.contains_key(key) && tape.pick(2) == 1 {
                    plan.entry(path).or_default().removed.insert(key.to_owned());
                } else if !inside(&plan, &child) {
                    let new = made(tape, 2);
                    plan.entry(path).or_default().set.insert(key.to_owned(), new);
                    if map.contains_key(key) {
                        replaced.push(child);
                    }
                }
            }
            Value::Array(items) => {
                let place = tape.pick(4);
                if place < items.len() && tape.pick(2) == 1 {
                    plan.entry(path).or_default().removed_items.insert(place);
                } else {
                    let new = made(tape, 2);
                    plan.entry(path)
                        .or_default()
                        .inserted
                        .push((place.min(items.len()), new));
                }
            }
            _ => {}
        }
    }
    plan
}

/// The value with the planned changes.
fn changed(value: &Value, at: &mut Path, plan: &BTreeMap<Path, Wanted>) -> Value {
    let none = Wanted::default();
    let wanted = plan.get(at).unwrap_or(&none);
    match value {
        Value::Object(map) => {
            let mut new = Map::new();
            for (key, value) in map {
                if wanted.removed.contains(key) {
                    continue;
                }
                at.push(key.clone());
                let value = wanted.set.get(key).cloned().unwrap_or_else(|| changed(value, at, plan));
                at.pop();
                new.insert(key.clone(), value);
            }
            let added = wanted.set.iter().filter(|(key, _)| !map.contains_key(*key));
            new.extend(added.map(|(key, value)| (key.clone(), value.clone())));
            Value::Object(new)
        }
        Value::Array(items) => {
            let mut new = Vec::new();
            for place in 0..=items.len() {
                let here = wanted.inserted.iter().filter(|(at, _)| *at == place);
                new.extend(here.map(|(_, value)| value.clone()));
                if place < items.len() && !wanted.removed_items.contains(&place) {
                    at.push(place.to_string());
                    new.push(changed(&items[place], at, plan));
                    at.pop();
                }
            }
            json!(new)
        }
        scalar => scalar.clone(),
    }
}

fn node(tree: &Tree<'_>, path: &[String]) -> NodeId {
    path.iter()
        .fold(tree.root().unwrap(), |node, step| match tree.get(node, step) {
            Some(child) => child,
            None => tree.items(node).nth(step.parse().unwrap()).unwrap(),
        })
}

fn edits(tree: &Tree<'_>, plan: &BTreeMap<Path, Wanted>) -> Result<Edits, Refusal> {
    let mut editor = Editor::new(tree, Limits::default());
    for (path, wanted) in plan {
        let at = node(tree, path);
        for (key, value) in &wanted.set {
            editor.set(at, key, value)?;
        }
        for key in &wanted.removed {
            editor.remove_entry(at, key)?;
        }
        for (place, value) in &wanted.inserted {
            editor.insert_item(at, *place, value)?;
        }
        let places: Vec<usize> = wanted.removed_items.iter().copied().collect();
        editor.remove_items(at, &places)?;
    }
    editor.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_are_made_exactly_and_not_refused(bytes in vec(any::<u8>(), 0..200)) {
        let mut tape = Tape::new(bytes);
        let mut old = mapping(&mut tape, 4);
        old["kind"] = json!("T");
        let plan = plan(&old, &mut tape);
        let (mut text, _, ends_in_block) = Writer::document(&old, &mut tape, 0);
        if !ends_in_block && tape.pick(3) == 2 {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if tape.rarely(4) {
            text = text.replace('\n', "\r\n");
        }
        prop_assert_eq!(value(&text), Ok(old.clone()), "{}", text);
        let tree = Tree::parse(&Chunk::alone(&text), &Limits::default()).unwrap();
        let after = match edits(&tree, &plan) {
            Ok(edits) => edits.splice(&text),
            // The one thing that a wish decides and not the layout.
            Err(Refusal { reason: Reason::Layout("a list stands where a mapping belongs, or the reverse"), .. }) => return Ok(()),
            Err(refusal) => return Err(TestCaseError::fail(format!("{refusal}: {plan:#?}\n{text}"))),
        };
        let wanted = changed(&old, &mut Vec::new(), &plan);
        prop_assert_eq!(value(&after), Ok(wanted), "{:#?}\n{}\nbecomes\n{}", plan, text, after);
        prop_assert_eq!(text.contains('\n') && !text.contains("\r\n") && after.contains('\r'), false);
    }
}
