//! Takes an entry and an index, renders the address the long way that metal3 describes: count, compare, look into the
//! subnet. The core must agree with it.

use std::net::{IpAddr, Ipv6Addr};

use capv_ipam::api::metal3::Pool;
use capv_ipam::ipam::{Network, mapped_number, parse_address};

const LAST_V4: u128 = 0xffff_ffff_ffff;

/// The address at an index, or none.
pub(crate) fn render(pool: &Pool, index: u128) -> Option<IpAddr> {
    let subnet: Option<Network> = match &pool.subnet {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let (from, offset, end) = match &pool.start {
        Some(start) => {
            let end = pool.end.as_ref().and_then(|end| parse_address(end).ok());
            (parse_address(start).ok()?, index, end)
        }
        None => (subnet?.address(), index + 1, None),
    };
    let place = mapped_number(from).checked_add(offset)?;
    if (from.is_ipv4() && place > LAST_V4) || end.is_some_and(|end| place > mapped_number(end)) {
        return None;
    }
    let address = Ipv6Addr::from_bits(place).to_canonical();
    subnet.is_none_or(|subnet| subnet.contains(address)).then_some(address)
}

/// The addresses of an ordered scan, at most `limit` of them.
pub(crate) fn scan(pool: &Pool, limit: usize) -> Vec<IpAddr> {
    (0..).map_while(|index| render(pool, index)).take(limit).collect()
}
