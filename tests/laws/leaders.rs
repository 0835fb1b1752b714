//! Takes the steps of controllers that share one API server, carries each call out with the server's own checks: versions,
//! names, owners. A controller may sleep between any two calls.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use capv_ipam::ipam::{
    AddressObject, Claim, ClaimId, Grant, ObjectId, Outcome, Pool, Released, Seeded, Snapshot, Source, decide,
    ippool_reference,
};

/// A claim as stored, with what the model has to know beside it.
#[derive(Clone, Debug)]
pub(crate) struct StoredClaim {
    pub(crate) claim: Claim,
    pub(crate) version: u64,
    /// The address that the claim's status leads to.
    pub(crate) shows: Option<IpAddr>,
    /// How often it was written only to change its version, as by an annotation.
    pub(crate) fences: u64,
}

/// One call that a controller still has to make.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Guard(ClaimId),
    Create(ClaimId, Grant),
    Show(ClaimId, Grant),
    DeleteObjects(Released),
    LetGo(ClaimId),
    Collect(ObjectId),
}

/// Where a controller stands.
#[derive(Clone, Debug, Default)]
pub(crate) enum Controller {
    #[default]
    Idle,
    /// It has read claims and objects, as from a store that lags behind; `indexes` it reads later.
    Seen {
        claims: Vec<StoredClaim>,
        objects: Vec<AddressObject>,
    },
    Decided {
        outcome: Box<Outcome>,
        indexes_version: u64,
        claims: BTreeMap<ClaimId, (String, u64)>,
    },
    Acting {
        calls: VecDeque<Call>,
        claims: BTreeMap<ClaimId, (String, u64)>,
    },
}

/// What the API server stores.
pub(crate) struct Server {
    pub(crate) pool: Pool,
    pub(crate) indexes: BTreeMap<String, String>,
    pub(crate) indexes_version: u64,
    pub(crate) claims: Vec<StoredClaim>,
    pub(crate) objects: Vec<AddressObject>,
}

impl Server {
    fn decide(&self, claims: &[StoredClaim], objects: &[AddressObject]) -> Outcome {
        let claims: Vec<Claim> = claims.iter().map(|stored| stored.claim.clone()).collect();
        let snapshot = Snapshot {
            pool: &self.pool,
            deleting: false,
            indexes: &self.indexes,
            objects,
            claims: &claims,
        };
        decide(&snapshot, &mut Seeded::new(3))
    }

    pub(crate) fn claim_mut(&mut self, id: &ClaimId) -> Option<&mut StoredClaim> {
        self.claims.iter_mut().find(|stored| stored.claim.id == *id)
    }

    /// Makes the controller's next call.
    pub(crate) fn step(&mut self, controller: &mut Controller) {
        *controller = match std::mem::take(controller) {
            Controller::Idle => Controller::Seen {
                claims: self.claims.clone(),
                objects: self.objects.clone(),
            },
            Controller::Seen { claims, objects } => Controller::Decided {
                outcome: Box::new(self.decide(&claims, &objects)),
                indexes_version: self.indexes_version,
                claims: claims
                    .into_iter()
                    .map(|s| (s.claim.id, (s.claim.uid.unwrap(), s.version)))
                    .collect(),
            },
            Controller::Decided {
                outcome,
                indexes_version,
                mut claims,
            } => {
                let lives = |id: &ClaimId| self.claims.iter().any(|stored| stored.claim.id == *id);
                if outcome.unseen.iter().any(lives) {
                    return;
                }
                let mut fenced = outcome.fenced.iter();
                if !fenced.all(|(id, _)| self.write(id, &mut claims, |stored| stored.fences += 1)) {
                    return;
                }
                // At the same time as the swap, which may fail.
                for granted in outcome.granted.iter().filter(|granted| granted.source == Source::New) {
                    self.guard(&granted.claim, &mut claims);
                }
                if indexes_version != self.indexes_version {
                    return;
                }
                self.indexes.clone_from(&outcome.indexes);
                self.indexes_version += 1;
                Controller::Acting {
                    calls: calls(&outcome),
                    claims,
                }
            }
            Controller::Acting { mut calls, mut claims } => {
                match calls.pop_front() {
                    None => return,
                    Some(call) => self.call(call, &mut calls, &mut claims),
                }
                Controller::Acting { calls, claims }
            }
        };
    }

    /// Lets one controller work alone until nothing changes any more.
    pub(crate) fn settle(&mut self) {
        let mut controller = Controller::Idle;
        for _ in 0..100 {
            let before = format!("{:?}{:?}{:?}", self.indexes, self.claims, self.objects);
            self.step(&mut controller);
            while !matches!(controller, Controller::Idle) {
                self.step(&mut controller);
            }
            if before == format!("{:?}{:?}{:?}", self.indexes, self.claims, self.objects) {
                return;
            }
        }
        panic!("does not settle");
    }

    fn call(&mut self, call: Call, calls: &mut VecDeque<Call>, claims: &mut BTreeMap<ClaimId, (String, u64)>) {
        match call {
            Call::Guard(id) => {
                if !self.guard(&id, claims) {
                    calls.retain(|call| !matches!(call, Call::Create(of, _) | Call::Show(of, _) if *of == id));
                }
            }
            Call::Create(id, grant) => {
                if !self.create(&id, &grant, claims) {
                    calls.retain(|call| !matches!(call, Call::Show(of, _) if *of == id));
                }
            }
            Call::Show(id, grant) => {
                self.write(&id, claims, |stored| {
                    stored.claim.address = Some(grant.object.clone());
                    stored.shows = Some(grant.address);
                });
            }
            Call::DeleteObjects(released) => {
                let owner = claims.get(&released.claim).map(|(uid, _)| uid.clone());
                self.objects
                    .retain(|o| !(released.objects.contains(&o.id) && o.owner == owner));
            }
            Call::LetGo(id) => {
                self.write(&id, claims, |stored| {
                    stored.claim.address = None;
                    stored.shows = None;
                    stored.claim.finalizers = Arc::default();
                });
                self.claims
                    .retain(|s| s.claim.id != id || !s.claim.deleting || !s.claim.finalizers.is_empty());
            }
            Call::Collect(id) => {
                if self.decide(&self.claims, &self.objects).orphans.contains(&id) {
                    self.objects.retain(|object| object.id != id);
                }
            }
        }
    }

    fn guard(&mut self, id: &ClaimId, claims: &mut BTreeMap<ClaimId, (String, u64)>) -> bool {
        self.write(id, claims, |stored| {
            let finalizer = stored.claim.id.kind.finalizer().to_owned();
            if !stored.claim.finalizers.contains(&finalizer) {
                Arc::make_mut(&mut stored.claim.finalizers).push(finalizer);
            }
        })
    }

    /// Creates the object under its name; an object of this claim and address that is there already will do.
    fn create(&mut self, id: &ClaimId, grant: &Grant, claims: &BTreeMap<ClaimId, (String, u64)>) -> bool {
        let object = AddressObject {
            id: ObjectId {
                name: grant.object.clone(),
                kind: id.kind,
            },
            pool: ippool_reference("pool").into(),
            claim: id.name.clone(),
            address: grant.address.to_string(),
            owner: claims.get(id).map(|(uid, _)| uid.clone()),
        };
        match self.objects.iter().find(|there| there.id == object.id) {
            Some(there) => *there == object,
            None => {
                self.objects.push(object);
                true
            }
        }
    }

    /// Writes a claim if it is still the one that was read, in the version that was read or last written.
    fn write(
        &mut self,
        id: &ClaimId,
        claims: &mut BTreeMap<ClaimId, (String, u64)>,
        change: impl FnOnce(&mut StoredClaim),
    ) -> bool {
        let Some((uid, version)) = claims.get_mut(id) else {
            return false;
        };
        match self.claim_mut(id) {
            Some(stored) if stored.claim.uid.as_ref() == Some(uid) && stored.version == *version => {
                let before = format!("{stored:?}");
                change(stored);
                // As on a real server, a write that changes nothing is checked and leaves the version as it is.
                if before != format!("{stored:?}") {
                    stored.version += 1;
                    *version += 1;
                }
                true
            }
            _ => false,
        }
    }
}

fn calls(outcome: &Outcome) -> VecDeque<Call> {
    let mut calls = VecDeque::new();
    for granted in &outcome.granted {
        let (id, grant) = (&granted.claim, &granted.grant);
        calls.push_back(Call::Guard(id.clone()));
        if granted.create {
            calls.push_back(Call::Create(id.clone(), grant.clone()));
        }
        calls.push_back(Call::Show(id.clone(), grant.clone()));
    }
    for released in &outcome.released {
        calls.push_back(Call::DeleteObjects(released.clone()));
        calls.push_back(Call::LetGo(released.claim.clone()));
    }
    calls.extend(outcome.orphans.iter().cloned().map(Call::Collect));
    calls
}
