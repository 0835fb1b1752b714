//! The pool role: takes one IPPool that something changed about, brings its claims and address objects to what the allocator
//! decides. Every write keeps the order that [`decide`](crate::ipam::decide) asks for.

mod commit;
mod decision;
mod flood;
mod fulfil;
mod gate;
mod guard;
mod jobs;
mod orphan;
mod prepare;
mod refuse;
mod release;
mod settle;
mod status;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::call::{Key, Trouble};
use super::clock;
use super::kinds::Kind;
use super::queue::Pass;
use super::store::Wake;
use super::world::World;
use crate::ipam::{ClaimId, ObjectId};

/// How many times as long as a decision took the next one waits at most while something is carried out: deciding and writing
/// the pool's status are to cost little of the time, however large the pool is.
const REST: u32 = 9;
/// Claims that are carried out in a second, at a rate that few API servers exceed.
const RATE: u32 = 500;
/// How many claims in hand are few at least: with more of them the next decision waits until so few are left.
const FEW: usize = 64;
/// The longest such wait.
const LONGEST_REST: Duration = Duration::from_secs(3);
/// The longest time for which new claims are left undecided because others are being carried out.
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// What is in hand for each pool: decided, and not yet carried out.
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<HashMap<Key, InHand>>);

#[derive(Debug, Default)]
struct InHand {
    claims: HashSet<ClaimId>,
    objects: HashSet<ObjectId>,
    /// Since when a decision about new claims is put off.
    put_off: Option<Instant>,
    /// So many are few: the next decision is made when so few are left.
    few: usize,
    /// Whether a pass left something out because it was in hand.
    left_out: bool,
    /// Claims that come in faster than they are decided about.
    flood: Option<flood::Flood>,
    /// Jobs that failed one after the other.
    failures: u32,
}

impl InHand {
    fn has_plenty(&self) -> bool {
        self.claims.len() > self.few.max(FEW)
    }
}

/// How long so many claims take to be carried out.
fn time_for(claims: usize) -> Duration {
    Duration::from_secs(1) * u32::try_from(claims).unwrap_or(u32::MAX) / RATE
}

/// How many claims are carried out while a decision is made that takes so long.
fn few_after(took: Duration) -> usize {
    let claims = took.min(LONGEST_REST).as_millis() * u128::from(RATE) / 1000;
    FEW + usize::try_from(claims).unwrap_or(FEW)
}

impl Pools {
    fn with<T>(&self, key: &Key, with: impl FnOnce(&mut InHand) -> T) -> T {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        with(pools.entry(key.clone()).or_default())
    }

    fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Whether nothing is in hand for any pool.
    pub(super) fn is_idle(&self) -> bool {
        let pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pools
            .values()
            .all(|hand| hand.claims.is_empty() && hand.objects.is_empty())
    }

    /// The rest after a pass that took so long.
    fn rest(&self, key: &Key, took: Duration) -> Pass {
        let rest = self.with(key, |hand| match hand.claims.len() {
            0 => Duration::ZERO,
            _ if hand.has_plenty() => LONGEST_REST,
            few => (took * REST).min(time_for(few)).max(took),
        });
        Pass::Done {
            rest: rest.min(LONGEST_REST),
            at_least: took.min(rest).min(LONGEST_REST),
        }
    }

    /// Whether there is enough to carry out meanwhile, so that a decision may wait, though not again and again.
    fn put_off(&self, key: &Key) -> bool {
        self.with(key, |hand| {
            let since = *hand.put_off.get_or_insert_with(clock::instant);
            hand.has_plenty() && since.elapsed() < LONGEST_DELAY
        })
    }

    fn is_busy(&self, key: &Key) -> bool {
        self.with(key, |hand| !hand.claims.is_empty() || !hand.objects.is_empty())
    }
}

/// One pass over a pool.
///
/// # Errors
/// What stopped it before anything was handed to the jobs.
pub(super) async fn pass(world: &Arc<World>, key: &Key) -> Result<Pass, Trouble> {
    match attempt(world, key).await {
        // The pool, or a claim that the decision rests on, is not as it was: read and decide again.
        Err(Trouble::Conflict) => {
            world.metrics.conflict();
            match world.caller.get(Kind::Pool, key).await {
                Ok(fresh) => Ok(if world.could_keep(Kind::Pool, fresh) {
                    Pass::Again
                } else {
                    Pass::Failed
                }),
                Err(Trouble::Missing) => Ok(Pass::Again),
                Err(trouble) => Err(trouble),
            }
        }
        end => end,
    }
}

async fn attempt(world: &Arc<World>, key: &Key) -> Result<Pass, Trouble> {
    // Without every kind's objects nothing can be known to be free. The last list to be complete wakes every pool.
    if !world.vitals.unsynced().is_empty() {
        return Ok(Pass::DONE);
    }
    let began = clock::instant();
    let Some(pool) = settle::pool(world, key).await? else {
        return settle::orphaned_claims(world, key).await;
    };
    if !gate::is_open(world, &pool) {
        return Ok(Pass::DONE);
    }
    if let Some(wait) = flood::lasts(world, key) {
        return Ok(Pass::Later(wait));
    }
    prepare::prepare(world, key, &pool).await?;
    let Some(mut decision) = decision::decide(world, key) else {
        return Ok(Pass::Again);
    };
    decision::report(world, key, &decision);
    if decision.is_idle() {
        settle::finish(world, key, &decision).await?;
        // The watch may wake the pool for writes of ours; those passes need not come at once.
        return Ok(world.pools.rest(key, began.elapsed()));
    }
    if decision.can_wait() && world.pools.put_off(key) {
        world.queue.ask(Wake::Pool(key.clone()));
        return Ok(world.pools.rest(key, began.elapsed()));
    }
    let early = commit::commit(world, key, &mut decision).await?;
    decision::count(world, &decision);
    let took = began.elapsed();
    world
        .pools
        .with(key, |hand| (hand.few, hand.put_off) = (few_after(took), None));
    if decision.pool.metadata.deletion_timestamp.is_some() || decision.leaves_more {
        // The pool may be able to go now, or more claims wait, and nothing else would bring the next pass.
        world.queue.ask(Wake::Pool(key.clone()));
    }
    jobs::hand_over(world, key, decision, early);
    Ok(world.pools.rest(key, took))
}
