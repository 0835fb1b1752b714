//! Takes what a group is about to do and gives how many machines that means at once; counts only, no addresses.

use super::start::Order;
use crate::objects::Strategy;

/// What a group does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// It makes or deletes machines until there are as many as wanted, and finishes a roll-out that it had begun.
    Settle,
    /// It replaces every machine.
    Rollout,
    /// Somebody deleted one machine, and it makes another.
    Replace,
    /// All its machines go.
    Remove,
    /// It goes on from where it got stuck, which is not known.
    Resume,
}

/// How many machines a group can have in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    /// Machines at once, those in deletion included (they are counted until they are gone).
    pub(super) most: Option<u64>,
    /// Machines made in the step that exist at once.
    pub(super) fresh: Option<u64>,
    /// Machines that it has when it has done all that needs no further address.
    pub(super) rests_at: Option<u64>,
    /// Beyond those it needs one more before it can delete any.
    pub(super) needs_spare: bool,
    /// The first thing it does is to make machines, and it deletes none before one of them runs.
    pub(super) adds_first: bool,
    /// It deletes machines.
    pub(super) drops: bool,
    /// Every machine is new afterwards.
    pub(super) renews: bool,
}

/// A group's numbers of machines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// Machines that there are to be; `None` while unknown.
    pub(super) wanted: Option<u64>,
    /// Machines that there are at least.
    pub(super) least: u64,
    /// Machines that there are at most, those that wait for an address included.
    pub(super) most: Option<u64>,
    /// Whether a roll-out is not finished.
    pub(super) unfinished: bool,
}

impl Demand {
    pub(super) fn of(intent: Intent, count: Count, order: Order, strategy: Strategy) -> Self {
        match intent {
            Intent::Settle if count.unfinished => Demand {
                renews: false,
                ..Demand::rollout(count, order, strategy)
            },
            Intent::Settle => Demand::settle(count),
            Intent::Rollout => Demand::rollout(count, order, strategy),
            Intent::Replace => Demand {
                most: count.wanted,
                fresh: Some(1),
                rests_at: count.wanted,
                needs_spare: false,
                adds_first: false,
                drops: true,
                renews: count.wanted == Some(1),
            },
            Intent::Remove => Demand {
                most: count.most,
                fresh: Some(0),
                rests_at: Some(0),
                needs_spare: false,
                adds_first: false,
                drops: true,
                renews: true,
            },
            Intent::Resume => {
                let rollout = Demand::rollout(count, order, strategy);
                // One by one nothing else happens before the machine that waits has its address.
                let waits_for_all = matches!(order, Order::OneByOne { .. });
                let rests_at = if waits_for_all {
                    larger(count.wanted, count.most)
                } else {
                    count.wanted
                };
                // Where the machine that waits is the one more, no further one is needed.
                let is_last = rests_at.zip(rollout.most).is_some_and(|(rests, most)| rests >= most);
                Demand {
                    fresh: rollout.most,
                    rests_at,
                    needs_spare: rollout.needs_spare && !is_last,
                    adds_first: false,
                    renews: false,
                    ..rollout
                }
            }
        }
    }

    /// Whether every machine from before is still there at every claim of the step.
    pub(super) fn keeps(&self) -> bool {
        !self.drops || (self.adds_first && self.fresh == Some(1))
    }

    fn settle(count: Count) -> Self {
        let most = larger(count.wanted, count.most);
        Demand {
            most,
            fresh: count.wanted.map(|wanted| wanted.saturating_sub(count.least)),
            rests_at: count.wanted,
            needs_spare: false,
            adds_first: count
                .wanted
                .is_none_or(|wanted| count.most.is_some_and(|most| wanted > most)),
            drops: count
                .most
                .is_none_or(|most| count.wanted.is_some_and(|wanted| most > wanted)),
            renews: count.most == Some(0),
        }
    }

    fn rollout(count: Count, order: Order, strategy: Strategy) -> Self {
        let wanted = count.wanted.map(|wanted| u32::try_from(wanted).unwrap_or(u32::MAX));
        let one_by_one = matches!(order, Order::OneByOne { .. });
        let written = strategy.surge(wanted).map(u64::from);
        // One by one there is at most one machine more, whatever is not known.
        let surge = if one_by_one {
            Some(written.unwrap_or(1).min(1))
        } else {
            written
        };
        let stays = one_by_one || strategy.unavailable(wanted) == Some(0);
        let most = count.wanted.zip(surge).map(|(wanted, surge)| wanted + surge);
        Demand {
            most: larger(most, count.most),
            fresh: count.wanted,
            rests_at: count.wanted,
            needs_spare: stays && surge != Some(0),
            adds_first: stays && written.is_some_and(|surge| surge > 0),
            drops: true,
            renews: true,
        }
    }
}

/// The larger number; unknown when one is.
fn larger(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.max(other?))
}
