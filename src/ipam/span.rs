//! Takes addresses of both families, gives closed spans of one 128-bit line on which IPv4 lies at `::ffff:0:0/96`;
//! the only place that knows this line.

use std::net::{IpAddr, Ipv6Addr};

use super::address::{Family, mapped_number};
use super::range::AddressRange;

/// First number of the IPv4 part of the line.
const FIRST_V4: u128 = 0xffff_0000_0000;
/// Last number of the IPv4 part of the line.
pub(crate) const LAST_V4: u128 = 0xffff_ffff_ffff;

/// The address at a place of the line, in canonical form: IPv4 within the IPv4 part.
pub(crate) fn address_at(place: u128) -> IpAddr {
    Ipv6Addr::from_bits(place).to_canonical()
}

/// The places from `first` to `last`, both included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u128,
    pub(crate) last: u128,
}

impl Span {
    /// The span between two places, `None` where it would be empty.
    pub(crate) fn new(first: u128, last: u128) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    pub(crate) fn contains(self, place: u128) -> bool {
        (self.first..=self.last).contains(&place)
    }

    pub(crate) fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// The span as ranges of one family each: one, except where it crosses the edges of the IPv4 part.
    pub(crate) fn ranges(self) -> impl Iterator<Item = AddressRange> {
        [
            (0, FIRST_V4 - 1, Family::V6),
            (FIRST_V4, LAST_V4, Family::V4),
            (LAST_V4 + 1, u128::MAX, Family::V6),
        ]
        .into_iter()
        .filter_map(move |(first, last, family)| {
            let part = self.intersection(Self { first, last })?;
            let origin = if family == Family::V4 { FIRST_V4 } else { 0 };
            AddressRange::from_numbers(family, part.first - origin, part.last - origin)
        })
    }
}

impl From<AddressRange> for Span {
    fn from(range: AddressRange) -> Self {
        Self {
            first: mapped_number(range.start()),
            last: mapped_number(range.end()),
        }
    }
}
