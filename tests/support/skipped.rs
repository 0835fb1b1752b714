//! Says what a test leaves out, past the test runner, which keeps what a test that passes prints; fails where everything is
//! required.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "no test file needs all of it; standard error is there"
)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// Says what is left out, each thing once.
pub(crate) fn say(what: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_new = SAID
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(what.to_owned());
    if is_new {
        // Not by `eprintln!`, which the runner keeps to itself.
        std::io::stderr()
            .write_all(format!("SKIPPED: {what}\n").as_bytes())
            .unwrap();
    }
}

/// The same for what must not be missing where everything is required.
pub(crate) fn missing(what: &str) {
    let required = std::env::var_os("CAPV_IPAM_REQUIRE_ALL").is_some();
    assert!(!required, "required here: {what}");
    say(what);
}
