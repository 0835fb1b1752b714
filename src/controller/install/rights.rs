//! Gives the rights that each role needs, and no more; never binds them to anybody but our own account.

use serde_json::{Value, json};

use super::{Install, NAME};
use crate::api::{capi, metal3};
use crate::controller::Role;
use crate::controller::kinds::{CLUSTER_GROUP, INFRASTRUCTURE_GROUP};

const READ: [&str; 3] = ["get", "list", "watch"];

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

/// What every role does.
fn common() -> Vec<Value> {
    vec![
        rule(CLUSTER_GROUP, &["clusters"], &READ),
        rule("", &["events"], &["create"]),
    ]
}

fn pool() -> Vec<Value> {
    let addresses = ["get", "list", "watch", "create", "patch", "delete"];
    vec![
        rule(
            metal3::GROUP,
            &["ippools", "ipclaims"],
            &["get", "list", "watch", "patch"],
        ),
        rule(metal3::GROUP, &["ippools/status", "ipclaims/status"], &["update"]),
        rule(metal3::GROUP, &["ipaddresses"], &addresses),
        rule(capi::GROUP, &["ipaddressclaims"], &["get", "list", "watch", "patch"]),
        rule(capi::GROUP, &["ipaddressclaims/status"], &["update"]),
        rule(capi::GROUP, &["ipaddresses"], &addresses),
        // Whether metal3's own manager runs.
        rule("apps", &["deployments"], &["list"]),
        // blockOwnerDeletion on an address needs these where the API server enforces it.
        rule(metal3::GROUP, &["ippools/finalizers"], &["update"]),
        rule(capi::GROUP, &["ipaddressclaims/finalizers"], &["update"]),
    ]
}

fn claiming() -> Vec<Value> {
    vec![
        rule(metal3::GROUP, &["ippools", "ipaddresses"], &READ),
        rule(
            metal3::GROUP,
            &["ipclaims"],
            &["get", "list", "watch", "create", "patch", "delete"],
        ),
    ]
}

fn of_role(role: Role) -> Vec<Value> {
    let mut rules = common();
    match role {
        Role::Pool => rules.extend(pool()),
        Role::Machine => {
            rules.extend(claiming());
            rules.push(rule(
                INFRASTRUCTURE_GROUP,
                &["vspheremachines"],
                &["get", "list", "watch", "patch"],
            ));
            rules.push(rule(INFRASTRUCTURE_GROUP, &["vspheremachinetemplates"], &READ));
        }
        Role::Endpoint => {
            rules.extend(claiming());
            rules.push(rule(
                INFRASTRUCTURE_GROUP,
                &["vsphereclusters"],
                &["get", "list", "watch", "patch"],
            ));
        }
    }
    rules
}

/// One ClusterRole for each role, bound to the account; a Role for the Lease.
pub(super) fn all(install: &Install) -> Vec<Value> {
    let account = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": install.namespace}]);
    let mut objects = Vec::new();
    for role in &install.roles {
        let name = format!("{NAME}-{}", role.name());
        objects.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": install.metadata(&name, false),
            "rules": of_role(*role),
        }));
        objects.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": install.metadata(&name, false),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": account,
        }));
    }
    objects.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": install.metadata(NAME, true),
        "rules": [
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
            {
                "apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
                "resourceNames": ["capv-ipam-controller"], "verbs": ["get", "update"],
            },
        ],
    }));
    objects.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": install.metadata(NAME, true),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME},
        "subjects": account,
    }));
    objects
}
