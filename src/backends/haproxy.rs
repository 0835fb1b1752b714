//! Takes a member list and gives a whole HAProxy configuration: one frontend and one backend for each service, TLS passed through.
//!
//! Names hold letters, digits, `-`, `_`, `.` and `:` only, which is HAProxy's rule for them; comments are single lines.

use std::fmt::Write as _;

use super::finding::PlanFinding;
use super::member_list::{MemberList, Vip, VirtualService, socket};
use super::names;
use crate::addressing::Monitor;
use crate::ipam::Family;

/// `kubectl logs -f` and watches may be silent for hours. A connection that a member refuses goes to another one: until
/// the first probe, and between two of them, a member that is not there counts as up.
const HEAD: &str = "\
global
    log stdout format raw local0 info

defaults
    mode tcp
    log global
    option tcplog
    option redispatch 1
    timeout connect 5s
    timeout client 4h
    timeout server 4h
    timeout check 5s
";

/// The configuration.
pub(super) fn render(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    names::unique(list, "name", name)?;
    let mut out = HEAD.to_owned();
    for service in &list.services {
        let name = name(service);
        let _ = write!(
            out,
            "\nfrontend {name}\n    bind {}\n    default_backend {name}\n\nbackend {name}\n    balance leastconn\n",
            bind(service),
        );
        checks(&mut out, service);
        let _ = writeln!(out, "    # {}", service.description());
        for member in &service.members {
            let _ = writeln!(
                out,
                "    server {}-{} {}",
                service.cluster,
                member.place(),
                member.socket()
            );
        }
    }
    Ok(out)
}

fn name(service: &VirtualService) -> String {
    names::service(service, names::OBJECT)
}

/// Where the frontend listens; every address of the host's for a VIP that is only known by name.
fn bind(service: &VirtualService) -> String {
    match (&service.vip, service.family()) {
        (Vip::Address(address), _) => socket(*address, service.port),
        (Vip::Host(host), Family::V4) => format!(":{}  # {host}", service.port),
        (Vip::Host(host), Family::V6) => format!("[::]:{} v6only  # {host}", service.port),
    }
}

/// The status line decides: the body of a sick server says "ok" too.
fn checks(out: &mut String, service: &VirtualService) {
    let Monitor::Http { tls, path, codes } = &service.monitor else {
        out.push_str("    default-server check inter 5s fall 3 rise 2 on-marked-down shutdown-sessions\n");
        return;
    };
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    let tls = if *tls { " check-ssl verify none" } else { "" };
    let _ = write!(
        out,
        "    option httpchk\n    http-check send meth GET uri {path} ver HTTP/1.1 hdr Host {host}\n    http-check expect status \
         {codes}\n    default-server check{tls} inter 5s fall 3 rise 2 on-marked-down shutdown-sessions\n",
        host = service.title(),
        codes = codes.join(","),
    );
}
