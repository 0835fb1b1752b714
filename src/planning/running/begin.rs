//! Puts what is live into the point from which events are played: what the machines of each group hold, and what others have.

use std::net::IpAddr;

use super::super::next::{GroupDraw, Holding, Order, Start, Unsure};
use super::{Kept, Running};
use crate::ipam::AddressSet;

impl Running {
    /// Fills a start whose groups are those of the plan, with their indices in the plan's order.
    pub(in super::super) fn begin(&self, groups: impl Iterator<Item = usize>, start: &mut Start) {
        for (place, running) in start.pools.iter_mut().zip(&self.pools) {
            let Some(running) = running else { continue };
            place.pool = Some(running.pool.clone());
            match running.rivals.first() {
                None => place.taken = running.taken.clone(),
                // What others hold may come free, and they may want more.
                Some(rival) => place.guests = Err(rival.clone()),
            }
        }
        for (index, group) in groups.zip(&mut start.groups) {
            let machines = self.machines.get(&index).map(Vec::as_slice).unwrap_or_default();
            for draw in &mut group.draws {
                let pool = &start.pools[draw.pool].reference.name;
                let held: Vec<Vec<IpAddr>> = machines.iter().map(|machine| machine.holds(pool)).collect();
                fill(draw, group.order, machines, held);
            }
        }
    }
}

impl Kept {
    /// Its addresses of a pool.
    fn holds(&self, pool: &str) -> Vec<IpAddr> {
        let held = self.nics.iter().filter_map(|nic| nic.held.as_ref());
        held.filter(|held| held.pool.name == pool)
            .map(|held| held.address)
            .collect()
    }
}

/// A group is known in its order when each of its machines has all its addresses and stays.
fn fill(draw: &mut GroupDraw, order: Order, machines: &[Kept], held: Vec<Vec<IpAddr>>) {
    let whole = held.iter().all(|machine| machine.len() == draw.each as usize);
    let leaving = machines.iter().find(|machine| machine.deleting);
    if let (Order::OneByOne { .. }, true, None) = (order, whole, leaving) {
        draw.held = Holding::InOrder(held);
        return;
    }
    let stays = machines.iter().zip(&held).filter(|(machine, _)| !machine.deleting);
    let least = stays.map(|(_, held)| held.len() as u64).sum();
    let addresses: AddressSet = held.into_iter().flatten().collect();
    let most = u64::try_from(addresses.size()).unwrap_or(u64::MAX);
    if let (Some(machine), Order::OneByOne { .. }) = (leaving, order) {
        draw.unsure = Some(Unsure::Leaving(machine.name.clone()));
    }
    draw.held = Holding::Among {
        addresses,
        least,
        most: Some(most),
    };
}
