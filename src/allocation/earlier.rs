//! Takes claims that were refused earlier and could be served by now, says that metal3 does not try them again; never a claim
//! that is refused still.

use super::{Said, few};
use crate::api::metal3;
use crate::check::{Finding, codes};
use crate::state::{Fate, PoolView, Settled};

impl Said<'_, '_> {
    /// metal3 passes over a claim with a failure in its status (`ippool_manager.go`); the in-cluster provider writes none.
    pub(super) fn about_earlier_refusals(&mut self, view: &PoolView, settled: &Settled) {
        let served = |fate: Option<&Fate>| matches!(fate, Some(Fate::Gets { .. }));
        let mut stuck: Vec<_> = view
            .own_claims()
            .filter(|claim| claim.failure.is_some() && served(settled.fates.get(&claim.id)))
            .filter(|_| view.id.kind == metal3::POOL_KIND)
            .map(|claim| &claim.id)
            .collect();
        stuck.sort_unstable();
        let Some(first) = stuck.first() else { return };
        let names: Vec<String> = stuck.iter().map(|id| id.name.clone()).collect();
        let verb = if stuck.len() == 1 { "was" } else { "were" };
        let finding = Finding::new(
            &codes::CLAIM_STUCK,
            format!(
                "{} of {} {verb} refused earlier, and metal3 does not try again by itself",
                few(&names),
                view.id
            ),
        );
        let object = self.source(view, first).and_then(|stored| stored.object);
        self.say(
            object,
            finding.help("remove the claim's whole status, or delete its Machine; never delete the claim"),
        );
    }
}
