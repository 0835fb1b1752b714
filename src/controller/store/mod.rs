//! Takes objects as the API server sends them, keeps what decisions look at and answers whom a change concerns; never calls
//! anybody.

mod cluster;
mod namespace;
mod shared;
mod user;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::call::Key;
use super::kinds::Kind;
use super::table::Version;
use crate::api::metal3::IPPool;
use crate::api::{capi, metal3};
use crate::ipam::{ClaimId, ClaimKind, ObjectId};
use cluster::Cluster;
pub(super) use namespace::{Namespace, ObjectNote};
use namespace::{Whole, claim_kind, slim};

/// Label, and field of some kinds, that names an object's Cluster.
pub(super) const CLUSTER_NAME: &str = "cluster.x-k8s.io/cluster-name";
/// Annotation that stops everything about an object.
pub(super) const PAUSED: &str = "cluster.x-k8s.io/paused";

/// An object that a change concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Wake {
    /// A pool: what its claims and addresses come to.
    Pool(Key),
    /// A VSphereMachine.
    Machine(Key),
    /// A VSphereCluster.
    Endpoint(Key),
}

/// Everything that is watched.
#[derive(Debug, Default)]
pub(super) struct Store {
    namespaces: BTreeMap<String, Namespace>,
    empty: Namespace,
    /// How far the watch of each kind has come: it has told of everything up to this version.
    progress: BTreeMap<Kind, Version>,
}

/// The part of metadata that sorts an object in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    resource_version: String,
}

impl Place {
    fn of(object: &Value) -> Option<Self> {
        Self::deserialize(object.get("metadata")?).ok()
    }
}

impl Store {
    /// The objects of a namespace.
    pub(super) fn namespace(&self, name: &str) -> &Namespace {
        self.namespaces.get(name).unwrap_or(&self.empty)
    }

    pub(super) fn pool(&self, key: &Key) -> Option<&IPPool> {
        self.namespace(&key.namespace).pools.get(&key.name)
    }

    pub(super) fn namespaces(&self) -> impl Iterator<Item = (&String, &Namespace)> {
        self.namespaces.iter()
    }

    /// When a machine was created; nothing for other objects.
    pub(super) fn created(&self, wake: &Wake) -> Option<String> {
        let Wake::Machine(key) = wake else {
            return None;
        };
        let machine = self
            .namespace(&key.namespace)
            .whole
            .get(&(Kind::Machine, key.name.clone()))?;
        let time = machine.value.pointer("/metadata/creationTimestamp")?;
        time.as_str().map(ToOwned::to_owned)
    }

    /// Takes the answer to a write of ours in. One that the watch has overtaken is dropped: the object may be gone by now.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub(super) fn keep(&mut self, kind: Kind, object: Value) -> Result<BTreeSet<Wake>, String> {
        let place = Place::of(&object).ok_or("metadata cannot be read")?;
        let version = Version(place.resource_version);
        match self.progress.get(&kind) {
            Some(progress) if version.is_older_or_same(progress) => Ok(BTreeSet::new()),
            _ => self.apply(kind, object),
        }
    }

    /// Notes that the watch has told of everything up to this version.
    pub(super) fn has_come_to(&mut self, kind: Kind, version: &str) {
        self.progress.insert(kind, Version(version.into()));
    }

    /// Takes an object in, unless it is older than what is there.
    ///
    /// # Errors
    /// Why its form cannot be read; then nothing is kept of it.
    pub(super) fn apply(&mut self, kind: Kind, object: Value) -> Result<BTreeSet<Wake>, String> {
        let place = Place::of(&object).ok_or("metadata cannot be read")?;
        let version = Version(place.resource_version);
        let key = Key::new(place.namespace, place.name);
        let namespace = self.namespaces.entry(key.namespace.clone()).or_default();
        let unreadable = |error: serde_json::Error| error.to_string();
        let mut wakes = BTreeSet::new();
        match kind {
            Kind::Pool => {
                let pool: IPPool = serde_json::from_value(object).map_err(unreadable)?;
                let old = namespace
                    .pools
                    .get(&key.name)
                    .and_then(|old| old.metadata.resource_version.clone());
                if old.is_none_or(|old| !version.is_older_or_same(&Version(old))) {
                    wakes.extend(namespace.waiting(&key.namespace));
                    namespace.pools.insert(key.name.clone(), pool);
                    wakes.insert(Wake::Pool(key));
                }
            }
            Kind::Claim => {
                let claim: metal3::IPClaim = serde_json::from_value(object).map_err(unreadable)?;
                let cluster = claim.metadata.labels.get(CLUSTER_NAME).cloned();
                namespace.put_claim(
                    &key.namespace,
                    (&claim).into(),
                    version,
                    cluster,
                    &claim.metadata,
                    &mut wakes,
                );
            }
            Kind::ClusterApiClaim => {
                let claim: capi::IPAddressClaim = serde_json::from_value(object).map_err(unreadable)?;
                let label = || claim.metadata.labels.get(CLUSTER_NAME).cloned();
                let cluster = claim.spec.cluster_name.clone().or_else(label);
                namespace.put_claim(
                    &key.namespace,
                    (&claim).into(),
                    version,
                    cluster,
                    &claim.metadata,
                    &mut wakes,
                );
            }
            Kind::Address => {
                let address: metal3::IPAddress = serde_json::from_value(object).map_err(unreadable)?;
                namespace.put_object(
                    &key.namespace,
                    (&address).into(),
                    version,
                    &address.metadata,
                    &mut wakes,
                );
            }
            Kind::ClusterApiAddress => {
                let address: capi::IPAddress = serde_json::from_value(object).map_err(unreadable)?;
                namespace.put_object(
                    &key.namespace,
                    (&address).into(),
                    version,
                    &address.metadata,
                    &mut wakes,
                );
            }
            Kind::Cluster => {
                let cluster = Cluster::of(&object);
                let old = namespace.clusters.get(&key.name);
                if old.is_none_or(|(old, _)| !version.is_older_or_same(old)) {
                    let changed = old.is_none_or(|(_, old)| *old != cluster);
                    namespace.clusters.insert(key.name.clone(), (version, cluster));
                    if changed {
                        wakes.extend(namespace.members_of_cluster(&key));
                    }
                }
            }
            Kind::Machine | Kind::Template | Kind::VSphereCluster => {
                let place = (kind, key.name.clone());
                let old = namespace.whole.get(&place);
                if old.is_none_or(|old| !version.is_older_or_same(&old.version)) {
                    let mut value = object;
                    slim(&mut value);
                    namespace.whole.insert(place, Whole { version, value });
                    wakes.extend(namespace.concerned(kind, &key));
                }
            }
        }
        Ok(wakes)
    }

    /// Takes an object out that is gone.
    pub(super) fn delete(&mut self, kind: Kind, object: &Value) -> BTreeSet<Wake> {
        let Some(place) = Place::of(object) else {
            return BTreeSet::new();
        };
        let version = Version(place.resource_version);
        let key = Key::new(place.namespace, place.name);
        // The name may have passed to a new object that we stored ourselves before this word came.
        match self.version(kind, &key) {
            Some(stored) if !stored.is_older_or_same(&version) => BTreeSet::new(),
            _ => self.remove(kind, &key),
        }
    }

    /// The version in which an object is stored here.
    pub(super) fn version(&self, kind: Kind, key: &Key) -> Option<Version> {
        let namespace = self.namespaces.get(&key.namespace)?;
        match kind {
            Kind::Pool => Some(Version(
                namespace.pools.get(&key.name)?.metadata.resource_version.clone()?,
            )),
            Kind::Claim | Kind::ClusterApiClaim => {
                let id = ClaimId::new(claim_kind(kind), key.name.clone());
                Some(namespace.claims.get(&id)?.1.clone())
            }
            Kind::Address | Kind::ClusterApiAddress => {
                let id = ObjectId {
                    name: key.name.clone(),
                    kind: claim_kind(kind),
                };
                Some(namespace.objects.get(&id)?.1.clone())
            }
            Kind::Cluster => Some(namespace.clusters.get(&key.name)?.0.clone()),
            Kind::Machine | Kind::Template | Kind::VSphereCluster => {
                Some(namespace.whole.get(&(kind, key.name.clone()))?.version.clone())
            }
        }
    }

    /// Takes an object out, whatever its version.
    pub(super) fn remove(&mut self, kind: Kind, key: &Key) -> BTreeSet<Wake> {
        let Some(namespace) = self.namespaces.get_mut(&key.namespace) else {
            return BTreeSet::new();
        };
        let mut wakes = BTreeSet::new();
        match kind {
            Kind::Pool => {
                namespace.pools.remove(&key.name);
                wakes.insert(Wake::Pool(key.clone()));
            }
            Kind::Claim | Kind::ClusterApiClaim => {
                let id = ClaimId::new(claim_kind(kind), key.name.clone());
                if let Some(claim) = namespace.claims.remove(&id) {
                    wakes.insert(Wake::Pool(Key::new(key.namespace.clone(), claim.pool.name.clone())));
                }
                wakes.extend(namespace.claimant(key, claim_kind(kind)));
            }
            Kind::Address | Kind::ClusterApiAddress => {
                let id = ObjectId {
                    name: key.name.clone(),
                    kind: claim_kind(kind),
                };
                if let Some(object) = namespace.objects.remove(&id) {
                    wakes.insert(Wake::Pool(Key::new(key.namespace.clone(), object.pool.name.clone())));
                }
            }
            Kind::Cluster => {
                namespace.clusters.remove(&key.name);
                wakes.extend(namespace.members_of_cluster(key));
            }
            Kind::Machine | Kind::Template | Kind::VSphereCluster => {
                namespace.whole.remove(&(kind, key.name.clone()));
                wakes.extend(namespace.concerned(kind, key));
            }
        }
        wakes
    }

    /// Takes out what a complete list of `version` no longer has. Objects stored later stay.
    pub(super) fn retain(&mut self, kind: Kind, listed: &HashSet<Key>, version: &str) -> BTreeSet<Wake> {
        let version = Version(version.into());
        let mut gone = Vec::new();
        for (name, namespace) in &self.namespaces {
            let is_listed = |object: &str| listed.contains(&Key::new(name.clone(), object));
            let names: Vec<String> = match kind {
                Kind::Pool => {
                    let stored = |pool: &IPPool| Version(pool.metadata.resource_version.clone().unwrap_or_default());
                    let pools = namespace.pools.iter();
                    let stale = pools.filter(|(n, pool)| !is_listed(n) && stored(pool).is_older_or_same(&version));
                    stale.map(|(name, _)| name.clone()).collect()
                }
                Kind::Claim | Kind::ClusterApiClaim => {
                    let other = |id: &ClaimId| id.kind != claim_kind(kind) || is_listed(&id.name);
                    namespace
                        .claims
                        .stale(&version, other)
                        .into_iter()
                        .map(|id| id.name)
                        .collect()
                }
                Kind::Address | Kind::ClusterApiAddress => {
                    let other = |id: &ObjectId| id.kind != claim_kind(kind) || is_listed(&id.name);
                    namespace
                        .objects
                        .stale(&version, other)
                        .into_iter()
                        .map(|id| id.name)
                        .collect()
                }
                Kind::Cluster => {
                    let clusters = namespace.clusters.keys().filter(|name| !is_listed(name));
                    clusters.cloned().collect()
                }
                Kind::Machine | Kind::Template | Kind::VSphereCluster => {
                    let whole = namespace.whole.iter();
                    whole
                        .filter(|((of, n), w)| *of == kind && !is_listed(n) && w.version.is_older_or_same(&version))
                        .map(|((_, name), _)| name.clone())
                        .collect()
                }
            };
            gone.extend(names.into_iter().map(|object| Key::new(name.clone(), object)));
        }
        gone.iter().flat_map(|key| self.remove(kind, key)).collect()
    }

    /// Notes on every claim of the namespace whether nothing is to be decided about it: its own Cluster stops it, or it is
    /// being deleted while whoever it was made for has its address.
    pub(super) fn mark_held(&mut self, namespace: &str, clusters_are_served: bool) {
        let Some(namespace) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Namespace {
            claims,
            clusters,
            whole,
            ..
        } = namespace;
        for (claim, note) in claims.values_mut() {
            let cluster = note.cluster.as_ref().map(|name| clusters.get(name));
            let user = note.user.as_deref();
            let used = user.is_some_and(|user| {
                let owner = whole.get(&(user.kind, user.name.clone()));
                owner.is_some_and(|owner| user.has_address(&owner.value, &claim.id.name))
            });
            claim.paused = used
                || match cluster {
                    None => false,
                    Some(Some((_, cluster))) => cluster.paused,
                    // Cluster API's contract: a claim waits for its Cluster, its deletion does not.
                    Some(None) => clusters_are_served && !claim.deleting && claim.id.kind == ClaimKind::IPAddressClaim,
                };
        }
    }
}
