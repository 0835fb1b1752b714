//! Runs the built program in a folder of its own, with an empty environment.
#![allow(dead_code, reason = "no test file needs all of it")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

/// What a run of the program left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The state of a file that a run must not change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) bytes: Vec<u8>,
    pub(crate) modified: SystemTime,
    pub(crate) mode: u32,
    pub(crate) inode: u64,
}

/// A folder for one test.
pub(crate) struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Folder {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file with a modification time in the past.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(&path).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
            .unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Every file below the folder.
    pub(crate) fn state(&self) -> BTreeMap<PathBuf, State> {
        let mut found = BTreeMap::new();
        state(self.dir.path(), &mut found);
        found
    }

    /// The program, about to run in the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_capv-ipam")), arguments)
    }

    /// The same with a program that lies elsewhere.
    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("NO_COLOR", "1")
            .current_dir(self.dir.path())
            .args(arguments);
        command
    }

    /// Runs the program with nothing on its standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).stdin(Stdio::null()).output().unwrap().into()
    }

    /// Runs the program with a text on its standard input.
    pub(crate) fn pipe(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        feed(self.command(arguments), input.as_ref())
    }
}

/// Runs a command with bytes on its standard input.
pub(crate) fn feed(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.into()
}

fn state(folder: &Path, found: &mut BTreeMap<PathBuf, State>) {
    use std::os::unix::fs::MetadataExt as _;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            state(&path, found);
            continue;
        }
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        let bytes = if metadata.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).unwrap()
        };
        found.insert(
            path,
            State {
                bytes,
                modified: metadata.modified().unwrap(),
                mode: metadata.mode(),
                inode: metadata.ino(),
            },
        );
    }
}
