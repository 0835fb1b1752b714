//! Reads every text of the fixtures with Go's reader, the one of kubectl, and holds our values against its values; what we write means the same to both.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

#[path = "support/skipped.rs"]
mod skipped;

use std::path::{Path, PathBuf};
use std::process::Command;

use capv_ipam::yaml::{Limits, Tree, chunks, is_bare};
use serde_json::Value;

/// Builds the Go program; `None` where Go is not installed.
fn reader(folder: &Path) -> Option<PathBuf> {
    let program = folder.join("reader");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go"))
        .output();
    match built {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(program)
        }
        Err(error) => {
            skipped::missing(&format!(
                "Go cannot be run, so nothing is read with its YAML reader: {error}"
            ));
            None
        }
    }
}

/// The documents of a text as this program reads them: a value, or why there is none.
fn ours(text: &str) -> Vec<Result<Value, String>> {
    let limits = Limits::default();
    let documents = chunks(text).filter(|chunk| !is_bare(chunk.text));
    let read = |chunk| {
        let tree = Tree::parse(&chunk, &limits).map_err(|error| error.problem)?;
        let value = |root| tree.value(root, &limits).map_err(|error| error.problem);
        tree.root().map_or(Ok(Value::Null), value)
    };
    documents.map(read).collect()
}

#[test]
fn go_reads_what_this_program_reads() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = reader(folder.path()) else { return };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files: Vec<PathBuf> = std::fs::read_dir(fixtures)
        .unwrap()
        .flat_map(|case| std::fs::read_dir(case.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("input.") || (name.starts_with("expected.") && !name.ends_with(".diff"))
        })
        .collect();
    files.sort();
    let output = Command::new(program).args(&files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(lines.len(), files.len());
    let mut compared = 0;
    for (path, line) in files.iter().zip(&lines) {
        let go: Vec<Value> = serde_json::from_str(line).unwrap();
        let ours = ours(&std::fs::read_to_string(path).unwrap());
        for (index, (value, go)) in ours.iter().zip(&go).enumerate() {
            let place = format!("document {index} of {}", path.display());
            match (value, go.get("error")) {
                (Ok(value), None) => assert_eq!(value, go, "{place}"),
                // Go takes the last of two entries, this program refuses to guess; kubectl's strict mode does too.
                (Err(problem), None) => assert!(problem.contains("occurs twice"), "{place}: {problem}"),
                (Err(_), Some(_)) => break,
                (Ok(_), Some(error)) => panic!("{place}: only Go fails: {error}"),
            }
            compared += 1;
        }
        assert!(ours.len() >= go.len(), "{}: Go reads more documents", path.display());
    }
    assert!(compared > 0);
    println!("{compared} documents of {} files read alike", files.len());
}
