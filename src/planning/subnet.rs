//! The subnets of a plan as data: what lies where in each of them, for people who reserve addresses; computes nothing.

use serde::{Deserialize, Serialize};

use super::plan::{ClusterPlan, GroupPlan, PoolReference};

/// One subnet, or a network of which only the name is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetPlan {
    /// The subnet as `network/bits`; missing where no pool gives a prefix length, or where all machines stay on DHCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
    /// `IPv4` or `IPv6`; missing with DHCP alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The vSphere networks (`networkName`) of the NICs that are in it, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The gateways that its pools name, sorted; one, unless the pools contradict each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
    /// The name servers of the plan that lie inside it, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_servers: Vec<String>,
    /// The control-plane endpoints of all clusters that lie inside it, by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<SubnetEndpoint>,
    /// The pools of the manifest with addresses inside it, also those that no machine group draws from, by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<SubnetPool>,
    /// The machine groups with a NIC on one of its networks that DHCP serves, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dhcp: Vec<DhcpGroup>,
}

/// An endpoint by its address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubnetEndpoint {
    /// The address.
    pub address: String,
    /// 1 to 65535; missing while it is a placeholder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The Cluster that is reached there.
    pub cluster: String,
    /// Its namespace, where the manifest gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// What a pool has in a subnet, all as ranges or single addresses.
///
/// `replicas`, `surge`, `any` and `reserved` are parts of `ranges`, except a reserved address that the pool names outside
/// them; what is in no part is spare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetPool {
    /// The pool.
    #[serde(flatten)]
    pub pool: PoolReference,
    /// The machine groups that draw from it; none for a pool that nothing in the manifest uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<PoolUser>,
    /// All its addresses in the subnet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<String>,
    /// What the replicas hold before the first roll-out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<String>,
    /// What roll-outs need beyond them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub surge: Vec<String>,
    /// What machines can hold when their number is not known, or when the pool gives addresses at random.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<String>,
    /// What the pool keeps for claims that it names (`preAllocations`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<String>,
}

/// A machine group by its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolUser {
    /// Its cluster's name, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The cluster's namespace, where the manifest gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl PoolUser {
    /// The identity of a planned group.
    #[must_use]
    pub fn of(cluster: &ClusterPlan, group: &GroupPlan) -> Self {
        PoolUser {
            cluster: cluster.name.clone(),
            namespace: cluster.namespace.clone(),
            kind: group.kind.clone(),
            name: group.name.clone(),
        }
    }
}

/// A machine group that DHCP serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DhcpGroup {
    /// The group.
    #[serde(flatten)]
    pub group: PoolUser,
    /// The NIC's index in `network.devices`, from 0.
    pub device: usize,
    /// Its networkName.
    pub network: String,
}
