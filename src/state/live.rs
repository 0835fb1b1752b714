//! What is live of IPAM as typed values: pools, claims, addresses and Clusters, each with its namespace and the object that
//! it was read from; knows no texts and decides nothing.

use std::collections::BTreeMap;
use std::fmt;

use crate::api::{CLUSTER_LABEL, ObjectMeta, capi, in_cluster, metal3};
use crate::ipam::ClaimKind;

/// A value with the object that it was read from.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// The value.
    pub value: T,
    /// Its namespace; empty for cluster-scoped objects, and for those that name none where the input names several.
    pub namespace: String,
    /// The index of its object in the manifest; none for one that does not exist yet.
    pub object: Option<usize>,
    /// Place in the order of creation among those that do not exist yet.
    pub place: u32,
}

/// A pool of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolObject {
    /// metal3's.
    IPPool(Box<metal3::IPPool>),
    /// The in-cluster provider's, of either scope.
    InCluster(Box<in_cluster::InClusterIPPool>),
}

/// A claim of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimObject {
    /// metal3's.
    IPClaim(Box<metal3::IPClaim>),
    /// Cluster API's.
    IPAddressClaim(Box<capi::IPAddressClaim>),
}

/// An address object of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum AddressRecord {
    /// metal3's, the answer to an IPClaim.
    Metal3(Box<metal3::IPAddress>),
    /// Cluster API's, the answer to an IPAddressClaim.
    ClusterApi(Box<capi::IPAddress>),
}

/// Which pool. Sorts by namespace, then kind, then name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId {
    /// Its namespace; empty for a cluster-scoped pool.
    pub namespace: String,
    /// Its kind as objects write it.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// What is live of IPAM.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The pools, sorted by identity.
    pub pools: BTreeMap<PoolId, Stored<PoolObject>>,
    /// The claims, sorted by namespace, kind and name.
    claims: Vec<Stored<ClaimObject>>,
    /// The address objects, sorted likewise.
    addresses: Vec<Stored<AddressRecord>>,
    /// The Clusters, by namespace and name.
    pub clusters: BTreeMap<(String, String), ClusterState>,
}

/// What a Cluster says about its claims and pools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterState {
    /// Whether `spec.paused` or the annotation stops everything that belongs to it.
    pub paused: bool,
    /// `apiVersion`.
    pub api_version: String,
    /// UID, where the text has one.
    pub uid: Option<String>,
}

impl PoolId {
    /// metal3's pool of this name.
    #[must_use]
    pub fn ippool(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            kind: metal3::POOL_KIND,
            name: name.to_owned(),
        }
    }

    /// The pool that a reference from this namespace means; none for other groups and kinds.
    #[must_use]
    pub fn of(reference: &capi::PoolReference, namespace: &str) -> Option<Self> {
        let kind = match (&*reference.api_group, &*reference.kind) {
            (metal3::GROUP, metal3::POOL_KIND) => metal3::POOL_KIND,
            (in_cluster::GROUP, in_cluster::POOL_KIND) => in_cluster::POOL_KIND,
            (in_cluster::GROUP, in_cluster::GLOBAL_POOL_KIND) => in_cluster::GLOBAL_POOL_KIND,
            _ => return None,
        };
        let scoped = kind != in_cluster::GLOBAL_POOL_KIND;
        Some(Self {
            namespace: if scoped { namespace.to_owned() } else { String::new() },
            kind,
            name: reference.name.clone(),
        })
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(out, "{}/", self.namespace)?;
        }
        out.write_str(&self.name)
    }
}

impl PoolObject {
    /// Its identity in this namespace.
    #[must_use]
    pub fn id(&self, namespace: &str) -> PoolId {
        let kind = match self {
            Self::IPPool(_) => metal3::POOL_KIND,
            Self::InCluster(pool) if pool.kind == in_cluster::GLOBAL_POOL_KIND => in_cluster::GLOBAL_POOL_KIND,
            Self::InCluster(_) => in_cluster::POOL_KIND,
        };
        PoolId {
            namespace: namespace.to_owned(),
            kind,
            name: self.metadata().name.clone(),
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::IPPool(pool) => &pool.metadata,
            Self::InCluster(pool) => &pool.metadata,
        }
    }
}

impl ClaimObject {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ClaimKind {
        match self {
            Self::IPClaim(_) => ClaimKind::IPClaim,
            Self::IPAddressClaim(_) => ClaimKind::IPAddressClaim,
        }
    }

    /// The pool that it names; none for a pool of a kind that is neither metal3's nor the in-cluster provider's.
    #[must_use]
    pub fn pool(&self, namespace: &str) -> Option<PoolId> {
        match self {
            // Only the name selects (metal3 `ippool_manager.go`).
            Self::IPClaim(claim) => Some(PoolId::ippool(namespace, &claim.spec.pool.name)),
            Self::IPAddressClaim(claim) => PoolId::of(&claim.spec.pool_ref, namespace),
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::IPClaim(claim) => &claim.metadata,
            Self::IPAddressClaim(claim) => &claim.metadata,
        }
    }

    /// The cluster that it says it belongs to: `spec.clusterName`, else the label.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        let named = match self {
            Self::IPClaim(_) => None,
            Self::IPAddressClaim(claim) => claim.spec.cluster_name.as_deref(),
        };
        let label = || self.metadata().labels.get(CLUSTER_LABEL).map(String::as_str);
        named.filter(|name| !name.is_empty()).or_else(label)
    }
}

impl AddressRecord {
    /// The kind of the claims that it answers.
    #[must_use]
    pub fn kind(&self) -> ClaimKind {
        match self {
            Self::Metal3(_) => ClaimKind::IPClaim,
            Self::ClusterApi(_) => ClaimKind::IPAddressClaim,
        }
    }

    /// The pool that it names, as [`ClaimObject::pool`].
    #[must_use]
    pub fn pool(&self, namespace: &str) -> Option<PoolId> {
        match self {
            Self::Metal3(address) => Some(PoolId::ippool(namespace, &address.spec.pool.name)),
            Self::ClusterApi(address) => PoolId::of(&address.spec.pool_ref, namespace),
        }
    }

    /// The name of the claim that it names.
    #[must_use]
    pub fn claim(&self) -> &str {
        match self {
            Self::Metal3(address) => &address.spec.claim.name,
            Self::ClusterApi(address) => &address.spec.claim_ref.name,
        }
    }

    /// Its address as written.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Metal3(address) => &address.spec.address,
            Self::ClusterApi(address) => &address.spec.address,
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::Metal3(address) => &address.metadata,
            Self::ClusterApi(address) => &address.metadata,
        }
    }
}

impl Live {
    /// The claims, sorted by namespace, kind and name.
    #[must_use]
    pub fn claims(&self) -> &[Stored<ClaimObject>] {
        &self.claims
    }

    /// The address objects, sorted by namespace, kind and name.
    #[must_use]
    pub fn addresses(&self) -> &[Stored<AddressRecord>] {
        &self.addresses
    }

    /// Takes in further claims.
    pub fn add_claims(&mut self, claims: impl IntoIterator<Item = Stored<ClaimObject>>) {
        self.claims.extend(claims);
        self.claims.sort_by(|a, b| a.key().cmp(&b.key()));
    }

    /// Takes in further address objects.
    pub fn add_addresses(&mut self, addresses: impl IntoIterator<Item = Stored<AddressRecord>>) {
        self.addresses.extend(addresses);
        self.addresses.sort_by(|a, b| a.key().cmp(&b.key()));
    }

    /// The claim of this namespace, kind and name, by its place in [`Live::claims`].
    #[must_use]
    pub fn claim(&self, namespace: &str, kind: ClaimKind, name: &str) -> Option<usize> {
        self.claims
            .binary_search_by(|claim| claim.key().cmp(&(namespace, kind, name)))
            .ok()
    }

    /// The address objects of this namespace and kind whose names begin like this, by their places.
    pub fn addresses_named<'l>(
        &'l self,
        namespace: &'l str,
        kind: ClaimKind,
        start: &'l str,
    ) -> impl Iterator<Item = usize> + 'l {
        let first = self
            .addresses
            .partition_point(|address| address.key() < (namespace, kind, start));
        let here = move |index: &usize| {
            let key = self.addresses[*index].key();
            key.0 == namespace && key.1 == kind && key.2.starts_with(start)
        };
        (first..self.addresses.len()).take_while(here)
    }
}

impl Stored<ClaimObject> {
    fn key(&self) -> (&str, ClaimKind, &str) {
        (&self.namespace, self.value.kind(), &self.value.metadata().name)
    }
}

impl Stored<AddressRecord> {
    fn key(&self) -> (&str, ClaimKind, &str) {
        (&self.namespace, self.value.kind(), &self.value.metadata().name)
    }
}
