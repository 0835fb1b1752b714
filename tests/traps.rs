//! Every known trap of YAML as a case of its own: values as Go reads them, splitting, spans, edits that must be refused or exact, and limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod support;

use std::time::{Duration, Instant};

use capv_ipam::objects::Source;
use capv_ipam::outcome::compute;
use capv_ipam::report::{Report, text};
use capv_ipam::yaml::{Chunk, Editor, Edits, Kind, Limits, NodeId, Prefilter, Reason, Refusal, Style, Tree};
use capv_ipam::yaml::{chunks, is_bare, stray_byte_order_mark, stream};
use serde_json::{Value, json};
use support::{CHOOSE_CP, run, template, value, values};

const NIC: &str = "\n        - networkName: a\n          dhcp4: true";

fn tree(text: &str) -> Tree<'_> {
    Tree::parse(&Chunk::alone(text), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

/// Follows keys and indices (as text) from the root.
fn at(tree: &Tree<'_>, path: &[&str]) -> NodeId {
    path.iter()
        .fold(tree.root().unwrap(), |node, step| match step.parse::<usize>() {
            Ok(index) => tree.items(node).nth(index).unwrap(),
            Err(_) => tree.get(node, step).unwrap(),
        })
}

/// Edits a document and gives the new text.
fn edit(
    text: &str,
    change: impl FnOnce(&Tree<'_>, &mut Editor<'_, '_>) -> Result<(), Refusal>,
) -> Result<String, Reason> {
    let tree = tree(text);
    let mut editor = Editor::new(&tree, Limits::default());
    change(&tree, &mut editor).map_err(|refusal| refusal.reason)?;
    let edits = editor.finish().map_err(|refusal| refusal.reason)?;
    Ok(edits.splice(text))
}

/// Sets `key` of the mapping that the path leads to.
fn set(text: &str, path: &[&str], key: &str, wanted: Value) -> Result<String, Reason> {
    edit(text, |tree, editor| editor.set(at(tree, path), key, &wanted))
}

fn remove(text: &str, path: &[&str], index: usize) -> Result<String, Reason> {
    edit(text, |tree, editor| editor.remove_items(at(tree, path), &[index]))
}

fn append(text: &str) -> Result<String, Reason> {
    let last = chunks(text).last().unwrap();
    let edit = stream::insert_after(&last, "kind: N\n", &Limits::default()).map_err(|refusal| refusal.reason)?;
    Ok(Edits::new(vec![edit]).unwrap().splice(text))
}

fn quick<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{what} took {:?}",
        start.elapsed()
    );
    result
}

/// The flags of the first NIC of the template in an edited stream.
fn flags(text: &str) -> (Value, Value) {
    let template = values(text)
        .unwrap()
        .into_iter()
        .find(|object| object["kind"] == "VSphereMachineTemplate")
        .unwrap();
    let nic = &template["spec"]["template"]["spec"]["network"]["devices"][0];
    (nic["dhcp4"].clone(), nic["dhcp6"].clone())
}

/// Transforms a template, demands that it comes out static and that a second run changes nothing, and gives the text.
fn made_static(text: &str) -> String {
    let output = run(text, CHOOSE_CP).expect(text);
    assert_eq!(flags(&output), (json!(false), json!(false)), "{output}");
    let again = run(&output, CHOOSE_CP).expect(&output);
    assert_eq!(again, output, "the second run");
    output
}

/// Transforms a text that must be refused with this code and nothing but findings.
fn refused(text: &str, code: &str) {
    let run = run(text, CHOOSE_CP);
    assert!(run.text.is_none(), "not refused: {:?}", run.text);
    assert!(run.codes().contains(&code), "{:?} has no {code}: {text}", run.codes());
}

// Values as Go reads them.

#[test]
fn null_has_five_spellings() {
    for text in ["a:", "a: ~", "a: null", "a: Null", "a: NULL"] {
        assert_eq!(value(text).unwrap(), json!({ "a": null }), "{text}");
    }
    for text in ["a: nULL", "a: ''", "a: \"null\"", "a: '~'"] {
        assert!(value(text).unwrap()["a"].is_string(), "{text}");
    }
}

#[test]
fn booleans_have_twenty_two_spellings() {
    for word in ["true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"] {
        assert_eq!(value(&format!("a: {word}")).unwrap(), json!({ "a": true }), "{word}");
        assert_eq!(value(&format!("a: '{word}'")).unwrap(), json!({ "a": word }), "{word}");
    }
    for word in [
        "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF",
    ] {
        assert_eq!(value(&format!("a: {word}")).unwrap(), json!({ "a": false }), "{word}");
    }
    for word in ["tRUE", "yEs", "oN", "nO"] {
        assert_eq!(value(&format!("a: {word}")).unwrap(), json!({ "a": word }), "{word}");
    }
}

#[test]
fn integers_have_many_forms() {
    let cases: [(&str, Value); 16] = [
        ("0", json!(0)),
        ("-7", json!(-7)),
        ("+7", json!(7)),
        ("0x1F", json!(31)),
        ("0X1f", json!(31)),
        ("-0x10", json!(-16)),
        ("0o17", json!(15)),
        ("0O17", json!(15)),
        ("0b101", json!(5)),
        ("0B11", json!(3)),
        ("0644", json!(420)),
        ("1_000", json!(1000)),
        ("0x_1F", json!(31)),
        ("1_", json!(1)),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("-9223372036854775808", json!(-9_223_372_036_854_775_808_i64)),
    ];
    for (text, wanted) in cases {
        assert_eq!(value(&format!("a: {text}")).unwrap()["a"], wanted, "{text}");
    }
}

#[test]
fn what_is_no_octal_number_is_a_float() {
    for (text, wanted) in [("08", 8), ("09", 9), ("0779", 779)] {
        assert_eq!(
            value(&format!("a: {text}")).unwrap()["a"].as_f64(),
            Some(f64::from(wanted)),
            "{text}"
        );
    }
}

#[test]
fn integers_past_64_bits_are_floats() {
    let found = value("a: 18446744073709551616").unwrap()["a"].as_f64();
    assert_eq!(found, Some(18_446_744_073_709_551_616.0));
    assert!(value("a: -9223372036854775809").unwrap()["a"].is_number());
}

#[test]
fn floats_have_many_forms() {
    for (text, wanted) in [
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("-1.5E+2", -150.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1_0.2_5", 10.25),
    ] {
        assert_eq!(
            value(&format!("a: {text}")).unwrap()["a"].as_f64(),
            Some(wanted),
            "{text}"
        );
    }
}

#[test]
fn a_leading_dot_with_an_underscore_is_a_string() {
    for text in ["._5", ".1_"] {
        assert_eq!(value(&format!("a: {text}")).unwrap(), json!({ "a": text }));
    }
}

#[test]
fn infinity_and_nan_are_errors() {
    for text in [".inf", ".Inf", ".INF", "+.inf", "-.Inf", ".nan", ".NaN", ".NAN"] {
        assert!(value(&format!("a: {text}")).is_err(), "{text}");
    }
    assert_eq!(value("a: inf").unwrap(), json!({ "a": "inf" }));
}

#[test]
fn times_dates_and_versions_are_strings() {
    for text in [
        "1:30",
        "12:34:56",
        "2024-01-01",
        "0x",
        "1e",
        "1.5.6",
        "v1.28.3",
        "10.0.0.1",
        "1-2",
        "--1",
        "+-1",
    ] {
        assert_eq!(value(&format!("a: {text}")).unwrap(), json!({ "a": text }), "{text}");
    }
}

#[test]
fn keys_follow_the_same_rules() {
    for (text, key) in [
        ("n: x", "false"),
        ("on: x", "true"),
        ("0644: x", "420"),
        ("'n': x", "n"),
        ("1.50: x", "1.5"),
    ] {
        assert_eq!(value(text).unwrap(), json!({ key: "x" }), "{text}");
    }
}

#[test]
fn a_null_key_is_an_error() {
    for text in ["~: x", "null: x", "? \n: x", "{null: x}", ": x"] {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn a_string_tag_makes_a_string() {
    assert_eq!(value("a: !!str 5").unwrap(), json!({ "a": "5" }));
    assert_eq!(value("a: ! true").unwrap(), json!({ "a": "true" }));
    assert_eq!(value("a: !!str\nb: 1").unwrap(), json!({ "a": "", "b": 1 }));
    assert_eq!(value("a: !<tag:yaml.org,2002:str> yes").unwrap(), json!({ "a": "yes" }));
    assert_eq!(value("!!map {a: !!seq [1]}").unwrap(), json!({ "a": [1] }));
}

#[test]
fn other_tags_are_read_as_go_does_or_refused() {
    // Go gives 5, true, "yes"; an error is the other way that is allowed.
    for (text, wanted) in [
        ("a: !!int \"5\"", json!(5)),
        ("a: !!bool \"true\"", json!(true)),
        ("a: !custom yes", json!("yes")),
        ("a: !!binary aGk=", json!("hi")),
    ] {
        if let Ok(found) = value(text) {
            assert_eq!(found, json!({ "a": wanted }), "{text}");
        }
    }
    assert!(value("a: !!int yes").is_err());
}

#[test]
fn a_tagged_kind_is_still_a_kind() {
    let text = template(" {name: cp}", NIC).replace("kind: V", "kind: !!str V");
    made_static(&text);
}

#[test]
fn a_merge_list_is_won_by_its_first() {
    let text = "a: &a {x: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b]}\n";
    assert_eq!(value(text).unwrap()["c"], json!({ "x": 1, "z": 2 }));
}

#[test]
fn only_a_plain_merge_key_merges() {
    assert_eq!(value("{\"<<\": {x: 1}}").unwrap(), json!({ "<<": { "x": 1 } }));
    assert_eq!(value("{!!merge <<: {x: 1}}").unwrap(), json!({ "x": 1 }));
    assert_eq!(value("{!!str <<: {x: 1}}").unwrap(), json!({ "<<": { "x": 1 } }));
}

#[test]
fn a_merge_key_must_bring_a_mapping() {
    for text in ["<<: 5", "<<: [5]", "<<: text", "<<: [[{a: 1}]]"] {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn a_merge_after_a_key_wins_for_kubectl() {
    assert_eq!(value("{x: 5, <<: {x: 1}}").unwrap(), json!({ "x": 1 }));
    assert_eq!(value("{<<: {x: 1}, x: 5}").unwrap(), json!({ "x": 5 }));
    assert_eq!(value("{<<: {x: 1}, <<: {x: 2}}").unwrap(), json!({ "x": 2 }));
}

#[test]
fn duplicate_keys_are_errors() {
    for text in ["a: 1\na: 2", "{a: 1, \"a\": 2}", "1: a\n0x1: b", "yes: a\ntrue: b"] {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn an_alias_means_the_latest_anchor() {
    assert_eq!(
        value("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").unwrap(),
        json!({"a": 1, "b": 1, "c": 2, "d": 2})
    );
}

#[test]
fn an_anchor_that_contains_itself_is_an_error() {
    assert!(value("a: &x [*x]").is_err());
    assert!(value("&x {a: *x}").is_err());
    assert!(value("&x {<<: *x}").is_err());
}

#[test]
fn an_anchor_ends_with_its_document() {
    assert!(values("a: &x 1\n---\nb: *x\n").is_err());
}

#[test]
fn dates_and_yes_stay_what_kubectl_reads() {
    assert_eq!(
        value("a: yes\nb: 2024-01-01").unwrap(),
        json!({ "a": true, "b": "2024-01-01" })
    );
}

// Splitting and the prefilter.

#[test]
fn a_marker_inside_a_scalar_splits_the_scalar() {
    // YAML keeps markers at column 0 out of every scalar, so these are two documents, the first of them cut off.
    assert_eq!(chunks("a: \"x\n---\ny\"\n").count(), 2);
    assert!(values("a: \"x\n---\ny\"\n").is_err());
    assert_eq!(chunks("|\n x\n---\n y\n").count(), 2);
}

#[test]
fn what_only_looks_like_a_marker_is_none() {
    let text = "a: |\n  -----BEGIN CERTIFICATE-----\n  ---\n  ...\n----: 1\n---x: 2\n";
    assert_eq!(chunks(text).count(), 1);
    assert_eq!(
        value(text).unwrap(),
        json!({"a": "-----BEGIN CERTIFICATE-----\n---\n...\n", "----": 1, "---x": 2})
    );
    assert_eq!(chunks("a: 1\n ---\n").count(), 1);
}

#[test]
fn a_marker_may_be_followed_by_blanks_comments_or_content() {
    for text in [
        "a: 1\n---\t\nb: 2\n",
        "a: 1\n--- # c\nb: 2\n",
        "a: 1\r\n---\r\nb: 2\r\n",
        "a: 1\n--- {b: 2}\n",
    ] {
        assert_eq!(
            values(text).unwrap(),
            [json!({ "a": 1 }), json!({ "b": 2 })],
            "{text:?}"
        );
    }
    assert_eq!(values("a: 1\n---").unwrap(), [json!({ "a": 1 }), Value::Null]);
}

#[test]
fn content_on_the_markers_line_is_edited_in_place() {
    let text = format!(
        "--- {{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: VSphereMachineTemplate, metadata: {{name: cp}}, \
         spec: {{template: {{spec: {{network: {{devices: [{{networkName: a, dhcp4: true}}]}}}}}}}}}}\n{}",
        "--- {kind: Other}\n"
    );
    let output = made_static(&text);
    assert!(output.ends_with("--- {kind: Other}\n"), "{output}");
}

#[test]
fn comments_and_directives_before_the_first_marker_are_its_own() {
    assert_eq!(chunks("# licence\n\n%YAML 1.1\n# more\n---\na: 1\n").count(), 1);
}

#[test]
fn an_end_marker_alone_is_no_document() {
    assert_eq!(values("a: 1\n...\n...\n").unwrap(), [json!({ "a": 1 })]);
    assert!(chunks("...\n").all(|chunk| is_bare(chunk.text)));
    let text = format!("{}...\n...\n", template(" {name: cp}", NIC));
    assert!(made_static(&text).ends_with("...\n...\n"));
}

#[test]
fn content_after_an_end_marker_needs_a_marker() {
    assert!(values("a: 1\n...\nb: 2\n").is_err());
    assert_eq!(values("a: 1\n...\n---\nb: 2\n").unwrap().len(), 2);
    refused(
        &format!("{}...\nkind: A # cluster.x-k8s.io\n", template(" {name: cp}", NIC)),
        "CI001",
    );
}

#[test]
fn a_pool_goes_between_an_end_marker_and_its_template() {
    let text = format!("kind: A\n...\n---\n{}", template(" {name: cp}", NIC));
    let output = made_static(&text);
    let kinds: Vec<Value> = values(&output)
        .unwrap()
        .into_iter()
        .map(|value| value["kind"].clone())
        .collect();
    assert_eq!(kinds, ["A", "IPPool", "VSphereMachineTemplate"]);
}

#[test]
fn a_yaml_directive_stays_with_its_document() {
    for head in [
        "%YAML 1.1\n---\n",
        "# c\n%YAML 1.1\n---\n",
        "kind: A\n...\n%YAML 1.1\n---\n",
    ] {
        let output = made_static(&format!("{head}{}", template(" {name: cp}", NIC)));
        let values = values(&output).unwrap();
        assert!(values.iter().any(|value| value["kind"] == "IPPool"), "{output}");
        // As one stream, the way kubectl's parser sees it before it splits.
        let read = serde_yaml::Deserializer::from_str(&output);
        for document in read {
            <serde_yaml::Value as serde::Deserialize>::deserialize(document)
                .unwrap_or_else(|error| panic!("{error}: {output}"));
        }
    }
}

#[test]
fn a_tag_directive_stays_with_its_document() {
    let text = format!("%TAG ! tag:x,2024:\n---\n{}", template(" {name: cp}", NIC));
    made_static(&text);
}

#[test]
fn a_directive_straight_after_a_document_is_accepted() {
    // libyaml reads this as two documents, although the split sees the directive at the end of the first.
    let text = format!("{}%YAML 1.1\n---\nkind: Other\n", template(" {name: cp}", NIC));
    let documents =
        serde_yaml::Deserializer::from_str(&text).map(<serde_yaml::Value as serde::Deserialize>::deserialize);
    if documents.into_iter().all(|document| document.is_ok()) {
        let run = run(&text, "");
        assert_eq!(run.text.as_deref(), Some(text.as_str()), "{:#?}", run.findings);
    }
}

#[test]
fn the_prefilter_passes_words_that_are_spelt_by_escapes() {
    let filter = Prefilter::new(&["VSphere"]);
    for text in [
        "kind: VSphereX",
        r#"kind: "\x56Sphere""#,
        r#"kind: "\u0056Sphere""#,
        r#"kind: "\U00000056Sphere""#,
    ] {
        assert!(filter.may_match(text), "{text}");
    }
    assert!(filter.may_match("kind: \"VSph\\\n  ere\""));
    assert!(filter.may_match("kind: \"VSph\\\r\n  ere\""));
    assert!(!filter.may_match("kind: Secret\ndata: \"a\\n\""));
}

#[test]
fn a_kind_that_is_written_with_an_escape_is_found() {
    for kind in [
        r#""VSphereMachine\x54emplate""#,
        r#""VSphereMachine\u0054emplate""#,
        r#""VSphereMachine\U00000054emplate""#,
    ] {
        let text = template(" {name: cp}", NIC).replace("VSphereMachineTemplate", kind);
        let output = run(&text, CHOOSE_CP).expect(&text);
        assert_eq!(flags(&output), (json!(false), json!(false)));
        assert!(output.contains(&format!("kind: {kind}\n")), "{output}");
    }
}

#[test]
fn an_api_version_that_is_folded_over_a_line_is_found() {
    for folded in [
        "\"infrastructure.cluster.x-\\\n  k8s.io/v1beta1\"",
        "\"infrastructure.clus\\\n  ter.x-k8s.io/v1beta1\"",
        "\"infrastructure.clus\\x74er.x-k8s.io/v1beta1\"",
    ] {
        let text = template(" {name: cp}", NIC).replace("infrastructure.cluster.x-k8s.io/v1beta1", folded);
        // Another document behind it, so that it is not read for being the last.
        made_static(&format!("{text}---\nkind: Other\n"));
    }
}

#[test]
fn api_versions_and_kinds_may_be_block_scalars() {
    let text = template(" {name: cp}", NIC)
        .replace(
            "infrastructure.cluster.x-k8s.io/v1beta1",
            ">-\n  infrastructure.cluster.x-k8s.io/v1beta1",
        )
        .replace("kind: VSphereMachineTemplate", "kind: |-\n  VSphereMachineTemplate");
    made_static(&text);
}

// Byte order marks, line ends and other odd characters.

#[test]
fn a_byte_order_mark_at_the_start_stays() {
    for head in ["\u{feff}", "\u{feff}---\n", "\u{feff}# c\n---\n"] {
        let output = made_static(&format!("{head}{}", template(" {name: cp}", NIC)));
        assert!(output.starts_with('\u{feff}'), "{output:?}");
        assert_eq!(output.matches('\u{feff}').count(), 1);
    }
}

#[test]
fn a_byte_order_mark_inside_is_an_error_with_its_line() {
    for (text, line) in [
        (format!("kind: A\n\u{feff}---\n{}", template(" {name: cp}", NIC)), 2),
        (format!("kind: A\n---\n\u{feff}{}", template(" {name: cp}", NIC)), 3),
        (
            format!("kind: A\r\n--- \u{feff}\r\n{}", template(" {name: cp}", NIC)),
            2,
        ),
    ] {
        refused(&text, "CI003");
        let run = run(&text, CHOOSE_CP);
        let shown = support_text(&run.findings, &text);
        assert!(shown.contains(&format!("input.yaml:{line}:")), "{shown}");
    }
}

#[test]
fn a_byte_order_mark_inside_a_value_is_text() {
    assert_eq!(stray_byte_order_mark("a: x\u{feff}y\n"), None);
    let text = template(
        " {name: cp}",
        "\n        - networkName: \"a\u{feff}b\"\n          dhcp4: true",
    );
    assert!(made_static(&text).contains("\"a\u{feff}b\""));
}

fn support_text(findings: &[capv_ipam::check::Finding], input: &str) -> String {
    text(
        &Report {
            findings,
            accepted: &[],
            texts: &[("input.yaml", input), ("config.yaml", CHOOSE_CP)],
        },
        false,
    )
}

#[test]
fn crlf_is_kept_and_used() {
    let text = template(" {name: cp}", NIC).replace('\n', "\r\n");
    let output = made_static(&text);
    assert_eq!(output.matches('\n').count(), output.matches("\r\n").count());
}

#[test]
fn a_lone_cr_is_a_line_end() {
    let text = template(" {name: cp}", NIC).replace('\n', "\r");
    let output = made_static(&text);
    assert!(!output.contains('\n'), "{output:?}");
}

#[test]
fn lines_are_counted_over_every_line_end() {
    for (text, line) in [
        ("a: 1\nb: 2\nc: \t{\n", 3),
        ("a: 1\r\nb: 2\r\nc: [\r\n", 3),
        ("a: 1\rb: 2\rc: [\r", 3),
    ] {
        let run = run(text, CHOOSE_CP);
        let shown = support_text(&run.findings, text);
        let next = line + 1;
        assert!(
            shown.contains(&format!("input.yaml:{line}:")) || shown.contains(&format!("input.yaml:{next}:")),
            "{shown}"
        );
    }
}

#[test]
fn lines_of_later_documents_count_from_the_start_of_the_file() {
    let text = format!("kind: A\n---\n# c\n\n{}---\nkind: [\n", template(" {name: cp}", NIC));
    let line = text.lines().count();
    let shown = support_text(&run(&text, CHOOSE_CP).findings, &text);
    assert!(
        shown.contains(&format!("input.yaml:{line}:")) || shown.contains(&format!("input.yaml:{}:", line + 1)),
        "{shown}"
    );
}

#[test]
fn unicode_line_ends_are_no_line_ends_of_an_edit() {
    for odd in ["\u{85}", "\u{2028}", "\u{2029}"] {
        // In a quoted value before the edit, in a comment, and in a plain value.
        for device in [
            format!("\n        - networkName: \"a{odd}b\"\n          dhcp4: true"),
            format!("\n        - networkName: a # x{odd}          # y\n          dhcp4: true"),
            format!("\n        - dhcp4: true\n          networkName: \"a{odd}\""),
        ] {
            let text = template(" {name: cp}", &device);
            let run = run(&text, CHOOSE_CP);
            match &run.text {
                Some(output) => {
                    assert_eq!(flags(output), (json!(false), json!(false)), "{output:?}");
                    assert!(output.contains(odd));
                }
                None => assert!(
                    run.codes().iter().any(|code| ["CI001", "CI209"].contains(code)),
                    "{:?}",
                    run.findings
                ),
            }
        }
    }
}

// Spans.

#[test]
fn spans_count_bytes_and_messages_count_characters() {
    let text = "grüße: äöü\nb: {c: [\n";
    let shown = support_text(&run(text, "").findings, text);
    assert!(shown.contains("input.yaml:"), "{shown}");
    let tree = tree("grüße: äöü\nb: x\n");
    assert_eq!(&tree.text()[tree.span(at(&tree, &["grüße"]))], "äöü");
    assert_eq!(&tree.text()[tree.span(at(&tree, &["b"]))], "x");
}

#[test]
fn a_span_begins_behind_anchor_and_tag() {
    for text in ["a: &x !!str  5\n", "a: !!str &x 5 # c\n", "a: !!str # c\n  5\n"] {
        let tree = tree(text);
        assert_eq!(&text[tree.span(at(&tree, &["a"]))], "5", "{text:?}");
        assert!(tree.outer_start(at(&tree, &["a"])) < tree.span(at(&tree, &["a"])).start);
    }
}

#[test]
fn a_block_collection_ends_with_its_last_child() {
    let text = "a:\n  b: 1\n  c:\n  - x\n\n# behind\nd: 2\n";
    let tree = tree(text);
    assert_eq!(&text[tree.span(at(&tree, &["a"]))], "b: 1\n  c:\n  - x");
}

#[test]
fn a_block_scalar_ends_before_the_blank_lines_that_it_does_not_keep() {
    for (text, wanted) in [
        ("a: |\n  x\n\n\nb: 1\n", "|\n  x"),
        ("a: |-\n  x\n\n\nb: 1\n", "|-\n  x"),
        ("a: |+\n  x\n\n\nb: 1\n", "|+\n  x\n\n\n"),
        ("a: >2+\n    x\n\n\nb: 1\n", ">2+\n    x\n\n\n"),
    ] {
        let tree = tree(text);
        let found = &text[tree.span(at(&tree, &["a"]))];
        assert_eq!(found.trim_end_matches('\n'), wanted.trim_end_matches('\n'), "{text:?}");
        assert_eq!(found.ends_with("\n\n"), wanted.ends_with("\n\n"), "{text:?}: {found:?}");
    }
}

#[test]
fn an_empty_value_is_filled_behind_its_colon() {
    for (text, wanted) in [
        ("a:\nb: 1\n", "a: false\nb: 1\n"),
        ("a: # c\nb: 1\n", "a: false # c\nb: 1\n"),
        ("a:   # c\nb: 1\n", "a: false   # c\nb: 1\n"),
        ("b: 1\na:", "b: 1\na: false"),
        ("'a':\n\n\nb: 1\n", "'a': false\n\n\nb: 1\n"),
        ("{a: , b: 1}\n", "{a: false, b: 1}\n"),
    ] {
        match set(text, &[], "a", json!(false)) {
            Ok(found) => {
                assert_eq!(value(&found).unwrap()["a"], json!(false), "{found:?}");
                if !text.contains("   #") && !text.starts_with('{') {
                    assert_eq!(found, wanted);
                }
            }
            Err(reason) => assert!(text.starts_with('{'), "{text:?}: {reason}"),
        }
    }
}

#[test]
fn a_dash_may_stand_alone_or_before_a_comment() {
    for device in [
        "\n        -\n          networkName: a\n          dhcp4: true",
        "\n        - # first\n          networkName: a\n          dhcp4: true",
        "\n        -   networkName: a\n            dhcp4: true",
        "\n        - - networkName: no device\n        - networkName: a",
    ] {
        let text = template(" {name: cp}", device);
        let run = run(&text, CHOOSE_CP);
        if let Some(output) = &run.text {
            assert_eq!(flags(output), (json!(false), json!(false)), "{output}");
        } else {
            assert!(device.contains("- -"), "{:?}: {text}", run.findings);
        }
    }
}

#[test]
fn a_dash_alone_goes_with_its_item() {
    assert_eq!(remove("a:\n-\n  b: 1\n- c: 2\n", &["a"], 0).unwrap(), "a:\n- c: 2\n");
    assert_eq!(
        remove("a:\n- # x\n  b: 1\n- c: 2\n", &["a"], 0).map(|text| value(&text).unwrap()),
        Ok(json!({"a": [{"c": 2}]}))
    );
}

#[test]
fn an_explicit_key_is_found_by_its_name() {
    let text = "? a\n: 1\n? b\n: 2\n";
    assert_eq!(set(text, &[], "a", json!(3)).unwrap(), "? a\n: 3\n? b\n: 2\n");
}

// Editing.

#[test]
fn each_scalar_style_is_replaced_by_its_own_span() {
    for (text, wanted) in [
        ("a: yes # c\n", "a: false # c\n"),
        ("a: \"yes\" # c\n", "a: false # c\n"),
        ("a: 'it''s'\n", "a: false\n"),
        ("a: |\n  x\n  y\n\n# c\nb: 1\n", "a: false\n\n# c\nb: 1\n"),
        ("a: plain over\n  two lines # c\n", "a: false # c\n"),
        ("a: {x: 1,\n  y: 2} # c\n", "a: false # c\n"),
    ] {
        assert_eq!(set(text, &[], "a", json!(false)).unwrap(), wanted);
    }
}

#[test]
fn an_alias_as_value_is_replaced_by_the_value() {
    assert_eq!(
        set("x: &x true\na: *x\n", &[], "a", json!(false)).unwrap(),
        "x: &x true\na: false\n"
    );
}

#[test]
fn trap_1_what_a_keep_scalar_would_swallow_goes_too() {
    let text = "a:\n- b: |+\n    x\n\n- c: 1\n\n\n- d: 2\n";
    let found = remove(text, &["a"], 1).unwrap();
    assert_eq!(
        value(&found).unwrap(),
        json!({"a": [{"b": "x\n\n"}, {"d": 2}]}),
        "{found:?}"
    );
    let last = "a:\n- b: |+\n    x\n\n- c: 1\n\n\n";
    let found = remove(last, &["a"], 1).unwrap();
    assert_eq!(value(&found).unwrap(), json!({"a": [{"b": "x\n\n"}]}), "{found:?}");
}

#[test]
fn trap_2_a_clip_scalar_at_the_end_without_a_line_end_refuses_what_would_follow() {
    for header in ["|", ">"] {
        let text = format!("a: {header}\n  x");
        assert!(append(&text).is_err(), "{text:?}");
        assert!(set(&text, &[], "b", json!(1)).is_err(), "{text:?}");
    }
    for header in ["|-", ">-"] {
        let text = format!("a: {header}\n  x");
        assert_eq!(append(&text).unwrap(), format!("{text}\n---\nkind: N\n"));
        assert_eq!(set(&text, &[], "b", json!(1)).unwrap(), format!("{text}\nb: 1"));
    }
}

#[test]
fn trap_2_a_pool_before_such_a_document_is_fine() {
    let text = format!("{}status:\n  x: |\n    y", template(" {name: cp}", NIC));
    let output = made_static(&text);
    assert!(output.ends_with("  x: |\n    y"));
}

#[test]
fn trap_3_a_shared_node_is_refused() {
    for text in ["a: &x {b: 1}\nc: *x\n", "a: {d: &x {b: 1}}\nc: *x\n"] {
        let path: &[&str] = if text.contains("d:") { &["a", "d"] } else { &["a"] };
        assert_eq!(set(text, path, "b", json!(2)), Err(Reason::Shared), "{text}");
        assert_eq!(set(text, path, "new", json!(2)), Err(Reason::Shared), "{text}");
    }
    assert_eq!(
        set("a: &x {b: {c: 1}}\nd: *x\n", &["a", "b"], "c", json!(2)),
        Err(Reason::Shared)
    );
    assert_eq!(set("a: {b: &x 1}\nc: *x\n", &["a"], "b", json!(2)), Err(Reason::Shared));
}

#[test]
fn trap_3_labels_that_are_a_selector_too_are_refused() {
    let text = format!(
        "{}x:\n  selector: *l\n",
        template("\n  name: cp\n  labels: &l\n    app: x", NIC)
    );
    refused(&text, "CI209");
}

#[test]
fn trap_3_an_item_with_an_anchor_that_is_used_elsewhere_stays() {
    assert_eq!(remove("a:\n- &x 1\n- 2\nb: *x\n", &["a"], 0), Err(Reason::Shared));
    assert_eq!(
        remove("a:\n- {c: [&x 1]}\n- 2\nb: *x\n", &["a"], 0),
        Err(Reason::Shared)
    );
    assert_eq!(remove("a:\n- [&x 1, *x]\n- 2\n", &["a"], 0).unwrap(), "a:\n- 2\n");
}

#[test]
fn trap_3_an_anchor_that_nobody_uses_is_harmless_and_stays() {
    assert_eq!(set("a: &x {b: 1}\n", &["a"], "b", json!(2)).unwrap(), "a: &x {b: 2}\n");
    let text = template(
        "\n  name: cp\n  labels: &l\n    app: x",
        "\n        - &nic\n          networkName: a\n          dhcp4: true",
    );
    let output = made_static(&text);
    assert!(
        output.contains("labels: &l\n") && output.contains("- &nic\n"),
        "{output}"
    );
}

#[test]
fn trap_4_a_key_goes_behind_the_merge() {
    let found = set("base: &b {x: 1}\na:\n  <<: *b\n", &["a"], "x", json!(2)).unwrap();
    assert_eq!(found, "base: &b {x: 1}\na:\n  <<: *b\n  x: 2\n");
    let found = set("base: &b {x: 1}\na: {<<: *b}\n", &["a"], "x", json!(2)).unwrap();
    assert_eq!(value(&found).unwrap()["a"], json!({ "x": 2 }));
    // The value that the merge brings is the wanted one already.
    let text = "base: &b {x: 2}\na:\n  <<: *b\n";
    assert_eq!(set(text, &["a"], "x", json!(2)).unwrap(), text);
}

#[test]
fn trap_5_a_tagged_value_is_refused() {
    for text in [
        "a: !!bool true\n",
        "a: !!str x\n",
        "a: !custom {x: 1}\n",
        "a: ! x\n",
        "{a: !!bool true}\n",
    ] {
        assert_eq!(set(text, &[], "a", json!(false)), Err(Reason::Tagged), "{text}");
    }
    refused(
        &template(
            " {name: cp}",
            "\n        - networkName: a\n          dhcp4: !!bool true",
        ),
        "CI209",
    );
}

#[test]
fn trap_6_duplicate_keys_are_refused() {
    assert_eq!(
        set("a: 1\na: 2\n", &[], "a", json!(3)),
        Err(Reason::Duplicate("a".into()))
    );
    assert_eq!(
        set("a: 1\n\"a\": 2\n", &[], "a", json!(3)),
        Err(Reason::Duplicate("a".into()))
    );
    let on_the_way = "a: {b: 1}\na: {b: 2}\n";
    assert!(matches!(
        edit(on_the_way, |tree, editor| editor.set_at(
            tree.root().unwrap(),
            &["a", "b"],
            &json!(3)
        )),
        Err(Reason::Duplicate(_))
    ));
    refused(
        &template(
            " {name: cp}",
            "\n        - networkName: a\n          dhcp4: true\n          dhcp4: true",
        ),
        "CI209",
    );
    refused(
        &template("\n  name: cp\n  labels: {a: b}\n  labels: {c: d}", NIC),
        "CI209",
    );
}

#[test]
fn trap_6_a_duplicate_key_elsewhere_is_left_alone() {
    let text = format!("{}x: 1\nx: 2\n", template(" {name: cp}", NIC));
    let output = run(&text, CHOOSE_CP).expect("a duplicate off the way");
    assert!(output.ends_with("x: 1\nx: 2\n"));
}

#[test]
fn trap_6_a_doubled_value_that_is_right_already_is_still_told() {
    let device = "\n        - networkName: a\n          dhcp4: false\n          dhcp4: true\n          dhcp6: false";
    refused(&template(" {name: cp}", device), "CI209");
}

#[test]
fn trap_7_keys_are_quoted_where_they_must_be() {
    for key in [
        "y", "on", "0644", "null", "~", "a b", "x: y", "#", "<<", "1e3", "- a", "é",
    ] {
        let found = set("a: 1\n", &[], key, json!("v")).unwrap();
        assert_eq!(value(&found).unwrap(), json!({ "a": 1, key: "v" }), "{found:?}");
        let found = set("{a: 1}\n", &[], key, json!("v")).unwrap();
        assert_eq!(value(&found).unwrap(), json!({ "a": 1, key: "v" }), "{found:?}");
    }
}

#[test]
fn trap_8_a_merge_key_behind_the_edited_key_is_refused() {
    let text = "b: &b {dhcp4: true}\na: {dhcp4: true, <<: *b}\n";
    assert_eq!(
        set(text, &["a"], "dhcp4", json!(false)),
        Err(Reason::MergeOverrides("dhcp4".into()))
    );
    let block = "b: &b {dhcp4: true}\na:\n  dhcp4: true\n  <<: [*b]\n";
    assert_eq!(
        set(block, &["a"], "dhcp4", json!(false)),
        Err(Reason::MergeOverrides("dhcp4".into()))
    );
    // A merge behind that does not bring the key is no trouble.
    let other = "b: &b {dhcp6: true}\na: {dhcp4: true, <<: *b}\n";
    assert_eq!(
        set(other, &["a"], "dhcp4", json!(false)).unwrap(),
        "b: &b {dhcp6: true}\na: {dhcp4: false, <<: *b}\n"
    );
}

#[test]
fn trap_8_also_on_the_way_to_the_edited_key() {
    let text = format!("{}x: &x {{spec: {{}}}}\n<<: *x\n", template(" {name: cp}", NIC));
    let run = run(&text, CHOOSE_CP);
    assert!(
        run.text.is_none(),
        "the merge replaces spec, so no NIC is there: {:?}",
        run.text
    );
}

#[test]
fn trap_9_explicit_keys_are_replaced_and_never_inserted_beside() {
    assert_eq!(set("? a\n: true\n", &[], "a", json!(false)).unwrap(), "? a\n: false\n");
    assert!(matches!(
        set("? a\n: true\n", &[], "b", json!(1)),
        Err(Reason::Layout(_))
    ));
    refused(
        &template(
            " {name: cp}",
            "\n        - ? networkName\n          : a\n          ? dhcp4\n          : true",
        ),
        "CI209",
    );
}

#[test]
fn trap_10_flow_shapes_that_cannot_be_extended_are_refused_or_right() {
    for text in [
        "{a: }\n",
        "{a}\n",
        "{ # c\n}\n",
        "{a: 1, b: }\n",
        "{a: 1 # c\n}\n",
        "{\"a\":}\n",
    ] {
        match set(text, &[], "n", json!(1)) {
            Ok(found) => assert_eq!(value(&found).unwrap()["n"], json!(1), "{found:?}"),
            Err(reason) => assert!(
                matches!(reason, Reason::Layout(_) | Reason::Verification(_)),
                "{text}: {reason}"
            ),
        }
    }
    for text in ["- [a: b]\n", "- &x a\n- {*x : 1}\n"] {
        let tree = tree(text);
        let inner = tree
            .all()
            .find(|node| matches!(tree.kind(*node), Kind::Mapping { .. }))
            .unwrap();
        let mut editor = Editor::new(&tree, Limits::default());
        let result = editor.set(inner, "n", &json!(1)).and_then(|()| editor.finish());
        if let Ok(edits) = result {
            let found = edits.splice(text);
            let read = value(&found).unwrap();
            let last = read.as_array().unwrap().last().unwrap().clone();
            let map = last.as_array().map_or(last.clone(), |pair| pair[0].clone());
            assert_eq!(map["n"], json!(1), "{found:?}");
        }
    }
}

#[test]
fn trap_10_a_flow_nic_that_ends_in_an_empty_value_is_refused_or_right() {
    for device in [
        " [{networkName: a, dhcp4: }]",
        " [{dhcp4, networkName: a}]",
        " [{networkName: a, # c\n  dhcp4: true,}]",
    ] {
        let text = template(" {name: cp}", device);
        let run = run(&text, CHOOSE_CP);
        match &run.text {
            Some(output) => assert_eq!(flags(output), (json!(false), json!(false)), "{output}"),
            None => assert!(run.codes().contains(&"CI209"), "{:?}", run.findings),
        }
    }
}

#[test]
fn trap_11_a_tab_before_a_comment_is_an_error_with_its_line() {
    let text = format!("{}\t# c\nx: 1\n", template(" {name: cp}", NIC));
    refused(&text, "CI001");
    let shown = support_text(&run(&text, CHOOSE_CP).findings, &text);
    assert!(shown.contains("input.yaml:12:"), "{shown}");
}

#[test]
fn tabs_behind_content_are_fine_and_stay() {
    let text = template(
        " {name: cp}\t# c",
        "\n        - networkName: a\t# c\n          dhcp4:\ttrue\t# d",
    );
    let output = made_static(&text);
    assert!(output.contains("dhcp4:\tfalse\t# d\n"), "{output}");
}

#[test]
fn trap_12_json_keeps_its_tabs() {
    let text = "{\n\t\"apiVersion\": \"infrastructure.cluster.x-k8s.io/v1beta1\",\n\t\"kind\": \"VSphereMachineTemplate\",\n\t\
                \"metadata\": {\n\t\t\"name\": \"cp\"\n\t},\n\t\"spec\": {\"template\": {\"spec\": {\"network\": {\"devices\": [\n\t\t\t{\n\t\t\t\t\
                \"networkName\": \"a\",\n\t\t\t\t\"dhcp4\": true\n\t\t\t}\n\t\t]}}}}\n}\n";
    let output = made_static(text);
    assert!(output.contains("\n\t\t\t\t\"dhcp6\": false\n"), "{output}");
    assert!(output.contains("\n\t\t\"labels\": {"), "{output}");
    for chunk in chunks(&output).filter(|chunk| !is_bare(chunk.text)) {
        let body = chunk.text.trim_start_matches("---\n");
        assert!(serde_json::from_str::<Value>(body).is_ok(), "{body}");
    }
}

#[test]
fn dhcp_flags_are_read_as_kubectl_reads_them() {
    for word in [
        "yes",
        "on",
        "Yes",
        "y",
        "True",
        "!!str true",
        "\"true\"",
        "null",
        "~",
        "1",
    ] {
        let device = format!("\n        - networkName: a\n          dhcp4: {word}\n          dhcp6: {word}");
        let text = template(" {name: cp}", &device);
        let run = run(&text, CHOOSE_CP);
        match &run.text {
            Some(output) => assert_eq!(flags(output), (json!(false), json!(false)), "{word}"),
            None => assert!(
                word.starts_with("!!") && run.codes().contains(&"CI209"),
                "{word}: {:?}",
                run.findings
            ),
        }
    }
    for word in ["no", "off", "N", "False", "n", "FALSE"] {
        let device = format!("\n        - networkName: a\n          dhcp4: {word}\n          dhcp6: {word}");
        let output = made_static(&template(" {name: cp}", &device));
        assert!(
            output.contains(&format!("dhcp4: {word}\n")),
            "{word} means false already: {output}"
        );
    }
    // A text is not the boolean, even if it looks like one.
    let output = made_static(&template(
        " {name: cp}",
        "\n        - networkName: a\n          dhcp4: \"false\"",
    ));
    assert!(output.contains("dhcp4: false\n"), "{output}");
}

#[test]
fn labels_are_made_filled_or_extended() {
    for metadata in [
        "\n  name: cp",
        "\n  name: cp\n  labels:",
        "\n  name: cp\n  labels: # none",
        "\n  labels: null\n  name: cp",
        "\n  name: cp\n  labels: ~",
        "\n  name: cp\n  labels: {}",
        "\n  name: cp\n  labels: {a: b}",
        "\n  name: cp\n  labels:\n    a: b\n\n  # behind",
        " {name: cp}",
        " {name: cp, labels: {}}",
        " {\"name\":\"cp\"}",
    ] {
        let output = made_static(&template(metadata, NIC));
        let template = values(&output).unwrap().pop().unwrap();
        assert_eq!(
            template["metadata"]["labels"]["cluster.x-k8s.io/ip-pool-name"], "cp-pool",
            "{output}"
        );
    }
}

#[test]
fn the_edit_set_is_sorted_disjoint_and_within_the_text() {
    let text = template("\n  name: cp", NIC);
    let edits = run(&text, CHOOSE_CP).edits.unwrap();
    let mut reached = 0;
    for edit in &edits {
        assert!(edit.range.start >= reached && edit.range.end <= text.len());
        reached = edit.range.end;
    }
}

#[test]
fn a_removed_item_leaves_its_comment_and_the_only_one_leaves_an_empty_list() {
    assert_eq!(
        remove("a:\n# one\n- 1\n# two\n- 2\n", &["a"], 0).unwrap(),
        "a:\n# one\n# two\n- 2\n"
    );
    let found = remove("a:\n# one\n- 1\nb: 2\n", &["a"], 0).unwrap();
    assert_eq!(value(&found).unwrap(), json!({ "a": [], "b": 2 }), "{found:?}");
}

#[test]
fn a_document_is_appended_with_the_streams_line_end() {
    assert_eq!(append("").unwrap(), "kind: N\n");
    assert_eq!(append("a: 1").unwrap(), "a: 1\n---\nkind: N\n");
    assert_eq!(append("a: 1\n").unwrap(), "a: 1\n---\nkind: N\n");
    assert!(append("a: 1\r\n").unwrap().starts_with("a: 1\r\n---\r\n"));
}

#[test]
fn nothing_new_is_written_beside_a_scalar_that_spans_lines() {
    // A plain scalar over two lines directly before the place of the insertion.
    let text = template(
        " {name: cp}",
        "\n        - dhcp4: true\n          networkName: a\n            b",
    );
    let output = run(&text, CHOOSE_CP).expect("a scalar over two lines");
    assert!(
        output.contains("networkName: a\n            b\n          dhcp6: false\n"),
        "{output}"
    );
}

// Limits.

#[test]
fn a_hundred_thousand_brackets_are_an_error_at_once() {
    for count in [100_000, 200_000] {
        for bracket in ["[", "{a: ", "[[{"] {
            let text = format!("# cluster.x-k8s.io\na: {}", bracket.repeat(count));
            let run = quick("brackets", || run(&text, CHOOSE_CP));
            assert_eq!(run.codes(), ["CI001"]);
        }
    }
}

#[test]
fn brackets_in_a_configuration_are_an_error_at_once() {
    let run = quick("brackets", || run("a: 1\n", &"[".repeat(60_000)));
    assert_eq!(run.codes(), ["CI001"]);
}

#[test]
fn three_thousand_nested_mappings_are_an_error() {
    let mut text = "# cluster.x-k8s.io\n".to_owned();
    for depth in 0..3000 {
        text.push_str(&" ".repeat(depth));
        text.push_str("a:\n");
    }
    let run = quick("nested mappings", || run(&text, CHOOSE_CP));
    assert_eq!(run.codes(), ["CI001"]);
}

#[test]
fn fifty_thousand_nested_dashes_are_an_error() {
    let text = format!("# cluster.x-k8s.io\n{}", "- ".repeat(50_000));
    let run = quick("nested dashes", || run(&text, CHOOSE_CP));
    assert_eq!(run.codes(), ["CI001"]);
}

#[test]
fn two_hundred_levels_are_allowed() {
    let text = format!("a: {}{}\n", "[".repeat(150), "]".repeat(150));
    assert!(value(&text).is_ok());
}

fn bomb(levels: usize) -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..levels {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", ")));
    }
    text
}

#[test]
fn an_alias_bomb_is_an_error_at_once() {
    assert!(quick("a bomb", || value(&bomb(9))).is_err());
}

#[test]
fn a_bomb_that_nobody_edits_passes_through() {
    let text = format!("{}---\n{}", template(" {name: cp}", NIC), bomb(12));
    let output = quick("a bomb", || run(&text, CHOOSE_CP).expect("a bomb elsewhere"));
    let edited = output.strip_suffix(&format!("---\n{}", bomb(12))).unwrap();
    assert_eq!(flags(edited), (json!(false), json!(false)));
}

#[test]
fn a_bomb_inside_the_edited_document_is_cheap() {
    let text = format!("{}{}", template(" {name: cp}", NIC), bomb(12));
    quick("a bomb", || {
        let run = run(&text, CHOOSE_CP);
        assert!(
            run.text.is_some() || run.codes().contains(&"CI209"),
            "{:?}",
            run.findings
        );
    });
}

#[test]
fn a_merge_bomb_is_cheap() {
    let mut text = "m0: &m0 {x: 1}\n".to_owned();
    for level in 1..12 {
        let alias = format!("*m{}", level - 1);
        text.push_str(&format!(
            "m{level}: &m{level} {{<<: [{}]}}\n",
            [alias.as_str(); 9].join(", ")
        ));
    }
    text.push_str("apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata: {name: cp}\nspec: *m11\n");
    quick("a merge bomb", || {
        assert!(run(&text, CHOOSE_CP).text.is_none());
    });
}

#[test]
fn a_large_anchor_that_is_used_often_is_an_error_without_the_memory() {
    let text = format!("a: &x {}\nb: [{}]\n", "y".repeat(100_000), vec!["*x"; 20_000].join(","));
    assert!(quick("a large anchor", || value(&text)).is_err());
    let with_template = format!("{}{}", template(" {name: cp}", NIC), text);
    quick("a large anchor", || {
        let run = run(&with_template, CHOOSE_CP);
        assert!(run.text.is_some() || run.codes().contains(&"CI209"));
    });
}

#[test]
fn a_configuration_past_64_kib_is_refused() {
    let run = run("a: 1\n", &format!("{CHOOSE_CP}# {}\n", "x".repeat(65_536)));
    assert_eq!(run.codes(), ["CI005"]);
}

// What libyaml accepts and YAML 1.2 does not.

#[test]
fn continuation_lines_at_the_column_of_the_key_are_accepted() {
    let crd = "spec:\n  description: 'first line of a long text\n  second line at the column of the key'\n  more: 1\n";
    assert_eq!(
        value(crd).unwrap()["spec"]["description"],
        "first line of a long text second line at the column of the key"
    );
    let text = format!("{}{}", template(" {name: cp}", NIC), crd.replace("spec:", "status:"));
    assert!(made_static(&text).ends_with(&crd.replace("spec:", "status:")));
}

#[test]
fn styles_are_told_apart() {
    let tree = tree("a: x\nb: 'x'\nc: \"x\"\nd: |\n  x\ne: >\n  x\n");
    let styles: Vec<Kind> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|key| tree.kind(at(&tree, &[key])))
        .collect();
    let wanted = [
        Style::Plain,
        Style::Single,
        Style::Double,
        Style::Literal,
        Style::Folded,
    ]
    .map(Kind::Scalar);
    assert_eq!(styles, wanted);
}

#[test]
fn several_sources_are_one_manifest_but_anchors_and_edits_stay_apart() {
    let (first, second) = (template(" {name: cp}", NIC), "kind: Other\nx: &x 1\ny: *x\n");
    let sources = [
        Source {
            name: "a",
            text: second,
        },
        Source {
            name: "b",
            text: &first,
        },
    ];
    let configs = capv_ipam::addressing::read_configurations(&[(2, CHOOSE_CP)], &json!({}))
        .ok()
        .unwrap();
    let edits = compute(&sources, &configs, None).edits.unwrap();
    assert!(edits[0].is_empty() && !edits[1].is_empty());
}
