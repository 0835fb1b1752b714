//! Takes a saved plan and changes it by hand, shows that every change that would make a comparison wrong is refused at its
//! place, with what to do.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads its files and says what it found"
)]
#![cfg(feature = "cli")]

use std::fs;
use std::process::Command;

const ARGUMENTS: [&str; 5] = [
    "plan",
    "-f",
    "examples/quickstart/cluster.yaml",
    "--config",
    "examples/quickstart/addressing.yaml",
];

fn run(more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capv-ipam"));
    let output = command
        .args(ARGUMENTS)
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Exit code, output and error of a comparison with this text.
fn against(plan: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.yaml");
    fs::write(&file, plan).unwrap();
    let (code, out, err) = run(&["--against", file.to_str().unwrap(), "--report", "json=/dev/null"]);
    (code, out, err.replace(file.to_str().unwrap(), "plan.yaml"))
}

fn saved() -> String {
    run(&["-o", "yaml"]).1
}

#[test]
fn a_plan_that_was_saved_is_equal_to_itself() {
    assert_eq!((0, String::new()), (against(&saved()).0, against(&saved()).1));
    let json = run(&["-o", "json"]).1;
    assert_eq!(against(&json).0, 0);
}

#[test]
fn what_a_hand_has_changed_is_refused_at_its_place() {
    let plan = saved();
    let replaced = |old: &str, new: &str| {
        assert!(plan.contains(old), "{old}");
        plan.replacen(old, new, 1)
    };
    let cases = [
        (String::new(), "the file is empty"),
        ("- a\n".into(), "this is no AddressPlan"),
        (
            fs::read_to_string("examples/quickstart/addressing.yaml").unwrap(),
            "this is a StaticAddressing, not an AddressPlan",
        ),
        (replaced("kind: AddressPlan", "kind: [AddressPlan"), "not YAML"),
        (
            replaced("capv-ipam.dev/v1alpha1", "capv-ipam.dev/v1"),
            "the plan has the version capv-ipam.dev/v1; this program reads",
        ),
        (format!("{plan}---\n{plan}"), "a second document follows"),
        (replaced("replicas: 3", "replicas: three"), "invalid type"),
        (
            replaced("replicas: 3", "replicas: 4"),
            "has 4 replicas and 3 slots for them",
        ),
        (
            replaced("address: 15.235.38.172", "adress: 15.235.38.172"),
            "the key \"adress\" is not one of a plan",
        ),
        (
            replaced("address: 15.235.38.172", "address: 15.235.38.99"),
            "15.235.38.99 of the slot control-plane-1 is not among the addresses",
        ),
        (
            replaced("address: 15.235.38.172", "address: 15.235.38.173"),
            "15.235.38.173 is given to the slot control-plane-2",
        ),
        (
            replaced("address: 15.235.38.172", "address: 15.235.38.0172"),
            "is not an IP address",
        ),
        (
            replaced("certainty: set", "certainty: exact"),
            "is exact and has no address",
        ),
    ];
    for (text, expected) in cases {
        let (code, out, err) = against(&text);
        assert_eq!((code, out.as_str()), (2, ""), "{expected}");
        let place = err
            .strip_prefix("error: plan.yaml:")
            .unwrap_or_else(|| panic!("{expected}: {err}"));
        assert!(place.starts_with(|first: char| first.is_ascii_digit()), "{err}");
        assert!(err.contains(expected) && err.contains("; "), "{expected}: {err}");
    }
}
