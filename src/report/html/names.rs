//! Takes subnets, groups and clusters of the plan and gives what they are called on the page.

use crate::addressing::listed;
use crate::planning::{ClusterPlan, PoolUser, SubnetPlan};

/// What a subnet is called.
pub(super) fn title(subnet: &SubnetPlan) -> String {
    let ranges = || subnet.pools.iter().flat_map(|pool| pool.ranges.iter().cloned());
    match (&subnet.cidr, subnet.pools.is_empty()) {
        (Some(cidr), _) => cidr.clone(),
        (None, false) => format!("subnet of {}", listed(ranges())),
        (None, true) => format!("network {}", listed(subnet.networks.iter().cloned())),
    }
}

/// What the machines of a group are, with their cluster.
pub(super) fn machines_of(group: &PoolUser) -> String {
    let what = match &*group.kind {
        "MachineDeployment" | "MachineSet" => "workers",
        kind if kind.ends_with("ControlPlane") => "control plane",
        kind if kind.starts_with("Etcd") => "etcd machines",
        _ => "machines",
    };
    let cluster = group.cluster.as_ref().map(|name| format!(" of {name}"));
    format!("{what}{}", cluster.unwrap_or_default())
}

/// A group with its cluster, in words and by its name in the manifest.
pub(super) fn group_name(group: &PoolUser) -> String {
    format!("{} ({}/{})", machines_of(group), group.kind, group.name)
}

/// The endpoint of a cluster as it is written.
pub(super) fn endpoint_text(cluster: &ClusterPlan) -> Option<String> {
    let endpoint = cluster.endpoint.as_ref()?;
    let host = &endpoint.host;
    Some(match endpoint.port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.clone(),
    })
}

/// A cluster by its name.
pub(super) fn cluster_name(cluster: &ClusterPlan) -> &str {
    cluster.name.as_deref().unwrap_or("unnamed cluster")
}
