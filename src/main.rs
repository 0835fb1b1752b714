//! Parses the command line, runs one verb, and turns its end into a text and an exit code; nothing else.
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "the edge of the program")]

use std::process::ExitCode;

use capv_ipam::cli::{Cli, Failure, Status, as_plugin, run};
use clap::Parser as _;

fn main() -> ExitCode {
    // kustomize's plugin form has arguments of its own, which the command line would not understand.
    match as_plugin().unwrap_or_else(|| run(Cli::try_parse().unwrap_or_else(|text| end_with(&text)))) {
        Ok(Status::Done) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Ok(Status::Differences | Status::Findings) => ExitCode::from(1),
        Ok(Status::Failed) => ExitCode::from(2),
        Err(failure) => {
            anstream::eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Prints help, a version or what is wrong with the arguments, and ends. What could not be printed is a failure, as
/// everywhere.
fn end_with(text: &clap::Error) -> ! {
    use std::io::Write as _;
    let printed = text.print().and_then(|()| std::io::stdout().flush());
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            anstream::eprintln!("error: cannot write to standard output: {error}");
            std::process::exit(2)
        }
        _ => std::process::exit(text.exit_code()),
    }
}
