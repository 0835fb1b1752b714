//! Takes a cluster's endpoint and the networks of its nodes, and gives the VIP, or why it cannot be one; never looks at members.

use std::net::IpAddr;

use super::finding::{About, PlanFinding};
use super::member_list::Vip;
use crate::check::codes;
use crate::ipam::{AddressRange, Network, parse_address};
use crate::objects::is_placeholder;
use crate::planning::ClusterPlan;

/// The VIP of a cluster.
pub(super) fn vip(index: usize, cluster: &ClusterPlan) -> Result<Vip, PlanFinding> {
    let name = cluster.name.as_deref().unwrap_or_default();
    let unknown = |message: String, help: &str| {
        PlanFinding::new(&codes::BACKENDS_ENDPOINT_UNKNOWN, About::Endpoint(index), message, help).on(cluster)
    };
    let Some(endpoint) = &cluster.endpoint else {
        let help = "set spec.controlPlaneEndpoint.host on the VSphereCluster to the load balancer's address";
        return Err(unknown(format!("the cluster {name} has no endpoint"), help));
    };
    let host = &endpoint.host;
    if is_placeholder(host) {
        let help = "substitute variables first, with envsubst or clusterctl";
        return Err(unknown(format!("the endpoint of the cluster {name} is {host}"), help));
    }
    if let Some(port) = &endpoint.no_port {
        let help = "write 1 to 65535; the API server's is 6443";
        return Err(unknown(
            format!("the endpoint of the cluster {name} has the port {port}, which is none"),
            help,
        ));
    }
    let Ok(address) = parse_address(host) else {
        if is_host_name(host) {
            return Ok(Vip::Host(host.to_ascii_lowercase()));
        }
        let message = format!("the endpoint of the cluster {name} is {host:?}, neither an address nor a host name");
        return Err(unknown(message, "write the load balancer's address"));
    };
    usable(index, cluster, address)?;
    Ok(Vip::Address(address))
}

fn usable(index: usize, cluster: &ClusterPlan, address: IpAddr) -> Result<(), PlanFinding> {
    let about = About::Endpoint(index);
    let name = cluster.name.as_deref().unwrap_or_default();
    if let Some(what) = no_vip(address) {
        let message = format!("the endpoint of the cluster {name} is {address}, which {what}");
        let help = "write the load balancer's address";
        return Err(PlanFinding::new(&codes::BACKENDS_ENDPOINT_UNUSABLE, about, message, help).on(cluster));
    }
    for nic in cluster
        .groups
        .iter()
        .flat_map(|group| &group.slots)
        .flat_map(|slot| &slot.nics)
    {
        let gateway = nic.gateway.as_deref().and_then(|text| parse_address(text).ok());
        let inside = gateway.or_else(|| nic.address.as_deref().and_then(|text| parse_address(text).ok()));
        let prefix = nic.prefix.and_then(|prefix| u8::try_from(prefix).ok());
        let network = inside
            .zip(prefix)
            .and_then(|(inside, prefix)| Network::new(inside, prefix).ok());
        let server = |text: &String| parse_address(text) == Ok(address);
        let what = if gateway == Some(address) {
            "the gateway"
        } else if network.and_then(Network::anycast) == Some(address) {
            "the network address"
        } else if network.and_then(Network::broadcast) == Some(address) {
            "the broadcast address"
        } else if nic.dns_servers.iter().any(server) {
            "a name server"
        } else {
            continue;
        };
        let message = format!("the endpoint {address} of the cluster {name} is {what} of its nodes");
        let help = "give the endpoint an address of its own";
        return Err(PlanFinding::new(&codes::BACKENDS_ENDPOINT_UNUSABLE, about, message, help).on(cluster));
    }
    let holds = |text: &String| text.parse::<AddressRange>().is_ok_and(|range| range.contains(address));
    let pool = cluster.pools.iter().find(|pool| pool.addresses.iter().any(holds));
    let group = cluster.groups.iter().find(|group| group.addresses.iter().any(holds));
    let holder = pool.map(|pool| format!("the pool {}", pool.pool.name));
    let holder = holder.or_else(|| group.map(|group| format!("the addresses of {}/{}", group.kind, group.name)));
    match holder {
        Some(holder) => {
            let message = format!("the endpoint {address} of the cluster {name} lies inside {holder}");
            let help = "leave the endpoint out of the pool: a node would get it as its own address";
            Err(PlanFinding::new(&codes::BACKENDS_ENDPOINT_IN_POOL, about, message, help).on(cluster))
        }
        None => Ok(()),
    }
}

/// Why an address can never be a VIP (RFC 6890).
fn no_vip(address: IpAddr) -> Option<&'static str> {
    let this_network = matches!(address, IpAddr::V4(four) if four.octets()[0] == 0);
    let broadcast = matches!(address, IpAddr::V4(four) if four.is_broadcast());
    let link_local = match address {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => six.is_unicast_link_local(),
    };
    if address.is_unspecified() || this_network || address.is_multicast() || broadcast {
        Some("is no host's address")
    } else if address.is_loopback() {
        Some("every host has for itself alone")
    } else if link_local {
        Some("holds within one link only")
    } else {
        None
    }
}

/// RFC 1123: labels of letters, digits and hyphens, joined by dots. The last label is not all digits, or it would be a
/// wrong address.
fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let last = text.rsplit('.').next().unwrap_or(text);
    text.len() <= 253 && text.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_hold_nothing_that_a_target_could_run() {
        for text in ["api.demo.example", "API.demo.example.", "localhost", "a1", "1a.example"] {
            assert!(is_host_name(text), "{text}");
        }
        for text in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "a b",
            "$(id)",
            "a;b",
            "a{b",
            "[2001:db8::1]",
            "192.0.2.999",
            "fe80::1%eth0",
            "a\n",
        ] {
            assert!(!is_host_name(text), "{text}");
        }
    }
}
