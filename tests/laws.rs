//! The laws of a run, on manifests and configurations made by chance: nothing without a wish, twice is once, only what is planned changes, order is of no weight, and any text ends in output or findings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod support;
#[path = "support/tape.rs"]
mod tape;
#[path = "support/world.rs"]
mod world;
#[path = "support/writer.rs"]
mod writer;

use std::path::Path;

use capv_ipam::yaml::{chunks, is_bare};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use support::{CHOOSE_CP, Run, run, values};
use tape::Tape;
use world::{Form, LABEL, World, world};

/// What parts that are meant to go hold.
const OLD: [&str; 5] = ["kube-vip", "10.0.0.5", "8.8.8.8", "10.9.0.", "an-old-pool"];

fn tapes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..600)
}

fn make(bytes: &[u8], documents: bool) -> World {
    world(&mut Tape::new(bytes.to_vec()), documents)
}

/// Runs a world, which must not be refused.
fn done(world: &World) -> Result<(Run, String), TestCaseError> {
    let run = run(&world.text, &world.config);
    let messages: Vec<&String> = run.findings.iter().map(|finding| &finding.message).collect();
    let text = run.text.clone();
    let text =
        text.ok_or_else(|| TestCaseError::fail(format!("refused: {messages:#?}\n{}\n{}", world.config, world.text)))?;
    Ok((run, text))
}

/// The objects of a text: items of lists singly, every JSON value singly.
fn objects(form: Form, text: &str) -> Result<Vec<Value>, TestCaseError> {
    let fail = |error: String| TestCaseError::fail(format!("{error}: {text}"));
    let read: Result<Vec<Value>, TestCaseError> = match form {
        Form::JsonDocuments => serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'))
            .into_iter()
            .map(|value| value.map_err(|error| fail(error.to_string())))
            .collect(),
        _ => values(text).map_err(fail),
    };
    Ok(items(read?))
}

/// The objects of a stream as another reader takes it.
fn second_opinion(text: &str) -> Result<Vec<Value>, TestCaseError> {
    let read: Result<Vec<Value>, TestCaseError> =
        serde_yaml::Deserializer::from_str(text.trim_start_matches('\u{feff}'))
            .map(serde::Deserialize::deserialize)
            .map(|document: Result<Value, _>| document.map_err(|error| TestCaseError::fail(format!("{error}: {text}"))))
            .collect();
    Ok(items(read?))
}

fn items(read: Vec<Value>) -> Vec<Value> {
    read.into_iter()
        .flat_map(|value| match value["items"].as_array() {
            Some(items) if value["kind"] == "List" => items.clone(),
            _ => vec![value],
        })
        .filter(|value| !value.is_null())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_a_configuration_every_byte_stays(bytes in tapes()) {
        let world = make(&bytes, false);
        let run = run(&world.text, "");
        prop_assert_eq!(run.text.as_deref(), Some(world.text.as_str()));
        prop_assert!(run.edits.unwrap().is_empty());
    }

    #[test]
    fn the_generated_text_says_what_was_meant(bytes in tapes()) {
        let world = make(&bytes, false);
        prop_assert_eq!(objects(world.form, &world.text)?, world.objects);
    }

    #[test]
    fn the_edited_text_reads_back_as_the_old_value_with_the_planned_changes(bytes in tapes()) {
        let world = make(&bytes, false);
        let (_, text) = done(&world)?;
        let found = objects(world.form, &text)?;
        let expected = world.expected.clone();
        prop_assert_eq!(&found, &expected, "{}\n{}", &world.config, &text);
        if world.form != Form::JsonDocuments {
            prop_assert_eq!(second_opinion(&text)?, expected, "{}", &text);
        }
    }

    #[test]
    fn twice_is_once(bytes in tapes()) {
        let world = make(&bytes, false);
        let (_, once) = done(&world)?;
        let again = run(&once, &world.config);
        prop_assert_eq!(again.text.as_deref(), Some(once.as_str()), "{:#?}", again.findings);
        prop_assert!(again.edits.unwrap().is_empty());
    }

    #[test]
    fn only_planned_ranges_differ(bytes in tapes()) {
        let world = make(&bytes, false);
        let (run, text) = done(&world)?;
        let edits = run.edits.unwrap();
        // What goes is small or kube-vip's, and every edit stands in a document that is meant to change.
        let (mut gone, mut items) = (0, world.removes_kube_vip);
        let mut reached = 0;
        for edit in &edits {
            prop_assert!(edit.range.start >= reached);
            reached = edit.range.end;
            let old = &world.text[edit.range.clone()];
            gone += old.matches("# c").count();
            items |= OLD.iter().any(|name| old.contains(name));
            let small = ["", "{}", "null", "~", "Null", "true", "True", "TRUE"].contains(&old.trim());
            let names = OLD.iter().any(|name| old.contains(name));
            prop_assert!(small || names, "{:?} goes", old);
            prop_assert!(world.removes_kube_vip || !old.contains("kube-vip"), "{:?} goes", old);
        }
        // Every line that no edit touches is still there, in its order.
        let mut lines = text.split_inclusive('\n');
        let mut at = 0;
        for line in world.text.split_inclusive('\n') {
            let span = at..at + line.len();
            at = span.end;
            let touched = edits.iter().any(|edit| edit.range.start < span.end && edit.range.end >= span.start);
            if !touched {
                prop_assert!(lines.any(|new| new == line), "the line {:?} is lost", line);
            }
        }
        // Comments survive unless the part that they stand in goes.
        let count = |text: &str| (1..=world.comments).filter(|number| text.contains(&format!("# c{number}."))).count();
        prop_assert!(count(&text) + gone >= count(&world.text));
        if !items {
            prop_assert_eq!(count(&text), count(&world.text));
        }
        prop_assert_eq!(text.contains("\r\n"), world.text.contains("\r\n"));
        if world.text.contains("\r\n") {
            prop_assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
        }
        prop_assert_eq!(text.ends_with('\n'), world.text.ends_with('\n'));
    }

    #[test]
    fn what_is_none_of_ours_keeps_every_byte(bytes in tapes()) {
        let world = make(&bytes, true);
        let (_, text) = done(&world)?;
        let text = text.replace("\r\n", "\n");
        for (piece, object) in world.pieces.iter().zip(&world.objects) {
            let ours = ["VSphereMachineTemplate", "KubeadmControlPlane", "IPPool", "InClusterIPPool"];
            let ours = ours.iter().any(|kind| object["kind"] == *kind);
            if !ours {
                prop_assert!(text.contains(piece.trim_end_matches('\n')), "{} changed", piece);
            }
        }
    }

    #[test]
    fn the_order_of_documents_is_of_no_weight(bytes in tapes(), order in vec(any::<u8>(), 0..40)) {
        let world = make(&bytes, true);
        let join = |order: &[usize]| order.iter().map(|index| format!("---\n{}", world.pieces[*index])).collect::<String>();
        let straight: Vec<usize> = (0..world.pieces.len()).collect();
        let mut mixed = straight.clone();
        Tape::new(order).shuffle(&mut mixed);
        let one = answer(&join(&straight), &world.config);
        let other = answer(&join(&mixed), &world.config);
        same_answer(one, other).map_err(|difference| TestCaseError::fail(format!("{difference}\n{}\n{mixed:?}", world.config)))?;
    }

    #[test]
    fn the_order_of_documents_is_of_no_weight_for_a_refusal(bytes in tapes(), order in vec(any::<u8>(), 0..40), drop in any::<usize>()) {
        let mut world = make(&bytes, true);
        // Something is missing or doubled, so that there is often something to refuse.
        let at = drop % world.pieces.len();
        if drop % 3 == 0 {
            let piece = world.pieces[at].clone();
            world.pieces.push(piece);
        } else {
            world.pieces.remove(at);
        }
        let join = |order: &[usize]| order.iter().map(|index| format!("---\n{}", world.pieces[*index])).collect::<String>();
        let straight: Vec<usize> = (0..world.pieces.len()).collect();
        let mut mixed = straight.clone();
        Tape::new(order).shuffle(&mut mixed);
        let one = answer(&join(&straight), &world.config);
        let other = answer(&join(&mixed), &world.config);
        same_answer(one, other).map_err(|difference| TestCaseError::fail(format!("{difference}\n{}\n{mixed:?}", world.config)))?;
    }

    #[test]
    fn any_text_ends_in_output_or_findings(text in "\\PC{0,200}", config in "\\PC{0,60}") {
        ends(&text, CHOOSE_CP);
        ends(&text, &config);
    }

    #[test]
    fn any_bytes_end_in_output_or_findings(bytes in vec(any::<u8>(), 0..300)) {
        ends(&String::from_utf8_lossy(&bytes), CHOOSE_CP);
    }

    #[test]
    fn any_text_of_the_signs_of_yaml_ends_in_output_or_findings(
        text in "([-?:,\\[\\]{}#&*!|>'\"%@`<~ \n\r\t=0a]|---\n|\\.\\.\\.\n|cluster\\.x-k8s\\.io|<<: |&a |\\*a |\u{85}|\u{2028}|\u{feff}){0,60}"
    ) {
        ends(&format!("# cluster.x-k8s.io\n{text}"), CHOOSE_CP);
        ends("a: 1\n", &text);
    }

    #[test]
    fn a_mutated_fixture_ends_in_output_or_findings(which in any::<usize>(), bytes in vec(any::<u8>(), 1..40)) {
        let fixtures = fixtures();
        let (name, input, config) = &fixtures[which % fixtures.len()];
        let mut tape = Tape::new(bytes);
        let (input, config) = if tape.rarely(5) {
            (input.clone(), mutate(config, &mut tape))
        } else {
            (mutate(input, &mut tape), config.clone())
        };
        ends(&input, &config);
        let _ = name;
    }

    #[test]
    fn a_mutated_world_ends_in_output_or_findings(bytes in tapes(), changes in vec(any::<u8>(), 1..40)) {
        let world = make(&bytes, false);
        ends(&mutate(&world.text, &mut Tape::new(changes)), &world.config);
    }
}

/// What a run says, whatever the order.
struct Answer {
    /// The edited documents, pools left out; none when the run is refused.
    documents: Option<Vec<String>>,
    pools: Vec<Value>,
    codes: Vec<&'static str>,
}

fn answer(text: &str, config: &str) -> Answer {
    let run = run(text, config);
    let codes = run.codes();
    let Some(text) = run.text else {
        return Answer {
            documents: None,
            pools: Vec::new(),
            codes,
        };
    };
    let (mut documents, mut pools) = (Vec::new(), Vec::new());
    for chunk in chunks(&text).filter(|chunk| !is_bare(chunk.text)) {
        let value = values(chunk.text).unwrap().remove(0);
        if value["kind"].as_str().unwrap().ends_with("IPPool") {
            pools.push(value);
        } else {
            documents.push(chunk.text.to_owned());
        }
    }
    documents.sort();
    Answer {
        documents: Some(documents),
        pools,
        codes,
    }
}

fn same_answer(one: Answer, other: Answer) -> Result<(), String> {
    if one.codes != other.codes {
        return Err(format!("the findings differ: {:?} and {:?}", one.codes, other.codes));
    }
    if one.pools != other.pools {
        return Err(format!("the pools differ: {:?} and {:?}", one.pools, other.pools));
    }
    match (one.documents, other.documents) {
        (None, None) => Ok(()),
        (Some(one), Some(other)) => match one.iter().zip(&other).find(|(one, other)| one != other) {
            Some((one, other)) => Err(format!("a document differs:\n{one}and\n{other}")),
            None if one.len() == other.len() => Ok(()),
            None => Err("a document is lost".to_owned()),
        },
        _ => Err("one order is refused".to_owned()),
    }
}

/// Runs a text that may be anything. Where there is output, it must read, keep the laws, and have the label or no edit.
fn ends(text: &str, config: &str) {
    let first = run(text, config);
    let Some(output) = &first.text else {
        assert!(!first.findings.is_empty(), "refused without a word: {text:?}");
        return;
    };
    if first.edits.as_ref().unwrap().is_empty() {
        assert_eq!(output, text);
        return;
    }
    let again = run(output, config);
    assert_eq!(
        again.text.as_deref(),
        Some(output.as_str()),
        "the second run differs: {:#?}\n{config}\ninput {text:?}",
        again.findings
    );
    assert!(output.contains("kind") || output.contains(LABEL));
}

fn fixtures() -> &'static [(String, String, String)] {
    static FIXTURES: std::sync::OnceLock<Vec<(String, String, String)>> = std::sync::OnceLock::new();
    FIXTURES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mut cases: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        cases.sort();
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        cases
            .iter()
            .filter_map(|case| {
                let input = read(&case.join("input.yaml")).or_else(|| read(&case.join("input.json")))?;
                let name = case.file_name().unwrap().to_string_lossy().into_owned();
                Some((name, input, read(&case.join("config.yaml"))?))
            })
            .collect()
    })
}

/// Changes a text at a few places.
fn mutate(text: &str, tape: &mut Tape) -> String {
    const PIECES: [&str; 40] = [
        "\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "  ",
        "-",
        "- ",
        "---\n",
        "...\n",
        ":",
        ": ",
        ",",
        "[",
        "]",
        "{",
        "}",
        "#",
        " #",
        "&a ",
        "*a",
        "!",
        "!!str ",
        "|\n",
        ">\n",
        "|+\n",
        "'",
        "\"",
        "%YAML 1.1\n",
        "? ",
        "<<: *a\n",
        "{{ x }}",
        "${X}",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "null",
        "true",
        "\\",
        "é",
    ];
    let mut text: Vec<char> = text.chars().collect();
    for _ in 0..1 + tape.pick(4) {
        let at = (tape.pick(256) * 256 + tape.pick(256)) % (text.len() + 1);
        let length = tape.pick(40).min(text.len() - at);
        match tape.pick(6) {
            0 => drop(text.drain(at..at + length)),
            1 => text.truncate(at),
            2 => {
                let copy: Vec<char> = text[at..at + length].to_vec();
                let to = (tape.pick(256) * 256 + tape.pick(256)) % (text.len() + 1);
                text.splice(to..to, copy);
            }
            3 => {
                // A line goes or is doubled.
                let end = text[at..]
                    .iter()
                    .position(|char| *char == '\n')
                    .map_or(text.len(), |end| at + end + 1);
                let start = text[..at]
                    .iter()
                    .rposition(|char| *char == '\n')
                    .map_or(0, |start| start + 1);
                let line: Vec<char> = text[start..end].to_vec();
                if tape.pick(2) == 0 {
                    text.drain(start..end);
                } else {
                    text.splice(end..end, line);
                }
            }
            _ => {
                let piece = PIECES[tape.pick(PIECES.len())].chars();
                text.splice(at..at, piece);
            }
        }
    }
    text.into_iter().collect()
}
