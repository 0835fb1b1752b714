//! Gives the Deployment and what stands around it; never an image of its own choice.

use serde_json::{Value, json};

use super::{Install, NAME};

/// Seconds for what is in hand when a pod is asked to stop.
const PARTING_SECONDS: u32 = 20;

/// Name of the Service that leads to the metrics.
const METRICS: &str = "capv-ipam-metrics";

fn selector() -> Value {
    json!({"matchLabels": {"app.kubernetes.io/name": NAME}})
}

/// Two replicas on different nodes, of which one leads.
pub(super) fn deployment(install: &Install) -> Value {
    let roles: Vec<&str> = install.roles.iter().map(|role| role.name()).collect();
    let mut pod = json!({
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": PARTING_SECONDS,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{
            "weight": 100,
            "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector()},
        }]}},
        "tolerations": [
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "node-role.kubernetes.io/master", "operator": "Exists", "effect": "NoSchedule"},
        ],
    });
    pod["containers"] = json!([{
        "name": "controller",
        "image": install.image,
        "args": [
            "controller",
            format!("--roles={}", roles.join(",")),
            format!("--webhooks={}", install.serves_webhooks()),
            "--log-format=json",
        ],
        "env": [
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        ],
        "ports": [
            {"name": "health", "containerPort": 9440, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 8080, "protocol": "TCP"},
            {"name": "webhook", "containerPort": 9443, "protocol": "TCP"},
        ],
        "livenessProbe": probe("/healthz", 20, 3),
        "readinessProbe": probe("/readyz", 10, 3),
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }]);
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": install.metadata(NAME, true),
        "spec": {
            "replicas": 2,
            "selector": selector(),
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": NAME}},
                "spec": pod,
            },
        },
    })
}

fn probe(path: &str, period: u32, failures: u32) -> Value {
    json!({"httpGet": {"path": path, "port": "health"}, "periodSeconds": period, "failureThreshold": failures})
}

/// Where the metrics are fetched.
pub(super) fn service(install: &Install) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": install.metadata(METRICS, true),
        "spec": {
            "selector": {"app.kubernetes.io/name": NAME},
            "ports": [{"name": "metrics", "port": 8080, "targetPort": "metrics", "protocol": "TCP"}],
        },
    })
}

/// A node that is emptied leaves one of the two.
pub(super) fn disruption_budget(install: &Install) -> Value {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": install.metadata(NAME, true),
        "spec": {"minAvailable": 1, "selector": selector()},
    })
}

/// For Prometheus' operator, whose kind not every cluster has.
pub(super) fn service_monitor(install: &Install) -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": install.metadata(NAME, true),
        "spec": {
            "selector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
            "namespaceSelector": {"matchNames": [install.namespace]},
            "endpoints": [{"port": "metrics"}],
        },
    })
}

/// Nobody but probes, Prometheus and the API server comes in; out goes only to the API server and DNS, whose addresses a policy cannot know.
pub(super) fn network_policy(install: &Install) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": install.metadata(NAME, true),
        "spec": {
            "podSelector": selector(),
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"port": "health", "protocol": "TCP"}, {"port": "metrics", "protocol": "TCP"}, {"port": "webhook", "protocol": "TCP"}]}],
            "egress": [{}],
        },
    })
}
