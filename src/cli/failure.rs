//! What stops a run: an input or output error with the path and what to do.

use std::io;
use std::path::Path;

/// An error that is not a finding about a text.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The reader of the output has gone, as `head` does; that is no error.
    #[error("the output was closed")]
    BrokenPipe,
    /// Everything else.
    #[error("{0}")]
    Message(String),
}

impl Failure {
    pub(super) fn message(text: impl Into<String>) -> Self {
        Failure::Message(text.into())
    }

    /// An I/O error with the path it is about.
    pub(super) fn at(path: &Path, doing: &str, error: &io::Error) -> Self {
        Failure::Message(format!("cannot {doing} {}: {error}", path.display()))
    }

    /// An error of standard output.
    pub(super) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Failure::BrokenPipe
        } else {
            Failure::Message(format!("cannot write to standard output: {error}"))
        }
    }
}
