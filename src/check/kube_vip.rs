//! Takes control planes and finds a kube-vip beside a load balancer that is wanted, and parts of kube-vip that the rest is missing of; removes nothing.

use std::collections::HashMap;

use super::codes;
use super::finding::Finding;
use super::model::Model;
use crate::addressing::{ClusterScope, GroupSource, KubeVip, MachineGroup};
use crate::objects::kube_vip::{
    COMMANDS, HOSTS_FILE, STATIC_PODS, configuration, content, is_kube_vip_path, kube_vip_files,
};
use crate::objects::kube_vip_command::{Service, service};
use crate::objects::{Cursor, Object, Role, Span};

/// What a control plane has of kube-vip.
#[derive(Default)]
struct Parts {
    /// Where the static pod stands, or the command that writes it.
    pod: Option<Span>,
    /// The pod mounts the hosts file.
    wants_hosts: bool,
    /// The hosts file is there.
    has_hosts: bool,
    /// The first script, hosts file or command that only serves kube-vip.
    rest: Option<Span>,
}

/// Findings about kube-vip.
pub(super) fn kube_vip(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    kept(model, findings);
    if !model.everything() {
        return;
    }
    let owners: HashMap<usize, Option<usize>> = model.groups.all.iter().filter_map(owner).collect();
    for (index, object) in model.manifest.objects.iter().enumerate() {
        if is_control_plane(object) && !removed(model, owners.get(&index).copied().flatten()) {
            half(model, object, findings);
        }
    }
}

fn owner(group: &MachineGroup<'_, '_>) -> Option<(usize, Option<usize>)> {
    match group.source {
        GroupSource::Object(object) => Some((object, group.cluster)),
        _ => None,
    }
}

fn is_control_plane(object: &Object<'_>) -> bool {
    matches!(&*object.kind, "KubeadmControlPlane" | "RKE2ControlPlane")
}

/// Whether a configuration takes kube-vip out of a cluster.
fn removed(model: &Model<'_, '_>, cluster: Option<usize>) -> bool {
    model.wishes.iter().any(|(document, selection)| {
        document.config.spec.kube_vip == KubeVip::Remove
            && match selection.scope {
                ClusterScope::Whole => true,
                ClusterScope::Cluster(own) => cluster.is_none_or(|cluster| cluster == own),
            }
    })
}

/// kube-vip that stays although the configuration has member lists for a load balancer.
fn kept(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (document, selection) in &model.wishes {
        let Some(place) = document.place_of_key("backends") else {
            continue;
        };
        if document.config.spec.kube_vip == KubeVip::Remove {
            continue;
        }
        let in_scope = |cluster: Option<usize>| match selection.scope {
            ClusterScope::Whole => true,
            ClusterScope::Cluster(own) => cluster == Some(own),
        };
        let control_planes = model.groups.all.iter().filter(|group| group.role == Role::ControlPlane);
        let with_kube_vip = control_planes
            .filter(|group| in_scope(group.cluster))
            .find_map(|group| {
                let object = model.holder(group);
                Some((object, parts(model, object)?.pod?))
            });
        let Some((object, pod)) = with_kube_vip else { continue };
        let message = format!("member lists of a load balancer are wanted, and kube-vip stays in {object}");
        let source = model.manifest.source_of(object);
        let pod = pod.first_line(model.manifest.sources[source].text, 0);
        findings.push(Finding {
            place: Some(place),
            ..Finding::new(&codes::KUBE_VIP_KEPT, message)
                .on(object)
                .with(source, pod, "kube-vip")
                .help("set `kubeVip: remove`, or leave `backends` out")
        });
    }
}

/// A part without the rest.
fn half(model: &Model<'_, '_>, object: &Object<'_>, findings: &mut Vec<Finding>) {
    let Some(parts) = parts(model, object) else { return };
    let (message, span) = match parts {
        Parts {
            pod: None,
            rest: Some(rest),
            ..
        } => (
            format!("{object} has a script, file or command of kube-vip, but no static pod of it"),
            rest,
        ),
        Parts {
            pod: Some(pod),
            wants_hosts: true,
            has_hosts: false,
            ..
        } => (
            format!("the kube-vip of {object} mounts {HOSTS_FILE}, and no entry of files writes it"),
            pod,
        ),
        _ => return,
    };
    let source = model.manifest.source_of(object);
    let span = span.first_line(model.manifest.sources[source].text, 0);
    findings.push(
        Finding::new(&codes::KUBE_VIP_HALF, message)
            .on(object)
            .at(source, span)
            .help("remove the rest too (`kubeVip: remove`), or restore what is missing"),
    );
}

/// The parts of kube-vip in a control plane; `None` where its document does not even mention it.
fn parts(model: &Model<'_, '_>, object: &Object<'_>) -> Option<Parts> {
    let text = model.manifest.documents[object.document as usize].chunk.text;
    let mentioned = ["kube-vip", "kube_vip", "kubevip"]
        .iter()
        .any(|name| text.contains(name));
    if !mentioned && !text.contains("base64") {
        return None;
    }
    model.manifest.with_object(object, |at| {
        let config = configuration(object, at)?;
        let mut parts = Parts::default();
        if let Some(files) = config.get("files") {
            let places = kube_vip_files(files);
            places
                .iter()
                .filter_map(|place| files.items().nth(*place))
                .for_each(|file| parts.file(file));
        }
        for command in COMMANDS
            .iter()
            .filter_map(|key| config.get(key))
            .flat_map(Cursor::items)
        {
            parts.command(command);
        }
        Some(parts)
    })
}

impl Parts {
    fn file(&mut self, file: Cursor<'_, '_>) {
        let Some(path) = file.text_of("path") else { return };
        if STATIC_PODS.iter().any(|folder| path.value.starts_with(folder)) {
            self.pod.get_or_insert(path.span);
            self.wants_hosts |= content(file).is_some_and(|content| content.contains(HOSTS_FILE));
        } else if path.value == HOSTS_FILE {
            self.has_hosts = true;
            self.rest.get_or_insert(path.span);
        } else if is_kube_vip_path(&path.value) {
            self.rest.get_or_insert(path.span);
        }
    }

    fn command(&mut self, command: Cursor<'_, '_>) {
        let Some(text) = command.text() else { return };
        if service(&text.value) != Service::Only {
            return;
        }
        // Some manifests have the pod printed by a command instead of a file.
        let writes = text.value.contains('>') || text.value.contains("tee ");
        let pod = STATIC_PODS.iter().any(|folder| text.value.contains(folder));
        if writes && pod && text.value.contains("manifest pod") {
            self.pod.get_or_insert(text.span);
        } else {
            self.rest.get_or_insert(text.span);
        }
    }
}
