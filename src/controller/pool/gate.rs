//! Takes a pool, answers whether it is served now: not while it or its Cluster is paused, nor while its Cluster is missing.

use super::super::event::{Subject, Tone};
use super::super::kinds::Kind;
use super::super::store::PAUSED;
use super::super::world::World;
use super::status::subject;
use crate::api::metal3::IPPool;

/// Whether the pool may be worked on.
pub(super) fn is_open(world: &World, pool: &IPPool) -> bool {
    if pool.metadata.annotations.contains_key(PAUSED) {
        return false;
    }
    let (Some(cluster), true) = (&pool.spec.cluster_name, world.caller.serves(Kind::Cluster)) else {
        return true;
    };
    let namespace = pool.metadata.namespace.clone().unwrap_or_default();
    let paused = {
        let store = world.store();
        let found = store.namespace(&namespace).clusters.get(cluster);
        found.map(|(_, cluster)| cluster.paused)
    };
    match paused {
        Some(paused) => !paused,
        // A deletion does not wait for a Cluster that may never come.
        None if pool.metadata.deletion_timestamp.is_some() => true,
        None => {
            let subject: Subject = subject(pool);
            let message =
                format!("waits for the Cluster {cluster}, which spec.clusterName names and which does not exist");
            world.events.say(&subject, Tone::Warning, "ClusterNotFound", message);
            false
        }
    }
}
