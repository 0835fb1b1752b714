//! Takes what was read and what was decided, gives both a form without cluster types; never computes anything.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::claim::{Claim, ClaimId};
use super::object::{AddressObject, ObjectId};
use super::occupancy::NameCollision;
use super::pool::{Grant, Pool};
use super::refusal::Refusal;

/// All that a decision looks at. The order of the lists does not matter; claims and objects may be older than `indexes`, at
/// the price of [`Outcome::unseen`].
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The pool.
    pub pool: &'a Pool,
    /// Whether the pool has a deletion time; its preallocations are then no longer reserved.
    pub deleting: bool,
    /// `status.indexes` as read: claim name to address text.
    pub indexes: &'a BTreeMap<String, String>,
    /// Every address object of the namespace, of both kinds and all pools: those of other pools have names too.
    pub objects: &'a [AddressObject],
    /// Every claim of the namespace, of both kinds and all pools: an object is an orphan only if its claim is not among
    /// them.
    pub claims: &'a [Claim],
}

/// How a claim came by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Chosen in this decision.
    New,
    /// `status.indexes` had it and the claim's status not yet.
    Promised,
    /// An address object that names the claim had it.
    Adopted,
}

/// A claim that has an address and does not show it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The claim.
    pub claim: ClaimId,
    /// The address and what its object says.
    pub grant: Grant,
    /// How it came by it.
    pub source: Source,
    /// Whether the address object must be created, after `status.indexes` is stored.
    pub create: bool,
}

/// A claim that gets no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The claim.
    pub claim: ClaimId,
    /// Why.
    pub refusal: Refusal,
    /// Whether its status does not say so yet.
    pub news: bool,
}

/// A deleted claim whose address goes: the objects first, then its status and finalizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The claim.
    pub claim: ClaimId,
    /// The address that it held. It stays held, and in `indexes`, until objects and claim are gone.
    pub address: Option<IpAddr>,
    /// The address objects to delete.
    pub objects: Vec<ObjectId>,
    /// Whether our finalizer is still to be taken off.
    pub guarded: bool,
    /// Whether the in-cluster provider's finalizer will keep the claim although it is none of its own.
    pub stray_finalizer: bool,
}

/// A claim whose status shows an address that an earlier claim shows too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Double {
    /// The later one, in the order served.
    pub claim: ClaimId,
    /// The earlier one.
    pub earlier: ClaimId,
    /// What both show.
    pub address: IpAddr,
}

/// What is to be done. Lists of claims are in the order in which claims are served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Claims to give an address.
    pub granted: Vec<Granted>,
    /// Claims to refuse, those refused before included.
    pub refused: Vec<Refused>,
    /// Deleted claims to let go.
    pub released: Vec<Released>,
    /// Deleted claims that keep their address because of a finalizer of somebody else.
    pub waiting: Vec<ClaimId>,
    /// Address objects of the pool whose claim is gone or has another address; to be collected after a fresh look.
    pub orphans: Vec<ObjectId>,
    /// Claims that another writer, acting on the old `indexes`, may be about to give this address, which is not theirs any
    /// more: an object of somebody else stands against the promise, or the entry can be read as a promise to a claim of the
    /// other kind. Before `indexes` is stored something in each of them (an annotation will do) must be changed, on the
    /// condition of the resourceVersion in the snapshot: so either the other writer meets a conflict, or we do and read and
    /// decide again.
    pub fenced: Vec<(ClaimId, IpAddr)>,
    /// Claims that an entry of the old `indexes` may be a promise to and that are not in the snapshot. Unless the claims were
    /// read after `indexes`, a fresh read must confirm that none of them exists before `indexes` is stored; else everything
    /// is to be read and decided again.
    pub unseen: Vec<ClaimId>,
    /// Addresses passed over because of the name of their object.
    pub collisions: Vec<NameCollision>,
    /// Claims whose status shows an address that an earlier claim shows too. Nothing here gives rise to that.
    pub doubles: Vec<Double>,
    /// The new `status.indexes`, whole.
    pub indexes: BTreeMap<String, String>,
    /// How many addresses objects, promises and new grants use; a deleted pool may go at 0.
    pub in_use: u128,
}
