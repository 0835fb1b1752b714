//! Takes a prefix and an address, gives the name of the address object, and the way back; never checks whether the name is
//! free or legal.

use std::net::{IpAddr, Ipv6Addr};

use super::address::parse_address;

/// How a pool names its address objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By prefix and address, whatever the claim is called (metal3 `ippool_manager.go`).
    PrefixAndAddress(String),
    /// As the claim (Cluster API's contract, the in-cluster provider).
    Claim,
}

impl Naming {
    /// Whether an object of this name could be the pool's; one that is named as its claim meets no other claim's.
    pub(crate) fn could_be(&self, name: &str) -> bool {
        match self {
            Self::PrefixAndAddress(prefix) => name.starts_with(prefix.as_str()),
            Self::Claim => false,
        }
    }

    /// The name of the object that gives `address` to the claim called `claim`.
    #[must_use]
    pub fn object_name(&self, address: IpAddr, claim: &str) -> String {
        match self {
            Self::PrefixAndAddress(prefix) => address_object_name(prefix, address),
            Self::Claim => claim.into(),
        }
    }
}

/// The prefix, a dash, and the canonical address with dashes for colons and dots; dashes at the very end are cut.
///
/// Two addresses of different families can share a name: `10.0.0.1` and `10:0:0:1::`.
#[must_use]
pub fn address_object_name(prefix: &str, address: IpAddr) -> String {
    let address = address.to_canonical().to_string();
    let mut name = String::with_capacity(prefix.len() + 1 + address.len());
    name.push_str(prefix);
    name.push('-');
    name.extend(address.chars().map(|c| if matches!(c, ':' | '.') { '-' } else { c }));
    name.truncate(name.trim_end_matches('-').len());
    name
}

/// The address of the other family that shares its object name with this one, whatever the prefix: `10.0.0.1` and
/// `10:0:0:1::`. No third address can.
#[must_use]
pub(crate) fn namesake(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        // Where the last octet is 0 the colons stand elsewhere: `10::` is called `10`.
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets().map(decimal_as_hex);
            (d != 0).then(|| IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, 0, 0, 0, 0] = v6.segments() else {
                return None;
            };
            let octets = [
                hex_as_decimal(a)?,
                hex_as_decimal(b)?,
                hex_as_decimal(c)?,
                hex_as_decimal(d)?,
            ];
            (d != 0).then(|| IpAddr::V4(octets.into()))
        }
    }
}

/// The group that is written in hexadecimal as the octet is in decimal.
fn decimal_as_hex(octet: u8) -> u16 {
    let octet = u16::from(octet);
    octet / 100 * 0x100 + octet / 10 % 10 * 0x10 + octet % 10
}

fn hex_as_decimal(group: u16) -> Option<u8> {
    let digits = [group >> 12, group >> 8 & 0xf, group >> 4 & 0xf, group & 0xf];
    let decimal = digits.iter().all(|digit| *digit < 10);
    let value = digits.iter().fold(0, |value, digit| value * 10 + digit);
    u8::try_from(value).ok().filter(|_| decimal)
}

/// The addresses whose object the pool's prefix would give this name; at most one of each family.
#[must_use]
pub fn addresses_named(prefix: &str, name: &str) -> Vec<IpAddr> {
    let rest = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    let dashed = rest.unwrap_or_default();
    let colons = dashed.replace('-', ":");
    // The dashes at the end that were cut were colons.
    let texts = [dashed.replace('-', "."), colons.clone(), format!("{colons}::")];
    let named = texts.iter().filter_map(|text| parse_address(text).ok());
    let mut addresses: Vec<IpAddr> = named
        .filter(|address| address_object_name(prefix, *address) == name)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        parse_address(text).expect("an address")
    }

    #[test]
    fn two_addresses_of_different_families_can_share_a_name() {
        for (one, other) in [
            ("10.0.0.1", "10:0:0:1::"),
            ("192.168.0.255", "192:168:0:255::"),
            ("0.0.0.1", "0:0:0:1::"),
        ] {
            let (one, other) = (address(one), address(other));
            assert_eq!(address_object_name("p", one), address_object_name("p", other));
            assert_eq!((namesake(one), namesake(other)), (Some(other), Some(one)));
        }
        for single in [
            "10.0.0.0",
            "10::",
            "2001:db8::",
            "10:0:0:256::",
            "a:0:0:1::",
            "10:0:0:1::1",
            "::",
        ] {
            assert_eq!(namesake(address(single)), None, "{single}");
        }
    }

    #[test]
    fn a_name_leads_back_to_its_address() {
        for text in [
            "10.0.0.1",
            "10.0.0.0",
            "2001:db8::",
            "2001:db8::5",
            "::1",
            "::",
            "1:2:3:4:5:6:7:8",
            "10:0:0:1::",
        ] {
            let address = address(text);
            let addresses = addresses_named("p-1", &address_object_name("p-1", address));
            let expected: Vec<IpAddr> = [Some(address), namesake(address)].into_iter().flatten().collect();
            assert_eq!(addresses.len(), expected.len(), "{text}");
            assert!(
                expected.iter().all(|one| addresses.contains(one)),
                "{text}: {addresses:?}"
            );
        }
        assert!(addresses_named("p", "hand-made").is_empty());
        assert!(addresses_named("p", "p-10-0-0-01").is_empty());
        assert!(addresses_named("p", "p-").is_empty());
    }
}
