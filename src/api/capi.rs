//! Takes and gives Cluster API's IPAddressClaim and IPAddress in every served form (v1alpha1, v1beta1, v1beta2); never converts between versions.

use serde::{Deserialize, Serialize};

use super::{ObjectMeta, null};

/// The API group.
pub const GROUP: &str = "ipam.cluster.x-k8s.io";
/// Kind of a claim.
pub const CLAIM_KIND: &str = "IPAddressClaim";
/// Kind of an address; metal3's group has a kind of the same name.
pub const ADDRESS_KIND: &str = "IPAddress";
/// metal3's finalizer of a claim that it serves.
pub const CLAIM_FINALIZER: &str = "ipam.metal3.io/ipaddressclaim";
/// metal3's finalizer of an address.
pub const ADDRESS_FINALIZER: &str = "ipam.metal3.io/ipaddress";
/// Type of the condition that tells how a claim fares.
pub const READY: &str = "Ready";
/// Reason of Ready=True, Cluster API's general one.
pub const READY_REASON: &str = "Ready";
/// Reason of Ready=False for everything but exhaustion.
pub const ALLOCATION_FAILED: &str = "AllocationFailed";
/// Reason of Ready=False where no address is free.
pub const POOL_EXHAUSTED: &str = "PoolExhausted";

/// A wish for one address of a pool of some provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPAddressClaim {
    /// [`GROUP`] and one of the three versions.
    pub api_version: String,
    /// [`CLAIM_KIND`].
    pub kind: String,
    /// Metadata.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(deserialize_with = "null::or_default")]
    pub spec: IPAddressClaimSpec,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<IPAddressClaimStatus>,
}

/// `IPAddressClaim.spec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPAddressClaimSpec {
    /// The Cluster whose pause stops the claim; not in v1alpha1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// The pool.
    #[serde(deserialize_with = "null::or_default")]
    pub pool_ref: PoolReference,
}

/// A typed reference to a pool in the claim's namespace, or to a cluster-scoped one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PoolReference {
    /// Group of the pool; required from v1beta2 on.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null::or_default")]
    pub api_group: String,
    /// Kind of the pool.
    pub kind: String,
    /// Name of the pool.
    pub name: String,
}

/// `IPAddressClaim.status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPAddressClaimStatus {
    /// The address object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_ref: Option<NameReference>,
    /// Conditions in the form of the object's own version.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null::or_default")]
    pub conditions: Vec<Condition>,
}

/// A reference by name alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NameReference {
    /// Name.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null::or_default")]
    pub name: String,
}

/// A condition; the form of v1alpha1 and v1beta1 has `severity`, that of v1beta2 `observedGeneration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// What it tells.
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// How bad a False is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The generation that it was set for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// RFC 3339 time of the last change of `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
    /// One word for programs.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null::or_default")]
    pub reason: String,
    /// A sentence for people.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null::or_default")]
    pub message: String,
}

/// An address that is given out or reserved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPAddress {
    /// [`GROUP`] and one of the three versions.
    pub api_version: String,
    /// [`ADDRESS_KIND`].
    pub kind: String,
    /// Metadata.
    pub metadata: ObjectMeta,
    /// The address; the kind has no status.
    #[serde(deserialize_with = "null::or_default")]
    pub spec: IPAddressSpec,
}

/// `IPAddress.spec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPAddressSpec {
    /// The claim that holds it.
    #[serde(deserialize_with = "null::or_default")]
    pub claim_ref: NameReference,
    /// The pool that it comes from.
    #[serde(deserialize_with = "null::or_default")]
    pub pool_ref: PoolReference,
    /// The address itself.
    pub address: String,
    /// Prefix length in bits, 0 to 128; always written.
    #[serde(deserialize_with = "null::or_default")]
    pub prefix: i32,
    /// Gateway address.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null::or_default")]
    pub gateway: String,
}
