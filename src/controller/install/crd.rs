//! Gives the CustomResourceDefinitions of metal3's three kinds: the forms of `api::metal3` with metal3's own validation, in
//! our own words; never reads one.

use serde_json::{Map, Value, json};

use crate::api::metal3;

/// An IPv4 or IPv6 address; IPv6 in any spelling but the one with a dotted end (metal3 `common_types.go`).
pub(super) const IP: &str = r"((^((([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])\.){3}([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))$)|(^(([0-9a-fA-F]{1,4}:){7,7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:))$))";
/// A network of either family.
const NETWORK: &str = r"((^((([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])\.){3}([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))/([0-9]|[1-2][0-9]|3[0-2])$)|(^(([0-9a-fA-F]{1,4}:){7,7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:))/([0-9]|[0-9][0-9]|1[0-1][0-9]|12[0-8])$))";

/// The three definitions.
pub(super) fn all() -> Vec<Value> {
    vec![
        definition(
            metal3::POOL_KIND,
            ("ippools", "ippool", "ipp"),
            "cluster-api",
            &[
                ("Cluster", "string", r".metadata.labels.cluster\.x-k8s\.io/cluster-name"),
                AGE,
            ],
            &schema("A pool of addresses", &pool_spec(), Some(&pool_status())),
        ),
        definition(
            metal3::CLAIM_KIND,
            ("ipclaims", "ipclaim", "ipc"),
            "cluster-api",
            &[AGE],
            &schema("A wish for one address of a pool", &claim_spec(), Some(&claim_status())),
        ),
        definition(
            metal3::ADDRESS_KIND,
            ("ipaddresses", "ipaddress", "ipa"),
            "metal3",
            &[AGE],
            &schema("An address that is given out or reserved", &address_spec(), None),
        ),
    ]
}

const AGE: (&str, &str, &str) = ("Age", "date", ".metadata.creationTimestamp");

fn definition(
    kind: &str,
    (plural, singular, short): (&str, &str, &str),
    category: &str,
    columns: &[(&str, &str, &str)],
    schema: &Value,
) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, kind, path)| json!({"name": name, "type": kind, "jsonPath": path}))
        .collect();
    let has_status = schema["properties"].get("status").is_some();
    // clusterctl moves objects of labelled definitions only, and of these what belongs to a Cluster, unless it is told
    // otherwise: a pool that several Clusters share, and an address that is reserved by hand, must not stay behind.
    let moved = if kind == metal3::POOL_KIND {
        "move-hierarchy"
    } else {
        "move"
    };
    let mut labels = json!({
        // Cluster API finds the version of a contract by these; the values are metal3's.
        "cluster.x-k8s.io/provider": "ipam-metal3",
        "cluster.x-k8s.io/v1alpha2": "v1alpha2",
        "cluster.x-k8s.io/v1alpha3": "v1alpha3_v1alpha4",
        "cluster.x-k8s.io/v1alpha4": "v1alpha5",
        "cluster.x-k8s.io/v1beta1": "v1beta1",
        "clusterctl.cluster.x-k8s.io": "",
    });
    labels[format!("clusterctl.cluster.x-k8s.io/{moved}")] = json!("");
    let subresources = if has_status { json!({"status": {}}) } else { json!({}) };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{}", metal3::GROUP),
            "labels": labels,
        },
        "spec": {
            "group": metal3::GROUP,
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": singular,
                "shortNames": [
                    short, singular, format!("m3{short}"), format!("m3{singular}"), format!("m3{plural}"),
                    format!("metal3{short}"), format!("metal3{singular}"), format!("metal3{plural}"),
                ],
                "categories": [category],
            },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "additionalPrinterColumns": columns,
                "subresources": subresources,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}

fn schema(description: &str, spec: &Value, status: Option<&Value>) -> Value {
    let mut properties = json!({
        "apiVersion": text("Group and version of this form of the object"),
        "kind": text("The kind"),
        "metadata": {"type": "object"},
        "spec": spec,
    });
    if let Some(status) = status {
        properties["status"] = status.clone();
    }
    json!({"type": "object", "description": description, "properties": properties})
}

fn pool_spec() -> Value {
    let mut spec = object(
        "What the pool gives out",
        &[
            ("clusterName", text("The Cluster that owns the pool")),
            ("pools", list("The entries, used up in this order", &entry())),
            (
                "allocationStrategy",
                json!({
                    "type": "string", "default": "sequential", "enum": ["sequential", "random"],
                    "description": "Which free address of an entry is given: the lowest, or one by chance. An entry is used up \
                                    before the next one under both.",
                }),
            ),
            (
                "preAllocations",
                map("Claim name to the address that only this claim gets"),
            ),
            ("prefix", prefix("Prefix length in bits of every address")),
            ("gateway", ip("Gateway of every address")),
            ("dnsServers", list("DNS servers of every address", &ip("A DNS server"))),
            (
                "namePrefix",
                json!({"type": "string", "minLength": 1, "description": "First part of the names of the address objects"}),
            ),
        ],
    );
    spec["required"] = json!(["namePrefix"]);
    spec
}

fn entry() -> Value {
    object(
        "A range of addresses, and what is special about it",
        &[
            ("start", ip("Lowest address")),
            ("end", ip("Highest address")),
            (
                "subnet",
                json!({
                    "type": "string", "pattern": NETWORK,
                    "description": "Network that the addresses lie in; without start they begin after its first address",
                }),
            ),
            ("prefix", prefix("Prefix length in bits, instead of the pool's")),
            ("gateway", ip("Gateway, instead of the pool's")),
            (
                "dnsServers",
                list("DNS servers, instead of the pool's", &ip("A DNS server")),
            ),
        ],
    )
}

fn pool_status() -> Value {
    let time = json!({"type": "string", "format": "date-time", "description": "When indexes changed last"});
    object(
        "What is given out",
        &[
            ("lastUpdated", time),
            ("indexes", map("Claim name to the address that is decided for it")),
        ],
    )
}

fn claim_spec() -> Value {
    let mut spec = object(
        "What is wanted",
        &[("pool", reference("The pool, by name, in the claim's namespace"))],
    );
    spec["required"] = json!(["pool"]);
    spec
}

fn claim_status() -> Value {
    object(
        "What came of it",
        &[
            ("address", reference("The address object")),
            ("errorMessage", text("Why there is none")),
        ],
    )
}

fn address_spec() -> Value {
    let mut spec = object(
        "Who has which address",
        &[
            ("claim", reference("The claim that holds it")),
            ("pool", reference("The pool that it comes from")),
            ("prefix", prefix("Prefix length in bits")),
            ("gateway", ip("Gateway")),
            ("address", ip("The address")),
            ("dnsServers", list("DNS servers", &ip("A DNS server"))),
        ],
    );
    spec["required"] = json!(["address", "claim", "pool"]);
    spec
}

fn object(description: &str, properties: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = properties
        .iter()
        .map(|(name, property)| ((*name).to_owned(), property.clone()))
        .collect();
    json!({"type": "object", "description": description, "properties": properties})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn ip(description: &str) -> Value {
    json!({"type": "string", "pattern": IP, "description": description})
}

fn prefix(description: &str) -> Value {
    json!({"type": "integer", "maximum": 128, "description": description})
}

fn list(description: &str, items: &Value) -> Value {
    json!({"type": "array", "items": items, "description": description})
}

fn map(description: &str) -> Value {
    json!({"type": "object", "additionalProperties": ip("An address"), "description": description})
}

/// A reference in Kubernetes' core form; only name and namespace of it are ever used.
fn reference(description: &str) -> Value {
    let members = [
        "apiVersion",
        "fieldPath",
        "kind",
        "name",
        "namespace",
        "resourceVersion",
        "uid",
    ];
    let members: Vec<(&str, Value)> = members.iter().map(|name| (*name, json!({"type": "string"}))).collect();
    let mut reference = object(description, &members);
    reference["x-kubernetes-map-type"] = json!("atomic");
    reference
}
