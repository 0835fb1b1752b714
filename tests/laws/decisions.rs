//! Takes stories of claims that come and go made by chance, proves what holds after each decision, whatever the story.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use capv_ipam::api::metal3::IPPoolSpec;
use capv_ipam::ipam::{
    AddressObject, AddressSet, Claim, ClaimId, ClaimKind, Pool, Seeded, Snapshot, decide, ippool_reference,
};
use proptest::option;
use proptest::prelude::*;

use crate::made;
use crate::world::World;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Create(ClaimId, Option<String>),
    Delete(ClaimId),
    Hold(ClaimId),
    Settle,
}

fn claim_id() -> impl Strategy<Value = ClaimId> {
    (0u8..8, any::<bool>()).prop_map(|(n, capi)| {
        let kind = if capi {
            ClaimKind::IPAddressClaim
        } else {
            ClaimKind::IPClaim
        };
        ClaimId::new(kind, format!("c{n}"))
    })
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (claim_id(), option::weighted(0.2, made::address())).prop_map(|(id, wish)| Event::Create(id, wish)),
        2 => claim_id().prop_map(Event::Delete),
        1 => claim_id().prop_map(Event::Hold),
        3 => Just(Event::Settle),
    ]
}

pub(crate) fn world(spec: IPPoolSpec) -> World {
    World {
        name: "pool".into(),
        spec,
        deleting: false,
        gone: false,
        indexes: BTreeMap::new(),
        claims: Vec::new(),
        objects: Vec::new(),
    }
}

pub(crate) fn happen(world: &mut World, event: &Event, time: usize) {
    match event {
        Event::Create(id, wish) if world.claim(id).is_none() => {
            let mut claim = Claim::new(id.clone(), ippool_reference("pool"));
            claim.uid = Some(format!("uid-{time}"));
            claim.created = Some(format!("2026-01-01T00:00:{:02}Z", time / 4));
            claim.requested.clone_from(wish);
            world.claims.push(claim);
        }
        Event::Create(..) => {}
        Event::Delete(id) => {
            for claim in world.claims.iter_mut().filter(|claim| claim.id == *id) {
                claim.deleting = true;
            }
        }
        Event::Hold(id) => {
            for claim in world
                .claims
                .iter_mut()
                .filter(|claim| claim.id == *id && !claim.deleting)
            {
                Arc::make_mut(&mut claim.finalizers).push("example.com/in-use".into());
            }
        }
        Event::Settle => world.settle().expect("settles"),
    }
}

/// UID of every claim that has an address, and the address.
fn given(world: &World) -> BTreeMap<String, IpAddr> {
    let address = |claim: &Claim| {
        let own =
            |object: &AddressObject| object.id.kind == claim.id.kind && Some(&object.id.name) == claim.address.as_ref();
        let stored = world.objects.iter().find(|stored| own(&stored.object))?;
        Some((claim.uid.clone()?, stored.object.address.parse().ok()?))
    };
    world.claims.iter().filter_map(address).collect()
}

fn distinct(given: &BTreeMap<String, IpAddr>) -> bool {
    given.values().collect::<BTreeSet<_>>().len() == given.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_address_twice_and_what_is_held_stays(spec in made::spec(3), events in prop::collection::vec(event(), 1..40)) {
        let mut world = world(spec);
        for (time, event) in events.iter().enumerate() {
            let before = given(&world);
            happen(&mut world, event, time);
            let after = given(&world);
            prop_assert!(distinct(&after), "{:?}", after);
            for (uid, address) in &before {
                prop_assert!(after.get(uid).is_none_or(|now| now == address));
                let lives = world.claims.iter().any(|c| c.uid.as_ref() == Some(uid) && !c.deleting);
                prop_assert!(!lives || after.contains_key(uid));
            }
            if matches!(event, Event::Settle) {
                let recorded: BTreeSet<IpAddr> = world.indexes.values().map(|t| t.parse().unwrap()).collect();
                prop_assert_eq!(recorded, after.values().copied().collect::<BTreeSet<_>>());
                let names: BTreeSet<_> = world.objects.iter().map(|stored| &stored.object.id).collect();
                prop_assert_eq!(names.len(), after.len());
            }
        }
    }

    #[test]
    fn the_order_of_the_lists_does_not_matter(
        spec in made::spec(3),
        events in prop::collection::vec(event(), 1..24),
        turn in 0usize..24,
    ) {
        let mut world = world(spec);
        for (time, event) in events.iter().enumerate() {
            happen(&mut world, event, time);
        }
        let pool = Pool::ippool("pool", &world.spec);
        let answer = |claims: &[Claim], objects: &[AddressObject]| {
            let snapshot = Snapshot { pool: &pool, deleting: false, indexes: &world.indexes, objects, claims };
            decide(&snapshot, &mut Seeded::new(7))
        };
        let mut claims = world.claims.clone();
        let mut objects: Vec<AddressObject> = world.objects.iter().map(|stored| stored.object.clone()).collect();
        let first = answer(&claims, &objects);
        claims.reverse();
        objects.reverse();
        let (half_claims, half_objects) = (turn % claims.len().max(1), turn % objects.len().max(1));
        claims.rotate_left(half_claims);
        objects.rotate_left(half_objects);
        prop_assert_eq!(first, answer(&claims, &objects));
    }

    #[test]
    fn with_k_in_use_only_the_k_lowest_are_ever_used(
        spec in made::plain_spec(),
        k in 1usize..6,
        events in prop::collection::vec(event(), 1..60),
    ) {
        let pool = Pool::ippool("pool", &spec);
        let lowest: BTreeSet<IpAddr> = pool.succession(&AddressSet::new(), &mut Seeded::new(0)).take(k).collect();
        let mut world = world(spec);
        for (time, event) in events.iter().enumerate() {
            match event {
                Event::Create(..) if world.claims.len() >= k => {}
                Event::Create(id, _) => happen(&mut world, &Event::Create(id.clone(), None), time),
                event => happen(&mut world, event, time),
            }
            for address in given(&world).values() {
                prop_assert!(lowest.contains(address), "{address} is not one of {lowest:?}");
            }
        }
    }
}
