//! `transform`: manifest in, manifest out; with any error nothing is printed and no file is touched.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Status;
use super::backends::place_in_manifest;
use super::balancer::{BalancerFlags, FormatFile, Judged, Members};
use super::failure::Failure;
use super::given::{Computed, Given};
use super::input::Text;
use super::output::{self, Prepared};
use super::plan;
use crate::backends::{Wanted, render};
use crate::check::{Finding, Purpose, codes, has_errors};
use crate::planning::AddressPlan;
use crate::report::unified_diff;
use crate::yaml::{Edits, Limits, chunks, stream};

const EXAMPLES: &str = "\
Examples:
  # The control plane gets five addresses, an external load balancer carries the VIP
  dkp create cluster vsphere … --dry-run -o yaml | capv-ipam transform --machines control-plane \\
    --addresses 15.235.38.172-15.235.38.176 --prefix 27 --gateway 15.235.38.190 \\
    --dns-servers 8.8.8.8,8.8.4.4 --kube-vip remove > cluster.yaml

  # See what a configuration would change in a repository, then change it
  capv-ipam transform -f clusters/ -R --config addressing.yaml --diff
  capv-ipam transform -f clusters/ -R --config addressing.yaml -w

Only what the configuration asks for changes: comments, order, quotes and line ends stay as they are.";

/// Write pools into a manifest, turn DHCP off in the chosen templates, remove kube-vip.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, after_help = "Examples: capv-ipam transform --help")]
pub(super) struct Transform {
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    balancer: BalancerFlags,
    /// Show a unified diff instead of the manifest; exit 1 when there are differences
    #[arg(long, conflicts_with = "write", help_heading = "Output")]
    diff: bool,
    /// Write the address plan of the result to a file: JSON for .json, else YAML
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    write_plan: Option<PathBuf>,
    /// Write the member list for a load balancer to a file, in one of the formats of `backends`; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output")]
    write_backends: Vec<FormatFile>,
    /// Rewrite the files in place, each in one step
    #[arg(short, long, help_heading = "Output")]
    write: bool,
}

impl Transform {
    pub(super) fn run(self) -> Result<Status, Failure> {
        // What is written beside the manifest speaks of all of it, and is refused where `plan` refuses it.
        let purpose = if self.write_plan.is_some() || !self.write_backends.is_empty() {
            Purpose::Plan
        } else {
            Purpose::Transform
        };
        let keys = self.balancer.keys();
        let mut computed = self.given.computed(purpose, self.given.read()?, &keys);
        if !self.write && !self.diff {
            computed.findings.extend(joints(&computed.manifests));
        }
        let edits = computed.edits.take().filter(|_| !has_errors(&computed.findings));
        let Some(edits) = edits else {
            self.given.report(&computed, None)?;
            return Ok(Status::Failed);
        };
        let note = "no configuration was given: the manifest is passed through unchanged";
        // All texts and the report first: when one cannot be written, nothing is printed and no file is touched.
        let mut prepared = Prepared::default();
        let files = self.write_backends.iter().map(|wanted| &wanted.file);
        let files = || self.write_plan.iter().chain(files.clone());
        computed.spares_inputs(files())?;
        self.given.report_spares(files())?;
        if self.write_plan.is_some() || !self.write_backends.is_empty() {
            let plan = self.given.plan(&computed, &edits)?;
            if let Some(path) = &self.write_plan {
                prepared.add(path, plan::for_file(&plan, path)?.as_bytes())?;
            }
            let (lists, (findings, accepted)) = self.lists(&computed, &plan);
            computed.findings.extend(findings);
            computed.accepted.extend(accepted);
            computed.findings.sort_by_cached_key(Finding::order);
            if has_errors(&computed.findings) {
                self.given.report(&computed, None)?;
                return Ok(Status::Failed);
            }
            for (path, text) in lists {
                prepared.add(path, text.as_bytes())?;
            }
        }
        if self.write {
            rewritten(&computed.manifests, &edits, &mut prepared)?;
        }
        self.given.report(&computed, (!computed.configured).then_some(note))?;
        prepared.commit()?;
        self.emit(&computed.manifests, &edits)
    }

    /// The wanted member lists with their files, and what is to be said about them.
    fn lists(&self, computed: &Computed, plan: &AddressPlan) -> (Vec<(&Path, String)>, Judged) {
        if self.write_backends.is_empty() {
            return (Vec::new(), Judged::default());
        }
        let place = |about| place_in_manifest(computed, plan, about);
        let mut members = Members::of(plan, computed, &[], &place);
        let mut lists = Vec::new();
        if members.list.services.is_empty() && !members.refused() {
            members.findings.push(super::backends::nothing(&[], plan, computed));
        }
        let list = std::mem::take(&mut members.list);
        let refused = members.refused();
        for wanted in self.write_backends.iter().filter(|_| !refused) {
            let whole = Wanted {
                list: &list,
                against: None,
                rollback: false,
            };
            match render(wanted.format, whole) {
                Ok((text, findings)) => {
                    members.add(findings);
                    lists.push((wanted.file.as_path(), text));
                }
                Err(findings) => members.add(findings),
            }
        }
        (lists, members.accepted())
    }

    fn emit(&self, manifests: &[Text], edits: &[Edits]) -> Result<Status, Failure> {
        if self.diff {
            let diffs = manifests
                .iter()
                .zip(edits)
                .map(|(text, edits)| unified_diff(&text.name, &text.text, edits));
            let diff: String = diffs.collect();
            output::print(&diff)?;
            return Ok(if diff.is_empty() {
                Status::Done
            } else {
                Status::Differences
            });
        }
        if !self.write {
            let texts: Vec<(&str, &Edits)> = manifests
                .iter()
                .zip(edits)
                .map(|(text, edits)| (text.text.as_str(), edits))
                .collect();
            output::print_manifest(&texts)?;
            return Ok(Status::Done);
        }
        Ok(Status::Done)
    }
}

/// The edited files of `--write`.
fn rewritten(manifests: &[Text], edits: &[Edits], prepared: &mut Prepared) -> Result<(), Failure> {
    for (text, edits) in manifests.iter().zip(edits) {
        match &text.path {
            None => {
                return Err(Failure::message(
                    "--write rewrites files; standard input cannot be rewritten",
                ));
            }
            Some(path) if !edits.is_empty() => prepared.edit(path, &text.text, edits)?,
            Some(_) => {}
        }
    }
    Ok(())
}

/// Where texts are joined, the one before must end its last line; that may change its last scalar.
fn joints(manifests: &[Text]) -> Vec<Finding> {
    let before_another = manifests.len().saturating_sub(1);
    let texts = manifests.iter().take(before_another).enumerate();
    texts
        .filter(|(_, text)| !text.text.is_empty() && !text.text.ends_with(['\n', '\r']))
        .filter_map(|(index, text)| {
            let last = chunks(&text.text).last()?;
            let refusal = stream::insert_after(&last, "", &Limits::default()).err()?;
            let span = crate::objects::Span::new(text.text.len()..text.text.len());
            let message = format!(
                "{} has no final line end, and adding one changes its last value",
                text.name
            );
            let help = format!("end the file with a line end ({refusal})");
            Some(Finding::new(&codes::UNSAFE_EDIT, message).at(index, span).help(help))
        })
        .collect()
}
