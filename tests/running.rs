//! Holds plans of running clusters to recordings of real controllers: at every moment of every pair NAME.yaml and NAME.tsv of
//! tests/vectors/timelines the plan keeps what the machines have, and what it says of the next address is what came next.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads its recordings and says what it found"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use capv_ipam::addressing::Groups;
use capv_ipam::check::Severity;
use capv_ipam::ipam::AddressRange;
use capv_ipam::objects::{Manifest, Source};
use capv_ipam::planning::{AddressPlan, Certainty, NicPlan, Running, SlotPlan, plan_running};
use capv_ipam::state::State;
use capv_ipam::yaml::Limits;
use serde_json::{Value, json};

/// What stands beside a recording.
struct Shape {
    groups: Vec<Value>,
    pools: Vec<Value>,
    steps: Vec<(f64, String)>,
}

/// One line of a recording.
#[derive(Clone)]
struct Event {
    time: f64,
    kind: String,
    name: String,
    event: String,
    value: String,
}

fn shape(text: &str) -> Shape {
    let value: Value = serde_yaml::from_str(text).unwrap();
    let list = |key: &str| value[key].as_array().unwrap().clone();
    let steps = list("steps");
    let steps = steps.iter().map(|step| {
        (
            step["t_s"].as_f64().unwrap(),
            step["event"].as_str().unwrap().to_owned(),
        )
    });
    Shape {
        groups: list("groups"),
        pools: list("pools"),
        steps: steps.collect(),
    }
}

fn events(text: &str) -> Vec<Event> {
    let line = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |index: usize| cells.get(index).copied().unwrap_or_default().to_owned();
        Event {
            time: cell(0).parse().unwrap(),
            kind: cell(2),
            name: cell(3),
            event: cell(4),
            value: cell(5),
        }
    };
    text.lines().skip(1).filter(|text| !text.is_empty()).map(line).collect()
}

impl Shape {
    /// The control plane's name is the cluster's.
    fn cluster(&self) -> &str {
        let control_plane = self.groups.iter().find(|group| group["role"] == "control-plane");
        control_plane.unwrap()["name"].as_str().unwrap()
    }

    fn pool_of(&self, group: &str) -> &Value {
        let uses = |pool: &&Value| pool["groups"].as_array().unwrap().iter().any(|name| name == group);
        self.pools.iter().find(uses).unwrap()
    }

    /// The ranges of a pool at a time, enlarged ones included.
    fn ranges(&self, pool: &Value, time: f64) -> Vec<String> {
        let name = pool["name"].as_str().unwrap();
        let own = pool["addresses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap().to_owned());
        let steps = self.steps.iter().filter(|(at, _)| *at <= time);
        let more = steps.filter_map(|(_, event)| Some(event.strip_prefix(&format!("enlarge={name}:"))?.to_owned()));
        own.chain(more).collect()
    }

    fn pools(&self, time: f64) -> Vec<Value> {
        let object = |pool: &Value| {
            let ranges: Vec<AddressRange> = self
                .ranges(pool, time)
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
            let texts: Vec<String> = ranges.iter().map(ToString::to_string).collect();
            let entries = ranges
                .iter()
                .map(|range| json!({"start": range.start().to_string(), "end": range.end().to_string()}));
            let spec = match pool["kind"].as_str().unwrap() {
                "IPPool" => json!({"namePrefix": pool["name"], "prefix": 24, "pools": entries.collect::<Vec<_>>()}),
                _ => json!({"addresses": texts, "prefix": 24}),
            };
            let version = if pool["kind"] == "IPPool" {
                "ipam.metal3.io/v1alpha1"
            } else {
                "ipam.cluster.x-k8s.io/v1alpha2"
            };
            json!({"apiVersion": version, "kind": pool["kind"], "metadata": {"name": pool["name"], "namespace": "d"}, "spec": spec})
        };
        self.pools.iter().map(object).collect()
    }

    fn manifest(&self, time: f64) -> String {
        let mut objects = vec![json!({
            "apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": {"name": self.cluster(), "namespace": "d"},
            "spec": {"controlPlaneRef": {"apiGroup": "controlplane.cluster.x-k8s.io", "kind": "KubeadmControlPlane", "name": self.cluster()}},
        })];
        for group in &self.groups {
            let name = group["name"].as_str().unwrap();
            let pool = self.pool_of(name);
            let reference =
                json!({"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "VSphereMachineTemplate", "name": name});
            let rollout = json!({"strategy": {"rollingUpdate": {"maxSurge": group["surge"]}}});
            objects.push(match group["role"].as_str().unwrap() {
                "control-plane" => json!({
                    "apiVersion": "controlplane.cluster.x-k8s.io/v1beta2", "kind": "KubeadmControlPlane",
                    "metadata": {"name": name, "namespace": "d"},
                    "spec": {"replicas": group["replicas"], "rollout": rollout, "machineTemplate": {"spec": {"infrastructureRef": reference}}},
                }),
                _ => json!({
                    "apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "MachineDeployment", "metadata": {"name": name, "namespace": "d"},
                    "spec": {"clusterName": self.cluster(), "replicas": group["replicas"], "rollout": rollout,
                        "template": {"spec": {"clusterName": self.cluster(), "infrastructureRef": reference}}},
                }),
            });
            let group = if pool["kind"] == "IPPool" {
                "ipam.metal3.io"
            } else {
                "ipam.cluster.x-k8s.io"
            };
            objects.push(json!({
                "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2", "kind": "VSphereMachineTemplate", "metadata": {"name": name, "namespace": "d"},
                "spec": {"template": {"spec": {"network": {"devices": [{"networkName": "net", "dhcp4": false, "dhcp6": false,
                    "addressesFromPools": [{"apiGroup": group, "kind": pool["kind"], "name": pool["name"]}]}]}}}},
            }));
        }
        objects.extend(self.pools(time));
        stream(&objects)
    }
}

fn stream(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

/// What exists at a moment of a recording.
#[derive(Default)]
struct Cluster {
    /// By kind and name: the object.
    objects: BTreeMap<(String, String), Value>,
    /// Claim to machine group.
    groups: BTreeMap<String, String>,
}

impl Cluster {
    fn happen(&mut self, event: &Event, shape: &Shape) {
        let key = (event.kind.clone(), event.name.clone());
        match (event.kind.as_str(), event.event.as_str()) {
            (_, "CREATED") => {
                let object = self.created(event, shape);
                self.objects.insert(key, object);
            }
            (_, "DELETED") => {
                self.objects.remove(&key);
            }
            (_, "deleting") => {
                if let Some(object) = self.objects.get_mut(&key) {
                    object["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
                }
            }
            ("IPAddress", "address") => {
                let (address, claim) = event.value.split_once("/24 for ").unwrap();
                let pool = shape.pool_of(&self.groups[claim]);
                let group = if pool["kind"] == "IPPool" {
                    "ipam.metal3.io"
                } else {
                    "ipam.cluster.x-k8s.io"
                };
                let owner = json!([{"apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddressClaim", "name": claim, "uid": format!("uid-{claim}")}]);
                self.objects.insert(key, json!({
                    "apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddress",
                    "metadata": {"name": event.name, "namespace": "d", "ownerReferences": owner},
                    "spec": {"address": address, "prefix": 24, "claimRef": {"name": claim}, "poolRef": {"apiGroup": group, "kind": pool["kind"], "name": pool["name"]}},
                }));
            }
            ("IPAddressClaim", "bound") => {
                self.objects.get_mut(&key).unwrap()["status"] = json!({"addressRef": {"name": event.value}});
            }
            _ => {}
        }
    }

    fn created(&mut self, event: &Event, shape: &Shape) -> Value {
        let seconds = event.time as u64;
        let created = format!(
            "2026-01-01T{:02}:{:02}:{:02}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        let owner = event
            .value
            .strip_prefix("owner=")
            .and_then(|owner| owner.split_once('/'));
        let group = match event.kind.as_str() {
            "VSphereMachine" | "VSphereVM" => "infrastructure.cluster.x-k8s.io/v1beta2",
            "IPAddressClaim" => "ipam.cluster.x-k8s.io/v1beta2",
            _ => "cluster.x-k8s.io/v1beta2",
        };
        let api = |kind: &str| match kind {
            "VSphereMachine" | "VSphereVM" => "infrastructure.cluster.x-k8s.io/v1beta2",
            "KubeadmControlPlane" => "controlplane.cluster.x-k8s.io/v1beta2",
            _ => "cluster.x-k8s.io/v1beta2",
        };
        let owners = owner.map(
            |(kind, name)| json!([{"apiVersion": api(kind), "kind": kind, "name": name, "uid": format!("uid-{name}")}]),
        );
        let metadata = json!({
            "name": event.name, "namespace": "d", "uid": format!("uid-{}", event.name), "creationTimestamp": created,
            "labels": {"cluster.x-k8s.io/cluster-name": shape.cluster()}, "ownerReferences": owners.unwrap_or(json!([])),
        });
        let spec = match event.kind.as_str() {
            "Machine" => {
                json!({"infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "VSphereMachine", "name": event.name}})
            }
            "VSphereMachine" | "VSphereVM" => json!({"network": {"devices": [{"networkName": "net", "dhcp4": false}]}}),
            "IPAddressClaim" => {
                let machine = event.name.strip_suffix("-0-0").unwrap();
                let of_group = |group: &&Value| {
                    machine
                        .strip_prefix(group["name"].as_str().unwrap())
                        .is_some_and(|rest| rest.matches('-').count() == if group["role"] == "worker" { 2 } else { 1 })
                };
                let group = shape.groups.iter().find(of_group).unwrap()["name"].as_str().unwrap();
                self.groups.insert(event.name.clone(), group.to_owned());
                let pool = shape.pool_of(group);
                let group = if pool["kind"] == "IPPool" {
                    "ipam.metal3.io"
                } else {
                    "ipam.cluster.x-k8s.io"
                };
                json!({"poolRef": {"apiGroup": group, "kind": pool["kind"], "name": pool["name"]}})
            }
            _ => json!({}),
        };
        json!({"apiVersion": group, "kind": event.kind, "metadata": metadata, "spec": spec})
    }

    fn state(&self, shape: &Shape, time: f64) -> String {
        let mut objects = shape.pools(time);
        objects.extend(self.objects.values().cloned());
        stream(&objects)
    }
}

/// The plan of a moment; its findings must not be errors.
fn plan(shape: &Shape, cluster: &Cluster, time: f64) -> AddressPlan {
    let (manifest, state) = (shape.manifest(time), cluster.state(shape, time));
    let sources = [Source {
        name: "manifest",
        text: &manifest,
    }];
    let live = [Source {
        name: "state",
        text: &state,
    }];
    let manifest = Manifest::read(&sources, Limits::default()).ok().unwrap();
    let state = State {
        manifest: Manifest::read(&live, Limits::default()).ok().unwrap(),
        first_text: 1,
    };
    let groups = Groups::of(&manifest);
    let running = Running::read(&manifest, &groups, &state);
    let errors: Vec<_> = running
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{time}: {errors:#?}");
    plan_running(&manifest, &groups, Some(&running))
}

fn slots(plan: &AddressPlan) -> impl Iterator<Item = (&str, &SlotPlan, &NicPlan, &[String])> {
    plan.clusters
        .iter()
        .flat_map(|cluster| &cluster.groups)
        .flat_map(|group| {
            group
                .slots
                .iter()
                .map(move |slot| (group.name.as_str(), slot, &slot.nics[0], group.addresses.as_slice()))
        })
}

fn lists(addresses: &[String], address: &str) -> bool {
    let address = address.parse().unwrap();
    addresses
        .iter()
        .any(|text| text.parse::<AddressRange>().unwrap().contains(address))
}

/// Replays a recording; how many addresses were foretold exactly.
fn replay(name: &str, shape: &Shape, events: &[Event]) -> usize {
    let mut cluster = Cluster::default();
    let mut foretold = 0;
    for event in events {
        if event.event == "address" && event.kind == "IPAddress" {
            let (address, claim) = event.value.split_once("/24 for ").unwrap();
            let machine = claim.strip_suffix("-0-0").unwrap();
            let group = cluster.groups[claim].clone();
            let before = plan(shape, &cluster, event.time);
            let (_, slot, nic, addresses) = slots(&before)
                .find(|(_, slot, ..)| slot.machine.as_deref() == Some(machine))
                .unwrap_or_else(|| panic!("{name} {}: {machine} has no slot: {before:#?}", event.time));
            assert_eq!(nic.claim, claim, "{name}");
            assert!(
                lists(addresses, address),
                "{name} {}: {group} may hold {addresses:?}, and {address} came",
                event.time
            );
            match nic.certainty {
                Certainty::Exact => {
                    assert_eq!(
                        nic.address.as_deref(),
                        Some(address),
                        "{name} {}: slot {}",
                        event.time,
                        slot.name
                    );
                    foretold += 1;
                }
                Certainty::Set => {}
            }
        }
        // A machine of the control plane that does not exist yet is to get what the first free slot says.
        if event.event == "CREATED"
            && event.kind == "VSphereMachine"
            && event.value.starts_with("owner=KubeadmControlPlane")
        {
            let before = plan(shape, &cluster, event.time);
            let free = slots(&before).find(|(group, slot, ..)| *group == shape.cluster() && slot.machine.is_none());
            let claim = format!("{}-0-0", event.name);
            let came = events
                .iter()
                .find(|later| later.event == "address" && later.value.ends_with(&format!(" for {claim}")));
            if let (Some((_, slot, nic, _)), Some(came)) = (free, came)
                && nic.certainty == Certainty::Exact
            {
                let address = came.value.split_once('/').unwrap().0;
                assert_eq!(
                    nic.address.as_deref(),
                    Some(address),
                    "{name} {}: slot {}",
                    event.time,
                    slot.name
                );
                foretold += 1;
            }
        }
        cluster.happen(event, shape);
        if ["address", "DELETED", "deleting", "bound"].contains(&event.event.as_str()) {
            keeps(name, event.time, shape, &cluster);
        }
    }
    foretold
}

/// Every claim that shows an address keeps it in the plan, under its machine's name.
fn keeps(name: &str, time: f64, shape: &Shape, cluster: &Cluster) {
    let plan = plan(shape, cluster, time);
    for ((kind, claim), object) in &cluster.objects {
        let Some(shown) = object["status"]["addressRef"]["name"]
            .as_str()
            .filter(|_| kind == "IPAddressClaim")
        else {
            continue;
        };
        let machine = claim.strip_suffix("-0-0").unwrap();
        let exists = cluster
            .objects
            .contains_key(&("VSphereMachine".to_owned(), machine.to_owned()));
        let Some(address) = cluster
            .objects
            .get(&("IPAddress".to_owned(), shown.to_owned()))
            .filter(|_| exists)
        else {
            continue;
        };
        if !object["metadata"]["deletionTimestamp"].is_null() {
            continue;
        }
        let slot = slots(&plan).find(|(_, slot, ..)| slot.machine.as_deref() == Some(machine));
        let (_, _, nic, _) = slot.unwrap_or_else(|| panic!("{name} {time}: {machine} has no slot"));
        let facts = (
            nic.address.as_deref(),
            nic.claim.as_str(),
            nic.address_object.as_deref(),
            nic.certainty,
        );
        assert_eq!(
            facts,
            (
                address["spec"]["address"].as_str(),
                claim.as_str(),
                Some(shown),
                Certainty::Exact
            ),
            "{name} {time}"
        );
    }
}

#[test]
fn plans_of_running_clusters_keep_and_foretell_what_was_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/timelines");
    let mut played = 0;
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    for path in names
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
    {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let shape = shape(&fs::read_to_string(path).unwrap());
        if shape.pools.is_empty() {
            println!("{name}: addresses were given by hand, no pool");
            continue;
        }
        let events = events(&fs::read_to_string(path.with_extension("tsv")).unwrap());
        let foretold = replay(&name, &shape, &events);
        println!("{name}: {} events, {foretold} addresses foretold exactly", events.len());
        assert!(
            foretold > 0 || shape.pools.len() == 1,
            "{name}: a control plane with a pool of its own is exact"
        );
        played += 1;
    }
    assert!(played > 0, "{} has no recording", folder.display());
}
