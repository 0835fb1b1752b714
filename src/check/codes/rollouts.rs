//! The codes about what happens when machines are replaced.

use super::{Code, Severity};

codes! {
    ROLLOUT_STUCK "CI321" "rollout-stuck" Warning
        "A pool has enough addresses for its machines, but not for a plain roll-out of its groups: the new machine asks for an address before the old one gives its own up."
        "The next update gets stuck with a machine that waits for an address. With metal3 it stays stuck even when the pool grows, until the refused claim is repaired."
        "Give the pool as many addresses as the message says, and a spare one; or let the group delete first (maxSurge 0)."
}
