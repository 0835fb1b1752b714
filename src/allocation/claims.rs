//! Takes claims and what becomes of them, says which get no address and why, and which cannot be served at all.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::{Said, few};
use crate::api::metal3;
use crate::check::{Finding, Severity, codes};
use crate::ipam::{ClaimId, ClaimKind, FieldPath, Refusal, Source, parse_address};
use crate::state::{AddressRecord, ClaimObject, Fate, PoolId, PoolView, Settled, Stored, is_api_time};

impl Said<'_, '_> {
    pub(super) fn about_claims(&mut self, view: &PoolView, settled: &Settled) {
        let (mut waiting, mut released, mut stray) = (Vec::new(), Vec::new(), Vec::new());
        for id in &settled.order {
            match &settled.fates[id] {
                Fate::Refused(refusal) => self.say_refusal(view, id, refusal),
                Fate::Waits(address) => waiting.push(deleted(id, address.map(|address| address.to_string()))),
                Fate::Released {
                    address,
                    stray_finalizer,
                } => {
                    let text = deleted(id, address.map(|address| address.to_string()));
                    if *stray_finalizer {
                        stray.push((id, text))
                    } else {
                        released.push(text)
                    }
                }
                _ => {}
            }
        }
        let pool = self.live.pools[&view.id].object;
        if !waiting.is_empty() {
            let finding = Finding::new(
                &codes::CLAIM_DELETED,
                format!(
                    "deleted claims of {} keep their addresses until their other finalizers are gone: {}",
                    view.id,
                    few(&waiting)
                ),
            );
            self.say(
                pool,
                finding.help("CAPV takes its finalizer off when the virtual machine is destroyed"),
            );
        }
        if !released.is_empty() {
            let finding = Finding::new(
                &codes::CLAIM_DELETED,
                format!(
                    "deleted claims of {} let their addresses go: {}",
                    view.id,
                    few(&released)
                ),
            );
            self.say(
                pool,
                finding.help("claims that were refused for want of an address get these"),
            );
        }
        for (id, text) in stray {
            let finding = Finding::new(
                &codes::STRAY_FINALIZER,
                format!(
                    "the deleted claim {text} of {} is kept by the in-cluster provider's finalizer",
                    view.id
                ),
            );
            let object = self.source(view, id).and_then(|stored| stored.object);
            self.say(
                object,
                finding.help("its address is free; take ipam.cluster.x-k8s.io/ReleaseAddress off the claim"),
            );
        }
        self.about_adoptions(view, settled);
        for id in &settled.order {
            self.about_ignored_request(view, settled, id);
        }
        for collision in &settled.collisions {
            let finding = Finding::new(
                &codes::NAME_COLLISION,
                format!(
                    "{} is passed over for {}: the name {} belongs to another object",
                    collision.address, collision.claim, collision.object.name
                ),
            );
            let object = self.source(view, &collision.claim).and_then(|stored| stored.object);
            self.say(
                object,
                finding.help("give each pool of a namespace a namePrefix of its own"),
            );
        }
    }

    /// metal3 points a claim at the name that it would have given, whatever the object is called.
    fn about_adoptions(&mut self, view: &PoolView, settled: &Settled) {
        let live = self.live;
        let adopted = settled.order.iter().filter_map(|id| match &settled.fates[id] {
            Fate::Gets {
                grant,
                source: Source::Adopted,
                ..
            } => Some((id, grant)),
            _ => None,
        });
        let mut adopted = adopted.filter(|_| view.id.kind == metal3::POOL_KIND).peekable();
        if adopted.peek().is_none() {
            return;
        }
        let objects: HashMap<(ClaimKind, &str, IpAddr), &Stored<AddressRecord>> = view
            .addresses
            .iter()
            .map(|index| &live.addresses()[*index])
            .filter_map(|stored| {
                let address = parse_address(stored.value.address()).ok()?;
                Some(((stored.value.kind(), stored.value.claim(), address), stored))
            })
            .collect();
        for (id, grant) in adopted {
            let Some(stored) = objects.get(&(id.kind, id.name.as_str(), grant.address)) else {
                continue;
            };
            let name = &stored.value.metadata().name;
            if *name != grant.object {
                let finding = Finding::new(
                    &codes::ADOPTED_NAME,
                    format!(
                        "{id} adopts {} of the object {name}, and its status will name {}",
                        grant.address, grant.object
                    ),
                );
                self.say(stored.object, finding.help(format!("call the object {}", grant.object)));
            }
        }
    }

    /// The in-cluster provider does not look at the annotation.
    fn about_ignored_request(&mut self, view: &PoolView, settled: &Settled, id: &ClaimId) {
        let Some(stored) = self.source(view, id).filter(|_| !view.pool.honours_requests()) else {
            return;
        };
        let asked = stored.value.metadata().annotations.get(metal3::REQUEST_ANNOTATION);
        let (Some(asked), Fate::Gets { grant, .. }) = (asked, &settled.fates[id]) else {
            return;
        };
        if parse_address(asked).ok() == Some(grant.address) {
            return;
        }
        let finding = Finding::new(
            &codes::REQUEST_IGNORED,
            format!(
                "{} asks for {asked} and gets {}: {} honours no request",
                title(stored),
                grant.address,
                view.id
            ),
        );
        let object = stored.object;
        self.say(
            object,
            finding.help("only metal3's IPPool gives an address that a claim asks for"),
        );
    }

    pub(super) fn source(&self, view: &PoolView, id: &ClaimId) -> Option<&Stored<ClaimObject>> {
        view.sources.get(id).map(|index| &self.live.claims()[*index])
    }

    fn say_refusal(&mut self, view: &PoolView, id: &ClaimId, refusal: &Refusal) {
        let object = self.source(view, id).and_then(|stored| stored.object);
        let finding = Finding::new(
            &codes::CLAIM_REFUSED,
            format!("{id} gets no address of {}: {}", view.id, reason(view, refusal)),
        );
        self.say(object, finding.help(cure(view, refusal)));
        let pool = self.live.pools[&view.id].object;
        let of_pool = |path: &FieldPath| path.to_string().starts_with("spec");
        let field = refusal.field();
        let place = field.as_ref().and_then(|path| {
            let object = if of_pool(path) { pool } else { object };
            self.field_place(object?, path)
        });
        // A claim that does not exist yet has no place of its own.
        let instead = pool.filter(|_| object.is_none()).and_then(|pool| self.place(pool));
        let Some(said) = self.last() else { return };
        said.place = said.place.or(instead);
        match (place, field) {
            (Some(place), Some(path)) if of_pool(&path) => {
                said.related = Some((place, "this field of the pool".to_owned()))
            }
            (Some(place), _) => said.place = Some(place),
            _ => {}
        }
    }

    /// Claims that no pool of the input serves, and times that cannot be compared.
    pub(super) fn about_homeless_claims(&mut self) {
        let live = self.live;
        let mut without: BTreeMap<PoolId, Vec<usize>> = BTreeMap::new();
        for (index, stored) in live.claims().iter().enumerate() {
            self.about_time(stored);
            let Some(id) = stored.value.pool(&stored.namespace) else {
                self.say_foreign(stored);
                continue;
            };
            if !live.pools.contains_key(&id) {
                without.entry(id).or_default().push(index);
            } else if let ClaimObject::IPClaim(claim) = &stored.value
                && let Some(named) = claim.spec.pool.namespace.as_deref().filter(|named| !named.is_empty())
                && named != stored.namespace
                && !stored.namespace.is_empty()
            {
                let finding = Finding::new(
                    &codes::CLAIM_ELSEWHERE,
                    format!(
                        "{} names a pool of the namespace {named}, and {id} serves it",
                        title(stored)
                    ),
                );
                self.say(
                    stored.object,
                    finding.help("a claim is served by the pool of its own namespace; correct spec.pool.namespace"),
                );
            }
        }
        for (id, claims) in without {
            self.about_missing_pool(&id, &claims);
        }
    }

    fn about_missing_pool(&mut self, id: &PoolId, claims: &[usize]) {
        let live = self.live;
        let first = &live.claims()[claims[0]];
        let names: Vec<String> = claims
            .iter()
            .map(|claim| live.claims()[*claim].value.metadata().name.clone())
            .collect();
        let elsewhere = live
            .pools
            .keys()
            .find(|other| other.kind == id.kind && other.name == id.name);
        let Some(other) = elsewhere else {
            let finding = Finding::new(
                &codes::CLAIM_WITHOUT_POOL,
                format!("{id} is not in the input; nothing is decided about {}", few(&names)),
            );
            let help = if id.name.is_empty() {
                "name the pool in the claim's spec"
            } else {
                "give the pool as well; without it in the cluster the claims wait for ever"
            };
            self.say(first.object, finding.help(help));
            return;
        };
        let finding = Finding::new(
            &codes::CLAIM_ELSEWHERE,
            format!(
                "{} {} for ever: {other} is in another namespace",
                if claims.len() == 1 { title(first) } else { few(&names) },
                if claims.len() == 1 { "waits" } else { "wait" }
            ),
        );
        self.say(
            first.object,
            finding.help(format!(
                "put the claim into the namespace {:?}, or a pool {} into {:?}",
                other.namespace, id.name, id.namespace
            )),
        );
        let place = live.pools[other].object.and_then(|pool| self.place(pool));
        if let (Some(place), Some(said)) = (place, self.last()) {
            said.related = Some((place, "the pool".to_owned()));
        }
    }

    /// A claim on a pool of a kind that nobody here serves.
    fn say_foreign(&mut self, stored: &Stored<ClaimObject>) {
        let ClaimObject::IPAddressClaim(claim) = &stored.value else {
            return;
        };
        let reference = &claim.spec.pool_ref;
        let (what, help) = if reference.api_group.is_empty() {
            (
                "names no API group of its pool".to_owned(),
                "set spec.poolRef.apiGroup: ipam.metal3.io or ipam.cluster.x-k8s.io",
            )
        } else {
            (
                format!(
                    "asks for the {} {} of {}",
                    reference.kind, reference.name, reference.api_group
                ),
                "metal3's IPPool and the in-cluster provider's pools are known; another provider answers this claim",
            )
        };
        let finding = Finding::new(
            &codes::CLAIM_WITHOUT_POOL,
            format!("{} {what}; nothing is decided about it", title(stored)),
        );
        self.say(stored.object, finding.help(help));
    }

    fn about_time(&mut self, stored: &Stored<ClaimObject>) {
        let Some(time) = stored
            .value
            .metadata()
            .creation_timestamp
            .as_deref()
            .filter(|time| !is_api_time(time))
        else {
            return;
        };
        let finding = Finding::new(
            &codes::LIVE_UNREADABLE,
            format!(
                "the creation time {time:?} of {} is not in the API server's form",
                title(stored)
            ),
        );
        let path = FieldPath::of(&["metadata", "creationTimestamp"]);
        self.say_as(
            Severity::Warning,
            stored.object,
            finding.help("write it as 2026-01-31T12:00:00Z; the claim counts as the last one"),
        );
        let place = stored.object.and_then(|object| self.field_place(object, &path));
        if let (Some(place), Some(said)) = (place, self.last()) {
            said.place = Some(place);
        }
    }
}

fn deleted(id: &ClaimId, address: Option<String>) -> String {
    match address {
        Some(address) => format!("{} ({address})", id.name),
        None => id.name.clone(),
    }
}

fn title(stored: &Stored<ClaimObject>) -> String {
    let name = &stored.value.metadata().name;
    let kind = stored.value.kind().name();
    match stored.namespace.as_str() {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

/// metal3's own text; the in-cluster provider has none that anybody but its log sees.
pub(super) fn reason(view: &PoolView, refusal: &Refusal) -> String {
    let in_cluster = view.id.kind != metal3::POOL_KIND;
    match refusal {
        Refusal::Exhausted if in_cluster => "no address is free".to_owned(),
        Refusal::NotAvailable if in_cluster => "an address object of its name exists already".to_owned(),
        refusal => refusal.to_string(),
    }
}

fn cure(view: &PoolView, refusal: &Refusal) -> &'static str {
    let in_cluster = view.id.kind != metal3::POOL_KIND;
    match refusal {
        Refusal::Exhausted if in_cluster => {
            "add addresses to the pool; the in-cluster provider writes nothing on the claim and tries again"
        }
        Refusal::Exhausted => "add addresses to the pool, release one, or ask for one that an entry holds",
        Refusal::NotAvailable if in_cluster => {
            "an address object of this name exists for another claim; delete or rename it"
        }
        Refusal::NotAvailable => "somebody holds or has reserved this address; choose another, or release it",
        Refusal::OutOfBounds { .. } => {
            "choose an address that an entry of the pool yields; the network address of a subnet is none"
        }
        Refusal::Conflicting => {
            "make the annotation ipAddress and the preallocation one address, or remove one of them"
        }
        Refusal::InvalidRequest { .. } => "write one address into the annotation, or remove it",
        Refusal::InvalidPrefix { .. } => "write a prefix from 0 to 128",
    }
}
