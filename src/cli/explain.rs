//! `explain`: what a finding means, from the table of codes.

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::{Status, output};
use crate::check::codes;
use crate::report::{catalogue, explanation};

/// Tell what a finding means and what to do about it, with an example.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The finding's code, such as CI203; all codes without one
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// Form of the list of all codes
    #[arg(short, long, value_enum, default_value_t = Form::Text, value_name = "FORM", conflicts_with = "code", help_heading = "Output")]
    output: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// One line for each code
    Text,
    /// The page docs/findings.md
    Markdown,
}

impl Explain {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let text = match (&self.code, self.output) {
            (None, Form::Markdown) => catalogue(),
            (None, Form::Text) => codes::ALL
                .iter()
                .map(|code| format!("{}  {:<7}  {}\n", code.id, code.severity.name(), code.name))
                .collect(),
            (Some(id), _) => explanation(codes::find(id).ok_or_else(|| {
                Failure::message(format!("there is no finding {id}; `capv-ipam explain` lists them"))
            })?),
        };
        output::print(&text)?;
        Ok(Status::Done)
    }
}
