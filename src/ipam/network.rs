//! Takes an address and a prefix length, gives the network around it; never lists the network's addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

use super::address::{Family, parse_address};

/// Why there is no such network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// The text is not `address/length`.
    #[error("\"{text}\" is not a network; write an address and a prefix length such as 10.0.0.0/24 or 2001:db8::/64")]
    NotANetwork {
        /// The text as given.
        text: String,
    },
    /// The prefix length is longer than an address of the family.
    #[error("a prefix length of {prefix} does not fit {address}; an {} prefix is 0 to {}", Family::of(*address), Family::of(*address).bits())]
    PrefixTooLong {
        /// The address beside which the prefix was given.
        address: IpAddr,
        /// The prefix length as given.
        prefix: u8,
    },
}

/// An address together with the length of its network's prefix. The address keeps its host part: `10.0.0.10/24` is the
/// network 10.0.0.0/24 seen from 10.0.0.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The network of `prefix` bits around `address`.
    ///
    /// # Errors
    /// [`NetworkError::PrefixTooLong`] above 32 (IPv4) or 128 (IPv6).
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        IpNet::new(address, prefix)
            .map(Self)
            .map_err(|_| NetworkError::PrefixTooLong { address, prefix })
    }

    /// The address as written, host part included.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0.addr()
    }

    /// The family of the network.
    #[must_use]
    pub fn family(self) -> Family {
        Family::of(self.0.addr())
    }

    /// Prefix length in bits: 0 to 32 or 128.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// The lowest address: host part all zeros.
    #[must_use]
    pub fn network(self) -> IpAddr {
        self.0.network()
    }

    /// The highest address: host part all ones.
    #[must_use]
    pub fn last(self) -> IpAddr {
        self.0.broadcast()
    }

    /// The broadcast address: the highest one of an IPv4 network of /30 or shorter, else none (RFC 3021; IPv6 has none).
    #[must_use]
    pub fn broadcast(self) -> Option<IpAddr> {
        (self.family() == Family::V4 && self.has_reserved()).then(|| self.last())
    }

    /// The address that names the network itself (IPv4) or any of its routers (IPv6 anycast, RFC 4291): the lowest one,
    /// except in /31, /32 (RFC 3021), /127 and /128 (RFC 6164), where every address is a host's.
    #[must_use]
    pub fn anycast(self) -> Option<IpAddr> {
        self.has_reserved().then(|| self.network())
    }

    /// Whether the address lies in the network; never for one of the other family.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    fn has_reserved(self) -> bool {
        self.prefix() < self.family().bits() - 1
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// Reads `address/length` as Go's `net.ParseCIDR` does: a host part and a length with leading zeros are allowed, and
    /// an IPv4-mapped network of /96 or longer is the IPv4 network that it stands for.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError::NotANetwork { text: text.into() };
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let length: u8 = length.parse().map_err(|_| wrong())?;
        let written: IpAddr = address.parse().map_err(|_| wrong())?;
        let canonical = parse_address(address).map_err(|_| wrong())?;
        let network = if written == canonical {
            Self::new(written, length)
        } else {
            match length.checked_sub(96) {
                Some(length) => Self::new(canonical, length),
                None => Self::new(written, length),
            }
        };
        network.map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().expect("a network")
    }

    fn address(text: &str) -> IpAddr {
        parse_address(text).expect("an address")
    }

    #[test]
    fn keeps_the_host_part() {
        let n = network("192.168.0.10/24");
        assert_eq!(n.address(), address("192.168.0.10"));
        assert_eq!(n.network(), address("192.168.0.0"));
        assert_eq!(n.last(), address("192.168.0.255"));
        assert!(n.contains(address("192.168.0.0")));
        assert!(!n.contains(address("192.168.1.0")));
        assert!(!n.contains(address("::1")));
    }

    #[test]
    fn point_to_point_networks_reserve_nothing() {
        for text in ["10.0.0.0/31", "10.0.0.1/32", "fd00::/127", "fd00::/128"] {
            assert_eq!(
                (network(text).anycast(), network(text).broadcast()),
                (None, None),
                "{text}"
            );
        }
        assert_eq!(network("fd00::/64").broadcast(), None);
        assert_eq!(network("fd00::/64").anycast(), Some(address("fd00::")));
        assert_eq!(network("10.0.0.0/30").broadcast(), Some(address("10.0.0.3")));
    }

    #[test]
    fn reads_the_lengths_that_go_reads() {
        assert_eq!(network("10.0.0.0/08").prefix(), 8);
        assert_eq!(network("::ffff:a00:0/120"), network("10.0.0.0/24"));
        assert_eq!(network("::ffff:a00:0/90").family(), Family::V6);
        for text in [
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "::/129",
            "/24",
            "not-a-cidr",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
