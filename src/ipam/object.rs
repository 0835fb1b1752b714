//! Takes address objects of both kinds as they are stored, gives the one form that the allocator reads; never changes one.

use std::sync::Arc;

use super::claim::{ClaimId, ClaimKind, ippool_reference};
use crate::api::capi::{self, PoolReference};
use crate::api::{ObjectMeta, metal3};

/// The owner of an object that a manager of addresses made and whose claim is gone: the garbage collector takes such a
/// reference out and leaves the object, because the pool owns it too.
pub const LOST_OWNER: &str = "";

/// Which address object: a name may exist once in each kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Name, unique per kind in the pool's namespace.
    pub name: String,
    /// The kind of the claims that objects of this kind answer.
    pub kind: ClaimKind,
}

/// An address object with what it says about who holds what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressObject {
    /// Kind and name.
    pub id: ObjectId,
    /// The pool that it names.
    pub pool: Arc<PoolReference>,
    /// The name of the claim in its spec; may be empty in an object made by hand.
    pub claim: String,
    /// The address as written.
    pub address: String,
    /// UID of the owner that is a claim of the object's kind, or [`LOST_OWNER`]. Without an owner the object was made by
    /// hand: it reserves its address and is never collected.
    pub owner: Option<String>,
}

impl AddressObject {
    /// The claim that the object names.
    #[must_use]
    pub fn claim_id(&self) -> ClaimId {
        ClaimId::new(self.id.kind, self.claim.clone())
    }
}

fn claim_owner(kind: ClaimKind, metadata: &ObjectMeta) -> Option<String> {
    let named = |group: &str, kind: &str| {
        let mut owners = metadata.owner_references.iter();
        owners.find(|owner| owner.group() == group && owner.kind == kind)
    };
    let finalizer = match kind {
        ClaimKind::IPClaim => metal3::ADDRESS_FINALIZER,
        ClaimKind::IPAddressClaim => capi::ADDRESS_FINALIZER,
    };
    let guarded = metadata.finalizers.iter().any(|own| own == finalizer);
    let lost = || (guarded && named(metal3::GROUP, metal3::POOL_KIND).is_some()).then(|| LOST_OWNER.to_owned());
    named(kind.group(), kind.name())
        .map(|owner| owner.uid.clone())
        .or_else(lost)
}

impl From<&metal3::IPAddress> for AddressObject {
    /// Only the name of `spec.pool` selects a pool (metal3 `ippool_manager.go`).
    fn from(object: &metal3::IPAddress) -> Self {
        let kind = ClaimKind::IPClaim;
        Self {
            id: ObjectId {
                name: object.metadata.name.clone(),
                kind,
            },
            pool: ippool_reference(&object.spec.pool.name).into(),
            claim: object.spec.claim.name.clone(),
            address: object.spec.address.clone(),
            owner: claim_owner(kind, &object.metadata),
        }
    }
}

impl From<&capi::IPAddress> for AddressObject {
    fn from(object: &capi::IPAddress) -> Self {
        let kind = ClaimKind::IPAddressClaim;
        Self {
            id: ObjectId {
                name: object.metadata.name.clone(),
                kind,
            },
            pool: object.spec.pool_ref.clone().into(),
            claim: object.spec.claim_ref.name.clone(),
            address: object.spec.address.clone(),
            owner: claim_owner(kind, &object.metadata),
        }
    }
}
