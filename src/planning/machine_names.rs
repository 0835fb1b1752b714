//! Takes a machine group and gives what its machines will be called, with `<random>` for what is not known before they exist; never invents a name.

use crate::addressing::{GroupSource, MachineGroup};
use crate::objects::{Cursor, Manifest};

/// Five characters that Cluster API draws.
const RANDOM: &str = "<random>";

/// The pattern of the machines' names, which VSphereMachines and VSphereVMs share from Cluster API 1.7 on. None for a group
/// without a name.
///
/// Defaults and variables are those of Cluster API's `machineNaming` (v1beta1: `machineNamingStrategy`) of control planes and
/// MachineDeployments, and of `naming` (`namingStrategy`) of a ClusterClass. A variable that is not known stays as written.
pub(super) fn machine_name(manifest: &Manifest<'_>, group: &MachineGroup<'_, '_>) -> Option<String> {
    if group.name.is_empty() {
        return None;
    }
    let own_cluster = group.cluster.map(|cluster| manifest.objects[cluster].name());
    let cluster = own_cluster.or(group.cluster_name).unwrap_or("<cluster>");
    let made = |template: Option<String>, default: &str| {
        let template = template.unwrap_or_else(|| default.to_owned());
        replace(
            &template,
            &[
                ("cluster.name", cluster),
                ("machineDeployment.topologyName", group.name),
            ],
        )
    };
    let own = match group.source {
        GroupSource::Object(_) => group.name.to_owned(),
        GroupSource::TopologyControlPlane { .. } | GroupSource::ClassControlPlane(_) => {
            let template = class_naming(manifest, group, &["spec", "controlPlane"]);
            made(template, "{{ .cluster.name }}-{{ .random }}")
        }
        GroupSource::TopologyWorkers { .. } | GroupSource::ClassWorkers(..) => {
            let template = class_naming(manifest, group, &["spec", "workers", "machineDeployments"]);
            made(
                template,
                "{{ .cluster.name }}-{{ .machineDeployment.topologyName }}-{{ .random }}",
            )
        }
    };
    let machine_set = match group.kind {
        "MachineDeployment" => format!("{own}-{RANDOM}"),
        _ => own.clone(),
    };
    let template = match group.source {
        GroupSource::Object(object) => manifest.with_object(&manifest.objects[object], |at| {
            naming(at.get("spec")?, ["machineNaming", "machineNamingStrategy"])
        }),
        _ => None,
    };
    let default = || format!("{machine_set}-{RANDOM}");
    let known = [
        ("cluster.name", cluster),
        ("kubeadmControlPlane.name", &own),
        ("machineDeployment.name", &own),
        ("machineSet.name", &machine_set),
    ];
    Some(template.map_or_else(default, |template| replace(&template, &known)))
}

/// The name template of a control plane or worker class.
fn class_naming(manifest: &Manifest<'_>, group: &MachineGroup<'_, '_>, path: &[&str]) -> Option<String> {
    let (class, worker) = group.class?;
    manifest.with_object(&manifest.objects[class], |at| {
        let at = at.at(path)?;
        let named = |item: &Cursor<'_, '_>| item.text_of("class").map(|text| text.value).as_deref() == worker;
        let at = if worker.is_some() { at.items().find(named)? } else { at };
        naming(at, ["naming", "namingStrategy"])
    })
}

/// `template` of the first of two keys that is there.
fn naming(at: Cursor<'_, '_>, keys: [&str; 2]) -> Option<String> {
    let text = keys.iter().find_map(|key| at.get(key))?.text_of("template")?;
    Some(text.value.into_owned())
}

/// The template with its known variables replaced.
fn replace(template: &str, known: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, (inner, after))) = rest
        .split_once("{{")
        .and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        let name = inner.trim().trim_start_matches('.');
        let value = known
            .iter()
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| *value);
        out.push_str(before);
        match value.or((name == "random").then_some(RANDOM)) {
            Some(value) => out.push_str(value),
            None => out.extend(["{{", inner, "}}"]),
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_variables_are_replaced_and_others_stay() {
        let known = [("cluster.name", "blue"), ("machineSet.name", "blue-md-<random>")];
        let replaced = |template| replace(template, &known);
        assert_eq!(
            replaced("{{ .machineSet.name }}-{{.random}}"),
            "blue-md-<random>-<random>"
        );
        assert_eq!(replaced("x-{{ .cluster.name }}-{{ .site }}"), "x-blue-{{ .site }}");
        assert_eq!(replaced("{{ open"), "{{ open");
    }
}
