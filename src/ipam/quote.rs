//! Takes a text, gives it in the quotes that Go's `%q` prints, since metal3's messages carry them; for no other use.

use std::fmt::Write;

/// The text in double quotes with Go's escapes.
pub(crate) fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            _ if is_printable(c) => quoted.push(c),
            _ => {
                let code = u32::from(c);
                // Writing into a String cannot fail.
                let _ = match code {
                    0..=0x1f | 0x7f => write!(quoted, "\\x{code:02x}"),
                    0..=0xffff => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether Go prints the character as it is; Rust's own table of printable characters stands in for Go's.
fn is_printable(c: char) -> bool {
    c == '\'' || c.escape_debug().eq([c])
}

#[cfg(test)]
mod tests {
    use super::go_quote;

    #[test]
    fn escapes_as_go_does() {
        assert_eq!(go_quote("not-an-ip"), r#""not-an-ip""#);
        assert_eq!(go_quote("a\"b\\\n'é\u{1}\u{a0}"), "\"a\\\"b\\\\\\n'é\\x01\\u00a0\"");
    }
}
