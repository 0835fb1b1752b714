//! Takes the control-plane endpoints and finds those that a node, a router or another cluster has too, and those that are none; looks up addresses, never scans them.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::codes;
use super::finding::Finding;
use super::model::{Endpoint, JudgedPool, Model, Role, Special};
use crate::objects::{Detail, is_placeholder};

/// Findings about endpoints.
pub(super) fn endpoints(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let inside = inside_pools(model);
    for (index, endpoint) in model.endpoints.iter().enumerate() {
        let concerned = !endpoint.live && model.concerns_cluster(endpoint.cluster);
        if concerned {
            findings.extend(no_address(model, endpoint));
            findings.extend(no_port(endpoint));
        }
        if let Some((pool, entry)) = inside.get(&index) {
            let pool = &model.pools[*pool];
            if concerned || model.concerns_pool(pool) {
                findings.push(in_pool(model, endpoint, pool, *entry));
            }
        }
        findings.extend(
            endpoint
                .address
                .filter(|_| concerned)
                .and_then(|address| reserved(model, endpoint, address)),
        );
    }
    shared(model, findings);
    missing(model, findings);
}

fn at(endpoint: &Endpoint, code: &'static super::Code, message: String, help: &str) -> Finding {
    Finding {
        place: Some(endpoint.place),
        ..Finding::new(code, message).on(&endpoint.object).help(help)
    }
}

/// A host that no node can join through.
fn no_address(model: &Model<'_, '_>, endpoint: &Endpoint) -> Option<Finding> {
    if endpoint.address.is_some() {
        return None;
    }
    let (host, object) = (&endpoint.host, &endpoint.object);
    if is_placeholder(host) {
        if model.pools.is_empty() {
            return None;
        }
        let message = format!("the endpoint of {object} is {host}; whether a pool holds it is not known");
        let help = "check the manifest once more after the substitution";
        return Some(at(endpoint, &codes::UNKNOWN_UNTIL_SUBSTITUTED, message, help));
    }
    let problem = host_problem(host)?;
    let message = format!("the endpoint {host:?} of {object} {problem}");
    let help = "write the load balancer's address or name alone";
    Some(at(endpoint, &codes::ENDPOINT_INVALID, message, help))
}

/// A port that no server can listen on.
fn no_port(endpoint: &Endpoint) -> Option<Finding> {
    let (port, place) = endpoint.no_port.as_ref()?;
    let message = format!("the endpoint of {} has the port {port}, which is none", endpoint.object);
    let help = "write 1 to 65535; the API server's is 6443";
    Some(Finding {
        place: Some(*place),
        ..at(endpoint, &codes::ENDPOINT_INVALID, message, help)
    })
}

/// Why a text is no host name (RFC 1123; a last label of digits would be an address, RFC 3696).
fn host_problem(host: &str) -> Option<&'static str> {
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let legal = |label: &&str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    let filler = |label: &&str| label.bytes().all(|byte| matches!(byte, b'x' | b'X'));
    if host.contains("://") {
        Some("is a URL, not a host")
    } else if host.contains('/') {
        Some("has a prefix length")
    } else if host
        .split_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        Some("has a port; that belongs to `port`")
    } else if labels.len() == 4 && labels.iter().any(filler) {
        Some("is a placeholder")
    } else if host.len() > 253 || !labels.iter().all(legal) {
        Some("is no IP address and no host name")
    } else if labels
        .last()
        .is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
    {
        Some("is no IP address")
    } else {
        None
    }
}

/// The first pool that gives out each endpoint, with its entry, by the endpoint's index.
fn inside_pools(model: &Model<'_, '_>) -> HashMap<usize, (usize, usize)> {
    let mut hosts: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    for (index, endpoint) in model.endpoints.iter().enumerate() {
        if let Some(address) = endpoint.address {
            hosts.entry(address).or_default().push(index);
        }
    }
    let mut inside = HashMap::new();
    for (pool, judged) in model.pools.iter().enumerate() {
        for held in &judged.held {
            for (address, endpoints) in hosts.range(held.range.start()..=held.range.end()) {
                let meant = |index: &&usize| !is_kept_for(judged, &model.endpoints[**index], *address);
                for endpoint in endpoints.iter().filter(meant) {
                    inside.entry(*endpoint).or_insert((pool, held.entry));
                }
            }
        }
    }
    inside
}

/// A preallocation keeps the address for the claim of the endpoint's own VSphereCluster.
fn is_kept_for(pool: &JudgedPool, endpoint: &Endpoint, address: IpAddr) -> bool {
    let kept = pool.pool.as_ref().and_then(|pool| pool.pre_allocated(&endpoint.holder));
    kept == Some(Some(address))
}

fn in_pool(model: &Model<'_, '_>, endpoint: &Endpoint, pool: &JudgedPool, entry: usize) -> Finding {
    let message = format!(
        "the endpoint {} of {} lies inside {}",
        endpoint.host, endpoint.object, pool.title
    );
    let help = "leave the endpoint out of the pool: a node would get it as its own address";
    let place = model.pool_place(pool, Some(entry));
    Finding {
        related: place.map(|place| (place, "the pool".to_owned())),
        ..at(endpoint, &codes::ENDPOINT_IN_POOL, message, help)
    }
}

/// An endpoint that is a gateway, a name server or a network's own address.
fn reserved(model: &Model<'_, '_>, endpoint: &Endpoint, address: IpAddr) -> Option<Finding> {
    let Special { pool, role } = *model.specials.at(address).first()?;
    let what = match role {
        Role::Gateway => "the gateway",
        Role::NameServer => "a name server",
        Role::Network => "the network address",
        Role::Broadcast => "the broadcast address",
    };
    let message = format!(
        "the endpoint {address} of {} is {what} of {}",
        endpoint.object, model.pools[pool].title
    );
    Some(at(
        endpoint,
        &codes::ENDPOINT_RESERVED,
        message,
        "give the endpoint an address of its own",
    ))
}

/// Clusters with one host and port.
fn shared(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut first: HashMap<(String, u16), usize> = HashMap::new();
    for (index, endpoint) in model.endpoints.iter().enumerate() {
        let Some(port) = endpoint.port.filter(|_| !is_placeholder(&endpoint.host)) else {
            continue;
        };
        let host = endpoint.address.map_or_else(
            || endpoint.host.trim_end_matches('.').to_ascii_lowercase(),
            |address| address.to_string(),
        );
        let other = *first.entry((host, port)).or_insert(index);
        let other_one = &model.endpoints[other];
        if other == index || other_one.object == endpoint.object {
            continue;
        }
        let concerned = |one: &Endpoint| !one.live && model.concerns_cluster(one.cluster);
        let (ours, theirs) = if concerned(endpoint) {
            (endpoint, other_one)
        } else {
            (other_one, endpoint)
        };
        if !concerned(ours) {
            continue;
        }
        let message = format!(
            "{} and {} have the same endpoint {}:{port}",
            ours.object, theirs.object, ours.host
        );
        let finding = at(
            ours,
            &codes::ENDPOINT_SHARED,
            message,
            "give each cluster an endpoint of its own",
        );
        findings.push(Finding {
            related: Some((theirs.place, "the other one".to_owned())),
            ..finding
        });
    }
}

/// Clusters with static addresses whose endpoint has no host.
fn missing(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let known: std::collections::HashSet<Option<usize>> =
        model.endpoints.iter().map(|endpoint| endpoint.cluster).collect();
    let mut told = std::collections::HashSet::new();
    let drawing = model.draws.groups.keys().map(|group| &model.groups.all[*group]);
    for group in drawing {
        let Some(cluster) = group.cluster.filter(|cluster| model.concerns_cluster(Some(*cluster))) else {
            continue;
        };
        let infrastructure = model.groups.infrastructure(cluster);
        let Some(infrastructure) = infrastructure.filter(|_| !known.contains(&Some(cluster)) && told.insert(cluster))
        else {
            continue;
        };
        let object = &model.manifest.objects[infrastructure];
        if matches!(object.detail, Detail::VSphereCluster(None)) {
            let message = format!("{object} has no endpoint host");
            let help = "set spec.controlPlaneEndpoint.host, or the old adapter takes an address of the pool for it";
            findings.push(
                model
                    .finding(object, object.name_span(), &codes::ENDPOINT_MISSING, message)
                    .help(help),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host_problem;

    #[test]
    fn names_and_addresses_are_hosts() {
        for host in ["api.example.com", "api", "a-1.b.", "xn--bcher-kva.example"] {
            assert_eq!(host_problem(host), None, "{host}");
        }
        for host in [
            "xxx.xxx.xxx.xxx",
            "10.0.0.300",
            "10.0.0.5/24",
            "https://a",
            "a:6443",
            "a_b",
            "-a",
            "",
            "10.0.0.1xx",
        ] {
            let known = host_problem(host).is_some();
            assert!(known || host == "10.0.0.1xx", "{host}");
        }
    }
}
