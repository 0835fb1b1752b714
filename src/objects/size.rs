//! Takes the fields of a machine group and gives how many machines it has and how many more a roll-out adds; what is a placeholder is unknown, never guessed.

use super::cursor::Cursor;

/// How many machines a group can have at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSize {
    /// Replicas, or the autoscaler's maximum; `None` while it is a placeholder or comes from elsewhere.
    pub replicas: Option<u32>,
    /// Machines that a roll-out adds before it removes others; `None` when unknown.
    pub surge: Option<u32>,
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

/// Where the autoscaler finds the largest size (CAPI `api/core/v1beta2/common_types.go`).
const AUTOSCALER_MAX: &str = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size";

/// The size of a group whose `replicas` and strategy stand in `spec`, with annotations in `metadata`.
pub(super) fn size(spec: Option<Cursor<'_, '_>>, metadata: Option<Cursor<'_, '_>>, surge: Surge) -> GroupSize {
    let maximum = metadata
        .and_then(|metadata| metadata.at(&["annotations", AUTOSCALER_MAX]))
        .and_then(Cursor::text);
    let written = maximum.or_else(|| spec?.text_of("replicas"));
    let replicas = match written {
        None => Some(1),
        Some(text) => text.value.parse().ok(),
    };
    let surge = match surge {
        Surge::None => Some(0),
        Surge::One => spec.map_or(Some(1), |spec| written_surge(spec, replicas)),
    };
    GroupSize { replicas, surge }
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
