//! Takes kinds, names and labels and finds those that the API server refuses, or whose legality a placeholder hides; never corrects them.

use super::codes;
use super::finding::Finding;
use super::model::{Model, Origin};
use crate::addressing::label_value_problem;
use crate::objects::{
    Cursor, Detail, GROUP_LABEL, INFRASTRUCTURE, Manifest, NETWORK_LABEL, Object, POOL_LABEL, Reference, is_placeholder,
};
use crate::yaml::{Kind, Style};

/// The kinds that this program reads, with their groups.
const KINDS: [(&str, &str); 8] = [
    (INFRASTRUCTURE, "VSphereMachineTemplate"),
    (INFRASTRUCTURE, "VSphereCluster"),
    (INFRASTRUCTURE, "VSphereMachine"),
    (INFRASTRUCTURE, "VSphereClusterTemplate"),
    ("ipam.metal3.io", "IPPool"),
    ("ipam.cluster.x-k8s.io", "InClusterIPPool"),
    ("ipam.cluster.x-k8s.io", "GlobalInClusterIPPool"),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
];

/// Findings about kinds, names and labels.
pub(super) fn names(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    if model.everything() {
        kinds(model.manifest, findings);
    }
    for (index, object) in model.manifest.objects.iter().enumerate() {
        let labels: &[&str] = match &object.detail {
            Detail::Template(template) if model.concerns_template(index) => match &template.pool_label {
                Some(_) => &[POOL_LABEL],
                None if template.selector.is_some() => &[GROUP_LABEL, NETWORK_LABEL],
                None => &[],
            },
            Detail::Pool(_) if model.everything() => &[GROUP_LABEL, NETWORK_LABEL],
            _ => &[],
        };
        // A label that is about to be written is judged with the configuration.
        if !labels.is_empty() && !model.after.chooses(index) {
            self::labels(model, object, labels, findings);
        }
    }
    placeholders(model, findings);
}

/// Kinds that differ from a known one in upper and lower case only, of objects and of references to templates.
fn kinds(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let meant = |group: &str, kind: &str| {
        let known = KINDS
            .iter()
            .find(|(of, known)| *of == group && known.eq_ignore_ascii_case(kind));
        known.map(|(_, known)| *known).filter(|known| *known != kind)
    };
    for object in &manifest.objects {
        let source = manifest.source_of(object);
        let mut report = |message: String, span, known: &str| {
            findings.push(
                Finding::new(&codes::KIND_MISSPELT, message)
                    .on(object)
                    .at(source, span)
                    .help(format!("write {known}")),
            );
        };
        if let Some(known) = meant(object.group(), &object.kind) {
            report(
                format!("there is no kind {}; it is called {known}", object.kind),
                object.span,
                known,
            );
        }
        let references: &[Reference<'_>] = match &object.detail {
            Detail::Group(group) => &group.references,
            _ => &[],
        };
        for reference in references {
            if let Some(known) = meant(&reference.group, &reference.kind) {
                let message = format!("{object} refers to a {}; the kind is called {known}", reference.kind);
                let kind = manifest.with_object(object, |at| {
                    let kind = Cursor {
                        node: reference.node,
                        ..at
                    }
                    .get("kind");
                    kind.map(|kind| kind.span())
                });
                report(message, kind.unwrap_or(reference.span), known);
            }
        }
    }
}

/// Label values that are too long, hold other characters, or are numbers and booleans to YAML.
fn labels(model: &Model<'_, '_>, object: &Object<'_>, labels: &[&str], findings: &mut Vec<Finding>) {
    let source = model.manifest.source_of(object);
    let mut report = |message: String, span, help: &str| {
        findings.push(
            Finding::new(&codes::LABEL_VALUE, message)
                .on(object)
                .at(source, span)
                .help(help),
        );
    };
    model.manifest.with_object(object, |at| {
        for key in labels {
            let Some(label) = at.at(&["metadata", "labels", key]) else {
                continue;
            };
            let Some(text) = label.text().filter(|text| !is_placeholder(&text.value)) else {
                continue;
            };
            if !is_text(label) {
                let message = format!(
                    "the label {key} of {object} is {} without quotes, which is no text",
                    text.value
                );
                report(message, text.span, "put the value in quotes");
            } else if let Some(problem) = label_value_problem(&text.value) {
                let message = format!("the label {key} of {object} is no label value: {problem}");
                report(message, text.span, "choose a name that is a legal label value");
            }
        }
    });
}

/// Whether Go's readers take a scalar for a string.
fn is_text(at: Cursor<'_, '_>) -> bool {
    !matches!(at.tree.kind(at.node), Kind::Scalar(Style::Plain))
        || at
            .tree
            .value(at.node, &crate::yaml::Limits::default())
            .is_ok_and(|value| value.is_string())
}

/// Names of wanted pools, and labels, that are not known yet cannot be checked against the rules for labels and names.
fn placeholders(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (_, selection) in &model.wishes {
        for pool in &selection.pools {
            let texts = [Some(&pool.name), pool.namespace.as_ref(), pool.cluster_name.as_ref()];
            let Some(text) = texts.into_iter().flatten().find(|text| is_placeholder(text)) else {
                continue;
            };
            let object = &model.manifest.objects[pool.first_template];
            let message = format!(
                "the pool {} is written with {text}; whether the name is legal is not known",
                pool.name
            );
            findings.push(
                model
                    .finding(object, object.name_span(), &codes::UNKNOWN_UNTIL_SUBSTITUTED, message)
                    .help("check the manifest once more after the substitution"),
            );
        }
    }
    for (_, object, template, after) in model.templates().filter(|(_, _, _, after)| !after.label_is_new) {
        let Some(label) = template
            .pool_label
            .as_ref()
            .filter(|label| is_placeholder(&label.value))
        else {
            continue;
        };
        debug_assert_eq!(after.label, Some(&*label.value));
        let known = model
            .pools
            .iter()
            .any(|pool| matches!(pool.origin, Origin::Present(_)) && pool.name.as_deref() == Some(&*label.value));
        let what = if known {
            "whether it is a legal label value"
        } else {
            "which pool that is"
        };
        let message = format!("{object} has the pool label {}; {what} is not known", label.value);
        findings.push(
            model
                .finding(object, label.span, &codes::UNKNOWN_UNTIL_SUBSTITUTED, message)
                .help("check the manifest once more after the substitution"),
        );
    }
}
