//! The controllers as a machine that may take any of several next steps: every order that they can act in is gone through, for small groups.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How a group replaces machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// A control plane: one machine at a time, the oldest goes first.
    OneByOne { surge: usize, spread: bool },
    /// A MachineDeployment with its two MachineSets.
    Deployment { surge: usize, unavailable: usize },
    /// Machines are replaced only when they are deleted.
    OnDelete,
}

/// What does not change but by events.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) pools: Vec<Pool>,
    pub(crate) groups: Vec<Group>,
    /// What the last group that was scaled had before.
    pub(crate) wanted_before: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Pool {
    /// In the order in which they are given out.
    pub(crate) addresses: Vec<u8>,
    /// Held by somebody else for good.
    pub(crate) taken: BTreeSet<u8>,
    /// Claims without an address are tried again by themselves.
    pub(crate) retries: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) rules: Rules,
    /// Pool and addresses for each machine.
    pub(crate) draws: Vec<(usize, usize)>,
    pub(crate) wanted: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Machine {
    old: bool,
    deleting: bool,
    /// What it holds of each draw.
    pub(crate) got: Vec<Vec<u8>>,
    /// Claims of each draw that were refused.
    refused: Vec<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Machines {
    /// In order of creation, where that counts; else sorted.
    pub(crate) list: Vec<Machine>,
    /// What the old and the new MachineSet are to have.
    pub(crate) old: usize,
    pub(crate) new: usize,
    /// All of them go.
    pub(crate) gone: bool,
}

pub(crate) type State = Vec<Machines>;

/// What happened in some run.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Where the runs end.
    pub(crate) ends: BTreeSet<State>,
    /// The most addresses of a pool held at once.
    pub(crate) held: BTreeMap<usize, usize>,
    /// The most addresses of a pool held or wanted at once.
    pub(crate) wanted: BTreeMap<usize, usize>,
}

/// Something that happens to the groups.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Rollout(Vec<usize>),
    Scale(usize, usize),
    Delete(usize),
    Enlarge(usize, Vec<u8>),
    Repair(usize),
    Remove,
}

impl Machine {
    fn new(old: bool, draws: usize) -> Self {
        Machine {
            old,
            deleting: false,
            got: vec![Vec::new(); draws],
            refused: vec![0; draws],
        }
    }

    pub(crate) fn holding(got: Vec<Vec<u8>>) -> Self {
        Machine {
            got,
            ..Machine::new(false, 0)
        }
        .with_refusals()
    }

    fn with_refusals(mut self) -> Self {
        self.refused = vec![0; self.got.len()];
        self
    }
}

impl Shape {
    pub(crate) fn nothing(&self) -> State {
        self.groups
            .iter()
            .map(|group| Machines {
                new: group.wanted,
                ..Machines::default()
            })
            .collect()
    }

    /// Every state right after an event, before anybody has acted on it.
    pub(crate) fn after(&mut self, event: &Event, states: &BTreeSet<State>) -> BTreeSet<State> {
        match event {
            Event::Scale(group, wanted) => {
                self.wanted_before = self.groups[*group].wanted;
                self.groups[*group].wanted = *wanted;
            }
            Event::Enlarge(pool, more) => {
                let pool = &mut self.pools[*pool];
                more.iter().for_each(|address| pool.addresses.push(*address));
                if pool.retries {
                    pool.addresses.sort_unstable();
                }
            }
            Event::Remove => self.groups.iter_mut().for_each(|group| group.wanted = 0),
            _ => {}
        }
        states.iter().flat_map(|state| self.changed(event, state)).collect()
    }

    fn changed(&self, event: &Event, state: &State) -> Vec<State> {
        let mut next = state.clone();
        match event {
            Event::Rollout(groups) => {
                for group in groups {
                    let machines = &mut next[*group];
                    if self.groups[*group].rules == Rules::OnDelete || self.groups[*group].wanted == 0 {
                        continue;
                    }
                    machines.list.iter_mut().for_each(|machine| machine.old = true);
                    machines.old += machines.new;
                    machines.new = 0;
                }
                vec![next]
            }
            Event::Scale(group, wanted) => self.scaled(*group, *wanted, state),
            Event::Delete(group) => (0..next[*group].list.len())
                .map(|machine| {
                    let mut next = state.clone();
                    next[*group].list[machine].deleting = true;
                    next
                })
                .collect(),
            Event::Enlarge(pool, _) | Event::Repair(pool) => {
                for (group, machines) in next.iter_mut().enumerate() {
                    for machine in &mut machines.list {
                        for (draw, (of, _)) in self.groups[group].draws.iter().enumerate() {
                            if of == pool {
                                machine.refused[draw] = 0;
                            }
                        }
                    }
                }
                vec![next]
            }
            Event::Remove => {
                for machines in &mut next {
                    (machines.old, machines.new, machines.gone) = (0, 0, true);
                }
                vec![next]
            }
        }
    }

    /// In the middle of a roll-out both MachineSets grow or shrink, in proportions that nobody relies on.
    fn scaled(&self, group: usize, wanted: usize, state: &State) -> Vec<State> {
        let Rules::Deployment { surge, .. } = self.groups[group].rules else {
            let mut next = state.clone();
            next[group].new = wanted;
            return vec![next];
        };
        if state[group].old == 0 {
            let mut next = state.clone();
            next[group].new = wanted;
            return vec![next];
        }
        let (before, surge) = (&state[group], surge.min(wanted));
        let most = (wanted + surge).max(before.old + before.new);
        let mut all = Vec::new();
        for old in 0..=most {
            for new in 0..=most - old {
                let grows = old >= before.old && new >= before.new && wanted > self.wanted_before;
                let shrinks = old <= before.old && new <= before.new && wanted < self.wanted_before;
                if grows || shrinks || (old, new) == (before.old, before.new) {
                    let mut next = state.clone();
                    (next[group].old, next[group].new) = (old, new);
                    all.push(next);
                }
            }
        }
        all
    }

    /// Goes through every run from the states; `None` when there are too many.
    pub(crate) fn runs(&self, states: &BTreeSet<State>, limit: usize) -> Option<Seen> {
        let mut seen = Seen::default();
        let mut known: HashSet<State> = HashSet::new();
        let mut rest: Vec<State> = states.iter().map(|state| self.canonical(state.clone())).collect();
        known.extend(rest.iter().cloned());
        while let Some(state) = rest.pop() {
            self.measure(&state, &mut seen);
            let nexts = self.nexts(&state);
            if nexts.is_empty() {
                seen.ends.insert(state);
                continue;
            }
            for next in nexts {
                let next = self.canonical(next);
                if !known.contains(&next) {
                    known.insert(next.clone());
                    rest.push(next);
                }
            }
            if known.len() > limit {
                return None;
            }
        }
        Some(seen)
    }

    fn canonical(&self, mut state: State) -> State {
        for (group, machines) in state.iter_mut().enumerate() {
            machines
                .list
                .iter_mut()
                .flat_map(|machine| &mut machine.got)
                .for_each(|got| got.sort_unstable());
            if !matches!(self.groups[group].rules, Rules::OneByOne { .. }) {
                machines.list.sort();
            }
        }
        state
    }

    fn measure(&self, state: &State, seen: &mut Seen) {
        for pool in 0..self.pools.len() {
            let (mut held, mut wanted) = (0, 0);
            for (group, machines) in state.iter().enumerate() {
                for (draw, (of, each)) in self.groups[group].draws.iter().enumerate() {
                    if *of != pool {
                        continue;
                    }
                    for machine in &machines.list {
                        let own = |address: &&u8| self.pools[pool].addresses.contains(address);
                        let inside = machine.got[draw].iter().filter(own).count();
                        held += inside;
                        wanted += inside + each - machine.got[draw].len();
                    }
                }
            }
            let most = |of: &mut BTreeMap<usize, usize>, number: usize| {
                let most = of.entry(pool).or_default();
                *most = number.max(*most);
            };
            most(&mut seen.held, held);
            most(&mut seen.wanted, wanted);
        }
    }

    fn is_ready(&self, group: usize, machine: &Machine) -> bool {
        let whole = |(got, (_, each)): (&Vec<u8>, &(usize, usize))| got.len() == *each;
        !machine.deleting && machine.got.iter().zip(&self.groups[group].draws).all(whole)
    }

    fn lowest_free(&self, pool: usize, state: &State) -> Option<u8> {
        let draws = |group: usize| {
            (0..self.groups[group].draws.len()).filter(move |draw| self.groups[group].draws[*draw].0 == pool)
        };
        let mut held = BTreeSet::new();
        for (group, machines) in state.iter().enumerate() {
            for draw in draws(group) {
                held.extend(machines.list.iter().flat_map(|machine| &machine.got[draw]).copied());
            }
        }
        let pool = &self.pools[pool];
        let free = |address: &&u8| !held.contains(address) && !pool.taken.contains(address);
        pool.addresses.iter().find(free).copied()
    }

    /// Everything that somebody can do next.
    fn nexts(&self, state: &State) -> Vec<State> {
        let mut nexts = Vec::new();
        for group in 0..state.len() {
            self.claims(group, state, &mut nexts);
            self.releases(group, state, &mut nexts);
            match self.groups[group].rules {
                _ if state[group].gone => self.go(group, state, &mut nexts),
                Rules::OneByOne { surge, spread } => self.one_by_one(group, surge, spread, state, &mut nexts),
                Rules::Deployment { surge, unavailable } => {
                    self.deployment(group, surge, unavailable, state, &mut nexts);
                    self.sets(group, state, &mut nexts);
                }
                Rules::OnDelete => self.sets(group, state, &mut nexts),
            }
        }
        nexts
    }

    fn claims(&self, group: usize, state: &State, nexts: &mut Vec<State>) {
        for (index, machine) in state[group].list.iter().enumerate() {
            for (draw, (pool, each)) in self.groups[group].draws.iter().enumerate() {
                if machine.deleting || machine.got[draw].len() + machine.refused[draw] >= *each {
                    continue;
                }
                let mut next = state.clone();
                match self.lowest_free(*pool, state) {
                    Some(address) => next[group].list[index].got[draw].push(address),
                    None if self.pools[*pool].retries => continue,
                    None => next[group].list[index].refused[draw] += 1,
                }
                nexts.push(next);
            }
        }
    }

    /// A machine in deletion is counted until it is gone, and its addresses come free with it.
    fn releases(&self, group: usize, state: &State, nexts: &mut Vec<State>) {
        for (index, machine) in state[group].list.iter().enumerate() {
            if machine.deleting {
                let mut next = state.clone();
                next[group].list.remove(index);
                nexts.push(next);
            }
        }
    }

    fn go(&self, group: usize, state: &State, nexts: &mut Vec<State>) {
        for (index, machine) in state[group].list.iter().enumerate() {
            if !machine.deleting {
                let mut next = state.clone();
                next[group].list[index].deleting = true;
                nexts.push(next);
            }
        }
    }

    fn one_by_one(&self, group: usize, surge: usize, spread: bool, state: &State, nexts: &mut Vec<State>) {
        let machines = &state[group];
        if !machines.list.iter().all(|machine| self.is_ready(group, machine)) {
            return;
        }
        let wanted = self.groups[group].wanted;
        let outdated = machines.list.iter().any(|machine| machine.old);
        let (count, most) = (machines.list.len(), wanted + if outdated { surge } else { 0 });
        if count < most {
            nexts.push(self.with_machine(group, false, state));
        } else if outdated || count > wanted {
            let eligible = |machine: &Machine| machine.old || !outdated;
            let mut eligible: Vec<usize> = (0..count).filter(|index| eligible(&machines.list[*index])).collect();
            if !spread {
                eligible.truncate(1);
            }
            for index in eligible {
                let mut next = state.clone();
                next[group].list[index].deleting = true;
                nexts.push(next);
            }
        }
    }

    fn with_machine(&self, group: usize, old: bool, state: &State) -> State {
        let mut next = state.clone();
        next[group].list.push(Machine::new(old, self.groups[group].draws.len()));
        next
    }

    /// What the MachineDeployment tells its MachineSets.
    fn deployment(&self, group: usize, surge: usize, unavailable: usize, state: &State, nexts: &mut Vec<State>) {
        let (machines, wanted) = (&state[group], self.groups[group].wanted);
        let count = |old: bool| machines.list.iter().filter(|machine| machine.old == old).count();
        let total = machines.old.max(count(true)) + machines.new.max(count(false));
        let surge = surge.min(wanted);
        if machines.new < wanted && total < wanted + surge {
            let mut next = state.clone();
            next[group].new += 1;
            nexts.push(next);
        }
        if machines.new > wanted {
            let mut next = state.clone();
            next[group].new = wanted;
            nexts.push(next);
        }
        if machines.old == 0 {
            return;
        }
        let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
        let least = wanted.saturating_sub(unavailable);
        let ready = machines
            .list
            .iter()
            .filter(|machine| self.is_ready(group, machine))
            .count();
        let alive = machines.list.iter().filter(|machine| machine.old && !machine.deleting);
        let leaving = alive.clone().count().saturating_sub(machines.old);
        let broken = alive.filter(|machine| !self.is_ready(group, machine)).count();
        if ready.saturating_sub(leaving) > least || broken > leaving {
            let mut next = state.clone();
            next[group].old -= 1;
            nexts.push(next);
        }
    }

    /// What the MachineSets do to have what they are told.
    fn sets(&self, group: usize, state: &State, nexts: &mut Vec<State>) {
        let machines = &state[group];
        for (old, target) in [(true, machines.old), (false, machines.new)] {
            let own = |machine: &Machine| machine.old == old;
            let count = machines.list.iter().filter(|machine| own(machine)).count();
            if count < target {
                nexts.push(self.with_machine(group, old, state));
                continue;
            }
            let leaving = machines
                .list
                .iter()
                .filter(|machine| own(machine) && machine.deleting)
                .count();
            if count - target <= leaving {
                continue;
            }
            let alive = |index: &usize| own(&machines.list[*index]) && !machines.list[*index].deleting;
            let alive: Vec<usize> = (0..machines.list.len()).filter(alive).collect();
            let broken = |index: &usize| !self.is_ready(group, &machines.list[*index]);
            let first: Vec<usize> = alive.iter().copied().filter(broken).collect();
            for index in if first.is_empty() { alive } else { first } {
                let mut next = state.clone();
                next[group].list[index].deleting = true;
                nexts.push(next);
            }
        }
    }

    /// Whether a machine of the group waits for an address of the pool.
    pub(crate) fn waits(&self, group: usize, pool: usize, state: &State) -> bool {
        let draws = self.groups[group].draws.iter().enumerate();
        let mut draws = draws.filter(|(_, (of, _))| *of == pool);
        draws.any(|(draw, (_, each))| state[group].list.iter().any(|machine| machine.got[draw].len() < *each))
    }
}
