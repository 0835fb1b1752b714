//! Takes the configuration of a control plane and tells which files, commands and texts are kube-vip's; plans nothing.

use std::io::Read as _;

use base64::Engine as _;

use super::kube_vip_command::mentions_kube_vip;
use super::{Cursor, Object, Span};
use crate::yaml::{Limits, Tree, chunks, is_bare};

/// Where the kubelet reads static pods: kubeadm's and RKE2's folders.
pub(crate) const STATIC_PODS: [&str; 3] = [
    "/etc/kubernetes/manifests/",
    "/var/lib/rancher/rke2/agent/pod-manifests/",
    "/var/lib/rancher/rke2/server/manifests/",
];
/// What kube-vip of CAPV 1.9 and later mounts as its hosts file.
pub(crate) const HOSTS_FILE: &str = "/etc/kube-vip.hosts";
/// Lists of shell commands, kubeadm's and RKE2's.
pub(crate) const COMMANDS: [&str; 5] = [
    "preKubeadmCommands",
    "postKubeadmCommands",
    "bootCommands",
    "preRKE2Commands",
    "postRKE2Commands",
];

/// The mapping that holds `files` and the commands.
pub(crate) fn configuration<'r, 'a>(object: &Object<'_>, at: Cursor<'r, 'a>) -> Option<Cursor<'r, 'a>> {
    match &*object.kind {
        "KubeadmControlPlane" => at.at(&["spec", "kubeadmConfigSpec"]),
        "KubeadmControlPlaneTemplate" => at.at(&["spec", "template", "spec", "kubeadmConfigSpec"]),
        "RKE2ControlPlane" => at.get("spec"),
        "RKE2ControlPlaneTemplate" => at.at(&["spec", "template", "spec"]),
        _ => None,
    }
}

/// The places of the files that are kube-vip's.
pub(crate) fn kube_vip_files(files: Cursor<'_, '_>) -> Vec<usize> {
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
pub(crate) fn is_kube_vip_path(path: &str) -> bool {
    mentions_kube_vip(path.rsplit('/').next().unwrap_or(path))
}

/// A file's content, decoded. At most 1 MiB: cloud-init carries far less.
pub(crate) fn content(file: Cursor<'_, '_>) -> Option<String> {
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

/// The scalars of an object that mention kube-vip outside the parts that go.
pub(crate) fn mentions(at: Cursor<'_, '_>, gone: &[Span]) -> Vec<Span> {
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
