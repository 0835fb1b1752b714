//! Takes the lines of a map and draws them as SVG, with patterns and words beside the colours; decides nothing about addresses.

use super::map::{COLUMNS, Line, Map, Mark};
use super::markup::Markup;
use super::numbers::{counted, fit, range, short};
use super::uses::Use;
use crate::ipam::Family;

/// Width of a drawing in its own units; 360 is a narrow phone.
const WIDTH: u32 = 360;
/// Left and right margin.
const MARGIN: u32 = 4;
const CELL: u32 = 44;
const CELL_HEIGHT: u32 = 34;
const HEADING: u32 = 15;
const PIECE: u32 = 36;
const NOTE: u32 = 22;
/// Width of the swatch of a long box.
const SWATCH: u32 = 18;
/// Characters of the fixed-width font that fit into a line.
const CHARACTERS: usize = 54;
/// Height from which a drawing goes on in another one, so that each fits on a printed page.
const PAGE: u32 = 700;
/// Lines of a whole map; what lies behind them is left to the table.
const LINES: usize = 160;

/// The patterns that the cells of all drawings are filled with.
pub(super) const PATTERNS: &str = include_str!("patterns.svg");

/// What the drawing says beside addresses.
pub(super) struct Notes {
    /// Endpoints outside the subnet.
    pub(super) outside: Vec<String>,
    /// Groups that DHCP serves.
    pub(super) dhcp: Option<String>,
}

/// Words for a map.
pub(super) struct Words<'w> {
    /// The subnet.
    pub(super) title: &'w str,
    /// A unique name for the page.
    pub(super) id: &'w str,
    /// What a stretch is, for the line of a long one.
    pub(super) what: &'w dyn Fn(&[Mark]) -> String,
    /// What a single address is, for who points at it, and its number in its group.
    pub(super) address: &'w dyn Fn(u128, &[Mark]) -> (String, Option<usize>),
    /// The letter of a pool.
    pub(super) key: &'w dyn Fn(usize) -> String,
}

/// Draws a map as one or more drawings. Gives how many of its lines there was no room for.
pub(super) fn draw(out: &mut Markup, map: &Map, words: &Words<'_>, notes: &Notes) -> usize {
    let lines = map.lines();
    let shown = lines.len().min(LINES);
    let mut sheets: Vec<Sheet> = vec![Sheet::default()];
    for outside in &notes.outside {
        let text = fit(outside, CHARACTERS);
        sheet(&mut sheets, NOTE).note("u-outside", &text);
    }
    let mut heading = None;
    for line in &lines[..shown] {
        match line {
            Line::Cells(start, places) => {
                let block = block(map.family, *start);
                let continues = heading == Some((block, *start));
                let height = if continues { CELL_HEIGHT } else { CELL_HEIGHT + HEADING };
                let sheet = sheet(&mut sheets, height);
                if !continues || sheet.lines.is_empty() {
                    sheet.heading(&range(map.family, *start, *start));
                }
                sheet.cells(map, *start, places, words);
                heading = start.checked_add(COLUMNS).map(|next| (block, next));
            }
            Line::Piece { stretch, first, last } => {
                let marks = &map.stretches[*stretch].marks;
                sheet(&mut sheets, PIECE).piece(
                    map,
                    map.stretches[*stretch].look(),
                    (*first, *last),
                    &(words.what)(marks),
                );
                heading = None;
            }
        }
    }
    if let Some(dhcp) = &notes.dhcp {
        sheet(&mut sheets, NOTE).note("u-dhcp", &fit(dhcp, CHARACTERS));
    }
    let parts = sheets.len();
    for (index, sheet) in sheets.into_iter().enumerate() {
        sheet.write(out, words, index, parts);
    }
    lines.len() - shown
}

/// The addresses whose short forms do not repeat.
fn block(family: Family, address: u128) -> u128 {
    match family {
        Family::V4 => address >> 8,
        Family::V6 => address >> 16,
    }
}

/// The sheet with room for one more line of a height.
fn sheet(sheets: &mut Vec<Sheet>, height: u32) -> &mut Sheet {
    if sheets.last().is_none_or(|sheet| sheet.height + height > PAGE) {
        sheets.push(Sheet::default());
    }
    let last = sheets.len() - 1;
    &mut sheets[last]
}

/// One drawing.
#[derive(Default)]
struct Sheet {
    height: u32,
    lines: Markup,
}

impl Sheet {
    fn heading(&mut self, address: &str) {
        self.height += HEADING;
        text(&mut self.lines, "m-head", MARGIN, self.height - 4, address);
    }

    fn cells(&mut self, map: &Map, start: u128, places: &[Option<usize>], words: &Words<'_>) {
        for (column, stretch) in places.iter().enumerate() {
            let Some(stretch) = stretch else { continue };
            let stretch = &map.stretches[*stretch];
            let address = start + column as u128;
            let (left, top) = (MARGIN + CELL * column as u32, self.height);
            let look = stretch.look();
            self.lines.element("g", &[("class", look.class())], |cell| {
                let (meaning, number) = (words.address)(address, &stretch.marks);
                if look != Use::Free {
                    cell.leaf("title", &[], &meaning);
                }
                let number = number.map_or_else(String::new, |number| number.to_string());
                let key = stretch
                    .marks
                    .first()
                    .map_or_else(String::new, |mark| (words.key)(mark.owner));
                boxed(cell, left, top, CELL - 2, CELL_HEIGHT - 2);
                let middle = left + (CELL - 2) / 2;
                centred(cell, "m-low", middle, top + 13, &short(map.family, address));
                let mark = look.mark(&key) + &number;
                if !mark.is_empty() {
                    centred(cell, "m-mark", middle, top + 27, &fit(&mark, 7));
                }
            });
        }
        self.height += CELL_HEIGHT;
    }

    fn piece(&mut self, map: &Map, look: Use, ends: (u128, u128), what: &str) {
        let top = self.height;
        let size = (ends.1 - ends.0).saturating_add(1);
        self.lines.element("g", &[("class", look.class())], |piece| {
            framed(piece, top + 2, PIECE - 6);
            let first = format!("⋮ {}: {what}", counted(size, "address", "addresses"));
            text(piece, "m-what", MARGIN + SWATCH + 6, top + 14, &fit(&first, CHARACTERS));
            text(
                piece,
                "m-what",
                MARGIN + SWATCH + 6,
                top + 26,
                &fit(&ends_text(map.family, ends), CHARACTERS),
            );
        });
        self.height += PIECE;
    }

    fn note(&mut self, class: &'static str, words: &str) {
        let top = self.height;
        self.lines.element("g", &[("class", class)], |note| {
            framed(note, top + 2, NOTE - 6);
            text(note, "m-what", MARGIN + SWATCH + 6, top + 13, words);
        });
        self.height += NOTE;
    }

    fn write(self, out: &mut Markup, words: &Words<'_>, index: usize, parts: usize) {
        let (width, height) = (WIDTH.to_string(), (self.height + 2).to_string());
        let view = format!("0 0 {width} {height}");
        let id = format!("{}-{}", words.id, index + 1);
        let title = match parts {
            1 => format!("Map of {}", words.title),
            _ => format!("Map of {}, part {} of {parts}", words.title, index + 1),
        };
        let attributes = [
            ("class", "map"),
            ("viewBox", view.as_str()),
            ("width", width.as_str()),
            ("height", height.as_str()),
            ("role", "img"),
            ("aria-labelledby", id.as_str()),
        ];
        out.element("svg", &attributes, |svg| {
            svg.leaf(
                "title",
                &[("id", &id)],
                &format!("{title}. The table below it says the same."),
            );
            svg.append(self.lines);
        });
        out.line();
    }
}

/// Both ends of a long stretch; an IPv6 end that does not fit beside the other is cut to its own groups.
fn ends_text(family: Family, ends: (u128, u128)) -> String {
    let whole = range(family, ends.0, ends.1);
    if whole.chars().count() <= CHARACTERS {
        return whole.replacen('-', " – ", 1);
    }
    let (first, last) = whole.split_once('-').unwrap_or((&whole, ""));
    let groups: Vec<&str> = last.rsplitn(5, ':').collect();
    let tail: Vec<&str> = groups.iter().take(4).rev().copied().collect();
    format!("{first} – …:{}", tail.join(":"))
}

/// The name of a drawing's pool: A to Z, then AA.
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

/// A small drawing of one cell, for the legend.
pub(super) fn sample(out: &mut Markup, look: Use) {
    let (width, height) = (CELL.to_string(), "22".to_owned());
    let view = format!("0 0 {width} {height}");
    let attributes = [
        ("class", "sample"),
        ("viewBox", view.as_str()),
        ("width", width.as_str()),
        ("height", height.as_str()),
        ("aria-hidden", "true"),
    ];
    out.element("svg", &attributes, |svg| {
        svg.element("g", &[("class", look.class())], |cell| {
            boxed(cell, 1, 1, CELL - 2, 20);
            let number = if look == Use::Exact { "1" } else { "" };
            centred(cell, "m-mark", CELL / 2, 15, &(look.mark("A") + number));
        });
    });
}

fn boxed(out: &mut Markup, left: u32, top: u32, width: u32, height: u32) {
    let numbers = [left, top, width, height].map(|number| number.to_string());
    let [x, y, width, height] = &numbers;
    out.void("rect", &[("x", x), ("y", y), ("width", width), ("height", height)]);
}

/// A box over the whole width: a swatch of the use, and plain room for words.
fn framed(out: &mut Markup, top: u32, height: u32) {
    boxed(out, MARGIN, top, SWATCH, height);
    out.element("g", &[("class", "plain")], |room| {
        boxed(room, MARGIN + SWATCH, top, WIDTH - 2 * MARGIN - 2 - SWATCH, height);
    });
}

fn text(out: &mut Markup, class: &'static str, left: u32, base: u32, words: &str) {
    let (x, y) = (left.to_string(), base.to_string());
    out.leaf("text", &[("class", class), ("x", &x), ("y", &y)], words);
}

fn centred(out: &mut Markup, class: &'static str, middle: u32, base: u32, words: &str) {
    text(out, class, middle, base, words);
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
        let text = ends_text(Family::V6, (first, first + 0xfff_ffff));
        assert!(text.chars().count() <= CHARACTERS + 8, "{text}");
        assert!(text.ends_with("…:cccc:dddd:feed:ffff") || text.contains('…'), "{text}");
    }
}
