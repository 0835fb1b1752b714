//! Takes and gives the in-cluster provider's InClusterIPPool and GlobalInClusterIPPool (v1alpha1 and v1alpha2 forms); never judges their contents.

use serde::{Deserialize, Serialize};

use super::{ObjectMeta, null};

/// The API group, the one of Cluster API's own claims.
pub const GROUP: &str = "ipam.cluster.x-k8s.io";
/// The version that is stored and that new pools are written in.
pub const API_VERSION: &str = "ipam.cluster.x-k8s.io/v1alpha2";
/// Kind of a namespaced pool.
pub const POOL_KIND: &str = "InClusterIPPool";
/// Kind of a cluster-scoped pool.
pub const GLOBAL_POOL_KIND: &str = "GlobalInClusterIPPool";
/// The provider's finalizer of a claim; it lands on claims of other providers too.
pub const CLAIM_FINALIZER: &str = "ipam.cluster.x-k8s.io/ReleaseAddress";

/// The provider's finalizer of an address.
pub const ADDRESS_FINALIZER: &str = "ipam.cluster.x-k8s.io/ProtectAddress";
/// The provider's finalizer of a pool.
pub const POOL_FINALIZER: &str = "ipam.cluster.x-k8s.io/ProtectPool";

/// A pool of either kind; `kind` tells which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InClusterIPPool {
    /// [`GROUP`] and a version.
    pub api_version: String,
    /// [`POOL_KIND`] or [`GLOBAL_POOL_KIND`].
    pub kind: String,
    /// Metadata.
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(deserialize_with = "null::or_default")]
    pub spec: InClusterIPPoolSpec,
}

/// The cluster-scoped kind has the same form.
pub type GlobalInClusterIPPool = InClusterIPPool;

/// `spec` of either kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InClusterIPPoolSpec {
    /// Single addresses, `a-b` ranges and CIDRs.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null::or_default")]
    pub addresses: Vec<String>,
    /// v1alpha1 only: network in CIDR form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// v1alpha1 only: lowest address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// v1alpha1 only: highest address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Prefix length in bits, 0 to 128; required in v1alpha2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<i64>,
    /// Gateway address; never given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Whether the network, broadcast (IPv4) and anycast (IPv6) address are given out too.
    #[serde(
        rename = "allocateReservedIPAddresses",
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "null::or_default"
    )]
    pub allocate_reserved_ip_addresses: bool,
    /// What is taken out of `addresses`, in the same forms.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null::or_default")]
    pub excluded_addresses: Vec<String>,
    /// Seconds, 0 or more, that a released address rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_reuse_grace_period_seconds: Option<i32>,
}
