//! Takes a Cluster in any served version, gives what addressing looks at; never keeps the rest.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::PAUSED;

/// What is kept of a Cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Cluster {
    pub(in super::super) api_version: String,
    pub(in super::super) uid: String,
    pub(in super::super) paused: bool,
    /// Whether its control plane has come up once.
    pub(in super::super) initialized: bool,
    /// `ip-pool-namespace`: only so that it can be refused by name.
    pub(in super::super) annotations: BTreeMap<String, String>,
}

impl Cluster {
    pub(super) fn of(object: &Value) -> Self {
        let metadata = object.get("metadata");
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let annotations: BTreeMap<String, String> = metadata
            .and_then(|metadata| metadata.get("annotations"))
            .and_then(|annotations| BTreeMap::deserialize(annotations).ok())
            .unwrap_or_default();
        let is_true = |pointer: &str| object.pointer(pointer).and_then(Value::as_bool).unwrap_or_default();
        // v1beta2 has a field, and conditions in the new form; v1beta1 conditions in the old one. Both forms have type and status.
        let condition = |list: &str| {
            let conditions = object.pointer(list).and_then(Value::as_array);
            conditions.is_some_and(|conditions| {
                conditions.iter().any(|condition| {
                    condition.get("type").and_then(Value::as_str) == Some("ControlPlaneInitialized")
                        && condition.get("status").and_then(Value::as_str) == Some("True")
                })
            })
        };
        Self {
            api_version: text(object.get("apiVersion")),
            uid: text(metadata.and_then(|metadata| metadata.get("uid"))),
            paused: is_true("/spec/paused") || annotations.contains_key(PAUSED),
            initialized: is_true("/status/initialization/controlPlaneInitialized")
                || condition("/status/conditions")
                || condition("/status/v1beta2/conditions"),
            annotations: annotations
                .into_iter()
                .filter(|(key, _)| key.contains("ip-pool"))
                .collect(),
        }
    }
}
