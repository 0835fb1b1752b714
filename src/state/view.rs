//! Takes the live objects, gives for each pool what its allocator sees. Input is often incomplete, so what somebody may hold
//! counts as held, and every such gap is told; nothing is decided here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::live::{AddressRecord, ClaimObject, Live, PoolId, PoolObject, Stored};
use crate::api::{PAUSED_ANNOTATION, in_cluster};
use crate::ipam::{
    AddressObject, Claim, ClaimId, ClaimKind, FieldError, Naming, ObjectId, Pool, addresses_named, indexed_claim,
    parse_address,
};

/// A pool with all that decides about its claims.
#[derive(Clone, Debug)]
pub struct PoolView {
    /// Which pool.
    pub id: PoolId,
    /// The pool, read.
    pub pool: Pool,
    /// Whether it has a deletion time.
    pub deleting: bool,
    /// What pauses it, if anything does.
    pub paused: Option<Pause>,
    /// `status.indexes`.
    pub indexes: BTreeMap<String, String>,
    /// Its claims, and those of other pools that its address objects name.
    pub claims: Vec<Claim>,
    /// Its address objects, those of others whose names it could give, and one for every holder without an object.
    pub objects: Vec<AddressObject>,
    /// The place of each of its claims in [`Live::claims`].
    pub sources: HashMap<ClaimId, usize>,
    /// The place of each of its address objects in [`Live::addresses`].
    pub addresses: Vec<usize>,
    /// What the input does not say.
    pub gaps: Gaps,
}

/// What stops a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The annotation on the pool itself.
    Pool,
    /// The pool's Cluster.
    Cluster(String),
}

/// What an incomplete input leaves open about a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Addresses that claims hold which are not in the input. They count as held.
    pub unclaimed: Vec<(ClaimId, IpAddr)>,
    /// Claims that show an address object which is not in the input; its address follows from `status.indexes` or from
    /// the object's name.
    pub unlisted: Vec<ClaimId>,
    /// Claims that show an address object which is not in the input and whose address nothing tells: as long as there is
    /// one, nothing can be decided.
    pub unknown: Vec<ClaimId>,
    /// Entries of `status.indexes` whose text is no address.
    pub unreadable: Vec<String>,
}

/// A pool that cannot be read, with what is wrong in its spec.
pub type Unreadable = (PoolId, Vec<FieldError>);

/// The views of all pools, sorted; and the pools that cannot be read.
#[must_use]
pub fn views(live: &Live) -> (Vec<PoolView>, Vec<Unreadable>) {
    let mut claims: HashMap<PoolId, Vec<usize>> = HashMap::new();
    for (index, claim) in live.claims().iter().enumerate() {
        if let Some(pool) = claim.value.pool(&claim.namespace) {
            claims.entry(pool).or_default().push(index);
        }
    }
    let mut addresses: HashMap<PoolId, Vec<usize>> = HashMap::new();
    for (index, address) in live.addresses().iter().enumerate() {
        if let Some(pool) = address.value.pool(&address.namespace) {
            addresses.entry(pool).or_default().push(index);
        }
    }
    let mut views = Vec::new();
    let mut unreadable = Vec::new();
    for (id, stored) in &live.pools {
        let pool = match &stored.value {
            PoolObject::IPPool(pool) => Ok(Pool::ippool(&id.name, &pool.spec)),
            PoolObject::InCluster(pool) => Pool::in_cluster(pool),
        };
        match pool {
            Ok(pool) => {
                let own = |of: &HashMap<PoolId, Vec<usize>>| of.get(id).cloned().unwrap_or_default();
                let viewing = Viewing { live, id, stored };
                views.push(viewing.view(pool, &own(&claims), &own(&addresses)));
            }
            Err(errors) => unreadable.push((id.clone(), errors)),
        }
    }
    (views, unreadable)
}

impl PoolView {
    /// The claims that are this pool's own.
    pub fn own_claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| *claim.pool == *self.pool.reference())
    }
}

struct Viewing<'l> {
    live: &'l Live,
    id: &'l PoolId,
    stored: &'l Stored<PoolObject>,
}

impl Viewing<'_> {
    fn view(&self, pool: Pool, own: &[usize], addresses: &[usize]) -> PoolView {
        let indexes = match &self.stored.value {
            PoolObject::IPPool(pool) => pool.status.as_ref().map(|status| status.indexes.clone()),
            PoolObject::InCluster(_) => None,
        };
        let mut view = PoolView {
            id: self.id.clone(),
            pool,
            deleting: self.stored.value.metadata().deletion_timestamp.is_some(),
            paused: self.pause(),
            indexes: indexes.unwrap_or_default(),
            claims: Vec::new(),
            objects: Vec::new(),
            sources: HashMap::new(),
            addresses: addresses.to_vec(),
            gaps: Gaps::default(),
        };
        for &index in own {
            let claim = self.claim(&self.live.claims()[index]);
            view.sources.insert(claim.id.clone(), index);
            view.claims.push(claim);
        }
        let mut named_elsewhere = BTreeSet::new();
        for &index in addresses {
            let mut object = self.object(index);
            match self.live.claim(
                &self.live.addresses()[index].namespace,
                object.id.kind,
                self.plain(&object.claim),
            ) {
                Some(claim) if !view.sources.contains_key(&object.claim_id()) => {
                    named_elsewhere.insert(claim);
                }
                Some(_) => {}
                None => {
                    // Its owner may well live and only be missing here: the object is never collected.
                    if object.owner.take().is_some()
                        && let Ok(address) = parse_address(&object.address)
                    {
                        view.gaps.unclaimed.push((object.claim_id(), address));
                    }
                }
            }
            view.objects.push(object);
        }
        view.claims.extend(
            named_elsewhere
                .into_iter()
                .map(|claim| self.claim(&self.live.claims()[claim])),
        );
        let own_objects: BTreeSet<usize> = addresses.iter().copied().collect();
        let others = self.namesakes(&view).filter(|index| !own_objects.contains(index));
        let others: Vec<AddressObject> = others.map(|index| self.object(index)).collect();
        view.objects.extend(others);
        keep_recorded(&mut view);
        keep_shown(&mut view);
        view
    }

    fn pause(&self) -> Option<Pause> {
        if self.stored.value.metadata().annotations.contains_key(PAUSED_ANNOTATION) {
            return Some(Pause::Pool);
        }
        let PoolObject::IPPool(pool) = &self.stored.value else {
            return None;
        };
        let cluster = pool.spec.cluster_name.clone()?;
        self.is_paused(&self.id.namespace, &cluster)
            .then_some(Pause::Cluster(cluster))
    }

    fn is_paused(&self, namespace: &str, cluster: &str) -> bool {
        let key = (namespace.to_owned(), cluster.to_owned());
        self.live.clusters.get(&key).is_some_and(|cluster| cluster.paused)
    }

    /// The claim as the allocator reads it. Claims of a cluster-scoped pool have their namespace in their names, since one
    /// name can occur in several.
    fn claim(&self, stored: &Stored<ClaimObject>) -> Claim {
        let mut claim = match &stored.value {
            ClaimObject::IPClaim(claim) => Claim::from(&**claim),
            ClaimObject::IPAddressClaim(claim) => Claim::from(&**claim),
        };
        claim.id.name = self.qualified(&stored.namespace, &claim.id.name);
        claim.address = claim.address.map(|name| self.qualified(&stored.namespace, &name));
        claim.created = claim.created.filter(|time| is_api_time(time));
        claim.place = stored.place;
        let cluster = stored.value.cluster();
        claim.paused = cluster.is_some_and(|cluster| self.is_paused(&stored.namespace, cluster));
        if let PoolObject::InCluster(pool) = &self.stored.value {
            // The in-cluster provider drops every event of a claim with the annotation.
            claim.paused |= stored.value.metadata().annotations.contains_key(PAUSED_ANNOTATION);
            let grace = pool.spec.address_reuse_grace_period_seconds;
            claim.resting = grace.is_some_and(|seconds| seconds > 0) && pool.metadata.deletion_timestamp.is_none();
        }
        claim
    }

    fn object(&self, index: usize) -> AddressObject {
        let stored = &self.live.addresses()[index];
        let mut object = match &stored.value {
            AddressRecord::Metal3(address) => AddressObject::from(&**address),
            AddressRecord::ClusterApi(address) => AddressObject::from(&**address),
        };
        object.id.name = self.qualified(&stored.namespace, &object.id.name);
        object.claim = self.qualified(&stored.namespace, &object.claim);
        object
    }

    fn qualified(&self, namespace: &str, name: &str) -> String {
        if self.id.kind == in_cluster::GLOBAL_POOL_KIND && !name.is_empty() {
            format!("{namespace}/{name}")
        } else {
            name.to_owned()
        }
    }

    /// The name without the namespace that [`Self::qualified`] put before it.
    fn plain<'n>(&self, name: &'n str) -> &'n str {
        name.rsplit_once('/').map_or(name, |(_, name)| name)
    }

    /// The address objects whose names this pool could give to objects of its own.
    fn namesakes<'v>(&'v self, view: &'v PoolView) -> Box<dyn Iterator<Item = usize> + 'v> {
        let live = self.live;
        match view.pool.naming() {
            Naming::PrefixAndAddress(prefix) => Box::new(
                [ClaimKind::IPClaim, ClaimKind::IPAddressClaim]
                    .into_iter()
                    .flat_map(move |kind| live.addresses_named(&self.id.namespace, kind, prefix)),
            ),
            Naming::Claim => Box::new(view.sources.values().filter_map(move |claim| {
                let stored = &live.claims()[*claim];
                let name = &stored.value.metadata().name;
                let mut named = live.addresses_named(&stored.namespace, stored.value.kind(), name);
                named
                    .next()
                    .filter(|index| live.addresses()[*index].value.metadata().name == *name)
            })),
        }
    }
}

/// Entries of `status.indexes` whose claim and object are both missing keep their address.
fn keep_recorded(view: &mut PoolView) {
    let at: BTreeSet<IpAddr> = view
        .objects
        .iter()
        .filter_map(|object| parse_address(&object.address).ok())
        .collect();
    let mut kept = Vec::new();
    for (key, text) in &view.indexes {
        let Ok(address) = parse_address(text) else {
            view.gaps.unreadable.push(key.clone());
            continue;
        };
        let (kind, name) = indexed_claim(key);
        let kinds = [ClaimKind::IPClaim, ClaimKind::IPAddressClaim];
        let lives = kinds
            .iter()
            .any(|kind| view.sources.contains_key(&ClaimId::new(*kind, name)));
        if lives || at.contains(&address) {
            continue;
        }
        let claim = ClaimId::new(kind, name);
        kept.push(stand_in(view, claim.clone(), address, None));
        view.gaps.unclaimed.push((claim, address));
    }
    view.objects.extend(kept);
}

/// Claims that show an object which is not in the input keep the address that its name tells.
fn keep_shown(view: &mut PoolView) {
    let named: BTreeSet<&ObjectId> = view.objects.iter().map(|object| &object.id).collect();
    let claimed: BTreeSet<ClaimId> = view.objects.iter().map(AddressObject::claim_id).collect();
    let mut kept = Vec::new();
    let mut gaps = Gaps::default();
    for claim in view.own_claims() {
        let Some(shown) = &claim.address else { continue };
        let id = ObjectId {
            name: shown.clone(),
            kind: claim.id.kind,
        };
        if named.contains(&id) || claimed.contains(&claim.id) || claim.is_letting_go() {
            continue;
        }
        if view.indexes.keys().any(|key| indexed_claim(key).1 == claim.id.name) {
            gaps.unlisted.push(claim.id.clone());
            continue;
        }
        let Naming::PrefixAndAddress(prefix) = view.pool.naming() else {
            gaps.unknown.push(claim.id.clone());
            continue;
        };
        // Two addresses can share the name; the pool tells which of them it gives.
        let (given, others): (Vec<IpAddr>, Vec<IpAddr>) = addresses_named(prefix, shown)
            .into_iter()
            .partition(|address| view.pool.entry_of(*address).is_some());
        let addresses = if given.is_empty() { others } else { given };
        let Some((first, rest)) = addresses.split_first() else {
            gaps.unknown.push(claim.id.clone());
            continue;
        };
        kept.push(stand_in(view, claim.id.clone(), *first, claim.uid.clone()));
        let nobody = || ClaimId::new(claim.id.kind, "");
        kept.extend(rest.iter().map(|address| stand_in(view, nobody(), *address, None)));
        gaps.unlisted.push(claim.id.clone());
    }
    view.objects.extend(kept);
    view.gaps.unlisted = gaps.unlisted;
    view.gaps.unknown = gaps.unknown;
}

/// An address object for a holder whose own is not in the input.
fn stand_in(view: &PoolView, claim: ClaimId, address: IpAddr, owner: Option<String>) -> AddressObject {
    AddressObject {
        id: ObjectId {
            name: view.pool.naming().object_name(address, &claim.name),
            kind: claim.kind,
        },
        pool: view.pool.reference().clone().into(),
        claim: claim.name,
        address: address.to_string(),
        owner,
    }
}

/// Whether a text is a time as the API server writes it: UTC with whole seconds. Only such times can be compared as texts.
#[must_use]
pub fn is_api_time(text: &str) -> bool {
    let form = "0000-00-00T00:00:00Z";
    let fits = |(char, form): (u8, u8)| {
        if form == b'0' {
            char.is_ascii_digit()
        } else {
            char == form
        }
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}
