//! The configuration object StaticAddressing as a structure: what may be written and the defaults; its rules stand in `validation`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::mapping::{mapping, mapping_or_null};
use crate::check::Severity;
use crate::objects::PoolKind;

/// The API version of the configuration.
pub const API_VERSION: &str = "capv-ipam.dev/v1alpha1";
/// Its kind.
pub const KIND: &str = "StaticAddressing";

/// What is wanted for one cluster.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StaticAddressing {
    /// `capv-ipam.dev/v1alpha1`.
    #[cfg_attr(feature = "cli", schemars(extend("const" = API_VERSION)))]
    pub api_version: String,
    /// `StaticAddressing`.
    #[cfg_attr(feature = "cli", schemars(extend("const" = KIND)))]
    pub kind: String,
    /// Its name is free; other metadata is for the tools that carry the file.
    #[serde(default)]
    #[cfg_attr(feature = "cli", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub metadata: serde_json::Value,
    /// The wishes.
    #[serde(deserialize_with = "mapping")]
    pub spec: Spec,
}

/// The wishes for one cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Spec {
    /// The Cluster's name; needed when the manifest has several.
    pub cluster: Option<String>,
    /// How machines find their pool.
    pub binding: Binding,
    /// The kind of the pools that are written.
    pub pool_kind: PoolKindConfig,
    /// The pools and the machines that they serve.
    pub pools: Vec<PoolConfig>,
    /// What happens to kube-vip.
    pub kube_vip: KubeVip,
    /// Addresses wanted beyond replicas and surge.
    #[cfg_attr(feature = "cli", schemars(range(min = 0, max = 4_294_967_295_u32)))]
    pub headroom: u32,
    /// How the load balancer's member lists are made; nothing said about them without it.
    #[serde(deserialize_with = "mapping_or_null")]
    pub backends: Option<Backends>,
    /// Whether an edited copy of each chosen template is used under a new name.
    pub rename_templates: bool,
    /// Findings that are lowered or accepted.
    pub accept: Vec<Acceptance>,
    /// What a KRM function does with this configuration.
    pub verb: Verb,
}

/// How machines find their pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Binding {
    /// A label on the template, served by the adapter role.
    #[default]
    Label,
    /// `addressesFromPools` on the NIC; CAPV 1.5 and later claims by itself.
    AddressesFromPools,
}

/// The kind of the pools that are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum PoolKindConfig {
    /// metal3's IPPool.
    #[default]
    IPPool,
    /// The in-cluster provider's InClusterIPPool, with `addressesFromPools`.
    InClusterIPPool,
}

impl From<PoolKindConfig> for PoolKind {
    fn from(kind: PoolKindConfig) -> Self {
        match kind {
            PoolKindConfig::IPPool => PoolKind::IPPool,
            PoolKindConfig::InClusterIPPool => PoolKind::InClusterIPPool,
        }
    }
}

/// A pool and the machines that it serves.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(extend("required" = ["machines", "addresses", "prefix"])))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct PoolConfig {
    /// The pool's name; `<cluster>-<selector>-pool` by default.
    pub name: Option<String>,
    /// Selectors: control-plane, workers, all, KIND/NAME, template/NAME.
    pub machines: Vec<String>,
    /// The networkName of the NICs; the template's only NIC by default.
    pub network: Option<String>,
    /// Ranges, CIDRs and single addresses.
    pub addresses: Vec<String>,
    /// The length of the network's prefix in bits.
    #[cfg_attr(feature = "cli", schemars(range(min = 0, max = 128)))]
    pub prefix: Option<u8>,
    /// The default gateway.
    pub gateway: Option<String>,
    /// Name servers.
    pub dns_servers: Vec<String>,
    /// DNS search domains.
    pub search_domains: Vec<String>,
    /// What address objects are called before the address; the pool's name by default.
    pub name_prefix: Option<String>,
    /// Addresses for claims that are known by name.
    pub pre_allocations: BTreeMap<String, String>,
}

/// What happens to kube-vip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum KubeVip {
    /// It stays.
    #[default]
    Keep,
    /// It is removed as a set: an external load balancer carries the VIP.
    Remove,
}

/// How the load balancer's member lists are made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Backends {
    /// The members' port, 1 to 65535.
    #[cfg_attr(feature = "cli", schemars(range(min = 1, max = 65535)))]
    pub port: u16,
    /// The F5 partition.
    pub partition: String,
    /// Which addresses become members.
    pub members: Members,
    /// The networkName of the NICs that become members; needed when several fit.
    pub members_network: Option<String>,
    /// The F5 route domain, 0 to 65534.
    #[cfg_attr(feature = "cli", schemars(range(min = 0, max = 65534)))]
    pub route_domain: Option<u16>,
    /// How nodes are called.
    pub node_name: Option<String>,
    /// How the API is checked; `readyz` by default.
    pub monitor: Option<String>,
    /// Further services beside the API.
    pub services: Vec<Service>,
    /// Formats that a KRM function adds.
    #[cfg_attr(feature = "cli", schemars(schema_with = "super::schema::formats"))]
    pub outputs: Vec<String>,
}

impl Default for Backends {
    fn default() -> Self {
        Backends {
            port: 6443,
            partition: "Common".to_owned(),
            members: Members::Surge,
            members_network: None,
            route_domain: None,
            node_name: None,
            monitor: None,
            services: Vec::new(),
            outputs: Vec::new(),
        }
    }
}

/// Which addresses become members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Members {
    /// One for each replica.
    Replicas,
    /// Those that replicas and surge can hold.
    #[default]
    Surge,
    /// The whole pool.
    Pool,
}

/// A further service that the load balancer carries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Selectors of the groups behind it.
    pub groups: Vec<String>,
    /// Its port.
    #[cfg_attr(feature = "cli", schemars(range(min = 1, max = 65535)))]
    pub port: u16,
    /// How members are checked.
    #[serde(default)]
    pub monitor: Option<String>,
}

/// A finding that is known and lowered or accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Acceptance {
    /// The finding's code.
    pub code: String,
    /// The object, as KIND/NAME or NAME; every object without one.
    #[serde(default)]
    pub object: Option<String>,
    /// Why.
    pub reason: String,
    /// The severity that it gets; without one it is not reported.
    #[serde(default)]
    pub severity: Option<Severity>,
}

impl Acceptance {
    /// Whether it accepts a finding about load balancers.
    #[must_use]
    pub fn is_of_backends(&self) -> bool {
        self.code.to_ascii_uppercase().starts_with("CI6")
    }
}

impl fmt::Display for Acceptance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.code)?;
        self.object.iter().try_for_each(|object| write!(out, " for {object}"))
    }
}

/// What a KRM function does with the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Edit the manifest.
    #[default]
    Transform,
    /// Report findings only.
    Check,
    /// Add the address plan.
    Plan,
    /// Add the load balancer's member lists.
    Backends,
    /// Write the pools alone, from nothing but the configuration.
    Pools,
}

impl StaticAddressing {
    /// Whether it wants anything of a manifest to change.
    #[must_use]
    pub fn asks_for_edits(&self) -> bool {
        !self.spec.pools.is_empty() || self.spec.kube_vip == KubeVip::Remove
    }
}
