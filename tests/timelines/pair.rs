//! Takes a recording with its shape and compares it with its plan: the first machines, every step, and each event alone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use capv_ipam::addressing::Groups;
use capv_ipam::ipam::{AddressRange, AddressSet};
use capv_ipam::objects::{Manifest, Source};
use capv_ipam::planning::next::{Event, EventError, EventKind, Holding, PoolUse, Start, World};
use capv_ipam::planning::{AddressPlan, Certainty, StepGroup, StepPlan, plan_then, start};
use capv_ipam::yaml::Limits;

use crate::recording::Recording;
use crate::shape::{Expect, Shape, Step};

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub(crate) pairs: usize,
    pub(crate) rows: usize,
    pub(crate) steps: usize,
    /// Addresses that a plan called exact.
    pub(crate) exact: usize,
    /// Addresses that a plan named as a set.
    pub(crate) in_sets: usize,
    /// Groups that were still on their way when the next event came.
    pub(crate) moving: usize,
    /// Steps that were also played from what was really held.
    pub(crate) from_held: usize,
}

/// What a step of a recording is to the program; `None` for what nobody plans.
fn event(steps: &[Step], index: usize) -> Result<Option<Event>, String> {
    let step = &steps[index];
    if ["create", "give"].contains(&&*step.event) {
        return Ok(None);
    }
    let mut event: Event = step.event.parse().map_err(|error: EventError| error.to_string())?;
    // Where a recording says that an enlargement did not help, or when claims were repaired after it, they were not
    // repaired with it.
    if let EventKind::Enlarge { repairs, .. } = &mut event.kind {
        let repaired_after = steps
            .get(index + 1)
            .is_some_and(|next| next.event.starts_with("repair"));
        *repairs = matches!(step.expect, Expect::Word(_)) && !repaired_after;
    }
    Ok(Some(event))
}

/// The pools that the program says get stuck: whether in every run, and what they need.
type StuckPools<'p> = BTreeMap<&'p str, (bool, Option<u64>)>;

/// The pools that wait, by their names.
fn stuck_pools<'p>(start: &'p Start, uses: &[PoolUse]) -> StuckPools<'p> {
    let waiting = start
        .pools
        .iter()
        .zip(uses)
        .filter(|(_, used)| !used.waiting.is_empty());
    waiting
        .map(|(pool, used)| (&*pool.reference.name, (used.every_run, used.needed)))
        .collect()
}

/// A recording with its plan.
pub(crate) struct Pair<'p> {
    pub(crate) shape: &'p Shape,
    pub(crate) recording: &'p Recording,
    pub(crate) compared: &'p mut Compared,
}

impl Pair<'_> {
    pub(crate) fn run(&mut self) -> Result<(), String> {
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
        let events: Vec<Option<Event>> = (0..steps.len())
            .map(|index| event(steps, index))
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

    /// What of the machines' addresses is one pool's.
    fn of_pool(&self, held: &[Vec<IpAddr>], pool: &str) -> Result<Vec<Vec<IpAddr>>, String> {
        let shape = self.shape.pools.iter().find(|known| known.name == pool);
        let mut ranges = shape.ok_or("an unknown pool")?.addresses.clone();
        for step in &self.shape.steps {
            let enlarged = step
                .event
                .strip_prefix("enlarge=")
                .and_then(|text| text.split_once(':'));
            ranges.extend(
                enlarged
                    .filter(|(name, _)| *name == pool)
                    .map(|(_, range)| range.into()),
            );
        }
        let addresses = set_of(&ranges)?;
        let mine = |machine: &Vec<IpAddr>| {
            machine
                .iter()
                .copied()
                .filter(|address| addresses.contains(*address))
                .collect()
        };
        Ok(held.iter().map(mine).collect())
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
        self.expects(0, &stuck_pools(start, &uses))?;
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
                let mine = self.of_pool(&held, &world.pool_reference(draw.pool).name)?;
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
        let stuck: StuckPools<'_> = step
            .pools
            .iter()
            .filter(|pool| pool.stuck == Some(true))
            .map(|pool| (&*pool.pool.name, (pool.every_run == Some(true), pool.needed)))
            .collect();
        self.expects(index, &stuck)?;
        for group in &step.groups {
            self.group(group, stuck.values().any(|(every_run, _)| *every_run), from, until)?;
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
    fn expects(&self, index: usize, stuck: &StuckPools<'_>) -> Result<(), String> {
        let step = &self.shape.steps[index];
        let repaired_after = self
            .shape
            .steps
            .get(index + 1)
            .is_some_and(|next| next.event.starts_with("repair"));
        let in_every_run = |pools: &StuckPools<'_>| pools.values().any(|(every_run, _)| *every_run);
        match &step.expect {
            // The pool was enlarged; that nothing went on before the repair is said by the next step.
            Expect::Word(_) if step.event.starts_with("enlarge=") && repaired_after => Ok(()),
            Expect::Word(_) if in_every_run(stuck) => Err(format!("it was done, and {stuck:?} was said to be stuck")),
            Expect::Word(_) => Ok(()),
            Expect::Stuck(wanted) => {
                let pools = wanted.pools();
                let foreseen = pools.iter().all(|pool| stuck.contains_key(pool));
                let missed = stuck.iter().any(|(pool, said)| said.0 && !pools.contains(pool));
                let enough = wanted.needed.is_none()
                    || pools
                        .iter()
                        .any(|pool| stuck.get(pool).is_some_and(|said| said.1 == wanted.needed));
                if foreseen && !missed && enough {
                    return Ok(());
                }
                Err(format!("{wanted:?} was recorded, {stuck:?} was said"))
            }
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
                    let name = name.rsplit('/').next().unwrap_or(name);
                    let known = start.groups.iter_mut().find(|known| known.name == name);
                    known.ok_or("an unknown group")?.replicas = Some(*replicas);
                }
                _ => {}
            }
        }
        for group in &mut start.groups {
            let held = self.held(&group.name, at);
            let wanted = group.replicas.map(|wanted| wanted as usize);
            if !self.rests(&group.name, wanted, at) {
                return Ok(());
            }
            for draw in &mut group.draws {
                let mine = self.of_pool(&held, &start.pools[draw.pool].reference.name)?;
                draw.held = match &draw.held {
                    Holding::InOrder(_) => Holding::InOrder(mine),
                    Holding::Among { .. } => Holding::all_of(mine.into_iter().flatten().collect()),
                };
            }
        }
        let (mut world, _) = World::settled(&start);
        let uses = world.play(event).map_err(|error| error.to_string())?;
        self.expects(index, &stuck_pools(&start, &uses))?;
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
