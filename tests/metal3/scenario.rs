//! Takes the records that tell a story in steps, plays them in a world and compares claims, objects and indexes.

use std::collections::BTreeMap;
use std::sync::Arc;

use capv_ipam::api::capi::PoolReference;
use capv_ipam::api::metal3::IPPoolSpec;
use capv_ipam::ipam::{AddressObject, Claim, ClaimId, ClaimKind, ObjectId, ippool_reference};
use serde_yaml::Value;

use crate::allocation::kind;
use crate::world::{Stored, World};
use crate::{Record, check_equal, text};

pub(crate) fn run(record: Record<'_>) -> Result<(), String> {
    record.only(&["id", "type", "src", "pool", "preexisting", "steps", "deviation"])?;
    let mut world = world(record)?;
    let steps = list(record, "steps")?;
    for (index, step) in steps.iter().enumerate() {
        let step = Record(step);
        play(&mut world, step, index)?;
        world.settle().map_err(|e| format!("step {index}: {e}"))?;
        if let Some(expected) = step.expectation() {
            check(&world, Record(expected)).map_err(|e| format!("step {index}: {e}"))?;
        }
    }
    Ok(())
}

fn list<'a>(record: Record<'a>, key: &str) -> Result<&'a [Value], String> {
    match record.get(key) {
        None => Ok(&[]),
        Some(Value::Sequence(values)) => Ok(values),
        Some(_) => Err(format!("{key} is not a list")),
    }
}

fn world(record: Record<'_>) -> Result<World, String> {
    let pool = Record(record.get("pool").ok_or("no pool")?);
    pool.only(&["name", "spec"])?;
    let spec: IPPoolSpec = pool.read("spec")?;
    let name = pool.text("name").unwrap_or_else(|| "pool".into());
    let mut objects = Vec::new();
    for object in list(record, "preexisting")? {
        let object = Record(object);
        object.only(&["name", "address", "claim", "kind", "pool", "prefix"])?;
        objects.push(Stored {
            object: AddressObject {
                id: ObjectId {
                    name: object.text("name").ok_or("no object name")?,
                    kind: kind(object.text("kind").as_deref())?,
                },
                pool: ippool_reference(object.text("pool").as_deref().unwrap_or(&name)).into(),
                claim: object.text("claim").unwrap_or_default(),
                address: object.text("address").ok_or("no address")?,
                owner: None,
            },
            prefix: object.read("prefix")?,
            gateway: None,
            dns_servers: Vec::new(),
        });
    }
    Ok(World {
        name,
        spec,
        deleting: false,
        gone: false,
        indexes: BTreeMap::new(),
        claims: Vec::new(),
        objects,
    })
}

/// Does what the step says, in the order that the file's header gives.
fn play(world: &mut World, step: Record<'_>, index: usize) -> Result<(), String> {
    step.only(&[
        "create",
        "delete",
        "deletePool",
        "setPools",
        "clearErrors",
        "expect",
        "expect_ours",
    ])?;
    for new in list(step, "create")? {
        let claim = claim(world, Record(new), index)?;
        if world.claim(&claim.id).is_some() {
            return Err(format!("{} exists already", claim.id));
        }
        world.claims.push(claim);
    }
    let deleted: Vec<String> = step.read("delete")?;
    for claim in &mut world.claims {
        claim.deleting |= deleted.contains(&claim.id.name);
    }
    world.deleting |= step.read::<bool>("deletePool")?;
    if step.get("setPools").is_some() {
        world.spec.pools = step.read("setPools")?;
    }
    if step.read::<bool>("clearErrors")? {
        for claim in &mut world.claims {
            claim.failure = None;
        }
    }
    Ok(())
}

fn claim(world: &World, new: Record<'_>, step: usize) -> Result<Claim, String> {
    new.only(&[
        "name",
        "kind",
        "pool",
        "annotations",
        "ref",
        "error",
        "deleting",
        "foreignFinalizer",
        "poolKind",
        "poolGroup",
    ])?;
    let id = ClaimId::new(
        kind(new.text("kind").as_deref())?,
        new.text("name").ok_or("no claim name")?,
    );
    let own = ippool_reference(new.text("pool").as_deref().unwrap_or(&world.name));
    let pool = PoolReference {
        api_group: new.text("poolGroup").unwrap_or(own.api_group),
        kind: new.text("poolKind").unwrap_or(own.kind),
        name: own.name,
    };
    let annotations: BTreeMap<String, String> = new.read("annotations")?;
    let mut claim = Claim::new(id, pool);
    claim.uid = Some(format!("{}-{step}", claim.id));
    claim.created = Some(format!("2026-01-01T{:02}:{:02}:00Z", step / 60, step % 60));
    claim.requested = annotations.get("ipAddress").cloned();
    claim.address = new.text("ref");
    claim.failure = new.text("error");
    claim.deleting = new.read("deleting")?;
    if new.read::<bool>("foreignFinalizer")? {
        Arc::make_mut(&mut claim.finalizers).push("example.com/in-use".into());
    }
    Ok(claim)
}

fn check(world: &World, expected: Record<'_>) -> Result<(), String> {
    expected.only(&["claims", "indexes", "objects", "poolGone", "requeue"])?;
    let claims: BTreeMap<String, Value> = expected.read("claims")?;
    for (key, state) in &claims {
        check_claim(world, key, state).map_err(|e| format!("{key}: {e}"))?;
    }
    if expected.get("indexes").is_some() {
        check_equal("indexes", world.indexes.clone(), expected.read("indexes")?)?;
    }
    if expected.get("objects").is_some() {
        let mut wanted: Vec<String> = expected.read("objects")?;
        let mut got: Vec<String> = world
            .objects
            .iter()
            .map(|stored| stored.object.id.name.clone())
            .collect();
        wanted.sort();
        got.sort();
        check_equal("objects", got, wanted)?;
    }
    if expected.get("poolGone").is_some() {
        check_equal("poolGone", world.gone, expected.read("poolGone")?)?;
    }
    // A decision never meets a name that is taken, so nothing here ever asks for a retry.
    check_equal("requeue", false, expected.read("requeue")?)
}

fn check_claim(world: &World, key: &str, state: &Value) -> Result<(), String> {
    let id = match key.strip_prefix("capi:") {
        Some(name) => ClaimId::new(ClaimKind::IPAddressClaim, name),
        None => ClaimId::new(ClaimKind::IPClaim, key),
    };
    let claim = world.claim(&id);
    if state.as_str() == Some("gone") {
        return check_equal("exists", claim.is_some(), false);
    }
    let claim = claim.ok_or("does not exist")?;
    let state = Record(state);
    state.only(&[
        "error",
        "pending",
        "object",
        "address",
        "prefix",
        "gateway",
        "dnsServers",
    ])?;
    if let Some(error) = state.text("error") {
        check_equal("address", claim.address.clone(), None)?;
        return check_equal("error", claim.failure.clone(), Some(error));
    }
    if state.read::<bool>("pending")? {
        return check_equal("state", (claim.address.clone(), claim.failure.clone()), (None, None));
    }
    if let Some(object) = state.text("object") {
        check_equal("object", claim.address.clone(), Some(object))?;
    }
    if ["address", "prefix", "gateway", "dnsServers"]
        .iter()
        .all(|key| state.get(key).is_none())
    {
        return Ok(());
    }
    let shown =
        |stored: &&Stored| stored.object.id.kind == id.kind && Some(&stored.object.id.name) == claim.address.as_ref();
    let stored = world.objects.iter().find(shown);
    let stored = stored.ok_or_else(|| format!("has no object: {:?} {:?}", claim.address, claim.failure))?;
    check_object(stored, state)
}

fn check_object(stored: &Stored, state: Record<'_>) -> Result<(), String> {
    if let Some(address) = state.text("address") {
        check_equal("address", stored.object.address.clone(), address)?;
    }
    if let Some(prefix) = state.get("prefix") {
        check_equal("prefix", Some(stored.prefix), prefix.as_i64())?;
    }
    if let Some(gateway) = state.get("gateway") {
        check_equal(
            "gateway",
            stored.gateway.clone(),
            (!gateway.is_null()).then(|| text(gateway)),
        )?;
    }
    if state.get("dnsServers").is_some() {
        check_equal("dnsServers", stored.dns_servers.clone(), state.read("dnsServers")?)?;
    }
    Ok(())
}
