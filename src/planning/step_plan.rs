//! The steps of an address plan as data, with the field names that their readers rely on; computes nothing.

use serde::{Deserialize, Serialize};

use super::plan::{Certainty, PoolReference, Size};

/// What holds after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepPlan {
    /// The event as it was asked for.
    pub event: String,
    /// Every group.
    pub groups: Vec<StepGroup>,
    /// Every pool.
    pub pools: Vec<StepPool>,
    /// What else there is to know of the event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a group holds after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepGroup {
    /// Its cluster, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The cluster's namespace, where the manifest gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether the addresses are known, or only the set that holds them.
    pub certainty: Certainty,
    /// Exact: what it holds, in order of creation. Set: all that it may hold, singly up to 256, then as ranges.
    pub addresses: Vec<String>,
    /// How many of them it holds; missing while it may be more or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
    /// Why it is not exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The pool that it draws from, where it is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolReference>,
    /// The same for each pool, where it draws from several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holdings: Vec<StepHolding>,
}

/// What a group holds of one of its pools after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepHolding {
    /// The pool.
    pub pool: PoolReference,
    /// Whether the addresses are known, or only the set that holds them.
    pub certainty: Certainty,
    /// As [`StepGroup::addresses`].
    pub addresses: Vec<String>,
    /// As [`StepGroup::held`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
    /// Why it is not exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How a pool was used by an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepPool {
    /// The pool.
    #[serde(flatten)]
    pub pool: PoolReference,
    /// Addresses held at once at most; missing when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<u64>,
    /// Whether a machine waits for an address and nothing goes on without somebody's help; missing when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<bool>,
    /// Whether that is so in every run, or only in some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_run: Option<bool>,
    /// Addresses wanted at once: with so many nobody waits; missing when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u64>,
    /// Addresses that it has for machines; missing when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Who waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_out: Option<String>,
}
