//! The Dockerfile by a linter that knows Docker's practice, and by what kustomize and kpt need: a static program, `nobody`, no shell.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

#[path = "support/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use capv_ipam::krm::definition;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn dockerfile() -> PathBuf {
    root().join("deploy/Dockerfile")
}

/// The instructions, each on one line, without comments.
fn instructions() -> Vec<String> {
    let text = std::fs::read_to_string(dockerfile()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let one_line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.lines().map(one_line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_linter_finds_nothing() {
    let Some(hadolint) = tools::tool("hadolint") else {
        return;
    };
    let output = Command::new(hadolint)
        .arg("--no-color")
        .arg(dockerfile())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_image_holds_what_the_tools_need_and_nothing_else() {
    let instructions = instructions();
    let last = instructions.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    let image = &instructions[last..];
    assert_eq!(image[0], "FROM scratch", "no shell, no libraries");
    assert!(
        !image
            .iter()
            .any(|line| line.starts_with("RUN ") || line.starts_with("CMD ")),
        "{image:?}"
    );
    assert!(image.contains(&"ENTRYPOINT [\"/capv-ipam\"]".to_owned()), "{image:?}");
    assert!(image.contains(&"USER 65534:65534".to_owned()), "{image:?}");
    let text = instructions.join("\n");
    assert!(
        text.contains("nobody:x:65534:65534:"),
        "kustomize and kpt say --user nobody"
    );
    assert!(text.contains("+crt-static") && text.contains("--locked"), "{text}");
}

/// What is copied is there, and is not kept out of the build.
#[test]
fn every_copied_path_is_in_the_repository() {
    let ignored = std::fs::read_to_string(root().join("deploy/Dockerfile.dockerignore")).unwrap();
    let copies: Vec<String> = instructions()
        .into_iter()
        .filter(|line| line.starts_with("COPY ") && !line.contains("--from"))
        .collect();
    assert!(!copies.is_empty());
    for copy in copies {
        let words: Vec<&str> = copy.split(' ').skip(1).collect();
        for path in &words[..words.len() - 1] {
            assert!(root().join(path).exists(), "{path} is not there");
            assert!(
                ignored.lines().any(|line| line == format!("!{path}")),
                "{path} is kept out"
            );
        }
    }
}

/// The toolchain of the image is the one that the package asks for, and the names and tags agree.
#[test]
fn versions_and_descriptions_agree() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let wanted = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))
        .unwrap()
        .trim_end_matches('"');
    assert!(
        instructions()[0].starts_with(&format!("FROM rust:{wanted}.")),
        "{:?}",
        instructions()[0]
    );
    let metadata = std::fs::read_to_string(root().join("deploy/function/metadata.yaml")).unwrap();
    let doc: Value = definition::doc();
    for key in ["image", "description", "license"] {
        let line = format!("{key}: {}", doc[key].as_str().unwrap());
        assert!(metadata.lines().any(|own| own == line), "{line}");
    }
}
