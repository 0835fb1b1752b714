//! Takes a snapshot, answers what speaks for a claim's holding an address: its status, a promise, an object; never weighs
//! one claim against another.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::parse_address;
use super::claim::{Claim, ClaimId};
use super::indexes::Promises;
use super::naming::{Naming, addresses_named};
use super::object::{AddressObject, LOST_OWNER, ObjectId};
use super::outcome::Snapshot;
use super::pool::Pool;

/// Whether some claim holds an address already.
pub(crate) type IsHeld<'b> = &'b dyn Fn(IpAddr) -> bool;
/// One way to find the address that a claim holds.
pub(crate) type Step<'a> = fn(&Evidence<'a>, &Claim, IsHeld<'_>) -> Option<IpAddr>;

/// The snapshot, sorted for look-ups.
pub(crate) struct Evidence<'a> {
    pub(crate) pool: &'a Pool,
    /// The pool's claims in the order in which they are served.
    pub(crate) claims: Vec<&'a Claim>,
    /// Every claim of the namespace that an object may name, those of other pools included.
    all: BTreeMap<&'a ClaimId, &'a Claim>,
    /// The pool's objects that have an address.
    pub(crate) own: Vec<(&'a AddressObject, IpAddr)>,
    /// Of these, those that belong to a claim that lives.
    of_claim: BTreeMap<&'a ClaimId, Vec<(&'a AddressObject, IpAddr)>>,
    at: BTreeMap<IpAddr, Vec<&'a AddressObject>>,
    named: BTreeMap<&'a ObjectId, &'a AddressObject>,
    /// What `status.indexes` promises to claims of the pool that live.
    pub(crate) promises: Promises<'a>,
}

/// Room for the one entry that nearly every list of tens of thousands has.
fn one<T>() -> Vec<T> {
    Vec::with_capacity(1)
}

impl<'a> Evidence<'a> {
    pub(crate) fn read(snapshot: &Snapshot<'a>) -> Self {
        let pool = snapshot.pool;
        let reference = pool.reference();
        let mut claims: Vec<&Claim> = snapshot.claims.iter().collect();
        let named = |claims: &[&'a Claim]| claims.iter().map(|&claim| (&claim.id, claim)).collect();
        let all = if snapshot.objects.is_empty() {
            BTreeMap::new()
        } else {
            named(&claims)
        };
        claims.retain(|claim| *claim.pool == *reference);
        claims.sort_by(|a, b| a.served_before(b));
        let mut own: Vec<(&AddressObject, IpAddr)> = snapshot
            .objects
            .iter()
            .filter(|object| *object.pool == *reference)
            .filter_map(|object| Some((object, parse_address(&object.address).ok()?)))
            .collect();
        own.sort_by(|a, b| (a.1, &a.0.id).cmp(&(b.1, &b.0.id)));
        let mut evidence = Self {
            pool,
            claims,
            all,
            own,
            of_claim: BTreeMap::new(),
            at: BTreeMap::new(),
            named: snapshot.objects.iter().map(|o| (&o.id, o)).collect(),
            promises: Promises::default(),
        };
        for &(object, address) in &evidence.own {
            evidence.at.entry(address).or_insert_with(one).push(object);
            if let Some(claim) = evidence.claim_of(object)
                && belongs(object, claim)
            {
                let objects = evidence.of_claim.entry(&claim.id).or_insert_with(one);
                objects.push((object, address));
            }
        }
        evidence.promises = Promises::read(snapshot.indexes, &evidence.claims, |claim, address| {
            claim.address.as_deref() == Some(&evidence.name(claim, address))
                || evidence.object_at(claim, address).is_some()
        });
        evidence
    }

    /// The claim that an object names.
    pub(crate) fn claim_of(&self, object: &AddressObject) -> Option<&'a Claim> {
        self.all.get(&object.claim_id()).copied()
    }

    /// The claim's object that has the address; the one with the computed name before others.
    pub(crate) fn object_at(&self, claim: &Claim, address: IpAddr) -> Option<&'a AddressObject> {
        let name = self.name(claim, address);
        let here = || self.objects(claim).iter().filter(|(_, a)| *a == address);
        here()
            .find(|(object, _)| object.id.name == name)
            .or(here().next())
            .map(|(object, _)| *object)
    }

    /// The claim's objects that go with the claim: its own by UID, and one made by hand under the computed name.
    pub(crate) fn released_objects(&self, claim: &Claim) -> Vec<ObjectId> {
        self.objects(claim)
            .iter()
            .filter(|(object, address)| object.owner.is_some() || object.id.name == self.name(claim, *address))
            .map(|(object, _)| object.id.clone())
            .collect()
    }

    /// The address behind the object that the claim's status names.
    pub(crate) fn shown(&self, claim: &Claim, _: IsHeld<'_>) -> Option<IpAddr> {
        let shown = claim.address.as_deref()?;
        let objects = self.objects(claim);
        let named = objects
            .iter()
            .find(|(object, address)| object.id.name == shown || self.name(claim, *address) == shown);
        named
            .map(|(_, address)| *address)
            .or_else(|| self.promises.to.get(&claim.id).copied())
            .or_else(|| objects.first().map(|(_, address)| *address))
            .or_else(|| self.spelt(shown))
    }

    /// The address that the computed name of an object spells: what a claim shows is in use, though the object and the promise
    /// are lost.
    fn spelt(&self, name: &str) -> Option<IpAddr> {
        let Naming::PrefixAndAddress(prefix) = self.pool.naming() else {
            return None;
        };
        let addresses = addresses_named(prefix, name);
        let of_the_pool = addresses.iter().find(|address| self.pool.entry_of(**address).is_some());
        of_the_pool.or(addresses.first()).copied()
    }

    /// The address promised to the claim, if the promise can still be kept. It is kept outside all entries too: a writer
    /// that sleeps may be about to fulfil it.
    pub(crate) fn promised(&self, claim: &Claim, is_held: IsHeld<'_>) -> Option<IpAddr> {
        let address = *self.promises.to.get(&claim.id)?;
        // A claim that is being deleted gets nothing any more; what it has, its object tells.
        if claim.address.is_some() || claim.deleting || is_held(address) {
            return None;
        }
        let id = ObjectId {
            name: self.name(claim, address),
            kind: claim.id.kind,
        };
        let name_is_free = self.named.get(&id).is_none_or(|o| belongs(o, claim));
        (name_is_free && self.nobody_else_at(address, claim)).then_some(address)
    }

    /// The address of an object that names the claim, which nothing else gives to somebody else.
    pub(crate) fn adoptable(&self, claim: &Claim, is_held: IsHeld<'_>) -> Option<IpAddr> {
        if claim.address.is_some() {
            return None;
        }
        self.objects(claim)
            .iter()
            .map(|(_, address)| *address)
            .find(|&address| !is_held(address) && self.nobody_else_at(address, claim))
    }

    fn objects(&self, claim: &Claim) -> &[(&'a AddressObject, IpAddr)] {
        self.of_claim.get(&claim.id).map_or(&[], Vec::as_slice)
    }

    fn nobody_else_at(&self, address: IpAddr, claim: &Claim) -> bool {
        self.at
            .get(&address)
            .is_none_or(|objects| objects.iter().all(|object| belongs(object, claim)))
    }

    fn name(&self, claim: &Claim, address: IpAddr) -> String {
        self.pool.naming().object_name(address, &claim.id.name)
    }
}

/// Whether the object is this very claim's: it names it, and its owner is not an earlier claim of the name.
fn belongs(object: &AddressObject, claim: &Claim) -> bool {
    object.id.kind == claim.id.kind
        && object.claim == claim.id.name
        && object.pool == claim.pool
        && match (&object.owner, &claim.uid) {
            (Some(owner), Some(uid)) => owner == uid || owner == LOST_OWNER,
            _ => true,
        }
}
