//! What is known of a group's addresses after a step that can go several ways.

use super::demand::Demand;
use super::holding::Holding;
use super::start::{GroupStart, Order};
use crate::ipam::AddressSet;

/// What is known of a draw when its group has done what it can.
pub(super) struct Afterwards<'r> {
    /// Every address that a claim of the step can get.
    pub(super) reached: &'r AddressSet,
    pub(super) demand: Demand,
    /// A machine may wait for an address.
    pub(super) short: bool,
    /// The group takes all that is free, and no other group takes any.
    pub(super) fills: bool,
}

impl Afterwards<'_> {
    /// What the group holds then.
    pub(super) fn held(&self, is: &GroupStart, draw: usize) -> Holding {
        let draw = &is.draws[draw];
        let each = u64::from(draw.each);
        let mut addresses = AddressSet::new();
        if self.short || !self.demand.renews {
            addresses.extend(draw.held.addresses().ranges());
        }
        addresses.extend(self.reached.ranges());
        let wanted = is.replicas.map(|machines| u64::from(machines) * each);
        let one_by_one = matches!(is.order, Order::OneByOne { .. });
        if wanted == Some(0) && !self.short && one_by_one {
            return Holding::InOrder(Vec::new());
        }
        let known = u64::try_from(addresses.size()).unwrap_or(u64::MAX);
        let (least, most) = match (self.short, self.fills) {
            (true, true) => (known, Some(known)),
            // A group that adds first keeps what it had until an added machine runs.
            (true, false) if self.demand.adds_first => (draw.held.least(), self.demand.most.map(|most| most * each)),
            (true, false) => (0, self.demand.most.map(|most| most * each)),
            (false, _) if is.elastic => (0, wanted),
            (false, _) => (wanted.unwrap_or(0), wanted),
        };
        match addresses.first() {
            Some(only) if one_by_one && known == 1 && least == 1 && most == Some(1) => {
                Holding::InOrder(vec![vec![only]])
            }
            _ => Holding::Among { addresses, least, most },
        }
    }
}
