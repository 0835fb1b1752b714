//! Takes text from a manifest and gives it without characters that act instead of being seen: controls, marks that turn the direction of writing, and blanks without width.

use std::borrow::Cow;

/// The text with every such character as its code point, `[U+202E]`; borrowed where there is none.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if acts(char) {
            out.push_str(&format!("[U+{:04X}]", u32::from(char)));
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// Controls, the marks of Unicode's bidirectional algorithm (UAX 9), zero-width characters, and what XML does not allow.
fn acts(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_by_its_code_point() {
        assert_eq!(visible("büro-netz 網"), "büro-netz 網");
        assert_eq!(visible("a\u{202e}b\u{1b}[31m\n"), "a[U+202E]b[U+001B][31m[U+000A]");
        assert_eq!(visible("a\u{200b}\u{feff}\u{ffff}"), "a[U+200B][U+FEFF][U+FFFF]");
    }
}
