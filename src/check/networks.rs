//! Takes the entries of pools and finds prefixes, gateways and addresses that do not make one network; looks at one pool at a time.

use super::codes;
use super::finding::Finding;
use super::model::{JudgedPool, Model, Origin};
use crate::ipam::{AddressRange, Family, Network, parse_address};

/// Findings about networks.
pub(super) fn networks(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for pool in model.pools.iter().filter(|pool| model.concerns_pool(pool)) {
        prefixes(model, pool, findings);
        outside(model, pool, findings);
        defaults(model, pool, findings);
        gateway(model, pool, findings);
    }
}

/// metal3 gives out what the entry says, also no prefix; the length of a subnet does not count (`ippool_manager.go`).
fn prefixes(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    if pool.metal3().is_none() || pool.placeholder.is_some() {
        return;
    }
    let wrong = pool.held.iter().find_map(|held| {
        let (prefix, family) = (pool.networks[held.entry].prefix, held.range.family());
        let fits = (1..=i64::from(family.bits())).contains(&prefix);
        (!fits).then_some((held.entry, prefix, family))
    });
    let Some((entry, prefix, family)) = wrong else { return };
    let message = match prefix {
        0 => format!("{} has no prefix for its addresses", pool.title),
        prefix => format!("{} gives {family} addresses the prefix {prefix}", pool.title),
    };
    let help = format!("write the length of the network's prefix, 1 to {}", family.bits());
    findings.push(model.pool_finding(pool, Some(entry), &codes::POOL_PREFIX, message, help));
}

/// Addresses outside the network of their gateway, or of the first address where there is none.
fn outside(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    let help = "correct the address, the prefix or the gateway";
    for held in &pool.held {
        let network = &pool.networks[held.entry];
        // A configuration has one network; entries of a written pool without gateway may have one each.
        let first = match pool.origin {
            Origin::Wanted { .. } => pool.held.first().map_or(held.range, |first| first.range),
            _ => held.range,
        };
        let message = match network.gateway {
            Some(gateway) if Family::of(gateway) != held.range.family() => {
                format!(
                    "{} is {}, its gateway {gateway} is not",
                    held.range,
                    held.range.family()
                )
            }
            gateway => {
                let Some(around) = network.around(first) else { continue };
                let Some(end) = end_outside(held.range, around) else {
                    continue;
                };
                let of = match (gateway, pool.origin) {
                    (Some(_), _) => "its gateway's network",
                    (None, Origin::Wanted { .. }) => "the network of the pool's first address",
                    (None, _) => "the network of the entry's first address",
                };
                format!("{end} lies outside {of} {}/{}", around.network(), around.prefix())
            }
        };
        let message = match pool.origin {
            Origin::Wanted { .. } => message,
            _ => format!("{}: {message}", pool.title),
        };
        findings.push(model.pool_finding(pool, Some(held.entry), &codes::ADDRESS_OUTSIDE, message, help));
    }
}

/// The first end of a range that a network does not hold.
fn end_outside(range: AddressRange, network: Network) -> Option<std::net::IpAddr> {
    let whole = AddressRange::whole(network);
    [range.start(), range.end()]
        .into_iter()
        .find(|end| !whole.contains(*end))
}

/// An entry and the pool's defaults that describe one network in two ways.
fn defaults(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    let (Origin::Present(_), Some(spec)) = (pool.origin, pool.metal3()) else {
        return;
    };
    let default = spec.gateway.as_deref().and_then(|text| parse_address(text).ok());
    for (index, entry) in spec.pools.iter().enumerate() {
        let own = entry.gateway.as_deref().and_then(|text| parse_address(text).ok());
        let same_gateway = own.is_none() || own == default;
        let message = if entry.prefix != 0 && spec.prefix != 0 && entry.prefix != spec.prefix && same_gateway {
            format!(
                "entry {} of {} has the prefix {}, the pool's default is {}",
                index + 1,
                pool.title,
                entry.prefix,
                spec.prefix
            )
        } else if let (Some(own), Some(default)) = (own, default)
            && own != default
            && in_one_network(pool, index, default)
        {
            format!(
                "entry {} of {} has the gateway {own}, the pool's default in the same network is {default}",
                index + 1,
                pool.title
            )
        } else {
            continue;
        };
        let help = "write the values once, or equal";
        findings.push(model.pool_finding(pool, Some(index), &codes::POOL_DEFAULTS_DIFFER, message, help));
    }
}

fn in_one_network(pool: &JudgedPool, entry: usize, gateway: std::net::IpAddr) -> bool {
    let held = pool.held.iter().find(|held| held.entry == entry);
    let network = held.and_then(|held| pool.networks[entry].around(held.range));
    network.is_some_and(|network| network.contains(gateway))
}

/// A pool without gateway whose machines get no default route from elsewhere.
fn gateway(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    if pool.has_gateway() || pool.held.is_empty() {
        return;
    }
    let lost = pool.users.iter().find(|(group, _)| !has_another_route(model, *group));
    let Some((group, _)) = lost else { return };
    let message = format!("{} has no gateway, and its machines have no other way out", pool.title);
    let help = "set `gateway` (--gateway), or give another NIC the default route";
    let finding = model.pool_finding(pool, None, &codes::NO_GATEWAY, message, help);
    findings.push(match pool.origin {
        Origin::Wanted { document, pool } => Finding {
            place: model.documents[document].place_of_pool(pool, "machines"),
            ..finding
        },
        _ => match model.template_of(*group) {
            Some((template, _)) => {
                let object = &model.manifest.objects[template];
                finding.with(
                    model.manifest.source_of(object),
                    object.name_span(),
                    "a template that draws from it",
                )
            }
            None => finding,
        },
    });
}

/// DHCP, a gateway on a NIC, or a pool that has one or is not known.
fn has_another_route(model: &Model<'_, '_>, group: usize) -> bool {
    let Some((index, template)) = model.template_of(group) else {
        return true;
    };
    let after = model.after.template(index, template);
    let by_nic = after.nics.iter().zip(&template.nics).any(|(after, nic)| {
        after.dhcp() != Some(false) || nic.gateway.as_ref().is_some_and(|gateway| !gateway.value.is_empty())
    });
    let draws = model.draws.groups.get(&group).map_or(0, Vec::len);
    let known: Vec<_> = model.taken(group).collect();
    let by_pool = known.len() < draws
        || known
            .iter()
            .any(|taken| taken.pool.has_gateway() || taken.pool.placeholder.is_some());
    by_nic || by_pool
}
