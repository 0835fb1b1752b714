//! Takes a manifest with its pools and labels in place and gives the address plan: for each group its slots, for each slot its NICs, exact or one of a set.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::beginning::beginning;
use super::draws::{Draw, DrawnPool, Draws};
use super::infrastructure::endpoint;
use super::machine_names::machine_name;
use super::next::{Event, EventError, GroupDraw, Holding, Unsure, World};
use super::plan::{AddressPlan, Certainty, ClusterPlan, GroupPlan, NicPlan, PoolPlan, SlotKind, SlotPlan};
use super::running::Running;
use super::steps::{listing, step, why_set};
use super::subnet::PoolUser;
use super::subnets::subnets;
use crate::addressing::{API_VERSION, Groups, MachineGroup, TemplateUse};
use crate::ipam::{AddressSet, Family, Pool};
use crate::objects::{Detail, Manifest, Object, Role};

/// The plan of a manifest, as of clusters that do not exist yet.
#[must_use]
pub fn plan(manifest: &Manifest<'_>, groups: &Groups<'_, '_>) -> AddressPlan {
    plan_running(manifest, groups, None)
}

/// The plan of a manifest that keeps what is assigned already.
#[must_use]
pub fn plan_running(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, running: Option<&Running>) -> AddressPlan {
    let draws = drawn(manifest, groups, running);
    planned(manifest, groups, &draws, running)
}

/// The same, and what holds after each of the events.
///
/// # Errors
/// The first event that cannot be played, and the plan with the steps before it.
pub fn plan_then(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    running: Option<&Running>,
    events: &[Event],
) -> Result<AddressPlan, (EventError, Box<AddressPlan>)> {
    let draws = drawn(manifest, groups, running);
    let mut plan = planned(manifest, groups, &draws, running);
    if events.is_empty() {
        return Ok(plan);
    }
    let mut start = beginning(manifest, groups, &draws, &|pool| draws.pools[pool].pool.clone());
    if let Some(running) = running {
        running.begin(&draws, &mut start);
    }
    let (mut world, _) = World::settled(&start);
    for event in events {
        match world.play(event) {
            Ok(uses) => plan.steps.push(step(event, &world, &uses)),
            Err(error) => return Err((error, Box::new(plan))),
        }
    }
    Ok(plan)
}

/// Who draws from what, pools that only the running cluster has included.
fn drawn(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, running: Option<&Running>) -> Draws {
    let mut draws = Draws::of(manifest, groups);
    if let Some(running) = running {
        running.fill(&mut draws);
    }
    draws
}

fn planned(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, draws: &Draws, running: Option<&Running>) -> AddressPlan {
    let start = beginning(manifest, groups, draws, &|pool| draws.pools[pool].pool.clone());
    let (world, _) = World::settled(&start);
    let planner = Planner {
        manifest,
        groups,
        draws,
        running,
        places: draws.groups.keys().copied().zip(0..).collect(),
        reach: (0..draws.pools.len()).map(|pool| world.reach(pool)).collect(),
        world: &world,
    };
    let owners: BTreeSet<Owner<'_>> = draws.groups.keys().map(|group| owner(&groups.all[*group])).collect();
    let clusters: Vec<ClusterPlan> = owners.into_iter().map(|owner| planner.cluster(owner)).collect();
    AddressPlan {
        api_version: API_VERSION.to_owned(),
        kind: "AddressPlan".to_owned(),
        subnets: subnets(&planner, &clusters),
        clusters,
        steps: Vec::new(),
        findings: Vec::new(),
    }
}

/// The Cluster that a group belongs to, or the name of one that the manifest does not have.
type Owner<'m> = (Option<usize>, Option<&'m str>);

fn owner<'m>(group: &MachineGroup<'m, '_>) -> Owner<'m> {
    (group.cluster, group.cluster_name.filter(|_| group.cluster.is_none()))
}

pub(super) struct Planner<'p, 'm, 'a> {
    pub(super) manifest: &'p Manifest<'a>,
    pub(super) groups: &'p Groups<'m, 'a>,
    pub(super) draws: &'p Draws,
    pub(super) running: Option<&'p Running>,
    /// What the groups hold when every machine is made and none was there before.
    world: &'p World,
    /// The place of each group among those of the world.
    places: BTreeMap<usize, usize>,
    /// What claims can get of each pool then, in a roll-out of all groups at once too.
    reach: Vec<AddressSet>,
}

impl Planner<'_, '_, '_> {
    fn cluster(&self, of: Owner<'_>) -> ClusterPlan {
        let object = of.0.map(|cluster| &self.manifest.objects[cluster]);
        let own = |group: &&usize| owner(&self.groups.all[**group]) == of;
        let members: Vec<usize> = self.draws.groups.keys().filter(own).copied().collect();
        let name = object.map(Object::name).or(of.1);
        let used = |pool: &&DrawnPool| pool.users.iter().any(|(user, _)| members.contains(user));
        ClusterPlan {
            name: name.map(ToOwned::to_owned),
            namespace: object.and_then(|object| object.namespace()).map(ToOwned::to_owned),
            endpoint: of.0.and_then(|cluster| endpoint(self.manifest, self.groups, cluster)),
            groups: members.iter().map(|group| self.group(*group, name)).collect(),
            pools: self
                .draws
                .pools
                .iter()
                .enumerate()
                .filter(|(_, pool)| used(pool))
                .map(|(index, pool)| self.pool(index, pool))
                .collect(),
        }
    }

    fn pool(&self, index: usize, pool: &DrawnPool) -> PoolPlan {
        let size = pool.pool.as_ref().map(|pool| pool.addresses().size());
        let needed = pool.needed(self.groups);
        let usable = pool.pool.as_ref().map(|pool| pool.usable().size());
        let mut plan = PoolPlan {
            pool: pool.reference.clone(),
            addresses: pool.pool.as_ref().map(ranges).unwrap_or_default(),
            size: size.map(Into::into),
            needed,
            taken: Vec::new(),
            free: usable
                .zip(needed)
                .map(|(size, needed)| size.saturating_sub(needed.into()).into()),
        };
        if let Some(running) = self.running {
            running.count_others(index, &mut plan);
        }
        plan
    }

    /// A group by its identity.
    pub(super) fn user(&self, index: usize) -> PoolUser {
        let group = &self.groups.all[index];
        let cluster = group.cluster.map(|cluster| &self.manifest.objects[cluster]);
        PoolUser {
            cluster: cluster.map(Object::name).or(group.cluster_name).map(ToOwned::to_owned),
            namespace: cluster.and_then(|cluster| cluster.namespace()).map(ToOwned::to_owned),
            kind: group.kind.to_owned(),
            name: group.name.to_owned(),
        }
    }

    fn group(&self, index: usize, cluster: Option<&str>) -> GroupPlan {
        let group = &self.groups.all[index];
        let draws = &self.draws.groups[&index];
        let own = self.world.draws(self.places[&index]);
        let why = own.iter().find_map(|draw| {
            let why = self.why_set(group, draw).map(|why| why.to_string());
            why.or_else(|| self.running?.why_not_exact(index, draw.pool))
        });
        let template = match group.template {
            TemplateUse::Found(template) => self.manifest.objects[template].name(),
            _ => "",
        };
        let exact = why.is_none();
        let mut plan = GroupPlan {
            kind: group.kind.to_owned(),
            name: group.name.to_owned(),
            role: role_name(group.role).to_owned(),
            template: template.to_owned(),
            machine_name: machine_name(self.manifest, group),
            replicas: group.size.replicas,
            surge: group.size.surge,
            certainty: if exact { Certainty::Exact } else { Certainty::Set },
            slots: self.slots(index, draws, cluster),
            addresses: self.addresses(index, draws),
            why,
        };
        if let Some(running) = self.running {
            let make = |draw: &Draw, address| self.nic(group, draw, address);
            running.keep(index, self.draws, &mut plan, exact, &make);
        }
        plan
    }

    /// Why not every machine's address is known.
    fn why_set(&self, group: &MachineGroup<'_, '_>, draw: &GroupDraw) -> Option<Unsure> {
        let pool = &self.draws.pools[draw.pool].reference.name;
        let wanted = group
            .size
            .replicas
            .map(|replicas| u64::from(replicas) * u64::from(draw.each));
        let lacks = wanted.is_some_and(|wanted| draw.held.most().is_some_and(|held| held < wanted));
        why_set(draw, pool).or_else(|| lacks.then(|| Unsure::TooSmall(pool.clone())))
    }

    fn slots(&self, index: usize, draws: &[Draw], cluster: Option<&str>) -> Vec<SlotPlan> {
        let group = &self.groups.all[index];
        let (Some(replicas), Some(surge)) = (group.size.replicas, group.size.surge) else {
            return Vec::new();
        };
        let base = slot_base(group.name, role_name(group.role), cluster);
        let orders: Vec<Vec<IpAddr>> = draws.iter().map(|draw| self.order(index, draw)).collect();
        let mut slots = Vec::new();
        for number in 0..replicas as usize {
            let nic = |(draw, order): (&Draw, &Vec<IpAddr>)| self.nic(group, draw, order.get(number).copied());
            let nics = draws.iter().zip(&orders).map(nic).collect();
            slots.push(SlotPlan {
                name: format!("{base}-{}", number + 1),
                kind: SlotKind::Replica,
                machine: None,
                nics,
            });
        }
        for number in 0..surge {
            let nics = draws.iter().map(|draw| self.nic(group, draw, None)).collect();
            slots.push(SlotPlan {
                name: format!("{base}-surge-{}", number + 1),
                kind: SlotKind::Surge,
                machine: None,
                nics,
            });
        }
        slots
    }

    /// The addresses that a NIC of machine after machine gets, where they are exact.
    fn order(&self, group: usize, draw: &Draw) -> Vec<IpAddr> {
        let own = self.world.draws(self.places[&group]).iter();
        let own = own.filter(|own| own.pool == draw.pool && own.each == 1);
        let lists = own.filter_map(|own| match &own.held {
            Holding::InOrder(machines) => Some(machines.iter().flatten().copied()),
            Holding::Among { .. } => None,
        });
        lists.flatten().collect()
    }

    fn nic(&self, group: &MachineGroup<'_, '_>, draw: &Draw, address: Option<IpAddr>) -> NicPlan {
        let drawn = &self.draws.pools[draw.pool];
        let claim = match draw.place {
            None => format!("<machine>-{}", draw.device),
            Some(place) => format!("<machine>-{}-{place}", draw.device),
        };
        let first = drawn
            .pool
            .as_ref()
            .and_then(|pool| address.or_else(|| pool.addresses().first()));
        let grant = drawn
            .pool
            .as_ref()
            .zip(first)
            .map(|(pool, address)| pool.grant(address, pool.entry_of(address), &claim));
        let nic = self.nic_of(group, draw.device);
        let own_servers = nic.as_ref().map(|(_, servers)| servers.clone()).unwrap_or_default();
        NicPlan {
            device: draw.device,
            network: nic.and_then(|(network, _)| network),
            family: first.map(|address| Family::of(address).to_string()),
            pool: drawn.reference.clone(),
            certainty: if address.is_some() {
                Certainty::Exact
            } else {
                Certainty::Set
            },
            address: address.map(|address| address.to_string()),
            prefix: grant.as_ref().map(|grant| grant.prefix).filter(|prefix| *prefix != 0),
            gateway: grant.as_ref().and_then(|grant| grant.gateway.clone()),
            // CAPV takes no name servers from a pool; the adapter does.
            dns_servers: match draw.place {
                Some(_) => own_servers,
                None => grant
                    .as_ref()
                    .map(|grant| grant.dns_servers.clone())
                    .unwrap_or_default(),
            },
            address_object: grant.filter(|_| address.is_some()).map(|grant| grant.object),
            claim,
        }
    }

    /// The network and name servers of a NIC.
    pub(super) fn nic_of(&self, group: &MachineGroup<'_, '_>, device: usize) -> Option<(Option<String>, Vec<String>)> {
        let TemplateUse::Found(template) = group.template else {
            return None;
        };
        let Detail::Template(detail) = &self.manifest.objects[template].detail else {
            return None;
        };
        let nic = detail.nics.get(device)?;
        let servers = nic.nameservers.iter().map(|text| text.value.to_string()).collect();
        Some((nic.network.as_ref().map(|network| network.value.to_string()), servers))
    }

    /// All addresses that a group may hold, in a roll-out of all groups at once too: the lowest that the groups of its pools
    /// need together, or whole pools.
    fn addresses(&self, group: usize, draws: &[Draw]) -> Vec<String> {
        let mut all = AddressSet::new();
        let pools: BTreeMap<usize, &Draw> = draws.iter().map(|draw| (draw.pool, draw)).collect();
        for (pool, draw) in pools {
            let drawn = &self.draws.pools[pool];
            let needed = drawn.needed(self.groups);
            let kept = self.running.and_then(|running| running.addresses(group, draw, needed));
            all.extend(kept.as_ref().unwrap_or(&self.reach[pool]).ranges());
        }
        listing(&all)
    }
}

/// All addresses of a pool, as the ranges that they form.
fn ranges(pool: &Pool) -> Vec<String> {
    pool.addresses().ranges().map(|range| range.to_string()).collect()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::ControlPlane => "control-plane",
        Role::Worker => "worker",
        Role::Etcd => "etcd",
    }
}

/// The group's name without the cluster's; its role where nothing is left.
pub(crate) fn slot_base<'g>(group: &'g str, role: &'g str, cluster: Option<&str>) -> &'g str {
    let rest = cluster.and_then(|cluster| group.strip_prefix(cluster));
    match rest {
        Some("") => role,
        Some(rest) => rest.strip_prefix('-').filter(|rest| !rest.is_empty()).unwrap_or(group),
        None => group,
    }
}
