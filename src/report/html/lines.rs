//! Takes a subnet cut into stretches and gives the lines of its map: addresses one by one where something is, long stretches in one piece; draws nothing.

use super::map::Map;

/// Addresses in a line of the map.
pub(super) const COLUMNS: u128 = 8;
/// A subnet up to this size is drawn in full.
const SMALL: u128 = 64;
/// Lines from which a stretch of one use is drawn in one piece.
const LONG: u128 = 3;

/// Lines that stand beside the legend; more of them stand below it, in columns where the page is wide.
const SHORT: usize = 18;

/// A line of the map.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Addresses one by one: the number of the first place, and for each place its stretch; none outside the subnet.
    Cells(u128, [Option<usize>; COLUMNS as usize]),
    /// A part of a stretch in one piece.
    Piece { stretch: usize, first: u128, last: u128 },
}

/// The lines of the map.
pub(super) fn lines(map: &Map) -> Vec<Line> {
    let mut lines = Lines::default();
    let size = map
        .stretches
        .iter()
        .fold(0_u128, |sum, stretch| sum.saturating_add(stretch.size()));
    for (index, stretch) in map.stretches.iter().enumerate() {
        let enough = if stretch.marks.is_empty() { LONG - 1 } else { LONG };
        // Whole lines of the stretch: from the first that begins in it to the last that ends in it.
        let first_line = stretch.first.div_ceil(COLUMNS);
        let behind_line = stretch
            .last
            .checked_add(1)
            .map_or(u128::MAX / COLUMNS, |behind| behind / COLUMNS);
        if size <= SMALL || behind_line.saturating_sub(first_line) < enough {
            lines.cells(index, stretch.first, stretch.last);
            continue;
        }
        let (first, behind) = (first_line * COLUMNS, behind_line * COLUMNS);
        if stretch.first < first {
            lines.cells(index, stretch.first, first - 1);
        }
        // The very last line of all IPv6 addresses ends at a number that has no successor.
        let last = if stretch.last == u128::MAX {
            stretch.last
        } else {
            behind - 1
        };
        lines.piece(index, first, last);
        if last < stretch.last {
            lines.cells(index, behind, stretch.last);
        }
    }
    lines.done
}

/// Whether a map is too long to stand beside its legend.
pub(super) fn is_long(map: &Map) -> bool {
    lines(map).len() > SHORT
}

#[derive(Default)]
struct Lines {
    done: Vec<Line>,
}

impl Lines {
    fn cells(&mut self, stretch: usize, first: u128, last: u128) {
        for address in first..=last {
            let start = address - address % COLUMNS;
            let place = (address % COLUMNS) as usize;
            match self.done.last_mut() {
                Some(Line::Cells(of, places)) if *of == start => places[place] = Some(stretch),
                _ => {
                    let mut places = [None; COLUMNS as usize];
                    places[place] = Some(stretch);
                    self.done.push(Line::Cells(start, places));
                }
            }
        }
    }

    fn piece(&mut self, stretch: usize, first: u128, last: u128) {
        self.done.push(Line::Piece { stretch, first, last });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ipam::{AddressRange, Family, number};
    use crate::report::html::map::{Mark, cut};
    use crate::report::html::uses::Use;

    fn mark(what: Use, owner: usize) -> Mark {
        Mark { what, owner }
    }

    fn map(cidr: &str, uses: &[(&str, Mark)]) -> Map {
        let hull: AddressRange = cidr.parse().expect("a network");
        let uses: Vec<_> = uses
            .iter()
            .map(|(range, mark)| (range.parse().expect("a range"), *mark))
            .collect();
        Map {
            family: hull.family(),
            stretches: cut(hull, &uses),
        }
    }

    /// Every address of the lines, in their order; a long piece by its ends.
    fn covered(map: &Map) -> Vec<(u128, u128, usize)> {
        let mut covered: Vec<(u128, u128, usize)> = Vec::new();
        for line in lines(map) {
            match line {
                Line::Cells(start, places) => covered.extend(
                    (start..)
                        .zip(places)
                        .filter_map(|(address, place)| Some((address, address, place?))),
                ),
                Line::Piece { stretch, first, last } => covered.push((first, last, stretch)),
            }
        }
        covered
    }

    fn holds(map: &Map) {
        let mut next = map.stretches[0].first;
        let end = map.stretches[map.stretches.len() - 1].last;
        let lines = covered(map);
        for (index, (first, last, stretch)) in lines.iter().enumerate() {
            assert_eq!(*first, next, "a gap or an overlap");
            let stretch = &map.stretches[*stretch];
            assert!(stretch.first <= *first && *last <= stretch.last);
            if index + 1 < lines.len() {
                next = last + 1;
            } else {
                assert_eq!(*last, end, "the map ends early");
            }
        }
    }

    #[test]
    fn a_small_subnet_is_drawn_address_by_address() {
        let map = map("10.0.0.32/27", &[("10.0.0.40-10.0.0.44", mark(Use::Spare, 0))]);
        holds(&map);
        assert_eq!(lines(&map).len(), 4);
        assert!(lines(&map).iter().all(|line| matches!(line, Line::Cells(..))));
    }

    #[test]
    fn a_huge_subnet_is_drawn_where_something_is() {
        let uses = [
            ("2001:db8::1", mark(Use::Gateway, 0)),
            ("2001:db8::100-2001:db8::ffff", mark(Use::Spare, 0)),
        ];
        let map = map("2001:db8::/64", &uses);
        holds(&map);
        assert!(lines(&map).len() < 8, "{} lines", lines(&map).len());
        holds(&self::map("ffff:ffff:ffff:ffff::/64", &[]));
        holds(&self::map("::/0", &[("::5", mark(Use::Gateway, 0))]));
        holds(&self::map("10.0.0.6/31", &[]));
    }

    proptest! {
        #[test]
        fn every_address_has_its_uses_and_its_place(uses in prop::collection::vec((0_u32..600, 0_u32..80, 0_usize..3), 0..12)) {
            let hull: AddressRange = "10.0.0.0/23".parse().unwrap();
            let base = number(hull.start());
            let uses: Vec<(AddressRange, Mark)> = uses
                .into_iter()
                .filter_map(|(start, length, owner)| {
                    let first = base + u128::from(start);
                    let range = AddressRange::from_numbers(Family::V4, first, first + u128::from(length))?;
                    Some((range, mark(Use::Spare, owner)))
                })
                .collect();
            let map = Map { family: Family::V4, stretches: cut(hull, &uses) };
            holds(&map);
            for stretch in &map.stretches {
                for address in [stretch.first, stretch.last] {
                    let address = Family::V4.address(address).unwrap();
                    let mut wanted: Vec<Mark> = uses.iter().filter(|(range, _)| range.contains(address)).map(|(_, mark)| *mark).collect();
                    wanted.sort();
                    prop_assert_eq!(&stretch.marks, &wanted);
                }
            }
        }
    }
}
