//! The machine role: takes a VSphereMachine whose static NICs have no address, claims for each NIC, and writes everything
//! into the machine in one patch; never writes a VSphereVM, which CAPV makes from the machine.

pub(super) mod choice;
pub(super) mod claim;
mod nic;
pub(super) mod owner;
pub(super) mod waiting;

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::call::{Key, Trouble};
use super::event::{Subject, Tone};
use super::kinds::{CLUSTER_GROUP, Kind};
use super::queue::Pass;
use super::store::{CLUSTER_NAME, PAUSED, Store};
use super::world::World;
use choice::{Asker, choose, is_labelled};
use claim::{Held, Owner, Progress, claim};
use nic::{Given, Nics};
use waiting::{Waiting, conclude};

/// Annotation of an object that was cloned from a template: the template's name.
pub(super) const CLONED_FROM: &str = "cluster.x-k8s.io/cloned-from-name";
/// Label of the machines of a control plane.
const CONTROL_PLANE: &str = "cluster.x-k8s.io/control-plane";
/// Annotation of a pool: its search domains, with commas between.
const SEARCH_DOMAINS: &str = "cluster.x-k8s.io/dns-search-domains";

/// What stands about a machine before any claim is looked at.
enum Stand {
    /// There is nothing to do.
    Idle,
    /// It waits, visibly or because that is its normal course.
    Waits(Option<Waiting>),
    /// It is to be served, as a member of this Cluster.
    Serve(String, Nics),
}

/// One pass over a machine.
///
/// # Errors
/// Those of the API server.
pub(super) async fn pass(world: &World, key: &Key) -> Result<Pass, Trouble> {
    if !world.vitals.unsynced().is_empty() {
        return Ok(Pass::DONE);
    }
    owner::renew(world, key).await?;
    let Some(machine) = stored(&world.store(), Kind::Machine, key) else {
        return Ok(Pass::DONE);
    };
    let (cluster, nics) = match stand(world, key, &machine) {
        Stand::Idle => {
            tell_what_is_kept(world, key, &machine);
            return conclude(world, Kind::Machine, key, &machine, None).await;
        }
        Stand::Waits(waiting) => return conclude(world, Kind::Machine, key, &machine, waiting.as_ref()).await,
        Stand::Serve(cluster, nics) => (cluster, nics),
    };
    // One machine after the other, in the order in which they were woken: their claims follow that order.
    let held = {
        let _turn = world.turn.lock().await;
        claims(world, key, &machine, &cluster, &nics).await?
    };
    match held {
        Err(waiting) => conclude(world, Kind::Machine, key, &machine, waiting.as_ref()).await,
        Ok(held) => write(world, key, &machine, held).await,
    }
}

/// Says that a claim which somebody deletes stays: its address must not be another machine's while this one has it.
fn tell_what_is_kept(world: &World, key: &Key, machine: &Value) {
    let kept = world.store().namespace(&key.namespace).kept_for(key);
    for claim in kept {
        let message =
            format!("the IPClaim {claim} is being deleted; it and its address stay until this machine is gone");
        let subject = Subject::of(Kind::Machine.names().1, machine);
        world.events.say(&subject, Tone::Warning, "AddressInUse", message);
    }
}

/// A VSphereMachine, template or VSphereCluster as the store has it.
pub(super) fn stored(store: &Store, kind: Kind, key: &Key) -> Option<Value> {
    let whole = store.namespace(&key.namespace).whole.get(&(kind, key.name.clone()))?;
    Some(whole.value.clone())
}

/// The labels or annotations of an object.
pub(super) fn texts(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let texts = object
        .pointer(pointer)
        .and_then(|texts| BTreeMap::deserialize(texts).ok());
    texts.unwrap_or_default()
}

/// Whether the object has an owner of Cluster API's group and this kind.
pub(super) fn has_owner(object: &Value, kind: &str) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.is_some_and(|owners| {
        owners.iter().any(|owner| {
            let group = owner["apiVersion"]
                .as_str()
                .and_then(|version| version.split('/').next());
            owner["kind"] == kind && group == Some(CLUSTER_GROUP)
        })
    })
}

fn stand(world: &World, key: &Key, machine: &Value) -> Stand {
    if machine.pointer("/metadata/deletionTimestamp").is_some() {
        return Stand::Waits(None);
    }
    let nics = nic::read(machine);
    let labels = texts(machine, "/metadata/labels");
    let annotations = texts(machine, "/metadata/annotations");
    let Some(name) = labels.get(CLUSTER_NAME) else {
        return Stand::Waits(None);
    };
    let store = world.store();
    let template = annotations
        .get(CLONED_FROM)
        .map(|name| Key::new(key.namespace.clone(), name.clone()));
    if nics.waiting.is_empty() {
        let labelled = template
            .and_then(|template| stored(&store, Kind::Template, &template))
            .is_some_and(|template| is_labelled(&texts(&template, "/metadata/labels")));
        if nics.all_dhcp && labelled {
            let message =
                "the template names a pool, but every NIC has dhcp4 or dhcp6 true; set both to false in a new template";
            return Stand::Waits(Some(Waiting::new("DHCPStillOn", message)));
        }
        return Stand::Idle;
    }
    // The machine is created before its Machine; the change of its owner brings the next pass.
    let (true, Some((_, cluster))) = (
        has_owner(machine, "Machine"),
        store.namespace(&key.namespace).clusters.get(name),
    ) else {
        return Stand::Waits(None);
    };
    if annotations.contains_key(PAUSED) {
        let message = format!("the machine has the annotation {PAUSED}; take it off");
        return Stand::Waits(Some(Waiting::new("Paused", message)));
    }
    if cluster.paused {
        let message = format!("the Cluster {name} is paused; unpause it");
        return Stand::Waits(Some(Waiting::new("Paused", message)));
    }
    if world.options.hold_workers && !labels.contains_key(CONTROL_PLANE) && !cluster.initialized {
        return Stand::Waits(None);
    }
    Stand::Serve(name.clone(), nics)
}

/// The addresses of all waiting NICs, or what is missing.
async fn claims(
    world: &World,
    key: &Key,
    machine: &Value,
    cluster: &str,
    nics: &Nics,
) -> Result<Result<Vec<(usize, Held)>, Option<Waiting>>, Trouble> {
    let owner = Owner {
        kind: Kind::Machine,
        object: machine,
        cluster,
    };
    let mut held = Vec::new();
    let (mut pending, mut missing): (bool, Option<Waiting>) = (false, None);
    for (index, network) in &nics.waiting {
        let name = Key::new(key.namespace.clone(), format!("{}-{index}", key.name));
        let pool = |store: &Store| pool_of(store, key, machine, cluster, network);
        let progress = claim(world, &name, &owner, pool).await?;
        match progress {
            Progress::Held(one) => held.push((*index, one)),
            Progress::Pending => pending = true,
            Progress::Waiting(waiting) => {
                missing = Some(match missing {
                    Some(first) => first.and(waiting),
                    None => waiting,
                });
            }
        }
    }
    Ok(if pending || missing.is_some() {
        Err(missing)
    } else {
        Ok(held)
    })
}

/// The pool for a NIC, by the labels of the template that the machine was cloned from.
fn pool_of(store: &Store, key: &Key, machine: &Value, cluster: &str, network: &str) -> Result<String, Waiting> {
    let annotations = texts(machine, "/metadata/annotations");
    let Some(name) = annotations.get(CLONED_FROM) else {
        let message = format!("the machine has no annotation {CLONED_FROM}, so no template says which pool it uses");
        return Err(Waiting::new("TemplateNotFound", message));
    };
    let Some(template) = stored(store, Kind::Template, &Key::new(key.namespace.clone(), name.clone())) else {
        let message = format!("the VSphereMachineTemplate {name} is gone, whose labels name the pool; create it again");
        return Err(Waiting::new("TemplateNotFound", message));
    };
    let asker = Asker {
        namespace: &key.namespace,
        cluster,
        labelled: &format!("the VSphereMachineTemplate {name}"),
        labels: &texts(&template, "/metadata/labels"),
        network,
    };
    choose(store, &asker)
}

/// Writes all addresses at once, on the condition of the machine's version: the list of NICs is replaced as a whole.
async fn write(world: &World, key: &Key, machine: &Value, held: Vec<(usize, Held)>) -> Result<Pass, Trouble> {
    let given: Vec<Given> = held
        .into_iter()
        .map(|(index, held)| given(world, key, index, held))
        .collect();
    let Some((devices, without)) = nic::fill(machine, &given) else {
        return Ok(Pass::Again);
    };
    let patch = json!({
        "metadata": {
            "resourceVersion": machine.pointer("/metadata/resourceVersion"),
            "annotations": {waiting::WAITING_FOR: null},
        },
        "spec": {"network": {"devices": devices}},
    });
    let subject = Subject::of(Kind::Machine.names().1, machine);
    match world.caller.patch(Kind::Machine, key, &patch).await {
        Ok(stored) => world.keep(Kind::Machine, stored),
        Err(Trouble::Conflict) => {
            let fresh = world.caller.get(Kind::Machine, key).await?;
            world.keep(Kind::Machine, fresh);
            return Ok(Pass::Again);
        }
        Err(Trouble::Missing) => return Ok(Pass::DONE),
        Err(trouble) if trouble.is_refusal() => {
            let waiting = Waiting::not_taken("AddressRefused", "the addresses", &trouble);
            return conclude(world, Kind::Machine, key, machine, Some(&waiting)).await;
        }
        Err(trouble) => return Err(trouble),
    }
    let addresses: Vec<String> = given
        .iter()
        .map(|given| format!("{}/{}", given.address, given.prefix))
        .collect();
    tracing::info!(machine = %key, addresses = addresses.join(","), "served");
    let message = format!("got {}", addresses.join(", "));
    world.events.say(&subject, Tone::Normal, "AddressesWritten", message);
    for index in without {
        let message = format!("NIC {index} gets no gateway: another NIC has the default route of its family");
        world.events.say(&subject, Tone::Warning, "SecondDefaultRoute", message);
    }
    Ok(Pass::DONE)
}

/// The DNS servers are those of the address, else those of the pool.
fn given(world: &World, key: &Key, index: usize, held: Held) -> Given {
    let store = world.store();
    let pool = store.namespace(&key.namespace).pools.get(&held.pool);
    let domains = pool.and_then(|pool| pool.metadata.annotations.get(SEARCH_DOMAINS));
    let domains = domains.map(String::as_str).unwrap_or_default();
    Given {
        index,
        address: held.address,
        prefix: held.prefix,
        gateway: held.gateway,
        dns_servers: if held.dns_servers.is_empty() {
            pool.map(|pool| pool.spec.dns_servers.clone()).unwrap_or_default()
        } else {
            held.dns_servers
        },
        search_domains: domains
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(Into::into)
            .collect(),
    }
}
