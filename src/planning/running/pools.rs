//! Takes the manifest's pools into what is live: their specs as they are about to be applied, and what the provider's webhook
//! says to that.

use super::Reader;
use crate::api::metal3;
use crate::check::{Finding, codes};
use crate::ipam::{InClusterAddresses, admission, parse_address};
use crate::objects::{Detail, PoolKind};
use crate::planning::plan::PoolReference;
use crate::state::{Live, PoolId, PoolObject, Stored};

/// The pool of the state that a reference of the plan means. Where either side says no namespace the name decides.
pub(super) fn of_reference(live: &Live, reference: &PoolReference) -> Option<PoolId> {
    let mut found = live.pools.keys().filter(|id| {
        let here = id.namespace.is_empty()
            || reference
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == id.namespace);
        id.kind == reference.kind && id.name == reference.name && here
    });
    found.next().cloned()
}

/// Replaces the specs of the live pools by the manifest's, and adds the pools that are only there.
pub(super) fn adopt(reader: &Reader<'_, '_, '_>, home: &str, live: &mut Live, findings: &mut Vec<Finding>) {
    let manifest = reader.manifest;
    for object in &manifest.objects {
        let Detail::Pool(pool) = &object.detail else { continue };
        let read = manifest.with_object(object, |at| match pool.kind {
            PoolKind::IPPool => at
                .tree
                .read(at.node, &manifest.limits())
                .ok()
                .map(|pool| PoolObject::IPPool(Box::new(pool))),
            _ => at
                .tree
                .read(at.node, &manifest.limits())
                .ok()
                .map(|pool| PoolObject::InCluster(Box::new(pool))),
        });
        // What cannot be read is a finding elsewhere.
        let Some(new) = read else { continue };
        let reference = PoolReference {
            kind: pool.kind.name().to_owned(),
            namespace: object.namespace().map(ToOwned::to_owned),
            name: object.name().to_owned(),
        };
        match of_reference(live, &reference) {
            Some(id) => replace(reader, live, &id, new, findings),
            None => {
                let scoped = pool.kind != PoolKind::GlobalInClusterIPPool;
                let namespace = if scoped { object.namespace().unwrap_or(home) } else { "" };
                let id = new.id(namespace);
                let stored = Stored {
                    value: new,
                    namespace: namespace.to_owned(),
                    object: None,
                    place: 0,
                };
                live.pools.insert(id, stored);
            }
        }
    }
}

fn replace(reader: &Reader<'_, '_, '_>, live: &mut Live, id: &PoolId, new: PoolObject, findings: &mut Vec<Finding>) {
    let held = if id.kind == metal3::POOL_KIND {
        Vec::new()
    } else {
        held(live, id)
    };
    let Some(stored) = live.pools.get_mut(id) else { return };
    let refused: Vec<String> = match (&stored.value, &new) {
        (PoolObject::IPPool(old), PoolObject::IPPool(new)) => {
            let in_use = old
                .status
                .as_ref()
                .map(|status| status.indexes.clone())
                .unwrap_or_default();
            admission::update_pool(&old.spec, &new.spec, &in_use)
                .iter()
                .map(ToString::to_string)
                .collect()
        }
        (PoolObject::InCluster(_), PoolObject::InCluster(new)) => match InClusterAddresses::read(&new.spec) {
            Ok(read) => held
                .iter()
                .filter(|text| parse_address(text).is_ok_and(|address| !read.addresses.contains(address)))
                .map(|text| format!("spec.addresses: {text} is in use"))
                .collect(),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        },
        _ => Vec::new(),
    };
    for problem in refused {
        let finding = Finding::new(
            &codes::POOL_CHANGE_REFUSED,
            format!("the manifest's change of {id} is refused: {problem}"),
        );
        let finding = match stored.object {
            Some(index) => reader.at(&reader.state.manifest.objects[index], finding),
            None => finding,
        };
        findings.push(finding.help("keep what is in use and what cannot change, or give the pool a new name"));
    }
    match (&mut stored.value, new) {
        (PoolObject::IPPool(old), PoolObject::IPPool(new)) => old.spec = new.spec,
        (PoolObject::InCluster(old), PoolObject::InCluster(new)) => old.spec = new.spec,
        _ => {}
    }
}

/// The addresses of a pool's address objects.
fn held(live: &Live, id: &PoolId) -> Vec<String> {
    let own = live
        .addresses()
        .iter()
        .filter(|address| address.value.pool(&address.namespace).as_ref() == Some(id));
    own.map(|address| address.value.address().to_owned()).collect()
}
