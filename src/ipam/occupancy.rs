//! Takes what is held, reserved and named, answers whether an address may be given to a claim; never decides which.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::claim::{ClaimId, ClaimKind};
use super::object::ObjectId;
use super::set::AddressSet;

/// An address passed over because its object's name belongs to another object of the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameCollision {
    /// The claim that would have got the address.
    pub claim: ClaimId,
    /// The address.
    pub address: IpAddr,
    /// The object that has the name.
    pub object: ObjectId,
}

/// What may not be given out.
#[derive(Clone, Debug, Default)]
pub struct Occupancy {
    held: AddressSet,
    reserved: AddressSet,
    names: BTreeSet<ObjectId>,
    /// Addresses whose name is taken, per claim kind: the two kinds of objects do not share names.
    blocked: [AddressSet; 2],
    collisions: Vec<NameCollision>,
}

impl Occupancy {
    /// `held` addresses go to nobody, `reserved` ones only to the claims that they are preallocated to, and no new object
    /// takes one of `names`.
    #[must_use]
    pub fn new(held: AddressSet, reserved: AddressSet, names: BTreeSet<ObjectId>) -> Self {
        Self {
            held,
            reserved,
            names,
            ..Self::default()
        }
    }

    /// The addresses that somebody holds, those given out since included.
    #[must_use]
    pub fn held(&self) -> &AddressSet {
        &self.held
    }

    /// The addresses passed over so far, each once per claim kind.
    #[must_use]
    pub fn collisions(&self) -> &[NameCollision] {
        &self.collisions
    }

    /// Notes that the address is given out under this object name.
    pub fn hold(&mut self, address: IpAddr, object: ObjectId) {
        self.held.insert_address(address);
        self.names.insert(object);
    }

    /// What a claim without a wish has to pass over.
    pub(crate) fn taken(&self, kind: ClaimKind) -> [&AddressSet; 3] {
        [&self.held, &self.reserved, &self.blocked[kind as usize]]
    }

    /// Whether somebody holds the address, or has it reserved and `own_reservation` is not set.
    pub(crate) fn is_taken(&self, address: IpAddr, own_reservation: bool) -> bool {
        self.held.contains(address) || (!own_reservation && self.reserved.contains(address))
    }

    /// Whether the name is taken; if so the address counts as taken for the claim's kind from now on.
    pub(crate) fn collides(&mut self, claim: &ClaimId, address: IpAddr, name: &str) -> bool {
        let object = ObjectId {
            name: name.into(),
            kind: claim.kind,
        };
        if !self.names.contains(&object) {
            return false;
        }
        if self.blocked[claim.kind as usize].insert_address(address) {
            self.collisions.push(NameCollision {
                claim: claim.clone(),
                address,
                object,
            });
        }
        true
    }
}
