//! Takes texts and pairs of addresses, gives inclusive ranges with 128-bit arithmetic; costs the same for every size.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use super::address::{AddressError, Family, number, parse_address};
use super::network::{Network, NetworkError};

/// Why a text or a pair of addresses is no range. Every message says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RangeError {
    /// One end is not an IP address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The text has a slash but is not a network, or the prefix does not fit the family.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The two ends are of different families.
    #[error("{start} is {} and {end} is {}; write both ends of a range in one family", Family::of(*start), Family::of(*end))]
    MixedFamilies {
        /// The lower end as given.
        start: IpAddr,
        /// The upper end as given.
        end: IpAddr,
    },
    /// The upper end lies below the lower end.
    #[error("the range ends at {end}, before its start {start}; write the lower address first")]
    Reversed {
        /// The lower end as given.
        start: IpAddr,
        /// The upper end as given.
        end: IpAddr,
    },
    /// Without the network and broadcast address nothing is left.
    #[error(
        "{range} holds nothing but the network or broadcast address of its /{prefix}; name other addresses or another prefix"
    )]
    NothingUsable {
        /// The addresses that the text stands for.
        range: AddressRange,
        /// The prefix length in bits that says which addresses are reserved.
        prefix: u8,
    },
}

/// All addresses from `start` to `end`, both included: one family, never empty. Ordered by family, start, end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    start: IpAddr,
    end: IpAddr,
}

impl AddressRange {
    /// The addresses from `start` to `end`.
    ///
    /// # Errors
    /// [`RangeError::MixedFamilies`] and [`RangeError::Reversed`].
    pub fn new(start: IpAddr, end: IpAddr) -> Result<Self, RangeError> {
        if Family::of(start) != Family::of(end) {
            return Err(RangeError::MixedFamilies { start, end });
        }
        if start > end {
            return Err(RangeError::Reversed { start, end });
        }
        Ok(Self { start, end })
    }

    /// The range of one address.
    #[must_use]
    pub const fn single(address: IpAddr) -> Self {
        Self {
            start: address,
            end: address,
        }
    }

    /// Every address of the network, network and broadcast address included.
    #[must_use]
    pub fn whole(network: Network) -> Self {
        Self {
            start: network.network(),
            end: network.last(),
        }
    }

    /// The addresses between two numbers of a family, `None` if there are none or they leave the family.
    #[must_use]
    pub fn from_numbers(family: Family, start: u128, end: u128) -> Option<Self> {
        let (start, end) = (family.address(start)?, family.address(end)?);
        (start <= end).then_some(Self { start, end })
    }

    /// The lowest address.
    #[must_use]
    pub const fn start(self) -> IpAddr {
        self.start
    }

    /// The highest address.
    #[must_use]
    pub const fn end(self) -> IpAddr {
        self.end
    }

    /// The family of every address of the range.
    #[must_use]
    pub const fn family(self) -> Family {
        Family::of(self.start)
    }

    /// How many addresses: 1 to 2^128-1; the whole of IPv6 (2^128) is given as 2^128-1.
    #[must_use]
    pub fn size(self) -> u128 {
        (number(self.end) - number(self.start)).saturating_add(1)
    }

    /// Whether the address lies in the range; never for one of the other family.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        // IpAddr orders every IPv4 below every IPv6 address, so both ends together decide the family too.
        self.start <= address && address <= self.end
    }

    /// Whether the two ranges share an address.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// The addresses that both ranges hold.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        self.overlaps(other).then(|| Self {
            start: self.start.max(other.start),
            end: self.end.min(other.end),
        })
    }

    /// The address that lies `index` places after the start, `None` past the end.
    #[must_use]
    pub fn nth(self, index: u128) -> Option<IpAddr> {
        let wanted = number(self.start).checked_add(index)?;
        self.family().address(wanted).filter(|address| *address <= self.end)
    }

    /// The addresses in ascending order, one at a time.
    #[must_use]
    pub fn iter(self) -> Addresses {
        Addresses { rest: Some(self) }
    }
}

impl fmt::Display for AddressRange {
    /// `start-end`, or the address alone where they are equal; reads back as the same range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            return self.start.fmt(f);
        }
        write!(f, "{}-{}", self.start, self.end)
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    /// Reads `a-b`, `a`, or a CIDR (all its addresses, see [`usable_range`](super::usable_range)); spaces around an address do not count.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        let text = text.trim();
        if text.contains('/') {
            return Ok(Self::whole(text.parse()?));
        }
        match text.split_once('-') {
            Some((start, end)) => Self::new(parse_address(start.trim())?, parse_address(end.trim())?),
            None => Ok(Self::single(parse_address(text)?)),
        }
    }
}

impl From<Network> for AddressRange {
    fn from(network: Network) -> Self {
        Self::whole(network)
    }
}

impl IntoIterator for AddressRange {
    type Item = IpAddr;
    type IntoIter = Addresses;

    fn into_iter(self) -> Addresses {
        self.iter()
    }
}

/// The addresses of a range in ascending order.
#[derive(Clone, Debug)]
pub struct Addresses {
    rest: Option<AddressRange>,
}

impl Iterator for Addresses {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        let range = self.rest?;
        self.rest = range.nth(1).map(|start| AddressRange { start, ..range });
        Some(range.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().expect("a range")
    }

    #[test]
    fn reads_ranges_addresses_and_networks() {
        assert_eq!(range("10.0.0.1 - 10.0.0.5").size(), 5);
        assert_eq!(range("10.0.0.7").to_string(), "10.0.0.7");
        assert_eq!(range("10.0.0.10/24").to_string(), "10.0.0.0-10.0.0.255");
        assert_eq!(range("::/0").size(), u128::MAX);
        for text in [
            "10.0.0.5-10.0.0.1",
            "10.0.0.1-::1",
            "a",
            "",
            "-",
            "10.0.0.0/24-10.0.1.0/24",
            "10.0.0.1-10.0.0.2-10.0.0.3",
        ] {
            assert!(text.parse::<AddressRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn iterates_up_to_the_very_last_address() {
        let texts: Vec<String> = range("255.255.255.254-255.255.255.255")
            .iter()
            .map(|a| a.to_string())
            .collect();
        assert_eq!(texts, ["255.255.255.254", "255.255.255.255"]);
        assert_eq!(AddressRange::single(Family::V6.last()).iter().count(), 1);
    }

    #[test]
    fn shares_addresses_only_within_a_family() {
        assert!(range("10.0.0.1-10.0.0.5").overlaps(range("10.0.0.5-10.0.0.9")));
        assert!(!range("10.0.0.1-10.0.0.5").overlaps(range("10.0.0.6")));
        assert!(!range("0.0.0.0/0").overlaps(range("::/0")));
        assert_eq!(
            range("10.0.0.1-10.0.0.5").intersection(range("10.0.0.4/30")),
            Some(range("10.0.0.4-10.0.0.5"))
        );
    }
}
