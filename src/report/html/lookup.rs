//! Takes a plan and finds in it: the machine of an exact address, the cluster of a group, and the subnets and DHCP groups of a cluster; each in one step, however large the plan is.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::planning::{AddressPlan, ClusterPlan, DhcpGroup, PoolReference, PoolUser, SlotKind, SubnetPlan};

/// A machine whose address is known.
#[derive(Clone, Copy)]
pub(super) struct Machine<'p> {
    /// The slot's name.
    pub(super) slot: &'p str,
    /// Its number among the slots of its kind, from 1.
    pub(super) number: usize,
}

/// What is known of a cluster beyond its own part of the plan.
#[derive(Default)]
struct Around<'p> {
    subnets: Vec<usize>,
    dhcp: Vec<&'p DhcpGroup>,
}

/// Look-ups in a plan.
pub(super) struct Lookup<'p> {
    plan: &'p AddressPlan,
    machines: BTreeMap<&'p PoolReference, BTreeMap<IpAddr, Machine<'p>>>,
    clusters: HashMap<(Option<&'p str>, Option<&'p str>), usize>,
    around: Vec<Around<'p>>,
}

impl<'p> Lookup<'p> {
    pub(super) fn of(plan: &'p AddressPlan) -> Self {
        let mut lookup = Lookup {
            plan,
            machines: BTreeMap::new(),
            clusters: HashMap::new(),
            around: plan.clusters.iter().map(|_| Around::default()).collect(),
        };
        for (index, cluster) in plan.clusters.iter().enumerate() {
            let name = (cluster.name.as_deref(), cluster.namespace.as_deref());
            lookup.clusters.insert(name, index);
            lookup.machines_of(cluster);
        }
        for (index, subnet) in plan.subnets.iter().enumerate() {
            for user in subnet.pools.iter().flat_map(|pool| &pool.groups) {
                if let Some(cluster) = lookup.cluster_of(user) {
                    let subnets = &mut lookup.around[cluster].subnets;
                    if subnets.last() != Some(&index) {
                        subnets.push(index);
                    }
                }
            }
            for dhcp in &subnet.dhcp {
                if let Some(cluster) = lookup.cluster_of(&dhcp.group) {
                    let known = &mut lookup.around[cluster].dhcp;
                    if !known.contains(&dhcp) {
                        known.push(dhcp);
                    }
                }
            }
        }
        lookup
    }

    fn machines_of(&mut self, cluster: &'p ClusterPlan) {
        for group in &cluster.groups {
            for kind in [SlotKind::Replica, SlotKind::Surge] {
                let slots = group.slots.iter().filter(|slot| slot.kind == kind);
                for (index, slot) in slots.enumerate() {
                    let (slot, nics) = (&slot.name, &slot.nics);
                    let machine = Machine {
                        slot,
                        number: index + 1,
                    };
                    for nic in nics {
                        if let Some(address) = nic.address.as_ref().and_then(|text| text.parse().ok()) {
                            self.machines.entry(&nic.pool).or_default().insert(address, machine);
                        }
                    }
                }
            }
        }
    }

    /// The addresses of a pool that machines are known to hold.
    pub(super) fn held(&self, pool: &PoolReference) -> impl Iterator<Item = IpAddr> + '_ {
        self.machines
            .get(pool)
            .into_iter()
            .flat_map(|machines| machines.keys().copied())
    }

    /// The machine that holds an address of a pool.
    pub(super) fn machine(&self, pool: &PoolReference, address: IpAddr) -> Option<Machine<'p>> {
        self.machines.get(pool)?.get(&address).copied()
    }

    /// The place in the plan of a group's cluster; none for a cluster without static addresses.
    pub(super) fn cluster_of(&self, user: &PoolUser) -> Option<usize> {
        self.clusters
            .get(&(user.cluster.as_deref(), user.namespace.as_deref()))
            .copied()
    }

    /// The cluster at a place in the plan.
    pub(super) fn cluster(&self, index: usize) -> &'p ClusterPlan {
        &self.plan.clusters[index]
    }

    /// The subnets with pools of the cluster at a place in the plan, each with its own place.
    pub(super) fn subnets_of(&self, cluster: usize) -> impl Iterator<Item = (usize, &'p SubnetPlan)> + '_ {
        self.around[cluster]
            .subnets
            .iter()
            .map(|index| (*index, &self.plan.subnets[*index]))
    }

    /// The NICs of the cluster at a place in the plan that DHCP serves.
    pub(super) fn dhcp_of(&self, cluster: usize) -> &[&'p DhcpGroup] {
        &self.around[cluster].dhcp
    }
}
