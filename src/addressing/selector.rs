//! Takes the text of a selector and gives what it means; never looks at a manifest.

use std::fmt;
use std::str::FromStr;

/// Which machine groups a pool serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The control-plane object's group.
    ControlPlane,
    /// MachineDeployments and MachineSets, those of a topology included.
    Workers,
    /// Every group whose template is a VSphereMachineTemplate, etcd groups included.
    All,
    /// One group by kind and name.
    Group {
        /// The kind of the group's object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// A template, for every group that uses it.
    Template(String),
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = "allowed are control-plane, workers, all, KIND/NAME and template/NAME";
        match text {
            "control-plane" => Ok(Selector::ControlPlane),
            "workers" => Ok(Selector::Workers),
            "all" => Ok(Selector::All),
            _ => match text.split_once('/') {
                Some(("", _) | (_, "")) | None => Err(format!("{text:?} is no selector; {allowed}")),
                Some(("template", name)) => Ok(Selector::Template(name.to_owned())),
                Some((kind, name)) => Ok(Selector::Group {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                }),
            },
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::ControlPlane => out.write_str("control-plane"),
            Selector::Workers => out.write_str("workers"),
            Selector::All => out.write_str("all"),
            Selector::Group { kind, name } => write!(out, "{kind}/{name}"),
            Selector::Template(name) => write!(out, "template/{name}"),
        }
    }
}

impl Selector {
    /// The middle of the default pool name `<cluster>-<selector>-pool`.
    #[must_use]
    pub fn pool_name(&self, cluster: &str) -> String {
        let selector = match self {
            Selector::Group { name, .. } | Selector::Template(name) => name
                .strip_prefix(cluster)
                .and_then(|rest| rest.strip_prefix('-'))
                .unwrap_or(name)
                .to_owned(),
            word => word.to_string(),
        };
        format!("{cluster}-{selector}-pool")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_pool_name_holds_the_cluster_once() {
        let name = |text: &str| text.parse::<Selector>().unwrap().pool_name("demo");
        assert_eq!(name("control-plane"), "demo-control-plane-pool");
        assert_eq!(name("MachineDeployment/demo-md-0"), "demo-md-0-pool");
        assert_eq!(name("template/gpu"), "demo-gpu-pool");
        assert!(
            "masters"
                .parse::<Selector>()
                .unwrap_err()
                .contains("allowed are control-plane")
        );
        assert!("template/".parse::<Selector>().is_err());
    }
}
