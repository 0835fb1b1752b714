//! How addresses, nodes, members, objects and monitors are spelled on a BIG-IP, whatever tool writes them; knows no tool's syntax.
//!
//! `%ID` of a route domain follows every address. The port follows a dot where the node's name holds a colon, else a
//! colon. Nodes stand in `/Common`, because one address is one node for all partitions of a route domain.

use std::collections::HashMap;
use std::net::IpAddr;

use super::finding::{About, PlanFinding};
use super::member_list::{Member, MemberList, VirtualService};
use super::names;
use crate::addressing::{Monitor, is_object_name};
use crate::check::codes;
use crate::ipam::Family;

/// Where nodes stand.
pub(super) const NODES: &str = "Common";
/// Seconds between two probes.
pub(super) const INTERVAL: u16 = 5;
/// Seconds without a right answer until a member is down: three probes and one second.
pub(super) const TIMEOUT: u16 = 16;
/// The method: watches live long, so the number of connections tells more than a turn.
pub(super) const METHOD: &str = "least-connections-member";

/// An address with its route domain.
pub(super) fn address(address: IpAddr, route_domain: u16) -> String {
    match route_domain {
        0 => address.to_string(),
        id => format!("{address}%{id}"),
    }
}

/// A member's address with its route domain.
pub(super) fn member_address(service: &VirtualService, member: &Member) -> String {
    address(member.address, service.route_domain)
}

/// The name of a member's node.
pub(super) fn node(service: &VirtualService, member: &Member) -> String {
    if service.node_name.is_address() {
        return member_address(service, member);
    }
    service
        .node_name
        .of(&member.address.to_string(), &service.cluster, &member.place())
}

/// The full name of a member's node.
pub(super) fn node_path(service: &VirtualService, member: &Member) -> String {
    format!("/{NODES}/{}", node(service, member))
}

/// The name of a pool member: its node and port.
pub(super) fn member(service: &VirtualService, member: &Member) -> String {
    let node = node(service, member);
    let separator = if node.contains(':') { '.' } else { ':' };
    format!("{node}{separator}{}", member.port)
}

/// The destination of a virtual server, without its partition.
pub(super) fn destination(vip: IpAddr, service: &VirtualService) -> String {
    let separator = if vip.is_ipv6() { '.' } else { ':' };
    format!("{}{separator}{}", address(vip, service.route_domain), service.port)
}

/// The mask of a virtual server for one address.
pub(super) fn mask(vip: IpAddr) -> &'static str {
    match Family::of(vip) {
        Family::V4 => "255.255.255.255",
        Family::V6 => "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    }
}

/// The sources that a virtual server serves: all of its family.
pub(super) fn source(vip: IpAddr, service: &VirtualService) -> String {
    let any: IpAddr = match Family::of(vip) {
        Family::V4 => std::net::Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    format!("{}/0", address(any, service.route_domain))
}

/// The full name of a service's object of a kind: `mon`, `pool` or `vs`.
pub(super) fn path(service: &VirtualService, kind: &str) -> String {
    format!("/{}/{}", service.partition, names::object(service, kind))
}

/// What a monitor sends and expects.
pub(super) struct Probe<'s> {
    /// `https` or `http`.
    pub(super) kind: &'static str,
    /// The path.
    pub(super) uri: &'s str,
    /// The request with `\r\n` written as a backslash and a letter.
    pub(super) send: String,
    /// The status line: a body may say "ok" while the server is sick.
    pub(super) receive: String,
}

/// The probe of a service's own monitor; `None` where the built-in `/Common/tcp` serves.
pub(super) fn probe(service: &VirtualService) -> Option<Probe<'_>> {
    let Monitor::Http { tls, path, codes } = &service.monitor else {
        return None;
    };
    let host = service.title();
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    let codes = match &codes[..] {
        [one] => one.clone(),
        several => format!("({})", several.join("|")),
    };
    Some(Probe {
        kind: if *tls { "https" } else { "http" },
        uri: path,
        send: format!(r"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bigip-monitor\r\nConnection: close\r\n\r\n"),
        receive: format!("HTTP/1.1 {codes}"),
    })
}

/// The full name of the monitor that a service's pool uses.
pub(super) fn monitor(service: &VirtualService) -> String {
    match service.monitor {
        Monitor::Tcp => "/Common/tcp".to_owned(),
        Monitor::Http { .. } => path(service, "mon"),
    }
}

/// The VIP's address.
///
/// # Errors
/// A host name, which no F5 object takes.
pub(super) fn vip(service: &VirtualService) -> Result<IpAddr, PlanFinding> {
    service.address().ok_or_else(|| host_name(service))
}

/// The refusal of a host name.
pub(super) fn host_name(service: &VirtualService) -> PlanFinding {
    let message = format!(
        "the endpoint of the cluster {} is the host name {}",
        service.cluster, service.vip
    );
    let help = "write the VIP's address into the endpoint, or use haproxy, nginx, table, list, csv or json";
    PlanFinding::new(
        &codes::BACKENDS_HOST_NAME,
        About::Endpoint(service.index),
        message,
        help,
    )
}

/// Refuses what no F5 tool could load: host names, object names that collide, node names that are none or collide.
pub(super) fn check(list: &MemberList) -> Result<(), Vec<PlanFinding>> {
    let mut findings: Vec<PlanFinding> = list.services.iter().filter_map(|service| vip(service).err()).collect();
    findings.extend(
        names::unique(list, "name", |service| path(service, "pool"))
            .err()
            .into_iter()
            .flatten(),
    );
    let (mut nodes, mut called) = (HashMap::new(), HashMap::new());
    for service in list.services.iter().filter(|service| !service.node_name.is_address()) {
        for member in &service.members {
            let name = node(service, member);
            let about = About::Cluster(service.index);
            if !is_object_name(&name) {
                let message = format!("the node of {} would be called {name:?}", member.address);
                let help = "a node's name begins with a letter, holds letters, digits, _ . and -, and has at most 63 characters";
                findings.push(PlanFinding::new(&codes::BACKENDS_NAME, about, message, help));
                continue;
            }
            let here = member_address(service, member);
            if let Some(other) = nodes.insert(name.clone(), here.clone()).filter(|other| *other != here) {
                let message = format!("the nodes of {other} and {here} would both be called {name}");
                let help = "put {cluster} and {slot}, or {address}, into `nodeName`";
                findings.push(PlanFinding::new(&codes::BACKENDS_NAMES_COLLIDE, about, message, help));
            }
            if let Some(other) = called.insert(here.clone(), name.clone()).filter(|other| *other != name) {
                let message = format!("the node of {here} would be called both {other} and {name}");
                let help = "leave {slot} out of `nodeName`: groups that share a pool have no slots of their own in it";
                findings.push(PlanFinding::new(&codes::BACKENDS_NAMES_COLLIDE, about, message, help));
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}
