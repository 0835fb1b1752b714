//! Holds what the plan says of the next steps to a model that goes through every order in which the controllers can act.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout
)]

#[path = "next/made.rs"]
mod made;
#[path = "next/model.rs"]
mod model;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use capv_ipam::planning::next::{Holding, PoolUse, World};
use made::{Story, address, stories, written};
use model::{Rules, Seen, Shape, State};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// States beyond which a story is too large for the model.
const LIMIT: usize = 6_000;

/// Compares the world of the plan with every end of the model.
fn agree(shape: &Shape, seen: &Seen, world: &World, uses: &[PoolUse], context: &str) {
    for (group, is) in shape.groups.iter().enumerate() {
        for (draw, (pool, each)) in is.draws.iter().enumerate() {
            let held = &world.draws(group)[draw].held;
            for end in &seen.ends {
                fits(held, end, group, draw, *each, context);
                let waits = shape.waits(group, *pool, end);
                assert!(
                    !waits || uses[*pool].waiting.contains(&group),
                    "{context}: g{group} waits for p{pool} in {end:?}"
                );
            }
        }
    }
    for (pool, used) in uses.iter().enumerate() {
        let most = |of: &std::collections::BTreeMap<usize, usize>| of.get(&pool).copied().unwrap_or(0) as u64;
        assert!(
            used.peak.unwrap() >= most(&seen.held),
            "{context}: p{pool} peak {used:?}, {:?}",
            seen.held
        );
        assert!(
            used.needed.unwrap() >= most(&seen.wanted),
            "{context}: p{pool} needed {used:?}, {:?}",
            seen.wanted
        );
        let waits = |end: &State| (0..shape.groups.len()).any(|group| shape.waits(group, pool, end));
        assert!(
            !used.every_run || seen.ends.iter().all(waits),
            "{context}: p{pool} is not stuck in every run"
        );
    }
}

fn fits(held: &Holding, end: &State, group: usize, draw: usize, each: usize, context: &str) {
    let machines: Vec<Vec<IpAddr>> = end[group]
        .list
        .iter()
        .map(|machine| machine.got[draw].iter().copied().map(address).collect())
        .collect();
    match held {
        Holding::InOrder(exact) => {
            // A machine that waits with nothing is none that holds anything.
            let holding: Vec<&Vec<IpAddr>> = machines.iter().filter(|machine| !machine.is_empty()).collect();
            let exact: Vec<Vec<IpAddr>> = exact
                .iter()
                .map(|machine| {
                    let mut machine = machine.clone();
                    machine.sort_unstable();
                    machine
                })
                .collect();
            assert_eq!(
                holding,
                exact.iter().collect::<Vec<_>>(),
                "{context}: g{group}, each {each}"
            );
        }
        Holding::Among { addresses, least, most } => {
            let all: BTreeSet<IpAddr> = machines.into_iter().flatten().collect();
            let outside = all.iter().find(|address| !addresses.contains(**address));
            assert_eq!(outside, None, "{context}: g{group} has {all:?}, said {held:?}");
            let count = all.len() as u64;
            assert!(
                *least <= count && most.unwrap() >= count,
                "{context}: g{group} has {all:?}, said {held:?}"
            );
        }
    }
}

/// What a law compared.
#[derive(Debug, Default)]
struct Compared {
    stories: usize,
    /// Stories that the model gave up.
    too_large: usize,
    steps: usize,
    /// Groups whose addresses were exact, and how many addresses they held.
    exact: usize,
    exact_addresses: usize,
    /// Sets, how many of them were the union of all runs, and how many of these a group of its own had.
    sets: usize,
    tight: usize,
    /// Pools of which the plan says that somebody can wait, and how many of them nobody did.
    alarms: usize,
    false_alarms: usize,
}

impl Compared {
    fn count(&mut self, shape: &Shape, seen: &Seen, world: &World, uses: &[PoolUse]) {
        self.steps += 1;
        for (group, is) in shape.groups.iter().enumerate() {
            for draw in 0..is.draws.len() {
                let machines = seen.ends.iter().flat_map(|end| &end[group].list);
                let union: BTreeSet<u8> = machines.flat_map(|machine| machine.got[draw].iter().copied()).collect();
                match &world.draws(group)[draw].held {
                    Holding::InOrder(machines) => {
                        self.exact += 1;
                        self.exact_addresses += machines.len();
                    }
                    Holding::Among { addresses, .. } => {
                        self.sets += 1;
                        self.tight += usize::from(addresses.size() == union.len() as u128);
                    }
                }
            }
        }
        for (pool, used) in uses.iter().enumerate().filter(|(_, used)| !used.waiting.is_empty()) {
            self.alarms += 1;
            let waits = |end: &State| used.waiting.iter().any(|group| shape.waits(*group, pool, end));
            self.false_alarms += usize::from(!seen.ends.iter().any(waits));
        }
    }

    /// Plays a story in the model until somebody waits, and what is left of it from there in both.
    fn compare_from_the_middle(&mut self, story: &Story) {
        let mut shape = story.shape.clone();
        let start = story.given.clone().unwrap_or_else(|| shape.nothing());
        let mut states = BTreeSet::from([start]);
        for played in 0..=story.events.len() {
            let Some(seen) = shape.runs(&states, LIMIT) else { return };
            let waits = |end: &&State| {
                let everywhere =
                    (0..shape.groups.len()).flat_map(|group| (0..shape.pools.len()).map(move |pool| (group, pool)));
                everywhere
                    .into_iter()
                    .any(|(group, pool)| shape.waits(group, pool, end))
            };
            if let Some(end) = seen.ends.iter().find(waits) {
                self.compare(&Story {
                    shape: shape.clone(),
                    given: Some(end.clone()),
                    events: story.events[played..].to_vec(),
                });
                return;
            }
            let Some(event) = story.events.get(played) else { return };
            states = shape.after(event, &seen.ends);
        }
    }

    /// Plays a story in both, as far as the model gets.
    fn compare(&mut self, story: &Story) {
        self.stories += 1;
        let mut shape = story.shape.clone();
        let (mut world, uses) = World::settled(&story.start());
        let start = story.given.clone().unwrap_or_else(|| shape.nothing());
        let Some(mut seen) = shape.runs(&BTreeSet::from([start]), LIMIT) else {
            self.too_large += 1;
            return;
        };
        agree(&shape, &seen, &world, &uses, "start");
        self.count(&shape, &seen, &world, &uses);
        for (number, event) in story.events.iter().enumerate() {
            let Ok(uses) = world.play(&written(event)) else {
                continue;
            };
            let states = shape.after(event, &seen.ends);
            match shape.runs(&states, LIMIT) {
                Some(runs) => seen = runs,
                None => {
                    self.too_large += 1;
                    return;
                }
            }
            agree(&shape, &seen, &world, &uses, &format!("step {number} {event:?}"));
            self.count(&shape, &seen, &world, &uses);
        }
    }
}

/// Runs a law over stories made by chance, as many as `PROPTEST_CASES` says.
fn law(groups: usize, events: usize) -> Compared {
    let compared = law_of(groups, events, Compared::compare);
    assert!(
        compared.too_large * 2 < compared.stories,
        "most stories are too large: {compared:?}"
    );
    compared
}

fn law_of(groups: usize, events: usize, compare: impl Fn(&mut Compared, &Story)) -> Compared {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let compared = RefCell::new(Compared::default());
    let played = TestRunner::new(config).run(&stories(groups, events), |story| {
        compare(&mut compared.borrow_mut(), &story);
        Ok(())
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
    let compared = compared.into_inner();
    println!("{groups} groups, {events} events: {compared:?}");
    compared
}

#[test]
fn one_group_ends_where_the_plan_says() {
    let compared = law(1, 4);
    assert!(
        compared.exact * 4 > compared.sets,
        "hardly anything is exact: {compared:?}"
    );
    assert!(compared.tight * 10 > compared.sets * 9, "sets are wide: {compared:?}");
}

#[test]
fn two_groups_end_where_the_plan_says() {
    law(2, 3);
}

#[test]
fn three_groups_end_where_the_plan_says() {
    law(3, 2);
}

#[test]
fn a_plan_from_a_state_in_which_somebody_waits_ends_where_it_says() {
    for groups in 1..=2 {
        let compared = law_of(groups, 4, Compared::compare_from_the_middle);
        assert!(compared.steps > 20, "hardly anything was compared: {compared:?}");
    }
}

/// Events that want no more machines than there were at the start.
fn within(events: &[model::Event], wanted: usize) -> Vec<model::Event> {
    let fits = |event: &&model::Event| match event {
        model::Event::Scale(_, to) => *to <= wanted,
        model::Event::Enlarge(..) => false,
        _ => true,
    };
    events.iter().filter(fits).cloned().collect()
}

/// A balancer that lists the lowest addresses for replicas and surge never misses a member of an exclusive pool.
#[test]
fn the_lowest_addresses_for_replicas_and_surge_are_all_that_a_pool_of_its_own_ever_needs() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let steps = RefCell::new(0);
    let law = TestRunner::new(config).run(&stories(1, 8), |story| {
        let planned = Story { given: None, ..story };
        let (mut world, _) = World::settled(&planned.start());
        let group = &planned.shape.groups[0];
        let surge = match group.rules {
            Rules::OneByOne { surge, .. } => surge.min(1),
            Rules::Deployment { surge, .. } => surge.min(group.wanted),
            Rules::OnDelete => 0,
        };
        let lowest = |pool: usize, each: usize| -> Vec<IpAddr> {
            let pool = &planned.shape.pools[pool];
            let free = pool.addresses.iter().filter(|address| !pool.taken.contains(address));
            free.take((group.wanted + surge) * each).copied().map(address).collect()
        };
        let agree = |world: &World| {
            for (draw, (pool, each)) in world.draws(0).iter().zip(&group.draws) {
                let lowest = lowest(*pool, *each);
                for address in draw.held.addresses().ranges().flat_map(|range| range.iter()) {
                    assert!(lowest.contains(&address), "{address} is not among {lowest:?}");
                }
            }
        };
        agree(&world);
        for event in within(&planned.events, group.wanted) {
            if world.play(&written(&event)).is_ok() {
                agree(&world);
                *steps.borrow_mut() += 1;
            }
        }
        Ok(())
    });
    if let Err(failure) = law {
        panic!("{failure}");
    }
    let steps = steps.into_inner();
    println!("the lowest addresses sufficed in {steps} steps");
    assert!(steps > 100, "only {steps} steps were played");
}

/// The machine that waits gets its address before any other goes, so nothing is exact when it is not wanted any more.
#[test]
fn a_stuck_control_plane_that_is_scaled_down_ends_where_the_plan_says() {
    let pool = model::Pool {
        addresses: vec![1, 2],
        taken: BTreeSet::new(),
        retries: false,
    };
    let group = model::Group {
        rules: Rules::OneByOne {
            surge: 1,
            spread: false,
        },
        draws: vec![(0, 1)],
        wanted: 3,
    };
    for helps in [model::Event::Enlarge(0, vec![40]), model::Event::Repair(0)] {
        for wanted in 1..=3 {
            let mut compared = Compared::default();
            compared.compare(&Story {
                shape: Shape {
                    pools: vec![pool.clone()],
                    groups: vec![group.clone()],
                    wanted_before: 0,
                },
                given: None,
                events: vec![model::Event::Scale(0, wanted), helps.clone()],
            });
            assert_eq!((compared.steps, compared.too_large), (3, 0));
        }
    }
}

/// A machine that keeps an address from outside its pool may be the one that goes, so a full pool does not tell what is held.
#[test]
fn an_address_outside_a_full_pool_may_have_gone() {
    let machine = |number| model::Machine::holding(vec![vec![number]]);
    let group = model::Group {
        rules: Rules::Deployment {
            surge: 0,
            unavailable: 0,
        },
        draws: vec![(0, 1)],
        wanted: 2,
    };
    let pool = model::Pool {
        addresses: vec![1],
        taken: BTreeSet::new(),
        retries: true,
    };
    let machines = model::Machines {
        list: vec![machine(1), machine(2)],
        old: 0,
        new: 2,
        gone: false,
    };
    let story = Story {
        shape: Shape {
            pools: vec![pool],
            groups: vec![group],
            wanted_before: 0,
        },
        given: Some(vec![machines]),
        events: vec![model::Event::Scale(0, 1), model::Event::Scale(0, 3)],
    };
    let mut compared = Compared::default();
    compared.compare(&story);
    assert_eq!((compared.steps, compared.too_large), (3, 0));
}
