//! The laws of the plan, on every fixture and on manifests made by chance: the plan of the edited manifest is the plan of the
//! manifest with its configuration, and every planned address is one that the allocator gives.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test reads its cases and says what it found"
)]

#[path = "support/tape.rs"]
mod tape;
#[path = "support/world.rs"]
#[allow(dead_code, reason = "the plan needs text and configuration only")]
mod world;
#[path = "support/writer.rs"]
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use capv_ipam::addressing::read_configurations;
use capv_ipam::allocation::{Request, allocate};
use capv_ipam::ipam::{AddressRange, ClaimId, ClaimKind};
use capv_ipam::objects::{Manifest, Source};
use capv_ipam::outcome::{compute, plan};
use capv_ipam::planning::{AddressPlan, Certainty, ClusterPlan, GroupPlan, NicPlan};
use capv_ipam::state::Fate;
use capv_ipam::yaml::{Edits, Limits};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tape::Tape;

/// The edited text and its plan; none for a case that is refused.
fn planned(text: &str, config: &str) -> Option<(String, AddressPlan)> {
    let configs = read_configurations(&[(1, config)], &json!({})).ok()?;
    let sources = [Source { name: "input", text }];
    let edits = compute(&sources, &configs, None).edits?;
    let plan = plan(&sources, &edits, None).expect("edited texts can be read");
    Some((edits[0].splice(text), plan))
}

fn alone(text: &str) -> AddressPlan {
    plan(&[Source { name: "edited", text }], &[Edits::default()], None).expect("edited texts can be read")
}

/// A claim for one NIC of one machine, as its binding makes it.
struct Wanted<'p> {
    group: &'p GroupPlan,
    nic: &'p NicPlan,
    id: ClaimId,
    object: Value,
}

/// Claims for every slot of a cluster, in the order of the slots. Machines are called by their group and slot.
fn claims(cluster: &ClusterPlan) -> Vec<Wanted<'_>> {
    let mut wanted = Vec::new();
    for group in &cluster.groups {
        for slot in &group.slots {
            for nic in &slot.nics {
                let name = nic
                    .claim
                    .replace("<machine>", &format!("{}-{}", group.kind.to_lowercase(), slot.name));
                let by_pools = nic.claim.matches('-').count() == 2;
                let kind = if by_pools {
                    ClaimKind::IPAddressClaim
                } else {
                    ClaimKind::IPClaim
                };
                let metadata = json!({"name": name, "namespace": nic.pool.namespace, "uid": name});
                let api = if nic.pool.kind == "IPPool" {
                    "ipam.metal3.io"
                } else {
                    "ipam.cluster.x-k8s.io"
                };
                let object = match kind {
                    ClaimKind::IPClaim => json!({
                        "apiVersion": "ipam.metal3.io/v1alpha1", "kind": "IPClaim", "metadata": metadata, "spec": {"pool": {"name": nic.pool.name}},
                    }),
                    ClaimKind::IPAddressClaim => json!({
                        "apiVersion": "ipam.cluster.x-k8s.io/v1beta2", "kind": "IPAddressClaim", "metadata": metadata,
                        "spec": {"poolRef": {"apiGroup": api, "kind": nic.pool.kind, "name": nic.pool.name}},
                    }),
                };
                wanted.push(Wanted {
                    group,
                    nic,
                    id: ClaimId::new(kind, name),
                    object,
                });
            }
        }
    }
    wanted
}

/// What the allocator gives when the claims are created in this order, beside the edited manifest.
fn allocated(edited: &str, claims: &[&Wanted<'_>]) -> BTreeMap<ClaimId, Fate> {
    let documents = claims.iter().enumerate().map(|(time, wanted)| {
        let mut object = wanted.object.clone();
        object["metadata"]["creationTimestamp"] = json!(format!("2026-01-01T00:{:02}:{:02}Z", time / 60, time % 60));
        format!("---\n{object}\n")
    });
    let documents: String = documents.collect();
    let sources = [
        Source {
            name: "edited",
            text: edited,
        },
        Source {
            name: "claims",
            text: &documents,
        },
    ];
    let manifest = Manifest::read(&sources, Limits::default()).expect("readable");
    let allocation = allocate(&manifest, &Request::default()).expect("no wishes");
    allocation
        .pools
        .into_iter()
        .flat_map(|(_, settled)| settled.fates)
        .collect()
}

fn lists(group: &GroupPlan, address: &str) -> bool {
    let address = address.parse().unwrap();
    group
        .addresses
        .iter()
        .any(|text| text.parse::<AddressRange>().unwrap().contains(address))
}

/// Exact addresses are what the claims of the replicas get in the order of the slots; the others lie in the group's set,
/// whatever the order.
fn check(edited: &str, plan: &AddressPlan, order: &[u8]) -> usize {
    let mut checked = 0;
    for cluster in &plan.clusters {
        // Claims of one name would be one claim; and a pool that is not there gives nothing.
        let wanted = claims(cluster);
        let in_order: Vec<&Wanted<'_>> = wanted.iter().collect();
        let fates = allocated(edited, &in_order);
        for wanted in wanted.iter().filter(|wanted| wanted.nic.certainty == Certainty::Exact) {
            let Fate::Gets { grant, .. } = &fates[&wanted.id] else {
                panic!("{}: {:?}", wanted.id, fates[&wanted.id])
            };
            assert_eq!(
                wanted.nic.address.as_deref(),
                Some(grant.address.to_string().as_str()),
                "{}",
                wanted.id
            );
            assert_eq!(wanted.nic.prefix.unwrap_or(0), grant.prefix, "{}", wanted.id);
            assert_eq!(wanted.nic.gateway, grant.gateway, "{}", wanted.id);
            let object = if wanted.nic.pool.kind == "IPPool" {
                grant.object.clone()
            } else {
                wanted.id.name.clone()
            };
            let planned = wanted.nic.address_object.clone();
            let machine = planned.map(|name| {
                if name.contains("<machine>") {
                    wanted.id.name.clone()
                } else {
                    name
                }
            });
            assert_eq!(machine, Some(object), "{}", wanted.id);
            checked += 1;
        }
        let mut shuffled: Vec<(u8, &Wanted<'_>)> = order.iter().copied().cycle().zip(&wanted).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let shuffled: Vec<&Wanted<'_>> = shuffled.into_iter().map(|(_, wanted)| wanted).collect();
        let fates = allocated(edited, &shuffled);
        for wanted in &wanted {
            if let Some(address) = fates.get(&wanted.id).and_then(Fate::address) {
                assert!(
                    lists(wanted.group, &address.to_string()),
                    "{} gets {address}, not in {:?}",
                    wanted.id,
                    wanted.group.addresses
                );
                checked += 1;
            }
        }
    }
    checked
}

#[test]
fn fixtures_are_planned_as_they_are_written_and_allocated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut checked = 0;
    for case in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = ["input.yaml", "input.json"]
            .iter()
            .find_map(|name| fs::read_to_string(case.join(name)).ok());
        let config = fs::read_to_string(case.join("config.yaml")).unwrap();
        let Some((edited, plan)) = planned(&text.unwrap(), &config) else {
            continue;
        };
        assert_eq!(plan, alone(&edited), "{}", case.display());
        for order in [&[1, 2, 3, 4][..], &[9, 3, 7], &[5, 5, 1]] {
            checked += check(&edited, &plan, order);
        }
    }
    assert!(checked > 300, "{checked} addresses were checked");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn manifests_made_by_chance_are_planned_as_they_are_written_and_allocated(
        bytes in vec(any::<u8>(), 0..600),
        order in vec(any::<u8>(), 1..40),
    ) {
        let world = world::world(&mut Tape::new(bytes), true);
        if let Some((edited, plan)) = planned(&world.text, &world.config) {
            prop_assert_eq!(&plan, &alone(&edited));
            check(&edited, &plan, &order);
        }
    }
}
