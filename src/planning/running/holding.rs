//! Takes machines, claims and what becomes of them, gives which NIC of which machine has which address; contradictions
//! between a machine and its claim are findings, and nobody's address is given to another.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::claimed::{ByMachine, Claimed, claimed, leaving, waiting};
use super::placing::Found;
use super::{Held, Kept, KeptNic, Reader, Running, RunningPool};
use crate::allocation::{Allocation, few};
use crate::check::{Finding, codes};
use crate::ipam::{AddressSet, parse_address};
use crate::planning::draws::Draw;
use crate::state::{ClaimObject, Machine, PoolId, PoolView, Settled, Stored, claimed_nic};

pub(super) fn collect(
    reader: &Reader<'_, '_, '_>,
    allocation: &Allocation,
    drawn: &[Option<PoolId>],
    running: &mut Running,
) {
    let claimed = claimed(allocation);
    let machines = with_unseen(reader, &claimed, running);
    let mut placed: Vec<(usize, &Machine)> = Vec::new();
    let mut ours: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut by_name = Vec::new();
    for machine in &machines {
        match reader.group_of(machine) {
            Some(Found::ByObject(group)) => placed.push((group, machine)),
            Some(Found::ByName(group)) => {
                by_name.push(machine.name.clone());
                placed.push((group, machine));
            }
            None => reader.say_unplaced(machine, &claimed, running),
        }
    }
    if !by_name.is_empty() {
        let finding = Finding::new(
            &codes::GROUP_FROM_NAME,
            format!(
                "the groups of {} machines follow from their names alone: {}",
                by_name.len(),
                few(&by_name)
            ),
        );
        running
            .findings
            .push(finding.help("give the Machines and VSphereMachines as well"));
    }
    placed.sort_by(|(first, a), (second, b)| {
        (first, a.deleting, &a.created, &a.name).cmp(&(second, b.deleting, &b.created, &b.name))
    });
    for (group, machine) in &placed {
        let Some(draws) = reader.draws.groups.get(group) else {
            continue;
        };
        ours.insert((&machine.namespace, &machine.name));
        ours.extend(
            machine
                .virtual_machine
                .as_deref()
                .map(|name| (&*machine.namespace, name)),
        );
        if let Some(kept) = keep(reader, machine, draws, &claimed, &mut running.findings) {
            running.machines.entry(*group).or_default().push(kept);
        }
    }
    let views: BTreeMap<&PoolId, &(PoolView, Settled)> =
        allocation.pools.iter().map(|pool| (&pool.0.id, pool)).collect();
    for (index, id) in drawn.iter().enumerate() {
        let pool = id.as_ref().and_then(|id| views.get(id)).map(|(view, settled)| {
            held_elsewhere(allocation, view, running);
            let mut pool = running_pool(allocation, view, settled, &ours);
            recorded(reader, index, &mut pool, running);
            pool
        });
        running.pools.push(pool);
    }
}

/// Addresses of a pool that objects of other pools hold: its own allocator does not see them, and gives them out again.
fn held_elsewhere(allocation: &Allocation, view: &PoolView, running: &mut Running) {
    let all = view.pool.addresses();
    let mut held: BTreeMap<PoolId, Vec<String>> = BTreeMap::new();
    for stored in allocation.live.addresses() {
        let other = stored.value.pool(&stored.namespace).filter(|other| *other != view.id);
        let address = parse_address(stored.value.address())
            .ok()
            .filter(|address| all.contains(*address));
        if let (Some(other), Some(address)) = (other, address) {
            held.entry(other).or_default().push(address.to_string());
        }
    }
    for (other, addresses) in held {
        let message = format!(
            "{other} has given out {}, which {} gives out too",
            few(&addresses),
            view.id
        );
        let help = "take these addresses out of the pool, unless the two networks never meet";
        running
            .findings
            .push(Finding::new(&codes::POOLS_SHARE_ADDRESS, message).help(help));
    }
}

/// The machines of the input, and one for every owner of a claim that is not there: of a state with claims alone the plan
/// can still be kept.
fn with_unseen(reader: &Reader<'_, '_, '_>, claimed: &ByMachine<'_>, running: &mut Running) -> Vec<Machine> {
    let mut machines = reader.machines.clone();
    let known: BTreeSet<(&str, &str)> = reader
        .machines
        .iter()
        .flat_map(|machine| {
            [Some(machine.name.as_str()), machine.virtual_machine.as_deref()]
                .map(|name| Some((&*machine.namespace, name?)))
        })
        .flatten()
        .collect();
    let unseen: Vec<_> = claimed.keys().filter(|key| !known.contains(*key)).collect();
    if !reader.machines.is_empty() && !unseen.is_empty() {
        let names: Vec<String> = unseen.iter().map(|(_, name)| (*name).to_owned()).collect();
        let finding = Finding::new(
            &codes::STATE_STALE,
            format!(
                "claims belong to machines that the state does not have: {}",
                few(&names)
            ),
        );
        running
            .findings
            .push(finding.help("take all objects of the cluster at one time; the addresses count as held"));
    }
    let alone = reader.machines.is_empty();
    machines.extend(unseen.into_iter().map(|(namespace, name)| Machine {
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        // Beside machines that are there, one that is not there is no machine of a group any more.
        maker: (!alone).then(|| ("Unknown".to_owned(), String::new())),
        ..Machine::default()
    }));
    machines
}

/// What a machine keeps; none for one that has no static NIC, as before a roll-out to static addresses.
fn keep(
    reader: &Reader<'_, '_, '_>,
    machine: &Machine,
    draws: &[Draw],
    claimed: &ByMachine<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Kept> {
    let names = [Some(machine.name.as_str()), machine.virtual_machine.as_deref()];
    let own: Vec<&Claimed<'_>> = names
        .into_iter()
        .flatten()
        .filter_map(|name| claimed.get(&(&*machine.namespace, name)))
        .flatten()
        .collect();
    let mut nics = Vec::new();
    for draw in draws {
        let nic = machine.nics.get(draw.device);
        if nic.is_some_and(|nic| nic.dhcp) && own.is_empty() {
            return None;
        }
        let claim = own
            .iter()
            .find(|claim| claim.device == draw.device && claim.place == draw.place);
        let written = nic.map(|nic| nic.addresses.as_slice()).unwrap_or_default();
        let mut held = claim.and_then(|claim| claim.held.clone());
        // Under label binding the address is on the machine itself, and there it counts.
        if draw.place.is_none() && !written.is_empty() {
            held = written_on(reader, machine, draw, held, written, findings);
        }
        nics.push(KeptNic {
            device: draw.device,
            place: draw.place,
            claim: claim.map(|claim| claim.claim.to_owned()),
            refused: written.is_empty() && claim.is_some_and(|claim| claim.refused),
            held,
        });
    }
    Some(Kept {
        name: machine.name.clone(),
        created: machine.created.clone(),
        deleting: machine.deleting,
        nics,
    })
}

/// The address that a machine's NIC has by `ipAddrs`, which must be its claim's.
fn written_on(
    reader: &Reader<'_, '_, '_>,
    machine: &Machine,
    draw: &Draw,
    claimed: Option<Held>,
    written: &[String],
    findings: &mut Vec<Finding>,
) -> Option<Held> {
    let read = |text: &String| {
        let (address, prefix) = text.split_once('/').map_or((text.as_str(), None), |(address, prefix)| {
            (address, prefix.parse().ok())
        });
        Some((parse_address(address).ok()?, prefix))
    };
    let addresses: Vec<(IpAddr, Option<i64>)> = written.iter().filter_map(read).collect();
    match &claimed {
        Some(held) if addresses.iter().any(|(address, _)| *address == held.address) => claimed,
        Some(held) => {
            let finding = Finding::new(
                &codes::STATE_CONTRADICTS,
                format!(
                    "machine {} has {} on NIC {}, and its claim {}",
                    machine.name,
                    written.join(", "),
                    draw.device,
                    held.address
                ),
            );
            findings.push(
                reader
                    .at_machine(machine, finding)
                    .help("find out which one the machine uses; delete the claim or the machine"),
            );
            claimed
        }
        None => addresses.first().map(|(address, prefix)| Held {
            address: *address,
            prefix: *prefix,
            gateway: None,
            dns_servers: None,
            object: None,
            pool: reader.draws.pools[draw.pool].reference.clone(),
        }),
    }
}

fn running_pool(
    allocation: &Allocation,
    view: &PoolView,
    settled: &Settled,
    ours: &BTreeSet<(&str, &str)>,
) -> RunningPool {
    let held: AddressSet = settled.held.iter().copied().collect();
    let mut taken = held.clone();
    let mut rivals = BTreeSet::new();
    for (id, fate) in &settled.fates {
        let stored = view.sources.get(id).map(|index| &allocation.live.claims()[*index]);
        let machine = stored.and_then(|stored| Some((&*stored.namespace, claimed_nic(stored)?.0)));
        if machine.is_some_and(|machine| ours.contains(&machine)) {
            fate.address()
                .into_iter()
                .for_each(|address| taken.remove(crate::ipam::AddressRange::single(address)));
        } else {
            rivals.insert(stored.map_or_else(|| id.to_string(), rival));
        }
    }
    rivals.extend(view.gaps.unclaimed.iter().map(|(claim, _)| claim.to_string()));
    RunningPool {
        pool: view.pool.clone(),
        held,
        taken,
        rivals: rivals.into_iter().collect(),
        waiting: waiting(settled),
        leaving: leaving(settled).map(ToString::to_string),
    }
}

/// Whom a claim belongs to, for a sentence.
fn rival(stored: &Stored<ClaimObject>) -> String {
    match stored.value.cluster() {
        Some(cluster) => format!("the cluster {cluster}"),
        None => format!("{} {}", stored.value.kind().name(), stored.value.metadata().name),
    }
}

/// Addresses that machines use and that the pool does not know: it gives them to somebody else.
fn recorded(reader: &Reader<'_, '_, '_>, index: usize, pool: &mut RunningPool, running: &mut Running) {
    let all = pool.pool.addresses();
    let reference = &reader.draws.pools[index].reference;
    let used = running
        .machines
        .values()
        .flatten()
        .flat_map(|kept| kept.nics.iter().map(move |nic| (kept, nic)));
    let used: Vec<(String, IpAddr)> = used
        .filter_map(|(kept, nic)| {
            Some((
                kept.name.clone(),
                nic.held.as_ref().filter(|held| held.pool.is(reference))?.address,
            ))
        })
        .filter(|(_, address)| all.contains(*address) && !pool.held.contains(*address))
        .collect();
    for (machine, address) in used {
        pool.held.insert_address(address);
        let finding = Finding::new(
            &codes::ADDRESS_UNRECORDED,
            format!(
                "machine {machine} uses {address} of {} {}, which has no address object: the next claim gets it too",
                reference.kind, reference.name
            ),
        );
        let known = reader.machines.iter().find(|known| known.name == machine);
        let finding = match known {
            Some(known) => reader.at_machine(known, finding),
            None => finding,
        };
        let help = format!(
            "reserve it: capv-ipam allocate --pool {} --for <claim>={address} --only addresses",
            reference.name
        );
        running.findings.push(finding.help(help));
    }
}

impl Reader<'_, '_, '_> {
    /// A machine of one of the manifest's clusters that belongs to none of its groups.
    fn say_unplaced(&self, machine: &Machine, claimed: &ByMachine<'_>, running: &mut Running) {
        let cluster = machine.cluster.as_deref();
        let ours = self
            .groups
            .clusters
            .iter()
            .map(|index| self.manifest.objects[*index].name());
        let holds = claimed.contains_key(&(&*machine.namespace, &*machine.name));
        if !holds || !ours.into_iter().any(|name| Some(name) == cluster) {
            return;
        }
        let maker = machine
            .maker
            .as_ref()
            .map_or_else(String::new, |(kind, name)| format!(" of {kind}/{name}"));
        let finding = Finding::new(
            &codes::MACHINE_UNPLACED,
            format!("machine {}{maker} belongs to no group of the manifest", machine.name),
        );
        running.findings.push(
            self.at_machine(machine, finding)
                .help("give the manifest of its group as well; its addresses count as held by somebody else"),
        );
    }
}
