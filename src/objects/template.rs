//! Takes a VSphereMachineTemplate and gives its NICs and pool label as the text says them; never judges them.

use super::cursor::{Cursor, Span, Text};
use crate::yaml::NodeId;

/// What a VSphereMachineTemplate says about addresses.
#[derive(Clone, Debug)]
pub struct Template<'a> {
    /// `spec.template.spec.network.devices`, where it is a list.
    pub nics: Box<[Nic<'a>]>,
    /// The label that names the pool (`cluster.x-k8s.io/ip-pool-name`), read by the adapter role.
    pub pool_label: Option<Text<'a>>,
    /// A label by which the adapter role selects a pool instead (`ip-pool-group`, `network-name`).
    pub selector: Option<Text<'a>>,
    /// The pool label in `spec.template.metadata`, which nobody reads.
    pub machine_label: Option<Text<'a>>,
    /// `spec.template.spec.network.preferredAPIServerCidr`, where it is not empty.
    pub preferred_cidr: Option<Text<'a>>,
    /// `spec.template.spec` or what of it is there, for findings about missing NICs.
    pub span: Span,
}

/// One element of `network.devices`.
#[derive(Clone, Debug)]
pub struct Nic<'a> {
    /// Its mapping.
    pub node: NodeId,
    /// Where it stands.
    pub span: Span,
    /// `networkName`.
    pub network: Option<Text<'a>>,
    /// A DHCP flag is true; one is enough for CAPV and the adapter.
    pub dhcp: bool,
    /// `dhcp4`.
    pub dhcp4: Option<Flag>,
    /// `dhcp6`.
    pub dhcp6: Option<Flag>,
    /// `nameservers`.
    pub nameservers: Box<[Text<'a>]>,
    /// `skipIPAllocation: true`: CAPV gives it no address.
    pub skips_allocation: bool,
    /// `addressesFromPools`, CAPV 1.5 and later.
    pub pools: Box<[NicPool<'a>]>,
    /// `gateway4` or `gateway6`, which a pool's gateway replaces.
    pub gateway: Option<Text<'a>>,
    /// Where `ipAddrs` stands, if it has any.
    pub addresses: Option<Span>,
    /// Keys that no version of CAPV knows.
    pub unknown: Box<[Text<'a>]>,
}

/// A boolean of a NIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its value; `None` for what is no boolean, such as a placeholder.
    pub on: Option<bool>,
    /// Where it stands.
    pub span: Span,
}

/// One element of a NIC's `addressesFromPools`.
#[derive(Clone, Debug)]
pub struct NicPool<'a> {
    /// The pool's API group.
    pub group: Option<Text<'a>>,
    /// The pool's kind.
    pub kind: Option<Text<'a>>,
    /// The pool's name.
    pub name: Option<Text<'a>>,
    /// Where the element stands.
    pub span: Span,
}

/// The label by which the adapter finds the pool (spectro adapter `pkg/ipam/ipam.go`).
pub const POOL_LABEL: &str = "cluster.x-k8s.io/ip-pool-name";
/// The label by which it selects pools of a group.
pub const GROUP_LABEL: &str = "cluster.x-k8s.io/ip-pool-group";
/// The label of pools, and by which it selects them, for a vSphere network.
pub const NETWORK_LABEL: &str = "cluster.x-k8s.io/network-name";

/// The keys of a NIC in all versions of CAPV up to v1beta2 (`api/govmomi/v1beta2/types.go`).
const NIC_KEYS: [&str; 16] = [
    "networkName",
    "deviceName",
    "dhcp4",
    "dhcp6",
    "gateway4",
    "gateway6",
    "ipAddrs",
    "mtu",
    "macAddr",
    "nameservers",
    "routes",
    "searchDomains",
    "addressesFromPools",
    "dhcp4Overrides",
    "dhcp6Overrides",
    "skipIPAllocation",
];

impl<'a> Template<'a> {
    pub(super) fn read(at: Cursor<'_, 'a>) -> Self {
        let body = at.at(&["spec", "template", "spec"]);
        let devices = body.and_then(|body| body.at(&["network", "devices"]));
        let label = |key| at.at(&["metadata", "labels", key]).and_then(Cursor::text);
        Template {
            nics: devices.into_iter().flat_map(Cursor::items).map(Nic::read).collect(),
            pool_label: label(POOL_LABEL),
            selector: label(GROUP_LABEL).or_else(|| label(NETWORK_LABEL)),
            machine_label: at
                .at(&["spec", "template", "metadata", "labels", POOL_LABEL])
                .and_then(Cursor::text),
            preferred_cidr: body
                .and_then(|body| body.at(&["network", "preferredAPIServerCidr"]))
                .and_then(Cursor::text)
                .filter(|text| !text.value.is_empty()),
            span: devices.or(body).unwrap_or(at).span(),
        }
    }
}

impl<'a> Nic<'a> {
    fn read(at: Cursor<'_, 'a>) -> Self {
        let pools = at.get("addressesFromPools").into_iter().flat_map(Cursor::items);
        let flag = |key| {
            at.get(key).map(|at| Flag {
                on: at.bool(),
                span: at.span(),
            })
        };
        let (dhcp4, dhcp6) = (flag("dhcp4"), flag("dhcp6"));
        let unknown = at.entries().filter_map(|(key, _)| key.text()).filter(|key| {
            let known = NIC_KEYS.contains(&&*key.value) || key.value == "<<";
            !known && !super::is_placeholder(&key.value)
        });
        Nic {
            node: at.node,
            span: at.span(),
            network: at.text_of("networkName"),
            dhcp: [dhcp4, dhcp6].into_iter().flatten().any(|flag| flag.on == Some(true)),
            dhcp4,
            dhcp6,
            nameservers: at
                .get("nameservers")
                .into_iter()
                .flat_map(Cursor::items)
                .filter_map(Cursor::text)
                .collect(),
            skips_allocation: at.get("skipIPAllocation").and_then(Cursor::bool) == Some(true),
            pools: pools
                .map(|pool| NicPool {
                    group: pool.text_of("apiGroup"),
                    kind: pool.text_of("kind"),
                    name: pool.text_of("name"),
                    span: pool.span(),
                })
                .collect(),
            gateway: at.text_of("gateway4").or_else(|| at.text_of("gateway6")),
            addresses: at
                .get("ipAddrs")
                .filter(|list| list.items().next().is_some())
                .map(Cursor::span),
            unknown: unknown.collect(),
        }
    }
}
