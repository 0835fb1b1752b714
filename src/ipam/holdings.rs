//! Takes claims, address objects and promises, gives who holds which address before anything new is decided; never gives
//! an address to a claim that nothing connects with it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::claim::ClaimId;
use super::evidence::{Evidence, Step};
use super::object::{AddressObject, LOST_OWNER};
use super::outcome::{Double, Source};
use super::set::AddressSet;

/// What a claim holds, and through which object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding<'a> {
    pub(crate) address: IpAddr,
    /// The object that exists already.
    pub(crate) object: Option<&'a AddressObject>,
    /// None where the claim's status has it already.
    pub(crate) source: Option<Source>,
}

/// Who holds what.
pub(crate) struct Holdings<'a> {
    pub(crate) by_claim: BTreeMap<&'a ClaimId, Holding<'a>>,
    /// Every address of an object or a promise.
    pub(crate) held: AddressSet,
    /// Objects whose claim is gone, or has another address.
    pub(crate) orphans: Vec<&'a AddressObject>,
    /// Objects made by hand that no claim holds.
    pub(crate) reservations: Vec<(ClaimId, IpAddr)>,
    /// Claims that show the address of an earlier one, in the order served.
    pub(crate) doubles: Vec<Double>,
}

impl<'a> Holdings<'a> {
    pub(crate) fn read(evidence: &Evidence<'a>) -> Self {
        let mut holdings = Self {
            by_claim: BTreeMap::new(),
            held: AddressSet::new(),
            orphans: Vec::new(),
            reservations: Vec::new(),
            doubles: Vec::new(),
        };
        let mut holders: BTreeMap<IpAddr, &ClaimId> = BTreeMap::new();
        // A status is never contradicted, a promise only by a status or an object, an adoption by all of these.
        let steps: [(Option<Source>, Step<'a>); 3] = [
            (None, Evidence::shown),
            (Some(Source::Promised), Evidence::promised),
            (Some(Source::Adopted), Evidence::adoptable),
        ];
        for (source, step) in steps {
            for &claim in &evidence.claims {
                if holdings.by_claim.contains_key(&claim.id) {
                    continue;
                }
                let Some(address) = step(evidence, claim, &|address| holders.contains_key(&address)) else {
                    continue;
                };
                if source.is_none()
                    && let Some(&earlier) = holders.get(&address)
                {
                    holdings.doubles.push(Double {
                        claim: claim.id.clone(),
                        earlier: earlier.clone(),
                        address,
                    });
                }
                holders.entry(address).or_insert(&claim.id);
                let object = evidence.object_at(claim, address);
                holdings.by_claim.insert(
                    &claim.id,
                    Holding {
                        address,
                        object,
                        source,
                    },
                );
            }
        }
        holdings.held = holders.keys().copied().collect();
        holdings.sort_out_objects(evidence);
        holdings
    }

    /// Counts every object's address as held and finds the objects that no claim holds.
    fn sort_out_objects(&mut self, evidence: &Evidence<'a>) {
        for &(object, address) in &evidence.own {
            self.held.insert_address(address);
            let holder = self.by_claim.get(&object.claim_id()).and_then(|holding| holding.object);
            if holder.is_some_and(|held| held.id == object.id) {
                continue;
            }
            let Some(owner) = &object.owner else {
                self.reservations.push((object.claim_id(), address));
                continue;
            };
            let elsewhere = evidence.claim_of(object).is_some_and(|claim| {
                *claim.pool != *evidence.pool.reference()
                    && claim.uid.as_ref().is_none_or(|uid| uid == owner || owner == LOST_OWNER)
            });
            if !elsewhere {
                self.orphans.push(object);
            }
        }
    }
}
