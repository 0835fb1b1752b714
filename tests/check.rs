//! Runs every folder of `tests/checks/` through `capv-ipam check`: what it prints, and with which exit code it ends.
//!
//! A folder is called after the code that it is about. It holds `input.yaml`, whose first line says in a comment what it shows,
//! `config.yaml` and `state.yaml` if the case has them, and `findings.txt`. `UPDATE_FIXTURES=1 cargo test --test check` writes
//! the findings anew; review the diff.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test reads its cases and says what it found"
)]
#![cfg(feature = "cli")]

#[path = "support/skipped.rs"]
mod skipped;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use capv_ipam::check::codes;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(root().join("tests/checks"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

/// Runs a check in a case's folder, so that the places name its files.
fn check(case: &Path, form: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capv-ipam"));
    command.current_dir(case).env_clear().env("NO_COLOR", "1");
    command.args(["check", "-f", "input.yaml"]);
    for (file, flag) in [("config.yaml", "--config"), ("state.yaml", "--state")] {
        if case.join(file).is_file() {
            command.args([flag, file]);
        }
    }
    command.args(form).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_case_gives_what_it_expects() {
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let mut failures = Vec::new();
    let cases = cases();
    for case in &cases {
        let ran = check(case, &[]);
        let found = format!("{}exit code {}\n", text(&ran.stdout), ran.status.code().unwrap());
        assert!(ran.stderr.is_empty(), "{}: {}", name(case), text(&ran.stderr));
        let path = case.join("findings.txt");
        if update {
            fs::write(&path, &found).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&*found) {
            failures.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{} cases", cases.len());
}

#[test]
fn every_case_shows_the_code_that_it_is_called_after() {
    for case in cases() {
        let findings = fs::read_to_string(case.join("findings.txt")).unwrap_or_default();
        let (code, what) = name(&case).split_once('-').expect("a code and a name");
        let shown = findings.contains(&format!("[{}]", code.to_uppercase()));
        // A case that ends in `-fine` shows what is no finding.
        assert_eq!(shown, !what.ends_with("-fine"), "{}:\n{findings}", name(&case));
        let input = fs::read(case.join("input.yaml")).unwrap();
        let comment = input.starts_with(b"# ") || code == "ci002" || code == "ci003";
        assert!(comment, "{} does not say what it shows", name(&case));
        for entry in fs::read_dir(&case).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let known = ["input.yaml", "config.yaml", "state.yaml", "findings.txt"];
            assert!(
                known.contains(&file.as_str()),
                "{}/{file} is read by no test",
                name(&case)
            );
        }
    }
}

/// The codes from CI500 on are those of other verbs, which have their own cases.
#[test]
fn every_code_has_a_case_that_raises_it() {
    let all: String = cases()
        .iter()
        .map(|case| fs::read_to_string(case.join("findings.txt")).unwrap_or_default())
        .collect();
    let of_check = codes::ALL.iter().map(|code| code.id).filter(|id| *id < "CI500");
    let missing: Vec<&str> = of_check.filter(|id| !all.contains(&format!("[{id}]"))).collect();
    assert!(missing.is_empty(), "no case raises {missing:?}");
}

#[test]
fn the_documentation_lists_every_code() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capv-ipam"));
    let page = text(&command.args(["explain", "-o", "markdown"]).output().unwrap().stdout);
    let path = root().join("docs/findings.md");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        written == page,
        "docs/findings.md is not what `capv-ipam explain -o markdown` prints"
    );
}

/// The table of `tests/checks/README.md` that says where the known traps of the manual way are found.
#[test]
fn every_known_trap_has_a_row_whose_codes_and_cases_exist() {
    let table = fs::read_to_string(root().join("tests/checks/README.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| C") || line.starts_with("| S"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let wanted = (1..=18)
        .map(|n| format!("C{n:02}"))
        .chain((1..=30).map(|n| format!("S{n:02}")));
    for id in wanted {
        let row = rows
            .iter()
            .find(|row| row[0] == id)
            .unwrap_or_else(|| panic!("{id} has no row"));
        assert_eq!(row.len(), 4, "{row:?}");
        let codes_of_row: Vec<&str> = row[2].split(", ").filter(|code| code.starts_with("CI")).collect();
        for code in &codes_of_row {
            assert!(codes::find(code).is_some(), "{id}: {code} is no code");
        }
        for test in row[3].split(", ").filter(|test| !test.is_empty()) {
            let exists = root().join("tests/checks").join(test).is_dir()
                || root().join("fixtures").join(test).is_dir()
                || root().join("tests").join(test).is_file();
            assert!(exists, "{id}: there is no {test}");
        }
        assert!(
            !row[3].is_empty() || codes_of_row.is_empty(),
            "{id} has codes and no case"
        );
    }
}

/// SARIF as GitHub's code scanning takes it: valid, relative places that are in the file, every result with its rule.
#[test]
fn sarif_of_every_case_is_valid_and_points_into_the_files() {
    let schema = root().join("../shared/schemas/sarif-schema-2.1.0.json");
    let validator = fs::read_to_string(&schema).ok().map(|text| {
        let schema: Value = serde_json::from_str(&text).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    if validator.is_none() {
        skipped::missing("the schema of SARIF is not at hand, so SARIF is not validated");
    }
    for case in cases() {
        let log: Value = serde_json::from_slice(&check(&case, &["-o", "sarif"]).stdout).unwrap();
        if let Some(validator) = &validator {
            let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", name(&case));
        }
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(run["columnKind"], "utf16CodeUnits");
        let mut prints = BTreeSet::new();
        for result in run["results"].as_array().unwrap() {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let print = result["partialFingerprints"]["primaryLocationLineHash"]
                .as_str()
                .unwrap();
            assert!(prints.insert(print.to_owned()), "{}: {print} twice", name(&case));
            for location in result["locations"].as_array().unwrap() {
                let place = &location["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                assert!(!uri.starts_with('/') && !uri.contains("://"), "{uri}");
                let file = fs::read(case.join(uri)).unwrap();
                let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
                let line = place["region"]["startLine"].as_u64().unwrap() as usize;
                let column = place["region"]["startColumn"].as_u64().unwrap() as usize;
                assert!((1..=lines.len()).contains(&line), "{}: {uri}:{line}", name(&case));
                let length = String::from_utf8_lossy(lines[line - 1]).encode_utf16().count();
                assert!(
                    (1..=length + 1).contains(&column),
                    "{}: {uri}:{line}:{column}",
                    name(&case)
                );
            }
        }
        for rule in rules {
            assert!(rule["help"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        }
    }
}
