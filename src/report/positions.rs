//! Takes places as byte offsets and gives lines and columns, each text read once; knows LF, CRLF and lone CR as line ends.

use std::collections::HashMap;

use crate::check::Place;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// The column in UTF-16 code units, as editors and SARIF's readers count.
    pub utf16_column: usize,
    /// Where the line begins, in bytes.
    pub line_start: usize,
}

/// The positions of some offsets.
#[derive(Debug, Default)]
pub struct Positions {
    found: HashMap<(usize, usize), Position>,
}

impl Positions {
    /// Finds the positions of the ends of all places.
    pub fn of(texts: &[(&str, &str)], places: impl Iterator<Item = Place>) -> Self {
        let mut wanted: Vec<(usize, usize)> = places
            .flat_map(|place| {
                [
                    (place.source, place.span.start as usize),
                    (place.source, place.span.end as usize),
                ]
            })
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut positions = Positions::default();
        let mut at = (usize::MAX, 0, 1, 0);
        for (source, offset) in wanted {
            let Some((_, text)) = texts.get(source) else { continue };
            if at.0 != source {
                at = (source, 0, 1, 0);
            }
            let (_, from, mut line, mut line_start) = at;
            let bytes = text.as_bytes();
            let offset = offset.min(bytes.len());
            for end in memchr::memchr2_iter(b'\n', b'\r', &bytes[from..offset]) {
                let end = from + end;
                if bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n') {
                    continue;
                }
                line += 1;
                line_start = end + 1;
            }
            at = (source, offset, line, line_start);
            let before = text
                .get(line_start..offset)
                .unwrap_or_default()
                .trim_start_matches('\u{feff}');
            positions.found.insert(
                (source, offset),
                Position {
                    line,
                    column: before.chars().count() + 1,
                    utf16_column: before.encode_utf16().count() + 1,
                    line_start,
                },
            );
        }
        positions
    }

    /// The position of an offset that was asked for.
    #[must_use]
    pub fn get(&self, source: usize, offset: u32) -> Option<Position> {
        self.found.get(&(source, offset as usize)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Span;

    #[test]
    fn lines_end_at_every_kind_of_line_end() {
        let text = "a\r\nb\rc\n\u{e9}d";
        let places = [0, 3, 5, 9].map(|at| Place {
            source: 0,
            span: Span { start: at, end: at },
        });
        let positions = Positions::of(&[("t", text)], places.into_iter());
        let lines = [0, 3, 5, 9].map(|at| positions.get(0, at).map(|position| (position.line, position.column)));
        assert_eq!(lines, [Some((1, 1)), Some((2, 1)), Some((3, 1)), Some((4, 2))]);
    }
}
