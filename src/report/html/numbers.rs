//! Takes counts and pairs of addresses and gives them as people read them; computes nothing else.

use crate::ipam::{AddressRange, Family};

/// Below this a count is written out.
const WRITTEN: u128 = 1_000_000_000_000;

/// A count with a comma between thousands; from 10^12 on as a power of ten.
pub(super) fn count(count: u128) -> String {
    if count >= WRITTEN {
        let digits = count.to_string();
        let (first, second) = digits.split_at(1);
        return format!("about {first}.{} × 10^{}", &second[..1], digits.len() - 1);
    }
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun, `1 address`, `2 addresses`.
pub(super) fn counted(number: u128, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// The addresses between two numbers of a family.
pub(super) fn range(family: Family, first: u128, last: u128) -> String {
    AddressRange::from_numbers(family, first, last).map_or_else(String::new, |range| range.to_string())
}

/// What tells an address from its neighbours: the last octet, or the last group of an IPv6 address.
pub(super) fn short(family: Family, number: u128) -> String {
    match family {
        Family::V4 => format!(".{}", number & 0xff),
        Family::V6 => format!(":{:x}", number & 0xffff),
    }
}

/// The text, cut to a number of characters.
pub(super) fn fit(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_readable_at_every_size() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(65_534), "65,534");
        assert_eq!(count(1 << 64), "about 1.8 × 10^19");
        assert_eq!(counted(1, "address", "addresses"), "1 address");
    }

    #[test]
    fn short_forms_tell_neighbours_apart() {
        assert_eq!(short(Family::V4, 0x0a00_00fe), ".254");
        assert_eq!(short(Family::V6, 0x2001_0db8 << 96 | 0x1f), ":1f");
        assert_eq!(fit("abcdef", 4), "abc…");
    }
}
