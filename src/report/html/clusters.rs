//! Takes the clusters of a plan and writes for each its endpoint, machine groups, pools and what stays on DHCP; computes no address.

use super::grid::grid;
use super::lookup::Lookup;
use super::markup::Markup;
use super::names::{cluster_name, endpoint_text, title};
use super::numbers::{count, counted};
use super::slots::slots;
use crate::addressing::listed;
use crate::ipam::parse_address;
use crate::objects::is_placeholder;
use crate::planning::{AddressPlan, Certainty, ClusterPlan, GroupPlan, PoolPlan, Size, SubnetPlan, choices};

/// The section with all clusters.
pub(super) fn clusters(out: &mut Markup, plan: &AddressPlan, lookup: &Lookup<'_>) {
    if plan.clusters.is_empty() {
        return;
    }
    out.element("section", &[("id", "clusters")], |out| {
        out.leaf("h2", &[], "Clusters");
        for index in 0..plan.clusters.len() {
            out.element(
                "article",
                &[("class", "cluster"), ("id", &format!("cluster-{}", index + 1))],
                |out| {
                    write(out, plan, index, lookup);
                },
            );
            out.line();
        }
    });
    out.line();
}

fn write(out: &mut Markup, plan: &AddressPlan, index: usize, lookup: &Lookup<'_>) {
    let cluster = lookup.cluster(index);
    out.element("h3", &[], |heading| {
        heading.text("Cluster ");
        heading.code(cluster_name(cluster));
    });
    out.element("dl", &[("class", "facts")], |out| {
        if let Some(namespace) = &cluster.namespace {
            fact(out, "Namespace", |out| out.code(namespace));
        }
        fact(out, "Endpoint (VIP)", |out| endpoint(out, plan, cluster));
        let subnets: Vec<(usize, &SubnetPlan)> = lookup.subnets_of(index).collect();
        if !subnets.is_empty() {
            fact(out, "Subnets", |out| links(out, &subnets));
        }
        let dhcp = lookup.dhcp_of(index);
        if !dhcp.is_empty() {
            let groups = dhcp
                .iter()
                .map(|dhcp| format!("{}/{} on {}", dhcp.group.kind, dhcp.group.name, dhcp.network));
            fact(out, "On DHCP", |out| out.text(&listed(groups)));
        }
    });
    for group in &cluster.groups {
        self::group(out, cluster, group);
    }
    pools(out, cluster);
}

/// Links to subnets.
pub(super) fn links(out: &mut Markup, subnets: &[(usize, &SubnetPlan)]) {
    for (place, (index, subnet)) in subnets.iter().enumerate() {
        out.text(if place > 0 { ", " } else { "" });
        out.element("a", &[("href", &format!("#subnet-{}", index + 1))], |link| {
            link.code(&title(subnet))
        });
    }
}

fn endpoint(out: &mut Markup, plan: &AddressPlan, cluster: &ClusterPlan) {
    let (Some(endpoint), Some(text)) = (&cluster.endpoint, endpoint_text(cluster)) else {
        out.text("not in the manifest");
        return;
    };
    out.code(&text);
    let Ok(address) = parse_address(&endpoint.host) else {
        out.text(match is_placeholder(&endpoint.host) {
            true => ", not known yet: a placeholder in the manifest",
            false => ", a name that DNS must resolve to the load balancer",
        });
        return;
    };
    let holds = |network: crate::ipam::Network| network.contains(address);
    match plan.subnets.iter().find(|subnet| subnet.network().is_some_and(holds)) {
        Some(subnet) => {
            out.text(" in ");
            out.code(&title(subnet));
        }
        None => out.text(", in none of the subnets of this plan; that is normal for a load balancer"),
    }
}

fn group(out: &mut Markup, cluster: &ClusterPlan, group: &GroupPlan) {
    let role = match group.role.as_str() {
        "control-plane" => "Control plane",
        "worker" => "Workers",
        "etcd" => "etcd",
        other => other,
    };
    out.element("h4", &[], |heading| {
        heading.text(role);
        heading.text(": ");
        heading.code(&format!("{}/{}", group.kind, group.name));
    });
    out.element("dl", &[("class", "facts")], |out| {
        fact(out, "Machines", |out| out.text(&machines(group)));
        if let Some(name) = &group.machine_name {
            fact(out, "Their names", |out| out.code(name));
        }
        if !group.template.is_empty() {
            fact(out, "Template", |out| out.code(&group.template));
        }
        fact(out, "All their addresses", |out| {
            let ranges: Vec<String> = choices(cluster, group)
                .into_iter()
                .flat_map(|(_, ranges)| ranges)
                .collect();
            match ranges.is_empty() {
                true => out.text("not known"),
                false => out.ranges(&ranges),
            }
        });
    });
    out.element("p", &[], |out| certainty(out, group));
    slots(out, cluster, group, |out, name, value| {
        fact(out, name, |out| out.code(value))
    });
}

fn machines(group: &GroupPlan) -> String {
    match (group.replicas, group.surge) {
        (Some(replicas), Some(0)) => count(replicas.into()),
        (Some(replicas), Some(surge)) => {
            let replicas = counted(replicas.into(), "machine", "machines");
            format!(
                "{replicas}, and {} more while machines are replaced",
                count(surge.into())
            )
        }
        (Some(replicas), None) => format!(
            "{}; how many more while machines are replaced is not known",
            count(replicas.into())
        ),
        (None, _) => "not known yet: the number is a placeholder in the manifest".to_owned(),
    }
}

fn certainty(out: &mut Markup, group: &GroupPlan) {
    match group.certainty {
        Certainty::Exact => {
            out.leaf("strong", &[], "Exact.");
            out.text(
                " Machine 1 is the first that is created, machine 2 the second, and so on: one is made at a time, and takes the \
                 lowest free address of a pool that no other group uses. When machines are replaced they move to other addresses \
                 of the same list, so a load balancer needs all of them.",
            );
        }
        Certainty::Set => {
            out.leaf("strong", &[], "A set.");
            out.text(" Every machine gets one of the addresses; which one is not known");
            match &group.why {
                Some(why) => out.text(&format!(": {why}.")),
                None => out.text("."),
            }
        }
    }
}

fn pools(out: &mut Markup, cluster: &ClusterPlan) {
    if cluster.pools.is_empty() {
        return;
    }
    out.leaf("h4", &[], "Pools");
    let titles = ["Pool", "Addresses", "Size", "Needed", "Free", "Verdict"];
    grid(out, "pools and their use", &titles, |rows| {
        for pool in &cluster.pools {
            rows.row(|cells| {
                cells.cell(|out| {
                    out.code(&pool.pool.name);
                    out.text(&format!(" ({})", pool.pool.kind));
                });
                cells.cell(|out| out.ranges(&pool.addresses));
                cells.cell(|out| out.text(&pool.size.as_ref().map(number).unwrap_or_default()));
                cells.cell(|out| out.text(&pool.needed.map(|needed| count(needed.into())).unwrap_or_default()));
                cells.cell(|out| out.text(&pool.free.as_ref().map(number).unwrap_or_default()));
                cells.cell(|out| out.text(&verdict(pool)));
            });
        }
    });
}

/// A number of addresses as people read it.
pub(super) fn number(size: &Size) -> String {
    match size {
        Size::Number(number) => count((*number).into()),
        Size::Text(text) => text.parse().map_or_else(|_| text.clone(), count),
    }
}

fn verdict(pool: &PoolPlan) -> String {
    let (Some(size), Some(needed)) = (&pool.size, pool.needed) else {
        return match pool.size {
            None => "not in the manifest".to_owned(),
            Some(_) => "not known: a number of machines is not known".to_owned(),
        };
    };
    let size = match size {
        Size::Number(number) => u128::from(*number),
        Size::Text(text) => text.parse().unwrap_or(u128::MAX),
    };
    match size.checked_sub(needed.into()) {
        None => format!("too small by {}", count(u128::from(needed) - size)),
        Some(0) => "enough, nothing spare".to_owned(),
        Some(_) => "enough".to_owned(),
    }
}

/// A name and its value in a list of facts.
pub(super) fn fact(out: &mut Markup, name: &str, value: impl FnOnce(&mut Markup)) {
    out.element("div", &[], |out| {
        out.leaf("dt", &[], name);
        out.element("dd", &[], value);
    });
}
