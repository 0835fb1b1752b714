//! Takes two controllers that both believe to lead, lets chance decide who makes the next call and who dies, proves that no
//! two claims ever show one address and that the end is the same as without any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use capv_ipam::api::metal3::{IPPoolSpec, Pool as Given};
use capv_ipam::ipam::{AddressObject, Claim, ClaimId, ClaimKind, ObjectId, Pool, ippool_reference};
use proptest::prelude::*;

use crate::leaders::{Controller, Server, StoredClaim};

#[derive(Clone, Copy, Debug)]
enum Event {
    Create(u8, bool),
    Delete(u8, bool),
    /// Somebody makes an address object by hand, or deletes it again.
    HandMade(u8),
    /// Controller `0` or `1` makes its next call, this many times.
    Step(usize, u8),
    /// Controller `0` or `1` dies and starts again.
    Kill(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0u8..3, any::<bool>()).prop_map(|(n, capi)| Event::Create(n, capi)),
        2 => (0u8..3, any::<bool>()).prop_map(|(n, capi)| Event::Delete(n, capi)),
        1 => (0u8..4).prop_map(Event::HandMade),
        12 => (0usize..2, 1u8..4).prop_map(|(who, times)| Event::Step(who, times)),
        1 => (0usize..2).prop_map(Event::Kill),
    ]
}

fn server() -> Server {
    let entry = Given {
        start: Some("10.0.0.1".into()),
        end: Some("10.0.0.4".into()),
        ..Given::default()
    };
    let spec = IPPoolSpec {
        pools: vec![entry],
        name_prefix: "p".into(),
        ..IPPoolSpec::default()
    };
    Server {
        pool: Pool::ippool("pool", &spec),
        indexes: BTreeMap::new(),
        indexes_version: 0,
        claims: Vec::new(),
        objects: Vec::new(),
    }
}

fn id(number: u8, capi: bool) -> ClaimId {
    let kind = if capi {
        ClaimKind::IPAddressClaim
    } else {
        ClaimKind::IPClaim
    };
    ClaimId::new(kind, format!("c{number}"))
}

fn happen(server: &mut Server, controllers: &mut [Controller; 2], event: Event, time: usize) {
    match event {
        Event::Create(number, capi) => {
            let id = id(number, capi);
            if server.claim_mut(&id).is_none() {
                let mut claim = Claim::new(id, ippool_reference("pool"));
                claim.uid = Some(format!("uid-{time}"));
                claim.created = Some(format!("2026-01-01T00:00:{:02}Z", time % 60));
                server.claims.push(StoredClaim {
                    claim,
                    version: 0,
                    shows: None,
                    fences: 0,
                });
            }
        }
        Event::Delete(number, capi) => {
            let id = id(number, capi);
            if let Some(stored) = server.claim_mut(&id) {
                stored.claim.deleting = true;
                stored.version += 1;
            }
            server
                .claims
                .retain(|s| s.claim.id != id || !s.claim.finalizers.is_empty());
        }
        Event::HandMade(number) => {
            let id = ObjectId {
                name: format!("hand-made-{number}"),
                kind: ClaimKind::IPClaim,
            };
            let before = server.objects.len();
            server.objects.retain(|object| object.id != id);
            if server.objects.len() == before {
                server.objects.push(AddressObject {
                    id,
                    pool: ippool_reference("pool").into(),
                    claim: String::new(),
                    address: format!("10.0.0.{number}"),
                    owner: None,
                });
            }
        }
        Event::Step(who, times) => (0..times).for_each(|_| server.step(&mut controllers[who])),
        Event::Kill(who) => controllers[who] = Controller::Idle,
    }
}

fn shown(server: &Server) -> Vec<IpAddr> {
    server.claims.iter().filter_map(|stored| stored.shows).collect()
}

fn all_distinct(server: &Server) -> bool {
    let shown = shown(server);
    shown.iter().collect::<BTreeSet<_>>().len() == shown.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_two_claims_ever_show_one_address(events in prop::collection::vec(event(), 1..120)) {
        let mut server = server();
        let mut controllers = [Controller::Idle, Controller::Idle];
        for (time, event) in events.iter().enumerate() {
            let before: BTreeMap<String, IpAddr> = addresses(&server);
            happen(&mut server, &mut controllers, *event, time);
            prop_assert!(all_distinct(&server), "after {:?}: {:?}", event, server.claims);
            for (uid, address) in addresses(&server) {
                prop_assert!(before.get(&uid).is_none_or(|old| *old == address), "{uid} moved");
            }
        }
        // One controller alone, started afresh, brings everything to rest.
        server.settle();
        prop_assert!(all_distinct(&server));
        prop_assert!(server.claims.iter().all(|stored| !stored.claim.deleting), "{:?}", server.claims);
        let taken = server.objects.len();
        let addresses: BTreeSet<&str> = server.objects.iter().map(|object| object.address.as_str()).collect();
        let hopeful = server.claims.iter().filter(|stored| stored.shows.is_none()).count();
        prop_assert!(hopeful == 0 || addresses.len() >= 4, "{hopeful} claims wait beside {taken} objects");
        let made = server.objects.iter().filter(|object| object.owner.is_some()).count();
        prop_assert_eq!(made, shown(&server).len(), "{:?}", server.objects);
    }
}

/// UID of every claim that shows an address, and the address.
fn addresses(server: &Server) -> BTreeMap<String, IpAddr> {
    let claims = server.claims.iter();
    claims
        .filter_map(|stored| Some((stored.claim.uid.clone()?, stored.shows?)))
        .collect()
}
