//! The point from which events are played, as plain data: the pools with what is taken of them, and the groups with what they hold; from a plan or from a running cluster.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::holding::Holding;
use super::unsure::Unsure;
use crate::ipam::{AddressSet, Pool};
use crate::objects::Strategy;
use crate::planning::plan::PoolReference;

/// Where the events begin.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The pools.
    pub pools: Vec<PoolStart>,
    /// The groups that draw from them.
    pub groups: Vec<GroupStart>,
    /// Endpoints of the manifest's clusters, which no machine may get.
    pub endpoints: Vec<IpAddr>,
}

/// A pool, and what is gone of it.
#[derive(Clone, Debug)]
pub struct PoolStart {
    /// Its identity.
    pub reference: PoolReference,
    /// Its addresses; `None` when they are not known.
    pub pool: Option<Pool>,
    /// Addresses that somebody else than the groups holds and keeps.
    pub taken: AddressSet,
    /// Claims of somebody else that may come at any time, such as the old adapter's for an endpoint without a host; the name
    /// of somebody of whom it is not known how many addresses come and go.
    pub guests: Result<u64, String>,
    /// A released address rests for a while before it is given out again (`addressReuseGracePeriodSeconds`).
    pub rests: bool,
}

/// A group, its rules, and what it holds.
#[derive(Clone, Debug)]
pub struct GroupStart {
    /// The cluster's name, where it is known.
    pub cluster: Option<String>,
    /// The cluster's namespace, where it is known.
    pub namespace: Option<String>,
    /// The group's kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// In which order it makes and deletes machines.
    pub order: Order,
    /// How a roll-out replaces machines.
    pub strategy: Strategy,
    /// Its machines, or the autoscaler's maximum; `None` while unknown.
    pub replicas: Option<u32>,
    /// `replicas` is an autoscaler's maximum.
    pub elastic: bool,
    /// The pools that its machines draw from, each once.
    pub draws: Vec<GroupDraw>,
    /// Where it is stuck already.
    pub stuck: Option<Stuck>,
}

/// A group of which machines were refused an address, and get none before something changes.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// The pools that refused, as indices of [`Start::pools`].
    pub pools: BTreeSet<usize>,
    /// Its machines, those without an address included.
    pub machines: u64,
    /// It does nothing else meanwhile.
    pub rests: bool,
}

impl GroupStart {
    /// Whether nothing moves while one of so many machines, none of them in deletion, has no address: a group that makes one at a time waits for it,
    /// and another has as many as it wants and no roll-out in which it could do with fewer.
    #[must_use]
    pub fn rests_when_refused(&self, machines: u64) -> bool {
        match self.order {
            Order::OneByOne { .. } => true,
            Order::AnyOrder => {
                self.replicas.map(u64::from) == Some(machines) && self.strategy.unavailable(self.replicas) == Some(0)
            }
        }
    }
}

/// What a group takes from one pool.
#[derive(Clone, Debug)]
pub struct GroupDraw {
    /// The pool, as an index of [`Start::pools`].
    pub pool: usize,
    /// Addresses for each machine: its NICs on the pool.
    pub each: u32,
    /// What is held. For machines that do not exist yet: nothing.
    pub held: Holding,
    /// Why the order is not known, where it is not.
    pub unsure: Option<Unsure>,
}

impl GroupDraw {
    /// A draw of which nothing is held yet.
    #[must_use]
    pub fn new(pool: usize, each: u32, order: Order) -> Self {
        GroupDraw {
            pool,
            each,
            held: match order {
                Order::OneByOne { .. } => Holding::InOrder(Vec::new()),
                Order::AnyOrder => Holding::none(),
            },
            unsure: None,
        }
    }
}

/// In which order a group makes and deletes machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One machine at a time, each running before the next step; of the outdated machines, or else of all, the oldest is
    /// deleted first (CAPI `controlplane/kubeadm`).
    OneByOne {
        /// Failure domains decide which machine is deleted, and they are not known here.
        spread: bool,
    },
    /// Several at once, and which machine is deleted is not known (a MachineSet goes by random names).
    AnyOrder,
}
