//! Takes pools with the groups that draw from them and tells who else is near: a control plane among other groups, machines on DHCP in the same network.

use super::codes;
use super::finding::Finding;
use super::model::{JudgedPool, Model, Origin};
use crate::addressing::listed;
use crate::objects::Role;

/// Findings about groups that share a pool or its network.
pub(super) fn sharing(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for pool in model.pools.iter().filter(|pool| model.concerns_pool(pool)) {
        shared(model, pool, findings);
        dhcp_beside(model, pool, findings);
    }
}

/// Workers claim before the second control-plane machine, so the order of a shared pool is not fixed (seen with the real controllers).
fn shared(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    let groups = || pool.users.iter().map(|(user, _)| &model.groups.all[*user]);
    let Some(control_plane) = groups().find(|group| group.role == Role::ControlPlane) else {
        return;
    };
    let others = listed(
        groups()
            .filter(|group| group.name != control_plane.name || group.role != control_plane.role)
            .map(ToString::to_string),
    );
    if others.is_empty() {
        return;
    }
    let message = format!(
        "{} serves {control_plane} and also {others}: which addresses the control plane gets is not fixed",
        pool.title
    );
    let help = "a pool of its own makes the list of the control plane's addresses exact";
    findings.push(at_machines(
        model,
        pool,
        model.pool_finding(pool, None, &codes::POOL_SHARED, message, help),
    ));
}

/// A wanted pool's machines stand at their own key.
fn at_machines(model: &Model<'_, '_>, pool: &JudgedPool, finding: Finding) -> Finding {
    match pool.origin {
        Origin::Wanted { document, pool } => Finding {
            place: model.documents[document].place_of_pool(pool, "machines"),
            ..finding
        },
        _ => finding,
    }
}

/// Groups of the same cluster that keep DHCP on a network that the pool serves.
fn dhcp_beside(model: &Model<'_, '_>, pool: &JudgedPool, findings: &mut Vec<Finding>) {
    let mut served: Vec<(Option<usize>, &str)> = Vec::new();
    for (user, _) in &pool.users {
        let Some((_, template)) = model.template_of(*user) else {
            continue;
        };
        for taken in model.taken(*user).filter(|taken| taken.pool.object == pool.object) {
            let network = template.nics[taken.device].network.as_ref();
            served.extend(network.map(|network| (model.groups.all[*user].cluster, &*network.value)));
        }
    }
    served.sort_unstable();
    served.dedup();
    let Some((first, network)) = served.first().copied() else {
        return;
    };
    let on_dhcp = |group: &usize| {
        let cluster = model.groups.all[*group].cluster;
        model.template_of(*group).is_some_and(|(index, template)| {
            let after = model.after.template(index, template);
            template.nics.iter().zip(&after.nics).any(|(nic, after)| {
                let name = nic.network.as_ref().map(|network| &*network.value);
                after.dhcp() == Some(true)
                    && after.pools.is_empty()
                    && name.is_some_and(|name| served.contains(&(cluster, name)))
            })
        })
    };
    let near: Vec<usize> = match first {
        Some(cluster) => model.groups_of(cluster).iter().copied().filter(on_dhcp).collect(),
        None => (0..model.groups.all.len()).filter(on_dhcp).collect(),
    };
    if near.is_empty() {
        return;
    }
    let names = listed(near.iter().map(|group| model.groups.all[*group].to_string()));
    let stays = if near.len() == 1 { "stays" } else { "stay" };
    let message = format!(
        "{names} {stays} on DHCP in the network {network}, which {} serves",
        pool.title
    );
    let help = "take the pool's addresses out of the DHCP server's range";
    findings.push(model.pool_finding(pool, None, &codes::DHCP_BESIDE_POOL, message, help));
}
