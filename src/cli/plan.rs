//! `plan`: the address plan of a manifest, before anything is deployed, and what changed since an earlier one.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Status;
use super::failure::Failure;
use super::given::Given;
use super::{input, output};
use crate::check::{Place, Purpose, has_errors};
use crate::objects::Span;
use crate::planning::{self, AddressPlan};
use crate::report::{Columns, Positions, changes_html, plan_changes, plan_html, plan_markdown, plan_table};
use crate::yaml::{Layout, emit};

const EXAMPLES: &str = "\
Examples:
  # The list for the network team
  capv-ipam plan -f cluster.yaml --config addressing.yaml

  # A page with a map of each subnet, to mail or to print
  capv-ipam plan -f cluster.yaml --config addressing.yaml -o html > plan.html

  # Keep a plan, and see later what would change
  capv-ipam plan -f cluster.yaml --config addressing.yaml -o yaml > plan.yaml
  capv-ipam plan -f cluster.yaml --config addressing.yaml --against plan.yaml

exact: machine k of the group, in order of creation, gets this address.
set: the machine gets one of these; `-o yaml` says why, and what would make it exact.";

/// Print which machine can get which address, and how certain that is.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, after_help = "Examples: capv-ipam plan --help")]
pub(super) struct Plan {
    #[command(flatten)]
    given: Given,
    /// Form of the plan
    #[arg(short, long, value_enum, default_value_t = Form::Table, value_name = "FORM", help_heading = "Output")]
    output: Form,
    /// Print only what differs from a plan that `-o yaml` or `-o json` printed; exit 1 when anything does
    #[arg(long, value_name = "PLAN", help_heading = "Output")]
    against: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// Aligned columns
    Table,
    /// Aligned columns with network, gateway, claim and object
    Wide,
    /// The whole plan as YAML
    Yaml,
    /// The whole plan as JSON
    Json,
    /// Comma-separated values with everything that is known
    Csv,
    /// A Markdown table, and why sets are no more than that
    Markdown,
    /// One page with a map of each subnet, for people and for print
    Html,
}

impl Plan {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let old = self.against.as_ref().map(read_plan).transpose()?;
        let computed = self.given.compute_for(Purpose::Plan)?;
        let Some(edits) = computed.edits.as_ref().filter(|_| !has_errors(&computed.findings)) else {
            self.given.report(&computed, None)?;
            return Ok(Status::Failed);
        };
        let plan = self.given.plan(&computed, edits)?;
        let status = match &old {
            Some(old) => self.changes(old, &plan)?,
            None => {
                output::print(&self.show(&plan)?)?;
                Status::Done
            }
        };
        let note = "the manifest has no static addresses: no template with a pool label or addressesFromPools";
        self.given.report(&computed, plan.clusters.is_empty().then_some(note))?;
        Ok(status)
    }

    fn show(&self, plan: &AddressPlan) -> Result<String, Failure> {
        Ok(match self.output {
            Form::Table => plan_table(plan, Columns::Narrow).aligned(),
            Form::Wide => plan_table(plan, Columns::Wide).aligned(),
            Form::Csv => plan_table(plan, Columns::All).csv(),
            Form::Markdown => plan_markdown(plan),
            Form::Json => as_json(plan)?,
            Form::Yaml => as_yaml(plan)?,
            Form::Html => plan_html(plan),
        })
    }

    fn changes(&self, old: &AddressPlan, plan: &AddressPlan) -> Result<Status, Failure> {
        let changes = plan_changes(old, plan);
        if changes.is_empty() {
            return Ok(Status::Done);
        }
        let text = match self.output {
            Form::Csv => changes.csv(),
            Form::Markdown => changes.markdown(),
            Form::Yaml | Form::Json => self.show(plan)?,
            Form::Html => changes_html(plan, &changes),
            Form::Table | Form::Wide => changes.aligned(),
        };
        output::print(&text)?;
        Ok(Status::Differences)
    }
}

/// The plan for a file: JSON by its ending, else YAML.
pub(super) fn for_file(plan: &AddressPlan, path: &Path) -> Result<String, Failure> {
    if path.extension().is_some_and(|extension| extension == "json") {
        as_json(plan)
    } else {
        as_yaml(plan)
    }
}

fn as_json(plan: &AddressPlan) -> Result<String, Failure> {
    Ok(format!("{:#}\n", value(plan)?))
}

fn as_yaml(plan: &AddressPlan) -> Result<String, Failure> {
    Ok(match value(plan)? {
        serde_json::Value::Object(map) => emit::document(&map, Layout::default()),
        other => other.to_string(),
    })
}

fn value(plan: &AddressPlan) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(plan).map_err(|error| Failure::message(format!("the plan cannot be written: {error}")))
}

/// Reads a plan that was saved.
pub(super) fn read_plan(path: &PathBuf) -> Result<AddressPlan, Failure> {
    let texts = input::read_files(std::slice::from_ref(path), "--against")?;
    let texts = texts.map_err(|findings| {
        Failure::message(
            findings
                .first()
                .map_or_else(String::new, |finding| finding.message.clone()),
        )
    })?;
    let text = texts.first().map_or("", |text| &text.text);
    parse_plan(&path.display().to_string(), text)
}

/// The plan of a text that was saved; a fault is named with its line and column, and the first three are.
pub(super) fn parse_plan(name: &str, text: &str) -> Result<AddressPlan, Failure> {
    const SHOWN: usize = 3;
    planning::read_plan(text).map_err(|faults| {
        let places = faults.iter().map(|fault| Place {
            source: 0,
            span: Span::new(fault.at.start..fault.at.start),
        });
        let positions = Positions::of(&[(name, text)], places);
        let shown = faults.iter().take(SHOWN).map(|fault| {
            let position = positions.get(0, Span::new(fault.at.clone()).start);
            let (line, column) = position.map_or((1, 1), |position| (position.line, position.column));
            format!("{name}:{line}:{column}: {}; {}", fault.problem, fault.help)
        });
        let mut lines: Vec<String> = shown.collect();
        if let Some(more) = faults.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            lines.push(format!("and {more} more"));
        }
        Failure::message(lines.join("\n"))
    })
}
