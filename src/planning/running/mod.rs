//! From a manifest and what is live beside it to what the machines hold and what the pools have left; the plan keeps the one
//! and gives from the other.

mod begin;
mod claimed;
mod holding;
mod keep;
mod placing;
mod pools;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::draws::Draws;
use super::plan::PoolReference;
use crate::addressing::Groups;
use crate::allocation::settle_all;
use crate::check::{Finding, Place, Severity, codes};
use crate::ipam::{AddressSet, Pool};
use crate::objects::{Manifest, Object};
use crate::state::{Live, Machine, PoolId, State, machines, only_namespace};

/// What is live, seen from the manifest's groups and pools.
#[derive(Default)]
pub struct Running {
    /// By index of the drawn pool; none where neither manifest nor state has it.
    pools: Vec<Option<RunningPool>>,
    /// The machines of each group that the plan keeps, by index of the group, in the order of its slots.
    machines: BTreeMap<usize, Vec<Kept>>,
    /// What there is to say about the state; places are in its texts.
    pub findings: Vec<Finding>,
}

/// A pool with what is in use of it.
struct RunningPool {
    pool: Pool,
    /// Every address that somebody has.
    held: AddressSet,
    /// Those of them that no machine of the manifest's groups has.
    taken: AddressSet,
    /// Who holds addresses and may release them or ask for more, without being a machine of the manifest.
    rivals: Vec<String>,
    /// How many claims wait for an address of it.
    waiting: usize,
    /// A claim that is being deleted and has an address of it.
    leaving: Option<String>,
}

/// A machine that exists.
struct Kept {
    name: String,
    /// When it was made, as the API server writes it; sorts as the times do.
    created: Option<String>,
    deleting: bool,
    nics: Vec<KeptNic>,
}

/// An address of an existing machine's NIC, or what it waits for.
struct KeptNic {
    device: usize,
    place: Option<usize>,
    /// The claim's name, where there is a claim.
    claim: Option<String>,
    held: Option<Held>,
    /// Its claim gets no address before something changes; until somebody repairs one that metal3 refused, `held` is a promise.
    refused: bool,
}

/// An address with what it comes with.
#[derive(Clone)]
struct Held {
    address: IpAddr,
    prefix: Option<i64>,
    gateway: Option<String>,
    /// None where the address object says nothing of name servers.
    dns_servers: Option<Vec<String>>,
    object: Option<String>,
    pool: PoolReference,
}

impl Running {
    /// Reads what is live. Pools of the manifest count as they are there, with what the state says of their use: the
    /// manifest is about to be applied.
    #[must_use]
    pub fn read(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, state: &State<'_>) -> Self {
        let mut findings = Vec::new();
        let home = only_namespace(&state.manifest);
        let mut live = Live::read(&state.manifest, state.first_text, None, &mut findings);
        let draws = Draws::of(manifest, groups);
        let reader = Reader {
            manifest,
            groups,
            draws: &draws,
            state,
            machines: machines(&state.manifest, &home),
        };
        if !state.manifest.objects.iter().any(is_of_clusters) {
            findings.push(nothing_live(state));
        }
        reader.check_identity(&mut findings);
        pools::adopt(&reader, &home, &mut live, &mut findings);
        let allocation = settle_all(&state.manifest, state.first_text, live, 0);
        let drawn: Vec<Option<PoolId>> = draws
            .pools
            .iter()
            .map(|pool| pools::of_reference(&allocation.live, &pool.reference))
            .collect();
        for (about, finding) in &allocation.said {
            if about.is_none() || !drawn.contains(about) {
                continue;
            }
            findings.push(match finding.code {
                // The plan shows what the claim's machine gets; whether a pool is too small is said once, by the pool.
                code if code == &codes::CLAIM_REFUSED => Finding {
                    severity: Severity::Warning,
                    ..finding.clone()
                },
                _ => finding.clone(),
            });
        }
        let mut running = Running {
            pools: Vec::new(),
            machines: BTreeMap::new(),
            findings,
        };
        holding::collect(&reader, &allocation, &drawn, &mut running);
        reader.check_sizes(&mut running);
        running
    }
}

/// Whether an object is one of Cluster API or of a provider of addresses.
fn is_of_clusters(object: &Object<'_>) -> bool {
    ["cluster.x-k8s.io", "metal3.io"]
        .iter()
        .any(|group| object.group().ends_with(group))
}

/// A state that tells nothing, taken for one that does, would make a plan for machines that do not exist yet.
fn nothing_live(state: &State<'_>) -> Finding {
    let message = "the state has no Cluster, machine, pool, claim or address, so everything is planned as new";
    let finding = Finding::new(&codes::STATE_OF_ANOTHER_CLUSTER, message.to_owned());
    let first = state.manifest.objects.first().map(|object| state.place_of(object));
    let place = first.map(|(source, span)| Place { source, span });
    Finding { place, ..finding }
        .help("give the Clusters, Machines, VSphereMachines, pools, claims and addresses of the management cluster")
}

/// What is looked at.
struct Reader<'r, 'm, 'a> {
    manifest: &'r Manifest<'a>,
    groups: &'r Groups<'m, 'a>,
    draws: &'r Draws,
    state: &'r State<'r>,
    machines: Vec<Machine>,
}

impl Reader<'_, '_, '_> {
    /// A state of another cluster, or of a cluster that was made anew, would make a plan that is wrong.
    fn check_identity(&self, findings: &mut Vec<Finding>) {
        let uid = |manifest: &Manifest<'_>, object: &Object<'_>| {
            manifest.with_object(object, |at| {
                Some(at.at(&["metadata", "uid"])?.text()?.value.into_owned())
            })
        };
        let mut live: BTreeMap<(&str, &str, &str), Vec<&Object<'_>>> = BTreeMap::new();
        for object in &self.state.manifest.objects {
            live.entry((object.group(), &object.kind, object.name()))
                .or_default()
                .push(object);
        }
        for object in self.manifest.objects.iter().filter(|object| object.live) {
            let Some(own) = uid(self.manifest, object) else {
                continue;
            };
            let others = live
                .get(&(object.group(), &*object.kind, object.name()))
                .into_iter()
                .flatten();
            for other in others.filter(|other| other.in_namespace(object.namespace())) {
                if uid(&self.state.manifest, other).is_some_and(|uid| uid != own) {
                    let finding = Finding::new(
                        &codes::STATE_CONTRADICTS,
                        format!(
                            "{object} of the manifest and of the state have different UIDs: one was made anew, or they are of two clusters"
                        ),
                    );
                    findings.push(self.at(other, finding).help("take both from the cluster at one time"));
                }
            }
        }
        let known = self.known();
        for index in &self.groups.clusters {
            let cluster = &self.manifest.objects[*index];
            let here = |namespaces: &BTreeSet<String>| match cluster.namespace() {
                Some(namespace) => namespaces.contains(namespace) || namespaces.contains(""),
                None => true,
            };
            if !known.get(cluster.name()).is_some_and(here) {
                self.say_unknown(cluster, &known, findings);
            }
        }
    }

    /// The names and namespaces of all Clusters of which the state has anything.
    fn known(&self) -> BTreeMap<String, BTreeSet<String>> {
        let is_cluster = |object: &&Object<'_>| object.kind == "Cluster" && object.group() == "cluster.x-k8s.io";
        let clusters = self.state.manifest.objects.iter().filter(is_cluster);
        let clusters = clusters.map(|cluster| {
            (
                cluster.name().to_owned(),
                cluster.namespace().unwrap_or_default().to_owned(),
            )
        });
        let of_machines = self
            .machines
            .iter()
            .filter_map(|machine| Some((machine.cluster.clone()?, machine.namespace.clone())));
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, namespace) in clusters.chain(of_machines) {
            known.entry(name).or_default().insert(namespace);
        }
        known
    }

    fn say_unknown(
        &self,
        cluster: &Object<'_>,
        known: &BTreeMap<String, BTreeSet<String>>,
        findings: &mut Vec<Finding>,
    ) {
        let title = |(name, namespaces): (&String, &BTreeSet<String>)| {
            let titles = namespaces.iter().map(|namespace| match namespace.as_str() {
                "" => name.clone(),
                namespace => format!("{namespace}/{name}"),
            });
            titles.collect::<Vec<_>>()
        };
        let mut others: Vec<String> = known.iter().flat_map(title).collect();
        if others.is_empty() {
            return;
        }
        others.truncate(5);
        let finding = Finding::new(
            &codes::STATE_OF_ANOTHER_CLUSTER,
            format!("the state has nothing of {cluster}; it has {}", others.join(", ")),
        );
        let first = self.state.manifest.objects.first();
        let finding = match first {
            Some(first) => Finding {
                object: Some(cluster.to_string()),
                ..self.at(first, finding)
            },
            None => finding,
        };
        findings.push(finding.help("the cluster is planned as a new one; if it exists, take the state from its management cluster and namespace"));
    }

    /// Groups with more machines than places, and pools that others have used up.
    fn check_sizes(&self, running: &mut Running) {
        for (index, machines) in &running.machines {
            let group = &self.groups.all[*index];
            let Some(peak) = group.size.peak().filter(|peak| (machines.len() as u64) > *peak) else {
                continue;
            };
            let finding = Finding::new(
                &codes::MACHINES_SURPLUS,
                format!(
                    "{group} has {} machines, and the manifest asks for {peak} at most",
                    machines.len()
                ),
            );
            let last = machines
                .last()
                .and_then(|last| self.machines.iter().find(|machine| machine.name == last.name));
            let finding = match last {
                Some(machine) => self.at_machine(machine, finding),
                None => finding,
            };
            running.findings.push(
                finding.help("they keep their addresses until they are deleted; the plan lists them behind the others"),
            );
        }
        for (index, drawn) in self.draws.pools.iter().enumerate() {
            let Some((left, needed)) = running.shortage(index, drawn.needed(self.groups)) else {
                continue;
            };
            let reference = &drawn.reference;
            let finding = Finding::new(
                &codes::POOL_SHORT,
                format!(
                    "others leave {left} addresses of {} {}, and its groups need {needed}",
                    reference.kind, reference.name
                ),
            );
            running
                .findings
                .push(finding.help("enlarge the pool, or release what is not used any more"));
        }
    }

    /// A finding at an object of the state.
    fn at(&self, object: &Object<'_>, finding: Finding) -> Finding {
        let (source, span) = self.state.place_of(object);
        Finding {
            place: Some(Place { source, span }),
            ..finding.on(object)
        }
    }

    /// A finding at a machine.
    fn at_machine(&self, machine: &Machine, finding: Finding) -> Finding {
        match machine.object {
            Some(index) => self.at(&self.state.manifest.objects[index], finding),
            None => finding,
        }
    }
}
