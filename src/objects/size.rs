//! Takes the fields of a machine group and gives how many machines it has and how many more a roll-out adds; what is a placeholder is unknown, never guessed.

use super::cursor::Cursor;
use super::is_placeholder;

/// How many machines a group can have at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSize {
    /// Replicas, or the autoscaler's maximum; `None` while it is a placeholder or comes from elsewhere.
    pub replicas: Option<u32>,
    /// Machines that a roll-out adds before it removes others; `None` when unknown.
    pub surge: Option<u32>,
    /// Whether the replicas are the autoscaler's.
    pub autoscaler: Autoscaler,
}

/// What the annotations for the autoscaler say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Autoscaler {
    /// Nothing: `replicas` counts.
    #[default]
    Off,
    /// The group has this many machines at least, and up to its replicas.
    From(u32),
    /// A placeholder; nothing is known.
    Unknown,
    /// No numbers, or a minimum above the maximum; Cluster API refuses that.
    Wrong,
}

impl GroupSize {
    /// Replicas and surge together, where both are known.
    #[must_use]
    pub fn peak(self) -> Option<u64> {
        Some(u64::from(self.replicas?) + u64::from(self.surge?))
    }
}

/// What the surge of a kind is when nothing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surge {
    /// KubeadmControlPlane and MachineDeployment: one (CAPI's defaulting webhooks).
    One,
    /// A MachineSet replaces nothing by itself.
    None,
}

/// Where the autoscaler finds the smallest and the largest size (CAPI `api/core/v1beta2/common_types.go`).
pub(crate) const AUTOSCALER: [&str; 2] = [
    "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size",
    "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size",
];

/// The size of a group whose `replicas` and strategy stand in `spec`, with annotations in `metadata`.
pub(super) fn size(spec: Option<Cursor<'_, '_>>, metadata: Option<Cursor<'_, '_>>, surge: Surge) -> GroupSize {
    let annotation = |key| metadata.and_then(|metadata| metadata.at(&["annotations", key])?.text());
    let [minimum, maximum] = AUTOSCALER.map(annotation);
    let written = || match spec.and_then(|spec| spec.text_of("replicas")) {
        None => Some(1),
        Some(text) => text.value.parse().ok(),
    };
    // Only both annotations together make the autoscaler's size.
    let (replicas, autoscaler) = match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => match (minimum.value.parse(), maximum.value.parse()) {
            (Ok(least), Ok(most)) if least <= most => (Some(most), Autoscaler::From(least)),
            _ if is_placeholder(&minimum.value) || is_placeholder(&maximum.value) => (None, Autoscaler::Unknown),
            _ => (None, Autoscaler::Wrong),
        },
        (None, None) => (written(), Autoscaler::Off),
        (Some(one), None) | (None, Some(one)) if one.value.parse::<u32>().is_ok() || is_placeholder(&one.value) => {
            (written(), Autoscaler::Off)
        }
        _ => (None, Autoscaler::Wrong),
    };
    let surge = match surge {
        Surge::None => Some(0),
        Surge::One => spec.map_or(Some(1), |spec| written_surge(spec, replicas)),
    };
    GroupSize {
        replicas,
        surge,
        autoscaler,
    }
}

/// `maxSurge` where the API versions keep it; a percentage counts of the replicas, rounded up (CAPI `mdutil/util.go`).
fn written_surge(spec: Cursor<'_, '_>, replicas: Option<u32>) -> Option<u32> {
    const STRATEGIES: [&[&str]; 3] = [&["rollout", "strategy"], &["rolloutStrategy"], &["strategy"]];
    let Some(strategy) = STRATEGIES.iter().find_map(|path| spec.at(path)) else {
        return Some(1);
    };
    if strategy.text_of("type").is_some_and(|text| text.value == "OnDelete") {
        return Some(0);
    }
    let Some(surge) = strategy.at(&["rollingUpdate", "maxSurge"]).and_then(Cursor::text) else {
        return Some(1);
    };
    match surge.value.strip_suffix('%') {
        Some(percent) => {
            let part = u64::from(replicas?) * percent.trim().parse::<u64>().ok()?;
            u32::try_from(part.div_ceil(100)).ok()
        }
        None => surge.value.parse().ok(),
    }
}
