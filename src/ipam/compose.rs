//! Takes a pool, a claim and what was granted to it, gives the address object to create; never decides anything.
//!
//! Nothing can be owned by an object without UID. Where the claim or pool is not stored yet its reference is left out, and
//! the object is one of those that people make by hand: it reserves its address, and the claim adopts it when it comes.

use super::pool::Grant;
use crate::api::capi::IPAddressSpec;
use crate::api::in_cluster::{self, InClusterIPPool};
use crate::api::{CLUSTER_LABEL, ObjectMeta, ObjectReference, OwnerReference, capi, metal3};

/// The `ipam.metal3.io` address object of an IPClaim, as metal3 writes it (`ippool_manager.go`): the claim's labels, bare
/// references to both owners, names and namespaces only.
#[must_use]
pub fn metal3_address(pool: &metal3::IPPool, claim: &metal3::IPClaim, grant: &Grant) -> metal3::IPAddress {
    let reference = |name: &str| ObjectReference {
        name: name.into(),
        namespace: pool.metadata.namespace.clone(),
        ..ObjectReference::default()
    };
    let owners = [
        owner(metal3::API_VERSION, metal3::POOL_KIND, &pool.metadata),
        owner(metal3::API_VERSION, metal3::CLAIM_KIND, &claim.metadata),
    ];
    let owners = owners.into_iter().flatten().collect();
    metal3::IPAddress {
        api_version: metal3::API_VERSION.into(),
        kind: metal3::ADDRESS_KIND.into(),
        metadata: metadata(pool, &claim.metadata, grant, metal3::ADDRESS_FINALIZER, owners),
        spec: metal3::IPAddressSpec {
            claim: reference(&claim.metadata.name),
            pool: reference(&pool.metadata.name),
            prefix: grant.prefix,
            gateway: grant.gateway.clone(),
            address: grant.address.to_string(),
            dns_servers: grant.dns_servers.clone(),
        },
    }
}

/// The `ipam.cluster.x-k8s.io` address object of an IPAddressClaim, in the claim's version. Both owners are referred to as
/// Cluster API's IPAM contract asks; the name stays metal3's.
#[must_use]
pub fn cluster_api_address(pool: &metal3::IPPool, claim: &capi::IPAddressClaim, grant: &Grant) -> capi::IPAddress {
    let owners = [
        by_contract(false, owner(metal3::API_VERSION, metal3::POOL_KIND, &pool.metadata)),
        by_contract(true, owner(&claim.api_version, capi::CLAIM_KIND, &claim.metadata)),
    ];
    let owners = owners.into_iter().flatten().collect();
    capi::IPAddress {
        api_version: claim.api_version.clone(),
        kind: capi::ADDRESS_KIND.into(),
        metadata: metadata(pool, &claim.metadata, grant, capi::ADDRESS_FINALIZER, owners),
        spec: cluster_api_spec(metal3::POOL_KIND, metal3::GROUP, &pool.metadata.name, claim, grant),
    }
}

/// The address object of a claim on a pool of the in-cluster provider (`ipamutil/reconciler.go`): named as the claim, with
/// its cluster's label only, both owners as the contract asks, the claim first.
#[must_use]
pub fn in_cluster_address(pool: &InClusterIPPool, claim: &capi::IPAddressClaim, grant: &Grant) -> capi::IPAddress {
    let owners = [
        by_contract(true, owner(&claim.api_version, capi::CLAIM_KIND, &claim.metadata)),
        by_contract(false, owner(&pool.api_version, &pool.kind, &pool.metadata)),
    ];
    let cluster = claim.metadata.labels.get_key_value(CLUSTER_LABEL);
    capi::IPAddress {
        api_version: claim.api_version.clone(),
        kind: capi::ADDRESS_KIND.into(),
        metadata: ObjectMeta {
            name: claim.metadata.name.clone(),
            namespace: claim.metadata.namespace.clone(),
            labels: cluster
                .into_iter()
                .map(|(key, name)| (key.clone(), name.clone()))
                .collect(),
            finalizers: vec![in_cluster::ADDRESS_FINALIZER.into()],
            owner_references: owners.into_iter().flatten().collect(),
            ..ObjectMeta::default()
        },
        spec: cluster_api_spec(&pool.kind, in_cluster::GROUP, &pool.metadata.name, claim, grant),
    }
}

fn cluster_api_spec(kind: &str, group: &str, pool: &str, claim: &capi::IPAddressClaim, grant: &Grant) -> IPAddressSpec {
    IPAddressSpec {
        claim_ref: capi::NameReference {
            name: claim.metadata.name.clone(),
        },
        pool_ref: capi::PoolReference {
            api_group: group.into(),
            kind: kind.into(),
            name: pool.into(),
        },
        address: grant.address.to_string(),
        // Only a pool changed after the promise can hold a number this wide; the API server refuses it by name.
        prefix: i32::try_from(grant.prefix).unwrap_or(i32::MAX),
        gateway: grant.gateway.clone().unwrap_or_default(),
    }
}

fn by_contract(controller: bool, owner: Option<OwnerReference>) -> Option<OwnerReference> {
    Some(OwnerReference {
        controller: Some(controller),
        block_owner_deletion: Some(true),
        ..owner?
    })
}

fn owner(api_version: &str, kind: &str, metadata: &ObjectMeta) -> Option<OwnerReference> {
    let uid = metadata.uid.clone().filter(|uid| !uid.is_empty())?;
    Some(OwnerReference {
        api_version: api_version.into(),
        kind: kind.into(),
        name: metadata.name.clone(),
        uid,
        controller: None,
        block_owner_deletion: None,
    })
}

fn metadata(
    pool: &metal3::IPPool,
    claim: &ObjectMeta,
    grant: &Grant,
    finalizer: &str,
    owners: Vec<OwnerReference>,
) -> ObjectMeta {
    ObjectMeta {
        name: grant.object.clone(),
        namespace: pool.metadata.namespace.clone(),
        labels: claim.labels.clone(),
        finalizers: vec![finalizer.into()],
        owner_references: owners,
        ..ObjectMeta::default()
    }
}
