//! Parses the command line, runs one verb, and turns its end into a text and an exit code; nothing else.
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "the edge of the program")]

use std::io::Write as _;
use std::process::ExitCode;

use capv_ipam::cli::{Cli, Failure, Status, as_plugin, run};
use clap::Parser as _;

fn main() -> ExitCode {
    // kustomize's plugin form has arguments of its own, which the command line would not understand.
    let ended = match as_plugin() {
        Some(ended) => ended,
        None => match Cli::try_parse() {
            Ok(cli) => run(cli),
            Err(text) => return not_run(&text),
        },
    };
    match ended {
        Ok(Status::Done) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Ok(Status::Differences | Status::Findings) => ExitCode::from(1),
        Ok(Status::Failed) => ExitCode::from(2),
        Err(failure) => {
            anstream::eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Prints help, a version or what is wrong with the arguments. What could not be printed is a failure, as everywhere.
fn not_run(text: &clap::Error) -> ExitCode {
    let printed = text.print().and_then(|()| std::io::stdout().flush());
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            anstream::eprintln!("error: cannot write to standard output: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::from(u8::try_from(text.exit_code()).unwrap_or(2)),
    }
}
