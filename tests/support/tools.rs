//! Finds the real tools that the tests run: on PATH, in the cache that `.ci/run` fills, or in the Google Cloud SDK; one that is missing is said, and fails where every tier is required.
#![allow(dead_code, reason = "no test file needs all of it")]
#![allow(clippy::print_stderr, reason = "a tier that is skipped is said")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folders that are searched.
fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Some(home) = std::env::var_os("HOME") {
        folders.push(Path::new(&home).join(".cache/capv-ipam/bin"));
        folders.push(Path::new(&home).join("go/bin"));
    }
    folders.push(PathBuf::from("/usr/lib/google-cloud-sdk/bin"));
    folders
}

/// A tool, if it is installed.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let found = folders()
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var_os("CAPV_IPAM_REQUIRE_ALL").is_some();
        assert!(!required, "{name} is required here, and it is not installed");
        eprintln!("skipped: {name} is not installed, so nothing is run with it");
    }
    found
}

/// PATH with the built program and the folders of the tools in front.
pub(crate) fn path() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_capv-ipam")).parent().unwrap().to_owned();
    std::env::join_paths(std::iter::once(program).chain(folders())).unwrap()
}
