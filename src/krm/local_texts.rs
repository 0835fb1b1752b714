//! Takes a plan, or lists that follow from it, and gives the ConfigMap that carries them beside the manifest and never reaches a cluster; it carries a mark, so that the next call replaces no other object.

use serde_json::{Map, Value, json};

use super::work::Addition;
use crate::addressing::{ClusterName, ConfigDocument};
use crate::objects::carried::LOCAL_CONFIG;
use crate::objects::is_placeholder;
use crate::planning::AddressPlan;
use crate::yaml::{Layout, emit};

/// On every ConfigMap that the function adds, with the verb that it was added for.
pub(super) const WRITTEN_BY: &str = "capv-ipam.dev/written-by-verb";

/// What a ConfigMap is called after its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Plan,
    Lists,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::Plan => "address-plan",
            What::Lists => "backends",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            What::Plan => "plan",
            What::Lists => "backends",
        }
    }
}

/// The plan as the texts of a ConfigMap.
pub(super) fn plan_texts(plan: &AddressPlan) -> Map<String, Value> {
    let text = match serde_json::to_value(plan) {
        Ok(Value::Object(map)) => emit::document(&map, Layout::default()),
        // Names and numbers only: nothing in a plan has no JSON form.
        _ => String::new(),
    };
    Map::from_iter([("plan.yaml".to_owned(), json!(text))])
}

/// Texts in a ConfigMap, so that a change of them shows in a pull request.
pub(super) fn local_texts(
    plan: &AddressPlan,
    config: &ConfigDocument<'_>,
    what: What,
    data: Map<String, Value>,
) -> Addition {
    let of = owner(plan, config).filter(|name| !is_placeholder(name));
    let name = of.map_or(what.name().to_owned(), |of| format!("{of}-{}", what.name()));
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "annotations": {LOCAL_CONFIG: "true", WRITTEN_BY: what.verb()}},
        "data": data,
    });
    Addition {
        object: object.as_object().cloned().unwrap_or_default(),
        part: "data",
    }
}

/// The cluster that the texts are about, or else the configuration: two steps of a pipeline never share a name.
fn owner(plan: &AddressPlan, config: &ConfigDocument<'_>) -> Option<String> {
    let wanted = config.config.spec.cluster.as_deref().map(ClusterName::read);
    let planned = match &plan.clusters[..] {
        [cluster] => cluster.name.as_deref(),
        _ => None,
    };
    let own = || config.config.metadata.get("name").and_then(Value::as_str);
    let name = planned.or(wanted.map(|wanted| wanted.name)).or_else(own)?;
    Some(match wanted.and_then(|wanted| wanted.namespace) {
        Some(namespace) => format!("{namespace}-{name}"),
        None => name.to_owned(),
    })
}
