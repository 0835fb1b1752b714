//! Finds the programs of other projects that tests run: in the folder of `.ci/tools`, on PATH and beside it.
#![allow(dead_code, reason = "no test file needs all of it")]

#[path = "skipped.rs"]
pub(crate) mod skipped;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) use skipped::missing;

/// A program, or one line that says that it is missing. With CAPV_IPAM_REQUIRE_ALL a missing program is a failure.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let found = on_path(name);
    if found.is_none() {
        missing(&format!("{name} is not installed (.ci/tools installs it)"));
    }
    found
}

/// A program, where it is installed.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    folders().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The folders that are searched: what `.ci/tools` fills, PATH, and where Go and the Google Cloud SDK put programs.
fn folders() -> impl Iterator<Item = PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let own = std::env::var_os("CAPV_IPAM_TOOLS").map_or_else(|| home.join(".cache/capv-ipam/tools"), PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let beside = ["/usr/sbin", "/usr/lib/google-cloud-sdk/bin"].map(PathBuf::from);
    std::iter::once(own.join("bin"))
        .chain(on_path)
        .chain([home.join("go/bin")])
        .chain(beside)
}

/// PATH with the built program and the folders of the tools in front.
pub(crate) fn path() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_capv-ipam")).parent().unwrap().to_owned();
    std::env::join_paths(std::iter::once(program).chain(folders())).unwrap()
}

/// What a program says about a file: whether it ends well, and its output.
pub(crate) fn judge(program: &Path, arguments: &[impl AsRef<std::ffi::OsStr>]) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .env("ANSIBLE_LOCALHOST_WARNING", "false")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
