//! Takes a plan and writes the head of the page: what it is, its figures, what to do with it, and where each cluster stands; computes no address.

use serde_json::Value;

use super::clusters::links;
use super::grid::grid;
use super::lookup::Lookup;
use super::markup::Markup;
use super::names::{cluster_name, endpoint_text};
use super::numbers::{count, counted};
use crate::planning::{AddressPlan, ClusterPlan, SlotKind};

/// Names of clusters in the title.
const NAMED: usize = 3;

/// The title of the page.
pub(super) fn page_title(plan: &AddressPlan) -> String {
    let names: Vec<&str> = plan.clusters.iter().map(cluster_name).collect();
    match names.len() {
        0 => "Address plan".to_owned(),
        1..=NAMED => format!("Address plan: {}", names.join(", ")),
        many => format!("Address plan of {} clusters", count(many as u128)),
    }
}

/// The head of the page.
pub(super) fn head(out: &mut Markup, plan: &AddressPlan, lookup: &Lookup<'_>) {
    out.element("header", &[], |out| {
        out.element("h1", &[], |heading| heading.text(&page_title(plan)));
        out.element("p", &[("class", "lead")], |out| lead(out, plan));
        figures(out, plan);
        if plan.clusters.is_empty() {
            return;
        }
        out.leaf("h2", &[], "What to do with it");
        out.element("ol", &[], |out| {
            out.leaf("li", &[], "Reserve the addresses of the pools: no other device and no DHCP range may use them.");
            out.leaf("li", &[], "Put all addresses of a control plane behind its VIP, not only those of its first machines: an update moves the machines to others of the list.");
            out.leaf("li", &[], "Check gateway, prefix length and DNS servers, and read the findings at the end.");
        });
        if plan.clusters.len() > 1 {
            overview(out, plan, lookup);
        }
    });
    out.line();
}

fn lead(out: &mut Markup, plan: &AddressPlan) {
    if plan.clusters.is_empty() {
        out.text(
            "This document would list the IP addresses that the machines of Kubernetes clusters on vSphere will have. The \
             manifest that it was made from has no machines with addresses of a pool.",
        );
        return;
    }
    let clusters = match &plan.clusters[..] {
        [_] => "a Kubernetes cluster".to_owned(),
        several => format!("{} Kubernetes clusters", count(several.len() as u128)),
    };
    out.text(&format!(
        "This document lists the IP addresses that the virtual machines of {clusters} on vSphere will have, before the \
         machines exist. The addresses come from pools, which are fixed ranges set aside for these machines; where the \
         document says “exact”, it also tells which machine gets which address.",
    ));
}

fn figures(out: &mut Markup, plan: &AddressPlan) {
    let slots = || {
        plan.clusters
            .iter()
            .flat_map(|cluster| &cluster.groups)
            .flat_map(|group| &group.slots)
    };
    let replicas = slots().filter(|slot| slot.kind == SlotKind::Replica).count();
    let surge = slots().filter(|slot| slot.kind == SlotKind::Surge).count();
    let of = |severity: &str| {
        let is = |finding: &&Value| finding.get("severity").and_then(Value::as_str) == Some(severity);
        plan.findings.iter().filter(is).count() as u128
    };
    let subnets = plan.subnets.iter().filter(|subnet| subnet.cidr.is_some()).count();
    let unknown = plan
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.groups)
        .any(|group| group.replicas.is_none());
    let planned = match (replicas, unknown) {
        (0, true) => "number of machines not known".to_owned(),
        (_, true) => counted(replicas as u128, "planned machine", "planned machines") + " and an unknown number",
        (_, false) => counted(replicas as u128, "planned machine", "planned machines"),
    };
    let mut figures = vec![
        counted(plan.clusters.len() as u128, "cluster", "clusters"),
        counted(subnets as u128, "subnet", "subnets"),
        planned,
    ];
    if surge > 0 {
        figures.push(format!("{} more while machines are replaced", count(surge as u128)));
    }
    out.element("ul", &[("class", "figures")], |out| {
        figures.iter().for_each(|figure| out.leaf("li", &[], figure));
        out.element("li", &[], |out| {
            let text = format!(
                "{}, {}",
                counted(of("error"), "error", "errors"),
                counted(of("warning"), "warning", "warnings")
            );
            out.leaf("a", &[("href", "#findings")], &text);
        });
    });
}

fn overview(out: &mut Markup, plan: &AddressPlan, lookup: &Lookup<'_>) {
    out.leaf("h2", &[], "The clusters");
    grid(
        out,
        "clusters of this plan",
        &["Cluster", "Endpoint (VIP)", "Machines", "Subnets"],
        |rows| {
            for (index, cluster) in plan.clusters.iter().enumerate() {
                rows.row(|cells| {
                    cells.cell(|out| {
                        out.element("a", &[("href", &format!("#cluster-{}", index + 1))], |link| {
                            link.code(cluster_name(cluster))
                        });
                    });
                    cells.cell(|out| {
                        if let Some(text) = endpoint_text(cluster) {
                            out.code(&text);
                        }
                    });
                    cells.cell(|out| out.text(&machines(cluster)));
                    cells.cell(|out| links(out, &lookup.subnets_of(index).collect::<Vec<_>>()));
                });
            }
        },
    );
}

/// Replicas of all groups, and whether some are not known.
fn machines(cluster: &ClusterPlan) -> String {
    let known: u64 = cluster
        .groups
        .iter()
        .filter_map(|group| group.replicas)
        .map(u64::from)
        .sum();
    let unknown = cluster.groups.iter().any(|group| group.replicas.is_none());
    match (known, unknown) {
        (0, true) => "not known yet".to_owned(),
        (known, true) => format!("{} and an unknown number", count(known.into())),
        (known, false) => count(known.into()),
    }
}
