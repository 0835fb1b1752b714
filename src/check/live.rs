//! Takes templates beside what is applied of them and finds changes that the API server refuses; the rules are those of CAPV's webhook, where labels are free and `spec.template.spec` is not.

use serde_json::{Map, Value};

use super::codes;
use super::finding::Finding;
use super::model::Model;
use crate::addressing::TemplateAfter;
use crate::objects::{Cursor, Detail, Object, Span, Template, is_placeholder};
use crate::yaml::{Limits, Segment};

/// The annotation that keeps what kubectl applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// NIC fields that are nullable in v1beta2: there false and absent differ, in earlier versions they do not.
const NULLABLE: [&str; 3] = ["dhcp4", "dhcp6", "skipIPAllocation"];

/// Findings about templates that are applied already.
pub(super) fn live(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (index, object, template, after) in model.templates() {
        let applied = model.state.and_then(|_| applied(model, object));
        if model.after.chooses(index) {
            let in_place = model.after.edits_in_place(index) && changes_spec(object, template, &after);
            if in_place && (object.live || applied.is_some()) {
                let message = if object.live {
                    format!("{object} comes from a live cluster, where its spec cannot change")
                } else {
                    format!("{object} is applied already, and its spec cannot change")
                };
                findings.push(
                    model
                        .finding(object, object.name_span(), &codes::LIVE_TEMPLATE, message)
                        .help("set `renameTemplates: true` (--rename-templates)"),
                );
            }
        } else {
            let last = || model.manifest.with_object(object, last_applied);
            if let Some(old) = applied.or_else(|| last().filter(|_| object.live)) {
                findings.extend(difference(model, object, &old));
            }
        }
    }
}

/// A template as it is applied.
struct Applied {
    version: String,
    /// `spec.template.spec`.
    spec: Value,
    /// It is what was sent, without the defaults that the server fills in.
    sent: bool,
}

/// The live template of that name and namespace.
fn applied(model: &Model<'_, '_>, object: &Object<'_>) -> Option<Applied> {
    let state = &model.state?.manifest;
    let live = state.objects.iter().find(|live| {
        matches!(live.detail, Detail::Template(_))
            && live.name.is_some()
            && live.name() == object.name()
            && live.in_namespace(object.namespace())
    })?;
    state.with_object(live, |at| {
        Some(Applied {
            version: live.version().to_owned(),
            spec: spec(at)?,
            sent: false,
        })
    })
}

/// What kubectl noted in the text of a live template.
fn last_applied(at: Cursor<'_, '_>) -> Option<Applied> {
    let text = at.at(&["metadata", "annotations", LAST_APPLIED])?.text()?;
    let sent: Value = serde_json::from_str(&text.value).ok()?;
    let version = sent.get("apiVersion")?.as_str()?.rsplit('/').next()?.to_owned();
    Some(Applied {
        version,
        spec: sent.get("spec")?.get("template")?.get("spec")?.clone(),
        sent: true,
    })
}

fn spec(at: Cursor<'_, '_>) -> Option<Value> {
    let spec = at.at(&["spec", "template", "spec"])?;
    at.tree.value(spec.node, &Limits::default()).ok()
}

/// Whether the edits of a chosen template change more than its labels.
fn changes_spec(object: &Object<'_>, template: &Template<'_>, after: &TemplateAfter<'_>) -> bool {
    template
        .nics
        .iter()
        .zip(&after.nics)
        .filter(|(_, after)| after.chosen)
        .any(|(nic, after)| {
            let flag_changes = |flag: Option<crate::objects::Flag>| match flag {
                Some(flag) => flag.on != Some(false),
                // Written out as false it is another value in v1beta2 only.
                None => object.version() == "v1beta2",
            };
            let gets_pool = after.pools.iter().any(|pool| pool.is_new);
            flag_changes(nic.dhcp4) || flag_changes(nic.dhcp6) || gets_pool || after.name_servers_change
        })
}

/// The first difference below `spec.template.spec`, at its place.
fn difference(model: &Model<'_, '_>, object: &Object<'_>, old: &Applied) -> Option<Finding> {
    let (path, old_value, new_value, span) = model.manifest.with_object(object, |at| {
        let new = spec(at)?;
        let nullable = (old.version == "v1beta2", object.version() == "v1beta2");
        let (path, old_value, new_value) = first_difference(&old.spec, &new, nullable, old.sent)?;
        let from = at.at(&["spec", "template", "spec"])?;
        let segments: Vec<Segment> = path.iter().map(PathStep::segment).collect();
        let span = at.tree.span_at(from.node, &segments, None);
        Some((
            path,
            old_value,
            new_value,
            Span::new(at.base + span.start..at.base + span.end),
        ))
    })?;
    let where_it_is: String = path.iter().map(PathStep::shown).collect();
    let field = where_it_is.trim_start_matches('.');
    let here = match &new_value {
        Value::Bool(false) if object.version() != "v1beta2" => {
            format!("false, which {} sends as absent", object.version())
        }
        value => shown(value),
    };
    let message = format!(
        "{object} is applied with {field} {}, here it is {here}",
        shown(&old_value)
    );
    let flag = path
        .last()
        .is_some_and(|step| matches!(step, PathStep::Key(key) if NULLABLE.contains(&key.as_str())));
    let help = if flag && is_false_or_absent(&old_value) && is_false_or_absent(&new_value) {
        "in v1beta2 a false flag and an absent one differ: write it as it was applied"
    } else {
        "give the changed template a new name and move the references (`renameTemplates`), or take the change back"
    };
    let source = model.manifest.source_of(object);
    let span = span.first_line(model.manifest.sources[source].text, 0);
    Some(
        model
            .finding(object, span, &codes::TEMPLATE_IMMUTABLE, message)
            .help(help),
    )
}

fn is_false_or_absent(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "absent".to_owned(),
        Value::Object(_) | Value::Array(_) => "another".to_owned(),
        other => other.to_string(),
    }
}

/// A step to a value.
enum PathStep {
    Key(String),
    Index(usize),
}

impl PathStep {
    fn segment(&self) -> Segment {
        match self {
            PathStep::Key(key) => Segment::Key(key.clone()),
            PathStep::Index(index) => Segment::Index(*index),
        }
    }

    fn shown(&self) -> String {
        match self {
            PathStep::Key(key) => format!(".{key}"),
            PathStep::Index(index) => format!("[{index}]"),
        }
    }
}

type Difference = (Vec<PathStep>, Value, Value);

/// The first difference that the webhook would see. The server fills in defaults, so a field that only the live side has
/// is none, except on a NIC, where nothing is filled in.
fn first_difference(old: &Value, new: &Value, nullable: (bool, bool), sent: bool) -> Option<Difference> {
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    if let Some((mut rest, old, new)) = nics_differ(nics(old), nics(new), nullable) {
        let mut path = vec![PathStep::Key("network".into()), PathStep::Key("devices".into())];
        path.append(&mut rest);
        return Some((path, old, new));
    }
    for (key, value) in new.iter().filter(|(key, _)| *key != "network") {
        let before = old.get(key).unwrap_or(&Value::Null);
        // Between two versions fields have other names and forms.
        let filled_in = before.is_null() && (sent || nullable.0 != nullable.1);
        let hidden = value.as_str().is_some_and(is_placeholder);
        let merged = before.is_object() && sent;
        if !filled_in && !hidden && !merged && normal(before, true) != normal(value, true) {
            return Some((vec![PathStep::Key(key.clone())], before.clone(), value.clone()));
        }
    }
    None
}

fn nics(spec: &Map<String, Value>) -> &[Value] {
    let devices = spec.get("network").and_then(|network| network.get("devices"));
    devices.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn nics_differ(old: &[Value], new: &[Value], nullable: (bool, bool)) -> Option<Difference> {
    for (index, nic) in new.iter().enumerate() {
        let step = || PathStep::Index(index);
        let Some(before) = old.get(index) else {
            return Some((vec![step()], Value::Null, nic.clone()));
        };
        let keys = |nic: &Value| {
            nic.as_object()
                .map(|nic| nic.keys().cloned().collect::<Vec<_>>())
                .unwrap_or_default()
        };
        for key in keys(nic).into_iter().chain(keys(before)) {
            let value = |nic: &Value, keeps_false: bool| {
                let value = nic.get(&key).unwrap_or(&Value::Null);
                let false_counts = keeps_false && NULLABLE.contains(&key.as_str());
                normal(value, !false_counts)
            };
            let hidden = nic.get(&key).and_then(Value::as_str).is_some_and(is_placeholder);
            let (old_value, new_value) = (value(before, nullable.0), value(nic, nullable.1));
            if !hidden && old_value != new_value {
                let raw = |nic: &Value| nic.get(&key).cloned().unwrap_or(Value::Null);
                return Some((vec![step(), PathStep::Key(key.clone())], raw(before), raw(nic)));
            }
        }
    }
    (old.len() > new.len()).then(|| (Vec::new(), Value::Array(old.to_vec()), Value::Array(new.to_vec())))
}

/// A value in which what Go leaves out is null; false too where it is no value of its own.
fn normal(value: &Value, drop_false: bool) -> Value {
    match value {
        Value::Bool(false) if drop_false => Value::Null,
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Number(number) if number.as_i64() == Some(0) => Value::Null,
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), normal(value, drop_false)));
            let kept: Map<String, Value> = entries.filter(|(_, value)| !value.is_null()).collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Object(kept)
            }
        }
        Value::Array(items) => items.iter().map(|item| normal(item, drop_false)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(nic: Value) -> Value {
        json!({ "numCPUs": 4, "network": { "devices": [nic] } })
    }

    fn differs(old: Value, old_version: &str, new: Value, new_version: &str) -> bool {
        let nullable = (old_version == "v1beta2", new_version == "v1beta2");
        first_difference(&spec(old), &spec(new), nullable, false).is_some()
    }

    #[test]
    fn false_and_absent_flags_differ_in_v1beta2_only() {
        let (absent, off) = (
            json!({ "networkName": "n" }),
            json!({ "networkName": "n", "dhcp4": false }),
        );
        assert!(!differs(absent.clone(), "v1beta1", off.clone(), "v1beta1"));
        // Created through v1beta1 the flag is stored as absent.
        assert!(!differs(absent.clone(), "v1beta2", off.clone(), "v1beta1"));
        assert!(differs(absent.clone(), "v1beta2", off.clone(), "v1beta2"));
        // Created as v1beta2 with the flag, applied again as v1beta1.
        assert!(differs(off.clone(), "v1beta2", off.clone(), "v1beta1"));
        assert!(!differs(off.clone(), "v1beta2", off, "v1beta2"));
    }

    #[test]
    fn other_fields_of_nics_are_compared_by_value() {
        let nic = json!({ "networkName": "n", "nameservers": [] });
        assert!(!differs(json!({ "networkName": "n" }), "v1beta1", nic, "v1beta1"));
        let nic = json!({ "networkName": "n", "nameservers": ["192.0.2.53"] });
        assert!(differs(
            json!({ "networkName": "n" }),
            "v1beta1",
            nic.clone(),
            "v1beta1"
        ));
        assert!(differs(nic, "v1beta2", json!({ "networkName": "n" }), "v1beta2"));
    }

    #[test]
    fn what_the_server_fills_in_is_no_difference() {
        let old = json!({ "numCPUs": 4, "powerOffMode": "hard", "network": { "devices": [] } });
        let new = json!({ "numCPUs": 4, "network": { "devices": [] } });
        assert!(first_difference(&old, &new, (false, false), false).is_none());
        let new = json!({ "numCPUs": 8, "network": { "devices": [] } });
        assert!(first_difference(&old, &new, (false, false), false).is_some());
    }
}
