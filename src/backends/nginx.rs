//! Takes a member list and gives a whole NGINX configuration with stream servers, TLS passed through; says in it that NGINX OSS does not probe.
//!
//! Names hold letters, digits, `-`, `_` and `.` only; comments are single lines.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::finding::PlanFinding;
use super::member_list::{MemberKind, MemberList, Vip, VirtualService, socket};
use super::names;
use crate::ipam::Family;

const HEAD: &str = "\
# NGINX OSS has no active health checks: a member leaves only after failed connections.
load_module modules/ngx_stream_module.so;
worker_processes auto;
error_log stderr;
events {
    worker_connections 4096;
}
stream {
";

/// The configuration.
pub(super) fn render(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    names::unique(list, "name", name)?;
    let mut ports: HashMap<(u16, Family), usize> = HashMap::new();
    for service in &list.services {
        *ports.entry((service.port, service.family())).or_default() += 1;
    }
    let mut out = HEAD.to_owned();
    for service in &list.services {
        let name = name(service);
        let _ = writeln!(out, "    upstream {name} {{\n        least_conn;");
        for member in &service.members {
            let note = match member.kind {
                MemberKind::Replica | MemberKind::Surge => "",
                MemberKind::Pool => " pool address",
            };
            let _ = writeln!(
                out,
                "        server {} max_fails=3 fail_timeout=10s; # {}{note}",
                member.socket(),
                member.slot
            );
        }
        let alone = ports[&(service.port, service.family())] == 1;
        let _ = write!(
            out,
            "    }}\n    server {{\n        {}\n        proxy_pass {name};\n        proxy_connect_timeout 5s;\n        proxy_timeout \
             4h;\n    }}\n",
            listen(service, alone),
        );
    }
    out.push_str("}\n");
    Ok(out)
}

fn name(service: &VirtualService) -> String {
    names::service(service, names::OBJECT)
}

/// NGINX refuses to start on an address that the host does not hold, so a port's only service listens on all addresses.
fn listen(service: &VirtualService, alone: bool) -> String {
    let every = match service.family() {
        Family::V4 => format!("listen {};", service.port),
        Family::V6 => format!("listen [::]:{} ipv6only=on;", service.port),
    };
    match &service.vip {
        Vip::Address(address) if alone => {
            let own = socket(*address, service.port);
            format!("# every address of the host; use {own} where the host holds the VIP\n        {every}")
        }
        Vip::Address(address) => {
            let only = if address.is_ipv6() { " ipv6only=on" } else { "" };
            format!(
                "# the host must hold the VIP, or have ip_nonlocal_bind\n        listen {}{only};",
                socket(*address, service.port)
            )
        }
        Vip::Host(host) => format!("# every address of the host, which holds the VIP {host}\n        {every}"),
    }
}
