//! What the function says about itself: the documentation object of the function SDKs, and the KRMFunctionDefinition with the schema of its configuration.

use serde_json::{Value, json};

use crate::addressing::schema::open_api_schema;
use crate::addressing::{API_VERSION, KIND};

const SHORT: &str = "Give the nodes of Cluster API vSphere clusters predefined IP addresses";
const LONG: &str = "\
Writes IP pools into the manifests of Cluster API vSphere (CAPV) clusters, turns DHCP off in the chosen templates, labels \
them or writes `addressesFromPools`, and removes kube-vip where an external load balancer carries the control plane's \
address. Templates are found by reference, never by name. Nothing else changes.

The configuration is a StaticAddressing, or a ConfigMap whose data has the flags' names. `verb: check` makes it a \
validator, `verb: plan` adds the address plan, `verb: backends` the load balancer's member lists, and `verb: pools` writes \
the pools alone, as a generator.
";
const EXAMPLES: &str = "\
```yaml
apiVersion: capv-ipam.dev/v1alpha1
kind: StaticAddressing
metadata:
  name: demo
spec:
  pools:
  - machines: [control-plane]
    addresses: [192.0.2.10-192.0.2.14]
    prefix: 24
    gateway: 192.0.2.1
  kubeVip: remove
```
";
const IMAGE: &str = concat!("capv-ipam:v", env!("CARGO_PKG_VERSION"));
const LICENCE: &str = env!("CARGO_PKG_LICENSE");

/// The documentation object, as `--doc` of the function SDKs prints it.
#[must_use]
pub fn doc() -> Value {
    json!({
        "short": SHORT,
        "long": LONG,
        "examples": EXAMPLES,
        "image": IMAGE,
        "description": SHORT,
        "tags": ["mutator", "validator", "generator"],
        "sourceURL": "",
        "examplePackageURLs": [],
        "license": LICENCE,
        "hidden": false,
    })
}

/// The KRMFunctionDefinition.
#[must_use]
pub fn schema() -> Value {
    let (group, version) = API_VERSION.split_once('/').unwrap_or((API_VERSION, ""));
    json!({
        "apiVersion": "config.kubernetes.io/v1alpha1",
        "kind": "KRMFunctionDefinition",
        "metadata": {"name": format!("{}.{group}", KIND.to_lowercase())},
        "spec": {
            "group": group,
            "names": {"kind": KIND},
            "description": SHORT,
            "publisher": "capv-ipam",
            "maintainers": ["capv-ipam"],
            "tags": ["mutator", "validator", "generator"],
            "versions": [{
                "name": version,
                "schema": {"openAPIV3Schema": open_api_schema()},
                "idempotent": true,
                "usage": LONG,
                "examples": [EXAMPLES],
                "license": LICENCE,
                "maintainers": ["capv-ipam"],
                "runtime": {"container": {"image": IMAGE}, "exec": {"platforms": []}},
            }],
        },
    })
}
