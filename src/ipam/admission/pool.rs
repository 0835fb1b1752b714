//! Takes an IPPool's spec before and after, gives the fields that metal3's `ippool_webhook.go` refuses; knows nothing of
//! other pools.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{FIXED, check_address};
use crate::api::metal3::{IPPoolSpec, Pool};
use crate::ipam::address::parse_address;
use crate::ipam::entry::Entry;
use crate::ipam::field::{FieldError, FieldPath};
use crate::ipam::network::Network;
use crate::ipam::quote::go_quote;
use crate::ipam::strategy::Strategy;

/// Fills in the strategy where none is given, as metal3's mutating webhook does.
pub fn default_pool(spec: &mut IPPoolSpec) {
    if spec.allocation_strategy.as_deref().is_none_or(str::is_empty) {
        spec.allocation_strategy = Some("sequential".into());
    }
}

/// What is wrong with a new pool; empty is allowed.
#[must_use]
pub fn create_pool(new: &IPPoolSpec) -> Vec<FieldError> {
    let mut errors = check_spec(new);
    check_bounds(
        new,
        &new.pre_allocations,
        "preAllocations",
        "is out of bonds of the pools given",
        &mut errors,
    );
    errors
}

/// What is wrong with the change of a pool; empty is allowed. `in_use` is the old object's `status.indexes`: claim name to
/// address text.
#[must_use]
pub fn update_pool(old: &IPPoolSpec, new: &IPPoolSpec, in_use: &BTreeMap<String, String>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = FieldPath::of(&["spec"]);
    if old.name_prefix != new.name_prefix {
        errors.push(FieldError::new(spec.key("namePrefix"), &new.name_prefix, FIXED));
    }
    if strategy_text(old) != strategy_text(new) {
        let value = new.allocation_strategy.clone().unwrap_or_default();
        let detail = "cannot be modified after creation";
        errors.push(FieldError::new(spec.key("allocationStrategy"), value, detail));
    }
    errors.extend(check_spec(new));
    check_bounds(
        new,
        &new.pre_allocations,
        "preAllocations",
        "is out of bounds of the pools given",
        &mut errors,
    );
    check_bounds(
        new,
        in_use,
        "pools",
        "is in use but out of bounds of the pools given",
        &mut errors,
    );
    errors
}

/// The strategy as compared on update: none and empty are `sequential`.
fn strategy_text(spec: &IPPoolSpec) -> &str {
    spec.allocation_strategy
        .as_deref()
        .filter(|text| !text.is_empty())
        .unwrap_or("sequential")
}

fn check_spec(spec: &IPPoolSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = FieldPath::of(&["spec"]);
    check_hosts(&path, spec.gateway.as_deref(), &spec.dns_servers, &mut errors);
    check_pre_allocations(spec, &mut errors);
    for (index, entry) in spec.pools.iter().enumerate() {
        check_entry(spec, entry, &path.key("pools").index(index), &mut errors);
    }
    errors
}

/// The gateway and DNS servers of a pool or entry.
fn check_hosts(path: &FieldPath, gateway: Option<&str>, dns_servers: &[String], errors: &mut Vec<FieldError>) {
    if let Some(gateway) = gateway {
        check_address(path.key("gateway"), gateway, errors);
    }
    for (index, server) in dns_servers.iter().enumerate() {
        check_address(path.key("dnsServers").index(index), server, errors);
    }
}

/// Every value is an address and no two are equal by value. Keys are visited sorted, so the later of two is named.
impl FieldError {
    /// Where the error stands in a pool: metal3 names a preallocation by its address, and the claim is its key.
    pub(crate) fn place_in(&self, spec: &IPPoolSpec) -> FieldPath {
        let all = FieldPath::of(&["spec", "preAllocations"]);
        let claim = spec.pre_allocations.iter().find(|(_, address)| **address == self.value);
        match claim {
            Some((claim, _)) if self.path == all => all.key(claim),
            _ => self.path.clone(),
        }
    }
}

fn check_pre_allocations(spec: &IPPoolSpec, errors: &mut Vec<FieldError>) {
    let path = FieldPath::of(&["spec", "preAllocations"]);
    let mut claims: BTreeMap<Option<IpAddr>, &str> = BTreeMap::new();
    for (claim, text) in &spec.pre_allocations {
        let before = errors.len();
        check_address(path.key(claim), text, errors);
        if errors.len() > before {
            continue;
        }
        // The webhook lets empty text pass; two empty texts are equal.
        match claims.entry(parse_address(text).ok()) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(claim);
            }
            std::collections::btree_map::Entry::Occupied(first) => {
                let detail = format!("IP address is already pre-allocated to claim {}", go_quote(first.get()));
                errors.push(FieldError::new(path.key(claim), text, detail));
            }
        }
    }
}

fn check_entry(spec: &IPPoolSpec, entry: &Pool, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if is_blank(entry) {
        let detail = "pool entry must specify at least one of start, end, or subnet";
        errors.push(FieldError::new(path.clone(), "", detail));
        return;
    }
    let before = errors.len();
    if let Err(wrong) = Entry::check(entry) {
        errors.push(FieldError::new(path.clone(), "", wrong.to_string()));
    }
    check_hosts(path, entry.gateway.as_deref(), &entry.dns_servers, errors);
    let random = Strategy::named(spec.allocation_strategy.as_deref()) == Strategy::Random;
    if random
        && errors.len() == before
        && let Err(wrong) = Entry::new(entry).size()
    {
        let detail = format!("cannot be used with allocationStrategy \"random\": {wrong}");
        errors.push(FieldError::new(path.clone(), "", detail));
    }
}

fn is_blank(entry: &Pool) -> bool {
    entry.start.is_none() && entry.end.is_none() && entry.subnet.is_none()
}

fn check_bounds(
    spec: &IPPoolSpec,
    addresses: &BTreeMap<String, String>,
    key: &str,
    detail: &str,
    errors: &mut Vec<FieldError>,
) {
    for text in addresses.values() {
        if !spec.pools.iter().any(|entry| in_bounds(entry, text)) {
            errors.push(FieldError::new(FieldPath::of(&["spec", key]), text, detail));
        }
    }
}

/// Whether the webhook counts an address as lying in an entry; it is looser than what the entry yields.
///
/// Start and end are compared with every IPv4 below every IPv6 address, and here an IPv4-mapped text is an IPv6 address;
/// the subnet is compared by value.
fn in_bounds(entry: &Pool, text: &str) -> bool {
    if is_blank(entry) {
        return false;
    }
    let Ok(address) = text.parse::<IpAddr>() else {
        return false;
    };
    let bound = |text: &Option<String>, inside: fn(&IpAddr, &IpAddr) -> bool| match text {
        None => true,
        Some(text) => text.parse().is_ok_and(|bound| inside(&bound, &address)),
    };
    let in_subnet = || match &entry.subnet {
        None => true,
        Some(text) => text
            .parse::<Network>()
            .is_ok_and(|subnet| subnet.contains(address.to_canonical())),
    };
    bound(&entry.start, PartialOrd::le) && bound(&entry.end, PartialOrd::ge) && in_subnet()
}
