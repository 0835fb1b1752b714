//! `explain`: what a finding means, from the table of codes.

use clap::Args;

use super::failure::Failure;
use super::{Status, output};
use crate::check::codes;

/// Tell what a finding means and what to do about it.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The finding's code, such as CI203; all codes without one
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let Some(id) = self.code else {
            let rows = codes::ALL
                .iter()
                .map(|code| format!("{}  {:<7}  {}\n", code.id, code.severity.name(), code.name));
            output::print(&rows.collect::<String>())?;
            return Ok(Status::Done);
        };
        let Some(code) = codes::find(&id) else {
            return Err(Failure::message(format!(
                "there is no finding {id}; `capv-ipam explain` lists them"
            )));
        };
        output::print(&format!(
            "{} {} ({})\n\nCause:        {}\nConsequence:  {}\nCure:         {}\n",
            code.id,
            code.name,
            code.severity.name(),
            code.cause,
            code.consequence,
            code.cure
        ))?;
        Ok(Status::Done)
    }
}
