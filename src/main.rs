//! Parses the command line, runs one verb, and turns its end into a text and an exit code; nothing else.
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "the edge of the program")]

use std::process::ExitCode;

use capv_ipam::cli::{Cli, Failure, Status, as_plugin, run};
use clap::Parser as _;

fn main() -> ExitCode {
    // kustomize's plugin form has arguments of its own, which the command line would not understand.
    match as_plugin().unwrap_or_else(|| run(Cli::parse())) {
        Ok(Status::Done) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Ok(Status::Differences | Status::Findings) => ExitCode::from(1),
        Ok(Status::Failed) => ExitCode::from(2),
        Err(failure) => {
            anstream::eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}
