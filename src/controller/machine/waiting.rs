//! Takes why an object waits, makes it visible: an annotation that stays as long as the wait, and an event; never touches
//! CAPV's conditions.

use serde_json::{Value, json};

use super::super::call::{Key, Trouble};
use super::super::event::{Subject, Tone};
use super::super::kinds::Kind;
use super::super::queue::Pass;
use super::super::world::World;

/// Annotation that says what a machine waits for.
pub(in super::super) const WAITING_FOR: &str = "capv-ipam.dev/waiting-for";

/// What an object waits for, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Waiting {
    pub(in super::super) reason: &'static str,
    pub(in super::super) message: String,
    /// Nothing that is watched tells of its end, so the way out is to try again.
    retried: bool,
}

impl Waiting {
    pub(in super::super) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            retried: false,
        }
    }

    /// The API server does not take what is written.
    pub(in super::super) fn not_taken(reason: &'static str, what: &str, trouble: &Trouble) -> Self {
        Self {
            reason,
            message: format!("the API server does not take {what}: {trouble}"),
            retried: true,
        }
    }

    /// The same, tried again and again.
    pub(in super::super) fn retried(self) -> Self {
        Self { retried: true, ..self }
    }

    /// Of two waits of one object: the first is shown, and either is reason enough to try again.
    pub(in super::super) fn and(self, other: Self) -> Self {
        Self {
            retried: self.retried || other.retried,
            ..self
        }
    }
}

/// Concludes a pass: shows the wait, or takes the sign of an earlier one off, and says how the pass ends.
///
/// # Errors
/// Those of the API server.
pub(in super::super) async fn conclude(
    world: &World,
    kind: Kind,
    key: &Key,
    object: &Value,
    waiting: Option<&Waiting>,
) -> Result<Pass, Trouble> {
    let pass = if waiting.is_some_and(|waiting| waiting.retried) {
        Pass::Failed
    } else {
        Pass::DONE
    };
    let old = object
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get(WAITING_FOR));
    let new = waiting.map(|waiting| format!("{}: {}", waiting.reason, waiting.message));
    if let Some(waiting) = waiting {
        let subject = Subject::of(kind.names().1, object);
        world
            .events
            .say(&subject, Tone::Warning, waiting.reason, waiting.message.clone());
    }
    if old.and_then(Value::as_str) == new.as_deref() {
        return Ok(pass);
    }
    let patch = json!({"metadata": {
        "resourceVersion": object.pointer("/metadata/resourceVersion"),
        "annotations": {WAITING_FOR: new},
    }});
    match world.caller.patch(kind, key, &patch).await {
        Ok(stored) => world.keep(kind, stored),
        Err(Trouble::Missing) => {}
        Err(trouble) => return Err(trouble),
    }
    Ok(pass)
}
