//! `check`: findings only, on standard output; nothing is edited.

use clap::Args;

use super::Status;
use super::failure::Failure;
use super::given::{Computed, Given, with_report};
use super::output;
use super::report::Form;
use crate::check::{Purpose, has_errors};
use crate::report::summary;

const EXAMPLES: &str = "\
Examples:
  # Before the merge: is every address, pool and template of the repository sound?
  capv-ipam check -f clusters/ -R

  # The manifest as the configuration would make it
  capv-ipam check -f cluster.yaml --config addressing.yaml

  # Beside what is applied already
  kubectl get vspheremachinetemplates,ippools,vsphereclusters -A -o yaml > live.yaml
  capv-ipam check -f clusters/ -R --state live.yaml

  # Annotations in a workflow, and a file for code scanning, in one run
  capv-ipam check -f clusters/ -R -o github --report sarif=findings.sarif

`capv-ipam explain CODE` tells what a finding means and what to do about it.
Exit code 1: there are errors. 2: something could not be read.";

/// Report what is wrong with a manifest, or with what a configuration makes of it; change nothing
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, after_help = "Examples: capv-ipam check --help")]
pub(super) struct Check {
    #[command(flatten)]
    given: Given,
    /// Form of the findings
    #[arg(short, long, value_enum, default_value_t = Form::Text, value_name = "FORM", help_heading = "Output")]
    output: Form,
}

impl Check {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let computed = self.given.compute_for(Purpose::Check)?;
        // First: when the file cannot be written, nothing is printed.
        self.given.report_to_file(&computed)?;
        let found = with_report(&computed, |report| self.output.render(report, true));
        output::print_styled(&found)?;
        if let Form::Text = self.output {
            output::print_styled(&closing(&computed))?;
        }
        let findings = &computed.findings;
        Ok(if findings.iter().any(|finding| finding.code.is_unread()) {
            Status::Failed
        } else if has_errors(findings) {
            Status::Findings
        } else {
            Status::Done
        })
    }
}

/// How many findings there are, in words.
fn closing(computed: &Computed) -> String {
    let counts = summary(&computed.findings);
    let counts = if counts.is_empty() {
        "no findings".to_owned()
    } else {
        counts
    };
    match computed.accepted.len() {
        0 => format!("{counts}\n"),
        accepted => format!("{counts}; {accepted} accepted\n"),
    }
}
