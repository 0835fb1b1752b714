//! Gives the webhook configurations, with metal3's names and paths; the controller fills in what is to be trusted.

use serde_json::{Value, json};

use super::{Install, NAME};
use crate::api::metal3;

/// Name of the Service that leads to the webhooks.
pub(super) const SERVICE: &str = "capv-ipam-webhook";
/// The Secret with the certificate.
const SECRET: &str = "capv-ipam-webhook-certificate";

/// Service, rights and both configurations.
pub(super) fn all(install: &Install) -> Vec<Value> {
    vec![
        service(install),
        role(install),
        role_binding(install),
        cluster_role(install),
        cluster_role_binding(install),
        configuration(install, "MutatingWebhookConfiguration", "default", "mutate"),
        configuration(install, "ValidatingWebhookConfiguration", "validation", "validate"),
    ]
}

fn service(install: &Install) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": install.metadata(SERVICE, true),
        "spec": {
            "selector": {"app.kubernetes.io/name": NAME},
            "ports": [{"name": "webhook", "port": 443, "targetPort": 9443, "protocol": "TCP"}],
        },
    })
}

fn role(install: &Install) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": install.metadata(&format!("{NAME}-webhook"), true),
        "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET], "verbs": ["get", "update"]},
        ],
    })
}

fn role_binding(install: &Install) -> Value {
    let name = format!("{NAME}-webhook");
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": install.metadata(&name, true),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": install.namespace}],
    })
}

fn cluster_role(install: &Install) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": install.metadata(&format!("{NAME}-webhook"), false),
        "rules": [{
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "resourceNames": [NAME],
            "verbs": ["get", "patch"],
        }],
    })
}

fn cluster_role_binding(install: &Install) -> Value {
    let name = format!("{NAME}-webhook");
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": install.metadata(&name, false),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": install.namespace}],
    })
}

fn configuration(install: &Install, kind: &str, name: &str, path: &str) -> Value {
    let hooks = [
        ("ippool", "ippools"),
        ("ipclaim", "ipclaims"),
        ("ipaddress", "ipaddresses"),
    ]
    .map(|(singular, plural)| {
        json!({
            "name": format!("{name}.{singular}.{}", metal3::GROUP),
            "clientConfig": {"service": {
                "name": SERVICE, "namespace": install.namespace, "port": 443,
                "path": format!("/{path}-ipam-metal3-io-v1alpha1-{singular}"),
            }},
            "rules": [{
                "apiGroups": [metal3::GROUP], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"],
                "resources": [plural],
            }],
            "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1", "v1beta1"],
        })
    });
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": install.metadata(NAME, false),
        "webhooks": hooks,
    })
}
