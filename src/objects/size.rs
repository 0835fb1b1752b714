//! Takes the fields of a machine group and gives how many machines it has and how a roll-out replaces them; what is a placeholder is unknown, never guessed.

use super::cursor::Cursor;
use super::is_placeholder;
use super::manifest::Manifest;
use super::object::Object;

/// How many machines a group can have at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSize {
    /// Replicas, or the autoscaler's maximum; `None` while it is a placeholder or comes from elsewhere.
    pub replicas: Option<u32>,
    /// Machines that a roll-out adds before it removes others; `None` when unknown.
    pub surge: Option<u32>,
    /// Whether the replicas are the autoscaler's.
    pub autoscaler: Autoscaler,
    /// How machines of an older template are replaced.
    pub strategy: Strategy,
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
    /// A size whose surge follows from the strategy.
    #[must_use]
    pub fn new(replicas: Option<u32>, strategy: Strategy) -> Self {
        GroupSize {
            replicas,
            surge: strategy.surge(replicas),
            autoscaler: Autoscaler::Off,
            strategy,
        }
    }

    /// Replicas and surge together, where both are known.
    #[must_use]
    pub fn peak(self) -> Option<u64> {
        Some(u64::from(self.replicas?) + u64::from(self.surge?))
    }
}

/// How machines of an older template are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// By a roll-out, of which `maxSurge` and `maxUnavailable` are known as they are written.
    Rolling {
        /// `maxSurge`.
        surge: Amount,
        /// `maxUnavailable`; a control plane has none.
        unavailable: Amount,
    },
    /// Only when somebody deletes them: `OnDelete`, and every MachineSet.
    OnDelete,
}

/// A number of machines as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Number(u32),
    /// Hundredths of the replicas.
    Percent(u32),
    /// A placeholder, or written where this program does not look.
    Unknown,
}

impl Default for Strategy {
    /// What CAPI's defaulting webhooks write where nothing is given.
    fn default() -> Self {
        Strategy::Rolling {
            surge: Amount::Number(1),
            unavailable: Amount::Number(0),
        }
    }
}

impl Strategy {
    /// A roll-out of which nothing is known.
    pub const UNKNOWN: Self = Strategy::Rolling {
        surge: Amount::Unknown,
        unavailable: Amount::Unknown,
    };

    /// Machines that a roll-out adds before it removes others: percentages rounded up, never more than there are to
    /// replace (CAPI `mdutil/util.go`). `None` when unknown.
    #[must_use]
    pub fn surge(self, replicas: Option<u32>) -> Option<u32> {
        let Strategy::Rolling { surge, .. } = self else {
            return Some(0);
        };
        let most = |surge: u32| replicas.map_or(surge, |replicas| surge.min(replicas));
        Some(most(surge.of(replicas, u64::div_ceil)?))
    }

    /// Machines that a roll-out may leave missing: percentages rounded down, and one where neither surge nor this is
    /// given (CAPI `mdutil/util.go`). `None` when unknown.
    #[must_use]
    pub fn unavailable(self, replicas: Option<u32>) -> Option<u32> {
        let Strategy::Rolling { unavailable, .. } = self else {
            return Some(0);
        };
        let unavailable = unavailable.of(replicas, |part, whole| part / whole)?;
        let neither = unavailable == 0 && self.surge(replicas) == Some(0) && replicas != Some(0);
        Some(if neither { 1 } else { unavailable })
    }

    /// The strategy of a control plane's template, such as a KubeadmControlPlaneTemplate.
    #[must_use]
    pub fn of_template(manifest: &Manifest<'_>, object: &Object<'_>) -> Self {
        manifest.with_object(object, |at| {
            let spec = at.at(&["spec", "template", "spec"]);
            spec.and_then(Strategy::read).unwrap_or_default()
        })
    }

    /// Reads the strategy where the API versions keep it below `spec`; `None` where nothing is written.
    pub(super) fn read(spec: Cursor<'_, '_>) -> Option<Self> {
        const STRATEGIES: [&[&str]; 3] = [&["rollout", "strategy"], &["rolloutStrategy"], &["strategy"]];
        let strategy = STRATEGIES.iter().find_map(|path| spec.at(path))?;
        if strategy.text_of("type").is_some_and(|text| text.value == "OnDelete") {
            return Some(Strategy::OnDelete);
        }
        let amount = |key, default| {
            let text = strategy.at(&["rollingUpdate", key]).and_then(Cursor::text);
            text.map_or(Amount::Number(default), |text| Amount::read(&text.value))
        };
        Some(Strategy::Rolling {
            surge: amount("maxSurge", 1),
            unavailable: amount("maxUnavailable", 0),
        })
    }
}

impl Amount {
    fn read(text: &str) -> Self {
        match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse().map_or(Amount::Unknown, Amount::Percent),
            None => text.parse().map_or(Amount::Unknown, Amount::Number),
        }
    }

    fn of(self, replicas: Option<u32>, round: impl Fn(u64, u64) -> u64) -> Option<u32> {
        match self {
            Amount::Number(number) => Some(number),
            Amount::Percent(percent) => u32::try_from(round(u64::from(replicas?) * u64::from(percent), 100)).ok(),
            Amount::Unknown => None,
        }
    }
}

/// Where the autoscaler finds the smallest and the largest size (CAPI `api/core/v1beta2/common_types.go`).
pub(crate) const AUTOSCALER: [&str; 2] = [
    "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size",
    "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size",
];

/// The size of a group whose `replicas` stand in `spec`, with annotations in `metadata`.
pub(super) fn size(
    spec: Option<Cursor<'_, '_>>,
    metadata: Option<Cursor<'_, '_>>,
    strategy: Option<Strategy>,
) -> GroupSize {
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
    GroupSize {
        autoscaler,
        ..GroupSize::new(replicas, strategy.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolling(surge: Amount, unavailable: Amount) -> Strategy {
        Strategy::Rolling { surge, unavailable }
    }

    #[test]
    fn surge_rounds_up_and_unavailable_down() {
        let quarter = rolling(Amount::Percent(25), Amount::Percent(25));
        assert_eq!(
            (quarter.surge(Some(5)), quarter.unavailable(Some(5))),
            (Some(2), Some(1))
        );
        assert_eq!((quarter.surge(None), quarter.unavailable(None)), (None, None));
    }

    #[test]
    fn a_roll_out_never_adds_more_than_it_replaces() {
        let many = rolling(Amount::Number(5), Amount::Number(0));
        assert_eq!(
            (many.surge(Some(2)), many.surge(Some(0)), many.surge(None)),
            (Some(2), Some(0), Some(5))
        );
        assert_eq!(rolling(Amount::Percent(300), Amount::Number(0)).surge(Some(4)), Some(4));
    }

    #[test]
    fn without_surge_one_machine_may_be_missing() {
        let neither = rolling(Amount::Number(0), Amount::Number(0));
        assert_eq!(
            (neither.surge(Some(3)), neither.unavailable(Some(3))),
            (Some(0), Some(1))
        );
        assert_eq!(
            rolling(Amount::Percent(0), Amount::Percent(10)).unavailable(Some(3)),
            Some(1)
        );
    }
}
