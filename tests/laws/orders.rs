//! Takes a few claims and lets them come and go in every order, compares what they hold with a plain model after each event.

use std::collections::BTreeMap;

use capv_ipam::api::metal3::{IPPoolSpec, Pool as Given};
use capv_ipam::ipam::{Claim, ClaimId, ClaimKind, ippool_reference};

use crate::world::World;

/// Claims that come and go.
const CLAIMS: usize = 3;
/// How often something happens in one story.
const EVENTS: u32 = 6;

/// The plain model: a list of numbers, the lowest free one for whoever waits longest.
#[derive(Default)]
struct Model {
    held: BTreeMap<usize, u8>,
    waiting: Vec<usize>,
}

impl Model {
    fn toggle(&mut self, claim: usize, size: u8) {
        if self.held.remove(&claim).is_none() {
            match self.waiting.iter().position(|waiting| *waiting == claim) {
                Some(place) => {
                    self.waiting.remove(place);
                }
                None => self.waiting.push(claim),
            }
        }
        while let Some(first) = self.waiting.first().copied() {
            let Some(free) = (1..=size).find(|address| self.held.values().all(|held| held != address)) else {
                return;
            };
            self.held.insert(first, free);
            self.waiting.remove(0);
        }
    }
}

fn world(size: u8) -> World {
    let entry = Given {
        start: Some("10.0.0.1".into()),
        end: Some(format!("10.0.0.{size}")),
        ..Given::default()
    };
    World {
        name: "pool".into(),
        spec: IPPoolSpec {
            pools: vec![entry],
            name_prefix: "p".into(),
            ..IPPoolSpec::default()
        },
        deleting: false,
        gone: false,
        indexes: BTreeMap::new(),
        claims: Vec::new(),
        objects: Vec::new(),
    }
}

/// Claims of both kinds. Each has a name of its own: an entry of `status.indexes` for a claim that is gone can be read as a
/// promise to the claim of the other kind and the same name, which then comes before its turn.
fn id(claim: usize) -> ClaimId {
    let kind = [ClaimKind::IPClaim, ClaimKind::IPAddressClaim][claim % 2];
    ClaimId::new(kind, format!("c{claim}"))
}

fn toggle(world: &mut World, claim: usize, time: u32) {
    let id = id(claim);
    if world.claim(&id).is_some() {
        world
            .claims
            .iter_mut()
            .filter(|claim| claim.id == id)
            .for_each(|claim| claim.deleting = true);
    } else {
        let mut claim = Claim::new(id, ippool_reference("pool"));
        claim.uid = Some(format!("uid-{time}"));
        claim.created = Some(format!("2026-01-01T00:00:{time:02}Z"));
        world.claims.push(claim);
    }
    world.settle().expect("settles");
}

fn held(world: &World) -> BTreeMap<usize, u8> {
    let number = |claim: usize| {
        let id = id(claim);
        let shown = world.claim(&id)?.address.clone()?;
        let stored = world
            .objects
            .iter()
            .find(|stored| stored.object.id.kind == id.kind && stored.object.id.name == shown)?;
        stored.object.address.rsplit('.').next()?.parse().ok()
    };
    (0..CLAIMS).filter_map(|claim| Some((claim, number(claim)?))).collect()
}

#[test]
fn claims_that_come_and_go_in_every_order_hold_what_the_plain_model_says() {
    for size in [2, 3] {
        for story in 0..CLAIMS.pow(EVENTS) {
            let (mut world, mut model) = (world(size), Model::default());
            let mut rest = story;
            for time in 0..EVENTS {
                toggle(&mut world, rest % CLAIMS, time);
                model.toggle(rest % CLAIMS, size);
                rest /= CLAIMS;
                assert_eq!(held(&world), model.held, "story {story} of size {size}, event {time}");
            }
        }
    }
}
