//! Takes a pool with every claim and address object of its namespace, decides for all claims at once and gives the whole
//! new `status.indexes`; never writes anything.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::allocate::allocate;
use super::claim::ClaimId;
use super::evidence::Evidence;
use super::holdings::Holdings;
use super::indexes::{self, Other};
use super::occupancy::Occupancy;
use super::outcome::{Granted, Outcome, Refused, Released, Snapshot, Source};
use super::pool::{Grant, Pool};
use super::release::Hold;
use super::set::AddressSet;
use super::strategy::Randomness;

/// Decides about every claim of the pool.
///
/// A claim that holds an address keeps it. The others are served by creation time, then name, then kind, so the answer
/// depends on nothing but the snapshot (and, under the random strategy, the numbers drawn). A claim that was refused before
/// is tried like any other; no claim stops another.
///
/// The law that no two claims ever show one address, whoever else decides, sleeps or dies meanwhile, holds for a caller that
/// keeps this order: confirm [`Outcome::unseen`]; write [`Outcome::fenced`]; store [`Outcome::indexes`] on the condition of
/// the pool's resourceVersion; then per claim the finalizer, the object and the status, each write of the claim on the
/// condition of the resourceVersion in the snapshot or of its own last write, and no status where the object's name turns
/// out to be somebody else's. The finalizer, which shows no address, may also be written while `indexes` is, whether that
/// succeeds or not. A refused write ends what was to follow for that claim.
#[must_use]
pub fn decide(snapshot: &Snapshot<'_>, randomness: &mut dyn Randomness) -> Outcome {
    let evidence = Evidence::read(snapshot);
    let holdings = Holdings::read(&evidence);
    let mut occupancy = occupancy(snapshot, &holdings);
    let mut outcome = Outcome::default();
    for &claim in &evidence.claims {
        let holding = holdings.by_claim.get(&claim.id);
        if claim.paused {
            continue;
        }
        if claim.deleting {
            match claim.hold() {
                Hold::Foreign => outcome.waiting.push(claim.id.clone()),
                hold => outcome.released.push(Released {
                    claim: claim.id.clone(),
                    address: holding.map(|holding| holding.address),
                    objects: evidence.released_objects(claim),
                    guarded: claim.is_guarded(),
                    stray_finalizer: hold == Hold::Stray,
                }),
            }
            continue;
        }
        if claim.address.is_some() {
            continue;
        }
        if let Some(holding) = holding {
            outcome.granted.push(Granted {
                claim: claim.id.clone(),
                grant: held_grant(snapshot.pool, holding.address, &claim.id.name),
                source: holding.source.unwrap_or(Source::Adopted),
                create: holding.object.is_none(),
            });
            continue;
        }
        let requested = claim.requested.as_deref();
        match allocate(snapshot.pool, &mut occupancy, &claim.id, requested, randomness) {
            Ok(grant) => outcome.granted.push(Granted {
                claim: claim.id.clone(),
                grant,
                source: Source::New,
                create: true,
            }),
            Err(refusal) => outcome.refused.push(Refused {
                claim: claim.id.clone(),
                news: claim.failure.as_deref() != Some(refusal.to_string().as_str()),
                refusal,
            }),
        }
    }
    outcome.orphans = holdings.orphans.iter().map(|object| object.id.clone()).collect();
    outcome.doubles.clone_from(&holdings.doubles);
    outcome.collisions = occupancy.collisions().to_vec();
    outcome.in_use = occupancy.held().size();
    outcome.indexes = record(&evidence, &holdings, &outcome.granted);
    settle_doubts(snapshot, &evidence, &holdings, &mut outcome);
    outcome
}

/// Which address each claim of the pool holds, by its status, a promise or an address object, before anything new is
/// decided.
#[must_use]
pub fn holders(snapshot: &Snapshot<'_>) -> BTreeMap<ClaimId, IpAddr> {
    let evidence = Evidence::read(snapshot);
    let held = Holdings::read(&evidence).by_claim.into_iter();
    held.map(|(id, holding)| (id.clone(), holding.address)).collect()
}

/// What is taken before the first new decision.
fn occupancy(snapshot: &Snapshot<'_>, holdings: &Holdings<'_>) -> Occupancy {
    let reserved = if snapshot.deleting {
        AddressSet::new()
    } else {
        snapshot.pool.reserved()
    };
    let names = snapshot.objects.iter().map(|object| object.id.clone()).collect();
    let mut occupancy = Occupancy::new(holdings.held.clone(), reserved, names);
    for (id, holding) in &holdings.by_claim {
        occupancy.hold(holding.address, id.kind);
    }
    occupancy
}

/// The values for an address that was chosen earlier: those of the entry that a scan meets it in, else of one that can
/// draw it, else the pool's own.
fn held_grant(pool: &Pool, address: IpAddr, claim: &str) -> Grant {
    let drawn = || {
        let entries = pool.entries();
        entries.iter().position(|entry| entry.offers(address, pool.strategy()))
    };
    pool.grant(address, pool.entry_of(address).or_else(drawn), claim)
}

/// Claims before objects made by hand: a claim's own address is the one that its name leads to.
fn record(evidence: &Evidence<'_>, holdings: &Holdings<'_>, granted: &[Granted]) -> BTreeMap<String, String> {
    let held = holdings.by_claim.iter().map(|(id, holding)| (*id, holding.address));
    let new = granted.iter().map(|granted| (&granted.claim, granted.grant.address));
    let reserved = holdings.reservations.iter().map(|(id, address)| (id, *address));
    let living = evidence.claims.iter().map(|claim| &claim.id);
    indexes::record(held.chain(new).chain(reserved), living)
}

/// What old promises may still bring about against this decision.
///
/// A claim that holds another address than the one promised counts even if its status shows that: it may be an earlier claim
/// of the name, seen late. An entry with two meanings matters only where the decision acts on one of them or changes the
/// entry.
fn settle_doubts(snapshot: &Snapshot<'_>, evidence: &Evidence<'_>, holdings: &Holdings<'_>, outcome: &mut Outcome) {
    let mut fenced = Vec::new();
    for &claim in &evidence.claims {
        let holding = holdings.by_claim.get(&claim.id);
        match evidence.promises.to.get(&claim.id) {
            Some(address) if holding.is_none_or(|holding| holding.address != *address) => {
                fenced.push((claim, *address));
            }
            _ => {}
        }
    }
    let granted = outcome.granted.iter().filter(|_| !evidence.promises.doubts.is_empty());
    let acted_on: BTreeSet<&ClaimId> = granted.map(|granted| &granted.claim).collect();
    for doubt in &evidence.promises.doubts {
        let changes = outcome.indexes.get(doubt.key) != snapshot.indexes.get(doubt.key);
        if !changes && !doubt.winner.is_some_and(|winner| acted_on.contains(winner)) {
            continue;
        }
        match &doubt.other {
            Other::Seen(claim) => fenced.push((claim, doubt.address)),
            Other::Unseen(id) => outcome.unseen.push(id.clone()),
        }
    }
    outcome.fenced = fenced
        .into_iter()
        .filter(|(claim, _)| !claim.is_let_go())
        .map(|(claim, address)| (claim.id.clone(), address))
        .collect();
}
