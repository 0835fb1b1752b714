//! Takes the paths of the command line and gives their texts; skips nothing silently that was named.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::check::{Finding, codes};

/// Where the manifest comes from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(super) struct Input {
    /// File with a part of the manifest, may be repeated; - is standard input, which is also the default
    #[arg(short, long = "filename", value_name = "FILENAME")]
    filenames: Vec<PathBuf>,
    /// Read the .yaml, .yml and .json files below folders that -f names; folders that begin with a dot are skipped
    #[arg(short = 'R', long)]
    recursive: bool,
}

/// A text with where it came from.
#[derive(Debug)]
pub(super) struct Text {
    /// What messages call it.
    pub(super) name: String,
    /// The file; none for standard input.
    pub(super) path: Option<PathBuf>,
    /// What it holds.
    pub(super) text: String,
}

/// Texts that were read, and findings about those that could not be.
pub(super) type Texts = Result<Vec<Text>, Vec<Finding>>;

impl Input {
    /// Reads every input in the order of the command line; files of a folder by name, without those that other flags name.
    pub(super) fn read(&self, named_elsewhere: &[PathBuf]) -> Result<Texts, Failure> {
        if self.filenames.is_empty() && io::stdin().is_terminal() {
            return Err(Failure::message("no input: name a file with -f, or pipe a manifest in"));
        }
        let standard = [PathBuf::from("-")];
        let named: &[PathBuf] = if self.filenames.is_empty() {
            &standard
        } else {
            &self.filenames
        };
        if named.iter().filter(|path| is_standard(path)).count() > 1 {
            return Err(Failure::message("standard input can be read once only"));
        }
        let mut paths = Vec::new();
        for path in named {
            self.collect(path, &mut paths)?;
        }
        // A folder often holds the configuration beside the manifest; it is no part of the manifest.
        let elsewhere: Vec<PathBuf> = named_elsewhere
            .iter()
            .filter_map(|path| fs::canonicalize(path).ok())
            .collect();
        paths.retain(|path| !self.recursive || !fs::canonicalize(path).is_ok_and(|path| elsewhere.contains(&path)));
        let mut texts = Vec::new();
        let mut findings = Vec::new();
        for path in paths {
            match read(&path)? {
                Ok(text) => texts.push(text),
                Err(finding) => findings.push(finding),
            }
        }
        Ok(if findings.is_empty() { Ok(texts) } else { Err(findings) })
    }

    fn collect(&self, path: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
        if is_standard(path) || !path.is_dir() {
            paths.push(path.to_owned());
            return Ok(());
        }
        if !self.recursive {
            return Err(Failure::message(format!(
                "{} is a folder; add -R to read the files below it",
                path.display()
            )));
        }
        let before = paths.len();
        walk(path, paths)?;
        if paths.len() == before {
            return Err(Failure::message(format!(
                "{} holds no .yaml, .yml or .json file",
                path.display()
            )));
        }
        Ok(())
    }
}

/// Reads the files that a flag names.
pub(super) fn read_files(paths: &[PathBuf], flag: &str) -> Result<Texts, Failure> {
    let mut texts = Vec::new();
    for path in paths {
        if path.is_dir() {
            return Err(Failure::message(format!(
                "{} is a folder; {flag} names a file",
                path.display()
            )));
        }
        match read(path)? {
            Ok(text) => texts.push(text),
            Err(finding) => return Ok(Err(vec![finding])),
        }
    }
    Ok(Ok(texts))
}

/// The same for files of which no report is made: what is wrong with the first one ends the run.
pub(super) fn read_files_or_fail(paths: &[PathBuf], flag: &str) -> Result<Vec<Text>, Failure> {
    let first = |findings: Vec<Finding>| findings.into_iter().next().map(|finding| finding.message);
    read_files(paths, flag)?.map_err(|findings| Failure::message(first(findings).unwrap_or_default()))
}

pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::at(folder, "read the folder", &error);
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if entry.is_dir() {
            // A link to a folder could lead back up.
            if !hidden && !entry.is_symlink() {
                walk(&entry, paths)?;
            }
        } else if entry
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
        {
            paths.push(entry);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Result<Text, Finding>, Failure> {
    let (name, bytes) = if is_standard(path) {
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::at(Path::new("<stdin>"), "read", &error))?;
        ("<stdin>".to_owned(), bytes)
    } else {
        (
            path.display().to_string(),
            fs::read(path).map_err(|error| Failure::at(path, "read", &error))?,
        )
    };
    if u32::try_from(bytes.len()).is_err() {
        return Ok(Err(Finding::new(
            &codes::TOO_LARGE,
            format!("{name} has {} bytes; an input holds less than 4 GiB", bytes.len()),
        )
        .help("split it")));
    }
    Ok(String::from_utf8(bytes)
        .map_err(|error| not_text(&name, &error))
        .map(|text| Text {
            name,
            path: (!is_standard(path)).then(|| path.to_owned()),
            text,
        }))
}

fn not_text(name: &str, error: &std::string::FromUtf8Error) -> Finding {
    let at = error.utf8_error().valid_up_to();
    let before = &error.as_bytes()[..at];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let binary = memchr::memchr(0, &error.as_bytes()[..error.as_bytes().len().min(8000)]).is_some();
    let utf16 = matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    let what = if utf16 {
        "is UTF-16 text"
    } else if binary {
        "is binary"
    } else {
        "is not UTF-8 text"
    };
    Finding::new(&codes::NOT_TEXT, format!("{name} {what}: byte {at}, line {line}")).help(if utf16 {
        "convert it, for example with `iconv -f UTF-16 -t UTF-8`"
    } else if binary {
        "take the file out of the inputs"
    } else {
        "convert it, for example with `iconv -t UTF-8`"
    })
}
