//! `allocate`: pools, claims and addresses in, what the controllers would create and write out.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::failure::Failure;
use super::input::{Input, Text};
use super::report::ReportTo;
use super::{Status, output};
use crate::allocation::{self, Allocation, Request, Wishes};
use crate::api::{capi, metal3};
use crate::check::{Finding, has_errors, input_finding};
use crate::ipam::ClaimKind;
use crate::objects::{Manifest, Source};
use crate::report::{Report, allocation_table};
use crate::state::is_api_time;
use crate::yaml::{Layout, Limits, emit};

const EXAMPLES: &str = "\
Examples:
  # What would the next five machines get?
  kubectl get ippools,ipclaims,ipaddresses.ipam.metal3.io -n demo -o yaml |
    capv-ipam allocate --count 5 -o table

  # Keep an address for a claim that is still to come
  capv-ipam allocate -f live.yaml --for db-0-0=10.0.0.50 --only addresses | kubectl apply -f -

Give all of a namespace: pools, claims and addresses of both groups. What is missing counts as held.";

/// Print what claims get from their pools: the objects that the controllers would create, and the status they would write.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, after_help = "Examples: capv-ipam allocate --help")]
pub(super) struct Allocate {
    #[command(flatten)]
    input: Input,
    /// Namespace of objects that give none [default: the only one that the input names]
    #[arg(short, long, value_name = "NAME", help_heading = "Input")]
    namespace: Option<String>,
    /// Claims that do not exist yet, in the order of their creation; =ADDRESS asks for an address
    #[arg(long = "for", value_name = "NAME[=ADDRESS]", num_args = 1.., value_delimiter = ',', help_heading = "What if")]
    names: Vec<String>,
    /// That many more claims, called next-1, next-2 and so on; 1,000,000 at most
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(..=1_000_000),
        help_heading = "What if"
    )]
    count: u32,
    /// Pool of these claims, as [KIND/][NAMESPACE/]NAME; needed when the input has several
    #[arg(long, value_name = "POOL", help_heading = "What if")]
    pool: Option<String>,
    /// Kind of these claims [default: IPClaim for an IPPool, else IPAddressClaim]
    #[arg(long, value_enum, value_name = "KIND", help_heading = "What if")]
    kind: Option<Kind>,
    /// Seed of the draws of pools with the strategy random; a cluster draws others
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "What if")]
    seed: u64,
    /// Form of the result
    #[arg(short, long, value_enum, default_value_t = Form::Yaml, value_name = "FORM", help_heading = "Output")]
    output: Form,
    /// Print these objects only
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "WHAT",
        help_heading = "Output"
    )]
    only: Vec<Part>,
    /// Time of the writes, such as 2026-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Output")]
    now: Option<String>,
    /// Form of the findings, and a file for them instead of standard error
    #[arg(
        long,
        value_name = "text|json|sarif|github[=FILE]",
        default_value = "text",
        help_heading = "Output"
    )]
    report: ReportTo,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// metal3's claim
    #[value(name = "IPClaim")]
    IPClaim,
    /// Cluster API's claim
    #[value(name = "IPAddressClaim")]
    IPAddressClaim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Documents that can be applied in their order
    Yaml,
    /// The same as one List
    Json,
    /// Who gets what
    Table,
    /// The same with prefix, gateway, DNS servers and object
    Wide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Pools, with their status
    Pools,
    /// Claims, with their status
    Claims,
    /// Address objects
    Addresses,
}

impl Allocate {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let texts = match self.input.read(&[])? {
            Ok(texts) => texts,
            Err(findings) => return self.unreadable(&[], &findings),
        };
        let sources: Vec<Source<'_>> = texts.iter().map(Text::source).collect();
        let manifest = match Manifest::read(&sources, Limits::default()) {
            Ok(manifest) => manifest,
            Err(errors) => {
                let findings: Vec<Finding> = errors.iter().map(|error| input_finding(error, &sources)).collect();
                return self.unreadable(&texts, &findings);
            }
        };
        let allocation =
            allocation::allocate(&manifest, &self.request()).map_err(|wrong| Failure::message(wrong.to_string()))?;
        let findings = allocation.findings();
        if allocation.has_unread_address() {
            return self.unreadable(&texts, &findings);
        }
        let printed = self.print(&allocation, &manifest)?;
        let nothing = "nothing changes: no claim of the input waits for an address";
        let empty = "the input has no pool, claim or address of ipam.metal3.io or ipam.cluster.x-k8s.io";
        let live = &allocation.live;
        let note = match printed {
            true => None,
            false if live.pools.is_empty() && live.claims().is_empty() && live.addresses().is_empty() => Some(empty),
            false => Some(nothing),
        };
        with_report(&texts, &findings, |report| {
            self.report.write_beside_result(report, note)
        })?;
        Ok(if has_errors(&findings) {
            Status::Failed
        } else {
            Status::Done
        })
    }

    fn request(&self) -> Request {
        let named = |text: &String| match text.split_once('=') {
            Some((name, address)) => (name.to_owned(), Some(address.to_owned())),
            None => (text.clone(), None),
        };
        Request {
            wishes: Wishes {
                names: self.names.iter().map(named).collect(),
                count: self.count,
                pool: self.pool.clone(),
                kind: self.kind.map(|kind| match kind {
                    Kind::IPClaim => ClaimKind::IPClaim,
                    Kind::IPAddressClaim => ClaimKind::IPAddressClaim,
                }),
            },
            namespace: self.namespace.clone(),
            seed: self.seed,
        }
    }

    /// Prints the result; whether there was any.
    fn print(&self, allocation: &Allocation, manifest: &Manifest<'_>) -> Result<bool, Failure> {
        if matches!(self.output, Form::Table | Form::Wide) {
            let rows = allocation::rows(allocation);
            if !rows.is_empty() {
                output::print(&allocation_table(&rows, self.output == Form::Wide).aligned())?;
            }
            return Ok(!rows.is_empty());
        }
        let now = self.now.clone().unwrap_or_else(present);
        let mut documents = allocation::documents(allocation, manifest, &now);
        documents
            .retain(|document| self.only.is_empty() || part(document).is_some_and(|part| self.only.contains(&part)));
        if documents.is_empty() && self.output == Form::Yaml {
            return Ok(false);
        }
        let some = !documents.is_empty();
        output::print(&match self.output {
            Form::Json => format!(
                "{:#}\n",
                json!({"apiVersion": "v1", "kind": "List", "items": documents})
            ),
            _ => stream(&documents),
        })?;
        Ok(some)
    }

    fn unreadable(&self, texts: &[Text], findings: &[Finding]) -> Result<Status, Failure> {
        with_report(texts, findings, |report| self.report.write(report, None))?;
        Ok(Status::Failed)
    }
}

fn with_report<T>(texts: &[Text], findings: &[Finding], give: impl FnOnce(&Report<'_>) -> T) -> T {
    let texts: Vec<(&str, &str)> = texts.iter().map(|text| (&*text.name, &*text.text)).collect();
    give(&Report {
        findings,
        accepted: &[],
        texts: &texts,
    })
}

/// The documents of a YAML stream.
fn stream(documents: &[Value]) -> String {
    let mut out = String::new();
    for document in documents.iter().filter_map(Value::as_object) {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        out.push_str(&emit::document(document, Layout::default()));
    }
    out
}

fn part(document: &Value) -> Option<Part> {
    match document["kind"].as_str()? {
        metal3::ADDRESS_KIND => Some(Part::Addresses),
        metal3::CLAIM_KIND | capi::CLAIM_KIND => Some(Part::Claims),
        _ => Some(Part::Pools),
    }
}

/// The present time as the API server writes it.
fn present() -> String {
    let now = jiff::Timestamp::now();
    // Whole seconds: every one of them has a time.
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

fn time(text: &str) -> Result<String, String> {
    let correct = is_api_time(text) && text.parse::<jiff::Timestamp>().is_ok();
    correct
        .then(|| text.to_owned())
        .ok_or_else(|| "write it in UTC with whole seconds, such as 2026-01-31T12:00:00Z".to_owned())
}
