//! Takes the records of `tests/vectors/metal3.yaml`, runs every one of them against the allocation core and prints how many
//! of each type it ran; any other file of that form can be put in its place.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test says what it found"
)]

#[path = "metal3/admission.rs"]
mod admission;
#[path = "metal3/allocation.rs"]
mod allocation;
#[path = "metal3/scenario.rs"]
mod scenario;
#[path = "metal3/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde_yaml::Value;

const TYPES: [&str; 9] = [
    "render",
    "size",
    "name",
    "allocate",
    "scenario",
    "webhook-create",
    "webhook-update",
    "webhook-claim",
    "webhook-address",
];

/// One record, or one of its parts: look-ups that fail loudly.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a>(&'a Value);

impl<'a> Record<'a> {
    fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key)
    }

    fn text(self, key: &str) -> Option<String> {
        self.get(key).map(text)
    }

    fn read<T: serde::de::DeserializeOwned + Default>(self, key: &str) -> Result<T, String> {
        match self.get(key) {
            None => Ok(T::default()),
            Some(value) => serde_yaml::from_value(value.clone()).map_err(|e| format!("{key}: {e}")),
        }
    }

    /// Every key must be one that the runner looks at: nothing in a record goes unchecked.
    fn only(self, keys: &[&str]) -> Result<(), String> {
        let map = self.0.as_mapping().ok_or("not a map")?;
        match map.keys().map(text).find(|key| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(format!("unknown key {key}")),
        }
    }

    /// What we are held to: `expect_ours` replaces `expect` as a whole.
    fn expectation(self) -> Option<&'a Value> {
        self.get("expect_ours").or(self.get("expect"))
    }
}

/// A scalar as the text that its writer meant.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).expect("a scalar").trim().into(),
    }
}

fn check_equal<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> Result<(), String> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{what}: got {got:?}, wanted {wanted:?}"))
}

fn run(record: Record<'_>) -> Result<(), String> {
    match record.text("type").as_deref() {
        Some("render") => allocation::render(record),
        Some("size") => allocation::size(record),
        Some("name") => allocation::name(record),
        Some("allocate") => allocation::allocate(record),
        Some("scenario") => scenario::run(record),
        Some("webhook-create") => admission::create_pool(record),
        Some("webhook-update") => admission::update_pool(record),
        Some("webhook-claim") => admission::claim(record),
        Some("webhook-address") => admission::address(record),
        other => Err(format!("type {other:?} is unknown")),
    }
}

#[test]
fn every_record_holds() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/metal3.yaml");
    let text = std::fs::read_to_string(&file).expect("the vector file");
    let records: Vec<Value> = serde_yaml::from_str(&text).expect("a list of records");
    let mut counts: BTreeMap<String, usize> = TYPES.iter().map(|t| ((*t).into(), 0)).collect();
    let mut failures = Vec::new();
    for value in &records {
        let record = Record(value);
        *counts.entry(record.text("type").unwrap_or_default()).or_default() += 1;
        if let Err(failure) = run(record) {
            failures.push(format!("{}: {failure}", record.text("id").unwrap_or_default()));
        }
    }
    // Written past the harness, which keeps what a passing test prints to itself.
    let mut out = std::io::stderr();
    for (kind, count) in &counts {
        writeln!(out, "{kind}: {count}").expect("standard error is open");
    }
    assert!(!records.is_empty(), "{} has no record", file.display());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
