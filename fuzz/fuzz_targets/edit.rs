//! Takes a document and changes of it, and makes sure that what the editor gives reads back, as the old value with the change
//! where there is one; never panics on what it refuses. The text ends at the first byte 0xFF, the changes follow.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use capv_ipam::yaml::{Chunk, Editor, Limits, NodeId, Refusal, Tree};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

#[derive(Arbitrary, Clone, Debug)]
struct Change {
    node: u16,
    verb: Verb,
    key: u8,
    value: u8,
    place: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Verb {
    Set,
    SetAt,
    Bring,
    InsertItem,
    RemoveItem,
    RemoveEntry,
}

const KEYS: [&str; 10] = ["a", "b", "kind", "x.io/m", "", "yes", "on it", "- a", "é", "#"];

fn value(which: u8) -> Value {
    match which % 10 {
        0 => json!(false),
        1 => json!("true"),
        2 => json!("two\nlines\n"),
        3 => json!({"a": {"b": "c"}, "list": [1, {"d": null}]}),
        4 => json!(["x", ["y"], {"k": "v", "l": "w"}]),
        5 => json!({}),
        6 => json!([]),
        7 => json!("# no comment: 'really'"),
        8 => json!(-1),
        _ => json!(""),
    }
}

fuzz_target!(|data: &[u8]| {
    let cut = data.iter().position(|byte| *byte == 0xff).unwrap_or(data.len());
    let Ok(text) = std::str::from_utf8(&data[..cut]) else { return };
    let mut rest = Unstructured::new(data.get(cut + 1..).unwrap_or_default());
    let first = Change {
        node: 0,
        verb: Verb::Set,
        key: 0,
        value: 3,
        place: 0,
    };
    let mut changes: Vec<Change> = std::iter::from_fn(|| (!rest.is_empty()).then(|| Change::arbitrary(&mut rest).ok())?)
        .take(6)
        .collect();
    if changes.is_empty() {
        changes.push(first);
    }
    let limits = Limits::default();
    let Ok(tree) = Tree::parse(&Chunk::alone(text), &limits) else { return };
    let nodes: Vec<NodeId> = tree.all().collect();
    if nodes.is_empty() {
        return;
    }
    let mut editor = Editor::new(&tree, limits);
    let mut done = Vec::new();
    for change in &changes {
        let node = nodes[usize::from(change.node) % nodes.len()];
        if apply(&mut editor, node, change).is_ok() {
            done.push((node, change));
        }
    }
    let Ok(edits) = editor.finish() else { return };
    let after = edits.splice(text);
    let new = Tree::parse(&Chunk::alone(&after), &limits).expect("edited text must be YAML");
    let root = tree.root().expect("there are nodes");
    let Ok(old) = tree.value(root, &limits) else { return };
    let read = new.value(new.root().expect("still something"), &limits);
    let read = read.expect("edited text must have a value");
    if edits.is_empty() {
        assert_eq!(after, text);
    }
    // What stands in several places, or comes from elsewhere, has no simple model.
    if let ([(node, change)], false) = (done.as_slice(), text.contains(['&', '*', '<'])) {
        let mut wanted = old;
        if let Some(place) = find(&tree, root, *node, &mut wanted) {
            model(place, change);
            assert_eq!(read, wanted, "{change:?}\n{text}\n---\n{after}");
        }
    }
});

fn apply(editor: &mut Editor<'_, '_>, node: NodeId, change: &Change) -> Result<(), Refusal> {
    let key = KEYS[usize::from(change.key) % KEYS.len()];
    let value = value(change.value);
    let place = usize::from(change.place);
    match change.verb {
        Verb::Set => editor.set(node, key, &value),
        Verb::SetAt => editor.set_at(node, &["a", key, "z"], &value),
        Verb::Bring => editor.bring(node, key, &value),
        Verb::InsertItem => editor.insert_item(node, place % 4, &value),
        Verb::RemoveItem => editor.remove_items(node, &[place % 4]),
        Verb::RemoveEntry => editor.remove_entry(node, key),
    }
}

/// The part of the value that a node gives.
fn find<'v>(tree: &Tree<'_>, at: NodeId, wanted: NodeId, value: &'v mut Value) -> Option<&'v mut Value> {
    if at == wanted {
        return Some(value);
    }
    match value {
        Value::Object(map) => {
            let (key, child) = tree.entries(at).find(|(_, child)| tree.holds(*child, wanted))?;
            find(tree, child, wanted, map.get_mut(tree.scalar(key)?)?)
        }
        Value::Array(items) => {
            let (place, child) = tree.items(at).enumerate().find(|(_, child)| tree.holds(*child, wanted))?;
            find(tree, child, wanted, items.get_mut(place)?)
        }
        _ => None,
    }
}

fn model(at: &mut Value, change: &Change) {
    let key = KEYS[usize::from(change.key) % KEYS.len()];
    let value = value(change.value);
    let place = usize::from(change.place) % 4;
    match (change.verb, at) {
        (Verb::Set, Value::Object(map)) => {
            map.insert(key.to_owned(), value);
        }
        (Verb::SetAt, Value::Object(map)) => {
            let mut inner = map;
            for step in ["a", key] {
                let next = inner.entry(step).or_insert(Value::Null);
                if next.is_null() {
                    *next = Value::Object(Map::new());
                }
                let Value::Object(next) = next else { panic!("set_at walked through a value") };
                inner = next;
            }
            inner.insert("z".to_owned(), value);
        }
        (Verb::Bring, Value::Object(map)) => bring(map.entry(key).or_insert(Value::Null), &value),
        (Verb::InsertItem, Value::Array(items)) => items.insert(place.min(items.len()), value),
        (Verb::RemoveItem, Value::Array(items)) if place < items.len() => {
            items.remove(place);
        }
        (Verb::RemoveEntry, Value::Object(map)) => {
            map.shift_remove(key);
        }
        _ => {}
    }
}

fn bring(old: &mut Value, wanted: &Value) {
    match (&mut *old, wanted) {
        (Value::Object(old), Value::Object(wanted)) if !old.is_empty() => {
            for (key, value) in wanted {
                bring(old.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(old), Value::Array(wanted)) if !old.is_empty() && !wanted.is_empty() => {
            old.truncate(wanted.len());
            for (index, value) in wanted.iter().enumerate() {
                match old.get_mut(index) {
                    Some(old) => bring(old, value),
                    None => old.push(value.clone()),
                }
            }
        }
        _ => *old = wanted.clone(),
    }
}
