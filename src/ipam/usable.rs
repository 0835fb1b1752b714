//! Takes one text of the configuration's `addresses` and gives the range of host addresses that it stands for, and the addresses
//! of a range that are no host's; never drops an address that was written out.

use std::net::IpAddr;

use super::address::number;
use super::network::Network;
use super::range::{AddressRange, RangeError};

/// The addresses that one text of the configuration's `addresses` stands for.
///
/// A range or single address is taken as written. A CIDR stands for its addresses without the network
/// address and, in IPv4, the broadcast address of the network that `prefix` (the pool's, 0 to 32 or
/// 128 bits) makes of it; without `prefix` the CIDR's own length counts. A /31, /32, /127 or /128 has no
/// such addresses.
///
/// # Errors
/// Those of reading the text, a `prefix` too long for the family, and [`RangeError::NothingUsable`].
pub fn usable_range(text: &str, prefix: Option<u8>) -> Result<AddressRange, RangeError> {
    let range: AddressRange = text.parse()?;
    if !text.contains('/') {
        return Ok(range);
    }
    let prefix = match prefix {
        Some(prefix) => prefix,
        None => text.trim().parse::<Network>()?.prefix(),
    };
    // A CIDR wider than the prefix spans several networks; only its outer ends are left out.
    let lowest = Network::new(range.start(), prefix)?;
    let highest = Network::new(range.end(), prefix)?;
    let start = number(range.start()) + u128::from(lowest.anycast() == Some(range.start()));
    let end = number(range.end()) - u128::from(highest.broadcast() == Some(range.end()));
    AddressRange::from_numbers(range.family(), start, end).ok_or(RangeError::NothingUsable { range, prefix })
}

/// The gateway, network and broadcast address that a range holds, with what each is. The network is the one around the
/// gateway, or else around the lowest address.
pub(crate) fn reserved_addresses(
    range: AddressRange,
    gateway: Option<IpAddr>,
    prefix: Option<u8>,
) -> Vec<(IpAddr, &'static str)> {
    let network = prefix.and_then(|prefix| Network::new(gateway.unwrap_or(range.start()), prefix).ok());
    [
        (gateway, "its gateway"),
        (network.and_then(Network::anycast), "the network address"),
        (network.and_then(Network::broadcast), "the broadcast address"),
    ]
    .into_iter()
    .filter_map(|(address, what)| Some((address?, what)))
    .filter(|(address, _)| range.contains(*address))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable(text: &str, prefix: Option<u8>) -> String {
        usable_range(text, prefix).map_or_else(|e| e.to_string(), |r| r.to_string())
    }

    #[test]
    fn a_network_is_usable_without_its_reserved_addresses() {
        assert_eq!(usable("10.0.0.0/24", None), "10.0.0.1-10.0.0.254");
        assert_eq!(usable("10.0.0.128/25", Some(24)), "10.0.0.128-10.0.0.254");
        assert_eq!(usable("10.0.0.0/25", Some(24)), "10.0.0.1-10.0.0.127");
        assert_eq!(usable("10.0.0.64/26", Some(24)), "10.0.0.64-10.0.0.127");
        assert_eq!(usable("10.0.0.5/32", Some(24)), "10.0.0.5");
        assert_eq!(usable("10.0.0.0/31", None), "10.0.0.0-10.0.0.1");
        assert_eq!(
            usable("2001:db8::/64", None),
            "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff"
        );
        assert_eq!(usable("10.0.0.0-10.0.0.255", Some(24)), "10.0.0.0-10.0.0.255");
        assert!(usable("10.0.0.255/32", Some(24)).contains("broadcast"));
        assert!(usable("10.0.0.0/24", Some(64)).contains("0 to 32"));
    }
}
