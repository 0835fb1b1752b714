//! Puts what is live into the point from which events are played: what the machines of each group hold, and what others have.

use std::net::IpAddr;

use super::super::draws::{Draw, Draws};
use super::super::next::{GroupDraw, Holding, Order, Start, Unsure};
use super::super::plan::PoolReference;
use super::{Kept, Running};
use crate::ipam::AddressSet;

impl Running {
    /// Fills a start that was made of the same draws.
    pub(in super::super) fn begin(&self, draws: &Draws, start: &mut Start) {
        for (place, running) in start.pools.iter_mut().zip(&self.pools) {
            let Some(running) = running else { continue };
            place.pool = Some(running.pool.clone());
            match running.rivals.first() {
                None => place.taken = running.taken.clone(),
                // What others hold may come free, and they may want more.
                Some(rival) => place.guests = Err(rival.clone()),
            }
        }
        for ((index, own), group) in draws.groups.iter().zip(&mut start.groups) {
            let machines = self.machines.get(index).map(Vec::as_slice).unwrap_or_default();
            for draw in &mut group.draws {
                let held = |machine: &Kept| machine.holds(own, draw.pool);
                let held = machines.iter().map(held).collect();
                fill(draw, group.order, machines, held);
            }
            for machine in machines {
                for (pool, place) in start.pools.iter_mut().enumerate() {
                    if machine.leaves(own, pool, &place.reference) {
                        place.guests = Err(format!("machine {}", machine.name));
                    }
                }
            }
        }
    }
}

impl Kept {
    /// The addresses of its NICs that draw from a pool, wherever they came from.
    fn holds(&self, draws: &[Draw], pool: usize) -> Vec<IpAddr> {
        let nics = draws.iter().filter(|draw| draw.pool == pool);
        let held = nics.filter_map(|draw| self.nic(draw)?.held.as_ref());
        held.map(|held| held.address).collect()
    }

    /// Whether it has an address of a pool that its NIC will not draw from any more: it comes free with the machine.
    fn leaves(&self, draws: &[Draw], pool: usize, reference: &PoolReference) -> bool {
        let mut nics = draws.iter().filter(|draw| draw.pool != pool);
        nics.any(|draw| {
            let held = self.nic(draw).and_then(|nic| nic.held.as_ref());
            held.is_some_and(|held| held.pool.kind == reference.kind && held.pool.name == reference.name)
        })
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
    if let Order::OneByOne { .. } = order {
        draw.unsure = Some(match leaving {
            Some(machine) => Unsure::Leaving(machine.name.clone()),
            None => Unsure::Waiting,
        });
    }
    draw.held = Holding::Among {
        addresses,
        least,
        most: Some(most),
    };
}
