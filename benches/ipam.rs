//! Measures the allocator: claims served one by one, and whole decisions as a controller makes them; prints plain figures with
//! the bounds that they are held to, then runs the same under criterion.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::{Duration, Instant};

use capv_ipam::api::metal3::{IPPoolSpec, Pool as Given};
use capv_ipam::ipam::{
    AddressSet, Claim, ClaimId, ClaimKind, Occupancy, Outcome, Pool, Seeded, Snapshot, allocate, decide,
    ippool_reference,
};
use criterion::{Criterion, Throughput};

/// A pool of one subnet.
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

/// Every second address of a /16 is kept for somebody else: the worst case, since no two of them touch.
fn scattered(count: u32) -> BTreeMap<String, String> {
    let place = |number: u32| number * 2 + 2;
    let address = |number| format!("10.0.{}.{}", place(number) >> 8, place(number) & 0xff);
    (0..count)
        .map(|number| (format!("kept-{number}"), address(number)))
        .collect()
}

/// Serves claims without a wish, one after the other.
fn serve(pool: &Pool, count: u32) -> usize {
    let mut occupancy = Occupancy::new(AddressSet::new(), pool.reserved(), BTreeSet::new());
    let mut randomness = Seeded::new(0);
    let mut served = 0;
    for number in 0..count {
        let id = ClaimId::new(ClaimKind::IPClaim, format!("machine-{number:07}-0"));
        served += usize::from(black_box(allocate(pool, &mut occupancy, &id, None, &mut randomness)).is_ok());
    }
    served
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

/// Decides about all claims of a pool at once.
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

/// The shortest of several runs.
fn shortest(runs: u32, mut work: impl FnMut()) -> Duration {
    let run = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..runs).map(run).min().unwrap()
}

/// A line of `/proc/self/status` in MB; none on other systems.
fn memory(line: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|text| text.starts_with(line))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? >> 10)
}

/// The most memory that the program had while it worked, above what it had before, in MB.
fn peak(work: impl FnOnce()) -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = memory("VmRSS")?;
    work();
    Some(memory("VmHWM")?.saturating_sub(before))
}

fn figures() {
    let small = pool("10.0.0.0/16", BTreeMap::new());
    let wide = pool("2001:db8::/64", BTreeMap::new());
    let mega = |peak: Option<u64>| peak.map_or("unknown".to_owned(), |peak| format!("{peak} MB"));

    let fill = shortest(20, || assert_eq!(serve(&small, 65_000), 65_000));
    println!("65,000 claims fill a /16:                    {fill:?} (bound 50 ms)");
    let whole = claims(65_000);
    let decision = shortest(10, || assert_eq!(decided(&small, &whole).granted.len(), 65_000));
    println!("  in one decision, with the new indexes:     {decision:?}");
    drop(whole);

    let million = shortest(3, || assert_eq!(serve(&wide, 1_000_000), 1_000_000));
    let used = peak(|| assert_eq!(serve(&wide, 1_000_000), 1_000_000));
    println!(
        "1,000,000 claims of an IPv6 /64:             {million:?}, {} (bounds 1.5 s, 300 MB)",
        mega(used)
    );
    let whole = claims(1_000_000);
    let decision = shortest(3, || assert_eq!(decided(&wide, &whole).granted.len(), 1_000_000));
    let used = peak(|| assert_eq!(decided(&wide, &whole).granted.len(), 1_000_000));
    println!(
        "  in one decision, with the new indexes:     {decision:?}, {} beside the claims",
        mega(used)
    );
    drop(whole);

    let thousand = shortest(200, || assert_eq!(serve(&wide, 1_000), 1_000)) / 1_000;
    let ratio = (million / 1_000_000).as_secs_f64() / thousand.as_secs_f64();
    println!(
        "one claim of 1,000 and one of 1,000,000:     {thousand:?} and {:?}, {ratio:.2} times (bound 5)",
        million / 1_000_000
    );

    let kept = pool("10.0.0.0/16", scattered(10_000));
    let none = shortest(20, || assert_eq!(serve(&small, 50_000), 50_000));
    let with = shortest(20, || assert_eq!(serve(&kept, 50_000), 50_000));
    let ratio = with.as_secs_f64() / none.as_secs_f64();
    println!("50,000 claims beside 10,000 preAllocations:  {with:?}, {ratio:.2} times as without (bound 2)");
}

fn main() {
    figures();
    let mut criterion = Criterion::default().configure_from_args();
    let small = pool("10.0.0.0/16", BTreeMap::new());
    let kept = pool("10.0.0.0/16", scattered(10_000));
    let wide = pool("2001:db8::/64", BTreeMap::new());
    let mut group = criterion.benchmark_group("claims served one by one");
    group.sample_size(10);
    for (name, pool, count) in [
        ("1,000 of a /64", &wide, 1_000),
        ("65,000 of a /16", &small, 65_000),
        ("50,000 of a /16", &small, 50_000),
        ("50,000 of a /16 with 10,000 preAllocations", &kept, 50_000),
    ] {
        group.throughput(Throughput::Elements(u64::from(count)));
        group.bench_function(name, |bencher| bencher.iter(|| serve(pool, count)));
    }
    group.finish();
    let mut group = criterion.benchmark_group("one decision");
    group.sample_size(10);
    for count in [1_000, 65_000] {
        let claims = claims(count);
        group.throughput(Throughput::Elements(u64::from(count)));
        group.bench_function(format!("{count} claims of a /64"), |bencher| {
            bencher.iter(|| decided(&wide, &claims))
        });
    }
    group.finish();
    criterion.final_summary();
}
