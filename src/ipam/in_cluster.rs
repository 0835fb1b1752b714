//! Takes the spec of an InClusterIPPool, gives the set of addresses that its provider gives out, or every mistake in the
//! spec; knows no claims.

use std::net::IpAddr;

use super::address::{Family, parse_address};
use super::field::{FieldError, FieldPath};
use super::network::Network;
use super::range::AddressRange;
use super::set::AddressSet;
use crate::api::in_cluster::InClusterIPPoolSpec;

/// What an InClusterIPPool gives out, lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InClusterAddresses {
    /// The addresses of the spec without the excluded ones, the gateway and the reserved ones.
    pub addresses: AddressSet,
    /// Prefix length in bits, 0 to 32 or 128.
    pub prefix: u8,
}

impl InClusterAddresses {
    /// Reads a spec of either version (in-cluster provider, `poolutil/pool.go` and its webhook).
    ///
    /// The network is the one that `prefix` makes of the lowest address. Unless `allocateReservedIPAddresses` is set its
    /// first address is left out, and in IPv4 its last one too, whatever the length of the prefix.
    ///
    /// # Errors
    /// Every field that does not parse, is of another family than the first address, or lies outside the network; no
    /// addresses at all; a prefix that is missing or does not fit.
    pub fn read(spec: &InClusterIPPoolSpec) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let given = given(spec, &mut errors);
        let excluded = listed("excludedAddresses", &spec.excluded_addresses, &mut errors);
        let gateway = gateway(spec, &mut errors);
        let Some((_, lowest)) = given.iter().min_by_key(|(_, range)| range.start()) else {
            if errors.is_empty() {
                errors.push(error(
                    &["addresses"],
                    "",
                    "no address is given; list at least one address, range or CIDR",
                ));
            }
            return Err(errors);
        };
        let family = lowest.family();
        let network = network(spec, lowest.start(), &mut errors);
        for (path, range) in &given {
            check_family(family, path, *range, &mut errors);
            if let Some(network) = network
                && range.family() == family
                && !(network.contains(range.start()) && network.contains(range.end()))
            {
                let whole = AddressRange::whole(network);
                let detail = format!(
                    "lies outside {whole}, the /{} around the lowest address; split the pool or use a shorter prefix",
                    network.prefix()
                );
                errors.push(FieldError::new(path.clone(), range.to_string(), detail));
            }
        }
        for (path, range) in &excluded {
            check_family(family, path, *range, &mut errors);
        }
        if let Some(gateway) = gateway {
            check_family(
                family,
                &FieldPath::of(&["spec", "gateway"]),
                AddressRange::single(gateway),
                &mut errors,
            );
        }
        let Some(network) = network.filter(|_| errors.is_empty()) else {
            return Err(errors);
        };
        let mut addresses: AddressSet = given.iter().map(|(_, range)| *range).collect();
        for (_, range) in &excluded {
            addresses.remove(*range);
        }
        if let Some(gateway) = gateway {
            addresses.remove(AddressRange::single(gateway));
        }
        if !spec.allocate_reserved_ip_addresses {
            addresses.remove(AddressRange::single(network.network()));
            if family == Family::V4 {
                addresses.remove(AddressRange::single(network.last()));
            }
        }
        Ok(Self {
            addresses,
            prefix: network.prefix(),
        })
    }
}

fn error(keys: &[&str], value: impl Into<String>, detail: impl Into<String>) -> FieldError {
    let path = keys.iter().fold(FieldPath::of(&["spec"]), |path, key| path.key(key));
    FieldError::new(path, value, detail)
}

/// The ranges of a list of texts, each with its place.
fn listed(key: &str, texts: &[String], errors: &mut Vec<FieldError>) -> Vec<(FieldPath, AddressRange)> {
    let list = FieldPath::of(&["spec", key]);
    let mut ranges = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(range) => ranges.push((list.index(place), range)),
            Err(wrong) => {
                let wrong: super::range::RangeError = wrong;
                errors.push(FieldError::new(list.index(place), text, wrong.to_string()));
            }
        }
    }
    ranges
}

/// The ranges of `addresses`, or of the form that v1alpha1 allows in their place: `start` to `end`, each by default one
/// address inside `subnet`.
fn given(spec: &InClusterIPPoolSpec, errors: &mut Vec<FieldError>) -> Vec<(FieldPath, AddressRange)> {
    if !spec.addresses.is_empty() {
        return listed("addresses", &spec.addresses, errors);
    }
    let mut read = |key: &str, text: &Option<String>| {
        let text = text.as_ref().filter(|text| !text.is_empty())?;
        parse_address(text)
            .map_err(|wrong| errors.push(error(&[key], text, wrong.to_string())))
            .ok()
    };
    let (start, end) = (read("start", &spec.start), read("end", &spec.end));
    let subnet: Option<Network> = match spec.subnet.as_ref().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => text
            .parse()
            .map_err(|wrong: super::network::NetworkError| errors.push(error(&["subnet"], text, wrong.to_string())))
            .ok(),
    };
    let inner = subnet.and_then(|subnet| {
        let whole = AddressRange::whole(subnet);
        Some((whole.nth(1)?, whole.nth(whole.size().checked_sub(2)?)?))
    });
    let (Some(start), Some(end)) = (start.or(inner.map(|i| i.0)), end.or(inner.map(|i| i.1))) else {
        return Vec::new();
    };
    match AddressRange::new(start, end) {
        Ok(range) => vec![(FieldPath::of(&["spec", "start"]), range)],
        Err(wrong) => {
            errors.push(error(&["end"], end.to_string(), wrong.to_string()));
            Vec::new()
        }
    }
}

fn gateway(spec: &InClusterIPPoolSpec, errors: &mut Vec<FieldError>) -> Option<IpAddr> {
    let text = spec.gateway.as_ref().filter(|text| !text.is_empty())?;
    parse_address(text)
        .map_err(|wrong| errors.push(error(&["gateway"], text, wrong.to_string())))
        .ok()
}

/// The network around the lowest address; the prefix may come from v1alpha1's `subnet`.
fn network(spec: &InClusterIPPoolSpec, lowest: IpAddr, errors: &mut Vec<FieldError>) -> Option<Network> {
    let subnet = spec.subnet.as_ref().and_then(|text| text.parse::<Network>().ok());
    let Some(prefix) = spec.prefix.or(subnet.map(|subnet| subnet.prefix().into())) else {
        errors.push(error(
            &["prefix"],
            "",
            "is missing; give the length of the network's prefix in bits",
        ));
        return None;
    };
    let bits = Family::of(lowest).bits();
    match u8::try_from(prefix)
        .ok()
        .and_then(|prefix| Network::new(lowest, prefix).ok())
    {
        Some(network) => Some(network),
        None => {
            let detail = format!("does not fit {lowest}; an {} prefix is 0 to {bits}", Family::of(lowest));
            errors.push(error(&["prefix"], prefix.to_string(), detail));
            None
        }
    }
}

fn check_family(family: Family, path: &FieldPath, range: AddressRange, errors: &mut Vec<FieldError>) {
    if range.family() != family {
        let detail = format!(
            "is {}, the pool's lowest address is {family}; use one pool per family",
            range.family()
        );
        errors.push(FieldError::new(path.clone(), range.to_string(), detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Result<Vec<String>, Vec<String>> {
        let spec: InClusterIPPoolSpec = serde_json::from_value(json).expect("a spec");
        match InClusterAddresses::read(&spec) {
            Ok(pool) => Ok(pool.addresses.ranges().map(|r| r.to_string()).collect()),
            Err(errors) => Err(errors.iter().map(|e| e.path.to_string()).collect()),
        }
    }

    #[test]
    fn gateway_excluded_and_reserved_addresses_are_left_out() {
        let spec = serde_json::json!({
            "addresses": ["10.0.0.0/29", "10.0.0.255"], "prefix": 24, "gateway": "10.0.0.1",
            "excludedAddresses": ["10.0.0.3-10.0.0.4"]
        });
        assert_eq!(read(spec), Ok(vec!["10.0.0.2".into(), "10.0.0.5-10.0.0.7".into()]));
        let spec = serde_json::json!({"addresses": ["10.0.0.0/30"], "prefix": 30, "allocateReservedIPAddresses": true});
        assert_eq!(read(spec), Ok(vec!["10.0.0.0-10.0.0.3".into()]));
        let spec = serde_json::json!({"addresses": ["fd00::/126"], "prefix": 126});
        assert_eq!(read(spec), Ok(vec!["fd00::1-fd00::3".into()]));
    }

    #[test]
    fn the_first_version_counts_between_start_and_end() {
        let spec = serde_json::json!({"subnet": "10.0.0.0/24", "start": "10.0.0.10"});
        assert_eq!(read(spec), Ok(vec!["10.0.0.10-10.0.0.254".into()]));
    }

    #[test]
    fn every_mistake_names_its_field() {
        let spec = serde_json::json!({
            "addresses": ["10.0.0.1", "10.0.1.1", "x", "fd00::1"], "prefix": 24, "gateway": "fd00::2",
            "excludedAddresses": ["10.0.0.9-10.0.0.1"]
        });
        assert_eq!(
            read(spec),
            Err([
                "spec.addresses[2]",
                "spec.excludedAddresses[0]",
                "spec.addresses[1]",
                "spec.addresses[3]",
                "spec.gateway"
            ]
            .map(String::from)
            .to_vec())
        );
        assert_eq!(read(serde_json::json!({})), Err(vec!["spec.addresses".into()]));
        assert_eq!(
            read(serde_json::json!({"addresses": ["10.0.0.1"]})),
            Err(vec!["spec.prefix".into()])
        );
    }
}
