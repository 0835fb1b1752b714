//! Runs the scripts of the continuous-integration examples as they stand in their files, and the files that the container examples need.
#![cfg(all(feature = "cli", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod support;
#[path = "support/tools.rs"]
mod tools;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use support::value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Value {
    value(&std::fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

/// A folder with a copy of the examples, as a job checks them out.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(root().join("examples"))
        .arg(folder.path())
        .status();
    assert!(copied.unwrap().success());
    folder
}

/// Runs a script in a checkout as a job does; `None` where kustomize is missing.
fn job(script: &str, site: &str, folder: &Path) -> Option<Output> {
    tools::tool("kustomize")?;
    let mut command = Command::new("bash");
    command
        .args(["-e", "-o", "pipefail", "-c", script])
        .current_dir(folder)
        .env("PATH", tools::path())
        .env("SITE", site)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"));
    Some(command.output().unwrap())
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The script of the job, and the file with the table of addresses.
fn scripts() -> [(String, &'static str); 2] {
    let github = read("examples/ci/github.yml");
    let steps = github["jobs"]["addresses"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == "addresses").unwrap();
    let gitlab = read("examples/ci/gitlab.yml");
    let lines = gitlab["addresses"]["script"].as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    [
        (step["run"].as_str().unwrap().to_owned(), "summary.md"),
        (lines.join("\n"), "addresses.md"),
    ]
}

#[test]
fn a_job_passes_and_shows_the_addresses() {
    for (script, table) in scripts() {
        let folder = checkout();
        let Some(output) = job(&script, "examples/kustomize/sites/north", folder.path()) else {
            return;
        };
        assert!(output.status.success(), "{}", text(&output));
        let table = std::fs::read_to_string(folder.path().join(table)).unwrap();
        assert!(table.contains("192.0.2.10"), "{table}");
    }
}

#[test]
fn a_job_fails_and_says_why() {
    for (script, _) in scripts() {
        // The build itself finds an error.
        let folder = checkout();
        let Some(broken) = job(&script, "examples/kustomize/sites/broken", folder.path()) else {
            return;
        };
        assert!(!broken.status.success());
        assert!(text(&broken).contains("CI303"), "{}", text(&broken));
        // The build left the function out.
        let silent = script.replace("--enable-alpha-plugins --enable-exec", "--enable-alpha-plugins");
        let folder = checkout();
        let skipped = job(&silent, "examples/kustomize/sites/north", folder.path()).unwrap();
        assert!(!skipped.status.success());
        assert!(text(&skipped).contains("+kind: IPPool"), "{}", text(&skipped));
        // The addresses are not those that were agreed.
        let folder = checkout();
        let addressing = folder.path().join("examples/kustomize/sites/north/addressing.yaml");
        let other = std::fs::read_to_string(&addressing)
            .unwrap()
            .replace("192.0.2.10-", "192.0.2.11-");
        std::fs::write(&addressing, other).unwrap();
        let changed = job(&script, "examples/kustomize/sites/north", folder.path()).unwrap();
        assert!(!changed.status.success());
        assert!(text(&changed).contains("192.0.2.11"), "{}", text(&changed));
    }
}

#[test]
fn the_second_site_has_one_pool_that_both_functions_know() {
    let folder = checkout();
    let script = "kustomize build --enable-alpha-plugins --enable-exec $SITE > built.yaml; grep -c '^kind: InClusterIPPool' built.yaml; \
                  capv-ipam transform -f built.yaml --config $SITE/addressing.yaml --diff";
    let Some(output) = job(script, "examples/kustomize/sites/south", folder.path()) else {
        return;
    };
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
}
