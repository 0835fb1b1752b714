//! Takes chance, gives small pools and claims around 10.0.0.0/27, so that ranges meet, overlap and run out.

use std::collections::BTreeMap;

use capv_ipam::api::metal3::{IPPoolSpec, Pool};
use proptest::option;
use proptest::prelude::*;

/// An address text; now and then in another spelling, of the other family, or none at all.
pub(crate) fn address() -> impl Strategy<Value = String> {
    (0u8..32, 0u8..20).prop_map(|(host, form)| match form {
        0 => format!("::ffff:a00:{host:x}"),
        1 | 2 => format!("fd00::{host:x}"),
        3 => "FD00:0::00".into(),
        4 => String::new(),
        5 => "no address".into(),
        _ => format!("10.0.0.{host}"),
    })
}

fn subnet() -> impl Strategy<Value = String> {
    (0u8..32, 26u8..=32, 0u8..12).prop_map(|(host, length, form)| match form {
        0 => format!("fd00::{host:x}/{}", 96 + length),
        1 => format!("::ffff:a00:{host:x}/{}", 96 + length),
        2 => "no network".into(),
        _ => format!("10.0.0.{host}/{length}"),
    })
}

pub(crate) fn entry() -> impl Strategy<Value = Pool> {
    let prefix = prop_oneof![4 => Just(0), 2 => Just(24), 1 => Just(-1)];
    let host = option::weighted(0.3, Just("10.0.0.30".to_owned()));
    (
        option::weighted(0.7, address()),
        option::weighted(0.6, address()),
        option::weighted(0.4, subnet()),
        prefix,
        host,
    )
        .prop_map(|(start, end, subnet, prefix, gateway)| Pool {
            start,
            end,
            subnet,
            prefix,
            gateway,
            dns_servers: Vec::new(),
        })
}

/// A pool of at most `entries` entries, with preallocations for some of the claims `c0` to `c5`.
pub(crate) fn spec(entries: usize) -> impl Strategy<Value = IPPoolSpec> {
    let claim = (0u8..6).prop_map(|n| format!("c{n}"));
    (
        prop::collection::vec(entry(), 0..=entries),
        prop::collection::btree_map(claim, address(), 0..3),
        option::weighted(0.3, Just("random".to_owned())),
    )
        .prop_map(|(pools, pre_allocations, allocation_strategy)| IPPoolSpec {
            pools,
            pre_allocations,
            allocation_strategy,
            name_prefix: "p".into(),
            prefix: 27,
            ..IPPoolSpec::default()
        })
}

/// A pool of plain ranges and no preallocation: `size` addresses or fewer, entries may overlap.
pub(crate) fn plain_spec() -> impl Strategy<Value = IPPoolSpec> {
    let range = (0u8..32, 0u8..8).prop_map(|(start, more)| Pool {
        start: Some(format!("10.0.0.{start}")),
        end: Some(format!("10.0.0.{}", start + more)),
        ..Pool::default()
    });
    prop::collection::vec(range, 1..=3).prop_map(|pools| IPPoolSpec {
        pools,
        pre_allocations: BTreeMap::new(),
        name_prefix: "p".into(),
        ..IPPoolSpec::default()
    })
}
