//! Takes a group that makes one machine at a time and whose addresses are known, and gives what it holds after a step: there is only one way that it can go.

use std::net::IpAddr;

use super::demand::Intent;
use super::holding::Holding;
use super::start::{GroupDraw, Order};
use super::unsure::Unsure;
use crate::ipam::{AddressRange, AddressSet, Pool, Seeded, Strategy};

/// What a group does, machine by machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) intent: Intent,
    /// Machines that there are to be.
    pub(super) wanted: usize,
    /// Machines that a roll-out adds before it removes one: 0 or 1; `None` when unknown.
    pub(super) surge: Option<usize>,
    /// Machines of an older template, which are the first of the list.
    pub(super) outdated: usize,
    pub(super) order: Order,
}

/// The pool of a walk.
pub(super) struct Ground<'p> {
    pub(super) name: &'p str,
    pub(super) pool: &'p Pool,
    /// What others hold for certain.
    pub(super) held: AddressSet,
    /// What others may hold.
    pub(super) maybe: AddressSet,
    /// Released addresses rest.
    pub(super) rests: bool,
}

/// Where a walk ends.
#[derive(Debug)]
pub(super) struct Walked {
    /// The machines' addresses, the oldest machine first.
    pub(super) machines: Vec<Vec<IpAddr>>,
    /// Machines of an older template that are left.
    pub(super) outdated: usize,
    /// The most addresses of the pool that the group held at once.
    pub(super) peak: u64,
    /// A machine waits for an address.
    pub(super) stuck: bool,
}

/// Goes through a step.
///
/// # Errors
/// Why there is more than one way.
pub(super) fn walk(mut course: Course, draw: &GroupDraw, ground: &Ground<'_>) -> Result<Walked, Unsure> {
    let Holding::InOrder(machines) = &draw.held else {
        return Err(Unsure::AnyOrder);
    };
    if ground.pool.strategy() == Strategy::Random {
        return Err(Unsure::Random(ground.name.to_owned()));
    }
    let mut walker = Walker {
        ground,
        each: draw.each as usize,
        taken: ground.held.clone(),
        machines: machines.clone(),
        peak: 0,
        released: false,
    };
    walker.taken.extend(draw.held.addresses().ranges());
    walker.note_peak();
    match course.intent {
        Intent::Rollout => course.outdated = machines.len(),
        Intent::Replace if machines.len() == 1 => walker.drop_first(),
        Intent::Replace => return Err(Unsure::Deleted),
        Intent::Remove => (course.wanted, course.outdated) = (0, 0),
        Intent::Settle => {}
        Intent::Resume => return Err(Unsure::Stuck(ground.name.to_owned())),
    }
    let mut outdated = course.outdated;
    while let Some(next) = course.next(walker.machines.len(), outdated)? {
        match next {
            Next::Add if !walker.add()? => return Ok(walker.end(outdated, true)),
            Next::Add => {}
            Next::DropFirst => {
                walker.drop_first();
                outdated = outdated.saturating_sub(1);
            }
        }
    }
    Ok(walker.end(outdated, false))
}

enum Next {
    Add,
    DropFirst,
}

impl Course {
    /// What the controller does next (CAPI `controlplane/kubeadm` `update.go`, `scale.go`).
    fn next(&self, machines: usize, outdated: usize) -> Result<Option<Next>, Unsure> {
        let surge = if outdated > 0 {
            self.surge.ok_or(Unsure::Strategy)?
        } else {
            0
        };
        let next = if machines < self.wanted + surge && (outdated > 0 || machines < self.wanted) {
            Next::Add
        } else if outdated > 0 || machines > self.wanted {
            Next::DropFirst
        } else {
            return Ok(None);
        };
        let choice = if outdated > 0 { outdated } else { machines };
        let spread = matches!(self.order, Order::OneByOne { spread: true });
        match next {
            Next::DropFirst if spread && choice > 1 && self.wanted > 0 => Err(Unsure::FailureDomains),
            next => Ok(Some(next)),
        }
    }
}

struct Walker<'g> {
    ground: &'g Ground<'g>,
    each: usize,
    taken: AddressSet,
    machines: Vec<Vec<IpAddr>>,
    peak: u64,
    released: bool,
}

impl Walker<'_> {
    /// Makes a machine; `false` when the pool has no address left for it.
    fn add(&mut self) -> Result<bool, Unsure> {
        let name = || self.ground.name.to_owned();
        if self.ground.rests && self.released {
            return Err(Unsure::Rests(name()));
        }
        let mut machine = Vec::with_capacity(self.each);
        for _ in 0..self.each {
            let lowest = self.ground.pool.succession(&self.taken, &mut Seeded::new(0)).next();
            match lowest {
                Some(address) if self.ground.maybe.contains(address) => return Err(Unsure::Shared(name())),
                Some(address) => {
                    self.taken.insert_address(address);
                    machine.push(address);
                }
                None if self.each == 1 => return Ok(false),
                // Whether a machine that waits for its second address keeps the first depends on who claims.
                None => return Err(Unsure::Stuck(name())),
            }
        }
        self.machines.push(machine);
        self.note_peak();
        Ok(true)
    }

    fn drop_first(&mut self) {
        for address in self.machines.remove(0) {
            if !self.ground.held.contains(address) {
                self.taken.remove(AddressRange::single(address));
            }
        }
        self.released = true;
    }

    fn note_peak(&mut self) {
        let held = self.machines.iter().map(|machine| machine.len() as u64).sum();
        self.peak = self.peak.max(held);
    }

    fn end(self, outdated: usize, stuck: bool) -> Walked {
        Walked {
            machines: self.machines,
            outdated,
            peak: self.peak,
            stuck,
        }
    }
}
