//! Every recorded input: without a configuration the answer is the input byte for byte; with one, only planned bytes differ and every annotation survives.

use std::path::PathBuf;

use serde_json::Value;

use crate::given::{self, CONFIG, call, kpt_items, of_items, part};
use crate::program::Folder;

/// The recorded inputs that lie in the folder, each with its text.
fn recorded() -> Vec<(PathBuf, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/krm");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".stdin.yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    files.iter().map(|path| (path.clone(), text(path))).collect()
}

/// The text of a list without its functionConfig, which is the last key in everything that was recorded.
fn without_config(text: &str) -> &str {
    text.find("\nfunctionConfig:").map_or(text, |at| &text[..=at])
}

fn lists() -> impl Iterator<Item = (PathBuf, String)> {
    let is_list = |(_, text): &(PathBuf, String)| part(text, "kind") == "ResourceList";
    recorded().into_iter().filter(is_list)
}

#[test]
fn without_a_configuration_the_answer_is_the_input() {
    for (path, text) in lists() {
        for text in [
            without_config(&text),
            &format!("{}functionConfig:\n", without_config(&text)),
        ] {
            let ran = call(text);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", path.display());
            assert_eq!(ran.stdout, text, "{}", path.display());
        }
    }
}

#[test]
fn what_kpt_sends_without_a_configuration_is_none() {
    let mut seen = 0;
    for (path, text) in lists() {
        let config = part(&text, "functionConfig");
        if config["kind"] != "ConfigMap" || !config["data"].as_object().is_some_and(serde_json::Map::is_empty) {
            continue;
        }
        let ran = call(&text);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", path.display());
        assert_eq!(ran.stdout, text, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn the_configuration_of_another_function_leaves_the_items_as_they_are() {
    let mut seen = 0;
    for (path, text) in lists() {
        let config = part(&text, "functionConfig");
        if config.is_null() || config["kind"] == "ConfigMap" {
            continue;
        }
        let ran = call(&text);
        assert_eq!(ran.code, 2, "{}", path.display());
        assert!(!ran.stderr.is_empty(), "{}", path.display());
        assert!(ran.stdout.starts_with(&text), "{}", path.display());
        let result = &part(&ran.stdout, "results")[0];
        assert_eq!(result["severity"], "error");
        assert_eq!(result["resourceRef"]["kind"], config["kind"]);
        assert!(
            result["message"].as_str().unwrap().contains("StaticAddressing"),
            "{result}"
        );
        seen += 1;
    }
    assert!(seen > 0);
}

/// Adds our cluster to what was recorded, so that something is to be done between items of every style.
#[test]
fn beside_every_recorded_item_only_planned_bytes_differ() {
    for (path, text) in lists() {
        if path.to_string_lossy().contains("dupkey") || path.to_string_lossy().contains("style-zoo") {
            // A key that occurs twice is an error; see `refusals`.
            continue;
        }
        let bare = without_config(&text);
        let Some(at) = bare.find("\nitems:\n").map(|at| at + "\nitems:\n".len()) else {
            // `items: []`
            continue;
        };
        let ours = kpt_items();
        for (before, after) in [(ours.as_str(), &bare[at..]), (&bare[at..], ours.as_str())] {
            let input = format!("{}{before}{after}{CONFIG}", &bare[..at]);
            let ran = call(&input);
            assert_eq!(ran.code, 0, "{}: {}", path.display(), ran.stderr);
            assert!(
                ran.stdout.contains(&bare[at..]),
                "{}: a recorded item changed",
                path.display()
            );
            given::is_addressed(&ran.stdout);
            keeps_every_annotation(&input, &ran.stdout);
        }
    }
}

/// Every annotation of every item is there afterwards, with its value.
fn keeps_every_annotation(before: &str, after: &str) {
    let annotations = |text: &str| -> Vec<Value> {
        let kinds = of_items(text, &["kind"]).into_iter();
        let annotations = kinds.zip(of_items(text, &["metadata", "annotations"]));
        annotations
            .filter(|(kind, _)| kind != "IPPool")
            .map(|(_, annotations)| annotations)
            .collect()
    };
    assert_eq!(annotations(before), annotations(after));
}

#[test]
fn bare_documents_of_the_plugin_form_are_no_list() {
    let mut seen = 0;
    for (path, text) in recorded() {
        if part(&text, "kind") == "ResourceList" {
            continue;
        }
        let ran = Folder::new().pipe(&["fn"], &text);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", path.display());
        assert!(ran.stderr.contains("no ResourceList"), "{}", ran.stderr);
        seen += 1;
    }
    assert!(seen > 0);
}
