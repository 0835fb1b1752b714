//! Takes the steps to a field and what is wrong there, gives the path and the message that Kubernetes prints; knows
//! nothing of texts or their spans.

use std::fmt;

use super::quote::go_quote;

/// One step of a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldStep {
    /// A member of an object or a key of a map.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// Where in an object a field lies, from the top: `spec.pools[0].gateway`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<FieldStep>);

impl FieldPath {
    /// The path of these keys, one below the other.
    #[must_use]
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| FieldStep::Key((*key).into())).collect())
    }

    /// The path of a member or map key below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(FieldStep::Key(key.into()))
    }

    /// The path of a list element below this one, from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(FieldStep::Index(index))
    }

    /// The steps from the top.
    #[must_use]
    pub fn steps(&self) -> &[FieldStep] {
        &self.0
    }

    fn step(&self, step: FieldStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                FieldStep::Key(key) if place == 0 => f.write_str(key)?,
                FieldStep::Key(key) => write!(f, ".{key}")?,
                FieldStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A field with a value that is not allowed; `Display` is the API server's `<path>: Invalid value: <value>: <detail>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: Invalid value: {}: {detail}", go_quote(value))]
pub struct FieldError {
    /// Where.
    pub path: FieldPath,
    /// The value as given; empty where the whole of an entry is meant.
    pub value: String,
    /// What is wrong with it.
    pub detail: String,
}

impl FieldError {
    pub(crate) fn new(path: FieldPath, value: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            path,
            value: value.into(),
            detail: detail.into(),
        }
    }
}
