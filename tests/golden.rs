//! Runs every folder of `fixtures/`: input and configuration give the expected text, the expected diff and the expected report.
//!
//! A folder holds `input.yaml` (or `.json`), `config.yaml`, `README.md`, `report.txt` (findings), and, unless the case is
//! refused, `expected.diff` and `expected.yaml`. `UPDATE_FIXTURES=1 cargo test --test golden` writes them anew; review the diff.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads its cases and says what it found"
)]
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};

use capv_ipam::addressing::read_configurations;
use capv_ipam::check::Finding;
use capv_ipam::objects::Source;
use capv_ipam::outcome::compute;
use capv_ipam::report::{Report, summary, text, unified_diff};
use serde_json::json;

struct Result {
    report: String,
    output: Option<(String, String)>,
}

fn run(name: &str, input: &str, config: &str) -> Result {
    let texts = [(name, input), ("config.yaml", config)];
    let report = |findings: &[Finding]| {
        let body = text(
            &Report {
                findings,
                accepted: &[],
                texts: &texts,
            },
            false,
        );
        format!("{body}{}\n", summary(findings)).trim_start().to_owned()
    };
    let configs = match read_configurations(&[(1, config)], &json!({})) {
        Ok(configs) => configs,
        Err(findings) => {
            return Result {
                report: report(&findings),
                output: None,
            };
        }
    };
    let sources = [Source { name, text: input }];
    let outcome = compute(&sources, &configs, None);
    let output = outcome
        .edits
        .map(|edits| (edits[0].splice(input), unified_diff(name, input, &edits[0])));
    Result {
        report: report(&outcome.findings),
        output,
    }
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    cases
}

fn input_of(case: &Path) -> (String, String) {
    let found = ["input.yaml", "input.json"]
        .into_iter()
        .find(|name| case.join(name).is_file());
    let name = found.unwrap_or_else(|| panic!("{} has no input", case.display()));
    (name.to_owned(), fs::read_to_string(case.join(name)).unwrap())
}

/// Compares, or writes when the expectations are made anew.
fn expect(path: &Path, actual: Option<&str>, failures: &mut Vec<String>) {
    let expected = fs::read_to_string(path).ok();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        match actual {
            Some(actual) => fs::write(path, actual).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    } else if expected.as_deref() != actual {
        failures.push(format!("{}:\n{}", path.display(), actual.unwrap_or("<nothing>")));
    }
}

#[test]
fn every_fixture_gives_what_it_expects() {
    let mut failures = Vec::new();
    let cases = cases();
    for case in &cases {
        let (name, input) = input_of(case);
        let config = fs::read_to_string(case.join("config.yaml")).unwrap();
        assert!(
            case.join("README.md").is_file(),
            "{} says nothing about itself",
            case.display()
        );
        let result = run(&name, &input, &config);
        let expected = format!("expected.{}", name.rsplit('.').next().unwrap());
        expect(&case.join("report.txt"), Some(&result.report), &mut failures);
        expect(
            &case.join("expected.diff"),
            result.output.as_ref().map(|(_, diff)| diff.as_str()),
            &mut failures,
        );
        expect(
            &case.join(expected),
            result.output.as_ref().map(|(text, _)| text.as_str()),
            &mut failures,
        );
    }
    assert!(
        failures.is_empty(),
        "{} expectations differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{} fixtures", cases.len());
}

#[test]
fn a_second_run_changes_nothing() {
    for case in cases() {
        let (name, input) = input_of(&case);
        let config = fs::read_to_string(case.join("config.yaml")).unwrap();
        if let Some((once, _)) = run(&name, &input, &config).output {
            let twice = run(&name, &once, &config);
            let twice = twice
                .output
                .unwrap_or_else(|| panic!("{} is refused the second time:\n{}", case.display(), twice.report));
            assert_eq!(once, twice.0, "{}", case.display());
        }
    }
}

#[test]
fn without_configuration_every_byte_stays() {
    for case in cases() {
        let (name, input) = input_of(&case);
        let sources = [Source {
            name: &name,
            text: &input,
        }];
        if let Some(edits) = compute(&sources, &[], None).edits {
            assert_eq!(edits[0].splice(&input), input, "{}", case.display());
        }
    }
}
