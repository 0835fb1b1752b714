//! Takes a manifest with its pools and labels in place and gives the address plan: for each group its slots, for each slot its NICs, exact or one of a set.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::draws::{Draw, DrawnPool, Draws};
use super::machine_names::machine_name;
use super::plan::{AddressPlan, Certainty, ClusterPlan, Endpoint, GroupPlan, NicPlan, PoolPlan, SlotKind, SlotPlan};
use super::running::Running;
use super::subnet::PoolUser;
use super::subnets::subnets;
use crate::addressing::{API_VERSION, Groups, MachineGroup, TemplateUse};
use crate::ipam::{AddressSet, Family, Pool, Seeded, Strategy};
use crate::objects::{Detail, Manifest, Object, Role};

/// Addresses of a group that are listed one by one.
const LISTED: u128 = 256;

/// The plan of a manifest, as of clusters that do not exist yet.
#[must_use]
pub fn plan(manifest: &Manifest<'_>, groups: &Groups<'_, '_>) -> AddressPlan {
    plan_running(manifest, groups, None)
}

/// The plan of a manifest that keeps what is assigned already.
#[must_use]
pub fn plan_running(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, running: Option<&Running>) -> AddressPlan {
    let mut draws = Draws::of(manifest, groups);
    if let Some(running) = running {
        running.fill(&mut draws);
    }
    let planner = Planner {
        manifest,
        groups,
        draws: &draws,
        running,
    };
    let owners: BTreeSet<Owner<'_>> = draws.groups.keys().map(|group| owner(&groups.all[*group])).collect();
    let clusters: Vec<ClusterPlan> = owners.into_iter().map(|owner| planner.cluster(owner)).collect();
    AddressPlan {
        api_version: API_VERSION.to_owned(),
        kind: "AddressPlan".to_owned(),
        subnets: subnets(&planner, &clusters),
        clusters,
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
            endpoint: of.0.and_then(|cluster| self.endpoint(cluster)),
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

    /// The endpoint of the VSphereCluster that the Cluster refers to, else its own.
    pub(super) fn endpoint(&self, index: usize) -> Option<Endpoint> {
        let cluster = &self.manifest.objects[index];
        let infrastructure = self
            .groups
            .infrastructure(index)
            .map(|infrastructure| &self.manifest.objects[infrastructure]);
        [infrastructure, Some(cluster)]
            .into_iter()
            .flatten()
            .find_map(|object| {
                self.manifest.with_object(object, |at| {
                    let endpoint = at.at(&["spec", "controlPlaneEndpoint"])?;
                    let host = endpoint.text_of("host").filter(|host| !host.value.is_empty())?;
                    let port = endpoint.text_of("port").and_then(|port| port.value.parse().ok());
                    Some(Endpoint {
                        host: host.value.into_owned(),
                        port,
                    })
                })
            })
    }

    fn pool(&self, index: usize, pool: &DrawnPool) -> PoolPlan {
        let size = pool.pool.as_ref().map(|pool| pool.addresses().size());
        let needed = pool.needed(self.groups);
        let mut plan = PoolPlan {
            pool: pool.reference.clone(),
            addresses: pool.pool.as_ref().map(ranges).unwrap_or_default(),
            size: size.map(Into::into),
            needed,
            taken: Vec::new(),
            free: size
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
        let why = draws.iter().find_map(|draw| {
            let why = self.why_not_exact(group, &self.draws.pools[draw.pool]);
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
            slots: self.slots(group, draws, cluster, exact),
            addresses: self.addresses(index, draws),
            why,
        };
        if let Some(running) = self.running {
            let make = |draw: &Draw, address| self.nic(group, draw, address);
            running.keep(index, self.draws, &mut plan, exact, &make);
        }
        plan
    }

    /// Only a control plane with a pool of its own is exact: its machines are made one at a time, and each takes the
    /// lowest free address (seen with the real controllers).
    fn why_not_exact(&self, group: &MachineGroup<'_, '_>, pool: &DrawnPool) -> Option<String> {
        let name = &pool.reference.name;
        let Some(addresses) = &pool.pool else {
            return Some(format!(
                "the pool {name} is not in the manifest; give its manifest as well"
            ));
        };
        if group.role != Role::ControlPlane {
            return Some(
                "the order in which these machines claim is not fixed; nothing makes it exact before they exist"
                    .to_owned(),
            );
        }
        if pool.users.len() > 1 {
            return Some(format!(
                "the pool {name} is shared; a pool of its own makes the control plane exact"
            ));
        }
        if addresses.strategy() == Strategy::Random {
            return Some(format!(
                "the pool {name} gives addresses at random; the sequential strategy makes it exact"
            ));
        }
        if group.size.replicas.is_none() {
            return Some(
                "the number of replicas is not known yet; with a number in its place this is exact".to_owned(),
            );
        }
        None
    }

    fn slots(&self, group: &MachineGroup<'_, '_>, draws: &[Draw], cluster: Option<&str>, exact: bool) -> Vec<SlotPlan> {
        let (Some(replicas), Some(surge)) = (group.size.replicas, group.size.surge) else {
            return Vec::new();
        };
        let base = slot_base(group.name, role_name(group.role), cluster);
        let orders: Vec<Vec<IpAddr>> = draws
            .iter()
            .map(|draw| self.order(draw, draws, replicas, exact))
            .collect();
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

    /// The addresses that one NIC of machine after machine gets, when they are exact.
    fn order(&self, draw: &Draw, draws: &[Draw], replicas: u32, exact: bool) -> Vec<IpAddr> {
        let Some(pool) = self.draws.pools[draw.pool].pool.as_ref().filter(|_| exact) else {
            return Vec::new();
        };
        // A machine claims for its NICs in their order before the next machine is made.
        let same: Vec<&Draw> = draws.iter().filter(|other| other.pool == draw.pool).collect();
        let own = same
            .iter()
            .position(|other| (other.device, other.place) == (draw.device, draw.place))
            .unwrap_or(0);
        let mut seed = Seeded::new(0);
        let succession = pool.succession(&AddressSet::new(), &mut seed);
        succession
            .take(replicas as usize * same.len())
            .skip(own)
            .step_by(same.len())
            .collect()
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

    /// All addresses that a group may hold: the lowest that all groups of its pools need together, or whole pools.
    fn addresses(&self, group: usize, draws: &[Draw]) -> Vec<String> {
        let mut all = AddressSet::new();
        let mut seen = Vec::new();
        for draw in draws {
            let drawn = &self.draws.pools[draw.pool];
            let Some(pool) = drawn.pool.as_ref().filter(|_| !seen.contains(&draw.pool)) else {
                continue;
            };
            seen.push(draw.pool);
            let kept = self
                .running
                .and_then(|running| running.addresses(group, draw, drawn.needed(self.groups)));
            if let Some(kept) = kept {
                all.extend(kept.ranges());
                continue;
            }
            let needed = drawn
                .needed(self.groups)
                .filter(|_| pool.strategy() == Strategy::Sequential);
            match needed {
                Some(needed) => {
                    let mut seed = Seeded::new(0);
                    let lowest = pool.succession(&AddressSet::new(), &mut seed).take(needed as usize);
                    for address in lowest {
                        all.insert_address(address);
                    }
                }
                None => all.extend(pool.addresses().ranges()),
            }
        }
        if all.size() > LISTED {
            return all.ranges().map(|range| range.to_string()).collect();
        }
        all.ranges()
            .flat_map(|range| range.iter())
            .map(|address| address.to_string())
            .collect()
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
