//! Takes a decision that is binding, carries it out claim by claim with many calls in flight; whatever fails is decided
//! about again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};

use super::super::call::{Key, Trouble};
use super::super::store::Wake;
use super::super::world::World;
use super::decision::Decision;
use super::guard::Early;
use super::status::{claim_key, kind_of_claim};
use super::{FEW, fulfil, orphan, refuse, release};
use crate::ipam::{ClaimId, Granted, ObjectId, Refused, Released};

/// The shortest and longest wait after failures.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// The same where the next decision sees what was in the way.
const SETTLING: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(5));

/// One thing to carry out.
#[derive(Debug)]
enum Job {
    Fulfil(Granted),
    Refuse(Refused),
    Release(Released),
    Collect(ObjectId),
}

impl fmt::Display for Job {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fulfil(granted) => write!(out, "{} for {}", granted.grant.address, granted.claim),
            Self::Refuse(refused) => write!(out, "the refusal of {}", refused.claim),
            Self::Release(released) => write!(out, "the release of {}", released.claim),
            Self::Collect(object) => write!(out, "the end of the address object {}", object.name),
        }
    }
}

impl Job {
    fn claim(&self) -> Option<&ClaimId> {
        match self {
            Self::Fulfil(granted) => Some(&granted.claim),
            Self::Refuse(refused) => Some(&refused.claim),
            Self::Release(released) => Some(&released.claim),
            Self::Collect(_) => None,
        }
    }
}

/// Starts the jobs of a decision in the background, in the order in which claims are served.
pub(super) fn hand_over(world: &Arc<World>, key: &Key, mut decision: Decision, early: Early) {
    let outcome = &mut decision.outcome;
    let granted = std::mem::take(&mut outcome.granted).into_iter().map(Job::Fulfil);
    let released = std::mem::take(&mut outcome.released).into_iter().map(Job::Release);
    let refused = std::mem::take(&mut outcome.refused).into_iter().map(Job::Refuse);
    let orphans = std::mem::take(&mut outcome.orphans).into_iter().map(Job::Collect);
    // Releases first: they make room.
    let jobs: Vec<Job> = released.chain(granted).chain(refused).chain(orphans).collect();
    if jobs.is_empty() {
        return;
    }
    world.pools.with(key, |hand| {
        hand.claims.extend(jobs.iter().filter_map(Job::claim).cloned());
        hand.objects.extend(jobs.iter().filter_map(|job| match job {
            Job::Collect(object) => Some(object.clone()),
            _ => None,
        }));
    });
    let (world, key) = (Arc::clone(world), key.clone());
    tokio::spawn(async move {
        let (world, key, decision, early) = (&world, &key, &decision, &early);
        let carried = stream::iter(jobs).for_each_concurrent(2 * world.options.parallel, |job| async move {
            let result = carry_out(world, key, decision, early, &job).await;
            if let (Err(Trouble::Missing), Some(claim)) = (&result, job.claim()) {
                forget_if_gone(world, key, claim).await;
            }
            end(world, key, &job, result);
        });
        carried.await;
    });
}

async fn carry_out(world: &World, key: &Key, decision: &Decision, early: &Early, job: &Job) -> Result<(), Trouble> {
    match job {
        Job::Fulfil(granted) => fulfil::fulfil(world, key, decision, early, granted).await,
        Job::Refuse(refused) => refuse::refuse(world, key, decision, refused).await,
        Job::Release(released) => release::release(world, key, decision, released).await,
        Job::Collect(object) => orphan::collect(world, key, decision, object).await,
    }
}

/// A claim that a write did not find is looked for: where the watch lags or is silent, it would be promised addresses for ever.
async fn forget_if_gone(world: &World, key: &Key, id: &ClaimId) {
    let (kind, place) = (kind_of_claim(id.kind), claim_key(key, id));
    let before = world.store().version(kind, &place);
    if world.caller.get(kind, &place).await != Err(Trouble::Missing) {
        return;
    }
    // One of the same name that came meanwhile stays.
    if before.is_some() && world.store().version(kind, &place) == before {
        world.gone(kind, &place);
    }
}

/// Takes the job's claim out of the hand again, and sees to it that what it left undone is looked at.
fn end(world: &World, key: &Key, job: &Job, result: Result<(), Trouble>) {
    let (again, few) = world.pools.with(key, |hand| {
        match job {
            Job::Collect(object) => drop(hand.objects.remove(object)),
            job => {
                if let Some(claim) = job.claim() {
                    hand.claims.remove(claim);
                }
            }
        }
        match &result {
            Ok(()) => hand.failures = 0,
            Err(_) => hand.failures += 1,
        }
        let idle = hand.claims.is_empty() && hand.objects.is_empty();
        let left_out = idle && std::mem::take(&mut hand.left_out);
        let few = hand.claims.len() == hand.few.max(FEW) || hand.claims.is_empty();
        let again = match &result {
            Ok(()) => left_out.then_some(Duration::ZERO),
            Err(trouble) => {
                let (shortest, longest) = match trouble {
                    Trouble::Conflict | Trouble::Exists | Trouble::Missing => SETTLING,
                    _ => BACKOFF,
                };
                Some((shortest * 2u32.saturating_pow(hand.failures.min(16) - 1)).min(longest))
            }
        };
        (again, few)
    });
    if let Err(trouble) = &result {
        tracing::info!(pool = %key, %job, %trouble, "not carried out; it is decided again");
    }
    // What has failed waits: with two that fail, each would cut the other's wait short.
    if few && result.is_ok() {
        world.queue.hasten(&Wake::Pool(key.clone()));
    }
    if let Some(wait) = again {
        world.queue.ask_after(Wake::Pool(key.clone()), wait);
    }
}
