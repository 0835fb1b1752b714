//! Takes the wanted pools and those of the manifest, and finds addresses that two pools give, endpoints inside a pool, and reserved addresses; never allocates.

use std::net::IpAddr;

use super::codes::{self, Code};
use super::finding::{Finding, Place};
use crate::addressing::{ConfigDocument, Selection};
use crate::ipam::{AddressRange, Network, parse_address};
use crate::objects::{Detail, Manifest, Object, PoolKind, Span, is_placeholder};

/// A range of addresses that a pool gives out.
struct Held {
    range: AddressRange,
    pool: String,
    place: Option<Place>,
    wanted: bool,
}

/// Findings about addresses.
pub(crate) fn addresses(
    manifest: &Manifest<'_>,
    wishes: &[(&ConfigDocument<'_>, &Selection)],
    findings: &mut Vec<Finding>,
) {
    let mut held = wanted(wishes);
    held.extend(present(manifest, wishes, findings));
    overlaps(&mut held, findings);
    for object in &manifest.objects {
        if let Some(host) = endpoint(object) {
            let source = manifest.source_of(object);
            match parse_address(&host.value) {
                Ok(address) => endpoint_inside(object, source, host.span, address, &held, findings),
                Err(_) if is_placeholder(&host.value) && !wishes.is_empty() => findings.push(
                    Finding::new(
                        &codes::UNKNOWN_UNTIL_SUBSTITUTED,
                        format!(
                            "the endpoint of {object} is {}; whether a pool holds it is not known",
                            host.value
                        ),
                    )
                    .on(object)
                    .at(source, host.span)
                    .help("check the manifest once more after the substitution"),
                ),
                Err(_) => {}
            }
        }
    }
    for (document, selection) in wishes {
        reserved_endpoint(manifest, document, selection, findings);
        missing_endpoint(manifest, selection, findings);
    }
}

fn wanted(wishes: &[(&ConfigDocument<'_>, &Selection)]) -> Vec<Held> {
    let mut held = Vec::new();
    for (document, selection) in wishes {
        for pool in &selection.pools {
            let place = document.place_of_pool(pool.index, "addresses");
            held.extend(pool.ranges.iter().map(|range| Held {
                range: *range,
                pool: format!("the pool {}", pool.name),
                place,
                wanted: true,
            }));
        }
    }
    held
}

/// The pools of the manifest that are not about to be replaced, with a warning for reserved addresses in them (metal3 allows them).
fn present(
    manifest: &Manifest<'_>,
    wishes: &[(&ConfigDocument<'_>, &Selection)],
    findings: &mut Vec<Finding>,
) -> Vec<Held> {
    let replaced = |object: &Object<'_>, kind: PoolKind| {
        wishes.iter().any(|(document, selection)| {
            PoolKind::from(document.config.spec.pool_kind) == kind
                && selection
                    .pools
                    .iter()
                    .any(|pool| pool.name == object.name() && object.in_namespace(pool.namespace.as_deref()))
        })
    };
    let mut held = Vec::new();
    for object in &manifest.objects {
        let Detail::Pool(pool) = &object.detail else { continue };
        if replaced(object, pool.kind) {
            continue;
        }
        let source = manifest.source_of(object);
        for entry in &pool.entries {
            for (address, what) in reserved(entry.range, entry.gateway, entry.prefix) {
                findings.push(
                    Finding::new(&codes::INPUT_POOL_RESERVED, format!("{object} holds {what} {address}"))
                        .on(object)
                        .at(source, entry.span)
                        .help(format!("leave {address} out of the pool")),
                );
            }
            let place = Some(Place {
                source,
                span: entry.span,
            });
            held.push(Held {
                range: entry.range,
                pool: object.to_string(),
                place,
                wanted: false,
            });
        }
    }
    held
}

/// The gateway, network and broadcast address that a range holds.
fn reserved(range: AddressRange, gateway: Option<IpAddr>, prefix: Option<u8>) -> Vec<(IpAddr, &'static str)> {
    let network = prefix.and_then(|prefix| Network::new(gateway.unwrap_or(range.start()), prefix).ok());
    [
        (gateway, "its gateway"),
        (network.and_then(Network::anycast), "the network address"),
        (network.and_then(Network::broadcast), "the broadcast address"),
    ]
    .into_iter()
    .filter_map(|(address, what)| Some((address?, what)))
    .filter(|(address, _)| range.contains(*address))
    .collect()
}

/// Pairs of pools that hold the same address, at least one of them wanted.
fn overlaps(held: &mut [Held], findings: &mut Vec<Finding>) {
    held.sort_by_key(|held| held.range);
    let mut open: Vec<&Held> = Vec::new();
    for next in held.iter() {
        open.retain(|before| before.range.overlaps(next.range));
        for before in &open {
            if before.pool == next.pool || !(before.wanted || next.wanted) {
                continue;
            }
            let (ours, other) = if next.wanted { (next, *before) } else { (*before, next) };
            let message = match ours.range.intersection(other.range) {
                Some(both) => format!("{} and {} both hold {both}", ours.pool, other.pool),
                None => format!("{} and {} hold the same address", ours.pool, other.pool),
            };
            findings.push(Finding {
                place: ours.place,
                related: other.place.map(|place| (place, "the other pool".to_owned())),
                ..Finding::new(&codes::POOLS_OVERLAP, message)
                    .help("separate the ranges, or both pools give the address out")
            });
        }
        open.push(next);
    }
}

fn endpoint<'o, 'a>(object: &'o Object<'a>) -> Option<&'o crate::objects::Text<'a>> {
    match &object.detail {
        Detail::VSphereCluster(host) => host.as_ref(),
        Detail::Cluster(cluster) => cluster.endpoint.as_ref(),
        _ => None,
    }
}

fn endpoint_inside(
    object: &Object<'_>,
    source: usize,
    span: Span,
    address: IpAddr,
    held: &[Held],
    findings: &mut Vec<Finding>,
) {
    if let Some(pool) = held.iter().find(|held| held.range.contains(address)) {
        let message = format!("the endpoint {address} of {object} lies inside {}", pool.pool);
        let finding = Finding::new(&codes::ENDPOINT_IN_POOL, message)
            .on(object)
            .at(source, span);
        findings.push(Finding {
            related: pool.place.map(|place| (place, "the pool".to_owned())),
            ..finding.help("leave the endpoint out of the pool: a node would get it as its own address")
        });
    }
}

/// The objects that say where the cluster's endpoint is.
fn endpoint_objects<'m, 'a>(manifest: &'m Manifest<'a>, selection: &Selection) -> Vec<&'m Object<'a>> {
    let crate::addressing::ClusterScope::Cluster(cluster) = selection.scope else {
        return manifest
            .objects
            .iter()
            .filter(|object| matches!(object.detail, Detail::VSphereCluster(_)))
            .collect();
    };
    let object = &manifest.objects[cluster];
    let Detail::Cluster(detail) = &object.detail else {
        return Vec::new();
    };
    let name = detail
        .infrastructure
        .as_ref()
        .and_then(|reference| reference.name.as_ref());
    let own = |other: &&Object<'_>| {
        matches!(other.detail, Detail::VSphereCluster(_))
            && name.is_some_and(|name| other.is_meant(&name.value, object.namespace(), object))
    };
    manifest
        .objects
        .iter()
        .filter(own)
        .chain(std::iter::once(object))
        .collect()
}

/// An endpoint that is a gateway, a network's own address or a name server of the wanted pools.
fn reserved_endpoint(
    manifest: &Manifest<'_>,
    document: &ConfigDocument<'_>,
    selection: &Selection,
    findings: &mut Vec<Finding>,
) {
    for object in endpoint_objects(manifest, selection) {
        let Some(host) = endpoint(object) else { continue };
        let Ok(address) = parse_address(&host.value) else {
            continue;
        };
        for pool in &document.config.spec.pools {
            let is = |text: &String| parse_address(text).is_ok_and(|other| other == address);
            let network = pool
                .gateway
                .as_ref()
                .and_then(|text| Network::new(parse_address(text).ok()?, pool.prefix?).ok());
            let what = if pool.gateway.as_ref().is_some_and(is) {
                "the gateway"
            } else if pool.dns_servers.iter().any(is) {
                "a name server"
            } else if network.and_then(Network::anycast) == Some(address)
                || network.and_then(Network::broadcast) == Some(address)
            {
                "the network's own address"
            } else {
                continue;
            };
            let message = format!("the endpoint {address} of {object} is {what} of a pool");
            let code: &'static Code = &codes::ENDPOINT_RESERVED;
            findings.push(
                Finding::new(code, message)
                    .on(object)
                    .at(manifest.source_of(object), host.span)
                    .help("give the endpoint an address of its own"),
            );
            break;
        }
    }
}

fn missing_endpoint(manifest: &Manifest<'_>, selection: &Selection, findings: &mut Vec<Finding>) {
    let objects = endpoint_objects(manifest, selection);
    if objects.iter().any(|object| endpoint(object).is_some()) {
        return;
    }
    let infrastructure = objects
        .iter()
        .find(|object| matches!(object.detail, Detail::VSphereCluster(_)));
    if let Some(object) = infrastructure {
        findings.push(
            Finding::new(&codes::ENDPOINT_MISSING, format!("{object} has no endpoint host"))
                .on(object)
                .at(manifest.source_of(object), object.name_span())
                .help("set spec.controlPlaneEndpoint.host, or the old adapter takes an address of the pool for it"),
        );
    }
}
