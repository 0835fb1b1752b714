//! Takes what a pool's allocator sees, decides and carries out in memory until nothing changes, gives what becomes of every
//! claim; as the controller does it on a cluster, but for what an incomplete input leaves open.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::view::PoolView;
use crate::ipam::{
    AddressObject, Claim, ClaimId, Double, Grant, NameCollision, ObjectId, Outcome, Pool, Randomness, Refusal,
    Released, Snapshot, Source, decide, holders,
};

/// What becomes of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It shows an address and keeps it.
    Holds(IpAddr),
    /// It gets an address.
    Gets {
        /// The address and what its object says.
        grant: Grant,
        /// How it comes by it.
        source: Source,
        /// Whether the object does not exist yet.
        create: bool,
    },
    /// It gets none.
    Refused(Refusal),
    /// It is deleted and lets its address go.
    Released {
        /// The address, if it held one.
        address: Option<IpAddr>,
        /// Whether the in-cluster provider's finalizer keeps it although it is none of its own.
        stray_finalizer: bool,
    },
    /// It is deleted and keeps its address for somebody else's finalizer, or until a grace period is over.
    Waits(Option<IpAddr>),
    /// It, its Cluster or its pool is paused: it keeps what it holds, and nothing is decided.
    Paused(Option<IpAddr>),
    /// Nothing can be decided, because addresses are in use that the input does not tell.
    Undecided,
}

/// What becomes of a pool.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// The fate of each of its claims.
    pub fates: BTreeMap<ClaimId, Fate>,
    /// Its claims in the order in which they are served.
    pub order: Vec<ClaimId>,
    /// The new `status.indexes`.
    pub indexes: BTreeMap<String, String>,
    /// Addresses passed over because of the name of their object.
    pub collisions: Vec<NameCollision>,
    /// Claims that show an address which an earlier claim shows too.
    pub doubles: Vec<Double>,
    /// Every address object at the end, those that are to be created included.
    pub objects: Vec<AddressObject>,
    /// The addresses in use at the end.
    pub held: Vec<IpAddr>,
}

impl Fate {
    /// The address that the claim has at the end.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Holds(address) => Some(*address),
            Self::Gets { grant, .. } => Some(grant.address),
            Self::Waits(address) | Self::Paused(address) => *address,
            Self::Refused(_) | Self::Released { .. } | Self::Undecided => None,
        }
    }
}

/// Lets the pool's allocator work until nothing changes: what a deleted claim lets go can be given out again.
#[must_use]
pub fn settle(view: &PoolView, randomness: &mut dyn Randomness) -> Settled {
    let mut settled = Settled {
        indexes: view.indexes.clone(),
        objects: view.objects.clone(),
        ..Settled::default()
    };
    let mut claims = view.claims.clone();
    let mut served: Vec<&Claim> = view.own_claims().collect();
    served.sort_by(|a, b| a.served_before(b));
    settled.order = served.iter().map(|claim| claim.id.clone()).collect();
    if view.paused.is_none() && view.gaps.unknown.is_empty() {
        // Each turn but the last one deletes a claim.
        loop {
            let outcome = decide(&snapshot(view, &settled, &claims), randomness);
            if !settled.apply(view.pool.reference(), outcome, &mut claims) {
                break;
            }
        }
    }
    let held = holders(&snapshot(view, &settled, &claims));
    for claim in served {
        if settled.fates.contains_key(&claim.id) {
            continue;
        }
        let address = held.get(&claim.id).copied();
        let fate = match address {
            _ if claim.paused || view.paused.is_some() => Fate::Paused(address),
            _ if claim.deleting => Fate::Waits(address),
            Some(address) => Fate::Holds(address),
            None => Fate::Undecided,
        };
        settled.fates.insert(claim.id.clone(), fate);
    }
    settled.held = settled.objects_of(&view.pool);
    settled
}

fn snapshot<'s>(view: &'s PoolView, settled: &'s Settled, claims: &'s [Claim]) -> Snapshot<'s> {
    Snapshot {
        pool: &view.pool,
        deleting: view.deleting,
        indexes: &settled.indexes,
        objects: &settled.objects,
        claims,
    }
}

impl Settled {
    /// Carries a decision out; whether something was let go, so that another decision can differ.
    fn apply(&mut self, pool: &crate::api::capi::PoolReference, outcome: Outcome, claims: &mut Vec<Claim>) -> bool {
        let mut by_id: HashMap<ClaimId, &mut Claim> =
            claims.iter_mut().map(|claim| (claim.id.clone(), claim)).collect();
        for granted in outcome.granted {
            let Some(claim) = by_id.get_mut(&granted.claim) else {
                continue;
            };
            claim.address = Some(granted.grant.object.clone());
            claim.failure = None;
            if granted.create {
                self.objects.push(AddressObject {
                    id: ObjectId {
                        name: granted.grant.object.clone(),
                        kind: granted.claim.kind,
                    },
                    pool: pool.clone().into(),
                    claim: granted.claim.name.clone(),
                    address: granted.grant.address.to_string(),
                    owner: claim.uid.clone(),
                });
            }
            let fate = Fate::Gets {
                grant: granted.grant,
                source: granted.source,
                create: granted.create,
            };
            self.fates.insert(granted.claim, fate);
        }
        for refused in outcome.refused {
            self.fates.insert(refused.claim, Fate::Refused(refused.refusal));
        }
        drop(by_id);
        self.indexes = outcome.indexes;
        self.collisions.extend(outcome.collisions);
        self.doubles = outcome.doubles;
        self.release(outcome.released, claims)
    }

    fn release(&mut self, released: Vec<Released>, claims: &mut Vec<Claim>) -> bool {
        let before = (self.objects.len(), claims.len());
        let gone: HashSet<&ObjectId> = released.iter().flat_map(|released| &released.objects).collect();
        self.objects.retain(|object| !gone.contains(&object.id));
        let stray: HashMap<&ClaimId, bool> = released
            .iter()
            .map(|released| (&released.claim, released.stray_finalizer))
            .collect();
        claims.retain_mut(|claim| match stray.get(&claim.id) {
            None => true,
            Some(false) => false,
            // The claim stays, without our finalizer and without an address.
            Some(true) => {
                claim.address = None;
                Arc::make_mut(&mut claim.finalizers).retain(|finalizer| finalizer != claim.id.kind.finalizer());
                true
            }
        });
        let news = (self.objects.len(), claims.len()) != before;
        for released in released {
            let fate = Fate::Released {
                address: released.address,
                stray_finalizer: released.stray_finalizer,
            };
            self.fates.entry(released.claim).or_insert(fate);
        }
        news
    }

    fn objects_of(&self, pool: &Pool) -> Vec<IpAddr> {
        let own = self.objects.iter().filter(|object| *object.pool == *pool.reference());
        own.filter_map(|object| crate::ipam::parse_address(&object.address).ok())
            .collect()
    }
}
