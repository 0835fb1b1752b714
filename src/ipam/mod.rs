//! Takes addresses, ranges and networks as plain values and computes with them; never reads a file, a clock or a cluster.

mod address;
mod network;
mod range;
mod usable;

pub use address::{AddressError, Family, mapped_number, number, parse_address};
pub use network::{Network, NetworkError};
pub use range::{AddressRange, Addresses, RangeError};
pub use usable::usable_range;
