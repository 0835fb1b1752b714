//! Takes machine groups and finds numbers of machines that Cluster API refuses, or that a placeholder hides; pools are judged elsewhere.

use super::codes::{self, Code};
use super::finding::Finding;
use super::model::Model;
use crate::addressing::{GroupSource, MachineGroup};
use crate::objects::{AUTOSCALER, Autoscaler, Cursor, Detail, Span, Text, is_placeholder};

/// Findings about the size of groups.
pub(super) fn sizes(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (index, group) in model.groups.all.iter().enumerate() {
        if !model.concerns_cluster(group.cluster) {
            continue;
        }
        if group.size.autoscaler == Autoscaler::Wrong {
            findings.push(autoscaler(model, group));
        }
        if group.kind == "KubeadmControlPlane" && matches!(group.source, GroupSource::Object(_)) {
            findings.extend(surge(model, group));
            findings.extend(replicas(model, group));
        }
        let draws = model.draws.groups.contains_key(&index);
        if draws && group.size.peak().is_none() {
            findings.extend(unknown(model, index, group));
        }
    }
}

/// The part of an object that says how many machines a group has.
fn with_size<'a, T>(
    model: &Model<'_, 'a>,
    group: &MachineGroup<'_, '_>,
    read: impl FnOnce(Option<Cursor<'_, 'a>>, Cursor<'_, 'a>) -> T,
) -> T {
    model.manifest.with_object(model.holder(group), |at| {
        let topology = |path: &[&str]| at.at(&["spec", "topology"])?.at(path);
        match group.source {
            GroupSource::TopologyControlPlane { .. } => read(topology(&["controlPlane"]), at),
            GroupSource::TopologyWorkers { index, .. } => {
                let workers = topology(&["workers", "machineDeployments"]);
                read(workers.and_then(|workers| workers.items().nth(index)), at)
            }
            _ => read(at.get("spec"), at),
        }
    })
}

fn autoscaler(model: &Model<'_, '_>, group: &MachineGroup<'_, '_>) -> Finding {
    let (message, span, help) = with_size(model, group, |size, at| {
        const NUMBERS: &str = "write the minimum and the maximum as whole numbers in quotes";
        let topology = matches!(group.source, GroupSource::TopologyWorkers { .. });
        let holder = if topology { size } else { Some(at) };
        let annotations = holder.and_then(|holder| holder.at(&["metadata", "annotations"]));
        let texts = AUTOSCALER.map(|key| annotations?.text_of(key));
        let no_number = texts.iter().flatten().find(|text| text.value.parse::<u32>().is_err());
        match (no_number, &texts[0], &texts[1]) {
            (Some(text), ..) => (
                format!("the autoscaler's size {:?} of {group} is no number", text.value),
                text.span,
                NUMBERS,
            ),
            (None, Some(least), Some(most)) => (
                format!(
                    "the autoscaler's minimum {} of {group} is above its maximum {}",
                    least.value, most.value
                ),
                least.span,
                "lower the minimum or raise the maximum",
            ),
            _ => (
                format!("the autoscaler's size of {group} is not understood"),
                at.span(),
                NUMBERS,
            ),
        }
    });
    let object = model.holder(group);
    model.finding(object, span, &codes::AUTOSCALER_SIZE, message).help(help)
}

/// KubeadmControlPlane's webhook knows two values (CAPI `kubeadmcontrolplane.go`).
fn surge(model: &Model<'_, '_>, group: &MachineGroup<'_, '_>) -> Option<Finding> {
    // Of no machine there is no surge either, whatever is written.
    let replicas = group.size.replicas.filter(|replicas| *replicas > 0)?;
    let problem = match group.size.surge? {
        0 if replicas < 3 => format!("maxSurge 0 needs three replicas or more, {group} has {replicas}"),
        0 | 1 => return None,
        surge => format!("maxSurge of {group} is {surge}; a KubeadmControlPlane takes 0 or 1"),
    };
    let span = with_size(model, group, |spec, _| {
        let paths: [&[&str]; 2] = [&["rollout", "strategy"], &["rolloutStrategy"]];
        let strategy = paths.iter().find_map(|path| spec?.at(path));
        strategy
            .and_then(|strategy| strategy.at(&["rollingUpdate", "maxSurge"]))
            .map(Cursor::span)
    });
    let finding = finding_at(model, group, span, &codes::CONTROL_PLANE_SURGE, problem);
    Some(finding.help("use maxSurge 1, or 0 with three replicas"))
}

/// KubeadmControlPlane's webhook knows quorums only (CAPI `kubeadmcontrolplane.go`).
fn replicas(model: &Model<'_, '_>, group: &MachineGroup<'_, '_>) -> Option<Finding> {
    let replicas = group.size.replicas.filter(|replicas| replicas % 2 == 0)?;
    let (external, span) = with_size(model, group, |spec, _| {
        let etcd = spec.and_then(|spec| spec.at(&["kubeadmConfigSpec", "clusterConfiguration", "etcd", "external"]));
        let written = spec.and_then(|spec| spec.get("replicas"));
        (etcd.is_some(), written.map(Cursor::span))
    });
    let managed = group
        .cluster
        .is_some_and(|cluster| match &model.manifest.objects[cluster].detail {
            Detail::Cluster(cluster) => cluster.etcd.is_some(),
            _ => false,
        });
    let problem = match replicas {
        0 => format!("{group} has 0 replicas; a control plane goes with its Cluster"),
        _ if external || managed => return None,
        even => format!("{group} has {even} replicas; its etcd takes an odd number"),
    };
    let finding = finding_at(model, group, span, &codes::CONTROL_PLANE_REPLICAS, problem);
    Some(finding.help("use 1, 3 or 5 replicas"))
}

/// A finding at a part of the object that has the group's size, or at its name where the part is not written.
fn finding_at(
    model: &Model<'_, '_>,
    group: &MachineGroup<'_, '_>,
    span: Option<Span>,
    code: &'static Code,
    message: String,
) -> Finding {
    let object = model.holder(group);
    model.finding(object, span.unwrap_or(object.name_span()), code, message)
}

/// A number that a placeholder hides.
fn unknown(model: &Model<'_, '_>, index: usize, group: &MachineGroup<'_, '_>) -> Option<Finding> {
    let (text, span): (String, Span) = with_size(model, group, |spec, at| {
        let replicas = spec.and_then(|spec| spec.text_of("replicas"));
        let annotations = at.at(&["metadata", "annotations"]);
        let annotated = AUTOSCALER.iter().filter_map(|key| annotations?.text_of(key));
        let hidden = replicas
            .into_iter()
            .chain(annotated)
            .find(|text: &Text<'_>| is_placeholder(&text.value));
        hidden.map(|text| (text.value.into_owned(), text.span))
    })?;
    let pools: Vec<&str> = model.taken(index).map(|taken| taken.pool.title.as_str()).collect();
    let pool = pools.first()?;
    let object = model.holder(group);
    let message = format!("{group} has {text} machines; whether {pool} has enough addresses is not known");
    Some(
        model
            .finding(object, span, &codes::UNKNOWN_UNTIL_SUBSTITUTED, message)
            .help("check the manifest once more after the substitution"),
    )
}
