//! Takes a world after an event and gives the step of the plan: who holds what, and how the pools were used.

use super::next::{Event, GroupDraw, GroupStart, Holding, PoolUse, Unsure, World};
use super::plan::{Certainty, PoolReference};
use super::step_plan::{StepGroup, StepHolding, StepPlan, StepPool};
use crate::addressing::listed;
use crate::ipam::AddressSet;

/// Addresses that are listed one by one.
const LISTED: u128 = 256;

/// The addresses of a set: singly up to 256, then as ranges.
pub(super) fn listing(addresses: &AddressSet) -> Vec<String> {
    if addresses.size() > LISTED {
        return addresses.ranges().map(|range| range.to_string()).collect();
    }
    let each = addresses.ranges().flat_map(|range| range.iter());
    each.map(|address| address.to_string()).collect()
}

/// Why what a draw holds is a set; `None` when it is exact.
pub(super) fn why_set(draw: &GroupDraw, pool: &str) -> Option<Unsure> {
    match &draw.held {
        Holding::InOrder(_) if draw.each == 1 => None,
        Holding::InOrder(_) => Some(Unsure::SeveralNics(pool.to_owned())),
        Holding::Among { .. } => Some(draw.unsure.clone().unwrap_or(Unsure::AnyOrder)),
    }
}

/// What holds after an event.
pub(super) fn step(event: &Event, world: &World, uses: &[PoolUse]) -> StepPlan {
    StepPlan {
        event: event.text.clone(),
        groups: world.groups().map(|group| step_group(world, group)).collect(),
        pools: uses
            .iter()
            .enumerate()
            .map(|(pool, used)| step_pool(world, pool, used))
            .collect(),
        notes: world
            .left_alone(event)
            .map(left_alone)
            .chain(world.doubtful_scale(event).map(doubtful_scale))
            .collect(),
    }
}

/// Why a roll-out changes nothing in a group.
fn left_alone(group: &GroupStart) -> String {
    format!(
        "{}/{} replaces machines only when they are deleted, so it stays as it is",
        group.kind, group.name
    )
}

/// What the API server says to the number of a control plane (CAPI webhook of KubeadmControlPlane).
fn doubtful_scale((group, replicas): (&GroupStart, u32)) -> String {
    let name = format!("{}/{}", group.kind, group.name);
    match replicas {
        0 => format!("the API server refuses 0 replicas of {name}: a control plane goes with its Cluster"),
        _ => format!("the API server takes an even number of replicas of {name} only with an external etcd"),
    }
}

fn step_group(world: &World, group: &GroupStart) -> StepGroup {
    let holdings: Vec<StepHolding> = group.draws.iter().map(|draw| step_holding(world, draw)).collect();
    let exact = holdings.iter().all(|holding| holding.certainty == Certainty::Exact);
    let all: AddressSet = group
        .draws
        .iter()
        .flat_map(|draw| draw.held.addresses().ranges().collect::<Vec<_>>())
        .collect();
    let held = holdings.iter().map(|holding| holding.held).sum();
    StepGroup {
        cluster: group.cluster.clone(),
        namespace: group.namespace.clone(),
        kind: group.kind.clone(),
        name: group.name.clone(),
        certainty: certainty(exact),
        addresses: if exact { in_order(&group.draws) } else { listing(&all) },
        held,
        why: holdings.iter().find_map(|holding| holding.why.clone()),
        pool: match &holdings[..] {
            [only] => Some(only.pool.clone()),
            _ => None,
        },
        holdings: if holdings.len() > 1 { holdings } else { Vec::new() },
    }
}

fn step_holding(world: &World, draw: &GroupDraw) -> StepHolding {
    let pool = world.pool_reference(draw.pool);
    let why = why_set(draw, &pool.name);
    StepHolding {
        certainty: certainty(why.is_none()),
        addresses: match why {
            None => in_order(std::slice::from_ref(draw)),
            Some(_) => listing(&draw.held.addresses()),
        },
        held: draw.held.most().filter(|most| *most == draw.held.least()),
        why: why.map(|why| why.to_string()),
        pool: pool.clone(),
    }
}

fn certainty(exact: bool) -> Certainty {
    if exact { Certainty::Exact } else { Certainty::Set }
}

/// The addresses of machine after machine, those of one machine in the order of its draws.
fn in_order(draws: &[GroupDraw]) -> Vec<String> {
    let lists = draws.iter().filter_map(|draw| match &draw.held {
        Holding::InOrder(machines) => Some(machines),
        Holding::Among { .. } => None,
    });
    let lists: Vec<_> = lists.collect();
    let machines = lists.iter().map(|machines| machines.len()).max().unwrap_or(0);
    let of = |machine: usize| lists.iter().filter_map(move |machines| machines.get(machine)).flatten();
    (0..machines).flat_map(of).map(ToString::to_string).collect()
}

fn step_pool(world: &World, pool: usize, used: &PoolUse) -> StepPool {
    let reference = world.pool_reference(pool);
    let stuck = !used.waiting.is_empty();
    let is_known = used.needed.is_some() && used.size.is_some();
    let waiting = || {
        let groups: Vec<&GroupStart> = world.groups().collect();
        let names = used
            .waiting
            .iter()
            .map(|group| format!("{}/{}", groups[*group].kind, groups[*group].name));
        let verb = match (used.every_run, used.waiting.len()) {
            (true, 1) => "gets",
            (true, _) => "get",
            (false, _) => "can get",
        };
        format!("{} {verb} stuck for want of an address", listed(names))
    };
    StepPool {
        pool: reference.clone(),
        peak: used.peak,
        // Nobody waits among the machines whose number is known.
        stuck: (stuck || is_known).then_some(stuck),
        every_run: stuck.then_some(used.every_run),
        needed: used.needed,
        size: used.size.map(Into::into),
        why: stuck.then(waiting),
        way_out: stuck.then(|| way_out(reference, used, world.retries(pool))),
    }
}

/// How a group that is stuck goes on (seen with both providers).
fn way_out(pool: &PoolReference, used: &PoolUse, retries: bool) -> String {
    let missing = used.needed.zip(used.size);
    let missing = missing.map(|(needed, size)| u128::from(needed).saturating_sub(size));
    let enlarge = match missing {
        Some(0) if !retries => format!("the pool {} is large enough", pool.name),
        Some(0) => format!("the pool {} needs a free address", pool.name),
        Some(1) => format!("enlarge the pool {} by 1 address", pool.name),
        Some(missing) => format!("enlarge the pool {} by {missing} addresses", pool.name),
        None => format!("enlarge the pool {}", pool.name),
    };
    if retries {
        return format!("{enlarge}; the claim that waits then gets it by itself");
    }
    let then = if missing == Some(0) { "" } else { "then " };
    format!(
        "{enlarge}; {then}remove the whole status of the claim that was refused, or delete its Machine; \
         never delete the claim, which would stay in deletion and never get an address"
    )
}
