//! The only place that reads the clock: gives wall time for what is written into objects, and a steady clock for waiting.
#![allow(clippy::disallowed_methods, reason = "this file is the room's clock")]

use jiff::Timestamp;
use tokio::time::Instant;

/// The time of day, for objects and events. No decision about an address depends on it.
#[must_use]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The time in the form that the API server writes: RFC 3339 in UTC with whole seconds.
#[must_use]
pub(super) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A point on the steady clock.
#[must_use]
pub(super) fn instant() -> Instant {
    Instant::now()
}
