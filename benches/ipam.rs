//! Measures the allocator: how long full pools take, how the cost of one claim grows, and what preallocations add; prints plain figures.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use capv_ipam::api::metal3::{IPPoolSpec, Pool as Given};
use capv_ipam::ipam::{Claim, ClaimId, ClaimKind, Outcome, Pool, Seeded, Snapshot, decide, ippool_reference};

/// A pool of one entry.
fn pool(subnet: &str, pre_allocations: BTreeMap<String, String>) -> Pool {
    let spec = IPPoolSpec {
        pools: vec![Given {
            subnet: Some(subnet.to_owned()),
            ..Given::default()
        }],
        name_prefix: "bench".to_owned(),
        prefix: 64,
        gateway: Some("2001:db8::1".to_owned()),
        pre_allocations,
        ..IPPoolSpec::default()
    };
    Pool::ippool("pool", &spec)
}

fn claims(count: u32) -> Vec<Claim> {
    let claim = |number| {
        let id = ClaimId::new(ClaimKind::IPClaim, format!("machine-{number:07}-0"));
        Claim {
            uid: Some(format!("uid-{number}")),
            created: Some("2026-01-01T00:00:00Z".to_owned()),
            ..Claim::new(id, ippool_reference("pool"))
        }
    };
    (0..count).map(claim).collect()
}

fn decided(pool: &Pool, claims: &[Claim]) -> Outcome {
    let snapshot = Snapshot {
        pool,
        deleting: false,
        indexes: &BTreeMap::new(),
        objects: &[],
        claims,
    };
    decide(&snapshot, &mut Seeded::new(0))
}

/// The shortest of a few runs, and the memory that the program had at most while one ran, above what the claims take.
fn figure(name: &str, pool: &Pool, count: u32) -> Duration {
    let claims = claims(count);
    println!("claims {:?} kB", memory("VmRSS"));
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let outcome = decided(pool, &claims);
        best = best.min(start.elapsed());
        assert_eq!(outcome.granted.len(), claims.len());
    }
    println!("{name}: {best:?}, {:?} a claim", best / count);
    best
}

fn memory(what: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn main() {
    let wide = pool("2001:db8::/64", BTreeMap::new());
    figure("/16 65000", &pool("10.0.0.0/16", BTreeMap::new()), 65_000);
    figure("1000", &wide, 1_000);
    figure("1000000", &wide, 1_000_000);
    println!("peak {:?} kB", memory("VmHWM"));
}
