//! Takes and gives metal3's IPPool, IPClaim and IPAddress (`ipam.metal3.io/v1alpha1`); never judges their contents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ObjectMeta, ObjectReference, null};

/// The API group.
pub const GROUP: &str = "ipam.metal3.io";
/// Group and the only version.
pub const API_VERSION: &str = "ipam.metal3.io/v1alpha1";
/// Kind of a pool; the one that an IPAddressClaim names in its pool reference too.
pub const POOL_KIND: &str = "IPPool";
/// Kind of a claim.
pub const CLAIM_KIND: &str = "IPClaim";
/// Kind of an address; the Cluster API group has a kind of the same name.
pub const ADDRESS_KIND: &str = "IPAddress";
/// Finalizer of a served pool.
pub const POOL_FINALIZER: &str = "ippool.ipam.metal3.io";
/// Finalizer of a served claim.
pub const CLAIM_FINALIZER: &str = "ipclaim.ipam.metal3.io";
/// Finalizer of an address.
pub const ADDRESS_FINALIZER: &str = "ipaddress.ipam.metal3.io";
/// Value of the provider label of a pool that belongs to a cluster.
pub const PROVIDER: &str = "ipam-metal3";
/// Annotation on a claim of either kind that asks for one address.
pub const REQUEST_ANNOTATION: &str = "ipAddress";

/// A pool of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPPool {
    /// [`API_VERSION`].
    pub api_version: String,
    /// [`POOL_KIND`].
    pub kind: String,
    /// Metadata.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(deserialize_with = "null::or_default")]
    pub spec: IPPoolSpec,
    /// What is given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<IPPoolStatus>,
}

impl IPPool {
    /// The pool as it is wanted; its status may be as long as an object can be.
    #[must_use]
    pub fn without_status(&self) -> Self {
        Self {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            metadata: self.metadata.clone(),
            spec: self.spec.clone(),
            status: None,
        }
    }
}

/// `IPPool.spec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPPoolSpec {
    /// The Cluster that owns the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// The entries, used up in this order.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null::or_default")]
    pub pools: Vec<Pool>,
    /// `sequential` (also when empty) or `random`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation_strategy: Option<String>,
    /// Claim name to address text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null::or_default")]
    pub pre_allocations: BTreeMap<String, String>,
    /// Prefix length in bits; 0 is unset, and the schema has no lower limit.
    #[serde(skip_serializing_if = "null::is_zero", deserialize_with = "null::or_default")]
    pub prefix: i64,
    /// Gateway address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// DNS server addresses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null::or_default")]
    pub dns_servers: Vec<String>,
    /// First part of the names of the pool's address objects; required by the schema.
    #[serde(deserialize_with = "null::or_default")]
    pub name_prefix: String,
}

/// One entry of `IPPool.spec.pools`. A member that is present and empty is not the same as an absent one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pool {
    /// Lowest address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Highest address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Network in CIDR form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// Prefix length in bits that replaces the pool's; 0 is unset.
    #[serde(skip_serializing_if = "null::is_zero", deserialize_with = "null::or_default")]
    pub prefix: i64,
    /// Gateway that replaces the pool's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// DNS servers that replace the pool's, as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null::or_default")]
    pub dns_servers: Vec<String>,
}

/// `IPPool.status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPPoolStatus {
    /// RFC 3339 time of the last change of `indexes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    /// Claim name to address text: the decisions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null::or_default")]
    pub indexes: BTreeMap<String, String>,
}

/// A wish for one address of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPClaim {
    /// [`API_VERSION`].
    pub api_version: String,
    /// [`CLAIM_KIND`].
    pub kind: String,
    /// Metadata.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(deserialize_with = "null::or_default")]
    pub spec: IPClaimSpec,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<IPClaimStatus>,
}

/// `IPClaim.spec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPClaimSpec {
    /// The pool; only its name selects one, in the claim's namespace.
    #[serde(deserialize_with = "null::or_default")]
    pub pool: ObjectReference,
}

/// `IPClaim.status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPClaimStatus {
    /// The address object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<ObjectReference>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// An address that is given out or reserved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IPAddress {
    /// [`API_VERSION`].
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
    pub claim: ObjectReference,
    /// The pool that it comes from.
    #[serde(deserialize_with = "null::or_default")]
    pub pool: ObjectReference,
    /// Prefix length in bits; 0 is unset.
    #[serde(skip_serializing_if = "null::is_zero", deserialize_with = "null::or_default")]
    pub prefix: i64,
    /// Gateway address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The address itself.
    pub address: String,
    /// DNS server addresses.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null::or_default")]
    pub dns_servers: Vec<String>,
}
