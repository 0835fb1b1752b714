//! Laws of the function on lists made by chance: the answer holds the input's items with the planned changes and nothing else, in any order of the items and in every layout.

use capv_ipam::krm::{End, answer};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::given::{HEAD, of_items, value};
use crate::tape::Tape;
use crate::world::world;

fn indented(text: &str, first: &str, others: &str) -> String {
    let mut out = String::new();
    for (place, line) in text.lines().enumerate() {
        if !line.is_empty() {
            out.push_str(if place == 0 { first } else { others });
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// A block list of documents, with the configuration behind.
fn block(pieces: &[String], config: &str) -> String {
    let items: String = pieces.iter().map(|piece| indented(piece, "- ", "  ")).collect();
    format!("{HEAD}{items}functionConfig:\n{}", indented(config, "  ", "  "))
}

fn answered(text: &str) -> Result<String, TestCaseError> {
    let answer = answer(text, false);
    prop_assert_eq!(answer.end, End::Done, "{:?}\n{}", answer.lines, text);
    Ok(answer.edits.unwrap().splice(text))
}

/// The items as a set.
fn set(items: &[Value]) -> Vec<String> {
    let mut set: Vec<String> = items.iter().map(|item| sorted(item).to_string()).collect();
    set.sort();
    set
}

/// The order of keys is of no weight.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted_map: std::collections::BTreeMap<_, _> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            json!(sorted_map)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_is_the_input_with_the_planned_changes_in_any_order(bytes in vec(any::<u8>(), 0..600), order in any::<u64>()) {
        let world = world(&mut Tape::new(bytes), true);
        let mut pieces = world.pieces.clone();
        Tape::new(order.to_le_bytes().to_vec()).shuffle(&mut pieces);
        let text = block(&pieces, &world.config);
        let output = answered(&text)?;
        prop_assert_eq!(set(&of_items(&output, &[])), set(&world.expected), "{}\n{}", world.config, output);
        // Twice is once, but for the results, which are about that call.
        let again = answered(&output)?;
        prop_assert_eq!(of_items(&again, &[]), of_items(&output, &[]));
    }

    #[test]
    fn a_list_on_one_line_says_the_same(bytes in vec(any::<u8>(), 0..600), pretty in any::<bool>()) {
        let world = world(&mut Tape::new(bytes), true);
        let list = json!({
            "apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": world.objects, "functionConfig": value(&world.config),
        });
        let text = if pretty { format!("{list:#}") } else { list.to_string() };
        let output = answered(&text)?;
        let read: Value = serde_json::from_str(&output).map_err(|error| TestCaseError::fail(format!("{error}: {output}")))?;
        prop_assert_eq!(set(read["items"].as_array().unwrap()), set(&world.expected));
    }

    #[test]
    fn without_a_configuration_every_byte_stays(bytes in vec(any::<u8>(), 0..600), cut in any::<u16>()) {
        let world = world(&mut Tape::new(bytes), true);
        let text = block(&world.pieces, "");
        let whole = answer(&text, false);
        prop_assert_eq!(whole.end, End::Done, "{:?}", whole.lines);
        prop_assert!(whole.edits.unwrap().is_empty());
        // Cut off anywhere, it comes back as it is or not at all.
        let mut end = usize::from(cut) % (text.len() + 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let part = answer(&text[..end], false);
        let gone = part.edits.is_none();
        prop_assert!(gone || part.end != End::Done || part.edits.unwrap().is_empty());
        prop_assert!(!gone || part.end == End::Unusable);
    }
}
