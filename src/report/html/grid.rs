//! Takes titles and rows and writes a table that becomes a list of cards on a narrow screen; knows nothing of what they mean.

use super::markup::Markup;

/// A table with a caption.
pub(super) fn grid(out: &mut Markup, caption: &str, titles: &[&'static str], rows: impl FnOnce(&mut Rows<'_>)) {
    out.element("table", &[], |out| {
        out.leaf("caption", &[], caption);
        out.element("thead", &[], |out| {
            out.element("tr", &[], |out| {
                titles
                    .iter()
                    .for_each(|title| out.leaf("th", &[("scope", "col")], title))
            });
        });
        out.element("tbody", &[], |out| rows(&mut Rows { out, titles }));
    });
    out.line();
}

/// The rows of a table under construction.
pub(super) struct Rows<'r> {
    out: &'r mut Markup,
    titles: &'r [&'static str],
}

impl Rows<'_> {
    /// A row with a cell for each title.
    pub(super) fn row(&mut self, cells: impl FnOnce(&mut Cells<'_>)) {
        let titles = self.titles;
        self.out.element("tr", &[], |out| {
            cells(&mut Cells {
                out,
                titles: titles.iter(),
            })
        });
        self.out.line();
    }
}

/// The cells of a row under construction.
pub(super) struct Cells<'r> {
    out: &'r mut Markup,
    titles: std::slice::Iter<'r, &'static str>,
}

impl Cells<'_> {
    /// The next cell; its title stands before it where columns have no room.
    pub(super) fn cell(&mut self, content: impl FnOnce(&mut Markup)) {
        let title = self.titles.next().copied().unwrap_or_default();
        let mut inside = Markup::default();
        content(&mut inside);
        if inside.is_empty() {
            self.out.leaf("td", &[("class", "empty"), ("data-title", title)], "–");
        } else {
            self.out
                .element("td", &[("data-title", title)], |cell| cell.append(inside));
        }
    }
}
