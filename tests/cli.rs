//! Runs the documentation: every command block of the README, of `docs`, of the examples, and of the command reference in `tests/cmd`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]
#![cfg(feature = "cli")]

#[path = "support/tools.rs"]
mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Colours and widths do not depend on who runs the tests.
fn cases() -> trycmd::TestCases {
    let cases = trycmd::TestCases::new();
    cases.env("NO_COLOR", "1").env("COLUMNS", "100");
    // kustomize and kpt start the program by its name.
    cases.env("PATH", tools::path().to_str().unwrap());
    for tool in ["kustomize", "kpt"] {
        cases.register_bin(
            tool,
            tools::tool(tool).map_or(trycmd::schema::Bin::Ignore, trycmd::schema::Bin::Path),
        );
    }
    cases
}

#[test]
fn the_command_reference_is_current() {
    cases().case("tests/cmd/*.trycmd");
}

#[test]
fn the_documentation_runs() {
    let cases = cases();
    for pattern in [
        "README.md",
        "docs/*.md",
        "examples/README.md",
        "examples/*/README.md",
        "examples/*/*/README.md",
    ] {
        cases.case(pattern);
    }
}

#[test]
fn every_verb_has_its_reference() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_capv-ipam"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let verbs: BTreeSet<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.contains("transform"), "{help}");
    for verb in verbs {
        let reference = root().join(format!("tests/cmd/{verb}.trycmd"));
        let text = fs::read_to_string(&reference).unwrap_or_else(|_| panic!("{} is missing", reference.display()));
        assert!(
            text.contains(&format!("$ capv-ipam {verb} --help")),
            "{} has no help",
            reference.display()
        );
    }
}

#[test]
fn every_fixture_has_what_the_golden_tests_read() {
    for entry in fs::read_dir(root().join("fixtures")).unwrap() {
        let case = entry.unwrap().path();
        assert!(
            case.is_dir(),
            "{} is no fixture folder, so no test reads it",
            case.display()
        );
        let names: BTreeSet<String> = fs::read_dir(&case)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let known = [
            "README.md",
            "config.yaml",
            "report.txt",
            "input.yaml",
            "input.json",
            "expected.yaml",
            "expected.json",
            "expected.diff",
        ];
        for name in &names {
            assert!(
                known.contains(&name.as_str()),
                "{}/{name} is read by no test",
                case.display()
            );
        }
        for name in ["README.md", "config.yaml", "report.txt"] {
            assert!(names.contains(name), "{} has no {name}", case.display());
        }
        let expected = names
            .iter()
            .any(|name| name.starts_with("expected.") && name != "expected.diff");
        assert_eq!(
            expected,
            names.contains("expected.diff"),
            "{}: text and diff go together",
            case.display()
        );
    }
}

#[test]
fn every_code_of_the_fixtures_is_explained() {
    let explain = std::process::Command::new(env!("CARGO_BIN_EXE_capv-ipam"))
        .arg("explain")
        .output()
        .unwrap();
    let explain = String::from_utf8(explain.stdout).unwrap();
    for entry in fs::read_dir(root().join("fixtures")).unwrap() {
        let report = fs::read_to_string(entry.unwrap().path().join("report.txt")).unwrap_or_default();
        for line in report.lines() {
            if let Some(code) = line.split_once("[CI").and_then(|(_, rest)| rest.split(']').next())
                && ["error", "warning", "info"].iter().any(|word| line.starts_with(word))
            {
                assert!(explain.contains(&format!("CI{code}")), "CI{code} is not explained");
            }
        }
    }
}

#[test]
fn every_code_has_an_explanation_of_its_own() {
    for code in capv_ipam::check::codes::ALL {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_capv-ipam"))
            .args(["explain", &code.id.to_lowercase()])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && text.starts_with(code.id) && text.contains(code.cure),
            "{text}"
        );
    }
}

#[test]
fn completion_and_man_page_know_every_verb() {
    for arguments in [
        &["man"][..],
        &["completion", "bash"],
        &["completion", "zsh"],
        &["completion", "fish"],
        &["completion", "elvish"],
        &["completion", "powershell"],
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_capv-ipam"))
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        for word in ["transform", "explain", "completion"] {
            assert!(text.contains(word), "{arguments:?} does not know {word}");
        }
        assert!(
            text.contains("kube-vip") || text.contains("kube\\-vip"),
            "{arguments:?} does not know the flags"
        );
    }
}
