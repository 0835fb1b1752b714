//! Holds plans and their steps to recordings of real controllers: every pair NAME.yaml and NAME.tsv of tests/vectors/timelines.
//!
//! Each recording is compared twice: with the plan of its manifest and all its events one after the other, and, for each
//! event, with what is played from what was really held before it.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test says what it found"
)]

#[path = "timelines/recording.rs"]
mod recording;
#[path = "timelines/shape.rs"]
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use capv_ipam::addressing::Groups;
use capv_ipam::ipam::{AddressRange, AddressSet};
use capv_ipam::objects::{Manifest, Source};
use capv_ipam::planning::next::{Event, EventError, EventKind, Holding, Start, World};
use capv_ipam::planning::{AddressPlan, Certainty, StepGroup, StepPlan, plan_then, start};
use capv_ipam::yaml::Limits;
use recording::Recording;
use shape::{Expect, Shape, Step};

/// What was compared.
#[derive(Debug, Default)]
struct Compared {
    pairs: usize,
    rows: usize,
    steps: usize,
    /// Addresses that a plan called exact.
    exact: usize,
    /// Addresses that a plan named as a set.
    in_sets: usize,
    /// Groups that were still on their way when the next event came.
    moving: usize,
    /// Steps that were also played from what was really held.
    from_held: usize,
}

/// What a step of a recording is to the program; `None` for what nobody plans.
fn event(step: &Step, repaired_later: bool) -> Result<Option<Event>, String> {
    if ["create", "give"].contains(&&*step.event) {
        return Ok(None);
    }
    let mut event: Event = step.event.parse().map_err(|error: EventError| error.to_string())?;
    // Where a recording says when refused claims were repaired, they were not repaired before.
    if let EventKind::Enlarge { repairs, .. } = &mut event.kind {
        *repairs = !repaired_later;
    }
    Ok(Some(event))
}

/// A recording with its plan.
struct Pair<'p> {
    shape: &'p Shape,
    recording: &'p Recording,
    compared: &'p mut Compared,
}

impl Pair<'_> {
    fn run(&mut self) -> Result<(), String> {
        let text = self.shape.manifest(&self.recording.cluster)?;
        let sources = [Source {
            name: "manifest",
            text: &text,
        }];
        let manifest = Manifest::read(&sources, Limits::default()).map_err(|errors| format!("{errors:?}"))?;
        let groups = Groups::of(&manifest);
        let steps = &self.shape.steps;
        if steps.first().is_none_or(|step| step.event != "create") {
            return Err("the first step is not create".into());
        }
        let repaired_later = |index: usize| steps[index..].iter().any(|step| step.event.starts_with("repair"));
        let events: Vec<Option<Event>> = (0..steps.len())
            .map(|index| event(&steps[index], repaired_later(index)))
            .collect::<Result<_, _>>()?;
        let played: Vec<Event> = events.iter().flatten().cloned().collect();
        let plan = plan_then(&manifest, &groups, None, &played).map_err(|(error, _)| error.to_string())?;
        let start = start(&manifest, &groups);
        self.created(&plan)?;
        let mut planned = plan.steps.iter();
        for (index, event) in events.iter().enumerate() {
            self.compared.steps += 1;
            let until = self.until(index);
            let at = |error: String| format!("{} at {}: {error}", steps[index].event, steps[index].t_s);
            match event {
                None if index == 0 => self.settled(&start, until).map_err(at)?,
                None => {}
                Some(event) => {
                    let step = planned.next().ok_or("the plan has too few steps")?;
                    self.step(step, index).map_err(at)?;
                    self.played_from_held(&start, &events[..index], event, index)
                        .map_err(at)?;
                }
            }
        }
        Ok(())
    }

    /// When the next step begins.
    fn until(&self, index: usize) -> f64 {
        let later = self.shape.steps[index + 1..]
            .iter()
            .find(|step| step.t_s > self.shape.steps[index].t_s);
        later.map_or(f64::INFINITY, |step| step.t_s)
    }

    fn held(&self, group: &str, time: f64) -> Vec<Vec<IpAddr>> {
        self.recording.held(group, time)
    }

    /// Whether a group has come to rest, so that all that is said of it holds.
    fn rests(&self, group: &str, wanted: Option<usize>, time: f64) -> bool {
        self.recording.rests(group, time) && wanted.is_none_or(|wanted| self.held(group, time).len() == wanted)
    }

    /// The plan itself against what every group held when all machines were made.
    fn created(&mut self, plan: &AddressPlan) -> Result<(), String> {
        let until = self.until(0);
        let mut known = BTreeSet::new();
        for group in plan.clusters.iter().flat_map(|cluster| &cluster.groups) {
            known.insert(group.name.clone());
            let held = self.held(&group.name, until);
            let set = set_of(&group.addresses)?;
            inside(&held, &set).map_err(|error| format!("the plan of {}: {error}", group.name))?;
            self.compared.in_sets += held.iter().flatten().count();
            for (number, machine) in held.iter().enumerate() {
                let slot = group
                    .slots
                    .get(number)
                    .ok_or(format!("{} has no slot for machine {number}", group.name))?;
                let exact: Vec<IpAddr> = slot
                    .nics
                    .iter()
                    .filter_map(|nic| nic.address.as_ref()?.parse().ok())
                    .collect();
                if exact.len() == slot.nics.len() && !exact.is_empty() {
                    same(machine, &exact).map_err(|error| format!("{} of {}: {error}", slot.name, group.name))?;
                    self.compared.exact += exact.len();
                }
                let stray = exact.iter().find(|address| !machine.contains(address));
                if let Some(stray) = stray {
                    return Err(format!(
                        "{} of {} was said to hold {stray}, and held {machine:?}",
                        slot.name, group.name
                    ));
                }
            }
        }
        let drawing = self.shape.pools.iter().flat_map(|pool| &pool.groups);
        match drawing.into_iter().find(|group| !known.contains(*group)) {
            Some(group) => Err(format!("{group} is not in the plan")),
            None => Ok(()),
        }
    }

    /// What the program holds for true once every machine is made.
    fn settled(&mut self, start: &Start, until: f64) -> Result<(), String> {
        let (world, uses) = World::settled(start);
        let waiting = uses.iter().any(|used| !used.waiting.is_empty());
        self.expects(&self.shape.steps[0].expect, waiting.then_some(""), None)?;
        self.world(&world, until)
    }

    /// Compares a world with what was held.
    fn world(&mut self, world: &World, until: f64) -> Result<(), String> {
        for (index, group) in world.groups().enumerate() {
            let held = self.held(&group.name, until);
            let wanted = group
                .replicas
                .map(|wanted| wanted as usize)
                .filter(|_| !world.is_waiting(index));
            let rests = self.rests(&group.name, wanted, until) || world.is_waiting(index);
            for draw in &group.draws {
                let set = draw.held.addresses();
                let mine: Vec<Vec<IpAddr>> = match group.draws.len() {
                    1 => held.clone(),
                    _ => continue,
                };
                match &draw.held {
                    Holding::InOrder(machines) if rests => {
                        let sorted = |machines: &[Vec<IpAddr>]| {
                            machines
                                .iter()
                                .map(|machine| machine.iter().copied().collect::<BTreeSet<_>>())
                                .collect::<Vec<_>>()
                        };
                        if sorted(&mine) != sorted(machines) {
                            return Err(format!(
                                "{} was said to hold {machines:?}, and held {mine:?}",
                                group.name
                            ));
                        }
                        self.compared.exact += machines.iter().flatten().count();
                    }
                    _ => {
                        inside(&mine, &set).map_err(|error| format!("{}: {error}", group.name))?;
                        self.compared.in_sets += mine.iter().flatten().count();
                    }
                }
                let count = mine.iter().flatten().count() as u64;
                if rests && (draw.held.least() > count || draw.held.most().is_some_and(|most| most < count)) {
                    return Err(format!(
                        "{} held {count} addresses, and was said to hold {:?}",
                        group.name, draw.held
                    ));
                }
            }
            self.compared.moving += usize::from(!rests);
        }
        Ok(())
    }

    /// Compares a step of the plan with what was held when the next began, and with every address given out on the way.
    fn step(&mut self, step: &StepPlan, index: usize) -> Result<(), String> {
        let (from, until) = (self.shape.steps[index].t_s, self.until(index));
        let expect = &self.shape.steps[index].expect;
        let waits = self.recording.claims.iter().any(|claim| claim.waits(until));
        if matches!(expect, Expect::Stuck(_)) && !waits {
            return Err("it is to be stuck, and no claim waits".into());
        }
        let stuck = step
            .pools
            .iter()
            .find(|pool| pool.stuck && pool.every_run == Some(true));
        self.expects(
            expect,
            stuck.map(|pool| &*pool.pool.name),
            stuck.and_then(|pool| pool.needed),
        )?;
        for group in &step.groups {
            self.group(group, stuck.is_some(), from, until)?;
        }
        for pool in &step.pools {
            let most = self.most_held(&pool.pool.name, from, until)?;
            if pool.peak.is_some_and(|peak| peak < most) {
                return Err(format!(
                    "{} of {} were held at once, and {:?} were said",
                    most, pool.pool.name, pool.peak
                ));
            }
        }
        Ok(())
    }

    fn group(&mut self, group: &StepGroup, stuck: bool, from: f64, until: f64) -> Result<(), String> {
        let held = self.held(&group.name, until);
        let set = set_of(&group.addresses)?;
        let wanted = self.shape.group(&group.name).map(|group| group.replicas as usize);
        let scaled = self
            .shape
            .steps
            .iter()
            .any(|step| step.event.starts_with("scale=") || step.event.starts_with("delete-cluster"));
        let rests = stuck || self.rests(&group.name, wanted.filter(|_| !scaled), until);
        self.compared.moving += usize::from(!rests);
        if group.certainty == Certainty::Exact && rests {
            let exact = parsed(&group.addresses)?;
            let flat: Vec<IpAddr> = held.iter().flatten().copied().collect();
            if flat != exact {
                return Err(format!("{} was said to hold {exact:?}, and held {flat:?}", group.name));
            }
            self.compared.exact += exact.len();
        } else if rests {
            inside(&held, &set).map_err(|error| format!("{}: {error}", group.name))?;
            self.compared.in_sets += held.iter().flatten().count();
        }
        let count = held.iter().flatten().count() as u64;
        if let (true, Some(said)) = (rests, group.held)
            && said != count
        {
            return Err(format!(
                "{} was said to hold {said} addresses, and held {count}",
                group.name
            ));
        }
        // Whatever was given out on the way is held afterwards, unless everything went.
        let given = self
            .recording
            .claims
            .iter()
            .filter(|claim| self.recording.machines[claim.machine].group == group.name);
        for (address, at, _) in given.filter_map(|claim| claim.address) {
            if at > from && at < until && !set.contains(address) {
                return Err(format!(
                    "{} got {address} at {at}, which is not in {:?}",
                    group.name, group.addresses
                ));
            }
        }
        Ok(())
    }

    /// What the recording expects of a step, and what the program says.
    fn expects(&self, expect: &Expect, stuck: Option<&str>, needed: Option<u64>) -> Result<(), String> {
        match (expect, stuck) {
            (Expect::Word(_), None) => Ok(()),
            (Expect::Word(_), Some(pool)) => Err(format!("it was done, and {pool} was said to be stuck")),
            (Expect::Stuck(wanted), None) => Err(format!("{} was stuck, and nothing was said of it", wanted.stuck)),
            (Expect::Stuck(wanted), Some(pool)) if wanted.stuck == pool && needed == Some(wanted.needed) => Ok(()),
            (Expect::Stuck(wanted), Some(pool)) => Err(format!("{wanted:?} was recorded, {pool} {needed:?} was said")),
        }
    }

    /// The most addresses of a pool that were held at once.
    fn most_held(&self, pool: &str, from: f64, until: f64) -> Result<u64, String> {
        let pool = self
            .shape
            .pools
            .iter()
            .find(|known| known.name == pool)
            .ok_or("an unknown pool")?;
        let own = |group: &String| pool.groups.contains(group);
        let single = |group: &str| {
            self.shape
                .pools
                .iter()
                .filter(|pool| pool.groups.iter().any(|own| own == group))
                .count()
                == 1
        };
        let claims: Vec<_> = self
            .recording
            .claims
            .iter()
            .filter(|claim| {
                let group = &self.recording.machines[claim.machine].group;
                own(group) && single(group)
            })
            .collect();
        let times = claims
            .iter()
            .filter_map(|claim| claim.address)
            .map(|(_, at, _)| at + 0.001);
        let times = times.filter(|at| *at > from && *at < until);
        let count = |time: f64| claims.iter().filter(|claim| claim.holds(time).is_some()).count() as u64;
        Ok(times.map(count).max().unwrap_or(0))
    }

    /// Plays one event from what was really held before it, and compares what comes of it.
    fn played_from_held(
        &mut self,
        start: &Start,
        before: &[Option<Event>],
        event: &Event,
        index: usize,
    ) -> Result<(), String> {
        let at = self.shape.steps[index].t_s;
        let mut start = start.clone();
        for event in before.iter().flatten() {
            match &event.kind {
                EventKind::Enlarge { pool, range, .. } => {
                    let known = start.pools.iter_mut().find(|known| known.reference.name == *pool);
                    let known = known.ok_or("an unknown pool")?;
                    known.pool = known.pool.as_ref().and_then(|pool| pool.enlarged(*range));
                }
                EventKind::Scale(name, replicas) => {
                    let known = start.groups.iter_mut().find(|known| known.name == *name);
                    known.ok_or("an unknown group")?.replicas = Some(*replicas);
                }
                _ => {}
            }
        }
        for group in &mut start.groups {
            let held = self.held(&group.name, at);
            let wanted = group.replicas.map(|wanted| wanted as usize);
            let [draw] = &mut group.draws[..] else { return Ok(()) };
            if !self.rests(&group.name, wanted, at) {
                return Ok(());
            }
            draw.held = match &draw.held {
                Holding::InOrder(_) => Holding::InOrder(held),
                Holding::Among { .. } => Holding::all_of(held.into_iter().flatten().collect()),
            };
        }
        let (mut world, _) = World::settled(&start);
        let uses = world.play(event).map_err(|error| error.to_string())?;
        let stuck = uses.iter().position(|used| used.every_run && !used.waiting.is_empty());
        let name = stuck.map(|pool| &*start.pools[pool].reference.name);
        self.expects(
            &self.shape.steps[index].expect,
            name,
            stuck.and_then(|pool| uses[pool].needed),
        )?;
        self.compared.from_held += 1;
        self.world(&world, self.until(index))
            .map_err(|error| format!("played from what was held: {error}"))
    }
}

fn parsed(addresses: &[String]) -> Result<Vec<IpAddr>, String> {
    let parse = |text: &String| text.parse().map_err(|_| format!("{text} is no address"));
    addresses.iter().map(parse).collect()
}

fn set_of(addresses: &[String]) -> Result<AddressSet, String> {
    let parse = |text: &String| text.parse::<AddressRange>().map_err(|error| error.to_string());
    addresses.iter().map(parse).collect()
}

fn inside(held: &[Vec<IpAddr>], set: &AddressSet) -> Result<(), String> {
    match held.iter().flatten().find(|address| !set.contains(**address)) {
        Some(address) => Err(format!("{address} was held, and is not in the set")),
        None => Ok(()),
    }
}

fn same(held: &[IpAddr], exact: &[IpAddr]) -> Result<(), String> {
    if held == exact {
        Ok(())
    } else {
        Err(format!("{exact:?} was said, and {held:?} was held"))
    }
}

/// The names that have a YAML and a table; one without the other fails.
fn pairs(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut names: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder of the recordings") {
        let path = entry.expect("an entry").path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("yaml" | "tsv")) {
            *names.entry(path.with_extension("")).or_default() += 1;
        }
    }
    let name = |(path, count): (PathBuf, usize)| {
        assert_eq!(count, 2, "{} has not both a .yaml and a .tsv", path.display());
        let with = |extension: &str| PathBuf::from(format!("{}.{extension}", path.display()));
        (with("yaml"), with("tsv"))
    };
    names.into_iter().map(name).collect()
}

/// Compares one recording.
fn compare(yaml: &str, tsv: &str, compared: &mut Compared) -> Result<(), String> {
    let shape = Shape::read(yaml)?;
    let names: Vec<&str> = shape.groups.iter().map(|group| &*group.name).collect();
    let recording = Recording::read(tsv, &names)?;
    compared.rows += recording.rows;
    compared.pairs += 1;
    let mut pair = Pair {
        shape: &shape,
        recording: &recording,
        compared,
    };
    pair.run()
}

#[test]
fn every_recording_agrees_with_its_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/timelines");
    let mut compared = Compared::default();
    let mut failures = Vec::new();
    for (yaml, tsv) in pairs(&folder) {
        let read = |path: &Path| std::fs::read_to_string(path).expect("a recording");
        if let Err(failure) = compare(&read(&yaml), &read(&tsv), &mut compared) {
            failures.push(format!("{}: {failure}", yaml.display()));
        }
    }
    println!("{compared:?}");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(
        compared.pairs > 0 && compared.exact > 0 && compared.in_sets > 0,
        "nothing was compared: {compared:?}"
    );
}

#[test]
fn a_recording_that_contradicts_the_plan_is_noticed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/timelines");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a recording");
    let yaml = read("5-metal3-exact-surge0.yaml");
    let tsv = read("5-metal3-exact-surge0.tsv");
    let (rollout, table) = (read("b-incluster-3-rollout.yaml"), read("b-incluster-3-rollout.tsv"));
    let fails = |yaml: &str, tsv: &str, part: &str| {
        let failure = compare(yaml, tsv, &mut Compared::default()).expect_err(part);
        assert!(failure.contains(part), "{failure}");
    };
    // Another address for a machine whose address was exact, at the start and after a roll-out.
    fails(
        &yaml,
        &tsv.replace("10.5.0.11/24 for c5-ss8hd", "10.5.0.12/24 for c5-ss8hd"),
        "was said",
    );
    fails(
        &yaml,
        &tsv.replace("10.5.0.10/24 for c5-j49vh", "10.5.0.12/24 for c5-j49vh"),
        "was said to hold",
    );
    // An address outside a set.
    fails(
        &rollout,
        &table.replace("10.1.0.12/24", "10.1.0.17/24"),
        "is not in the set",
    );
    fails(&rollout, &table.replace("10.1.0.15/24", "10.1.0.16/24"), "10.1.0.16");
    // What gets stuck, where, and what it needs.
    fails(&yaml.replace("needed: 3", "needed: 4"), &tsv, "needed: 4");
    fails(&yaml.replace("stuck: wpool", "stuck: cpool"), &tsv, "cpool");
    fails(&yaml.replace("surge: 0", "surge: 1"), &tsv, "was said to be stuck");
    fails(
        &yaml.replace("{stuck: wpool, needed: 3}", "done"),
        &tsv,
        "wpool was said to be stuck",
    );
    // What the runner does not know.
    fails(&yaml.replace("binding:", "colour: red\nbinding:"), &tsv, "colour");
    fails(
        &yaml.replace("event: delete=c5,", "event: explode=c5,"),
        &tsv,
        "there is no event explode",
    );
    fails(
        &yaml,
        &tsv.replace("\tbootstrapData\t", "\tbootstrap\t"),
        "an event that nobody knows",
    );
}
