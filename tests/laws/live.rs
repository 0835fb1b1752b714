//! Takes stories of claims made by chance, writes the objects that they leave as texts, proves that what is made of the texts
//! is what the allocator makes of the values, in any order of the documents, and that it leaves nothing to do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use capv_ipam::allocation::{Allocation, Request, allocate, documents};
use capv_ipam::api::metal3::IPPoolSpec;
use capv_ipam::ipam::{Claim, ClaimId, ClaimKind};
use capv_ipam::objects::{Manifest, Source};
use capv_ipam::state::Fate;
use capv_ipam::yaml::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::decisions::{Event, event, happen, world};
use crate::made;
use crate::world::World;

const POOL: &str = "pool";

/// The objects of a world as the API server gives them.
fn objects(world: &World) -> Vec<Value> {
    let mut objects = vec![json!({
        "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPPool",
        "metadata": {"name": POOL, "namespace": "n", "uid": "pool-uid"},
        "spec": world.spec, "status": {"indexes": world.indexes},
    })];
    objects.extend(world.claims.iter().map(claim));
    objects.extend(world.objects.iter().map(|stored| {
        let object = &stored.object;
        let owner = |kind: &str, group: &str| match &object.owner {
            Some(uid) => json!([{"apiVersion": group, "kind": kind, "name": object.claim, "uid": uid}]),
            None => json!([]),
        };
        match object.id.kind {
            ClaimKind::IPClaim => json!({
                "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPAddress",
                "metadata": {"name": object.id.name, "namespace": "n", "ownerReferences": owner("IPClaim", "ipam.metal3.io/v1alpha1")},
                "spec": {"address": object.address, "claim": {"name": object.claim}, "pool": {"name": object.pool.name}},
            }),
            ClaimKind::IPAddressClaim => json!({
                "apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddress",
                "metadata": {"name": object.id.name, "namespace": "n", "ownerReferences": owner("IPAddressClaim", "ipam.cluster.x-k8s.io/v1beta2")},
                "spec": {"address": object.address, "prefix": 0, "claimRef": {"name": object.claim}, "poolRef": *object.pool},
            }),
        }
    }));
    objects
}

fn claim(claim: &Claim) -> Value {
    let metadata = json!({
        "name": claim.id.name, "namespace": "n", "uid": claim.uid, "creationTimestamp": claim.created,
        "deletionTimestamp": claim.deleting.then_some("2026-01-02T00:00:00Z"), "finalizers": *claim.finalizers,
        "annotations": claim.requested.as_ref().map(|text| json!({"ipAddress": text})),
    });
    match claim.id.kind {
        ClaimKind::IPClaim => json!({
            "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPClaim", "metadata": metadata, "spec": {"pool": {"name": claim.pool.name}},
            "status": {"address": claim.address.as_ref().map(|name| json!({"name": name})), "errorMessage": claim.failure},
        }),
        ClaimKind::IPAddressClaim => {
            let failed = claim.failure.as_ref().map(
                |text| json!([{"type": "Ready", "status": "False", "reason": "AllocationFailed", "message": text}]),
            );
            json!({
                "apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddressClaim", "metadata": metadata, "spec": {"poolRef": *claim.pool},
                "status": {"addressRef": claim.address.as_ref().map(|name| json!({"name": name})), "conditions": failed},
            })
        }
    }
}

/// What is made of the objects, and what is printed.
fn made_of(objects: &[Value]) -> (Allocation, Vec<Value>) {
    let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    let sources = [Source {
        name: "live.yaml",
        text: &text,
    }];
    let manifest = Manifest::read(&sources, Limits::default()).expect("readable");
    let allocation = allocate(&manifest, &Request::default()).expect("no wishes");
    let printed = documents(&allocation, &manifest, "2026-02-01T00:00:00Z");
    (allocation, printed)
}

fn fates(allocation: &Allocation) -> &BTreeMap<ClaimId, Fate> {
    &allocation.pools[0].1.fates
}

fn played(spec: IPPoolSpec, events: &[Event]) -> World {
    let mut world = world(spec);
    for (time, event) in events.iter().enumerate() {
        happen(&mut world, event, time);
    }
    world
}

/// UID, address and failure of every claim.
fn result(world: &World) -> BTreeMap<ClaimId, (Option<String>, Option<String>)> {
    let address = |claim: &Claim| {
        let shown = claim.address.as_ref()?;
        let own = world
            .objects
            .iter()
            .find(|stored| stored.object.id.kind == claim.id.kind && stored.object.id.name == *shown)?;
        Some(own.object.address.clone())
    };
    world
        .claims
        .iter()
        .map(|claim| (claim.id.clone(), (address(claim), claim.failure.clone())))
        .collect()
}

/// A claim that is refused for its entry's prefix leaves the address to the next, and then has another reason: only without
/// such refusals one decision is the last.
fn with_lawful_prefixes(mut spec: IPPoolSpec) -> IPPoolSpec {
    spec.pools
        .iter_mut()
        .for_each(|entry| entry.prefix = entry.prefix.max(0));
    spec
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_come_to_what_the_values_come_to(spec in made::spec(3), events in prop::collection::vec(event(), 1..40)) {
        // The draws of a world and of a text begin anew each time, so only the ordered strategy can be compared.
        let spec = IPPoolSpec { allocation_strategy: None, ..with_lawful_prefixes(spec) };
        let mut world = played(spec, &events);
        let (allocation, _) = made_of(&objects(&world));
        world.settle().expect("settles");
        let result = result(&world);
        for (id, fate) in fates(&allocation) {
            match fate {
                Fate::Released { .. } => prop_assert!(!result.contains_key(id), "{id} goes"),
                Fate::Refused(refusal) => prop_assert_eq!(&result[id].1, &Some(refusal.to_string())),
                fate => prop_assert_eq!(&result[id].0, &fate.address().map(|address| address.to_string()), "{}", id),
            }
        }
        prop_assert_eq!(&allocation.pools[0].1.indexes, &world.indexes);
        let names = |objects: &mut dyn Iterator<Item = String>| objects.collect::<BTreeSet<_>>();
        let ours = names(&mut allocation.pools[0].1.objects.iter().map(|object| format!("{:?}", object.id)));
        prop_assert_eq!(ours, names(&mut world.objects.iter().map(|stored| format!("{:?}", stored.object.id))));
    }

    #[test]
    fn an_address_goes_to_one_claim_of_either_kind_and_who_holds_keeps(spec in made::spec(3), events in prop::collection::vec(event(), 1..40)) {
        let world = played(spec, &events);
        let before = result(&world);
        let (allocation, _) = made_of(&objects(&world));
        let addresses: Vec<IpAddr> = fates(&allocation).values().filter_map(Fate::address).collect();
        let distinct: BTreeSet<&IpAddr> = addresses.iter().collect();
        prop_assert_eq!(distinct.len(), addresses.len());
        for claim in world.claims.iter().filter(|claim| !claim.deleting) {
            if let Some(address) = &before[&claim.id].0 {
                prop_assert_eq!(&fates(&allocation)[&claim.id], &Fate::Holds(address.parse().unwrap()));
            }
        }
    }

    #[test]
    fn the_order_of_the_documents_does_not_matter(
        spec in made::spec(3),
        events in prop::collection::vec(event(), 1..24),
        order in prop::collection::vec(any::<u8>(), 40),
    ) {
        let objects = objects(&played(spec, &events));
        let mut shuffled: Vec<(u8, Value)> = order.iter().copied().cycle().zip(objects.iter().cloned()).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let shuffled: Vec<Value> = shuffled.into_iter().map(|(_, object)| object).collect();
        prop_assert_eq!(made_of(&objects).1, made_of(&shuffled).1);
    }

    #[test]
    fn what_is_printed_leaves_nothing_to_do(spec in made::spec(3), events in prop::collection::vec(event(), 1..24)) {
        let mut objects = objects(&played(with_lawful_prefixes(spec), &events));
        let (allocation, printed) = made_of(&objects);
        // What goes is not printed: the claims that were let go, and their objects.
        let gone = |object: &Value, kind: &str, name: &Value| {
            fates(&allocation).iter().any(|(id, fate)| {
                matches!(fate, Fate::Released { .. }) && kind == id.kind.name() && *name == id.name.as_str() && object["apiVersion"].as_str().unwrap().starts_with(id.kind.group())
            })
        };
        objects.retain(|object| {
            let spec = &object["spec"];
            let (kind, claim) = match object["kind"].as_str().unwrap() {
                "IPAddress" if spec.get("claimRef").is_some() => ("IPAddressClaim", &spec["claimRef"]["name"]),
                "IPAddress" => ("IPClaim", &spec["claim"]["name"]),
                kind => (kind, &object["metadata"]["name"]),
            };
            !gone(object, kind, claim)
        });
        let same = |a: &Value, b: &Value| a["kind"] == b["kind"] && a["apiVersion"] == b["apiVersion"] && a["metadata"]["name"] == b["metadata"]["name"];
        objects.retain(|object| printed.iter().all(|other| !same(object, other)));
        objects.extend(printed);
        prop_assert_eq!(made_of(&objects).1, Vec::<Value>::new());
    }
}
