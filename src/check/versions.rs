//! Takes the API versions of templates and groups and tells who can serve a pool label, and what no management cluster serves together.

use std::collections::BTreeMap;

use super::codes;
use super::finding::Finding;
use super::model::Model;
use crate::addressing::GroupSource;
use crate::objects::Object;

/// Findings about versions.
pub(super) fn versions(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    adapter(model, findings);
    apart(model, findings);
}

/// Who can serve the label, once for each API version: what holds for one template holds for all of it.
fn adapter(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut labelled: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
    for (index, object, _, after) in model.templates() {
        if after.label.is_some() {
            let new = is_new_api(model, index);
            labelled.entry((new, object.version())).or_default().push(index);
        }
    }
    for ((new, version), templates) in labelled {
        let object = &model.manifest.objects[templates[0]];
        let of = match templates.len() {
            1 => String::new(),
            count => format!(" of {count} templates"),
        };
        let message = if new {
            format!(
                "the pool label{of} needs a controller that serves it; the old spectro adapter cannot, because no release with this API serves v1alpha4"
            )
        } else {
            format!(
                "the pool label{of} needs a controller that serves it; CAPV alone leaves the machines at WaitingForStaticIPAllocation"
            )
        };
        let help = if new {
            "run `capv-ipam controller`, or use `binding: addressesFromPools`"
        } else if version.starts_with("v1alpha") {
            "run one; the old spectro adapter works with CAPV 0.8 to 1.8 and Cluster API up to 1.5"
        } else {
            "run `capv-ipam controller` (the old spectro adapter works up to CAPV 1.8), or use `binding: addressesFromPools` with CAPV 1.5 or later"
        };
        findings.push(
            model
                .finding(object, object.name_span(), &codes::LABEL_NEEDS_ADAPTER, message)
                .help(help),
        );
    }
}

/// CAPV serves v1beta2 from 1.16 on and Cluster API from 1.11 on; v1alpha4 ended with CAPV 1.8 and Cluster API 1.5.
fn is_new_api(model: &Model<'_, '_>, template: usize) -> bool {
    let new = |object: &Object<'_>| object.version() == "v1beta2";
    let users = || {
        model
            .groups
            .users(template)
            .map(|user| model.holder(&model.groups.all[user]))
    };
    new(&model.manifest.objects[template]) || users().any(|object| is_of_cluster_api(object) && new(object))
}

fn is_of_cluster_api(object: &Object<'_>) -> bool {
    matches!(
        &*object.kind,
        "KubeadmControlPlane" | "MachineDeployment" | "MachineSet" | "Cluster" | "ClusterClass"
    ) && object.group().ends_with("cluster.x-k8s.io")
}

/// A group and its template that no pair of releases serves.
fn apart(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (index, group) in model.groups.all.iter().enumerate() {
        let (GroupSource::Object(_), Some((template, _))) = (group.source, model.template_of(index)) else {
            continue;
        };
        let (holder, object) = (model.holder(group), &model.manifest.objects[template]);
        if !model.concerns_template(template) || !is_of_cluster_api(holder) {
            continue;
        }
        let old = |object: &Object<'_>| object.version().starts_with("v1alpha");
        let new = |object: &Object<'_>| object.version() == "v1beta2";
        if (old(holder) && new(object)) || (new(holder) && old(object)) {
            let message = format!(
                "{group} is of {} and {object} of {}: no management cluster serves both",
                holder.version(),
                object.version()
            );
            findings.push(
                model
                    .finding(object, object.span, &codes::VERSIONS_APART, message)
                    .help("generate both with the same tools"),
            );
        }
    }
}
