//! `backends`: what a load balancer is told about the members, from a manifest or a saved plan, whole or as a difference.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::Status;
use super::balancer::{BalancerFlags, Members, earlier, gone};
use super::failure::Failure;
use super::given::{Computed, Given};
use super::plan::{parse_plan, read_plan};
use super::{input, output};
use crate::addressing::Format;
use crate::backends::{About, MemberList, Wanted, collect, form_problem, in_manifest, in_plan, render};
use crate::check::{Finding, Place, Purpose, codes, has_errors};
use crate::objects::{Manifest, Source, Span};
use crate::planning::AddressPlan;
use crate::yaml::{Limits, Tree, chunks, is_bare};

const EXAMPLES: &str = "\
Examples:
  # tmsh commands for the BIG-IP, and the way to take them back
  capv-ipam backends -f plan.yaml --format f5-tmsh > apply.tmsh
  capv-ipam backends -f plan.yaml --format f5-tmsh --rollback > rollback.tmsh

  # The table for a change request, from a manifest
  capv-ipam backends -f cluster.yaml --config addressing.yaml

  # Only what changes against an earlier plan, and the way back
  capv-ipam backends -f new.yaml --format f5-tmsh --against plan.yaml > change.tmsh
  capv-ipam backends -f new.yaml --format f5-tmsh --against plan.yaml --rollback > back.tmsh

With --against:
  f5-tmsh, f5-icontrol, f5-ansible   single changes: new members first, old ones drained
  f5-as3                             the tenants that change; AS3 makes the difference itself
  table, csv, list, json             what changes
  all others                         refused: their file is the whole state
--rollback alone removes everything; only the first two rows have it.
A --node-name that moves to another address comes last, after old members: a warning says so.";

const UNCHANGED: &str = "\
no address changes against the earlier plan; settings such as services, members, ports, monitor and names are taken from \
this run for both";

const DRAINS: &str = "wait until the new replicas are up before the first step that disables a member";

const ONE_STEP: &str = "\
AS3 adds and removes members in one step: where members go, wait until the new replicas are up before it is posted";

/// Print the members for a load balancer, as its own configuration or as a list.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, after_help = "Examples: capv-ipam backends --help")]
pub(super) struct Backends {
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    balancer: BalancerFlags,
    /// Form of the list
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT", help_heading = "Output")]
    format: Format,
    /// Print only what changes against a plan that `plan -o yaml` or `-o json` printed
    #[arg(long, value_name = "PLAN", help_heading = "Output")]
    against: Option<PathBuf>,
    /// Print the way back: from this list to the earlier one, or to nothing
    #[arg(long, help_heading = "Output")]
    rollback: bool,
}

impl Backends {
    pub(super) fn run(mut self) -> Result<Status, Failure> {
        if let Some(problem) = form_problem(self.format, self.against.is_some(), self.rollback) {
            return Err(Failure::message(problem));
        }
        let old = self.against.as_ref().map(read_plan).transpose()?;
        let only: Vec<String> = self.given.wanted.cluster.iter().cloned().collect();
        if !self.given.wanted.configs.is_empty() || self.given.wanted.only_cluster() {
            // Then --cluster says what is printed, not what a pool is for.
            self.given.wanted.cluster = None;
        }
        self.given.report_spares(&self.against)?;
        let read = self.given.read()?;
        let saved = saved_plans(&read)?;
        let from_plan = saved.is_some();
        if from_plan && !self.given.wanted.is_empty() {
            let problem = "a saved plan is finished: flags for pools and the manifest do not go with it";
            return Err(Failure::message(problem));
        }
        let keys = self.balancer.keys();
        let (mut computed, plan) = match saved {
            Some(plan) => (self.given.balancer_alone(read, &keys), Some(plan)),
            None => {
                let computed = self.given.computed(Purpose::Transform, read, &keys);
                let edits = computed.edits.as_ref().filter(|_| !has_errors(&computed.findings));
                let plan = edits.map(|edits| self.given.plan(&computed, edits)).transpose()?;
                (computed, plan)
            }
        };
        let Some(plan) = plan.filter(|_| !has_errors(&computed.findings)) else {
            self.given.report(&computed, None)?;
            return Ok(Status::Failed);
        };
        let place = |about| {
            if from_plan {
                place_in_plans(&computed, about)
            } else {
                place_in_manifest(&computed, &plan, about)
            }
        };
        let mut members = Members::of(&plan, &computed, &only, &place);
        let text = self.text(&mut members, old.as_ref(), &only, &plan);
        let (findings, accepted) = members.accepted();
        computed.findings.extend(findings);
        computed.accepted.extend(accepted);
        computed.findings.sort_by_cached_key(Finding::order);
        let Some(text) = text.filter(|_| !has_errors(&computed.findings)) else {
            self.given.report(&computed, None)?;
            return Ok(Status::Failed);
        };
        // The report first: when it cannot be written, nothing is printed.
        self.given.report(&computed, self.note(&text))?;
        output::print(&text)?;
        Ok(Status::Done)
    }

    /// What a person should know who applies the text.
    fn note(&self, text: &str) -> Option<&'static str> {
        self.against.as_ref()?;
        match self.format {
            _ if text.is_empty() => Some(UNCHANGED),
            Format::F5Tmsh | Format::F5Icontrol | Format::F5Ansible => text.contains("disabled").then_some(DRAINS),
            Format::F5As3 => Some(ONE_STEP),
            _ => None,
        }
    }

    /// The wanted text; `None` after an error, which is among the findings then.
    fn text(
        &self,
        members: &mut Members<'_>,
        old: Option<&AddressPlan>,
        only: &[String],
        there: &AddressPlan,
    ) -> Option<String> {
        if members.refused() {
            return None;
        }
        if members.list.services.is_empty() {
            members.findings.push(nothing(only, there, members.computed));
            return None;
        }
        let before = old.map(|old| self.earlier_list(members, old, only));
        if members.refused() {
            return None;
        }
        let list = std::mem::take(&mut members.list);
        if let Some(before) = before.as_ref().filter(|_| !self.rollback) {
            members.findings.extend(gone(before, &list));
        }
        let wanted = Wanted {
            list: &list,
            against: before.as_ref(),
            rollback: self.rollback,
        };
        match render(self.format, wanted) {
            Ok((text, findings)) => {
                members.add(findings);
                Some(text)
            }
            Err(findings) => {
                members.add(findings);
                None
            }
        }
    }

    fn earlier_list(&self, members: &mut Members<'_>, old: &AddressPlan, only: &[String]) -> MemberList {
        let Some(settings) = members.settings() else {
            return MemberList::default();
        };
        let (list, findings) = collect(old, settings, only);
        members.findings.extend(earlier(findings));
        list
    }
}

pub(super) fn nothing(only: &[String], there: &AddressPlan, computed: &Computed) -> Finding {
    let names: BTreeSet<&str> = there
        .clusters
        .iter()
        .filter_map(|cluster| cluster.name.as_deref())
        .collect();
    let wanted = only.first().map_or_else(String::new, |cluster| format!(" {cluster}"));
    let message = format!("the input has no cluster{wanted} with static addresses");
    let help = if !wanted.is_empty() && !names.is_empty() {
        format!(
            "the input's clusters are {}",
            names.into_iter().collect::<Vec<_>>().join(", ")
        )
    } else if !has_objects(computed) {
        "it holds no object of a cluster; give the manifest with its Cluster, or a saved plan".to_owned()
    } else {
        "give the manifest with its pools and labels, a configuration with --config, or a saved plan".to_owned()
    };
    Finding::new(&codes::BACKENDS_NO_GROUP, message).help(help)
}

/// Whether the input holds any object that a cluster is made of.
fn has_objects(computed: &Computed) -> bool {
    let sources: Vec<Source<'_>> = computed.manifests.iter().map(input::Text::source).collect();
    Manifest::read(&sources, Limits::default()).is_ok_and(|manifest| !manifest.objects.is_empty())
}

/// The plan of inputs that are saved plans; `None` when they are a manifest.
fn saved_plans(read: &Computed) -> Result<Option<AddressPlan>, Failure> {
    let saved: Vec<bool> = read.manifests.iter().map(|text| is_plan(&text.text)).collect();
    if !saved.contains(&true) {
        return Ok(None);
    }
    if saved.contains(&false) {
        return Err(Failure::message(
            "give either saved plans or a manifest with -f, not both",
        ));
    }
    let mut plans = Vec::new();
    for text in &read.manifests {
        plans.push(parse_plan(&text.name, &text.text)?);
    }
    let mut plans = plans.into_iter();
    let mut first = plans.next();
    if let Some(first) = &mut first {
        first.clusters.extend(plans.flat_map(|plan| plan.clusters));
    }
    Ok(first)
}

/// Whether the first document of a text is an AddressPlan.
fn is_plan(text: &str) -> bool {
    if !text.contains("AddressPlan") {
        return false;
    }
    let Some(chunk) = chunks(text).find(|chunk| !is_bare(chunk.text)) else {
        return false;
    };
    let Ok(tree) = Tree::parse(&chunk, &Limits::default()) else {
        return false;
    };
    let kind = tree.root().and_then(|root| tree.get(root, "kind"));
    kind.is_some_and(|kind| {
        tree.value(kind, &Limits::default())
            .is_ok_and(|kind| kind == "AddressPlan")
    })
}

pub(super) fn place_in_manifest(computed: &Computed, plan: &AddressPlan, about: About) -> Option<Place> {
    let sources: Vec<Source<'_>> = computed.manifests.iter().map(input::Text::source).collect();
    let manifest = Manifest::read(&sources, Limits::default()).ok()?;
    in_manifest(&manifest, plan, about)
}

/// The clusters of all saved plans count on, in the order of the inputs.
fn place_in_plans(computed: &Computed, about: About) -> Option<Place> {
    let mut cluster = about.cluster();
    for (source, text) in computed.manifests.iter().enumerate() {
        let chunk = chunks(&text.text).find(|chunk| !is_bare(chunk.text))?;
        let tree = Tree::parse(&chunk, &Limits::default()).ok()?;
        let clusters = tree
            .get(tree.root()?, "clusters")
            .map_or(0, |list| tree.items(list).count());
        if cluster >= clusters {
            cluster -= clusters;
            continue;
        }
        let span = in_plan(&tree, about, cluster)?;
        let span = Span::new(chunk.start + span.start..chunk.start + span.end);
        return Some(Place {
            source,
            span: span.first_line(chunk.text, chunk.start),
        });
    }
    None
}
