//! Takes what a machine or VSphereCluster needs, sees to a claim that is its own, and gives the address once the claim has
//! one; never chooses a pool.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::call::{Key, Trouble};
use super::super::kinds::Kind;
use super::super::options::Role;
use super::super::store::{CLUSTER_NAME, Store};
use super::super::world::World;
use super::waiting::Waiting;
use crate::api::{OwnerReference, metal3};
use crate::ipam::{ClaimId, ClaimKind, parse_address};

/// For whom a claim is made.
pub(in super::super) struct Owner<'a> {
    pub(in super::super) kind: Kind,
    pub(in super::super) object: &'a Value,
    pub(in super::super) cluster: &'a str,
}

impl Owner<'_> {
    fn text(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(in super::super) fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// The reference that lets the claim go with its owner, in the version that is served.
    fn reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: self.text("/apiVersion").into(),
            kind: self.kind.names().1.into(),
            name: self.text("/metadata/name").into(),
            uid: self.uid().into(),
            controller: None,
            block_owner_deletion: None,
        }
    }

    /// Whether the claim was made for this very object.
    fn made(&self, claim: &metal3::IPClaim) -> bool {
        let owners = &claim.metadata.owner_references;
        owners.iter().any(|owner| self.is(owner) && owner.uid == self.uid())
    }

    fn is(&self, owner: &OwnerReference) -> bool {
        owner.group() == self.kind.names().0 && owner.kind == self.kind.names().1
    }
}

/// An address that a claim has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Held {
    pub(in super::super) address: IpAddr,
    pub(in super::super) prefix: u8,
    pub(in super::super) gateway: Option<IpAddr>,
    pub(in super::super) dns_servers: Vec<String>,
    /// The pool that it comes from.
    pub(in super::super) pool: String,
}

/// How a claim fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Progress {
    /// It has an address.
    Held(Held),
    /// It was made, or is about to be decided; the watch brings the rest.
    Pending,
    /// It waits for something that a person should know of.
    Waiting(Waiting),
}

/// How the claim of this name fares. One that is not there is made, for the pool that `choose` gives.
///
/// # Errors
/// Those of the API server.
pub(in super::super) async fn claim(
    world: &World,
    key: &Key,
    owner: &Owner<'_>,
    choose: impl FnOnce(&Store) -> Result<String, Waiting>,
) -> Result<Progress, Trouble> {
    let found = find(world, key).await?;
    let pool = choose(&world.store());
    match (found, pool) {
        (Some(claim), Ok(pool)) if is_refused(&claim) && owner.made(&claim) && claim.spec.pool.name != pool => {
            tracing::info!(claim = %key, pool, "a refused claim is deleted: its owner's labels name another pool now");
            delete(world, key, &claim).await
        }
        (Some(claim), _) => follow(world, key, &claim, owner).await,
        (None, Ok(pool)) => make(world, key, &pool, owner).await,
        (None, Err(waiting)) => Ok(Progress::Waiting(waiting)),
    }
}

/// Whether the claim lives, has no address and was told why.
fn is_refused(claim: &metal3::IPClaim) -> bool {
    let status = claim.status.as_ref();
    claim.metadata.deletion_timestamp.is_none()
        && status.is_some_and(|status| {
            status.address.as_ref().is_none_or(|address| address.name.is_empty())
                && status.error_message.as_ref().is_some_and(|text| !text.is_empty())
        })
}

async fn delete(world: &World, key: &Key, claim: &metal3::IPClaim) -> Result<Progress, Trouble> {
    let uid = claim.metadata.uid.as_deref().unwrap_or_default();
    match world.caller.delete(Kind::Claim, key, uid).await {
        Ok(()) | Err(Trouble::Missing) => Ok(Progress::Pending),
        Err(trouble) => Err(trouble),
    }
}

/// The claim of this name as it is now.
async fn find(world: &World, key: &Key) -> Result<Option<metal3::IPClaim>, Trouble> {
    let id = ClaimId::new(ClaimKind::IPClaim, key.name.clone());
    let known = world.store().namespace(&key.namespace).claims.get(&id).is_some();
    if !known {
        return Ok(None);
    }
    read(world, key).await
}

async fn read(world: &World, key: &Key) -> Result<Option<metal3::IPClaim>, Trouble> {
    match world.caller.get(Kind::Claim, key).await {
        Ok(object) => {
            let claim = serde_json::from_value(object.clone()).map_err(|error| Trouble::Refused(error.to_string()))?;
            world.keep(Kind::Claim, object);
            Ok(Some(claim))
        }
        Err(Trouble::Missing) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Makes the claim, and says how it fares, or the one that is there already.
async fn make(world: &World, key: &Key, pool: &str, owner: &Owner<'_>) -> Result<Progress, Trouble> {
    let claim = json!({
        "apiVersion": metal3::API_VERSION,
        "kind": metal3::CLAIM_KIND,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {CLUSTER_NAME: owner.cluster},
            "ownerReferences": [owner.reference()],
        },
        "spec": {"pool": {
            "apiVersion": metal3::API_VERSION,
            "kind": metal3::POOL_KIND,
            "name": pool,
            "namespace": key.namespace,
        }},
    });
    match world.caller.create(Kind::Claim, &key.namespace, &claim).await {
        Ok(stored) => {
            // The watch brings it too; the pool need not wait for that.
            let wakes = world.store().keep(Kind::Claim, stored);
            world.wake(wakes.unwrap_or_default());
            tracing::info!(claim = %key, pool, "claimed");
            Ok(Progress::Pending)
        }
        Err(Trouble::Exists) => match read(world, key).await? {
            Some(claim) => follow(world, key, &claim, owner).await,
            None => Ok(Progress::Pending),
        },
        Err(trouble) if trouble.is_refusal() => {
            let what = format!("the IPClaim {}", key.name);
            Ok(Progress::Waiting(Waiting::not_taken(
                "ClaimNotCreated",
                &what,
                &trouble,
            )))
        }
        Err(trouble) => Err(trouble),
    }
}

/// What a claim that is there comes to. A claim of an earlier object of the name is deleted; one without an owner is taken
/// over; an owner reference in a version that is not served any more is written anew.
async fn follow(world: &World, key: &Key, claim: &metal3::IPClaim, owner: &Owner<'_>) -> Result<Progress, Trouble> {
    let metadata = &claim.metadata;
    if metadata.deletion_timestamp.is_some() {
        return Ok(Progress::Pending);
    }
    let owners = &metadata.owner_references;
    let own: Vec<&OwnerReference> = owners.iter().filter(|reference| owner.is(reference)).collect();
    if let Some(other) = own.iter().find(|reference| reference.uid != owner.uid()) {
        tracing::info!(claim = %key, owner = other.uid, "the claim of an earlier object of this name is deleted");
        return delete(world, key, claim).await;
    }
    let reference = owner.reference();
    if own.is_empty() || own.iter().any(|own| own.api_version != reference.api_version) {
        let others = owners.iter().filter(|other| !owner.is(other)).cloned();
        let owners: Vec<OwnerReference> = others.chain([reference]).collect();
        let patch = json!({"metadata": {"resourceVersion": metadata.resource_version, "ownerReferences": owners}});
        match world.caller.patch(Kind::Claim, key, &patch).await {
            Ok(stored) => world.keep(Kind::Claim, stored),
            Err(Trouble::Missing) => return Ok(Progress::Pending),
            Err(trouble) => return Err(trouble),
        }
    }
    let status = claim.status.clone().unwrap_or_default();
    let Some(address) = status.address.filter(|address| !address.name.is_empty()) else {
        return Ok(match status.error_message.filter(|text| !text.is_empty()) {
            Some(text) => Progress::Waiting(refused(world, key, &claim.spec.pool.name, &text)),
            None => Progress::Pending,
        });
    };
    let shown = Key::new(key.namespace.clone(), address.name);
    match world.caller.get(Kind::Address, &shown).await {
        Ok(value) => held(claim, value),
        Err(Trouble::Missing) => adopted(world, key, claim, &shown.name).await,
        Err(trouble) => Err(trouble),
    }
}

/// A claim that whoever serves the pool refused, and the way out.
fn refused(world: &World, key: &Key, pool: &str, text: &str) -> Waiting {
    let mut message = format!(
        "IPClaim {}: {text}; enlarge the IPPool {pool} or free an address",
        key.name
    );
    // metal3 `ippool_manager.go` passes over a claim that has an error.
    if !world.options.plays(Role::Pool) {
        message += "; where metal3's manager serves the pool, it tries again only when the claim's status is removed: \
                    `capv-ipam status -o wide` prints the command";
    }
    Waiting::new("ClaimRefused", message)
}

/// An address object that was made by hand for the claim: the status shows the computed name, whatever the object is called.
async fn adopted(world: &World, key: &Key, claim: &metal3::IPClaim, shown: &str) -> Result<Progress, Trouble> {
    let found = {
        let store = world.store();
        let mut objects = store.namespace(&key.namespace).objects.values().iter();
        let found = objects.find(|object| object.id.kind == ClaimKind::IPClaim && object.claim == key.name);
        found.map(|object| Key::new(key.namespace.clone(), object.id.name.clone()))
    };
    if let Some(object) = found {
        match world.caller.get(Kind::Address, &object).await {
            Ok(value) => return held(claim, value),
            Err(Trouble::Missing) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    let message = format!(
        "the IPAddress {shown} that IPClaim {} shows does not exist; delete the claim, a new one is made",
        key.name
    );
    Ok(Progress::Waiting(Waiting::new("AddressNotFound", message).retried()))
}

fn held(claim: &metal3::IPClaim, object: Value) -> Result<Progress, Trouble> {
    let object: metal3::IPAddress =
        serde_json::from_value(object).map_err(|error| Trouble::Refused(error.to_string()))?;
    // What is wrong with an address object is nothing that the allocator looks at, so its change wakes nobody.
    let bad = |message: String| Ok(Progress::Waiting(Waiting::new("BadAddress", message).retried()));
    if object.spec.claim.name != claim.metadata.name || object.spec.pool.name != claim.spec.pool.name {
        return bad(format!(
            "the IPAddress {} that the IPClaim {} shows belongs to the IPClaim {} of the IPPool {}; remove the claim's status",
            object.metadata.name, claim.metadata.name, object.spec.claim.name, object.spec.pool.name
        ));
    }
    let Ok(address) = parse_address(&object.spec.address) else {
        return bad(format!("the IPAddress {} holds no address", object.metadata.name));
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = u8::try_from(object.spec.prefix)
        .ok()
        .filter(|prefix| (1..=longest).contains(prefix));
    let Some(prefix) = prefix else {
        return bad(format!(
            "the IPAddress {} has the prefix {}; set spec.prefix of the IPPool {} to 1 to {longest} and the IPAddress's too",
            object.metadata.name, object.spec.prefix, claim.spec.pool.name
        ));
    };
    let gateway = match object
        .spec
        .gateway
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(parse_address)
    {
        None => None,
        Some(Ok(gateway)) if gateway.is_ipv4() == address.is_ipv4() => Some(gateway),
        Some(_) => {
            return bad(format!(
                "the gateway of the IPAddress {} is of another family than its address",
                object.metadata.name
            ));
        }
    };
    Ok(Progress::Held(Held {
        address,
        prefix,
        gateway,
        dns_servers: object.spec.dns_servers,
        pool: claim.spec.pool.name.clone(),
    }))
}
