//! Takes address texts and numbers, gives canonical IP addresses and their family; knows nothing of ranges or pools.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// An address family. IPv4 sorts below IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// 32-bit addresses.
    V4,
    /// 128-bit addresses.
    V6,
}

impl Family {
    /// The family of an address as it stands: an IPv4-mapped address is IPv6 here unless [`parse_address`] read it.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Length of an address in bits, 32 or 128; also the longest prefix.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The highest address of the family.
    #[must_use]
    pub const fn last(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::BROADCAST),
            Self::V6 => IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)),
        }
    }

    /// The address that has this number within the family, `None` past the family's last address.
    #[must_use]
    pub fn address(self, number: u128) -> Option<IpAddr> {
        match self {
            Self::V4 => u32::try_from(number)
                .ok()
                .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
            Self::V6 => Some(IpAddr::V6(Ipv6Addr::from_bits(number))),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// The text is not one IP address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{text}\" is not an IP address; write one such as 10.0.0.10 or 2001:db8::10")]
pub struct AddressError {
    /// The text as given.
    pub text: String,
}

/// The address as a number within its family: 0 to 2^32-1, or 0 to 2^128-1.
#[must_use]
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address as a number on the 128-bit line on which IPv4 lies at `::ffff:0:0/96`: metal3's arithmetic (`utils.go`)
/// compares addresses of two families there.
#[must_use]
pub fn mapped_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Reads one IP address. An IPv4-mapped IPv6 text is the IPv4 address that it stands for, so equal addresses are equal
/// values, and `Display` gives the canonical text (lower case, RFC 5952).
///
/// # Errors
/// [`AddressError`] for any other text; zones and IPv4 octets with leading zeros are other text.
pub fn parse_address(text: &str) -> Result<IpAddr, AddressError> {
    text.parse::<IpAddr>()
        .map(|address| address.to_canonical())
        .map_err(|_| AddressError { text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_text_is_the_ipv4_address() {
        assert_eq!(
            parse_address("::ffff:a00:1"),
            Ok(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)))
        );
        assert_eq!(
            parse_address("2001:0DB8:0:0::000a").map(|a| a.to_string()),
            Ok("2001:db8::a".to_owned())
        );
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            "010.0.0.1",
            "fe80::1%eth0",
            "10.0.0.256",
            "10.0.0.1/24",
            " 10.0.0.1",
        ] {
            assert!(parse_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_stay_in_their_family() {
        let last = Family::V4.last();
        assert_eq!(number(last), u128::from(u32::MAX));
        assert_eq!(Family::V4.address(number(last) + 1), None);
        assert_eq!(Family::V6.address(u128::MAX), Some(Family::V6.last()));
        assert_eq!(mapped_number(last), 0xffff_ffff_ffff);
    }
}
