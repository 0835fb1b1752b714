//! Holds plans and their steps to recordings of real controllers: every pair NAME.yaml and NAME.tsv of tests/vectors/timelines.
//!
//! Each recording is compared twice: with the plan of its manifest and all its events one after the other, and, for each
//! event, with what is played from what was really held before it.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test says what it found"
)]

#[path = "timelines/pair.rs"]
mod pair;
#[path = "timelines/recording.rs"]
mod recording;
#[path = "timelines/shape.rs"]
mod shape;
#[path = "timelines/written.rs"]
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pair::{Compared, Pair};
use recording::Recording;
use shape::Shape;

/// The names that have a YAML and a table; one without the other fails.
fn pairs(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut names: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder of the recordings") {
        let path = entry.expect("an entry").path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("yaml" | "tsv")) {
            *names.entry(path.with_extension("")).or_default() += 1;
        }
    }
    let name = |(path, count): (PathBuf, usize)| {
        assert_eq!(count, 2, "{} has not both a .yaml and a .tsv", path.display());
        let with = |extension: &str| PathBuf::from(format!("{}.{extension}", path.display()));
        (with("yaml"), with("tsv"))
    };
    names.into_iter().map(name).collect()
}

/// Compares one recording.
fn compare(yaml: &str, tsv: &str, compared: &mut Compared) -> Result<(), String> {
    let shape = Shape::read(yaml)?;
    let names: Vec<&str> = shape.groups.iter().map(|group| &*group.name).collect();
    let recording = Recording::read(tsv, &names)?;
    compared.rows += recording.rows;
    compared.pairs += 1;
    let mut pair = Pair {
        shape: &shape,
        recording: &recording,
        compared,
    };
    pair.run()
}

#[test]
fn every_recording_agrees_with_its_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/timelines");
    let mut compared = Compared::default();
    let mut failures = Vec::new();
    for (yaml, tsv) in pairs(&folder) {
        let read = |path: &Path| std::fs::read_to_string(path).expect("a recording");
        if let Err(failure) = compare(&read(&yaml), &read(&tsv), &mut compared) {
            failures.push(format!("{}: {failure}", yaml.display()));
        }
    }
    println!("{compared:?}");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(
        compared.pairs > 0 && compared.exact > 0 && compared.in_sets > 0,
        "nothing was compared: {compared:?}"
    );
}

#[test]
fn a_recording_that_contradicts_the_plan_is_noticed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/timelines");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a recording");
    let yaml = read("5-metal3-exact-surge0.yaml");
    let tsv = read("5-metal3-exact-surge0.tsv");
    let (rollout, table) = (read("b-incluster-3-rollout.yaml"), read("b-incluster-3-rollout.tsv"));
    let fails = |yaml: &str, tsv: &str, part: &str| {
        let failure = compare(yaml, tsv, &mut Compared::default()).expect_err(part);
        assert!(failure.contains(part), "{failure}");
    };
    // Another address for a machine whose address was exact, at the start and after a roll-out.
    fails(
        &yaml,
        &tsv.replace("10.5.0.11/24 for c5-ss8hd", "10.5.0.12/24 for c5-ss8hd"),
        "was said",
    );
    fails(
        &yaml,
        &tsv.replace("10.5.0.10/24 for c5-j49vh", "10.5.0.12/24 for c5-j49vh"),
        "was said to hold",
    );
    // An address outside a set.
    fails(
        &rollout,
        &table.replace("10.1.0.12/24", "10.1.0.17/24"),
        "is not in the set",
    );
    fails(&rollout, &table.replace("10.1.0.15/24", "10.1.0.16/24"), "10.1.0.16");
    // What gets stuck, where, and what it needs.
    fails(&yaml.replace("needed: 3", "needed: 4"), &tsv, "needed: Some(4)");
    fails(&yaml.replace("stuck: wpool", "stuck: cpool"), &tsv, "cpool");
    fails(&yaml.replace("surge: 0", "surge: 1"), &tsv, "said to be stuck");
    fails(
        &yaml.replace("{stuck: wpool, needed: 3}", "done"),
        &tsv,
        "was said to be stuck",
    );
    // What the runner does not know.
    fails(&yaml.replace("binding:", "colour: red\nbinding:"), &tsv, "colour");
    fails(
        &yaml.replace("event: delete=c5,", "event: explode=c5,"),
        &tsv,
        "there is no event explode",
    );
    fails(
        &yaml,
        &tsv.replace("\tbootstrapData\t", "\tbootstrap\t"),
        "an event that nobody knows",
    );
}

#[test]
fn several_nics_and_the_label_are_compared_too() {
    for (name, yaml, tsv, exact) in [
        ("two NICs on two pools", written::TWO_NICS, written::two_nics(), 16),
        ("a pool by its label", written::LABEL, written::label(), 4),
    ] {
        let mut compared = Compared::default();
        compare(yaml, &tsv, &mut compared).unwrap_or_else(|failure| panic!("{name}: {failure}"));
        println!("{name}: {compared:?}");
        assert_eq!(compared.exact, exact, "{name}: {compared:?}");
        // The last address that was given out becomes one that nobody foresaw.
        let at = tsv.rfind("10.0.0.1").expect("an address");
        let other = format!("{}10.0.0.17{}", &tsv[..at], &tsv[at + "10.0.0.10".len()..]);
        compare(yaml, &other, &mut Compared::default()).expect_err(name);
    }
}
