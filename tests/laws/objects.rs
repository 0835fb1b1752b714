//! Takes objects as the API server stores them, proves that they read, that what we compose reads back as the decision, and
//! that nothing empty is written.

use capv_ipam::api::{capi, in_cluster, metal3};
use capv_ipam::ipam::{
    AddressObject, Claim, ClaimId, ClaimKind, Pool, Seeded, Snapshot, cluster_api_address, decide, metal3_address,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the object's form")
}

fn pool() -> metal3::IPPool {
    read(json!({
        "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool",
        "metadata": {"name": "pool", "namespace": "demo", "uid": "pool-uid", "labels": null, "generation": 7},
        "spec": {
            "namePrefix": "p", "prefix": 24, "gateway": "10.0.0.254", "dnsServers": ["8.8.8.8"],
            "pools": [{"start": "10.0.0.1", "end": "10.0.0.9", "unknown": {"ignored": true}}],
            "preAllocations": null
        },
        "status": {"lastUpdated": "2026-01-01T00:00:00Z", "indexes": null}
    }))
}

#[test]
fn nothing_empty_is_written() {
    let written = serde_json::to_value(pool()).unwrap();
    assert_eq!(
        written["spec"],
        json!({
            "namePrefix": "p", "prefix": 24, "gateway": "10.0.0.254", "dnsServers": ["8.8.8.8"],
            "pools": [{"start": "10.0.0.1", "end": "10.0.0.9"}]
        })
    );
    assert_eq!(
        written["metadata"],
        json!({"name": "pool", "namespace": "demo", "uid": "pool-uid"})
    );
    let in_cluster: in_cluster::InClusterIPPool = read(json!({
        "apiVersion": "ipam.cluster.x-k8s.io/v1alpha2", "kind": "InClusterIPPool", "metadata": {"name": "pool"},
        "spec": {"addresses": ["10.0.0.1"], "prefix": 24, "allocateReservedIPAddresses": true}
    }));
    let written = serde_json::to_value(in_cluster).unwrap();
    assert_eq!(
        written["spec"],
        json!({"addresses": ["10.0.0.1"], "prefix": 24, "allocateReservedIPAddresses": true})
    );
}

#[test]
fn a_composed_address_is_its_claims_address() {
    let pool = pool();
    let ours: metal3::IPClaim = read(json!({
        "metadata": {"name": "a", "namespace": "demo", "uid": "a-uid", "labels": {"l": "v"}},
        "spec": {"pool": {"name": "pool"}}
    }));
    let theirs: capi::IPAddressClaim = read(json!({
        "apiVersion": "ipam.cluster.x-k8s.io/v1beta1", "metadata": {"name": "b", "namespace": "demo", "uid": "b-uid"},
        "spec": {"poolRef": {"apiGroup": "ipam.metal3.io", "kind": "IPPool", "name": "pool"}}
    }));
    let claims = [Claim::from(&ours), Claim::from(&theirs)];
    let form = Pool::ippool("pool", &pool.spec);
    let decided = |objects: &[AddressObject]| {
        let indexes = Default::default();
        let snapshot = Snapshot {
            pool: &form,
            deleting: false,
            indexes: &indexes,
            objects,
            claims: &claims,
        };
        decide(&snapshot, &mut Seeded::new(0))
    };
    let first = decided(&[]);
    let object = metal3_address(&pool, &ours, &first.granted[0].grant);
    assert_eq!(
        serde_json::to_value(&object).unwrap(),
        json!({
            "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPAddress",
            "metadata": {
                "name": "p-10-0-0-1", "namespace": "demo", "labels": {"l": "v"},
                "finalizers": ["ipaddress.ipam.metal3.io"],
                "ownerReferences": [
                    {"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool", "name": "pool", "uid": "pool-uid"},
                    {"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPClaim", "name": "a", "uid": "a-uid"}
                ]
            },
            "spec": {
                "claim": {"name": "a", "namespace": "demo"}, "pool": {"name": "pool", "namespace": "demo"},
                "prefix": 24, "gateway": "10.0.0.254", "address": "10.0.0.1", "dnsServers": ["8.8.8.8"]
            }
        })
    );
    let other = cluster_api_address(&pool, &theirs, &first.granted[1].grant);
    assert_eq!(other.metadata.owner_references[1].controller, Some(true));
    assert_eq!(other.api_version, "ipam.cluster.x-k8s.io/v1beta1");
    let again = decided(&[AddressObject::from(&object), AddressObject::from(&other)]);
    assert_eq!(again.indexes, first.indexes);
    assert!(again.granted.iter().all(|granted| !granted.create));
    assert!(again.orphans.is_empty());
}

#[test]
fn a_failure_is_read_from_either_form_of_the_condition() {
    for condition in [
        json!({"type": "Ready", "status": "False", "reason": "PoolExhausted", "message": "Exhausted IP Pools"}),
        json!({"type": "Ready", "status": "False", "severity": "Error", "message": "Exhausted IP Pools"}),
    ] {
        let claim: capi::IPAddressClaim = read(json!({
            "metadata": {"name": "b", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"poolRef": {"apiGroup": null, "kind": "IPPool", "name": "pool"}},
            "status": {"addressRef": {"name": ""}, "conditions": [condition]}
        }));
        let claim = Claim::from(&claim);
        assert_eq!(claim.id, ClaimId::new(ClaimKind::IPAddressClaim, "b"));
        assert_eq!(
            (claim.address, claim.failure.as_deref(), claim.deleting),
            (None, Some("Exhausted IP Pools"), true)
        );
    }
}
