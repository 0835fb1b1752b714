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
    /// `nameservers`.
    pub nameservers: Box<[Text<'a>]>,
    /// `skipIPAllocation: true`: CAPV gives it no address.
    pub skips_allocation: bool,
    /// `addressesFromPools`, CAPV 1.5 and later.
    pub pools: Box<[NicPool<'a>]>,
    /// `gateway4` or `gateway6`, which a pool's gateway replaces.
    pub gateway: Option<Text<'a>>,
}

/// One element of a NIC's `addressesFromPools`.
#[derive(Clone, Debug)]
pub struct NicPool<'a> {
    /// The pool's kind.
    pub kind: Option<Text<'a>>,
    /// The pool's name.
    pub name: Option<Text<'a>>,
    /// Where the element stands.
    pub span: Span,
}

/// The label by which the adapter finds the pool (spectro adapter `pkg/ipam/ipam.go`).
pub const POOL_LABEL: &str = "cluster.x-k8s.io/ip-pool-name";

impl<'a> Template<'a> {
    pub(super) fn read(at: Cursor<'_, 'a>) -> Self {
        let body = at.at(&["spec", "template", "spec"]);
        let devices = body.and_then(|body| body.at(&["network", "devices"]));
        Template {
            nics: devices.into_iter().flat_map(Cursor::items).map(Nic::read).collect(),
            pool_label: at.at(&["metadata", "labels", POOL_LABEL]).and_then(Cursor::text),
            span: devices.or(body).unwrap_or(at).span(),
        }
    }
}

impl<'a> Nic<'a> {
    fn read(at: Cursor<'_, 'a>) -> Self {
        let pools = at.get("addressesFromPools").into_iter().flat_map(Cursor::items);
        Nic {
            node: at.node,
            span: at.span(),
            network: at.text_of("networkName"),
            dhcp: ["dhcp4", "dhcp6"]
                .iter()
                .any(|key| at.get(key).and_then(Cursor::bool) == Some(true)),
            nameservers: at
                .get("nameservers")
                .into_iter()
                .flat_map(Cursor::items)
                .filter_map(Cursor::text)
                .collect(),
            skips_allocation: at.get("skipIPAllocation").and_then(Cursor::bool) == Some(true),
            pools: pools
                .map(|pool| NicPool {
                    kind: pool.text_of("kind"),
                    name: pool.text_of("name"),
                    span: pool.span(),
                })
                .collect(),
            gateway: at.text_of("gateway4").or_else(|| at.text_of("gateway6")),
        }
    }
}
