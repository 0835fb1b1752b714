//! Takes the lines of a map with words for them and draws them, on several sheets where one would not fit on a printed page; decides nothing about addresses.

use super::lines::{COLUMNS, Line, lines};
use super::map::{Map, Mark, Stretch};
use super::markup::Markup;
use super::numbers::{counted, range, short};
use super::sheet::{CHARACTERS, Cell, Sheet};
use super::uses::Use;
use crate::ipam::Family;

/// Lines of a whole map; what lies behind them is left to the table.
const LINES: usize = 160;

/// Words for a map.
pub(super) struct Words<'w> {
    /// The subnet.
    pub(super) title: &'w str,
    /// A unique name for the page.
    pub(super) id: &'w str,
    /// Endpoints outside the subnet.
    pub(super) outside: &'w [String],
    /// Groups that DHCP serves.
    pub(super) dhcp: Option<String>,
    /// What a long stretch is.
    pub(super) what: &'w dyn Fn(&[Mark]) -> String,
    /// What a single address is, and the number of its machine.
    pub(super) address: &'w Address<'w>,
}

/// Words for a single address, and the number of its machine.
type Address<'w> = dyn Fn(u128, &[Mark]) -> (String, Option<usize>) + 'w;

/// Draws a map. Gives how many of its lines there was no room for.
pub(super) fn draw(out: &mut Markup, map: &Map, words: &Words<'_>) -> usize {
    let lines = lines(map);
    let shown = lines.len().min(LINES);
    let mut sheets = vec![Sheet::default()];
    for outside in words.outside {
        sheet(&mut sheets).words("u-outside", std::slice::from_ref(outside));
    }
    // Where the next row goes on without a heading of its own.
    let mut next = None;
    for line in &lines[..shown] {
        let sheet = sheet(&mut sheets);
        match line {
            Line::Cells(start, places) => {
                let here = Some((block(map.family, *start), *start));
                if next != here || sheet.is_empty() {
                    sheet.heading(&range(map.family, *start, *start));
                }
                sheet.row(cells(map, *start, places, words));
                next = start.checked_add(COLUMNS).map(|next| (block(map.family, *start), next));
            }
            Line::Piece { stretch, first, last } => {
                sheet.words(
                    map.stretches[*stretch].look().class(),
                    &piece(map, &map.stretches[*stretch], (*first, *last), words),
                );
                next = None;
            }
        }
    }
    if let Some(dhcp) = &words.dhcp {
        sheet(&mut sheets).words("u-dhcp", std::slice::from_ref(dhcp));
    }
    let parts = sheets.len();
    for (number, sheet) in (1..).zip(sheets) {
        let part = if parts > 1 {
            format!(", part {number} of {parts}")
        } else {
            String::new()
        };
        let title = format!("Map of {}{part}. The table below it says the same.", words.title);
        sheet.write(out, &format!("{}-{number}", words.id), &title);
    }
    lines.len() - shown
}

/// The sheet with room for one more part.
fn sheet(sheets: &mut Vec<Sheet>) -> &mut Sheet {
    if sheets.last().is_none_or(Sheet::is_full) {
        sheets.push(Sheet::default());
    }
    let last = sheets.len() - 1;
    &mut sheets[last]
}

fn cells<'m>(
    map: &'m Map,
    start: u128,
    places: &'m [Option<usize>],
    words: &'m Words<'_>,
) -> impl Iterator<Item = Cell> + 'm {
    (0..).zip(places).filter_map(move |(column, stretch)| {
        let stretch = &map.stretches[(*stretch)?];
        let address = start + u128::from(column);
        let look = stretch.look();
        let (meaning, number) = (words.address)(address, &stretch.marks);
        let key = stretch
            .marks
            .first()
            .map_or_else(String::new, |mark| letters(mark.owner));
        Some(Cell {
            column,
            class: look.class(),
            title: (look != Use::Free).then_some(meaning),
            above: short(map.family, address),
            below: look.mark(&key) + &number.map_or_else(String::new, |number| number.to_string()),
        })
    })
}

/// A long stretch: how many addresses, what they are for, and both ends, which IPv6 may need two lines for.
fn piece(map: &Map, stretch: &Stretch, (first, last): (u128, u128), words: &Words<'_>) -> Vec<String> {
    let size = counted((last - first).saturating_add(1), "address", "addresses");
    let mut lines = vec![format!("⋮ {size}: {}", (words.what)(&stretch.marks))];
    lines.extend(ends(map.family, first, last));
    lines
}

fn ends(family: Family, first: u128, last: u128) -> Vec<String> {
    let whole = range(family, first, last).replacen('-', " – ", 1);
    if whole.chars().count() <= CHARACTERS {
        return vec![whole];
    }
    let ends = ["from ", "to "].into_iter().zip(whole.split(" – "));
    ends.map(|(word, end)| format!("{word}{end}")).collect()
}

/// The addresses whose short forms do not repeat.
fn block(family: Family, address: u128) -> u128 {
    match family {
        Family::V4 => address >> 8,
        Family::V6 => address >> 16,
    }
}

/// The name of a map's pool: A to Z, then AA.
pub(super) fn letters(mut index: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + (index % 26) as u8));
        if index < 26 {
            break;
        }
        index = index / 26 - 1;
    }
    letters.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_lettered_without_end() {
        assert_eq!(
            [0, 25, 26, 51, 52, 701, 702].map(letters),
            ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
        );
    }

    #[test]
    fn both_ends_of_a_stretch_fit_into_a_line() {
        let first = 0x2001_0db8_aaaa_bbbb_cccc_dddd_eeee_0000;
        let six = ends(Family::V6, first, first + 0xfff_ffff);
        assert_eq!(six.len(), 2);
        assert!(six.iter().all(|end| end.chars().count() <= CHARACTERS), "{six:?}");
        assert_eq!(ends(Family::V4, 0x0a00_0000, 0x0a00_00ff), ["10.0.0.0 – 10.0.0.255"]);
    }
}
