//! Takes what a person should know about an object, writes it as a Kubernetes event of the core group (the one that metal3's
//! rights allow); never twice the same within an hour, and never waits for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::call::{Caller, Key};
use super::clock;

/// How long the same thing is not said again about one object.
const SILENCE: Duration = Duration::from_secs(3600);
/// How many things said are remembered.
const MEMORY: usize = 4096;

/// The object that an event is about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) api_version: String,
    pub(super) kind: &'static str,
    pub(super) key: Key,
    pub(super) uid: String,
}

impl Subject {
    /// The subject that an object as read is.
    pub(super) fn of(kind: &'static str, object: &Value) -> Self {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            api_version: text("/apiVersion"),
            kind,
            key: Key::new(text("/metadata/namespace"), text("/metadata/name")),
            uid: text("/metadata/uid"),
        }
    }
}

/// How an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Worth knowing.
    Normal,
    /// Somebody has to do something.
    Warning,
}

/// Writes events.
pub(super) struct Events {
    caller: Caller,
    said: Mutex<HashMap<(String, String), Instant>>,
}

impl Events {
    pub(super) fn new(caller: Caller) -> Self {
        Self {
            caller,
            said: Mutex::default(),
        }
    }

    /// Says something about an object, in the background.
    pub(super) fn say(&self, subject: &Subject, tone: Tone, reason: &'static str, message: String) {
        if !self.is_new(subject, reason, &message) {
            return;
        }
        tracing::info!(kind = subject.kind, object = %subject.key, reason, message);
        let event = event(subject, tone, reason, &message);
        let caller = self.caller.clone();
        let namespace = subject.key.namespace.clone();
        tokio::spawn(async move {
            if let Err(trouble) = caller.post_event(&namespace, &event).await {
                tracing::debug!(%trouble, "an event was not written");
            }
        });
    }

    fn is_new(&self, subject: &Subject, reason: &str, message: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= MEMORY {
            said.retain(|_, time| time.elapsed() < SILENCE);
        }
        if said.len() >= MEMORY {
            said.clear();
        }
        let thing = (format!("{}{}", subject.uid, subject.key), format!("{reason} {message}"));
        match said.insert(thing, clock::instant()) {
            Some(time) => time.elapsed() >= SILENCE,
            None => true,
        }
    }
}

fn event(subject: &Subject, tone: Tone, reason: &str, message: &str) -> Value {
    let now = clock::now();
    let time = clock::seconds(now);
    let object = &subject.key;
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            // As client-go names them: unique by time, and sorted by it.
            "name": format!("{}.{:x}", stem(&object.name), now.as_nanosecond()),
            "namespace": object.namespace,
        },
        "involvedObject": {
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "namespace": object.namespace,
            "name": object.name,
            "uid": subject.uid,
        },
        "type": match tone { Tone::Normal => "Normal", Tone::Warning => "Warning" },
        "reason": reason,
        // The API server refuses more than 1024 bytes.
        "message": message.chars().take(250).collect::<String>(),
        "source": {"component": "capv-ipam"},
        "reportingComponent": "capv-ipam",
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    })
}

/// The beginning of an object's name that leaves room for the time.
fn stem(name: &str) -> &str {
    let end = name.char_indices().nth(200).map_or(name.len(), |(end, _)| end);
    name[..end].trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
}
