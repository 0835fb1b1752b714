//! Takes a subnet of the plan and gives it cut into stretches of one use each, all of them together the whole subnet; draws nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::lookup::Lookup;
use super::uses::Use;
use crate::ipam::{AddressRange, AddressSet, Family, Network, number};
use crate::planning::SubnetPlan;

/// A use of some addresses. `owner` is the index of the pool or endpoint in the subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) what: Use,
    pub(super) owner: usize,
}

/// Neighbouring addresses with the same uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The lowest, as a number of the family.
    pub(super) first: u128,
    /// The highest.
    pub(super) last: u128,
    /// Sorted; empty for free addresses.
    pub(super) marks: Vec<Mark>,
}

/// A subnet cut into stretches.
pub(super) struct Map {
    pub(super) family: Family,
    /// Ascending, without gaps.
    pub(super) stretches: Vec<Stretch>,
}

impl Stretch {
    /// How many addresses.
    pub(super) fn size(&self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }

    /// How it is drawn.
    pub(super) fn look(&self) -> Use {
        match self.marks[..] {
            [] => Use::Free,
            [only] => only.what,
            // A router that answers DNS questions is nothing unusual.
            [one, other] if (one.what, other.what) == (Use::Gateway, Use::NameServer) => Use::Gateway,
            _ => Use::Conflict,
        }
    }
}

impl Map {
    /// The map of a subnet; none where nothing but names is known.
    pub(super) fn of(subnet: &SubnetPlan, lookup: &Lookup<'_>) -> Option<Self> {
        let ranges = ranges(subnet, lookup);
        let network = subnet.network();
        let hull = match network {
            Some(network) => AddressRange::whole(network),
            None => {
                let first = ranges.iter().map(|(range, _)| range.start()).min()?;
                let last = ranges.iter().map(|(range, _)| range.end()).max()?;
                AddressRange::new(first, last).ok()?
            }
        };
        Some(Map {
            family: hull.family(),
            stretches: cut(hull, &ranges),
        })
    }

    /// The stretches with two uses that exclude each other.
    pub(super) fn conflicts(&self) -> impl Iterator<Item = &Stretch> {
        self.stretches.iter().filter(|stretch| stretch.look() == Use::Conflict)
    }
}

/// Every use of a subnet's addresses.
fn ranges(subnet: &SubnetPlan, lookup: &Lookup<'_>) -> Vec<(AddressRange, Mark)> {
    let mut found = Vec::new();
    let network = subnet.network();
    let mut single = |address: Option<IpAddr>, what, owner| {
        found.extend(address.map(|address| (AddressRange::single(address), Mark { what, owner })));
    };
    single(network.and_then(Network::anycast), Use::Network, 0);
    single(network.and_then(Network::broadcast), Use::Broadcast, 0);
    let address = |text: &String| text.parse().ok();
    subnet
        .gateways
        .iter()
        .enumerate()
        .for_each(|(owner, text)| single(address(text), Use::Gateway, owner));
    subnet
        .dns_servers
        .iter()
        .enumerate()
        .for_each(|(owner, text)| single(address(text), Use::NameServer, owner));
    for (owner, endpoint) in subnet.endpoints.iter().enumerate() {
        single(address(&endpoint.address), Use::Endpoint, owner);
    }
    for (owner, pool) in subnet.pools.iter().enumerate() {
        let set = |texts: &[String]| {
            texts
                .iter()
                .filter_map(|text| text.parse::<AddressRange>().ok())
                .collect::<AddressSet>()
        };
        let exact: AddressSet = lookup.held(&pool.pool).collect();
        let replicas = set(&pool.replicas);
        let mut rest = set(&pool.ranges);
        let parts = [
            (Use::Reserved, set(&pool.reserved)),
            (Use::Exact, replicas.intersection(&exact)),
            (Use::Replica, replicas),
            (Use::Surge, set(&pool.surge)),
            (Use::Any, set(&pool.any)),
        ];
        let mut taken = AddressSet::new();
        for (what, mut part) in parts {
            taken.ranges().for_each(|range| part.remove(range));
            taken.extend(part.ranges());
            found.extend(part.ranges().map(|range| (range, Mark { what, owner })));
        }
        taken.ranges().for_each(|range| rest.remove(range));
        let what = if pool.groups.is_empty() {
            Use::Unused
        } else {
            Use::Spare
        };
        found.extend(rest.ranges().map(|range| (range, Mark { what, owner })));
    }
    found
}

/// Cuts the addresses of `hull` wherever a use begins or ends.
pub(super) fn cut(hull: AddressRange, uses: &[(AddressRange, Mark)]) -> Vec<Stretch> {
    let inside = |(range, mark): &(AddressRange, Mark)| {
        let range = range.intersection(hull)?;
        Some((number(range.start()), number(range.end()), *mark))
    };
    let uses: Vec<(u128, u128, Mark)> = uses.iter().filter_map(inside).collect();
    let mut starts: BTreeSet<u128> = BTreeSet::from([number(hull.start())]);
    let (mut begins, mut ends): (Vec<usize>, Vec<usize>) = ((0..uses.len()).collect(), (0..uses.len()).collect());
    begins.sort_by_key(|of| uses[*of].0);
    ends.sort_by_key(|of| uses[*of].1);
    for (first, last, _) in &uses {
        starts.insert(*first);
        starts.extend(last.checked_add(1).filter(|next| *next <= number(hull.end())));
    }
    let starts: Vec<u128> = starts.into_iter().collect();
    let (mut begins, mut ends) = (begins.into_iter().peekable(), ends.into_iter().peekable());
    let mut active: BTreeSet<(Mark, usize)> = BTreeSet::new();
    let mut stretches = Vec::new();
    for (index, first) in starts.iter().enumerate() {
        while let Some(of) = ends.next_if(|of| uses[*of].1 < *first) {
            active.remove(&(uses[of].2, of));
        }
        while let Some(of) = begins.next_if(|of| uses[*of].0 <= *first) {
            active.insert((uses[of].2, of));
        }
        stretches.push(Stretch {
            first: *first,
            last: starts.get(index + 1).map_or(number(hull.end()), |next| next - 1),
            marks: active.iter().map(|(mark, _)| *mark).collect(),
        });
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_that_exclude_each_other_are_a_conflict() {
        let both = |one, other| {
            let uses = [
                ("10.0.0.5", Mark { what: one, owner: 0 }),
                ("10.0.0.5", Mark { what: other, owner: 1 }),
            ];
            let uses = uses.map(|(address, mark)| (address.parse().expect("an address"), mark));
            cut("10.0.0.0/29".parse().expect("a network"), &uses)[1].look()
        };
        assert_eq!(both(Use::Endpoint, Use::Spare), Use::Conflict);
        assert_eq!(both(Use::Spare, Use::Spare), Use::Conflict);
        assert_eq!(both(Use::Gateway, Use::NameServer), Use::Gateway);
        assert_eq!(both(Use::NameServer, Use::Gateway), Use::Gateway);
    }
}
