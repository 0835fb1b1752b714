//! Takes the store's view of a pool, gives what the allocator decides, less what is in hand already; never calls anybody.

use std::collections::{BTreeMap, HashMap, hash_map::RandomState};
use std::hash::BuildHasher as _;

use super::super::call::Key;
use super::super::event::Tone;
use super::super::kinds::Kind;
use super::super::metrics::PoolFigures;
use super::super::store::{Namespace, ObjectNote};
use super::super::table::Version;
use super::super::world::World;
use super::InHand;
use super::status::subject;
use crate::api::metal3::IPPool;
use crate::ipam::{
    AddressObject, AddressRange, AddressSet, Claim, ClaimId, Double, Granted, ObjectId, Outcome, Pool, Refused,
    Released, Seeded, Snapshot, Source, parse_address,
};

/// How large `status.indexes` may grow: an entry counts twice its key, once for the field's owner that the API server
/// records, and etcd takes 1.5 MB.
const LARGEST_INDEXES: usize = 1_200_000;

/// How many claims get an address in one decision: what is in hand is kept in memory.
const MOST_AT_ONCE: usize = 1000;

/// A claim as it was when the decision was made.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) claim: Claim,
    pub(super) version: Version,
}

impl Seen {
    /// Whether the claim has the finalizer of its kind.
    pub(super) fn is_guarded(&self) -> bool {
        let finalizer = self.claim.id.kind.finalizer();
        self.claim.finalizers.iter().any(|there| there == finalizer)
    }
}

/// An address object as it was when the decision was made.
#[derive(Clone, Debug)]
pub(super) struct SeenObject {
    pub(super) object: AddressObject,
    pub(super) note: ObjectNote,
    pub(super) version: Version,
}

/// What is to be done about a pool.
#[derive(Debug)]
pub(super) struct Decision {
    /// The pool without its status.
    pub(super) pool: IPPool,
    pub(super) outcome: Outcome,
    /// The claims that are acted on.
    pub(super) claims: HashMap<ClaimId, Seen>,
    /// The address objects that are deleted.
    pub(super) objects: HashMap<ObjectId, SeenObject>,
    /// Whether `status.indexes` has to change.
    pub(super) changes_indexes: bool,
    /// Claims that get nothing because the pool's status is as large as it may be.
    pub(super) turned_away: usize,
    /// Whether claims are left to the next decision.
    pub(super) leaves_more: bool,
    figures: PoolFigures,
    now_last_updated: Option<String>,
}

impl Decision {
    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        !self.changes_indexes
            && !self.needs_commit()
            && self.outcome.refused.is_empty()
            && self.outcome.orphans.is_empty()
    }

    /// Whether nothing but new claims would be served, so that it can be decided together with what comes later.
    pub(super) fn can_wait(&self) -> bool {
        let Outcome {
            released,
            fenced,
            refused,
            orphans,
            ..
        } = &self.outcome;
        let nothing_else = released.is_empty() && fenced.is_empty() && refused.is_empty() && orphans.is_empty();
        nothing_else && self.pool.metadata.deletion_timestamp.is_none()
    }

    /// Whether what is done rests on `status.indexes` being what it was.
    pub(super) fn needs_commit(&self) -> bool {
        self.changes_indexes || !self.outcome.granted.is_empty() || !self.outcome.released.is_empty()
    }

    /// `status.lastUpdated` as it was read.
    pub(super) fn last_updated(&self) -> Option<&str> {
        self.now_last_updated.as_deref()
    }
}

/// Decides about everything in the pool at once. Gives nothing if the pool is gone.
pub(super) fn decide(world: &World, key: &Key) -> Option<Decision> {
    let clusters_are_served = world.caller.serves(Kind::Cluster);
    let mut store = world.store();
    store.mark_held(&key.namespace, clusters_are_served);
    let namespace = store.namespace(&key.namespace);
    let stored = namespace.pools.get(&key.name)?;
    let pool = Pool::ippool(&key.name, &stored.spec);
    let none = BTreeMap::new();
    let indexes = stored.status.as_ref().map_or(&none, |status| &status.indexes);
    let snapshot = Snapshot {
        pool: &pool,
        deleting: stored.metadata.deletion_timestamp.is_some(),
        indexes,
        objects: namespace.objects.values(),
        claims: namespace.claims.values(),
    };
    // A seed that no clock and no other process shares.
    let mut outcome = crate::ipam::decide(&snapshot, &mut Seeded::new(RandomState::new().hash_one(0)));
    let turned_away = keep_within_limit(&mut outcome);
    let leaves_more = keep_the_first(&mut outcome);
    let figures = figures(&pool, &outcome);
    let changes_indexes = outcome.indexes != *indexes;
    world.pools.with(key, |hand| {
        leave_out(&mut outcome, hand, namespace, world.options.remove_stray_finalizers)
    });
    Some(Decision {
        pool: stored.without_status(),
        claims: seen_claims(&outcome, namespace),
        objects: seen_objects(&outcome, namespace),
        changes_indexes,
        turned_away,
        leaves_more,
        figures,
        now_last_updated: stored.status.as_ref().and_then(|status| status.last_updated.clone()),
        outcome,
    })
}

/// Takes back new grants, the last first, until `status.indexes` has the size that it may have.
fn keep_within_limit(outcome: &mut Outcome) -> usize {
    let entry = |(key, text): (&String, &String)| 2 * key.len() + text.len() + 16;
    let mut size: usize = outcome.indexes.iter().map(entry).sum();
    let mut turned_away = 0;
    while size > LARGEST_INDEXES {
        let Some((key, text)) = take_back_last(outcome) else {
            break;
        };
        size -= entry((&key, &text));
        turned_away += 1;
    }
    turned_away
}

/// Leaves new grants beyond the first [`MOST_AT_ONCE`] to the next decision, which serves the same claims in the same order.
fn keep_the_first(outcome: &mut Outcome) -> bool {
    let new = outcome.granted.iter().filter(|granted| granted.source == Source::New);
    let more = new.count().saturating_sub(MOST_AT_ONCE);
    for _ in 0..more {
        take_back_last(outcome);
    }
    more > 0
}

/// Takes the last new grant back; gives its entry of `status.indexes`.
fn take_back_last(outcome: &mut Outcome) -> Option<(String, String)> {
    let last = outcome
        .granted
        .iter()
        .rposition(|granted| granted.source == Source::New)?;
    let granted = outcome.granted.remove(last);
    outcome.in_use = outcome.in_use.saturating_sub(1);
    let address = granted.grant.address.to_string();
    let marked = format!("IPAddressClaim/{}", granted.claim.name);
    let keys = [granted.claim.name, marked];
    let key = keys
        .into_iter()
        .find(|key| outcome.indexes.get(key) == Some(&address))?;
    outcome.indexes.remove_entry(&key)
}

/// Drops what jobs are at already, and what would change nothing.
fn leave_out(outcome: &mut Outcome, hand: &mut InHand, namespace: &Namespace, removes_stray: bool) {
    let mut left_out = false;
    let mut is_free = |claim: &ClaimId| {
        let busy = hand.claims.contains(claim);
        left_out |= busy;
        !busy
    };
    outcome.granted.retain(|Granted { claim, .. }| is_free(claim));
    outcome
        .refused
        .retain(|Refused { claim, news, .. }| *news && is_free(claim));
    outcome.released.retain(|released| {
        let shows = namespace
            .claims
            .get(&released.claim)
            .is_some_and(|(claim, ..)| claim.address.is_some());
        let Released {
            claim,
            objects,
            guarded,
            stray_finalizer,
            ..
        } = released;
        let work = *guarded || !objects.is_empty() || shows || (*stray_finalizer && removes_stray);
        work && is_free(claim)
    });
    outcome.orphans.retain(|orphan| {
        let busy = hand.objects.contains(orphan);
        left_out |= busy;
        !busy
    });
    hand.left_out |= left_out;
}

fn seen_claims(outcome: &Outcome, namespace: &Namespace) -> HashMap<ClaimId, Seen> {
    let granted = outcome.granted.iter().map(|granted| &granted.claim);
    let refused = outcome.refused.iter().map(|refused| &refused.claim);
    let released = outcome.released.iter().map(|released| &released.claim);
    let fenced = outcome.fenced.iter().map(|(claim, _)| claim);
    let acted_on = granted.chain(refused).chain(released).chain(fenced);
    acted_on
        .filter_map(|id| {
            let (claim, version, _) = namespace.claims.get(id)?;
            let seen = Seen {
                claim: claim.clone(),
                version: version.clone(),
            };
            Some((id.clone(), seen))
        })
        .collect()
}

fn seen_objects(outcome: &Outcome, namespace: &Namespace) -> HashMap<ObjectId, SeenObject> {
    let released = outcome.released.iter().flat_map(|released| &released.objects);
    released
        .chain(&outcome.orphans)
        .filter_map(|id| {
            let (object, version, note) = namespace.objects.get(id)?;
            let seen = SeenObject {
                object: object.clone(),
                note: note.clone(),
                version: version.clone(),
            };
            Some((id.clone(), seen))
        })
        .collect()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a figure for people; an IPv6 pool is larger than any exact number of a gauge"
)]
fn figures(pool: &Pool, outcome: &Outcome) -> PoolFigures {
    let addresses = pool.addresses();
    let taken = outcome.indexes.values().filter_map(|text| parse_address(text).ok());
    let mut free: AddressSet = addresses.clone();
    for address in taken {
        free.remove(AddressRange::single(address));
    }
    for range in pool.reserved().ranges() {
        free.remove(range);
    }
    PoolFigures {
        size: addresses.size() as f64,
        used: outcome.in_use as f64,
        free: free.size() as f64,
        waiting: outcome.refused.len() as f64,
    }
}

/// Counts a decision that is binding.
pub(super) fn count(world: &World, decision: &Decision) {
    world.metrics.decided("granted", decision.outcome.granted.len());
    world.metrics.decided("refused", decision.outcome.refused.len());
    world.metrics.decided("released", decision.outcome.released.len());
}

/// Shows the pool's figures and says what people should know of the decision.
pub(super) fn report(world: &World, key: &Key, decision: &Decision) {
    let Decision { outcome, figures, .. } = decision;
    world.metrics.pool(key, Some(*figures));
    let pool = subject(&decision.pool);
    if decision.turned_away > 0 {
        let message = "status.indexes is as large as an object may be; make another pool for further claims";
        world.events.say(&pool, Tone::Warning, "PoolStatusFull", message.into());
    }
    if figures.size > 0.0 && figures.free == 0.0 {
        let message = "no address is free; add a range to spec.pools".to_owned();
        world.events.say(&pool, Tone::Warning, "PoolExhausted", message);
    } else if figures.size > 0.0 && figures.free < figures.size / 10.0 {
        let message = "less than a tenth of the addresses is free".to_owned();
        world.events.say(&pool, Tone::Warning, "PoolAlmostFull", message);
    }
    for collision in &outcome.collisions {
        world.metrics.collision();
        let message = format!(
            "{} is passed over for {}: its object's name {} belongs to another object",
            collision.address, collision.claim, collision.object.name
        );
        world
            .events
            .say(&pool, Tone::Warning, "IPAddressNameCollision", message);
    }
    for Double {
        claim,
        earlier,
        address,
    } in &outcome.doubles
    {
        let message = format!("{claim} shows {address}, which {earlier} shows too; delete one of the two claims");
        world.events.say(&pool, Tone::Warning, "AddressTwice", message);
    }
}
