//! What every verb on a manifest is given: inputs, configuration and flags; reads them and computes the outcome, and prints nothing but the report.

use clap::Args;

use super::failure::Failure;
use super::flags::Wanted;
use super::input::{self, Input, Text};
use super::report::ReportTo;
use crate::addressing::read_configurations;
use crate::check::Finding;
use crate::objects::Source;
use crate::outcome::{self, Outcome, compute};
use crate::planning::AddressPlan;
use crate::report::{Report, findings};
use crate::yaml::Edits;

/// The flags that all verbs on a manifest share.
#[derive(Debug, Args)]
pub(super) struct Given {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    wanted: Wanted,
    /// Form of the findings, and a file for them instead of standard error
    #[arg(
        long,
        value_name = "text|json|sarif|github[=FILE]",
        default_value = "text",
        help_heading = "Output"
    )]
    report: ReportTo,
}

/// The texts of a run and what they come to.
pub(super) struct Computed {
    /// The inputs.
    pub(super) manifests: Vec<Text>,
    /// What there is to say.
    pub(super) findings: Vec<Finding>,
    /// The edits of each input; `None` after an error.
    pub(super) edits: Option<Vec<Edits>>,
    /// Whether anything was asked for.
    pub(super) configured: bool,
    configs: Vec<Text>,
}

impl Given {
    /// Reads everything and computes.
    pub(super) fn compute(&self) -> Result<Computed, Failure> {
        let configs = input::read_files(&self.wanted.configs)?;
        let (manifests, configs) = match (self.input.read(&self.wanted.configs)?, configs) {
            (Ok(manifests), Ok(configs)) => (manifests, configs),
            (manifests, configs) => {
                return Ok(Computed {
                    findings: manifests.err().into_iter().chain(configs.err()).flatten().collect(),
                    manifests: Vec::new(),
                    configs: Vec::new(),
                    edits: None,
                    configured: true,
                });
            }
        };
        let files = configs.iter().enumerate();
        let files: Vec<(usize, &str)> = files
            .map(|(index, file)| (manifests.len() + index, &*file.text))
            .collect();
        let sources: Vec<Source<'_>> = manifests.iter().map(Text::source).collect();
        let (outcome, configured) = match read_configurations(&files, &self.wanted.spec()) {
            Ok(configurations) => (compute(&sources, &configurations), !configurations.is_empty()),
            Err(findings) => (Outcome { findings, edits: None }, true),
        };
        Ok(Computed {
            findings: outcome.findings,
            edits: outcome.edits,
            configured,
            manifests,
            configs,
        })
    }

    /// The address plan of the edited texts, with the findings.
    pub(super) fn plan(&self, computed: &Computed, edits: &[Edits]) -> Result<AddressPlan, Failure> {
        let sources: Vec<Source<'_>> = computed.manifests.iter().map(Text::source).collect();
        let unreadable = |_| Failure::message("the edited manifest cannot be read");
        let mut plan = outcome::plan(&sources, edits).map_err(unreadable)?;
        plan.findings = with_texts(computed, |texts| {
            findings(&Report {
                findings: &computed.findings,
                texts,
            })
        });
        Ok(plan)
    }

    /// Reports the findings; `note` follows them.
    pub(super) fn report(&self, computed: &Computed, note: Option<&str>) -> Result<(), Failure> {
        let findings = &computed.findings;
        with_texts(computed, |texts| self.report.write(&Report { findings, texts }, note))
    }
}

/// Gives the texts of a run as reports want them.
fn with_texts<T>(computed: &Computed, give: impl FnOnce(&[(&str, &str)]) -> T) -> T {
    let texts = computed.manifests.iter().chain(&computed.configs);
    let texts: Vec<(&str, &str)> = texts.map(|text| (&*text.name, &*text.text)).collect();
    give(&texts)
}

impl Text {
    /// The text as a source of a manifest.
    pub(super) fn source(&self) -> Source<'_> {
        Source {
            name: &self.name,
            text: &self.text,
        }
    }
}
