//! Pools and groups between two steps: what everybody holds, and who waits for an address.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::demand::{Count, Intent};
use super::holding::Holding;
use super::shortage::spread_over;
use super::start::{GroupDraw, GroupStart, PoolStart, Start, Stuck};
use super::step::Step;
use crate::api::metal3;
use crate::ipam::{AddressSet, Pool};
use crate::planning::plan::PoolReference;

/// Pools and groups between two steps.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) pools: Vec<PoolStart>,
    pub(super) groups: Vec<Group>,
    /// Endpoints of clusters, which no machine may get.
    pub(super) endpoints: Vec<IpAddr>,
    /// The groups that draw from each pool.
    users: Vec<Vec<usize>>,
    /// Pools of which an address was released.
    pub(super) released: BTreeSet<usize>,
}

/// A group between two steps.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) is: GroupStart,
    /// Machines of an older template: the first ones, where the order is known.
    pub(super) outdated: usize,
    pub(super) waiting: Option<Waiting>,
    /// Its cluster was deleted.
    pub(super) gone: bool,
}

/// A group of which a machine waits for an address.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// The pools that have none left for it.
    pub(super) pools: BTreeSet<usize>,
    /// Of the pool's groups somebody waits in every run, not only in some.
    pub(super) every_run: bool,
    /// In every run it waits itself.
    pub(super) itself: bool,
    /// Machines that it has at most, those that wait included; `None` when unknown.
    pub(super) most: Option<u64>,
    /// What is left to do, where that is known; else it may have come anywhere.
    pub(super) rest: Option<Intent>,
}

/// How a pool was used in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Addresses held at once at most; `None` when unknown.
    pub peak: Option<u64>,
    /// Addresses wanted at once: with so many nobody waits; `None` when unknown.
    pub needed: Option<u64>,
    /// Addresses that the pool has for machines; `None` when unknown.
    pub size: Option<u128>,
    /// Groups that wait for an address afterwards, by index.
    pub waiting: Vec<usize>,
    /// They wait in every run, not only in some.
    pub every_run: bool,
}

impl Waiting {
    /// How far a roll-out came before is not known.
    fn at_start(stuck: &Stuck) -> Self {
        Waiting {
            pools: stuck.pools.clone(),
            every_run: true,
            itself: true,
            most: Some(stuck.machines),
            rest: None,
        }
    }
}

impl World {
    /// The start, with every machine made that is wanted and missing, and how the pools were used for that. What is stuck
    /// stays so.
    #[must_use]
    pub fn settled(start: &Start) -> (Self, Vec<PoolUse>) {
        let group = |is: &GroupStart| Group {
            is: is.clone(),
            outdated: 0,
            waiting: is.stuck.as_ref().map(Waiting::at_start),
            gone: false,
        };
        let mut users = vec![Vec::new(); start.pools.len()];
        for (index, group) in start.groups.iter().enumerate() {
            group.draws.iter().for_each(|draw| users[draw.pool].push(index));
        }
        let mut world = World {
            users,
            pools: start.pools.clone(),
            endpoints: start.endpoints.clone(),
            groups: start.groups.iter().map(group).collect(),
            released: BTreeSet::new(),
        };
        let rests = |is: &GroupStart| is.stuck.as_ref().is_some_and(|stuck| stuck.rests);
        let acting = (0..world.groups.len()).filter(|group| !rests(&world.groups[*group].is));
        let acts = acting.map(|group| (group, Intent::Settle)).collect();
        let uses = world.step(acts, BTreeSet::new());
        (world, uses)
    }

    /// The groups with what they hold, in the order of the start.
    pub fn groups(&self) -> impl Iterator<Item = &GroupStart> + '_ {
        self.groups.iter().map(|group| &group.is)
    }

    /// A pool's identity.
    #[must_use]
    pub fn pool_reference(&self, pool: usize) -> &PoolReference {
        &self.pools[pool].reference
    }

    /// What a group holds of each of its pools.
    #[must_use]
    pub fn draws(&self, group: usize) -> &[GroupDraw] {
        &self.groups[group].is.draws
    }

    /// Whether a machine of the group waits for an address.
    #[must_use]
    pub fn is_waiting(&self, group: usize) -> bool {
        self.groups[group].waiting.is_some()
    }

    /// Every address of a pool that the groups hold, or that a claim can get while all of them are rolled out at once.
    #[must_use]
    pub fn reach(&self, pool: usize) -> AddressSet {
        let everybody = self.users(pool).map(|user| (user, Intent::Rollout)).collect();
        let mut reached = spread_over(self, pool, &Step::new(self, everybody, BTreeSet::new()));
        for draw in self.users(pool).filter_map(|user| self.draw_of(user, pool)) {
            reached.extend(draw.held.addresses().ranges());
        }
        reached
    }

    /// Addresses that the pool has for machines, held ones included; `None` when unknown.
    #[must_use]
    pub fn size(&self, pool: usize) -> Option<u128> {
        let pool = &self.pools[pool];
        let usable = pool.pool.as_ref()?.usable();
        Some(usable.without(&pool.taken).size())
    }

    /// The groups that draw from a pool.
    pub(super) fn users(&self, pool: usize) -> impl Iterator<Item = usize> + '_ {
        self.users[pool].iter().copied()
    }

    /// What a group draws from a pool.
    pub(super) fn draw_of(&self, group: usize, pool: usize) -> Option<&GroupDraw> {
        self.groups[group].is.draws.iter().find(|draw| draw.pool == pool)
    }

    /// Claims that found no address are tried again without anybody's help: by the in-cluster provider, not by metal3.
    pub(in crate::planning) fn retries(&self, pool: usize) -> bool {
        self.pools[pool].reference.kind != metal3::POOL_KIND
    }

    /// Whether a group has all that it wants and nothing left to do.
    pub(super) fn is_settled(&self, group: usize) -> bool {
        let group = &self.groups[group];
        let exactly = |draw: &GroupDraw| {
            let wanted = group.is.replicas.map(|wanted| u64::from(wanted) * u64::from(draw.each));
            wanted == Some(draw.held.least()) && wanted == draw.held.most()
        };
        group.outdated == 0 && group.waiting.is_none() && group.is.draws.iter().all(exactly)
    }

    pub(super) fn count(&self, group: usize) -> Count {
        let group = &self.groups[group];
        let each = |draw: &GroupDraw| u64::from(draw.each.max(1));
        let least = group.is.draws.iter().map(|draw| draw.held.least() / each(draw));
        let most = group
            .is
            .draws
            .iter()
            .map(|draw| Some(draw.held.most()?.div_ceil(each(draw))));
        let waiting = group.waiting.as_ref().map(|waiting| waiting.most);
        Count {
            wanted: group.is.replicas.map(u64::from),
            least: least.min().unwrap_or(0),
            most: most.chain(waiting).try_fold(0, |most, more| Some(most.max(more?))),
            unfinished: group.outdated > 0,
        }
    }

    /// Whether it is known what a draw holds once all of its pool is taken: what it may hold outside the pool, it holds.
    pub(super) fn full_pool_settles(&self, draw: &GroupDraw) -> bool {
        let inside = |pool: &Pool| {
            let usable = pool.usable();
            draw.held.addresses().ranges().all(|range| usable.contains_range(range))
        };
        draw.held.is_certain() || self.pools[draw.pool].pool.as_ref().is_some_and(inside)
    }

    /// How many addresses of the pool itself a draw holds at most and at least; addresses from outside it count for nothing.
    pub(super) fn of_pool(&self, draw: &GroupDraw) -> (u64, Option<u64>) {
        let Some(pool) = &self.pools[draw.pool].pool else {
            return (draw.held.least(), draw.held.most());
        };
        let addresses = draw.held.addresses();
        let inside = u64::try_from(addresses.intersection(&pool.usable()).size()).unwrap_or(u64::MAX);
        let outside = u64::try_from(addresses.size()).unwrap_or(u64::MAX) - inside;
        let most = draw.held.most().map_or(inside, |most| most.min(inside));
        let known = matches!(draw.held, Holding::InOrder(_)) || draw.held.most().is_some();
        (draw.held.least().saturating_sub(outside), known.then_some(most))
    }
}
