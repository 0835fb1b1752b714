//! Takes one claim before a pool that is partly in use, compares the choice with a search address by address; and what a
//! pool of any size costs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use capv_ipam::api::metal3::{IPPoolSpec, Pool as Given};
use capv_ipam::ipam::{
    AddressSet, ClaimId, ClaimKind, Entry, Occupancy, Pool, Seeded, Strategy as Order, allocate, parse_address,
};
use proptest::option;
use proptest::prelude::*;

use crate::made;
use crate::scan;

/// The longest scan of an entry that these pools need.
const LIMIT: usize = 300;

/// The address that a search meets, or the text of the refusal.
fn search(
    spec: &IPPoolSpec,
    held: &BTreeSet<IpAddr>,
    claim: &str,
    wish: Option<&str>,
    offset: u64,
) -> Result<IpAddr, String> {
    let wish = wish.filter(|text| !text.is_empty());
    let wished = match wish {
        Some(text) => Some(
            parse_address(text)
                .map_err(|_| format!("Invalid ipAddress annotation \"{text}\": not a valid IP address"))?,
        ),
        None => None,
    };
    let own = spec.pre_allocations.get(claim).map(|text| parse_address(text).ok());
    if let (Some(own), Some(wished)) = (own, wished)
        && own != Some(wished)
    {
        return Err("PreAllocation and requested ip address are conflicting".into());
    }
    let reserved: BTreeSet<IpAddr> = spec
        .pre_allocations
        .values()
        .filter_map(|t| parse_address(t).ok())
        .collect();
    let entries: Vec<Vec<IpAddr>> = spec.pools.iter().map(|pool| scan::scan(pool, LIMIT)).collect();
    let met = |address: IpAddr| entries.iter().flatten().any(|a| *a == address);
    if let Some(own) = own {
        let address = own.filter(|a| met(*a)).ok_or("Pre-allocated IP out of bounds")?;
        return if held.contains(&address) {
            Err("Requested IP not available".into())
        } else {
            Ok(address)
        };
    }
    if let Some(wished) = wished {
        return match met(wished) {
            false => Err("Exhausted IP Pools".into()),
            true if held.contains(&wished) || reserved.contains(&wished) => Err("Requested IP not available".into()),
            true => Ok(wished),
        };
    }
    let free = |address: &IpAddr| !held.contains(address) && !reserved.contains(address);
    if Order::named(spec.allocation_strategy.as_deref()) == Order::Sequential {
        return entries
            .into_iter()
            .flatten()
            .find(free)
            .ok_or("Exhausted IP Pools".into());
    }
    let drawn = spec.pools.iter().find_map(|pool| draw(pool, offset, &free));
    drawn.ok_or("Exhausted IP Pools".into())
}

fn draw(pool: &Given, offset: u64, free: &dyn Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let size = Entry::new(pool).size().ok().filter(|size| *size > 0)?;
    let start = offset % size;
    // Past the edge of any made subnet nothing follows, so a bounded look both ways is a whole one.
    let ahead = (start..size).take(LIMIT);
    let behind = (0..start).take(LIMIT);
    ahead
        .chain(behind)
        .filter_map(|index| scan::render(pool, index.into()))
        .find(free)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_choice_is_what_a_search_finds(
        spec in made::spec(3),
        held in prop::collection::btree_set(0u8..32, 0..20),
        claim in 0u8..8,
        wish in option::weighted(0.3, made::address()),
        offset in 0u64..64,
    ) {
        let held: BTreeSet<IpAddr> = held.iter().map(|n| parse_address(&format!("10.0.0.{n}")).unwrap()).collect();
        let id = ClaimId::new(ClaimKind::IPClaim, format!("c{claim}"));
        let pool = Pool::ippool("pool", &spec);
        let taken: AddressSet = held.iter().copied().collect();
        let mut occupancy = Occupancy::new(taken, pool.reserved(), BTreeSet::new());
        let got = allocate(&pool, &mut occupancy, &id, wish.as_deref(), &mut |_: u64| offset);
        let got = got.map(|grant| grant.address).map_err(|refusal| refusal.to_string());
        prop_assert_eq!(got, search(&spec, &held, &id.name, wish.as_deref(), offset));
    }

    #[test]
    fn a_draw_meets_only_free_addresses(size in 1u8..30, held in prop::collection::btree_set(0u8..32, 0..31), seed: u64) {
        let entry = Given { start: Some("10.0.0.0".into()), end: Some(format!("10.0.0.{}", size - 1)), ..Given::default() };
        let spec = IPPoolSpec { pools: vec![entry], allocation_strategy: Some("random".into()), ..IPPoolSpec::default() };
        let held: AddressSet = held.iter().map(|n| parse_address(&format!("10.0.0.{n}")).unwrap()).collect();
        let pool = Pool::ippool("pool", &spec);
        let given: Vec<IpAddr> = pool.succession(&held, &mut Seeded::new(seed)).collect();
        let distinct: BTreeSet<IpAddr> = given.iter().copied().collect();
        prop_assert_eq!(distinct.len(), given.len());
        let free: BTreeSet<IpAddr> = pool.addresses().ranges().flatten().filter(|a| !held.contains(*a)).collect();
        prop_assert_eq!(distinct, free);
    }
}

#[test]
fn a_pool_costs_by_its_gaps_and_not_by_its_size() {
    let whole = Given {
        start: Some("2001:db8::".into()),
        subnet: Some("2001:db8::/32".into()),
        ..Given::default()
    };
    let spec = IPPoolSpec {
        pools: vec![whole],
        pre_allocations: [("far".to_owned(), "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".to_owned())].into(),
        ..IPPoolSpec::default()
    };
    let pool = Pool::ippool("pool", &spec);
    let mut occupancy = Occupancy::new(AddressSet::new(), pool.reserved(), BTreeSet::new());
    let far = ClaimId::new(ClaimKind::IPClaim, "far");
    let grant = allocate(&pool, &mut occupancy, &far, None, &mut Seeded::new(0)).expect("the last address");
    assert_eq!(grant.address.to_string(), "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    for count in 0..20_000u32 {
        let id = ClaimId::new(ClaimKind::IPClaim, count.to_string());
        let grant = allocate(&pool, &mut occupancy, &id, None, &mut Seeded::new(0)).expect("a free address");
        assert_eq!(
            grant.address,
            parse_address(&format!("2001:db8::{:x}:{:x}", count >> 16, count & 0xffff)).unwrap()
        );
    }
    assert_eq!(occupancy.held().ranges().count(), 2);
}
