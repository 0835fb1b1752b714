//! Takes an IPPool or InClusterIPPool of the manifest and gives its addresses as ranges with their places; never allocates.

use std::net::IpAddr;

use super::cursor::{Cursor, Span, Text};
use crate::ipam::{AddressRange, Network, usable_range};

/// The kinds of pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// metal3's IPPool (`ipam.metal3.io`).
    IPPool,
    /// The in-cluster provider's InClusterIPPool (`ipam.cluster.x-k8s.io`).
    InClusterIPPool,
    /// Its cluster-scoped form.
    GlobalInClusterIPPool,
}

impl PoolKind {
    /// The kind as objects write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PoolKind::IPPool => "IPPool",
            PoolKind::InClusterIPPool => "InClusterIPPool",
            PoolKind::GlobalInClusterIPPool => "GlobalInClusterIPPool",
        }
    }

    /// The API group.
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            PoolKind::IPPool => "ipam.metal3.io",
            PoolKind::InClusterIPPool | PoolKind::GlobalInClusterIPPool => "ipam.cluster.x-k8s.io",
        }
    }

    /// All of them.
    pub(crate) const ALL: [PoolKind; 3] = [
        PoolKind::IPPool,
        PoolKind::InClusterIPPool,
        PoolKind::GlobalInClusterIPPool,
    ];

    /// The kind of this name; another provider may have one of the same name.
    #[must_use]
    pub fn named(kind: &str) -> Option<Self> {
        PoolKind::ALL.into_iter().find(|known| known.name() == kind)
    }

    pub(super) fn of(group: &str, kind: &str) -> Option<Self> {
        PoolKind::named(kind).filter(|known| known.group() == group)
    }
}

/// A pool of the manifest.
#[derive(Clone, Debug)]
pub struct Pool<'a> {
    /// Its kind.
    pub kind: PoolKind,
    /// What it gives addresses from; what cannot be read (placeholders) is left out.
    pub entries: Box<[PoolEntry]>,
    /// `spec.clusterName` (metal3).
    pub cluster: Option<Text<'a>>,
    /// `spec.namePrefix` (metal3), which cannot change.
    pub name_prefix: Option<Text<'a>>,
}

/// A range of a pool with its network.
#[derive(Clone, Copy, Debug)]
pub struct PoolEntry {
    /// The addresses.
    pub range: AddressRange,
    /// Where they are written.
    pub span: Span,
    /// The entry's gateway, else the pool's.
    pub gateway: Option<IpAddr>,
    /// The length of the prefix in bits, the entry's or else the pool's.
    pub prefix: Option<u8>,
}

impl<'a> Pool<'a> {
    pub(super) fn read(at: Cursor<'_, 'a>, kind: PoolKind) -> Self {
        let spec = at.get("spec");
        let text = |key| spec.and_then(|spec| spec.text_of(key));
        let list = |key| spec.and_then(|spec| spec.get(key)).into_iter().flat_map(Cursor::items);
        let entry = |range, at: Cursor<'_, 'a>| {
            // An entry's own value counts before the pool's; items of an InClusterIPPool are texts and have none.
            let value = |key| at.text_of(key).or_else(|| text(key));
            PoolEntry {
                range,
                span: at.span(),
                gateway: value("gateway").and_then(|text| text.value.parse().ok()),
                prefix: value("prefix").and_then(|text| text.value.parse().ok()),
            }
        };
        let entries = match kind {
            PoolKind::IPPool => list("pools")
                .filter_map(|at| Some(entry(entry_range(at)?, at)))
                .collect(),
            _ => list("addresses")
                .filter_map(|at| Some(entry(usable_range(&at.text()?.value, None).ok()?, at)))
                .collect(),
        };
        Pool {
            kind,
            entries,
            cluster: text("clusterName"),
            name_prefix: text("namePrefix"),
        }
    }
}

/// A metal3 entry: start and end, or what is left of the subnet (metal3 `utils.go`: from network + 1 to the last address).
fn entry_range(entry: Cursor<'_, '_>) -> Option<AddressRange> {
    let address = |key| entry.text_of(key)?.value.parse().ok();
    let subnet = entry
        .text_of("subnet")
        .and_then(|text| text.value.parse::<Network>().ok())
        .map(AddressRange::whole);
    let start = address("start");
    let after_network = || {
        let subnet = subnet?;
        AddressRange::new(subnet.start(), subnet.end()).ok()?.nth(1)
    };
    let start = start.or_else(after_network)?;
    let end = address("end").or(subnet.map(AddressRange::end)).unwrap_or(start);
    AddressRange::new(start, end).ok()
}
