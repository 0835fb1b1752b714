//! Takes the reasons for which a claim gets no address, gives metal3's own texts and Cluster API's reasons for them.

use thiserror::Error;

use super::field::FieldPath;
use super::quote::go_quote;
use crate::api::{capi, metal3};

/// Why a claim gets no address. `Display` is the text of `status.errorMessage` and of the Ready condition
/// (`ippool_manager.go`), word for word.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No address is free, or the requested one is in no entry.
    #[error("Exhausted IP Pools")]
    Exhausted,
    /// The requested or preallocated address is held, reserved, or its object's name is taken.
    #[error("Requested IP not available")]
    NotAvailable,
    /// The preallocated address is in no entry.
    #[error("Pre-allocated IP out of bounds")]
    OutOfBounds {
        /// The claim's name, the key in `preAllocations`.
        claim: String,
    },
    /// The annotation asks for another address than the preallocated one.
    #[error("PreAllocation and requested ip address are conflicting")]
    Conflicting,
    /// The annotation is not an address.
    #[error("Invalid ipAddress annotation {}: not a valid IP address", go_quote(beginning(text)))]
    InvalidRequest {
        /// The annotation as given.
        text: String,
    },
    /// The prefix length cannot be written into a Cluster API address.
    #[error("Invalid prefix value, it must be between 0 and 128")]
    InvalidPrefix {
        /// The entry that sets it, from 0; none where it is the pool's.
        entry: Option<usize>,
    },
}

/// The longest text of an annotation that is repeated to people, in bytes: an address has at most 45, an annotation 256 KiB.
const LONGEST_QUOTED: usize = 256;

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_QUOTED)]
}

impl Refusal {
    /// The reason of the claim's Ready=False condition.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Exhausted => capi::POOL_EXHAUSTED,
            _ => capi::ALLOCATION_FAILED,
        }
    }

    /// The field to change: of the pool if it begins with `spec`, of the claim if it begins with `metadata`.
    #[must_use]
    pub fn field(&self) -> Option<FieldPath> {
        match self {
            Self::Exhausted | Self::NotAvailable => None,
            Self::OutOfBounds { claim } => Some(FieldPath::of(&["spec", "preAllocations", claim])),
            Self::Conflicting | Self::InvalidRequest { .. } => {
                Some(FieldPath::of(&["metadata", "annotations", metal3::REQUEST_ANNOTATION]))
            }
            Self::InvalidPrefix { entry: None } => Some(FieldPath::of(&["spec", "prefix"])),
            Self::InvalidPrefix { entry: Some(entry) } => {
                Some(FieldPath::of(&["spec", "pools"]).index(*entry).key("prefix"))
            }
        }
    }
}
