//! `plan`: the address plan of a manifest, before anything is deployed, and what changed since an earlier one.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Status;
use super::failure::Failure;
use super::given::{Computed, Given};
use super::{input, output};
use crate::check::{Place, Purpose, has_errors};
use crate::objects::Span;
use crate::planning::next::{Event, EventError};
use crate::planning::{self, AddressPlan};
use crate::report::{
    Columns, Positions, changes_html, plan_changes, plan_html, plan_markdown, plan_table, steps_csv, steps_markdown,
    steps_text,
};
use crate::yaml::{Edits, Layout, emit};

const EXAMPLES: &str = "\
Examples:
  # The list for the network team
  capv-ipam plan -f cluster.yaml --config addressing.yaml

  # A page with a map of each subnet, to mail or to print
  capv-ipam plan -f cluster.yaml --config addressing.yaml -o html > plan.html

  # Keep a plan, and see later what would change
  capv-ipam plan -f cluster.yaml --config addressing.yaml -o yaml > plan.yaml
  capv-ipam plan -f cluster.yaml --config addressing.yaml --against plan.yaml

  # What a roll-out of everything means, and one that comes after a worker group has grown
  capv-ipam plan -f cluster.yaml --config addressing.yaml --then rollout
  capv-ipam plan -f cluster.yaml --config addressing.yaml --then scale=md-0:5 --then rollout

exact: machine k of the group, in order of creation, gets this address.
set: the machine gets one of these; `-o yaml` says why, and what would make it exact.

Events of --then, played in order, each from where the one before has ended or is stuck:
  rollout              every machine of every group is replaced, all groups at the same time
  rollout=GROUP        every machine of the group is replaced
  scale=GROUP:N        the group gets N replicas
  delete=GROUP         somebody deletes one machine of the group
  enlarge=POOL:RANGE   the pool gets more addresses, and a stuck step is helped out
  repair, repair=POOL  claims that metal3 has refused are repaired, of all pools or of one
  delete-cluster, delete-cluster=NAME
GROUP and POOL are NAME or KIND/NAME; the cluster or the namespace may stand in front.";

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
    /// What happens next, and what every group holds afterwards; may be repeated (events: see --help)
    #[arg(long, value_name = "EVENT", value_parser = event, help_heading = "Steps")]
    then: Vec<Event>,
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
    /// Comma-separated values with everything that is known; with --then the steps
    Csv,
    /// A Markdown table, and why sets are no more than that
    Markdown,
    /// One page with a map of each subnet, for people and for print
    Html,
}

impl Plan {
    pub(super) fn run(self) -> Result<Status, Failure> {
        self.given.report_spares(&self.against)?;
        let old = self.against.as_ref().map(read_plan).transpose()?;
        let computed = self.given.compute_for(Purpose::Plan)?;
        let Some(edits) = computed.edits.as_ref().filter(|_| !has_errors(&computed.findings)) else {
            self.given.report(&computed, None)?;
            return Ok(Status::Failed);
        };
        let plan = self.with_steps(&computed, edits, old.as_ref())?;
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

    /// The plan with what was asked for, or else with the steps that the earlier plan has.
    fn with_steps(
        &self,
        computed: &Computed,
        edits: &[Edits],
        old: Option<&AddressPlan>,
    ) -> Result<AddressPlan, Failure> {
        if let (true, Some(old)) = (self.then.is_empty(), old) {
            // A step that can no longer be played is a difference, and so are those after it.
            let events = old.steps.iter().map_while(|step| step.event.parse().ok());
            let events: Vec<Event> = events.collect();
            return Ok(self.given.plan_then(computed, edits, &events)?.0);
        }
        match self.given.plan_then(computed, edits, &self.then)? {
            (plan, None) => Ok(plan),
            (_, Some(error)) => Err(Failure::message(format!("--then {error}"))),
        }
    }

    fn show(&self, plan: &AddressPlan) -> Result<String, Failure> {
        Ok(match self.output {
            Form::Table => plan_table(plan, Columns::Narrow).aligned() + &steps_text(plan, Columns::Narrow),
            Form::Wide => plan_table(plan, Columns::Wide).aligned() + &steps_text(plan, Columns::Wide),
            // A reader of CSV takes one table.
            Form::Csv if plan.steps.is_empty() => plan_table(plan, Columns::All).csv(),
            Form::Csv => steps_csv(plan),
            Form::Markdown => plan_markdown(plan) + &steps_markdown(plan),
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

/// Reads an event; clap says which text was wrong.
fn event(text: &str) -> Result<Event, String> {
    text.parse().map_err(|error: EventError| error.problem)
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
    let texts = input::read_files_or_fail(std::slice::from_ref(path), "--against")?;
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
