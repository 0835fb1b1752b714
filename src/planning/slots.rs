//! Takes a manifest with its pools and labels in place and gives the address plan: for each group its slots, for each slot its NICs, exact or one of a set.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::beginning::beginning;
use super::draws::{Draw, DrawnPool, Draws};
use super::infrastructure::endpoint;
use super::naming::machine_pattern;
use super::next::{Event, EventError, GroupDraw, Holding, Unsure, World};
use super::plan::{AddressPlan, Certainty, ClusterPlan, GroupPlan, NicPlan, PoolPlan, SlotKind, SlotPlan};
use super::steps::{listing, step, why_set};
use crate::addressing::{API_VERSION, Groups, MachineGroup, TemplateUse};
use crate::ipam::{AddressSet, Family};
use crate::objects::{Detail, Manifest, Object, Role};

/// The plan of a manifest.
#[must_use]
pub fn plan(manifest: &Manifest<'_>, groups: &Groups<'_, '_>) -> AddressPlan {
    let draws = Draws::of(manifest, groups);
    let (world, _) = World::settled(&beginning(manifest, groups, &draws));
    planned(manifest, groups, &draws, &world)
}

/// The plan of a manifest, and what holds after each of the events.
///
/// # Errors
/// The first event that cannot be played, and the plan with the steps before it.
pub fn plan_then(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    events: &[Event],
) -> Result<AddressPlan, (EventError, Box<AddressPlan>)> {
    let draws = Draws::of(manifest, groups);
    let (mut world, _) = World::settled(&beginning(manifest, groups, &draws));
    let mut plan = planned(manifest, groups, &draws, &world);
    for event in events {
        match world.play(event) {
            Ok(uses) => plan.steps.push(step(event, &world, &uses)),
            Err(error) => return Err((error, Box::new(plan))),
        }
    }
    Ok(plan)
}

fn planned(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, draws: &Draws, world: &World) -> AddressPlan {
    let planner = Planner {
        manifest,
        groups,
        draws,
        world,
        places: draws.groups.keys().copied().zip(0..).collect(),
        reach: (0..draws.pools.len()).map(|pool| world.reach(pool)).collect(),
    };
    let mut owners: Vec<Option<usize>> = draws.groups.keys().map(|group| groups.all[*group].cluster).collect();
    owners.sort_unstable();
    owners.dedup();
    AddressPlan {
        api_version: API_VERSION.to_owned(),
        kind: "AddressPlan".to_owned(),
        clusters: owners.into_iter().map(|cluster| planner.cluster(cluster)).collect(),
        steps: Vec::new(),
        findings: Vec::new(),
    }
}

struct Planner<'p, 'm, 'a> {
    manifest: &'p Manifest<'a>,
    groups: &'p Groups<'m, 'a>,
    draws: &'p Draws,
    /// What the groups hold when every machine is made.
    world: &'p World,
    /// The place of each group among those of the world.
    places: BTreeMap<usize, usize>,
    /// What claims can get of each pool when everything is rolled out.
    reach: Vec<AddressSet>,
}

impl Planner<'_, '_, '_> {
    fn cluster(&self, cluster: Option<usize>) -> ClusterPlan {
        let object = cluster.map(|cluster| &self.manifest.objects[cluster]);
        let own = |group: &&usize| self.groups.all[**group].cluster == cluster;
        let members: Vec<usize> = self.draws.groups.keys().filter(own).copied().collect();
        let name_of = |group: &usize| self.groups.all[*group].cluster_name;
        let name = object.map(Object::name).or_else(|| members.first().and_then(name_of));
        let used = |pool: &&DrawnPool| pool.users.iter().any(|(user, _)| members.contains(user));
        ClusterPlan {
            name: name.map(ToOwned::to_owned),
            namespace: object.and_then(|object| object.namespace()).map(ToOwned::to_owned),
            endpoint: object.and_then(|object| endpoint(self.manifest, object)),
            groups: members.iter().map(|group| self.group(*group, name)).collect(),
            pools: self
                .draws
                .pools
                .iter()
                .filter(used)
                .map(|pool| self.pool(pool))
                .collect(),
        }
    }

    fn pool(&self, pool: &DrawnPool) -> PoolPlan {
        let size = pool.pool.as_ref().map(|pool| pool.addresses().size());
        let needed = self.needed(pool);
        let usable = pool.pool.as_ref().map(|pool| pool.usable().size());
        PoolPlan {
            pool: pool.reference.clone(),
            size: size.map(Into::into),
            needed,
            free: usable
                .zip(needed)
                .map(|(size, needed)| size.saturating_sub(needed.into()).into()),
        }
    }

    /// Replicas and surge of all groups of a pool; `None` while one is unknown.
    fn needed(&self, pool: &DrawnPool) -> Option<u64> {
        pool.users
            .iter()
            .map(|(user, nics)| Some(self.groups.all[*user].size.peak()? * u64::from(*nics)))
            .sum()
    }

    fn group(&self, index: usize, cluster: Option<&str>) -> GroupPlan {
        let group = &self.groups.all[index];
        let draws = &self.draws.groups[&index];
        let why = self.own_draws(index).iter().find_map(|draw| self.why_set(group, draw));
        let template = match group.template {
            TemplateUse::Found(template) => self.manifest.objects[template].name(),
            _ => "",
        };
        GroupPlan {
            kind: group.kind.to_owned(),
            name: group.name.to_owned(),
            role: role_name(group.role).to_owned(),
            template: template.to_owned(),
            machine_pattern: machine_pattern(self.manifest, group),
            replicas: group.size.replicas,
            surge: group.size.surge,
            certainty: if why.is_none() {
                Certainty::Exact
            } else {
                Certainty::Set
            },
            slots: self.slots(index, draws, cluster),
            addresses: self.addresses(index),
            why: why.map(|why| why.to_string()),
        }
    }

    /// What the world knows of a group's pools.
    fn own_draws(&self, group: usize) -> &[GroupDraw] {
        self.world.draws(self.places[&group])
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
        let base = slot_base(group, cluster);
        let orders: Vec<Vec<IpAddr>> = draws.iter().map(|draw| self.order(index, draw)).collect();
        let mut slots = Vec::new();
        for number in 0..replicas as usize {
            let nic = |(draw, order): (&Draw, &Vec<IpAddr>)| self.nic(group, draw, order.get(number).copied());
            let nics = draws.iter().zip(&orders).map(nic).collect();
            slots.push(SlotPlan {
                name: format!("{base}-{}", number + 1),
                kind: SlotKind::Replica,
                nics,
            });
        }
        for number in 0..surge {
            let nics = draws.iter().map(|draw| self.nic(group, draw, None)).collect();
            slots.push(SlotPlan {
                name: format!("{base}-surge-{}", number + 1),
                kind: SlotKind::Surge,
                nics,
            });
        }
        slots
    }

    /// The addresses that a NIC of machine after machine gets, where they are exact.
    fn order(&self, group: usize, draw: &Draw) -> Vec<IpAddr> {
        let own = self.own_draws(group).iter().find(|own| own.pool == draw.pool);
        match own.map(|own| (&own.held, own.each)) {
            Some((Holding::InOrder(machines), 1)) => machines.iter().flatten().copied().collect(),
            _ => Vec::new(),
        }
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
    fn nic_of(&self, group: &MachineGroup<'_, '_>, device: usize) -> Option<(Option<String>, Vec<String>)> {
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

    /// All addresses that a group may hold, in a roll-out of all groups at once too.
    fn addresses(&self, group: usize) -> Vec<String> {
        let mut all = AddressSet::new();
        for draw in self.own_draws(group) {
            all.extend(draw.held.addresses().ranges());
            all.extend(self.reach[draw.pool].ranges());
        }
        listing(&all)
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::ControlPlane => "control-plane",
        Role::Worker => "worker",
        Role::Etcd => "etcd",
    }
}

/// The group's name without the cluster's; its role where nothing is left.
fn slot_base<'g>(group: &MachineGroup<'g, '_>, cluster: Option<&str>) -> &'g str {
    let rest = cluster.and_then(|cluster| group.name.strip_prefix(cluster));
    match rest {
        Some("") => role_name(group.role),
        Some(rest) => rest
            .strip_prefix('-')
            .filter(|rest| !rest.is_empty())
            .unwrap_or(group.name),
        None => group.name,
    }
}
