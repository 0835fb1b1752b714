//! `status`: the tree of clusters and machines with their addresses, from a cluster or a dump of one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::controller::ClusterAccess;
use super::failure::Failure;
use super::plan::read_plan;
use super::{Status, input, output};
use crate::controller::snapshot;
use crate::planning::AddressPlan;
use crate::report::Table;
use crate::status::{Cluster, Objects, as_json, clusters};
use crate::yaml::{Limits, Tree, chunks, is_bare};

const EXAMPLES: &str = "\
Examples:
  # Every cluster of the management cluster
  capv-ipam status

  # What differs from the plan of a manifest, again and again
  capv-ipam status --against plan.yaml --watch

  # From a dump, without a cluster
  kubectl get clusters,vspheremachines,machines,ipclaims,ipaddresses.ipam.metal3.io -A -o yaml > dump.yaml
  capv-ipam status -f dump.yaml";

/// Print which machine has which address, which waits, and for what.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, after_help = "Examples: capv-ipam status --help")]
pub(super) struct StatusArgs {
    /// Read objects from a file instead of a cluster, may be repeated; - is standard input
    #[arg(short, long = "filename", value_name = "FILENAME")]
    filenames: Vec<PathBuf>,
    #[command(flatten)]
    cluster: ClusterAccess,
    /// Only this namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Also say what differs from a plan that `plan -o yaml` printed; exit 1 when anything does
    #[arg(long, value_name = "PLAN")]
    against: Option<PathBuf>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t = Form::Table, value_name = "FORM")]
    output: Form,
    /// Again and again: redraws on a terminal, elsewhere prints the lines that changed
    #[arg(short, long, conflicts_with = "filenames")]
    watch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The tree
    Table,
    /// The tree with claims and what to do
    Wide,
    /// Everything as JSON
    Json,
}

/// How often a watch looks.
const INTERVAL: Duration = Duration::from_secs(2);

impl StatusArgs {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let plan = self.against.as_ref().map(read_plan).transpose()?;
        if !self.filenames.is_empty() {
            let objects = Objects::read(self.files()?);
            return self.print(&self.read(&objects, plan.as_ref()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::message(format!("cannot start: {error}")))?;
        runtime.block_on(async {
            let config = self.cluster.config().await?;
            let client =
                kube::Client::try_from(config).map_err(|error| Failure::message(format!("cannot connect: {error}")))?;
            let mut before = BTreeMap::new();
            let mut warned = BTreeSet::new();
            loop {
                let snapshot = snapshot(&client, self.namespace.as_deref()).await;
                let snapshot =
                    snapshot.map_err(|trouble| Failure::message(format!("cannot read the cluster: {trouble}")))?;
                for said in snapshot.forbidden {
                    if warned.insert(said.clone()) {
                        anstream::eprintln!("warning: not everything can be read, so this may be incomplete: {said}");
                    }
                }
                let clusters = self.read(&Objects::read(snapshot.objects), plan.as_ref());
                if !self.watch {
                    return self.print(&clusters);
                }
                self.redraw(&clusters, &mut before)?;
                tokio::time::sleep(INTERVAL).await;
            }
        })
    }

    fn read(&self, objects: &Objects, plan: Option<&AddressPlan>) -> Vec<Cluster> {
        let mut clusters = clusters(objects, plan);
        if let Some(namespace) = &self.namespace {
            clusters.retain(|cluster| cluster.namespace == *namespace);
        }
        clusters
    }

    fn files(&self) -> Result<Vec<Value>, Failure> {
        let texts = input::read_files_or_fail(&self.filenames, "-f")?;
        let limits = Limits::default();
        let mut objects = Vec::new();
        for text in &texts {
            for chunk in chunks(&text.text).filter(|chunk| !is_bare(chunk.text)) {
                let wrong = |problem: String| Failure::message(format!("{}: {problem}", text.name));
                let tree = Tree::parse(&chunk, &limits).map_err(|error| wrong(error.to_string()))?;
                let Some(root) = tree.root() else { continue };
                objects.push(tree.value(root, &limits).map_err(|error| wrong(error.to_string()))?);
            }
        }
        Ok(objects)
    }

    fn print(&self, clusters: &[Cluster]) -> Result<Status, Failure> {
        output::print(&self.show(clusters))?;
        let differs = clusters.iter().any(|cluster| !cluster.differences.is_empty());
        Ok(if differs { Status::Differences } else { Status::Done })
    }

    fn show(&self, clusters: &[Cluster]) -> String {
        if self.output == Form::Json {
            return format!("{:#}\n", as_json(clusters));
        }
        if clusters.is_empty() {
            return "no Cluster\n".into();
        }
        let mut text = self.table(clusters).aligned();
        for cluster in clusters {
            for difference in &cluster.differences {
                text.push_str(&format!("{}/{}: {difference}\n", cluster.namespace, cluster.name));
            }
        }
        text
    }

    fn table(&self, clusters: &[Cluster]) -> Table {
        let wide = self.output == Form::Wide;
        let mut titles = vec!["NAME", "STATE", "ADDRESS", "REASON"];
        if wide {
            titles.extend(["CLAIM", "DO"]);
        }
        titles.push("AGE");
        let mut table = Table::new(&titles);
        let mut row = |name: String, state: &str, address: String, reason: String, more: [String; 2], age: String| {
            let mut cells = vec![name, state.to_owned(), address, reason];
            if wide {
                cells.extend(more);
            }
            cells.push(age);
            table.row(cells);
        };
        for cluster in clusters {
            let name = format!("Cluster/{}/{}", cluster.namespace, cluster.name);
            let state = if cluster.paused { "Paused" } else { "" };
            row(
                name,
                state,
                cluster.endpoint.clone(),
                String::new(),
                <_>::default(),
                String::new(),
            );
            for ((kind, group), machines) in &cluster.groups {
                row(
                    if group.is_empty() {
                        format!("  {kind}")
                    } else {
                        format!("  {kind}/{group}")
                    },
                    "",
                    String::new(),
                    String::new(),
                    <_>::default(),
                    String::new(),
                );
                for machine in machines {
                    row(
                        format!("    {}", machine.name),
                        machine.state.name(),
                        machine.addresses.join(","),
                        machine.reason.clone(),
                        [machine.claims.join(","), machine.repair.clone()],
                        age(&machine.created),
                    );
                }
            }
        }
        table
    }

    /// On a terminal the whole tree anew; elsewhere only the lines that are new or have changed.
    fn redraw(&self, clusters: &[Cluster], before: &mut BTreeMap<String, String>) -> Result<(), Failure> {
        let text = self.show(clusters);
        if std::io::stdout().is_terminal() {
            return output::print(&format!("\x1b[H\x1b[2J{text}"));
        }
        let mut now = BTreeMap::new();
        let mut changed = String::new();
        for cluster in clusters {
            for machine in cluster.groups.values().flatten() {
                let key = format!("{}/{}", cluster.namespace, machine.name);
                let line = format!(
                    "{key} {} {} {}",
                    machine.state.name(),
                    machine.addresses.join(","),
                    machine.reason
                );
                if before.get(&key) != Some(&line) {
                    changed.push_str(line.trim_end());
                    changed.push('\n');
                }
                now.insert(key, line);
            }
        }
        for gone in before.keys().filter(|key| !now.contains_key(*key)) {
            changed.push_str(&format!("{gone} gone\n"));
        }
        *before = now;
        output::print(&changed)
    }
}

/// How long ago, as kubectl writes it.
fn age(created: &str) -> String {
    let Ok(created) = created.parse::<jiff::Timestamp>() else {
        return String::new();
    };
    let seconds = jiff::Timestamp::now().duration_since(created).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
