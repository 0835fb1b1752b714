//! Takes a claim that gets no address, writes metal3's reason into its status; never touches an address.

use super::super::call::{Key, Trouble};
use super::super::event::{Subject, Tone};
use super::super::world::World;
use super::decision::Decision;
use super::guard::ensure_finalizer;
use super::status::{self, Word, claim_key, kind_of_claim};
use crate::api::metal3::REQUEST_ANNOTATION;
use crate::ipam::{Refusal, Refused};

/// Says why the claim gets nothing. As in metal3 the claim has the finalizer then.
///
/// # Errors
/// Those of the API server.
pub(super) async fn refuse(world: &World, key: &Key, decision: &Decision, refused: &Refused) -> Result<(), Trouble> {
    let seen = decision.claims.get(&refused.claim).ok_or(Trouble::Missing)?;
    let place = claim_key(key, &refused.claim);
    let claim = ensure_finalizer(world, &place, seen).await?;
    let kind = refused.claim.kind;
    let text = refused.refusal.to_string();
    let object = status::written(kind, &claim, Word::Failed(refused.refusal.reason(), &text));
    let stored = world.caller.put_status(kind_of_claim(kind), &place, &object).await?;
    world.keep(kind_of_claim(kind), stored);
    let subject = Subject::of(kind.name(), &claim);
    let when = match refused.refusal {
        Refusal::InvalidRequest { .. } => format!("the annotation {REQUEST_ANNOTATION} changes"),
        _ => format!("something changes in the pool {}", key.name),
    };
    // metal3 has the same words for an address that the pool does not have.
    let outside = match (&refused.refusal, &seen.claim.requested) {
        (Refusal::Exhausted, Some(asked)) if !asked.is_empty() => format!(" (no range of it holds {asked})"),
        _ => String::new(),
    };
    let message = format!("{text}{outside}; it is tried again when {when}");
    world
        .events
        .say(&subject, Tone::Warning, refused.refusal.reason(), message);
    Ok(())
}
