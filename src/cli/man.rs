//! `man`: the manual page, made from the same types as the help.

use clap::CommandFactory as _;

use super::failure::Failure;
use super::{Cli, Status, output};

pub(super) fn run() -> Result<Status, Failure> {
    let mut page = Vec::new();
    let command = Cli::command().disable_help_subcommand(true);
    let write = |command: clap::Command, page: &mut Vec<u8>| clap_mangen::Man::new(command).render(page);
    let failed = |error: std::io::Error| Failure::output(&error);
    write(command.clone(), &mut page).map_err(failed)?;
    for verb in command.get_subcommands() {
        let name = format!("capv-ipam {}", verb.get_name());
        write(verb.clone().name(name).version(env!("CARGO_PKG_VERSION")), &mut page).map_err(failed)?;
    }
    output::print(&String::from_utf8_lossy(&page))?;
    Ok(Status::Done)
}
