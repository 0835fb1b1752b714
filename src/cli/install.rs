//! `install`: prints what sets the program up, for `kubectl apply` or a shell; changes nothing itself.

use clap::Args;

use super::failure::Failure;
#[cfg(feature = "controller")]
use super::installation::{self, Installation};
use super::{Status, kustomize_plugin, output};

const PLUGIN: &str = "\
Examples:
  # As an executable plugin of kustomize and kubectl
  capv-ipam install --kustomize-plugin | sh";

/// The examples of what this build can print.
fn examples() -> String {
    #[cfg(feature = "controller")]
    return format!("{PLUGIN}\n\n{}", installation::EXAMPLES);
    #[cfg(not(feature = "controller"))]
    PLUGIN.to_owned()
}

/// Print what sets the program up.
#[derive(Debug, Args)]
#[command(after_long_help = examples(), after_help = "Examples: capv-ipam install --help")]
pub(super) struct Install {
    /// Print the commands that link this program as an executable plugin of kustomize and kubectl
    #[arg(long, exclusive = true)]
    #[cfg_attr(not(feature = "controller"), arg(required = true))]
    kustomize_plugin: bool,
    #[cfg(feature = "controller")]
    #[command(flatten)]
    installation: Installation,
}

impl Install {
    pub(super) fn run(self) -> Result<Status, Failure> {
        #[cfg(feature = "controller")]
        if !self.kustomize_plugin {
            return self.installation.run();
        }
        let failed = |error: std::io::Error| Failure::message(format!("cannot tell where this program is: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        output::print(&kustomize_plugin::script(&program.to_string_lossy()))?;
        Ok(Status::Done)
    }
}
