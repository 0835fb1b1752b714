//! Takes control planes and plans the removal of kube-vip as a set: static pod, hosts file, scripts and the commands that only serve it; whatever else mentions it is listed.

use base64::Engine as _;
use std::io::Read as _;

use super::command::{Service, mentions_kube_vip, service};
use super::kube_vip_class;
use super::{Change, Plan, Wish};
use crate::addressing::{ClusterScope, Groups, KubeVip};
use crate::check::Finding;
use crate::check::codes::{self, Code};
use crate::objects::{Cursor, Detail, Manifest, Object, Role, Span};
use crate::yaml::{Limits, NodeId, Tree, chunks, is_bare};

/// Where the kubelet reads static pods: kubeadm's and RKE2's folders.
const STATIC_PODS: [&str; 3] = [
    "/etc/kubernetes/manifests/",
    "/var/lib/rancher/rke2/agent/pod-manifests/",
    "/var/lib/rancher/rke2/server/manifests/",
];
/// Lists of shell commands, kubeadm's and RKE2's.
pub(super) const COMMANDS: [&str; 5] = [
    "preKubeadmCommands",
    "postKubeadmCommands",
    "bootCommands",
    "preRKE2Commands",
    "postRKE2Commands",
];

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
    for (index, object) in manifest.objects.iter().enumerate() {
        if is_control_plane(object) && belongs(manifest, groups, index, &scopes) {
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
fn belongs(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, index: usize, scopes: &[ClusterScope]) -> bool {
    use crate::addressing::GroupSource;
    let group = groups
        .all
        .iter()
        .find(|group| group.role == Role::ControlPlane && group.source == GroupSource::Object(index));
    scopes.iter().any(|scope| match scope {
        ClusterScope::Whole => true,
        ClusterScope::Cluster(cluster) => match group {
            Some(group) => group.cluster == Some(*cluster),
            // Without a template it is no machine group, but the Cluster still refers to it.
            None => refers(&manifest.objects[*cluster], &manifest.objects[index]),
        },
    })
}

fn refers(cluster: &Object<'_>, object: &Object<'_>) -> bool {
    let Detail::Cluster(detail) = &cluster.detail else {
        return false;
    };
    let reference = detail.control_plane.as_ref();
    reference.is_some_and(|reference| {
        reference.kind == object.kind && reference.name.as_ref().is_some_and(|name| name.value == object.name())
    }) && object.in_namespace(cluster.namespace())
}

/// The mapping that holds `files` and the commands.
pub(super) fn configuration<'r, 'a>(object: &Object<'_>, at: Cursor<'r, 'a>) -> Option<Cursor<'r, 'a>> {
    match &*object.kind {
        "KubeadmControlPlane" => at.at(&["spec", "kubeadmConfigSpec"]),
        "KubeadmControlPlaneTemplate" => at.at(&["spec", "template", "spec", "kubeadmConfigSpec"]),
        "RKE2ControlPlane" => at.get("spec"),
        "RKE2ControlPlaneTemplate" => at.at(&["spec", "template", "spec"]),
        _ => None,
    }
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

/// The places of the files that are kube-vip's.
pub(super) fn kube_vip_files(files: Cursor<'_, '_>) -> Vec<usize> {
    files
        .items()
        .enumerate()
        .filter(|(_, file)| is_kube_vip_file(*file))
        .map(|(place, _)| place)
        .collect()
}

fn is_kube_vip_file(file: Cursor<'_, '_>) -> bool {
    let Some(path) = file.text_of("path") else { return false };
    is_kube_vip_path(&path.value)
        || (STATIC_PODS.iter().any(|folder| path.value.starts_with(folder))
            && content(file).is_some_and(|content| is_kube_vip_pod(&content)))
}

/// A path whose last part names kube-vip: its static pod, its hosts file or one of its scripts.
pub(super) fn is_kube_vip_path(path: &str) -> bool {
    mentions_kube_vip(path.rsplit('/').next().unwrap_or(path))
}

/// A file's content, decoded. At most 1 MiB: cloud-init carries far less.
fn content(file: Cursor<'_, '_>) -> Option<String> {
    const LIMIT: u64 = 1 << 20;
    let text = file.text_of("content")?.value;
    let encoding = file.text_of("encoding").map(|text| text.value).unwrap_or_default();
    if encoding.is_empty() {
        return Some(text.into_owned());
    }
    let mut bytes = text.as_bytes().to_vec();
    if encoding.contains("base64") {
        let packed: String = text.split_whitespace().collect();
        bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    }
    if encoding.contains("gzip") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .take(LIMIT)
            .read_to_end(&mut plain)
            .ok()?;
        bytes = plain;
    }
    String::from_utf8(bytes).ok()
}

/// Whether a manifest has a pod with a container that is named kube-vip or runs its image.
fn is_kube_vip_pod(content: &str) -> bool {
    let limits = Limits::default();
    chunks(content).filter(|chunk| !is_bare(chunk.text)).any(|chunk| {
        let Ok(tree) = Tree::parse(&chunk, &limits) else {
            return false;
        };
        let Some(node) = tree.root() else { return false };
        let at = Cursor {
            tree: &tree,
            base: 0,
            node,
        };
        let pod = match &*at.text_of("kind").map(|kind| kind.value).unwrap_or_default() {
            "Pod" => at.get("spec"),
            "DaemonSet" => at.at(&["spec", "template", "spec"]),
            _ => None,
        };
        let containers = pod.and_then(|pod| pod.get("containers"));
        containers.into_iter().flat_map(Cursor::items).any(|container| {
            ["name", "image"].iter().any(|key| {
                container
                    .text_of(key)
                    .is_some_and(|text| mentions_kube_vip(&text.value))
            })
        })
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

/// The part of a span on its first line, so that a long block is not shown whole.
fn first_line(manifest: &Manifest<'_>, object: &Object<'_>, span: Span) -> Span {
    let text = manifest.sources[manifest.source_of(object)].text;
    let line = text[span.range()]
        .lines()
        .next()
        .map_or(0, |line| line.trim_end().len());
    Span {
        end: span.start + line as u32,
        ..span
    }
}

/// The scalars of an object that mention kube-vip outside the parts that go.
pub(super) fn mentions(at: Cursor<'_, '_>, gone: &[Span]) -> Vec<Span> {
    let inside = |span: Span| gone.iter().any(|part| part.start <= span.start && span.end <= part.end);
    let nodes = at.tree.all().filter(|node| at.tree.holds(at.node, *node));
    let texts =
        nodes.filter(|node| at.tree.target(*node) == *node && at.tree.scalar(*node).is_some_and(mentions_kube_vip));
    let spans = texts
        .map(|node| Cursor { node, ..at }.span())
        .filter(|span| !inside(*span));
    spans.map(|span| mention(at, span)).collect()
}

/// The word itself within a long text.
fn mention(at: Cursor<'_, '_>, span: Span) -> Span {
    let text = &at.tree.text()[span.start as usize - at.base..span.end as usize - at.base];
    let lower = text.to_ascii_lowercase();
    let found = ["kube-vip", "kube_vip", "kubevip"]
        .iter()
        .filter_map(|name| Some((lower.find(name)?, name.len())))
        .min();
    match found {
        Some((start, length)) => Span {
            start: span.start + start as u32,
            end: span.start + (start + length) as u32,
        },
        None => span,
    }
}

/// Documents outside the machine configuration that mention kube-vip, such as ConfigMaps with add-ons.
fn mentioned(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    for (index, source) in manifest.sources.iter().enumerate() {
        for chunk in chunks(source.text) {
            let read = manifest
                .documents
                .iter()
                .any(|document| document.source == index && document.chunk.start == chunk.start);
            let Some(at) = (!read)
                .then(|| memchr::memmem::find(chunk.text.as_bytes(), b"kube-vip"))
                .flatten()
            else {
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
