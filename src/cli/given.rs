//! What every verb on a manifest is given: inputs, configuration and flags; reads them and computes the outcome, and prints nothing but the report.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::flags::Wanted;
use super::input::{self, Input, Text};
use super::report::ReportTo;
use crate::addressing::{Acceptance, Backends, ConfigDocument, read_configurations};
use crate::backends::Settings;
use crate::check::{Accepted, Finding, Place, Purpose, input_finding};
use crate::objects::{Manifest, Source};
use crate::outcome::{self, Outcome, compute_for};
use crate::planning::AddressPlan;
use crate::planning::next::{Event, EventError};
use crate::report::{Report, findings};
use crate::state::State;
use crate::yaml::{Edits, Limits};

/// The flags that all verbs on a manifest share.
#[derive(Debug, Args)]
pub(super) struct Given {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    pub(super) wanted: Wanted,
    /// File with objects of the running cluster, such as `kubectl get … -o yaml` prints them; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    state: Vec<PathBuf>,
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
    /// What the configuration accepts.
    pub(super) accepted: Vec<Accepted>,
    /// The edits of each input; `None` after an error.
    pub(super) edits: Option<Vec<Edits>>,
    /// Whether anything was asked for.
    pub(super) configured: bool,
    /// What the load balancer's lists are made with; `None` after an error.
    pub(super) balancer: Option<BalancerSettings>,
    configs: Vec<Text>,
    state: Vec<Text>,
}

/// What the load balancer's lists are made with.
pub(super) struct BalancerSettings {
    /// The settings of each cluster.
    pub(super) settings: Settings,
    /// The acceptances of findings about load balancers, with their places.
    pub(super) acceptances: Vec<(Acceptance, Option<Place>)>,
}

impl Computed {
    /// Refuses files to write that the run reads, standard input included.
    pub(super) fn spares_inputs<'f>(&self, files: impl IntoIterator<Item = &'f PathBuf>) -> Result<(), Failure> {
        let texts = self.manifests.iter().chain(&self.configs).chain(&self.state);
        let standard = Path::new("/dev/stdin");
        let real = |text: &Text| fs::canonicalize(text.path.as_deref().unwrap_or(standard)).ok();
        let inputs: Vec<PathBuf> = texts.filter_map(real).collect();
        for file in files {
            if fs::canonicalize(file).is_ok_and(|file| inputs.contains(&file)) {
                let problem = format!("{} is an input of this run; name another file to write", file.display());
                return Err(Failure::message(problem));
            }
        }
        Ok(())
    }

    /// The configuration files with their index among the texts of the run.
    fn configurations(&self) -> Vec<(usize, &str)> {
        let files = self.configs.iter().enumerate();
        files
            .map(|(index, file)| (self.manifests.len() + index, &*file.text))
            .collect()
    }

    /// The texts of the running cluster.
    fn live(&self) -> Vec<Source<'_>> {
        self.state.iter().map(Text::source).collect()
    }

    /// What is live; `None` when nothing was given.
    fn state<'a>(&self, live: &'a [Source<'a>]) -> Result<Option<State<'a>>, Vec<Finding>> {
        if live.is_empty() {
            return Ok(None);
        }
        let first_text = self.manifests.len() + self.configs.len();
        match Manifest::read(live, Limits::default()) {
            Ok(manifest) => Ok(Some(State { manifest, first_text })),
            Err(errors) => Err(errors
                .iter()
                .map(|error| input_finding(error, live).in_text(first_text))
                .collect()),
        }
    }
}

impl Given {
    /// Reads everything and computes for a purpose.
    pub(super) fn compute_for(&self, purpose: Purpose) -> Result<Computed, Failure> {
        Ok(self.computed(purpose, self.read()?, &Map::new()))
    }

    /// Reads everything; with findings where something could not be read.
    pub(super) fn read(&self) -> Result<Computed, Failure> {
        let mut named = self.wanted.configs.clone();
        named.extend(self.state.iter().cloned());
        let read = [
            self.input.read(&named)?,
            input::read_files(&self.wanted.configs, "--config")?,
            input::read_files(&self.state, "--state")?,
        ];
        let [manifests, configs, state] = match read {
            [Ok(manifests), Ok(configs), Ok(state)] => [manifests, configs, state],
            read => {
                return Ok(Computed {
                    findings: read.into_iter().filter_map(Result::err).flatten().collect(),
                    accepted: Vec::new(),
                    manifests: Vec::new(),
                    configs: Vec::new(),
                    state: Vec::new(),
                    edits: None,
                    configured: true,
                    balancer: None,
                });
            }
        };
        Ok(Computed {
            findings: Vec::new(),
            accepted: Vec::new(),
            edits: None,
            configured: true,
            balancer: None,
            manifests,
            configs,
            state,
        })
    }

    /// What texts come to that could be read. `backends` are the keys of `backends` that flags gave.
    pub(super) fn computed(&self, purpose: Purpose, mut texts: Computed, backends: &Map<String, Value>) -> Computed {
        if !texts.findings.is_empty() {
            return texts;
        }
        let configurations = match read_configurations(&texts.configurations(), &self.wanted.spec(backends)) {
            Ok(configurations) => configurations,
            Err(findings) => return Computed { findings, ..texts },
        };
        let balancer = balancer(&configurations, backends);
        let configured = !configurations.is_empty();
        let outcome = Self::outcome(purpose, &texts, &configurations);
        drop(configurations);
        (texts.findings, texts.accepted, texts.edits) = (outcome.findings, outcome.accepted, outcome.edits);
        (texts.configured, texts.balancer) = (configured, balancer);
        texts
    }

    /// What the load balancer's lists are made with, without a look at the manifest.
    pub(super) fn balancer_alone(&self, mut texts: Computed, backends: &Map<String, Value>) -> Computed {
        match read_configurations(&texts.configurations(), &self.wanted.spec(backends)) {
            Ok(configurations) => texts.balancer = balancer(&configurations, backends),
            Err(findings) => texts.findings = findings,
        }
        texts
    }

    fn outcome(purpose: Purpose, texts: &Computed, configurations: &[ConfigDocument<'_>]) -> Outcome {
        let failed = |findings| Outcome {
            findings,
            accepted: Vec::new(),
            edits: None,
        };
        let live = texts.live();
        let state = match texts.state(&live) {
            Ok(state) => state,
            Err(findings) => return failed(findings),
        };
        let sources: Vec<Source<'_>> = texts.manifests.iter().map(Text::source).collect();
        compute_for(purpose, &sources, configurations, state.as_ref())
    }

    /// The address plan of the edited texts, with the findings.
    pub(super) fn plan(&self, computed: &Computed, edits: &[Edits]) -> Result<AddressPlan, Failure> {
        Ok(self.plan_then(computed, edits, &[])?.0)
    }

    /// The same with the steps of events, and the first event that cannot be played.
    pub(super) fn plan_then(
        &self,
        computed: &Computed,
        edits: &[Edits],
        events: &[Event],
    ) -> Result<(AddressPlan, Option<EventError>), Failure> {
        let sources: Vec<Source<'_>> = computed.manifests.iter().map(Text::source).collect();
        let unreadable = |_| Failure::message("the edited manifest cannot be read");
        let live = computed.live();
        let state = computed.state(&live).map_err(unreadable)?;
        let planned = outcome::plan_then(&sources, edits, state.as_ref(), events);
        let (mut plan, unplayable) = planned.map_err(unreadable)?;
        plan.findings = with_report(computed, findings);
        Ok((plan, unplayable))
    }

    /// Reports the findings; `note` follows them.
    pub(super) fn report(&self, computed: &Computed, note: Option<&str>) -> Result<(), Failure> {
        with_report(computed, |report| self.report.write(report, note))
    }

    /// Refuses a report into another file that is named.
    pub(super) fn report_spares<'f>(&self, others: impl IntoIterator<Item = &'f PathBuf>) -> Result<(), Failure> {
        self.report.spares(others)
    }

    /// Writes the findings into the file that `--report` names, if it names one; another form is no use then.
    pub(super) fn report_to_file(&self, computed: &Computed) -> Result<(), Failure> {
        with_report(computed, |report| self.report.write_file(report))
    }
}

/// Gives the findings of a run with its texts.
pub(super) fn with_report<T>(computed: &Computed, give: impl FnOnce(&Report<'_>) -> T) -> T {
    with_texts(computed, |texts| {
        give(&Report {
            findings: &computed.findings,
            accepted: &computed.accepted,
            texts,
        })
    })
}

fn balancer(configurations: &[ConfigDocument<'_>], flags: &Map<String, Value>) -> Option<BalancerSettings> {
    // What is wrong with a flag was found when the configurations were read.
    let flags: Backends = serde_json::from_value(Value::Object(flags.clone())).ok()?;
    let specs = configurations.iter().map(|document| &document.config.spec);
    let settings = Settings::new(specs, &flags).ok()?;
    let acceptances = configurations.iter().flat_map(outcome::acceptances);
    Some(BalancerSettings {
        settings,
        acceptances: acceptances
            .filter(|(acceptance, _)| acceptance.is_of_backends())
            .collect(),
    })
}

/// Gives the texts of a run as reports want them.
fn with_texts<T>(computed: &Computed, give: impl FnOnce(&[(&str, &str)]) -> T) -> T {
    let texts = computed
        .manifests
        .iter()
        .chain(&computed.configs)
        .chain(&computed.state);
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
