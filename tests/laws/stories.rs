//! Takes single situations that need a name, shows what is decided in each.

use std::collections::BTreeMap;

use capv_ipam::api::in_cluster::InClusterIPPool;
use capv_ipam::api::metal3::{IPPoolSpec, Pool as Given};
use capv_ipam::ipam::{
    AddressObject, Claim, ClaimId, ClaimKind, ObjectId, Outcome, Pool, Seeded, Snapshot, Source, decide,
    ippool_reference,
};
use serde_json::json;

use ClaimKind::{IPAddressClaim, IPClaim};

fn pool() -> Pool {
    let entry = Given {
        start: Some("10.0.0.1".into()),
        end: Some("10.0.0.4".into()),
        ..Given::default()
    };
    Pool::ippool(
        "pool",
        &IPPoolSpec {
            pools: vec![entry],
            name_prefix: "p".into(),
            ..IPPoolSpec::default()
        },
    )
}

fn claim(kind: ClaimKind, name: &str) -> Claim {
    let mut claim = Claim::new(ClaimId::new(kind, name), ippool_reference("pool"));
    claim.uid = Some(format!("{name}-uid"));
    claim.created = Some("2026-01-01T00:00:00Z".into());
    claim
}

fn deleted(mut claim: Claim, finalizers: &[&str]) -> Claim {
    claim.deleting = true;
    claim.finalizers = finalizers.iter().map(|f| (*f).into()).collect::<Vec<_>>().into();
    claim
}

fn object(kind: ClaimKind, claim: &str, address: &str, owner: Option<&str>) -> AddressObject {
    let name = format!("p-{}", address.replace('.', "-"));
    AddressObject {
        id: ObjectId { name, kind },
        pool: ippool_reference("pool").into(),
        claim: claim.into(),
        address: address.into(),
        owner: owner.map(Into::into),
    }
}

fn decided(indexes: &[(&str, &str)], objects: &[AddressObject], claims: &[Claim]) -> Outcome {
    let indexes = indexes
        .iter()
        .map(|(key, text)| ((*key).into(), (*text).into()))
        .collect();
    let pool = pool();
    let snapshot = Snapshot {
        pool: &pool,
        deleting: false,
        indexes: &indexes,
        objects,
        claims,
    };
    decide(&snapshot, &mut Seeded::new(0))
}

fn indexes(outcome: &Outcome) -> Vec<String> {
    outcome
        .indexes
        .iter()
        .map(|(key, text)| format!("{key}={text}"))
        .collect()
}

#[test]
fn a_promise_is_fulfilled_after_a_crash() {
    let outcome = decided(&[("a", "10.0.0.3")], &[], &[claim(IPClaim, "a"), claim(IPClaim, "b")]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.3", "b=10.0.0.1"]);
    assert_eq!(outcome.granted[0].source, Source::Promised);
    assert!(outcome.granted[0].create);
}

#[test]
fn a_promise_to_a_claim_that_is_gone_is_dropped_and_said() {
    let outcome = decided(&[("gone", "10.0.0.1")], &[], &[claim(IPClaim, "a")]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.1"]);
    assert_eq!(
        outcome.unseen,
        [IPClaim, IPAddressClaim].map(|kind| ClaimId::new(kind, "gone"))
    );
}

#[test]
fn a_promise_that_an_object_contradicts_fences_its_claim() {
    let reserved = object(IPClaim, "nobody", "10.0.0.1", None);
    let outcome = decided(&[("a", "10.0.0.1")], &[reserved], &[claim(IPClaim, "a")]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.2", "nobody=10.0.0.1"]);
    assert_eq!(
        outcome.fenced,
        [(ClaimId::new(IPClaim, "a"), "10.0.0.1".parse().unwrap())]
    );
}

#[test]
fn a_key_that_two_kinds_share_fences_the_claim_that_loses_it() {
    let mut younger = claim(IPClaim, "a");
    younger.created = Some("2026-01-01T00:00:09Z".into());
    let claims = [younger, claim(IPAddressClaim, "a")];
    let outcome = decided(&[("a", "10.0.0.3")], &[], &claims);
    assert_eq!(indexes(&outcome), ["IPAddressClaim/a=10.0.0.3", "a=10.0.0.1"]);
    assert_eq!(
        outcome.fenced,
        [(ClaimId::new(IPClaim, "a"), "10.0.0.3".parse().unwrap())]
    );
    // What is written now can be read in one way only.
    let next = decided(&[("IPAddressClaim/a", "10.0.0.3"), ("a", "10.0.0.1")], &[], &claims);
    assert_eq!((indexes(&next), next.fenced), (indexes(&outcome), vec![]));
}

#[test]
fn a_deleted_claim_that_waits_does_not_inherit_the_key_of_the_other_kind() {
    // The IPClaim of the name held the address and is gone.
    let waiting = deleted(claim(IPAddressClaim, "a"), &["example.com/in-use"]);
    let id = waiting.id.clone();
    let outcome = decided(&[("a", "10.0.0.1")], &[], &[waiting, claim(IPClaim, "b")]);
    assert_eq!(indexes(&outcome), ["b=10.0.0.1"]);
    assert_eq!(outcome.waiting, std::slice::from_ref(&id));
    assert_eq!(outcome.fenced, [(id, "10.0.0.1".parse().unwrap())]);
}

#[test]
fn a_deleted_claim_keeps_the_address_of_its_object_while_it_waits() {
    let waiting = deleted(claim(IPAddressClaim, "a"), &["example.com/in-use"]);
    let own = object(IPAddressClaim, "a", "10.0.0.1", Some("a-uid"));
    let outcome = decided(&[("a", "10.0.0.1")], &[own], &[waiting, claim(IPClaim, "b")]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.1", "b=10.0.0.2"]);
}

#[test]
fn an_object_whose_claim_the_garbage_collector_forgot_is_an_orphan_unless_its_claim_lives() {
    let made = json!({
        "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPAddress",
        "metadata": {"name": "p-10-0-0-1", "namespace": "n", "finalizers": ["ipaddress.ipam.metal3.io"],
            "ownerReferences": [{"apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool", "name": "pool", "uid": "pool-uid"}]},
        "spec": {"address": "10.0.0.1", "claim": {"name": "a"}, "pool": {"name": "pool"}},
    });
    let read = |object: &serde_json::Value| -> AddressObject {
        let object: capv_ipam::api::metal3::IPAddress = serde_json::from_value(object.clone()).unwrap();
        (&object).into()
    };
    let outcome = decided(&[], &[read(&made)], &[claim(IPClaim, "b")]);
    assert_eq!(outcome.orphans, [read(&made).id]);
    // A claim that was restored from a copy has another UID, and keeps its address.
    let outcome = decided(&[], &[read(&made)], &[claim(IPClaim, "a")]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.1"]);
    // Nothing says that a manager made this one.
    let mut by_hand = made.clone();
    by_hand["metadata"]["finalizers"] = json!([]);
    let outcome = decided(&[], &[read(&by_hand)], &[claim(IPClaim, "b")]);
    assert_eq!(
        (indexes(&outcome), outcome.orphans),
        (vec!["a=10.0.0.1".to_owned(), "b=10.0.0.2".to_owned()], vec![])
    );
}

#[test]
fn an_object_of_an_earlier_claim_of_the_name_is_an_orphan() {
    let old = object(IPClaim, "a", "10.0.0.1", Some("earlier-uid"));
    let outcome = decided(&[], std::slice::from_ref(&old), &[claim(IPClaim, "a")]);
    assert_eq!(outcome.orphans, [old.id]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.2"]);
}

#[test]
fn an_object_whose_claim_lives_in_another_pool_is_left_alone() {
    let mut elsewhere = claim(IPClaim, "a");
    elsewhere.pool = ippool_reference("other").into();
    let outcome = decided(
        &[],
        &[object(IPClaim, "a", "10.0.0.1", Some("a-uid"))],
        &[elsewhere, claim(IPClaim, "b")],
    );
    assert!(outcome.orphans.is_empty());
    assert_eq!(indexes(&outcome), ["b=10.0.0.2"]);
}

#[test]
fn a_deleted_claim_waits_for_finalizers_of_others_but_not_for_a_stray_one() {
    let stray = "ipam.cluster.x-k8s.io/ReleaseAddress";
    let own = "ipam.metal3.io/ipaddressclaim";
    let mut held = deleted(
        claim(IPAddressClaim, "a"),
        &[own, "ipam.cluster.x-k8s.io/ip-claim-protection"],
    );
    held.address = Some("p-10-0-0-1".into());
    let mut released = deleted(claim(IPAddressClaim, "b"), &[own, stray]);
    released.address = Some("p-10-0-0-2".into());
    let objects = [
        object(IPAddressClaim, "a", "10.0.0.1", Some("a-uid")),
        object(IPAddressClaim, "b", "10.0.0.2", Some("b-uid")),
    ];
    let outcome = decided(&[], &objects, &[held, released.clone(), claim(IPClaim, "c")]);
    assert_eq!(outcome.waiting, [ClaimId::new(IPAddressClaim, "a")]);
    let release = &outcome.released[0];
    assert_eq!(
        (&release.objects[..], release.guarded, release.stray_finalizer),
        (&[objects[1].id.clone()][..], true, true)
    );
    // Until the object is gone the address is nobody else's.
    assert_eq!(indexes(&outcome), ["a=10.0.0.1", "b=10.0.0.2", "c=10.0.0.3"]);
    released.address = None;
    released.finalizers = vec![stray.into()].into();
    let later = decided(&[("b", "10.0.0.2")], &[], &[released, claim(IPClaim, "d")]);
    assert_eq!(indexes(&later), ["d=10.0.0.1"]);
    assert!(!later.released[0].guarded);
    let mine = deleted(claim(IPClaim, "e"), &[stray]);
    assert_eq!(decided(&[], &[], &[mine]).waiting.len(), 1);
}

#[test]
fn a_paused_claim_keeps_what_it_has_and_gets_nothing() {
    let mut promised = claim(IPClaim, "a");
    promised.paused = true;
    let mut waiting = claim(IPClaim, "b");
    waiting.paused = true;
    let outcome = decided(&[("a", "10.0.0.1")], &[], &[promised, waiting, claim(IPClaim, "c")]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.1", "c=10.0.0.2"]);
    assert_eq!(outcome.granted.len(), 1);
}

#[test]
fn a_name_taken_in_one_kind_blocks_the_address_for_that_kind_only() {
    let mut foreign = object(IPClaim, "x", "10.0.0.1", None);
    foreign.pool = ippool_reference("other").into();
    let outcome = decided(&[], &[foreign], &[claim(IPClaim, "a"), claim(IPAddressClaim, "b")]);
    assert_eq!(indexes(&outcome), ["a=10.0.0.2", "b=10.0.0.1"]);
    assert_eq!(outcome.collisions.len(), 1);
}

#[test]
fn an_in_cluster_pool_gives_the_lowest_address_under_the_claims_name() {
    let given: InClusterIPPool = serde_json::from_value(json!({
        "kind": "InClusterIPPool", "metadata": {"name": "pool"},
        "spec": {"addresses": ["10.0.0.20-10.0.0.29", "10.0.0.0/29"], "prefix": 24, "gateway": "10.0.0.1"}
    }))
    .unwrap();
    let pool = Pool::in_cluster(&given).expect("a sound pool");
    let mut wish = Claim::new(ClaimId::new(IPAddressClaim, "vm-0-0"), pool.reference().clone());
    wish.requested = Some("10.0.0.25".into());
    let snapshot = Snapshot {
        pool: &pool,
        deleting: false,
        indexes: &BTreeMap::new(),
        objects: &[],
        claims: &[wish],
    };
    let grant = &decide(&snapshot, &mut Seeded::new(0)).granted[0].grant;
    assert_eq!((grant.address.to_string().as_str(), grant.prefix), ("10.0.0.2", 24));
    assert_eq!(
        (grant.gateway.as_deref(), grant.object.as_str()),
        (Some("10.0.0.1"), "vm-0-0")
    );
    let first: Vec<String> = pool
        .succession(&Default::default(), &mut Seeded::new(0))
        .take(7)
        .map(|a| a.to_string())
        .collect();
    assert_eq!(first[5..], ["10.0.0.7", "10.0.0.20"]);
}
