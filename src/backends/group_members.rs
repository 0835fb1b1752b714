//! Takes one machine group of a plan and gives its addresses as members: which NIC, which of the addresses, and what each is for; refuses what the plan does not know.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::finding::{About, PlanFinding};
use super::member_list::{Member, MemberKind};
use crate::addressing::{Balancer, Members};
use crate::check::{Code, codes};
use crate::ipam::{AddressRange, AddressSet, Family, parse_address};
use crate::planning::{Certainty, ClusterPlan, GroupPlan, NicPlan, SlotKind, slot_base};

/// The most members of a group. Beyond it a list is surely not what was meant, and every member is probed every 5 s.
const MOST: u128 = 1024;

/// What the members of a group are made from.
pub(super) struct GroupOf<'p> {
    /// The cluster and its index in the plan.
    pub(super) cluster: (usize, &'p ClusterPlan),
    /// The group and its index in the cluster.
    pub(super) group: (usize, &'p GroupPlan),
    /// The VIP's family; `None` for a host name.
    pub(super) family: Option<Family>,
    /// The members' port.
    pub(super) port: u16,
}

/// The NIC whose addresses are members, as an index of each slot's NICs; `None` while there are no slots.
type ChosenNic = Option<usize>;

impl GroupOf<'_> {
    /// The members: replicas by slot, surge, then others by address.
    pub(super) fn members(&self, balancer: &Balancer) -> Result<Vec<Member>, PlanFinding> {
        let (_, group) = self.group;
        let name = format!("{}/{}", group.kind, group.name);
        if group.slots.is_empty()
            && (group.replicas.is_none() || group.surge.is_none())
            && balancer.members != Members::Pool
        {
            let message = format!("how many machines {name} has is not known");
            let help = "substitute variables first, or use `members: pool`";
            return Err(self.refuse(&codes::BACKENDS_UNKNOWN_SIZE, message, help));
        }
        let nic = self.nic(balancer)?;
        let replicas = self.replicas(nic);
        let exact = replicas.iter().map(|(_, address)| *address);
        let wanted = match balancer.members {
            Members::Replicas => {
                if group.certainty != Certainty::Exact || replicas.len() != group.replicas.unwrap_or(0) as usize {
                    let why = group
                        .why
                        .as_deref()
                        .unwrap_or("the plan gives no address for each replica");
                    let message = format!("which addresses the replicas of {name} get is not known: {why}");
                    let help = "use `members: surge` or `members: pool`, which list every address that they can get";
                    return Err(self.refuse(&codes::BACKENDS_NOT_EXACT, message, help));
                }
                exact.collect()
            }
            Members::Surge => self.listed(&self.group_set(nic)?)?,
            Members::Pool => self.listed(&self.pool_set(nic)?)?,
        };
        if wanted.is_empty() {
            let message = match self.family {
                Some(family) if !group.addresses.is_empty() => {
                    return Err(self.refuse(
                        &codes::BACKENDS_FAMILIES,
                        format!("the VIP is {family}, and {name} has no {family} address"),
                        "give the nodes addresses of the VIP's family",
                    ));
                }
                _ => format!(
                    "the addresses of {name} are not known: {}",
                    group.why.as_deref().unwrap_or("it has none")
                ),
            };
            let help = "give the manifest that holds the pool as well";
            return Err(self.refuse(&codes::BACKENDS_UNKNOWN_SIZE, message, help));
        }
        Ok(self.sorted(nic, &replicas, wanted))
    }

    /// The NIC that fits the VIP and the wanted network.
    fn nic(&self, balancer: &Balancer) -> Result<ChosenNic, PlanFinding> {
        let (_, group) = self.group;
        let Some(slot) = group.slots.first() else {
            return Ok(None);
        };
        let on_network = |nic: &NicPlan| {
            let wanted = balancer.members_network.as_deref();
            wanted.is_none_or(|wanted| nic.network.as_deref() == Some(wanted))
        };
        let of_family = |nic: &NicPlan| {
            let family = nic.family.as_deref();
            self.family
                .is_none_or(|wanted| family.is_none_or(|family| family == wanted.to_string()))
        };
        let fits: Vec<usize> = (0..slot.nics.len())
            .filter(|nic| on_network(&slot.nics[*nic]))
            .collect();
        let networks: BTreeSet<&str> = slot.nics.iter().filter_map(|nic| nic.network.as_deref()).collect();
        let networks: Vec<&str> = networks.into_iter().collect();
        let name = format!("{}/{}", group.kind, group.name);
        if fits.is_empty() {
            let wanted = balancer.members_network.as_deref().unwrap_or_default();
            let message = format!("{name} has no static NIC on the network {wanted:?}");
            let help = format!("set `membersNetwork` to one of {}", networks.join(", "));
            return Err(self.refuse(&codes::BACKENDS_NETWORK_CHOICE, message, help));
        }
        let fits: Vec<usize> = fits.into_iter().filter(|nic| of_family(&slot.nics[*nic])).collect();
        match fits[..] {
            [one] => Ok(Some(one)),
            [] => {
                let family = self.family.map(|family| family.to_string()).unwrap_or_default();
                let message = format!("the VIP is {family}, and {name} has no {family} address there");
                let help = "give the nodes addresses of the VIP's family";
                Err(self.refuse(&codes::BACKENDS_FAMILIES, message, help))
            }
            _ => {
                let families: BTreeSet<Option<&str>> =
                    fits.iter().map(|nic| slot.nics[*nic].family.as_deref()).collect();
                if families.len() > 1 {
                    let message = format!("{name} has IPv4 and IPv6 addresses, and the VIP is a host name");
                    let help = "write the VIP's address into the endpoint, or set `membersNetwork`";
                    return Err(self.refuse(&codes::BACKENDS_FAMILIES, message, help));
                }
                let message = format!("{} NICs of {name} could be members", fits.len());
                let help = format!("set `membersNetwork` to one of {}", networks.join(", "));
                Err(self.refuse(&codes::BACKENDS_NETWORK_CHOICE, message, help))
            }
        }
    }

    /// The exact addresses of the replicas on the chosen NIC.
    fn replicas(&self, nic: ChosenNic) -> Vec<(String, IpAddr)> {
        let (_, group) = self.group;
        let slots = group.slots.iter().filter(|slot| slot.kind == SlotKind::Replica);
        let exact = slots.filter_map(|slot| {
            let address = slot.nics.get(nic?)?.address.as_deref()?;
            Some((slot.name.clone(), parse_address(address).ok()?))
        });
        exact.collect()
    }

    /// Every address that replicas and surge can hold on the chosen NIC.
    fn group_set(&self, nic: ChosenNic) -> Result<AddressSet, PlanFinding> {
        let (_, group) = self.group;
        let all = self.set(&group.addresses)?;
        let pools: BTreeSet<_> = group
            .slots
            .iter()
            .flat_map(|slot| &slot.nics)
            .map(|nic| &nic.pool)
            .collect();
        if pools.len() < 2 || nic.is_none() {
            return Ok(all);
        }
        Ok(all.intersection(&self.pool_set(nic)?))
    }

    /// The whole pool of the chosen NIC.
    fn pool_set(&self, nic: ChosenNic) -> Result<AddressSet, PlanFinding> {
        let ((_, cluster), (_, group)) = (self.cluster, self.group);
        let Some(nic) = nic.and_then(|nic| group.slots.first()?.nics.get(nic)) else {
            // The plan lists whole pools while it does not know the group's size.
            return self.set(&group.addresses);
        };
        let pool = cluster.pools.iter().find(|pool| pool.pool == nic.pool);
        let addresses = pool
            .map(|pool| &pool.addresses)
            .filter(|addresses| !addresses.is_empty());
        let Some(addresses) = addresses else {
            let message = format!("the plan does not say which addresses the pool {} holds", nic.pool.name);
            let help = "give the manifest that holds the pool, and make the plan anew";
            return Err(self.refuse(&codes::BACKENDS_UNKNOWN_SIZE, message, help));
        };
        self.set(addresses)
    }

    /// The addresses of the VIP's family.
    fn set(&self, texts: &[String]) -> Result<AddressSet, PlanFinding> {
        let mut set = AddressSet::new();
        let mut families = BTreeSet::new();
        for text in texts {
            let Ok(range) = text.parse::<AddressRange>() else {
                let message = format!("{text:?} in the plan is no address");
                return Err(self.refuse(&codes::BACKENDS_UNKNOWN_SIZE, message, "make the plan anew"));
            };
            if self.family.is_none_or(|family| family == range.family()) {
                families.insert(range.family());
                set.insert(range);
            }
        }
        if families.len() > 1 && self.group.1.slots.is_empty() {
            let message = format!(
                "{}/{} has IPv4 and IPv6 addresses, and the VIP is a host name",
                self.group.1.kind, self.group.1.name
            );
            return Err(self.refuse(
                &codes::BACKENDS_FAMILIES,
                message,
                "write the VIP's address into the endpoint",
            ));
        }
        Ok(set)
    }

    fn listed(&self, set: &AddressSet) -> Result<Vec<IpAddr>, PlanFinding> {
        if set.size() > MOST {
            let (_, group) = self.group;
            let message = format!(
                "{}/{} can hold {} addresses; at most {MOST} become members",
                group.kind,
                group.name,
                set.size()
            );
            return Err(self.refuse(
                &codes::BACKENDS_UNKNOWN_SIZE,
                message,
                "make the pool smaller, or use `members: surge`",
            ));
        }
        Ok(set.ranges().flat_map(|range| range.iter()).collect())
    }

    /// Replicas first; what is left is surge when there are exactly as many as surge slots.
    fn sorted(&self, nic: ChosenNic, replicas: &[(String, IpAddr)], wanted: Vec<IpAddr>) -> Vec<Member> {
        let ((_, cluster), (_, group)) = (self.cluster, self.group);
        let member = |address, slot: &str, kind| Member {
            address,
            port: self.port,
            slot: slot.to_owned(),
            kind,
        };
        let taken: BTreeSet<IpAddr> = replicas.iter().map(|(_, address)| *address).collect();
        let mut members: Vec<Member> = replicas
            .iter()
            .filter(|(_, address)| wanted.contains(address))
            .map(|(slot, address)| member(*address, slot, MemberKind::Replica))
            .collect();
        let base = slot_base(&group.name, &group.role, cluster.name.as_deref());
        let surge = self.surge_addresses(nic, &taken);
        for address in wanted.into_iter().filter(|address| !taken.contains(address)) {
            members.push(match surge.iter().position(|surge| *surge == address) {
                Some(place) => member(address, &format!("{base}-surge-{}", place + 1), MemberKind::Surge),
                None => member(address, base, MemberKind::Pool),
            });
        }
        members
    }

    /// The addresses of the surge slots: those of the group that no replica begins with, when there are as many as slots.
    fn surge_addresses(&self, nic: ChosenNic, taken: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
        let (_, group) = self.group;
        let set = self.group_set(nic).and_then(|set| self.listed(&set));
        let rest = set
            .unwrap_or_default()
            .into_iter()
            .filter(|address| !taken.contains(address));
        let rest: Vec<IpAddr> = rest.collect();
        let exact = group.certainty == Certainty::Exact && Some(rest.len()) == group.surge.map(|surge| surge as usize);
        if exact { rest } else { Vec::new() }
    }

    fn refuse(&self, code: &'static Code, message: String, help: impl Into<String>) -> PlanFinding {
        let ((cluster_index, cluster), (index, _)) = (self.cluster, self.group);
        PlanFinding::new(code, About::Group(cluster_index, index), message, help).on(cluster)
    }
}
