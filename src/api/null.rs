//! Takes a value that may be `null`, gives the type's default for it as Go's decoder does; never hides a wrong type.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default: Go writes an empty list or map of an object as `null` in places.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Whether a number is the zero that Go's `omitempty` leaves out.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_zero(value: &i64) -> bool {
    *value == 0
}
