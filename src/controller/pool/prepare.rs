//! Takes a pool that is served, gives it metal3's labels, owner and finalizer (`ippool_controller.go`); never touches its
//! spec.

use serde_json::{Value, json};

use super::super::call::{Key, Trouble};
use super::super::kinds::{CLUSTER_GROUP, Kind};
use super::super::store::CLUSTER_NAME;
use super::super::world::World;
use crate::api::metal3::{self, IPPool};
use crate::api::{ObjectMeta, OwnerReference};

/// Label of everything that metal3's manager keeps.
const PROVIDER: &str = "cluster.x-k8s.io/provider";
/// Its value since metal3 1.10.
const PROVIDER_NAME: &str = "ipam-metal3";

/// Brings the pool's metadata into order.
///
/// # Errors
/// Those of the API server; `Conflict` where somebody else changed the pool meanwhile.
pub(super) async fn prepare(world: &World, key: &Key, pool: &IPPool) -> Result<(), Trouble> {
    if let Some(patch) = patch(world, key, pool) {
        let stored = world.caller.patch(Kind::Pool, key, &patch).await?;
        world.keep(Kind::Pool, stored);
    }
    Ok(())
}

fn patch(world: &World, key: &Key, pool: &IPPool) -> Option<Value> {
    let metadata = &pool.metadata;
    let mut changes = serde_json::Map::new();
    if let Some(cluster) = &pool.spec.cluster_name {
        let wanted = [(CLUSTER_NAME, cluster.as_str()), (PROVIDER, PROVIDER_NAME)];
        if wanted
            .iter()
            .any(|(label, value)| metadata.labels.get(*label).map(String::as_str) != Some(value))
        {
            let labels: Value = wanted
                .iter()
                .map(|(label, value)| ((*label).to_owned(), json!(value)))
                .collect();
            changes.insert("labels".into(), labels);
        }
        if let Some(owner) = owner(world, key, metadata, cluster) {
            let mut owners = metadata.owner_references.clone();
            owners.push(owner);
            changes.insert("ownerReferences".into(), json!(owners));
        }
    }
    let guarded = metadata
        .finalizers
        .iter()
        .any(|finalizer| finalizer == metal3::POOL_FINALIZER);
    if !guarded && metadata.deletion_timestamp.is_none() {
        let mut finalizers = metadata.finalizers.clone();
        finalizers.push(metal3::POOL_FINALIZER.into());
        changes.insert("finalizers".into(), json!(finalizers));
    }
    if changes.is_empty() {
        return None;
    }
    changes.insert("resourceVersion".into(), json!(metadata.resource_version));
    Some(json!({ "metadata": changes }))
}

/// The reference to the pool's Cluster, unless the pool has one of this name, kind and group.
fn owner(world: &World, key: &Key, metadata: &ObjectMeta, name: &str) -> Option<OwnerReference> {
    let store = world.store();
    let (_, cluster) = store.namespace(&key.namespace).clusters.get(name)?;
    let there = metadata
        .owner_references
        .iter()
        .any(|owner| owner.name == name && owner.kind == "Cluster" && owner.group() == CLUSTER_GROUP);
    (!there).then(|| OwnerReference {
        api_version: cluster.api_version.clone(),
        kind: "Cluster".into(),
        name: name.into(),
        uid: cluster.uid.clone(),
        controller: Some(false),
        block_owner_deletion: None,
    })
}
