//! Takes wanted pools, pools of the manifest and live pools, and gives them in one form, so that the same rules judge them all; judges nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use super::Subject;
use crate::addressing::{ConfigDocument, Selection, pool_object};
use crate::api::in_cluster::InClusterIPPool;
use crate::api::metal3::{IPPool, IPPoolSpec};
use crate::check::finding::Place;
use crate::ipam::{AddressRange, AddressSet, InClusterAddresses, Network, Pool, parse_address};
use crate::objects::{Cursor, Detail, Manifest, NETWORK_LABEL, Object, PoolKind, Span, Text, is_placeholder};

/// The annotation of an IPPool that several clusters share on purpose.
const SHARED: &str = "capv-ipam.dev/shared";

/// Where a pool comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A configuration, by index, and its place in `pools`.
    Wanted {
        /// The configuration.
        document: usize,
        /// The place in its `pools`.
        pool: usize,
    },
    /// An object of the manifest that no configuration replaces.
    Present(usize),
    /// An object of the running cluster.
    Live(usize),
}

/// What a pool says.
pub(crate) enum PoolSpec {
    /// metal3's.
    Metal3(Box<IPPoolSpec>),
    /// The in-cluster provider's, of either kind.
    InCluster(Box<InClusterIPPool>),
    /// It does not fit its API: why, and where.
    Unreadable(String, Span),
}

/// The network of a pool's entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntryNetwork {
    /// The length of the prefix in bits as written, the entry's or else the pool's; 0 is unset.
    pub(crate) prefix: i64,
    /// The entry's gateway, else the pool's.
    pub(crate) gateway: Option<IpAddr>,
    /// The entry's name servers, else the pool's.
    pub(crate) dns_servers: Vec<IpAddr>,
}

/// Addresses that a pool can give out, from one of its entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// The addresses; of an entry without end only those of its network.
    pub(crate) range: AddressRange,
    /// The entry's index.
    pub(crate) entry: usize,
    /// The entry has no end.
    pub(crate) endless: bool,
}

/// A pool of any origin.
pub(crate) struct JudgedPool {
    pub(crate) origin: Origin,
    pub(crate) kind: PoolKind,
    /// The object, as findings name it.
    pub(crate) object: String,
    /// What sentences call it.
    pub(crate) title: String,
    /// Its name; `None` while a configuration does not tell it.
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) spec: PoolSpec,
    /// Its network label and where that stands.
    pub(crate) network: Option<(String, Span)>,
    /// It says that clusters share it on purpose.
    pub(crate) shared: bool,
    /// Its addresses; `None` where it cannot be read.
    pub(crate) pool: Option<Pool>,
    pub(crate) networks: Vec<EntryNetwork>,
    pub(crate) held: Vec<Held>,
    /// A placeholder in it, and where: what it holds is not known.
    pub(crate) placeholder: Option<(String, Span)>,
    /// Where it stands, and its entries.
    pub(crate) place: Option<Place>,
    pub(crate) entry_places: Vec<Place>,
    /// Addresses wanted beyond replicas and surge.
    pub(crate) headroom: u32,
    /// The groups that draw from it, with how many addresses each of their machines takes.
    pub(crate) users: Vec<(usize, u32)>,
}

/// All pools: wanted ones, those of the manifest that stay, live ones that the others do not replace.
pub(super) fn pools(subject: &Subject<'_, '_>) -> Vec<JudgedPool> {
    let mut pools = Vec::new();
    for (document, (config, selection)) in subject.documents.iter().zip(subject.selections).enumerate() {
        for index in 0..config.config.spec.pools.len() {
            pools.push(wanted(document, config, selection.as_ref(), index));
        }
    }
    let mut add = |manifest: &Manifest<'_>, text: usize, origin: fn(usize) -> Origin| {
        let mut known: HashMap<(&'static str, String), Vec<Option<String>>> = HashMap::new();
        for pool in &pools {
            let pool: &JudgedPool = pool;
            let Some(name) = &pool.name else { continue };
            let namespaces = known.entry((pool.kind.name(), name.clone())).or_default();
            namespaces.push(pool.namespace.clone());
        }
        for (index, object) in manifest.objects.iter().enumerate() {
            let Detail::Pool(detail) = &object.detail else { continue };
            let kind = detail.kind;
            let same_name = known.get(&(kind.name(), object.name().to_owned()));
            let replaced = same_name.is_some_and(|namespaces| {
                namespaces
                    .iter()
                    .any(|namespace| object.in_namespace(namespace.as_deref()))
            });
            if !replaced {
                let source = text + manifest.source_of(object);
                pools.push(written(manifest, object, kind, source, origin(index)));
            }
        }
    };
    add(subject.manifest, 0, Origin::Present);
    if let Some(state) = subject.state {
        add(&state.manifest, state.first_text, Origin::Live);
    }
    pools
}

/// A pool that a configuration wants. Its object is the one that is written.
fn wanted(document: usize, config: &ConfigDocument<'_>, selection: Option<&Selection>, index: usize) -> JudgedPool {
    let spec = &config.config.spec;
    let kind = PoolKind::from(spec.pool_kind);
    let chosen = selection.and_then(|selection| selection.pools.iter().find(|pool| pool.index == index));
    let unnamed = || crate::addressing::WantedPool::unselected(&spec.pools[index], index);
    let written = chosen.cloned().unwrap_or_else(unnamed);
    let name = chosen
        .map(|pool| pool.name.clone())
        .or_else(|| spec.pools[index].name.clone());
    let title = match &name {
        Some(name) => format!("the pool {name}"),
        None => format!("pool {} of the configuration", index + 1),
    };
    let object = serde_json::Value::Object(pool_object(&written, spec));
    let spec_of = || match kind {
        PoolKind::IPPool => serde_json::from_value(object).map(|pool: IPPool| PoolSpec::Metal3(pool.spec.into())),
        _ => serde_json::from_value(object).map(|pool: InClusterIPPool| PoolSpec::InCluster(pool.into())),
    };
    let read = spec_of().unwrap_or_else(|error| PoolSpec::Unreadable(error.to_string(), Span::default()));
    let placeholder = name.as_ref().filter(|name| is_placeholder(name));
    let named = |namespace: &str| format!("{} {namespace}{}", kind.name(), name.as_deref().unwrap_or("<no name>"));
    JudgedPool {
        object: named(
            &written
                .namespace
                .as_ref()
                .map_or(String::new(), |namespace| format!("{namespace}/")),
        ),
        headroom: spec.headroom,
        network: written.network.map(|network| (network, Span::default())),
        placeholder: placeholder.map(|name| (name.clone(), Span::default())),
        ..JudgedPool::new(
            Origin::Wanted { document, pool: index },
            kind,
            title,
            name,
            written.namespace,
            read,
        )
    }
}

/// A pool that is written in a manifest.
fn written(manifest: &Manifest<'_>, object: &Object<'_>, kind: PoolKind, source: usize, origin: Origin) -> JudgedPool {
    let place = |span| Place { source, span };
    let limits = manifest.limits();
    manifest.with_object(object, |at| {
        let read = match kind {
            PoolKind::IPPool => at
                .tree
                .read(at.node, &limits)
                .map(|pool: IPPool| PoolSpec::Metal3(pool.spec.into())),
            _ => at
                .tree
                .read(at.node, &limits)
                .map(|pool: InClusterIPPool| PoolSpec::InCluster(pool.into())),
        };
        let read = read.unwrap_or_else(|error| {
            let span = Span::new(at.base + error.span.start..at.base + error.span.end);
            PoolSpec::Unreadable(error.problem, span)
        });
        let list = if kind == PoolKind::IPPool { "pools" } else { "addresses" };
        let entries = at.at(&["spec", list]).into_iter().flat_map(Cursor::items);
        let label = at.at(&["metadata", "labels", NETWORK_LABEL]).and_then(Cursor::text);
        let shared = at.at(&["metadata", "annotations", SHARED]).and_then(Cursor::text);
        JudgedPool {
            object: object.to_string(),
            network: label.map(|label| (label.value.into_owned(), label.span)),
            shared: shared.is_some_and(|text| text.value == "true"),
            placeholder: at.get("spec").and_then(placeholder),
            place: Some(place(object.name_span())),
            entry_places: entries.map(|entry| place(entry.span())).collect(),
            ..JudgedPool::new(
                origin,
                kind,
                object.to_string(),
                object.name.as_ref().map(|name| name.value.to_string()),
                object.namespace().map(ToOwned::to_owned),
                read,
            )
        }
    })
}

/// The first placeholder below a node.
fn placeholder(at: Cursor<'_, '_>) -> Option<(String, Span)> {
    let below = at.tree.all().filter(|node| at.tree.holds(at.node, *node));
    below
        .filter_map(|node| Cursor { node, ..at }.text())
        .find(|text: &Text<'_>| text.value != "<<" && is_placeholder(&text.value))
        .map(|text| (text.value.into_owned(), text.span))
}

impl JudgedPool {
    fn new(
        origin: Origin,
        kind: PoolKind,
        title: String,
        name: Option<String>,
        namespace: Option<String>,
        spec: PoolSpec,
    ) -> Self {
        let addresses = |list: &[String]| list.iter().filter_map(|text| parse_address(text).ok()).collect();
        let mut judged = JudgedPool {
            origin,
            kind,
            object: String::new(),
            title,
            name,
            namespace: namespace.filter(|_| kind != PoolKind::GlobalInClusterIPPool),
            network: None,
            shared: false,
            pool: None,
            networks: Vec::new(),
            held: Vec::new(),
            placeholder: None,
            place: None,
            entry_places: Vec::new(),
            headroom: 0,
            users: Vec::new(),
            spec,
        };
        match &judged.spec {
            PoolSpec::Metal3(spec) => {
                let pool = Pool::ippool(judged.name.as_deref().unwrap_or_default(), spec);
                for (index, entry) in spec.pools.iter().enumerate() {
                    let gateway = entry.gateway.as_ref().or(spec.gateway.as_ref());
                    let servers = if entry.dns_servers.is_empty() {
                        &spec.dns_servers
                    } else {
                        &entry.dns_servers
                    };
                    let network = EntryNetwork {
                        prefix: if entry.prefix == 0 { spec.prefix } else { entry.prefix },
                        gateway: gateway.and_then(|text| parse_address(text).ok()),
                        dns_servers: addresses(servers),
                    };
                    let endless = entry.end.is_none() && entry.subnet.is_none();
                    for range in pool.entries()[index].ranges(pool.strategy()) {
                        let near = network.around(range).map(AddressRange::whole).filter(|_| endless);
                        let range = near.map_or(Some(range), |near| near.intersection(range));
                        judged.held.extend(range.map(|range| Held {
                            range,
                            entry: index,
                            endless,
                        }));
                    }
                    judged.networks.push(network);
                }
                judged.pool = Some(pool);
            }
            PoolSpec::InCluster(pool) => {
                let network = EntryNetwork {
                    prefix: pool.spec.prefix.unwrap_or(0),
                    gateway: pool.spec.gateway.as_deref().and_then(|text| parse_address(text).ok()),
                    dns_servers: Vec::new(),
                };
                judged.networks = vec![network; pool.spec.addresses.len().max(1)];
                if let Ok(given) = InClusterAddresses::read(&pool.spec) {
                    judged.held = in_cluster(&pool.spec.addresses, &given.addresses);
                }
                judged.pool = Pool::in_cluster(pool).ok();
            }
            PoolSpec::Unreadable(..) => {}
        }
        judged
    }

    /// Whether machines of a namespace can draw from it; a missing namespace is filled in later.
    pub(crate) fn serves_namespace(&self, namespace: Option<&str>) -> bool {
        match (self.namespace.as_deref(), namespace) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        }
    }

    /// How many addresses machines can get: all but the preallocated ones; `None` while that is not known.
    pub(crate) fn size(&self) -> Option<u128> {
        let pool = self.pool.as_ref().filter(|_| self.placeholder.is_none())?;
        let all = pool.addresses();
        Some(all.size() - all.intersection(&pool.reserved()).size())
    }

    /// Whether machines are given the gateway of some entry.
    pub(crate) fn has_gateway(&self) -> bool {
        self.networks.iter().any(|network| network.gateway.is_some())
    }

    /// metal3's spec.
    pub(crate) fn metal3(&self) -> Option<&IPPoolSpec> {
        match &self.spec {
            PoolSpec::Metal3(spec) => Some(spec),
            _ => None,
        }
    }
}

/// The addresses of a set, by the text that names them.
fn in_cluster(texts: &[String], addresses: &AddressSet) -> Vec<Held> {
    let mut held = Vec::new();
    for (entry, text) in texts.iter().enumerate() {
        let Ok(named) = text.parse::<AddressRange>() else {
            continue;
        };
        let both = std::iter::once(named).collect::<AddressSet>().intersection(addresses);
        held.extend(both.ranges().map(|range| Held {
            range,
            entry,
            endless: false,
        }));
    }
    if texts.is_empty() {
        held.extend(addresses.ranges().map(|range| Held {
            range,
            entry: 0,
            endless: false,
        }));
    }
    held
}

impl EntryNetwork {
    /// The network: of the gateway, else of the first address.
    pub(crate) fn around(&self, range: AddressRange) -> Option<Network> {
        let prefix = u8::try_from(self.prefix).ok().filter(|prefix| *prefix > 0)?;
        Network::new(self.gateway.unwrap_or(range.start()), prefix).ok()
    }
}
