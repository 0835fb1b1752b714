//! Takes chance, gives small pools, groups and events, for the model and for the program alike.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use capv_ipam::api::metal3::{IPPoolSpec, Pool as Entry};
use capv_ipam::ipam::{AddressRange, AddressSet, Pool};
use capv_ipam::objects::{Amount, Strategy};
use capv_ipam::planning::PoolReference;
use capv_ipam::planning::next::{Event, GroupDraw, GroupStart, Holding, Order, PoolStart, Start, Stuck};
use proptest::prelude::*;
use proptest::strategy::Strategy as Chance;

use crate::model::{self, Group, Machine, Rules, Shape, State};

/// A story for both.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) shape: Shape,
    /// Whether the machines exist at the start, with addresses that chance gave them.
    pub(crate) given: Option<State>,
    pub(crate) events: Vec<model::Event>,
}

pub(crate) fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, number).into()
}

/// Ranges of addresses that do not touch each other, in any order.
fn pool(retries: bool) -> impl Chance<Value = model::Pool> {
    (
        1u8..9,
        0u8..4,
        any::<bool>(),
        prop::collection::btree_set(1u8..12, 0..2),
    )
        .prop_map(move |(first, second, swap, taken)| {
            let mut ranges = [(1..=first).collect::<Vec<u8>>(), (20..20 + second).collect()];
            if swap && !retries {
                ranges.reverse();
            }
            model::Pool {
                addresses: ranges.concat(),
                taken,
                retries,
            }
        })
}

fn rules() -> impl Chance<Value = Rules> {
    prop_oneof![
        4 => (0usize..2, prop::bool::weighted(0.2)).prop_map(|(surge, spread)| Rules::OneByOne { surge, spread }),
        4 => (0usize..3, 0usize..2).prop_map(|(surge, unavailable)| Rules::Deployment { surge, unavailable }),
        1 => Just(Rules::OnDelete),
    ]
}

fn group(pools: usize) -> impl Chance<Value = Group> {
    let draws = prop_oneof![
        8 => (0..pools).prop_map(|pool| vec![(pool, 1)]),
        1 => (0..pools).prop_map(|pool| vec![(pool, 2)]),
        1 => Just((0..pools).map(|pool| (pool, 1)).collect::<Vec<_>>()),
    ];
    (rules(), draws, 0usize..4).prop_map(|(rules, draws, wanted)| Group {
        rules,
        draws,
        wanted: match rules {
            Rules::OneByOne { .. } => wanted.max(1),
            _ => wanted,
        },
    })
}

fn event(groups: usize, pools: usize) -> impl Chance<Value = model::Event> {
    let any_group = 0..groups;
    prop_oneof![
        3 => any_group.clone().prop_map(|group| model::Event::Rollout(vec![group])),
        2 => Just(model::Event::Rollout((0..groups).collect())),
        2 => (any_group.clone(), 1usize..4).prop_map(|(group, wanted)| model::Event::Scale(group, wanted)),
        2 => any_group.prop_map(model::Event::Delete),
        2 => (0..pools, 1u8..4).prop_map(|(pool, more)| model::Event::Enlarge(pool, (40..40 + more).collect())),
        1 => (0..pools).prop_map(model::Event::Repair),
        1 => Just(model::Event::Remove),
    ]
}

/// Stories of up to `events` events with up to `groups` groups.
pub(crate) fn stories(groups: usize, events: usize) -> impl Chance<Value = Story> {
    (1..=groups, 1usize..3)
        .prop_flat_map(move |(groups, pools)| {
            let pool = prop::bool::weighted(0.5).prop_flat_map(pool);
            (
                prop::collection::vec(pool, pools),
                prop::collection::vec(group(pools), groups),
                prop::collection::vec(event(groups, pools), 1..=events),
                prop::option::weighted(0.4, prop::collection::vec(0u8..30, 24)),
            )
        })
        .prop_map(|(pools, groups, events, given)| {
            let shape = Shape {
                pools,
                groups,
                wanted_before: 0,
            };
            let given = given.and_then(|numbers| hold(&shape, &numbers));
            // An address range is added once.
            let mut enlarged = BTreeSet::new();
            let events = events
                .into_iter()
                .filter(|event| match event {
                    model::Event::Enlarge(pool, _) => enlarged.insert(*pool),
                    _ => true,
                })
                .collect();
            Story { shape, given, events }
        })
}

/// Machines that hold addresses by chance, some from outside the pool.
fn hold(shape: &Shape, numbers: &[u8]) -> Option<State> {
    let mut held: Vec<BTreeSet<u8>> = shape.pools.iter().map(|pool| pool.taken.clone()).collect();
    let mut numbers = numbers
        .iter()
        .cycle()
        .zip(0u8..)
        .map(|(number, more)| number.wrapping_add(more) % 30 + 1);
    let mut state = shape.nothing();
    for (group, machines) in state.iter_mut().enumerate() {
        for _ in 0..shape.groups[group].wanted {
            let mut got = Vec::new();
            for (pool, each) in &shape.groups[group].draws {
                let mut own: Vec<u8> = (0..*each)
                    .map(|_| numbers.by_ref().take(60).find(|number| held[*pool].insert(*number)))
                    .collect::<Option<_>>()?;
                own.sort_unstable();
                got.push(own);
            }
            machines.list.push(Machine::holding(got));
        }
    }
    Some(state)
}

impl Story {
    /// The same start for the program.
    pub(crate) fn start(&self) -> Start {
        let pools = self.shape.pools.iter().enumerate();
        let groups = self.shape.groups.iter().enumerate();
        Start {
            pools: pools.map(|(index, pool)| pool_start(index, pool)).collect(),
            groups: groups.map(|(index, group)| self.group_start(index, group)).collect(),
            endpoints: Vec::new(),
        }
    }

    fn group_start(&self, index: usize, group: &Group) -> GroupStart {
        let (order, strategy) = match group.rules {
            Rules::OneByOne { surge, spread } => (Order::OneByOne { spread }, rolling(surge, 0)),
            Rules::Deployment { surge, unavailable } => (Order::AnyOrder, rolling(surge, unavailable)),
            Rules::OnDelete => (Order::AnyOrder, Strategy::OnDelete),
        };
        let draws = group.draws.iter().enumerate().map(|(draw, (pool, each))| {
            let mut start = GroupDraw::new(*pool, *each as u32, order);
            if let Some(state) = &self.given {
                let machines = state[index].list.iter().map(|machine| machine.got[draw].clone());
                let machines: Vec<Vec<IpAddr>> = machines.map(|got| got.into_iter().map(address).collect()).collect();
                start.held = match order {
                    Order::OneByOne { .. } => Holding::InOrder(machines),
                    Order::AnyOrder => Holding::all_of(machines.into_iter().flatten().collect()),
                };
            }
            start
        });
        let mut start = GroupStart {
            cluster: Some("c".into()),
            namespace: None,
            kind: "Group".into(),
            name: format!("g{index}"),
            order,
            strategy,
            replicas: Some(group.wanted as u32),
            elastic: false,
            draws: draws.collect(),
            stuck: None,
        };
        self.stick(index, &mut start);
        start
    }

    /// What a state shows of a group of which a machine waits: what it holds, but not what a roll-out has still to do.
    fn stick(&self, index: usize, start: &mut GroupStart) {
        let Some(state) = &self.given else { return };
        let waits = |pool: &usize| self.shape.waits(index, *pool, state);
        let pools: BTreeSet<usize> = start.draws.iter().map(|draw| draw.pool).filter(waits).collect();
        if pools.is_empty() {
            return;
        }
        let machines = state[index].list.len() as u64;
        let rests = start.rests_when_refused(machines);
        start.stuck = Some(Stuck { pools, machines, rests });
        let single = matches!(&start.draws[..], [draw] if draw.each == 1);
        for draw in &mut start.draws {
            match &mut draw.held {
                Holding::InOrder(machines) if rests && single => machines.retain(|machine| !machine.is_empty()),
                held if rests => *held = Holding::all_of(held.addresses()),
                held => {
                    let pool = &self.shape.pools[draw.pool];
                    let mut addresses = held.addresses();
                    let free = pool.addresses.iter().filter(|number| !pool.taken.contains(number));
                    addresses.extend(free.map(|number| AddressRange::single(address(*number))));
                    *held = Holding::Among {
                        addresses,
                        least: 0,
                        most: Some(machines * u64::from(draw.each)),
                    };
                }
            }
        }
    }
}

fn rolling(surge: usize, unavailable: usize) -> Strategy {
    Strategy::Rolling {
        surge: Amount::Number(surge as u32),
        unavailable: Amount::Number(unavailable as u32),
    }
}

fn pool_start(index: usize, pool: &model::Pool) -> PoolStart {
    let entry = |number: &u8| Entry {
        start: Some(address(*number).to_string()),
        end: Some(address(*number).to_string()),
        ..Entry::default()
    };
    let name = format!("p{index}");
    let spec = IPPoolSpec {
        pools: pool.addresses.iter().map(entry).collect(),
        ..IPPoolSpec::default()
    };
    let taken: AddressSet = pool.taken.iter().map(|number| address(*number)).collect();
    PoolStart {
        reference: PoolReference {
            kind: if pool.retries { "InClusterIPPool" } else { "IPPool" }.into(),
            namespace: None,
            name: name.clone(),
        },
        pool: Some(Pool::ippool(&name, &spec)),
        taken,
        guests: Ok(0),
        rests: false,
    }
}

/// The event as the program reads it.
pub(crate) fn written(event: &model::Event) -> Event {
    let text = match event {
        model::Event::Rollout(groups) if groups.len() == 1 => format!("rollout=g{}", groups[0]),
        model::Event::Rollout(_) => "rollout".into(),
        model::Event::Scale(group, wanted) => format!("scale=g{group}:{wanted}"),
        model::Event::Delete(group) => format!("delete=g{group}"),
        model::Event::Enlarge(pool, more) => {
            format!("enlarge=p{pool}:{}-{}", address(more[0]), address(more[more.len() - 1]))
        }
        model::Event::Repair(pool) => format!("repair=p{pool}"),
        model::Event::Remove => "delete-cluster".into(),
    };
    text.parse().unwrap()
}
