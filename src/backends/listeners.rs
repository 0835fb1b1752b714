//! Refuses services of which two would listen on one socket of a host; takes the list of a balancer that is a host of its own, which knows no route domains.

use std::collections::HashMap;
use std::net::IpAddr;

use super::finding::{About, PlanFinding};
use super::member_list::{MemberList, VirtualService};
use crate::check::codes;
use crate::ipam::Family;

/// The VIP, or every address of a family for a VIP that is known by name only.
type Socket = (Option<IpAddr>, Family, u16);

/// Refuses a list in which two services have one socket: connections would go to either of them.
pub(super) fn apart(list: &MemberList) -> Result<(), Vec<PlanFinding>> {
    let mut taken: HashMap<Socket, &VirtualService> = HashMap::new();
    let mut findings = Vec::new();
    for service in &list.services {
        let socket = (service.address(), service.family(), service.port);
        if let Some(other) = taken.insert(socket, service) {
            findings.push(refusal(other, service));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn refusal(other: &VirtualService, service: &VirtualService) -> PlanFinding {
    let of = |service: &VirtualService| format!("{} of the cluster {}", service.title(), service.cluster);
    let (message, help) = match service.address() {
        None => (
            format!(
                "{} and {} would both listen on port {} of every address, because their VIPs {} and {} are host names",
                of(other),
                of(service),
                service.port,
                other.vip,
                service.vip
            ),
            "write the VIPs' addresses into the endpoints, give one another port, or choose one cluster with --cluster",
        ),
        Some(vip) => (
            format!(
                "{} and {} would both listen on {vip} and port {}; the format knows no route domains",
                of(other),
                of(service),
                service.port
            ),
            "choose one of the clusters with --cluster, and give the other to another balancer",
        ),
    };
    PlanFinding::new(
        &codes::BACKENDS_ADDRESS_TWICE,
        About::Endpoint(service.index),
        message,
        help,
    )
}
