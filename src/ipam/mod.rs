//! Takes pool specs, claims and addresses as plain values, gives decisions; never reads a file, a clock or a cluster.

pub mod admission;

mod address;
mod allocate;
mod claim;
mod compose;
mod decide;
mod entry;
mod evidence;
mod field;
mod holdings;
mod in_cluster;
mod indexes;
mod naming;
mod network;
mod object;
mod occupancy;
mod outcome;
mod pool;
mod quote;
mod range;
mod refusal;
mod release;
mod set;
mod span;
mod strategy;
mod usable;

pub use address::{AddressError, Family, mapped_number, number, parse_address};
pub use allocate::allocate;
pub use claim::{Claim, ClaimId, ClaimKind, ippool_reference};
pub use compose::{cluster_api_address, metal3_address};
pub use decide::decide;
pub use entry::{Entry, EntryError};
pub use field::{FieldError, FieldPath, FieldStep};
pub use in_cluster::InClusterAddresses;
pub use naming::{Naming, address_object_name};
pub use network::{Network, NetworkError};
pub use object::{AddressObject, ObjectId};
pub use occupancy::{NameCollision, Occupancy};
pub use outcome::{Granted, Outcome, Refused, Released, Snapshot, Source};
pub use pool::{Grant, Pool, Succession};
pub use range::{AddressRange, Addresses, RangeError};
pub use refusal::Refusal;
pub use set::AddressSet;
pub use strategy::{Randomness, Seeded, Strategy};
pub use usable::usable_range;
