//! `status`: the tree of clusters and machines with their addresses, from a cluster or a dump of one.

use std::collections::BTreeMap;
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
    /// Also say what differs from a plan that `plan -o yaml` printed; exit 1 when anything does, and always when two machines of
    /// a cluster have one address
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

/// What one look at the objects shows.
struct Look {
    clusters: Vec<Cluster>,
    /// What may not be read, in the API server's words: of that nothing can be said.
    unread: Vec<String>,
}

impl Look {
    /// A line for each kind that may not be read.
    fn warnings(&self) -> String {
        let warning = |said| format!("warning: not everything can be read, so this may be incomplete: {said}\n");
        self.unread.iter().map(warning).collect()
    }
}

/// How often a watch looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// Says a warning, unless it was the last one said.
fn warn_once(said: &mut String, warning: String) {
    if *said != warning {
        anstream::eprint!("{warning}");
        *said = warning;
    }
}

impl StatusArgs {
    pub(super) fn run(self) -> Result<Status, Failure> {
        let plan = self.against.as_ref().map(read_plan).transpose()?;
        if !self.filenames.is_empty() {
            let objects = Objects::read(self.files()?);
            return self.print(&self.look(&objects, plan.as_ref(), Vec::new()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::message(format!("cannot start: {error}")))?;
        runtime.block_on(async {
            let config = self.cluster.config().await?;
            let client =
                kube::Client::try_from(config).map_err(|error| Failure::message(format!("cannot connect: {error}")))?;
            let mut before = BTreeMap::new();
            let mut said = String::new();
            let mut has_looked = false;
            loop {
                let snapshot = match snapshot(&client, self.namespace.as_deref()).await {
                    Ok(snapshot) => snapshot,
                    // What was seen once may be out of reach for a while.
                    Err(trouble) if self.watch && has_looked => {
                        warn_once(
                            &mut said,
                            format!("warning: cannot read the cluster: {trouble}; trying again\n"),
                        );
                        tokio::time::sleep(INTERVAL).await;
                        continue;
                    }
                    Err(trouble) => return Err(Failure::message(format!("cannot read the cluster: {trouble}"))),
                };
                has_looked = true;
                let look = self.look(&Objects::read(snapshot.objects), plan.as_ref(), snapshot.unread);
                if !self.watch {
                    return self.print(&look);
                }
                if std::io::stdout().is_terminal() {
                    let text = format!("{}{}", self.show(&look), look.warnings());
                    output::print(&format!("\x1b[H\x1b[2J{text}"))?;
                    said.clear();
                } else {
                    warn_once(&mut said, look.warnings());
                    output::print(&changes(&look, &mut before))?;
                }
                tokio::time::sleep(INTERVAL).await;
            }
        })
    }

    fn look(&self, objects: &Objects, plan: Option<&AddressPlan>, unread: Vec<String>) -> Look {
        Look {
            clusters: clusters(objects, self.namespace.as_deref(), plan),
            unread,
        }
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

    fn print(&self, look: &Look) -> Result<Status, Failure> {
        output::print(&self.show(look))?;
        anstream::eprint!("{}", look.warnings());
        if self.against.is_some() && !look.unread.is_empty() {
            let problem = "nothing can be said about the plan, because not everything can be read";
            return Err(Failure::message(problem.to_owned()));
        }
        let differs = look.clusters.iter().any(|cluster| !cluster.differences.is_empty());
        Ok(if differs { Status::Differences } else { Status::Done })
    }

    fn show(&self, look: &Look) -> String {
        let clusters = &look.clusters;
        if self.output == Form::Json {
            return format!("{:#}\n", as_json(clusters, &look.unread));
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
            let state = match (cluster.found, cluster.paused) {
                (false, _) => "NotFound",
                (true, true) => "Paused",
                (true, false) => "",
            };
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
}

/// One line for each machine that is new, changed, or gone since `before`.
fn changes(look: &Look, before: &mut BTreeMap<String, String>) -> String {
    let mut now = BTreeMap::new();
    let mut changed = String::new();
    for cluster in &look.clusters {
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
    if !look.unread.is_empty() {
        // What is not seen need not be gone.
        for (key, line) in std::mem::take(before) {
            now.entry(key).or_insert(line);
        }
    }
    for gone in before.keys().filter(|key| !now.contains_key(*key)) {
        changed.push_str(&format!("{gone} gone\n"));
    }
    *before = now;
    changed
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
