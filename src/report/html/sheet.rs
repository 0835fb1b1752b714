//! Takes the parts of a drawing one below the other and gives them as SVG; knows boxes, words and patterns, and nothing of what is drawn.

use super::markup::Markup;
use super::numbers::fit;

/// Width of a drawing in its own units; 360 is a narrow phone.
const WIDTH: u32 = 360;
/// Left and right margin.
const MARGIN: u32 = 4;
const CELL: u32 = 44;
const CELL_HEIGHT: u32 = 34;
const HEADING: u32 = 15;
/// Height of a box without its lines, and of a line.
const BOX: u32 = 10;
const LINE: u32 = 12;
/// Width of the swatch of a box.
const SWATCH: u32 = 18;
/// Height from which a drawing goes on in another one, so that each fits on a printed page.
const PAGE: u32 = 700;
/// Characters of the fixed-width font that fit into a box.
pub(super) const CHARACTERS: usize = 54;

/// The patterns that boxes of all drawings are filled with.
pub(super) const PATTERNS: &str = include_str!("patterns.svg");

/// A cell of a drawing.
pub(super) struct Cell {
    pub(super) column: u32,
    /// The class that gives it colour and pattern.
    pub(super) class: &'static str,
    /// What is said to those who point at it.
    pub(super) title: Option<String>,
    pub(super) above: String,
    pub(super) below: String,
}

/// One drawing.
#[derive(Default)]
pub(super) struct Sheet {
    height: u32,
    parts: Markup,
}

impl Sheet {
    /// Whether nothing has been drawn.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a row with its heading, or a box, has no room any more.
    pub(super) fn is_full(&self) -> bool {
        self.height + HEADING + CELL_HEIGHT > PAGE
    }

    /// Small words above a row of cells.
    pub(super) fn heading(&mut self, words: &str) {
        self.height += HEADING;
        text(&mut self.parts, "m-head", MARGIN, self.height - 4, words);
    }

    /// A row of cells.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let top = self.height;
        for cell in cells {
            let left = MARGIN + CELL * cell.column;
            self.parts.element("g", &[("class", cell.class)], |out| {
                if let Some(title) = &cell.title {
                    out.leaf("title", &[], title);
                }
                boxed(out, left, top, CELL - 2, CELL_HEIGHT - 2);
                let middle = left + (CELL - 2) / 2;
                text(out, "m-low", middle, top + 13, &cell.above);
                if !cell.below.is_empty() {
                    text(out, "m-mark", middle, top + 27, &fit(&cell.below, 7));
                }
            });
        }
        self.height += CELL_HEIGHT;
    }

    /// A box over the whole width: a swatch in the looks of its class, and lines of words.
    pub(super) fn words(&mut self, class: &'static str, lines: &[String]) {
        let (top, height) = (self.height + 2, BOX + LINE * lines.len() as u32 - 6);
        self.parts.element("g", &[("class", class)], |out| {
            boxed(out, MARGIN, top, SWATCH, height);
            let room = [("class", "plain")];
            out.element("g", &room, |out| {
                boxed(out, MARGIN + SWATCH, top, WIDTH - 2 * MARGIN - 2 - SWATCH, height)
            });
            for (number, line) in (0..).zip(lines) {
                text(
                    out,
                    "m-what",
                    MARGIN + SWATCH + 6,
                    top + 12 + LINE * number,
                    &fit(line, CHARACTERS),
                );
            }
        });
        self.height += height + 6;
    }

    /// Writes the drawing under a name that its reader hears and an id that the page has once.
    pub(super) fn write(self, out: &mut Markup, id: &str, title: &str) {
        drawing(out, WIDTH, self.height + 2, ("map", Some(id)), |svg| {
            svg.leaf("title", &[("id", id)], title);
            svg.append(self.parts);
        });
        out.line();
    }
}

/// A drawing of one cell, for a legend; those who hear the page need only the words beside it.
pub(super) fn sample(out: &mut Markup, class: &'static str, words: &str) {
    drawing(out, CELL, 22, ("sample", None), |svg| {
        svg.element("g", &[("class", class)], |cell| {
            boxed(cell, 1, 1, CELL - 2, 20);
            text(cell, "m-mark", CELL / 2, 15, words);
        });
    });
}

/// An `svg` element with a class and the id of its name.
fn drawing(
    out: &mut Markup,
    width: u32,
    height: u32,
    (class, name): (&str, Option<&str>),
    content: impl FnOnce(&mut Markup),
) {
    let view = format!("0 0 {width} {height}");
    let (width, height) = (width.to_string(), height.to_string());
    let mut attributes = vec![
        ("class", class),
        ("viewBox", &view),
        ("width", &width),
        ("height", &height),
    ];
    match name {
        Some(id) => attributes.extend([("role", "img"), ("aria-labelledby", id)]),
        None => attributes.push(("aria-hidden", "true")),
    }
    out.element("svg", &attributes, content);
}

fn boxed(out: &mut Markup, left: u32, top: u32, width: u32, height: u32) {
    let numbers = [left, top, width, height].map(|number| number.to_string());
    let [x, y, width, height] = &numbers;
    out.void("rect", &[("x", x), ("y", y), ("width", width), ("height", height)]);
}

fn text(out: &mut Markup, class: &'static str, left: u32, base: u32, words: &str) {
    let (x, y) = (left.to_string(), base.to_string());
    out.leaf("text", &[("class", class), ("x", &x), ("y", &y)], words);
}
