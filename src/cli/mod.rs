//! The command line: one file per verb; the only place that reads files and prints.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "this room does the program's I/O"
)]

mod allocate;
mod backends;
mod balancer;
mod check;
mod completion;
#[cfg(feature = "controller")]
mod controller;
mod explain;
mod failure;
mod flags;
mod function;
mod given;
#[cfg(feature = "controller")]
mod image;
mod input;
mod install;
#[cfg(feature = "controller")]
mod installation;
mod kustomize_plugin;
mod man;
mod output;
mod plan;
mod report;
#[cfg(feature = "controller")]
mod status;
mod transform;

use clap::{ColorChoice, Parser, Subcommand};

pub use failure::Failure;
pub use function::as_plugin;

/// Predefined IP addresses for the nodes of Cluster API vSphere clusters, before the cluster exists.
#[derive(Debug, Parser)]
#[command(name = "capv-ipam", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, value_enum, global = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = "Output")]
    color: ColorChoice,
    /// Without a verb the program is a KRM function, which is how kustomize and kpt start it.
    #[command(flatten)]
    function: function::Function,
    #[command(subcommand)]
    verb: Option<Verb>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, also when nothing had to change
  1  differences (--diff, plan --against), or error findings of check
  2  everything else; then nothing was written";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write pools into a manifest, turn DHCP off in the chosen templates, remove kube-vip
    Transform(Box<transform::Transform>),
    /// Print which machine can get which address, and how certain that is
    Plan(Box<plan::Plan>),
    /// Print what claims get from their pools, from objects of a running cluster or of files
    Allocate(Box<allocate::Allocate>),
    /// Work as a KRM function of kustomize or kpt: ResourceList in, ResourceList out
    Fn(function::Function),
    /// Print what sets the program up: the objects of the in-cluster mode, the link for kustomize and kubectl
    Install(install::Install),
    /// Print the members for a load balancer, as its own configuration or as a list
    Backends(Box<backends::Backends>),
    /// Report what is wrong with a manifest, or with what a configuration makes of it; change nothing
    Check(Box<check::Check>),
    /// Serve pools, claims and machines in a management cluster
    #[cfg(feature = "controller")]
    Controller(Box<controller::Controller>),
    /// Print which machine has which address, which waits, and for what
    #[cfg(feature = "controller")]
    Status(status::StatusArgs),
    /// Tell what a finding means and what to do about it
    Explain(explain::Explain),
    /// Print a completion script for a shell
    Completion(completion::Completion),
    /// Print the manual page
    Man,
}

/// What a run ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything is as it was wanted.
    Done,
    /// There are differences.
    Differences,
    /// There are errors; they have been reported, and the output is complete all the same: that of a check or a KRM function.
    Findings,
    /// There are errors; they have been reported, and nothing was written.
    Failed,
}

/// Runs the verb.
///
/// # Errors
/// What stops a run before its findings can be reported: unreadable files, an output that cannot be written.
pub fn run(cli: Cli) -> Result<Status, Failure> {
    output::colour(cli.color);
    let Some(verb) = cli.verb else {
        return cli.function.run();
    };
    cli.function.refuse_before_verb()?;
    match verb {
        Verb::Transform(transform) => transform.run(),
        Verb::Plan(plan) => plan.run(),
        Verb::Allocate(allocate) => allocate.run(),
        Verb::Fn(function) => function.run(),
        Verb::Install(install) => install.run(),
        Verb::Backends(backends) => backends.run(),
        Verb::Check(check) => check.run(),
        #[cfg(feature = "controller")]
        Verb::Controller(controller) => controller.run(),
        #[cfg(feature = "controller")]
        Verb::Status(status) => status.run(),
        Verb::Explain(explain) => explain.run(),
        Verb::Completion(completion) => completion.run(),
        Verb::Man => man::run(),
    }
}
