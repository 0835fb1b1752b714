//! Takes how many claims of a pool wait, answers whether more come in so fast that one decision is better made about all of
//! them; never lets anybody wait for long.

use std::time::Duration;

use tokio::time::Instant;

use super::super::call::Key;
use super::super::clock;
use super::super::world::World;
use super::LONGEST_REST;
use crate::ipam::{Claim, ippool_reference};

/// So many claims that wait may be the beginning of a flood.
const MANY: usize = 32;
/// How long to wait before looking again.
const LOOK: Duration = Duration::from_millis(25);
/// How many more there are then, while the flood lasts.
const RISE: usize = 8;

/// Claims that come in.
#[derive(Debug)]
pub(super) struct Flood {
    since: Instant,
    /// How many waited at the last look.
    waiting: usize,
}

/// How long the decision had better wait; nothing if it is to be made now. Each decision writes the whole of
/// `status.indexes`, and the API server is busy creating the claims.
pub(super) fn lasts(world: &World, key: &Key) -> Option<Duration> {
    let reference = ippool_reference(&key.name);
    let waits = |claim: &&Claim| claim.address.is_none() && !claim.deleting && *claim.pool == reference;
    let waiting = {
        let store = world.store();
        store
            .namespace(&key.namespace)
            .claims
            .values()
            .iter()
            .filter(waits)
            .count()
    };
    let now = clock::instant();
    world.pools.with(key, |hand| {
        let waiting = waiting.saturating_sub(hand.claims.len());
        let rises = match &hand.flood {
            None => waiting >= MANY,
            Some(flood) => waiting >= flood.waiting + RISE && now - flood.since < LONGEST_REST,
        };
        let since = hand.flood.take().map_or(now, |flood| flood.since);
        hand.flood = rises.then_some(Flood { since, waiting });
        rises.then_some(LOOK)
    })
}
