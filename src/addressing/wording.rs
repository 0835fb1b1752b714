//! Takes serde's sentence about a value that does not fit and gives it in this program's words, with what is allowed.

use crate::yaml::Segment;

/// serde's sentence in this program's words, with what is allowed, and the key that it is about.
pub(super) fn explain(text: &str, path: &[Segment]) -> (String, String, Option<String>) {
    let quoted = |text: &str| text.split('`').nth(1).map(ToOwned::to_owned);
    let key = match path.last() {
        Some(Segment::Key(key)) => key.as_str(),
        _ => "this",
    };
    if let Some(rest) = text.strip_prefix("unknown field ") {
        let name = quoted(rest).unwrap_or_default();
        let allowed: Vec<&str> = rest.split('`').skip(2).skip(1).step_by(2).collect();
        return (
            format!("unknown key `{name}`"),
            format!("allowed here: {}", allowed.join(", ")),
            Some(name),
        );
    }
    if let Some(rest) = text.strip_prefix("unknown variant ") {
        let name = quoted(rest).unwrap_or_default();
        let allowed: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        return (
            format!("`{key}` cannot be `{name}`"),
            format!("allowed: {}", allowed.join(", ")),
            None,
        );
    }
    if let Some(rest) = text.strip_prefix("missing field ") {
        let name = quoted(rest).unwrap_or_default();
        return (format!("the key `{name}` is missing"), format!("add `{name}`"), None);
    }
    if key == "prefix" && text.contains('/') {
        let help = "write the length of the prefix alone, for example 27".to_owned();
        return ("`prefix` is a length in bits, not a network".to_owned(), help, None);
    }
    let (found, expected) = match text.split_once(", expected ") {
        Some((found, expected)) => (found, expected),
        None => return (format!("`{key}`: {text}"), "correct the value".to_owned(), None),
    };
    let found = found
        .trim_start_matches("invalid type: ")
        .trim_start_matches("invalid value: ");
    if found == "null" {
        let help = "leave the key out for its default, or write a value".to_owned();
        return (
            format!("`{key}` must be {}, not null", in_words(key, expected)),
            help,
            None,
        );
    }
    let text_wanted = expected.starts_with("a string");
    let help =
        if text_wanted && found.starts_with("integer") || found.starts_with("boolean") || found.starts_with("floating")
        {
            "put the value in quotes".to_owned()
        } else {
            "correct the value".to_owned()
        };
    (
        format!("`{key}` must be {}, not {found}", in_words(key, expected)),
        help,
        None,
    )
}

fn in_words(key: &str, expected: &str) -> String {
    match expected {
        "u8" => "a number from 0 to 128".to_owned(),
        "u16" if key == "port" => "a number from 1 to 65535".to_owned(),
        "u16" if key == "routeDomain" => "a number from 0 to 65534".to_owned(),
        "u16" => "a number from 0 to 65535".to_owned(),
        "u32" => "a number, 0 or more".to_owned(),
        "string or map" | "map with a single key" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        other if other.starts_with("struct ") => "a mapping".to_owned(),
        other => other.to_owned(),
    }
}
