//! Takes an address plan and a configuration and gives the part of the plan that is about the configuration's cluster; a cluster that is not there is a finding.

use crate::addressing::{ClusterName, ConfigDocument, Verb, listed};
use crate::check::{Finding, codes};
use crate::objects::{Detail, Manifest, Object};
use crate::planning::AddressPlan;

/// The plan of the cluster that the configuration names; the whole plan where it names none.
pub(super) fn narrow(
    mut plan: AddressPlan,
    manifest: &Manifest<'_>,
    config: &ConfigDocument<'_>,
) -> Result<AddressPlan, Box<Finding>> {
    let Some(text) = config.config.spec.cluster.as_deref() else {
        return Ok(plan);
    };
    let wanted = ClusterName::read(text);
    let clusters = || {
        let objects = manifest.objects.iter();
        objects.filter(|object| matches!(object.detail, Detail::Cluster(_)))
    };
    // The names that they have now: kustomize may have given them others since the configuration was written.
    let meant: Vec<&Object<'_>> = clusters().filter(|object| wanted.means(object)).collect();
    let kept = |namespace: Option<&str>, name: Option<&str>| {
        let named = |name: &str| {
            let present = meant.iter();
            let mut present = present.filter(|object| object.name() == name && object.namespace() == namespace);
            present.next().is_some() || (clusters().next().is_none() && wanted.is(namespace, name))
        };
        // Groups that say nothing about their cluster are of the one that the configuration names.
        name.map_or(clusters().next().is_none(), named)
    };
    let names = plan.clusters.iter().filter_map(|cluster| cluster.name.clone());
    let names = listed(names.collect::<Vec<_>>().into_iter());
    plan.clusters
        .retain(|cluster| kept(cluster.namespace.as_deref(), cluster.name.as_deref()));
    if plan.clusters.is_empty() && meant.is_empty() {
        let code = match config.config.spec.verb {
            Verb::Backends => &codes::BACKENDS_NO_GROUP,
            _ => &codes::CLUSTER_CHOICE,
        };
        let finding = Finding::new(code, format!("the items have no cluster {text} with static addresses"));
        let help = if names.is_empty() {
            "no other cluster has any either; give a cluster a pool first".to_owned()
        } else {
            format!("correct `cluster`; those with static addresses are {names}")
        };
        return Err(Box::new(Finding {
            place: config.place_of_key("cluster"),
            ..finding.help(help)
        }));
    }
    plan.subnets.retain(|subnet| {
        let mut pools = subnet.pools.iter().flat_map(|pool| &pool.groups);
        let mut users = subnet.dhcp.iter().map(|user| &user.group);
        let mut endpoints = subnet.endpoints.iter();
        pools.any(|group| kept(group.namespace.as_deref(), group.cluster.as_deref()))
            || users.any(|group| kept(group.namespace.as_deref(), group.cluster.as_deref()))
            || endpoints.any(|endpoint| kept(endpoint.namespace.as_deref(), Some(&endpoint.cluster)))
    });
    Ok(plan)
}
