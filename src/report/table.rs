//! Takes rows of cells and gives them as aligned columns, CSV or a Markdown table; knows nothing of what they mean.

use super::visible::visible;

/// Columns with their titles.
#[derive(Debug)]
pub struct Table {
    titles: Vec<&'static str>,
    /// Titles of columns that hold words; the others hold names and addresses.
    words: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Self {
        Table {
            titles: titles.to_vec(),
            words: &[],
            rows: Vec::new(),
        }
    }

    /// The columns that hold words of this program, which Markdown shows as text; all others are names and addresses.
    #[must_use]
    pub fn with_words(self, words: &'static [&'static str]) -> Self {
        Table { words, ..self }
    }

    /// The titles.
    #[must_use]
    pub fn titles(&self) -> &[&'static str] {
        &self.titles
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Adds a row with a cell for each title.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Columns padded with blanks, as kubectl prints them; an empty cell is `<none>`.
    #[must_use]
    pub fn aligned(&self) -> String {
        let titles: Vec<String> = self.titles.iter().map(ToString::to_string).collect();
        let shown = |cell: &String| {
            if cell.is_empty() {
                "<none>".to_owned()
            } else {
                visible(cell).into_owned()
            }
        };
        let rows: Vec<Vec<String>> = std::iter::once(titles)
            .chain(self.rows.iter().map(|row| row.iter().map(shown).collect()))
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.titles.len()).map(width).collect();
        let mut out = String::new();
        for row in rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            out.push_str(cells.collect::<Vec<_>>().join("   ").trim_end());
            out.push('\n');
        }
        out
    }

    /// RFC 4180: a cell with a comma, a quote or a line end stands in quotes. A cell that a spreadsheet would take for a
    /// formula gets an apostrophe in front.
    #[must_use]
    pub fn csv(&self) -> String {
        let titles = self
            .titles
            .iter()
            .map(|title| title.to_lowercase())
            .collect::<Vec<_>>()
            .join(",");
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(","));
        std::iter::once(titles).chain(rows).map(|line| line + "\r\n").collect()
    }

    /// A table of GitHub's Markdown. Names and addresses stand in code spans, so that GitHub makes no emoji of `:a:` in an
    /// IPv6 address, no mention of `@name` and no link; words are escaped.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(self.titles.iter().map(|title| title.to_lowercase()).collect());
        out.push_str(&line(vec!["---".to_owned(); self.titles.len()]));
        let cell = |(title, cell): (&&str, &String)| match cell.is_empty() || self.words.contains(title) {
            true => plain(cell),
            false => code_span(cell),
        };
        for row in &self.rows {
            out.push_str(&line(self.titles.iter().zip(row).map(cell).collect()));
        }
        out
    }
}

fn csv_cell(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

/// Text of Markdown in which nothing acts.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    for char in visible(text).chars() {
        match char {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => out.extend(['\\', char]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            char => out.push(char),
        }
    }
    out
}

/// A code span of Markdown, in a table too, where `|` ends a cell even there.
pub(super) fn code_span(text: &str) -> String {
    let text = visible(text).replace('|', "\\|");
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A blank at both ends is not shown; it keeps backticks of the text from the fence.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_leave_their_place() {
        let mut table = Table::new(&["NAME", "VALUE"]);
        table.row(vec!["a,\"b\"".into(), "=1+1".into()]);
        table.row(vec!["x|y<script>".into(), String::new()]);
        assert_eq!(table.csv(), "name,value\r\n\"a,\"\"b\"\"\",'=1+1\r\nx|y<script>,\r\n");
        assert_eq!(
            table.markdown(),
            "| name | value |\n| --- | --- |\n| `a,\"b\"` | `=1+1` |\n| `x\\|y<script>` |  |\n"
        );
        assert_eq!(
            table.aligned(),
            "NAME          VALUE\na,\"b\"         =1+1\nx|y<script>   <none>\n"
        );
    }

    #[test]
    fn markdown_makes_nothing_of_names_and_addresses() {
        let mut table = Table::new(&["ADDRESS", "WHY"]).with_words(&["WHY"]);
        table.row(vec!["2001:db8:a:b::1".into(), "a *set* | of `two`".into()]);
        table.row(vec!["``x`".into(), "<b>\u{202e}".into()]);
        assert_eq!(
            table.markdown(),
            "| address | why |\n| --- | --- |\n| `2001:db8:a:b::1` | a \\*set\\* \\| of \\`two\\` |\n| ``` ``x` ``` | &lt;b>\\[U+202E\\] |\n"
        );
    }
}
