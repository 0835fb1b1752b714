//! Takes what is held, reserved and named, answers whether an address may be given to a claim; never decides which.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use super::claim::{ClaimId, ClaimKind};
use super::naming::{Naming, namesake};
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

/// What may not be given out, for one pool. Nothing in it ever becomes free again.
#[derive(Clone, Debug, Default)]
pub struct Occupancy {
    held: AddressSet,
    reserved: AddressSet,
    /// Both in one, so that the lowest free address is one look-up away however the two lie between each other.
    taken: AddressSet,
    /// What differs between the two kinds of claims.
    kinds: [OfKind; 2],
    collisions: Vec<NameCollision>,
}

/// What may not be given to claims of one kind: the two kinds of objects do not share names.
#[derive(Clone, Debug, Default)]
struct OfKind {
    /// Names of objects that exist.
    names: HashSet<String>,
    /// Addresses whose object has the computed name, or will have it.
    named: AddressSet,
    /// Addresses whose name is taken.
    blocked: AddressSet,
    /// These and all that is taken; none while no address is blocked.
    unusable: Option<AddressSet>,
    /// How many entries, from the first on, have nothing left.
    exhausted: usize,
}

impl Occupancy {
    /// `held` addresses go to nobody, `reserved` ones only to the claims that they are preallocated to, and no new object
    /// takes one of `names`.
    #[must_use]
    pub fn new(held: AddressSet, reserved: AddressSet, names: BTreeSet<ObjectId>) -> Self {
        let mut taken = held.clone();
        taken.extend(reserved.ranges());
        let mut kinds: [OfKind; 2] = Default::default();
        for object in names {
            kinds[object.kind as usize].names.insert(object.name);
        }
        Self {
            held,
            reserved,
            taken,
            kinds,
            collisions: Vec::new(),
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

    /// Notes that the address is given to a claim of this kind.
    pub fn hold(&mut self, address: IpAddr, kind: ClaimKind) {
        self.held.insert_address(address);
        self.taken.insert_address(address);
        self.kinds[kind as usize].named.insert_address(address);
        for unusable in self.kinds.iter_mut().filter_map(|kind| kind.unusable.as_mut()) {
            unusable.insert_address(address);
        }
    }

    /// What a claim without a wish has to pass over.
    pub(crate) fn unusable(&self, kind: ClaimKind) -> &AddressSet {
        self.kinds[kind as usize].unusable.as_ref().unwrap_or(&self.taken)
    }

    /// How many entries, from the first on, have nothing left for a claim without a wish.
    pub(crate) fn exhausted(&self, kind: ClaimKind) -> usize {
        self.kinds[kind as usize].exhausted
    }

    /// Notes that an entry has nothing left.
    pub(crate) fn exhaust(&mut self, kind: ClaimKind, entry: usize) {
        let exhausted = &mut self.kinds[kind as usize].exhausted;
        if *exhausted == entry {
            *exhausted += 1;
        }
    }

    /// Whether somebody holds the address, or has it reserved and `own_reservation` is not set.
    pub(crate) fn is_taken(&self, address: IpAddr, own_reservation: bool) -> bool {
        self.held.contains(address) || (!own_reservation && self.reserved.contains(address))
    }

    /// Whether the object's name is taken; if so the address counts as taken for the claim's kind from now on.
    pub(crate) fn collides(&mut self, naming: &Naming, claim: &ClaimId, address: IpAddr, name: &str) -> bool {
        let taken = &self.taken;
        let of_kind = &mut self.kinds[claim.kind as usize];
        let by_namesake = match naming {
            Naming::PrefixAndAddress(_) => namesake(address).is_some_and(|other| of_kind.named.contains(other)),
            // Each claim has a name of its own.
            Naming::Claim => false,
        };
        if !by_namesake && !of_kind.names.contains(name) {
            return false;
        }
        if of_kind.blocked.insert_address(address) {
            let unusable = of_kind.unusable.get_or_insert_with(|| taken.clone());
            unusable.insert_address(address);
            self.collisions.push(NameCollision {
                claim: claim.clone(),
                address,
                object: ObjectId {
                    name: name.into(),
                    kind: claim.kind,
                },
            });
        }
        true
    }
}
