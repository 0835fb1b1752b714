//! Takes the templates of the machine groups and gives the groups whose NICs DHCP serves, and the subnets or networks that those are in; a network is known by its name only.

use std::collections::BTreeMap;

use super::slots::Planner;
use super::subnet::{DhcpGroup, SubnetPlan};
use crate::addressing::TemplateUse;
use crate::objects::Detail;

/// Every NIC with a DHCP flag and a network, sorted.
pub(super) fn dhcp_groups(planner: &Planner<'_, '_, '_>) -> Vec<DhcpGroup> {
    let mut found = Vec::new();
    for (index, group) in planner.groups.all.iter().enumerate() {
        let TemplateUse::Found(template) = group.template else {
            continue;
        };
        let Detail::Template(template) = &planner.manifest.objects[template].detail else {
            continue;
        };
        for (device, nic) in template.nics.iter().enumerate().filter(|(_, nic)| nic.dhcp) {
            let Some(network) = &nic.network else { continue };
            found.push(DhcpGroup {
                group: planner.user(index),
                device,
                network: network.value.to_string(),
            });
        }
    }
    found.sort();
    found
}

/// Puts each group into the subnets on its network, or under the network's name alone where no pool is on it.
pub(super) fn leave_to_dhcp(subnets: &mut Vec<SubnetPlan>, groups: Vec<DhcpGroup>) {
    let mut on_network: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, subnet) in subnets.iter().enumerate() {
        for network in &subnet.networks {
            on_network.entry(network.clone()).or_default().push(index);
        }
    }
    let mut alone: BTreeMap<String, Vec<DhcpGroup>> = BTreeMap::new();
    for group in groups {
        match on_network.get(&group.network) {
            Some(known) => known.iter().for_each(|index| subnets[*index].dhcp.push(group.clone())),
            None => alone.entry(group.network.clone()).or_default().push(group),
        }
    }
    subnets.extend(alone.into_iter().map(|(network, dhcp)| SubnetPlan {
        networks: vec![network],
        dhcp,
        ..SubnetPlan::default()
    }));
}
