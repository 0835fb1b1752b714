//! Takes ranges in any order, gives the set of their addresses as maximal intervals; its cost is the number of
//! intervals, never the number of addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::mapped_number;
use super::range::AddressRange;
use super::span::{Span, address_at};

/// A set of addresses of both families, kept as disjoint intervals that do not touch each other.
///
/// Because neighbours are joined, the place after an interval is never in the set: the lowest address outside it is
/// found with one look-up, O(log intervals).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    /// First place of an interval to its last.
    spans: BTreeMap<u128, u128>,
}

impl AddressSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the addresses of a range.
    pub fn insert(&mut self, range: AddressRange) {
        self.insert_span(range.into());
    }

    /// Adds one address; `false` if the set had it.
    pub fn insert_address(&mut self, address: IpAddr) -> bool {
        let place = mapped_number(address);
        let behind = place.saturating_add(1);
        // The common case is the lowest free address, which makes an interval one longer: one look-up, nothing allocated.
        let last = match self.spans.range_mut(..=behind).next_back() {
            Some((&first, last)) if first <= place => {
                if *last >= place {
                    return false;
                }
                if *last + 1 == place {
                    *last = place;
                    return true;
                }
                place
            }
            Some((_, last)) => *last,
            None => place,
        };
        self.spans.remove(&behind);
        match self.spans.range_mut(..place).next_back() {
            Some((_, before)) if *before + 1 == place => *before = last,
            _ => {
                self.spans.insert(place, last);
            }
        }
        true
    }

    /// Takes the addresses of a range out.
    pub fn remove(&mut self, range: AddressRange) {
        let gap = Span::from(range);
        for (first, last) in self.touched(gap) {
            if last < gap.first || first > gap.last {
                continue;
            }
            self.spans.remove(&first);
            if first < gap.first {
                self.spans.insert(first, gap.first - 1);
            }
            if last > gap.last {
                self.spans.insert(gap.last + 1, last);
            }
        }
    }

    /// Whether the set has the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.interval_end(mapped_number(address)).is_some()
    }

    /// Whether the set has every address of the range.
    #[must_use]
    pub fn contains_range(&self, range: AddressRange) -> bool {
        let span = Span::from(range);
        self.interval_end(span.first).is_some_and(|end| span.last <= end)
    }

    /// The addresses that both sets have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut overlap = Self::new();
        for span in self.spans() {
            for (first, last) in other.touched(span) {
                if let Some(both) = span.intersection(Span { first, last }) {
                    overlap.insert_span(both);
                }
            }
        }
        overlap
    }

    /// The addresses of this set that the other does not have.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        other.ranges().for_each(|range| rest.remove(range));
        rest
    }

    /// How many addresses: 0 to 2^128-1; a larger set is given as 2^128-1.
    #[must_use]
    pub fn size(&self) -> u128 {
        self.spans.iter().fold(0, |sum: u128, (first, last)| {
            sum.saturating_add((last - first).saturating_add(1))
        })
    }

    /// Whether the set has no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The intervals as ranges of one family each, ascending, IPv6 addresses below `::ffff:0:0` before IPv4.
    pub fn ranges(&self) -> impl Iterator<Item = AddressRange> + '_ {
        self.spans
            .iter()
            .flat_map(|(&first, &last)| Span { first, last }.ranges())
    }

    /// The lowest address of the set; IPv4 counts as `::ffff:0:0/96`.
    #[must_use]
    pub fn first(&self) -> Option<IpAddr> {
        self.spans.keys().next().map(|&place| address_at(place))
    }

    /// The last place of the interval that holds `place`.
    pub(crate) fn interval_end(&self, place: u128) -> Option<u128> {
        let (_, &last) = self.spans.range(..=place).next_back()?;
        (place <= last).then_some(last)
    }

    /// The lowest place of a span that the set does not hold: right behind an interval, since intervals never touch.
    pub(crate) fn lowest_outside(&self, span: Span) -> Option<u128> {
        match self.interval_end(span.first) {
            None => Some(span.first),
            Some(last) => (last < span.last).then(|| last + 1),
        }
    }

    /// Every interval as a span of the line, ascending.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        self.spans.iter().map(|(&first, &last)| Span { first, last })
    }

    fn insert_span(&mut self, span: Span) {
        let (mut first, mut last) = (span.first, span.last);
        for (old_first, old_last) in self.touched(span) {
            self.spans.remove(&old_first);
            first = first.min(old_first);
            last = last.max(old_last);
        }
        self.spans.insert(first, last);
    }

    /// The intervals that overlap the span or lie right beside it.
    fn touched(&self, span: Span) -> Vec<(u128, u128)> {
        let reach = span.first.saturating_sub(1);
        self.spans
            .range(..=span.last.saturating_add(1))
            .rev()
            .take_while(|(_, last)| **last >= reach)
            .map(|(&first, &last)| (first, last))
            .collect()
    }
}

impl Extend<AddressRange> for AddressSet {
    fn extend<T: IntoIterator<Item = AddressRange>>(&mut self, ranges: T) {
        for range in ranges {
            self.insert(range);
        }
    }
}

impl FromIterator<AddressRange> for AddressSet {
    fn from_iter<T: IntoIterator<Item = AddressRange>>(ranges: T) -> Self {
        let mut set = Self::new();
        set.extend(ranges);
        set
    }
}

impl FromIterator<IpAddr> for AddressSet {
    fn from_iter<T: IntoIterator<Item = IpAddr>>(addresses: T) -> Self {
        addresses.into_iter().map(AddressRange::single).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> AddressSet {
        texts
            .iter()
            .map(|text| text.parse::<AddressRange>().expect("a range"))
            .collect()
    }

    fn shown(set: &AddressSet) -> Vec<String> {
        set.ranges().map(|range| range.to_string()).collect()
    }

    #[test]
    fn neighbours_are_joined_and_split_again() {
        let mut addresses = set(&["10.0.0.5-10.0.0.9", "10.0.0.1-10.0.0.4", "10.0.0.20"]);
        assert_eq!(shown(&addresses), ["10.0.0.1-10.0.0.9", "10.0.0.20"]);
        addresses.remove("10.0.0.3-10.0.0.4".parse().expect("a range"));
        assert_eq!(
            shown(&addresses),
            ["10.0.0.1-10.0.0.2", "10.0.0.5-10.0.0.9", "10.0.0.20"]
        );
        assert_eq!(addresses.size(), 8);
    }

    #[test]
    fn the_intersection_is_what_both_have() {
        let one = set(&["10.0.0.1-10.0.0.9", "10.0.0.20-10.0.0.29"]);
        let other = set(&["10.0.0.5-10.0.0.22", "10.0.0.24", "10.0.0.30"]);
        let both = ["10.0.0.5-10.0.0.9", "10.0.0.20-10.0.0.22", "10.0.0.24"];
        assert_eq!(shown(&one.intersection(&other)), both);
        assert_eq!(one.intersection(&other), other.intersection(&one));
    }

    #[test]
    fn the_whole_of_ipv6_is_three_ranges() {
        let everything = set(&["::/0"]);
        assert_eq!(shown(&everything).len(), 3);
        assert_eq!(everything.size(), u128::MAX);
        assert_eq!(
            everything.lowest_outside(Span {
                first: 0,
                last: u128::MAX
            }),
            None
        );
    }

    #[test]
    fn the_lowest_outside_lies_behind_the_first_interval() {
        let taken = set(&["10.0.0.1-10.0.0.2", "10.0.0.3", "10.0.0.5"]);
        let lowest = |range: &str| {
            let span = Span::from(range.parse::<AddressRange>().expect("a range"));
            taken.lowest_outside(span).map(|place| address_at(place).to_string())
        };
        assert_eq!(lowest("10.0.0.1-10.0.0.9").as_deref(), Some("10.0.0.4"));
        assert_eq!(lowest("10.0.0.0-10.0.0.9").as_deref(), Some("10.0.0.0"));
        assert_eq!(lowest("10.0.0.2-10.0.0.3"), None);
    }
}
