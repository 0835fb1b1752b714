//! Takes claims of both kinds as they are stored, gives the one form that the allocator reads; never changes a claim.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::api::capi::{self, PoolReference};
use crate::api::{ObjectMeta, metal3};

/// The kind of a claim, and so of the address object that answers it. Sorts as the two are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// metal3's own claim, answered by an `ipam.metal3.io` IPAddress.
    IPClaim,
    /// Cluster API's claim, answered by an `ipam.cluster.x-k8s.io` IPAddress.
    IPAddressClaim,
}

impl ClaimKind {
    /// The API group of the claim and of its address object.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::IPClaim => metal3::GROUP,
            Self::IPAddressClaim => capi::GROUP,
        }
    }

    /// The kind as objects write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IPClaim => metal3::CLAIM_KIND,
            Self::IPAddressClaim => capi::CLAIM_KIND,
        }
    }

    /// The finalizer that marks a claim as served by a metal3 pool.
    #[must_use]
    pub const fn finalizer(self) -> &'static str {
        match self {
            Self::IPClaim => metal3::CLAIM_FINALIZER,
            Self::IPAddressClaim => capi::CLAIM_FINALIZER,
        }
    }
}

/// Which claim: two claims of different kinds are different claims even with one name. Sorts by name, then kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId {
    /// Name, unique per kind in the pool's namespace.
    pub name: String,
    /// Kind.
    pub kind: ClaimKind,
}

impl ClaimId {
    /// The claim of this kind and name.
    #[must_use]
    pub fn new(kind: ClaimKind, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.name)
    }
}

/// A claim with what decides about its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Kind and name.
    pub id: ClaimId,
    /// UID; none for a claim that is not stored yet.
    pub uid: Option<String>,
    /// The pool that it names.
    pub pool: Arc<PoolReference>,
    /// RFC 3339 creation time in UTC with whole seconds; none sorts behind every time.
    pub created: Option<String>,
    /// Place in the order of creation among claims without a creation time.
    pub place: u32,
    /// The annotation `ipAddress` as written; empty is no request.
    pub requested: Option<String>,
    /// Name of the address object in the claim's status.
    pub address: Option<String>,
    /// Text of the failure in the claim's status.
    pub failure: Option<String>,
    /// Whether it has a deletion time.
    pub deleting: bool,
    /// All its finalizers.
    pub finalizers: Arc<Vec<String>>,
    /// Whether it keeps what it holds and nothing is decided about it: its own Cluster is paused, say.
    pub paused: bool,
    /// Whether its address rests for a while after its deletion (the in-cluster provider's grace period).
    pub resting: bool,
}

impl Claim {
    /// A new claim of this kind, name and pool, with nothing else set.
    #[must_use]
    pub fn new(id: ClaimId, pool: impl Into<Arc<PoolReference>>) -> Self {
        Self {
            id,
            uid: None,
            pool: pool.into(),
            created: None,
            place: 0,
            requested: None,
            address: None,
            failure: None,
            deleting: false,
            finalizers: Arc::default(),
            paused: false,
            resting: false,
        }
    }

    /// The order in which claims are served: by creation time, then name, then kind.
    #[must_use]
    pub fn served_before(&self, other: &Self) -> Ordering {
        fn age(claim: &Claim) -> (bool, Option<&str>, u32) {
            (claim.created.is_none(), claim.created.as_deref(), claim.place)
        }
        age(self).cmp(&age(other)).then_with(|| self.id.cmp(&other.id))
    }

    fn with_metadata(kind: ClaimKind, pool: PoolReference, metadata: &ObjectMeta) -> Self {
        Self {
            uid: metadata.uid.clone(),
            created: metadata.creation_timestamp.clone(),
            requested: metadata.annotations.get(metal3::REQUEST_ANNOTATION).cloned(),
            deleting: metadata.deletion_timestamp.is_some(),
            finalizers: metadata.finalizers.clone().into(),
            ..Self::new(ClaimId::new(kind, metadata.name.clone()), pool)
        }
    }
}

/// A reference to the metal3 pool of this name.
#[must_use]
pub fn ippool_reference(name: &str) -> PoolReference {
    PoolReference {
        api_group: metal3::GROUP.into(),
        kind: metal3::POOL_KIND.into(),
        name: name.into(),
    }
}

impl From<&metal3::IPClaim> for Claim {
    /// Only the name of `spec.pool` selects a pool (metal3 `ippool_manager.go`).
    fn from(claim: &metal3::IPClaim) -> Self {
        let status = claim.status.as_ref();
        Self {
            address: status
                .and_then(|status| status.address.as_ref())
                .map(|address| address.name.clone()),
            failure: status.and_then(|status| status.error_message.clone()),
            ..Self::with_metadata(
                ClaimKind::IPClaim,
                ippool_reference(&claim.spec.pool.name),
                &claim.metadata,
            )
        }
    }
}

impl From<&capi::IPAddressClaim> for Claim {
    /// The failure is the message of a Ready condition that is False.
    fn from(claim: &capi::IPAddressClaim) -> Self {
        let status = claim.status.as_ref();
        let name = status
            .and_then(|status| status.address_ref.as_ref())
            .map(|address| address.name.clone());
        let failure = status
            .and_then(|status| status.conditions.iter().find(|c| c.r#type == capi::READY))
            .filter(|ready| ready.status == "False")
            .map(|ready| ready.message.clone());
        Self {
            address: name.filter(|name| !name.is_empty()),
            failure,
            ..Self::with_metadata(ClaimKind::IPAddressClaim, claim.spec.pool_ref.clone(), &claim.metadata)
        }
    }
}
