//! Takes a machine group and gives what is known of its machines' names before they exist.

use crate::addressing::{GroupSource, MachineGroup};
use crate::objects::{Detail, Manifest};

/// Stands for one random character until the pattern is written out.
const RANDOM: char = '\u{0}';
/// Characters of a name before its random end (Kubernetes `storage/names/generate.go`).
const BASE: usize = 58;

/// A name with its random parts in angle brackets, such as `demo-md-0-<5 random>-<5 random>`; `None` where the name
/// follows from what is not in the manifest (CAPI `names.go`, `kubeadmcontrolplane` and `machineset` controllers).
pub(super) fn machine_pattern(manifest: &Manifest<'_>, group: &MachineGroup<'_, '_>) -> Option<String> {
    let (owner, template) = match group.source {
        GroupSource::Object(index) => {
            let object = &manifest.objects[index];
            let Detail::Group(detail) = &object.detail else {
                return None;
            };
            (
                object.name().to_owned(),
                detail.naming.as_ref().map(|text| &*text.value),
            )
        }
        // The objects of a topology get names of their own first.
        GroupSource::TopologyControlPlane { .. } => (generated(group.cluster_name?), None),
        GroupSource::TopologyWorkers { .. } => (generated(&format!("{}-{}", group.cluster_name?, group.name)), None),
        GroupSource::ClassControlPlane(_) | GroupSource::ClassWorkers(..) => return None,
    };
    if owner.is_empty() {
        return None;
    }
    let maker = if group.kind == "MachineDeployment" {
        generated(&owner)
    } else {
        owner
    };
    let name = match template {
        Some(template) => rendered(template, &maker, group.cluster_name)?,
        None => generated(&maker),
    };
    Some(written(&name))
}

/// A base, cut to what leaves room, and five random characters.
fn generated(base: &str) -> String {
    let base: String = format!("{base}-").chars().take(BASE).collect();
    base + &RANDOM.to_string().repeat(5)
}

/// A name template of CAPI 1.8 and later; `None` for one that says more than names and a random part.
fn rendered(template: &str, maker: &str, cluster: Option<&str>) -> Option<String> {
    let mut name = String::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once("{{") {
        let (variable, after) = after.split_once("}}")?;
        name += text;
        name += &match variable.trim() {
            ".random" => RANDOM.to_string().repeat(5),
            ".cluster.name" => cluster?.to_owned(),
            ".kubeadmControlPlane.name" | ".machineSet.name" => maker.to_owned(),
            _ => return None,
        };
        rest = after;
    }
    Some(name + rest)
}

fn written(name: &str) -> String {
    let mut pattern = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(RANDOM) {
        let random = rest[start..].chars().take_while(|char| *char == RANDOM).count();
        pattern += &rest[..start];
        pattern += &format!("<{random} random>");
        rest = &rest[start + random..];
    }
    pattern + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_before_the_random_part() {
        assert_eq!(written(&generated("demo-cp")), "demo-cp-<5 random>");
        assert_eq!(
            written(&generated(&generated("demo-md-0"))),
            "demo-md-0-<5 random>-<5 random>"
        );
        let long = "a".repeat(60);
        assert_eq!(written(&generated(&long)), format!("{}<5 random>", "a".repeat(58)));
        // The second cut goes through the first random part.
        let long = "a".repeat(54);
        assert_eq!(written(&generated(&generated(&long))), format!("{long}-<8 random>"));
    }

    #[test]
    fn a_template_of_names_is_followed() {
        let template = "{{ .cluster.name }}-{{.kubeadmControlPlane.name}}-{{ .random }}";
        let name = rendered(template, "cp", Some("demo"));
        assert_eq!(name.map(|name| written(&name)), Some("demo-cp-<5 random>".into()));
        assert_eq!(rendered("{{ .cluster.name | upper }}", "cp", Some("demo")), None);
        assert_eq!(rendered("{{ .cluster.name", "cp", Some("demo")), None);
    }
}
