//! Writes results: to standard output in one go, to files by a temporary file and a rename, so that nobody ever sees half of one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::failure::Failure;
use crate::yaml::Edits;

/// Sets when colour is used, for everything that is printed from here on.
pub(super) fn colour(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        clap::ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        clap::ColorChoice::Auto => {}
    }
}

/// Prints to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))
}

/// Prints a text that may hold ANSI styles to standard output, where they are wanted.
pub(super) fn print_styled(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))
}

/// Prints edited texts one after the other, `---` between them where the next does not begin with one.
pub(super) fn print_manifest(texts: &[(&str, &Edits)]) -> Result<(), Failure> {
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let mut write = || -> io::Result<()> {
        let mut ended = true;
        for (index, (text, edits)) in texts.iter().enumerate() {
            let mut pieces = edits.pieces(text).peekable();
            if index > 0 {
                let first = pieces.peek().map_or("", |piece| piece.trim_start_matches('\u{feff}'));
                let line_end = if ended { "" } else { "\n" };
                let marker = if begins_with_marker(first) { "" } else { "---\n" };
                out.write_all(line_end.as_bytes())?;
                out.write_all(marker.as_bytes())?;
            }
            for (place, piece) in pieces.enumerate() {
                // A byte order mark is allowed at the start of the stream only.
                let piece = if index > 0 && place == 0 {
                    piece.trim_start_matches('\u{feff}')
                } else {
                    piece
                };
                out.write_all(piece.as_bytes())?;
                ended = piece.ends_with(['\n', '\r']) || (piece.is_empty() && ended);
            }
        }
        out.flush()
    };
    write().map_err(|error| Failure::output(&error))
}

/// Whether a document marker stands before anything but comments and blank lines.
fn begins_with_marker(text: &str) -> bool {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    line.is_some_and(|line| line == "---" || line.starts_with("--- ") || line.starts_with('%'))
}

/// Replaces a file, or makes it.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut prepared = Prepared::default();
    prepared.add(path, bytes)?;
    prepared.commit()
}

/// New texts of files, complete on disk before the first file changes.
#[derive(Default)]
pub(super) struct Prepared(Vec<Pending>);

impl Prepared {
    /// Adds a file that is made or replaced.
    pub(super) fn add(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        self.prepare(path, |file| file.write_all(bytes))
    }

    /// Adds a file that is edited.
    pub(super) fn edit(&mut self, path: &Path, text: &str, edits: &Edits) -> Result<(), Failure> {
        self.prepare(path, |file| {
            let mut out = io::BufWriter::with_capacity(64 << 10, file);
            edits.write(text, &mut out).and_then(|()| out.flush())
        })
    }

    fn prepare(&mut self, path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Failure> {
        let pending = Pending::prepare(path, write)?;
        if self.0.iter().any(|other| other.target == pending.target) {
            return Err(Failure::message(format!(
                "{} would be written twice in one run",
                path.display()
            )));
        }
        self.0.push(pending);
        Ok(())
    }

    /// Puts every file into its place.
    pub(super) fn commit(self) -> Result<(), Failure> {
        self.0.into_iter().try_for_each(Pending::commit)
    }
}

/// A new text in a temporary file beside its target; for a device, beside the others until its turn.
struct Pending {
    file: NamedTempFile,
    target: PathBuf,
    device: bool,
}

impl Pending {
    /// Writes the text beside the file that the path leads to, with its mode and owner.
    fn prepare(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::at(path, "write", &error);
        // A link stays a link: the file behind it is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let old = fs::metadata(&target).ok();
        let device = old.as_ref().is_some_and(|old| !old.is_file() && !old.is_dir());
        if device {
            // A device or pipe, such as /dev/stderr, is written to, not replaced.
            let mut file = NamedTempFile::new().map_err(failed)?;
            write(file.as_file_mut()).map_err(failed)?;
            return Ok(Pending { file, target, device });
        }
        if let Some(old) = &old {
            if !old.is_file() {
                return Err(Failure::message(format!(
                    "cannot write {}: it is no file",
                    path.display()
                )));
            }
            // A rename would replace a file that may not be written.
            File::options().append(true).open(&target).map_err(failed)?;
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        let mut file = builder.prefix(".capv-ipam-").tempfile_in(folder).map_err(failed)?;
        write(file.as_file_mut()).map_err(failed)?;
        keep_owner_and_mode(&file, old.as_ref()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        Ok(Pending { file, target, device })
    }

    fn commit(self) -> Result<(), Failure> {
        let target = self.target;
        if self.device {
            let write = || {
                let bytes = fs::read(self.file.path())?;
                File::options().write(true).open(&target)?.write_all(&bytes)
            };
            return write().map_err(|error| Failure::at(&target, "write", &error));
        }
        self.file
            .persist(&target)
            .map(drop)
            .map_err(|error| Failure::at(&target, "replace", &error.error))
    }
}

#[cfg(unix)]
fn keep_owner_and_mode(file: &NamedTempFile, old: Option<&fs::Metadata>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let Some(old) = old else {
        // As a shell's redirection would make it, but for the umask, which cannot be read without changing it.
        return file.as_file().set_permissions(fs::Permissions::from_mode(0o644));
    };
    let new = file.as_file().metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
    }
    file.as_file().set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(file: &NamedTempFile, old: Option<&fs::Metadata>) -> io::Result<()> {
    old.map_or(Ok(()), |old| file.as_file().set_permissions(old.permissions()))
}
