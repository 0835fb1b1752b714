//! Takes a member list and gives a whole Keepalived configuration: one VRRP instance for each family, one IPVS service for each virtual service.
//!
//! Only addresses, numbers and paths of checked characters stand in it; comments are single lines.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::f5;
use super::finding::PlanFinding;
use super::member_list::{MemberList, VirtualService};
use crate::addressing::Monitor;
use crate::ipam::Family;

/// VRRP carries at most so many addresses in an advertisement; the others are kept without being advertised.
const ADVERTISED: usize = 20;

const HEAD: &str = "\
# interface, virtual_router_id and priority belong to the hosts: set them before use.
# IPVS with NAT keeps the client's address: the nodes must route their answers through this host.
global_defs {
    router_id capv_ipam
}
";

/// The configuration.
pub(super) fn render(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    let mut vips: Vec<IpAddr> = Vec::new();
    let mut refused = Vec::new();
    for service in &list.services {
        match service.address() {
            Some(vip) => vips.push(vip),
            None => refused.push(f5::host_name(service)),
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    vips.sort_unstable();
    vips.dedup();
    let mut out = HEAD.to_owned();
    for family in [Family::V4, Family::V6] {
        let of_family = vips.iter().copied().filter(|vip| Family::of(*vip) == family);
        instance(&mut out, family, &of_family.collect::<Vec<_>>());
    }
    for service in &list.services {
        virtual_server(&mut out, service);
    }
    Ok(out)
}

fn instance(out: &mut String, family: Family, vips: &[IpAddr]) {
    if vips.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "vrrp_instance control_planes_{} {{\n    state BACKUP\n    interface eth0\n    virtual_router_id 80\n    priority 100\n    \
         advert_int 1\n",
        family.to_string().to_lowercase(),
    );
    let (advertised, others) = vips.split_at(vips.len().min(ADVERTISED));
    for (block, vips) in [
        ("virtual_ipaddress", advertised),
        ("virtual_ipaddress_excluded", others),
    ] {
        if vips.is_empty() {
            continue;
        }
        let lines: String = vips
            .iter()
            .map(|vip| format!("        {vip}/{}\n", family.bits()))
            .collect();
        let _ = write!(out, "    {block} {{\n{lines}    }}\n");
    }
    out.push_str("}\n");
}

fn virtual_server(out: &mut String, service: &VirtualService) {
    let _ = write!(
        out,
        "# {}\nvirtual_server {} {} {{\n    delay_loop 5\n    lb_algo wlc\n    lb_kind NAT\n    protocol TCP\n",
        service.description(),
        service.vip,
        service.port,
    );
    for member in &service.members {
        let _ = write!(
            out,
            "    # {}\n    real_server {} {} {{\n        weight 1\n{}    }}\n",
            member.slot,
            member.address,
            member.port,
            check(&service.monitor),
        );
    }
    out.push_str("}\n");
}

fn check(monitor: &Monitor) -> String {
    const TRIES: &str = "            connect_timeout 5\n            retry 3\n            delay_before_retry 2\n";
    match monitor {
        Monitor::Tcp => format!("        TCP_CHECK {{\n{TRIES}        }}\n"),
        Monitor::Http { tls, path, codes } => {
            let kind = if *tls { "SSL_GET" } else { "HTTP_GET" };
            let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
            format!(
                "        {kind} {{\n            url {{\n                path {path}\n                status_code {}\n            }}\n{TRIES}        \
                 }}\n",
                codes.join(" "),
            )
        }
    }
}
