//! `install`: prints what must be set up so that other tools find this program; changes nothing itself.

use clap::Args;

use super::failure::Failure;
use super::{Status, kustomize_plugin, output};

/// Print what must be set up so that other tools find this program.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  capv-ipam install --kustomize-plugin | sh")]
pub(super) struct Install {
    /// Print the commands that link this program as an executable plugin of kustomize and kubectl
    #[arg(long, required = true)]
    kustomize_plugin: bool,
}

impl Install {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let failed = |error: std::io::Error| Failure::message(format!("cannot tell where this program is: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        output::print(&kustomize_plugin::script(&program.to_string_lossy()))?;
        Ok(Status::Done)
    }
}
