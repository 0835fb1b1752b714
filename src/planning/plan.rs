//! The address plan as data, with the field names that its readers rely on; computes nothing.

use serde::{Deserialize, Serialize};

use super::step_plan::StepPlan;
use super::subnet::SubnetPlan;

/// What `plan -o yaml|json` prints and what later verbs read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressPlan {
    /// `capv-ipam.dev/v1alpha1`.
    pub api_version: String,
    /// `AddressPlan`.
    pub kind: String,
    /// The clusters, in the order of the manifest.
    pub clusters: Vec<ClusterPlan>,
    /// What lies where in the subnets of all pools; missing in plans of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<SubnetPlan>,
    /// What holds after each event that was asked for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepPlan>,
    /// What there is to say about the manifest, as reports give it.
    #[serde(default)]
    pub findings: Vec<serde_json::Value>,
}

/// The addresses of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPlan {
    /// The Cluster's name; missing for groups that say nothing about their cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its namespace, where the manifest gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Where the API is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The machine groups with static addresses.
    pub groups: Vec<GroupPlan>,
    /// Their pools.
    pub pools: Vec<PoolPlan>,
}

/// A control-plane endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address or host name.
    pub host: String,
    /// 1 to 65535; missing while it is a placeholder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A port that is none, as the manifest writes it; a saved plan has none.
    #[serde(skip)]
    pub no_port: Option<String>,
}

/// The addresses of one machine group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupPlan {
    /// The group's kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `control-plane`, `worker` or `etcd`.
    pub role: String,
    /// The template of its machines.
    pub template: String,
    /// What its machines will be called; `<random>` stands for characters that are not known before a machine exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_name: Option<String>,
    /// Replicas, or the autoscaler's maximum; missing while unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// What a roll-out adds; missing while unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surge: Option<u32>,
    /// Whether each replica's address is known, or only the set.
    pub certainty: Certainty,
    /// Why it is not exact, and what would make it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The places of the group; none while its size is unknown.
    pub slots: Vec<SlotPlan>,
    /// All addresses that the group may hold: singly up to 256, then as ranges.
    pub addresses: Vec<String>,
}

/// One place of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotPlan {
    /// Its name, counted from 1.
    pub name: String,
    /// Replica or surge.
    pub kind: SlotKind,
    /// The machine that is in it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// One element for each static NIC and pool.
    pub nics: Vec<NicPlan>,
}

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotKind {
    /// A machine that is there all the time.
    Replica,
    /// A machine that a roll-out adds for a while.
    Surge,
}

/// Whether an address is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// This address, in the order in which the machines are made.
    Exact,
    /// One of the group's addresses.
    Set,
}

/// The address of one NIC from one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NicPlan {
    /// The NIC's index in `network.devices`, from 0.
    pub device: usize,
    /// Its networkName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// `IPv4` or `IPv6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The pool.
    pub pool: PoolReference,
    /// Whether the address is known.
    pub certainty: Certainty,
    /// The address, when it is exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The prefix length in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<i64>,
    /// The gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Name servers, of the pool under label binding, else of the NIC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_servers: Vec<String>,
    /// What the claim will be called; `<machine>` stands for a name that is not known before the machine exists.
    pub claim: String,
    /// What the address object will be called, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_object: Option<String>,
}

/// A pool by its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolReference {
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// Its namespace, where the manifest gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl PoolReference {
    /// Whether it is the same pool; a missing namespace on either side is filled in later, by `kubectl -n`.
    pub(super) fn is(&self, other: &Self) -> bool {
        let one_namespace = match (&self.namespace, &other.namespace) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        self.kind == other.kind && self.name == other.name && one_namespace
    }
}

/// How a pool is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolPlan {
    /// The pool.
    #[serde(flatten)]
    pub pool: PoolReference,
    /// All addresses that it can give, as ranges; none when it is not in the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// How many addresses it can give; missing when it is not in the manifest. Above 2^53 the number is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Replicas and surge of all its groups, times their NICs; missing while a size is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<u64>,
    /// What others hold of it, or keep reserved, as ranges; only known from live objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<String>,
    /// What is left; 0 when it is too small.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<Size>,
}

/// A number of addresses; an IPv6 pool has more than JSON numbers hold exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Size {
    /// Up to 2^53.
    Number(u64),
    /// More, in decimal.
    Text(String),
}

impl From<u128> for Size {
    fn from(size: u128) -> Self {
        match u64::try_from(size) {
            Ok(number) if number <= 1 << 53 => Size::Number(number),
            _ => Size::Text(size.to_string()),
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Size::Number(number) => number.fmt(out),
            Size::Text(text) => text.fmt(out),
        }
    }
}
