//! Runs every folder of `tests/allocate/`: the objects give the expected objects, table, findings and exit code, in any order
//! of the documents; what is printed fits the CRDs where they are at hand; and what is printed, applied, leaves nothing to do.
//!
//! A folder holds `input.yaml`, which says in its first lines what it shows, and perhaps `arguments`, one a line.
//! `UPDATE_FIXTURES=1 cargo test --test allocate` writes the others anew; review the diff.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test reads its cases and says what it found"
)]
#![cfg(feature = "cli")]

#[path = "support/skipped.rs"]
mod skipped;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize as _;
use serde_json::{Value, json};

const NOW: &str = "2026-02-01T00:00:00Z";

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/allocate");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.iter().all(|case| case.is_dir()));
    cases
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn allocate(case: &Path, arguments: &[&str], input: Option<&str>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capv-ipam"));
    command.arg("allocate").args(["--now", NOW]).args(arguments);
    command.env("NO_COLOR", "1").env("COLUMNS", "100").current_dir(case);
    command.args(["-f", if input.is_some() { "-" } else { "input.yaml" }]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.unwrap_or_default().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn arguments(case: &Path) -> Vec<String> {
    let text = fs::read_to_string(case.join("arguments")).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

fn with<'a>(arguments: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    more.iter()
        .copied()
        .chain(arguments.iter().map(String::as_str))
        .collect()
}

/// Every object of a stream, items of lists too.
fn objects(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
    let items = documents.flat_map(|document| match document.get("items") {
        Some(items) => items.as_array().unwrap().clone(),
        None => vec![document],
    });
    items.filter(|object| !object.is_null()).collect()
}

fn stream(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

#[test]
fn every_case_gives_what_is_expected() {
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let mut failures = Vec::new();
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let more = arguments(&case);
        let yaml = allocate(&case, &with(&more, &[]), None);
        let table = allocate(&case, &with(&more, &["-o", "wide"]), None);
        assert_eq!(yaml.code, table.code, "{name}: the form changes the exit code");
        let report = format!("exit code {}\n\n{}", yaml.code, yaml.err);
        for (file, got) in [
            ("expected.yaml", yaml.out),
            ("table.txt", table.out),
            ("report.txt", report),
        ] {
            let path = case.join(file);
            if update {
                fs::write(&path, &got).unwrap();
            }
            let wanted = fs::read_to_string(&path).unwrap_or_default();
            if wanted != got {
                failures.push(format!("{name}/{file}: wanted\n{wanted}\ngot\n{got}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_order_of_the_documents_does_not_matter() {
    for case in cases() {
        let more = arguments(&case);
        let mut objects = objects(&fs::read_to_string(case.join("input.yaml")).unwrap());
        let first = allocate(&case, &with(&more, &["-o", "json"]), Some(&stream(&objects)));
        for _ in 0..3 {
            objects.reverse();
            let turn = objects.len() / 3;
            objects.rotate_left(turn);
            let other = allocate(&case, &with(&more, &["-o", "json"]), Some(&stream(&objects)));
            assert_eq!(first.out, other.out, "{}", case.display());
            assert_eq!(first.code, other.code, "{}", case.display());
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
        assert_eq!(
            first.out,
            allocate(&case, &with(&more, &["-o", "json"]), Some(&list)).out
        );
    }
}

/// What is printed stands for what the controllers write; with that in the cluster there is nothing left to write.
#[test]
fn what_is_printed_leaves_nothing_to_do() {
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        // A deleted claim goes, and an object that stands there twice cannot be replaced.
        if ["deleted", "contradictions"].contains(&&*name) {
            continue;
        }
        let given = fs::read_to_string(case.join("input.yaml")).unwrap();
        let printed = fs::read_to_string(case.join("expected.yaml")).unwrap();
        let key = |object: &Value| {
            let metadata = &object["metadata"];
            json!([
                object["apiVersion"],
                object["kind"],
                metadata["namespace"],
                metadata["name"]
            ])
        };
        let printed = objects(&printed);
        let mut all = objects(&given);
        all.retain(|object| printed.iter().all(|other| key(other) != key(object)));
        all.extend(printed);
        let again = allocate(&case, &[], Some(&stream(&all)));
        assert_eq!(again.out, "", "{name}: {}", again.err);
    }
}

/// The schema of a kind and version, with what JSON Schema does not know taken out.
fn schema(crds: &Path, object: &Value) -> Option<Value> {
    let (group, version) = object["apiVersion"].as_str()?.split_once('/')?;
    let kind = object["kind"].as_str()?;
    for set in ["new", "old"] {
        for file in fs::read_dir(crds.join(set)).ok()? {
            let text = fs::read_to_string(file.ok()?.path()).ok()?;
            let crd: Value = serde_yaml::from_str(&text).ok()?;
            if crd["spec"]["group"] != group || crd["spec"]["names"]["kind"] != kind {
                continue;
            }
            let versions = crd["spec"]["versions"].as_array()?;
            if let Some(found) = versions.iter().find(|known| known["name"] == version) {
                let mut schema = found["schema"]["openAPIV3Schema"].clone();
                close(&mut schema);
                return Some(schema);
            }
        }
    }
    None
}

/// An unknown field is an error: the API server would drop it.
fn close(schema: &mut Value) {
    if let Some(map) = schema.as_object_mut() {
        if map.contains_key("properties") && !map.contains_key("additionalProperties") {
            map.insert("additionalProperties".into(), json!(false));
        }
        map.values_mut().for_each(close);
    } else if let Some(items) = schema.as_array_mut() {
        items.iter_mut().for_each(close);
    }
}

#[test]
fn what_is_printed_fits_the_crds() {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/crds");
    if !crds.is_dir() {
        skipped::missing("the CRDs of metal3, Cluster API and the in-cluster provider are not at hand");
        return;
    }
    let mut checked = 0;
    for case in cases() {
        for object in objects(&fs::read_to_string(case.join("expected.yaml")).unwrap()) {
            let Some(schema) = schema(&crds, &object) else {
                // A v1alpha1 InClusterIPPool, say, has no CRD here.
                panic!("no schema for {} {}", object["apiVersion"], object["kind"]);
            };
            let mut object = object;
            object["metadata"] = json!({});
            let validator = jsonschema::validator_for(&schema).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&object)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            let refused_by_intent = case.ends_with("odd-pools") || case.ends_with("refusals");
            assert!(
                errors.is_empty() || refused_by_intent && object["kind"] == "IPPool",
                "{}: {object:#}\n{errors:?}",
                case.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} objects were checked");
}
