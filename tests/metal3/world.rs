//! Takes decisions and carries them out on claims and objects held in memory, as a controller does on a cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use capv_ipam::api::metal3::IPPoolSpec;
use capv_ipam::ipam::{
    AddressObject, Claim, ClaimId, Grant, ObjectId, Outcome, Pool, Released, Seeded, Snapshot, decide, ippool_reference,
};

/// An address object with the values that a decision does not look at.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) object: AddressObject,
    pub(crate) prefix: i64,
    pub(crate) gateway: Option<String>,
    pub(crate) dns_servers: Vec<String>,
}

/// One namespace with one pool.
pub(crate) struct World {
    pub(crate) name: String,
    pub(crate) spec: IPPoolSpec,
    pub(crate) deleting: bool,
    pub(crate) gone: bool,
    pub(crate) indexes: BTreeMap<String, String>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) objects: Vec<Stored>,
}

impl World {
    /// Decides and applies until a decision changes nothing.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        for _ in 0..100 {
            let outcome = self.decide();
            let mut changed = false;
            changed |= outcome.indexes != self.indexes;
            self.indexes.clone_from(&outcome.indexes);
            for granted in &outcome.granted {
                changed |= self.give(&granted.claim, &granted.grant, granted.create);
            }
            for refused in &outcome.refused {
                changed |= refused.news;
                let claim = self.claim_mut(&refused.claim).ok_or("a refused claim is missing")?;
                claim.failure = Some(refused.refusal.to_string());
                guard(claim);
            }
            for released in &outcome.released {
                changed |= self.release(released);
            }
            for orphan in &outcome.orphans {
                changed |= self.remove_object(orphan);
            }
            if self.deleting && outcome.in_use == 0 && !changed {
                self.gone = true;
            }
            if !changed {
                return Ok(());
            }
        }
        Err("does not settle".into())
    }

    pub(crate) fn claim(&self, id: &ClaimId) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.id == *id)
    }

    pub(crate) fn decide(&self) -> Outcome {
        let pool = Pool::ippool(&self.name, &self.spec);
        let objects: Vec<AddressObject> = self.objects.iter().map(|stored| stored.object.clone()).collect();
        let snapshot = Snapshot {
            pool: &pool,
            deleting: self.deleting,
            indexes: &self.indexes,
            objects: &objects,
            claims: &self.claims,
        };
        decide(&snapshot, &mut Seeded::new(0))
    }

    fn give(&mut self, id: &ClaimId, grant: &Grant, create: bool) -> bool {
        let pool = ippool_reference(&self.name);
        let Some(claim) = self.claim_mut(id) else {
            return false;
        };
        guard(claim);
        claim.failure = None;
        claim.address = Some(grant.object.clone());
        let owner = claim.uid.clone();
        if create {
            let object_id = ObjectId {
                name: grant.object.clone(),
                kind: id.kind,
            };
            assert!(
                self.objects.iter().all(|stored| stored.object.id != object_id),
                "{} exists",
                grant.object
            );
            self.objects.push(Stored {
                object: AddressObject {
                    id: object_id,
                    pool: pool.into(),
                    claim: id.name.clone(),
                    address: grant.address.to_string(),
                    owner,
                },
                prefix: grant.prefix,
                gateway: grant.gateway.clone(),
                dns_servers: grant.dns_servers.clone(),
            });
        }
        true
    }

    fn release(&mut self, released: &Released) -> bool {
        let mut changed = false;
        for object in &released.objects {
            changed |= self.remove_object(object);
        }
        if let Some(claim) = self.claim_mut(&released.claim) {
            changed |= claim.address.take().is_some();
            let before = claim.finalizers.len();
            Arc::make_mut(&mut claim.finalizers).retain(|finalizer| finalizer != claim.id.kind.finalizer());
            changed |= claim.finalizers.len() != before;
        }
        let before = self.claims.len();
        self.claims
            .retain(|claim| claim.id != released.claim || !claim.finalizers.is_empty());
        changed | (self.claims.len() != before)
    }

    fn remove_object(&mut self, id: &ObjectId) -> bool {
        let before = self.objects.len();
        self.objects.retain(|stored| stored.object.id != *id);
        self.objects.len() != before
    }

    fn claim_mut(&mut self, id: &ClaimId) -> Option<&mut Claim> {
        self.claims.iter_mut().find(|claim| claim.id == *id)
    }
}

/// Puts the finalizer of the claim's kind on a claim that is looked after.
fn guard(claim: &mut Claim) {
    let finalizer = claim.id.kind.finalizer();
    if !claim.finalizers.iter().any(|own| own == finalizer) {
        Arc::make_mut(&mut claim.finalizers).push(finalizer.into());
    }
}
