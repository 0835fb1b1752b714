//! Takes a pool, a claim and what was granted to it, gives the address object to create; never decides anything.

use super::pool::Grant;
use crate::api::{ObjectMeta, ObjectReference, OwnerReference, capi, metal3};

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
    let by_contract = |controller, owner| OwnerReference {
        controller: Some(controller),
        block_owner_deletion: Some(true),
        ..owner
    };
    let owners = [
        by_contract(false, owner(metal3::API_VERSION, metal3::POOL_KIND, &pool.metadata)),
        by_contract(true, owner(&claim.api_version, capi::CLAIM_KIND, &claim.metadata)),
    ];
    capi::IPAddress {
        api_version: claim.api_version.clone(),
        kind: capi::ADDRESS_KIND.into(),
        metadata: metadata(pool, &claim.metadata, grant, capi::ADDRESS_FINALIZER, owners),
        spec: capi::IPAddressSpec {
            claim_ref: capi::NameReference {
                name: claim.metadata.name.clone(),
            },
            pool_ref: capi::PoolReference {
                api_group: metal3::GROUP.into(),
                kind: metal3::POOL_KIND.into(),
                name: pool.metadata.name.clone(),
            },
            address: grant.address.to_string(),
            // Only a pool changed after the promise can hold a number this wide; the API server refuses it by name.
            prefix: i32::try_from(grant.prefix).unwrap_or(i32::MAX),
            gateway: grant.gateway.clone().unwrap_or_default(),
        },
    }
}

fn owner(api_version: &str, kind: &str, metadata: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: api_version.into(),
        kind: kind.into(),
        name: metadata.name.clone(),
        uid: metadata.uid.clone().unwrap_or_default(),
        controller: None,
        block_owner_deletion: None,
    }
}

fn metadata(
    pool: &metal3::IPPool,
    claim: &ObjectMeta,
    grant: &Grant,
    finalizer: &str,
    owners: [OwnerReference; 2],
) -> ObjectMeta {
    ObjectMeta {
        name: grant.object.clone(),
        namespace: pool.metadata.namespace.clone(),
        labels: claim.labels.clone(),
        finalizers: vec![finalizer.into()],
        owner_references: owners.into(),
        ..ObjectMeta::default()
    }
}
