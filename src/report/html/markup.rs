//! Takes elements, attributes and text, and gives HTML that is well-formed XML too; the only place that writes a tag, so that nothing from a manifest can become one.

use crate::report::visible;

/// A part of a page under construction.
#[derive(Default)]
pub(super) struct Markup {
    out: String,
}

/// An attribute: names are the program's own, values may be anything.
pub(super) type Attribute<'v> = (&'static str, &'v str);

impl Markup {
    /// An element with what `content` writes into it.
    pub(super) fn element(&mut self, tag: &'static str, attributes: &[Attribute<'_>], content: impl FnOnce(&mut Self)) {
        self.open(tag, attributes);
        self.out.push('>');
        content(self);
        self.out.extend(["</", tag, ">"]);
    }

    /// An element with text.
    pub(super) fn leaf(&mut self, tag: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.element(tag, attributes, |inside| inside.text(text));
    }

    /// An element that never has content: `meta`, `br`, `wbr`, and shapes of a drawing.
    pub(super) fn void(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.open(tag, attributes);
        self.out.push_str("/>");
    }

    /// Text; what would act as markup, or act at all, is shown instead.
    pub(super) fn text(&mut self, text: &str) {
        escape(&visible(text), &mut self.out);
    }

    /// A line end between blocks, for those who read the source.
    pub(super) fn line(&mut self) {
        self.out.push('\n');
    }

    /// A part of the page that is the same for every plan.
    pub(super) fn fixed(&mut self, markup: &'static str) {
        self.out.push_str(markup);
    }

    /// Names and addresses: fixed width, and never joined with the text around by the direction of their writing.
    pub(super) fn code(&mut self, text: &str) {
        self.leaf("code", &[], text);
    }

    /// Ranges, one after the other, which may break behind each.
    pub(super) fn ranges<'r>(&mut self, ranges: impl IntoIterator<Item = &'r String>) {
        for (index, range) in ranges.into_iter().enumerate() {
            if index > 0 {
                self.text(", ");
            }
            self.element("code", &[], |code| match range.split_once('-') {
                Some((first, last)) => {
                    code.text(first);
                    code.text("-");
                    code.void("wbr", &[]);
                    code.text(last);
                }
                None => code.text(range),
            });
        }
    }

    /// What another part holds.
    pub(super) fn append(&mut self, part: Markup) {
        self.out.push_str(&part.out);
    }

    /// Whether nothing has been written.
    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The finished markup.
    pub(super) fn finish(self) -> String {
        self.out
    }

    fn open(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.out.extend(["<", tag]);
        for (name, value) in attributes {
            self.out.extend([" ", name, "=\""]);
            escape(&visible(value), &mut self.out);
            self.out.push('"');
        }
    }
}

fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_cannot_leave_their_place() {
        let mut markup = Markup::default();
        markup.leaf("b", &[("title", "\"><script>&")], "</b><!-- ' \u{202e}x");
        assert_eq!(
            markup.finish(),
            "<b title=\"&quot;&gt;&lt;script&gt;&amp;\">&lt;/b&gt;&lt;!-- &#39; [U+202E]x</b>"
        );
    }
}
