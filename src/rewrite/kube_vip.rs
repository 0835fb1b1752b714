//! Takes control planes and plans the removal of kube-vip as a set: static pod, hosts file, scripts and the commands that only serve it; whatever else mentions it is listed.

use std::collections::{HashMap, HashSet};

use super::kube_vip_class;
use super::{Change, Plan, Wish};
use crate::addressing::{ClusterScope, GroupSource, Groups, KubeVip, MachineGroup};
use crate::check::Finding;
use crate::check::codes::{self, Code};
use crate::objects::kube_vip::{COMMANDS, configuration, content, kube_vip_files, mentions};
use crate::objects::kube_vip_command::{Service, service};
use crate::objects::{Cursor, Detail, Manifest, Object, Role, Span};
use crate::yaml::{NodeId, chunks};

pub(super) fn plan(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    wishes: &[Wish<'_>],
    plan: &mut Plan,
    findings: &mut Vec<Finding>,
) {
    let scopes: Vec<ClusterScope> = wishes
        .iter()
        .filter(|wish| wish.config.spec.kube_vip == KubeVip::Remove)
        .map(|wish| wish.selection.scope)
        .collect();
    if scopes.is_empty() {
        return;
    }
    let owners = owners(groups);
    let wanted: HashSet<ClusterScope> = scopes.iter().copied().collect();
    for (index, object) in manifest.objects.iter().enumerate() {
        if is_control_plane(object) && belongs(manifest, &owners, index, &wanted) {
            let removal = manifest.with_object(object, |at| control_plane(manifest, object, at, findings));
            removal
                .into_iter()
                .for_each(|change| plan.change(manifest, index, change));
        }
    }
    kube_vip_class::plan(manifest, &scopes, plan, findings);
    mentioned(manifest, findings);
}

fn is_control_plane(object: &Object<'_>) -> bool {
    matches!(&*object.kind, "KubeadmControlPlane" | "RKE2ControlPlane")
}

/// Whether a control plane is one of a wanted cluster.
fn belongs(
    manifest: &Manifest<'_>,
    owners: &HashMap<usize, Option<usize>>,
    index: usize,
    scopes: &HashSet<ClusterScope>,
) -> bool {
    if scopes.contains(&ClusterScope::Whole) {
        return true;
    }
    match owners.get(&index) {
        Some(owner) => owner.is_some_and(|cluster| scopes.contains(&ClusterScope::Cluster(cluster))),
        // Without a template it is no machine group, but the Cluster still refers to it.
        None => scopes.iter().any(|scope| match scope {
            ClusterScope::Cluster(cluster) => refers(&manifest.objects[*cluster], &manifest.objects[index]),
            ClusterScope::Whole => true,
        }),
    }
}

/// The cluster of every control plane that is a machine group.
fn owners(groups: &Groups<'_, '_>) -> HashMap<usize, Option<usize>> {
    let control_planes = groups.all.iter().filter(|group| group.role == Role::ControlPlane);
    let owner = |group: &MachineGroup<'_, '_>| match group.source {
        GroupSource::Object(object) => Some((object, group.cluster)),
        _ => None,
    };
    control_planes.filter_map(owner).collect()
}

fn refers(cluster: &Object<'_>, object: &Object<'_>) -> bool {
    let Detail::Cluster(detail) = &cluster.detail else {
        return false;
    };
    let reference = detail.control_plane.as_ref();
    reference.is_some_and(|reference| {
        let name = reference.name.as_ref();
        reference.kind == object.kind
            && name.is_some_and(|name| object.is_meant(&name.value, cluster.namespace(), cluster))
    })
}

/// The changes that take kube-vip out of one control plane.
fn control_plane(
    manifest: &Manifest<'_>,
    object: &Object<'_>,
    at: Cursor<'_, '_>,
    findings: &mut Vec<Finding>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut gone = Vec::new();
    let Some(config) = configuration(object, at) else {
        return changes;
    };
    if let Some(files) = config.get("files") {
        let places = kube_vip_files(files);
        for file in places.iter().filter_map(|place| files.items().nth(*place)) {
            gone.push(file.span());
            services(manifest, object, file, findings);
        }
        changes.extend(removal(config.node, "files", files, places));
    }
    for key in COMMANDS {
        let Some(commands) = config.get(key) else { continue };
        let (places, left) = kube_vip_commands(commands);
        gone.extend(
            places
                .iter()
                .filter_map(|place| commands.items().nth(*place))
                .map(Cursor::span),
        );
        for command in left {
            gone.push(command.span());
            findings.push(left_over(
                manifest,
                object,
                command.span(),
                "a command does something else besides serving kube-vip",
            ));
        }
        changes.extend(removal(config.node, key, commands, places));
    }
    for span in mentions(at, &gone) {
        findings.push(left_over(manifest, object, span, "something else mentions kube-vip"));
    }
    changes
}

/// Takes items out of a list, and the list with its key when nothing is left.
pub(super) fn removal(holder: NodeId, key: &str, list: Cursor<'_, '_>, places: Vec<usize>) -> Option<Change> {
    if places.is_empty() {
        return None;
    }
    Some(if places.len() == list.items().count() {
        Change::RemoveEntry {
            mapping: holder,
            key: key.to_owned(),
        }
    } else {
        Change::RemoveItems {
            sequence: list.node,
            places,
        }
    })
}

/// The places of commands that only serve kube-vip, and those that do something else too.
fn kube_vip_commands<'r, 'a>(commands: Cursor<'r, 'a>) -> (Vec<usize>, Vec<Cursor<'r, 'a>>) {
    let mut places = Vec::new();
    let mut left = Vec::new();
    for (place, command) in commands.items().enumerate() {
        match command.text().map(|text| service(&text.value)) {
            Some(Service::Only) => places.push(place),
            Some(Service::Mixed) => left.push(command),
            _ => {}
        }
    }
    (places, left)
}

/// kube-vip with `svc_enable` also gives Services of type LoadBalancer their addresses.
fn services(manifest: &Manifest<'_>, object: &Object<'_>, file: Cursor<'_, '_>, findings: &mut Vec<Finding>) {
    let Some(content) = content(file) else { return };
    let mut lines = content
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.ends_with("name: svc_enable"));
    let enabled = lines
        .nth(1)
        .is_some_and(|line| line.starts_with("value:") && line.contains("true"));
    if enabled {
        findings.push(
            Finding::new(
                &codes::KUBE_VIP_SERVICES,
                format!("the kube-vip of {object} also serves Services of type LoadBalancer"),
            )
            .on(object)
            .at(manifest.source_of(object), first_line(manifest, object, file.span()))
            .help("install another provider for them"),
        );
    }
}

fn left_over(manifest: &Manifest<'_>, object: &Object<'_>, span: Span, what: &str) -> Finding {
    Finding::new(&codes::KUBE_VIP_LEFT, format!("{what}; it stays in {object}"))
        .on(object)
        .at(manifest.source_of(object), first_line(manifest, object, span))
        .help("remove by hand what only served kube-vip")
}

fn first_line(manifest: &Manifest<'_>, object: &Object<'_>, span: Span) -> Span {
    span.first_line(manifest.sources[manifest.source_of(object)].text, 0)
}

/// Documents outside the machine configuration that mention kube-vip, such as ConfigMaps with add-ons.
fn mentioned(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let read: HashSet<(usize, usize)> = manifest
        .documents
        .iter()
        .map(|document| (document.source, document.chunk.start))
        .collect();
    for (index, source) in manifest.sources.iter().enumerate() {
        for chunk in chunks(source.text).filter(|chunk| !read.contains(&(index, chunk.start))) {
            let Some(at) = memchr::memmem::find(chunk.text.as_bytes(), b"kube-vip") else {
                continue;
            };
            let span = Span::new(chunk.start + at..chunk.start + at + "kube-vip".len());
            findings.push(note(
                &codes::KUBE_VIP_MENTIONED,
                "a document that is no machine configuration mentions kube-vip",
                index,
                span,
            ));
        }
    }
}

fn note(code: &'static Code, message: &str, source: usize, span: Span) -> Finding {
    Finding::new(code, message)
        .at(source, span)
        .help("check whether it is still needed")
}
