//! Takes the text of one scalar and gives the value that Go's yaml v2 reads (kubectl, client-go); never looks at the text around it.

use serde_json::{Number, Value};

use super::events::Style;

const STRING: &str = "tag:yaml.org,2002:str";

/// The value of a scalar.
///
/// # Errors
/// Go cannot turn it into JSON (`.inf`, `.nan`), or it has a tag that this program does not read.
pub(super) fn value(text: &str, style: Style, tag: Option<&str>) -> Result<Value, String> {
    match tag {
        Some(STRING | "!") => return Ok(Value::String(text.to_owned())),
        Some(tag) => return Err(format!("the tag {} is not read here", short(tag))),
        None => {}
    }
    if style != Style::Plain {
        return Ok(Value::String(text.to_owned()));
    }
    plain(text)
}

fn short(tag: &str) -> String {
    match tag.strip_prefix("tag:yaml.org,2002:") {
        Some(name) => format!("!!{name}"),
        None => tag.to_owned(),
    }
}

fn plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Ok(Value::Bool(true));
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Ok(Value::Bool(false));
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN"
        | ".NAN" => return Err(format!("{text} has no JSON form")),
        _ => {}
    }
    let string = || Ok(Value::String(text.to_owned()));
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return string();
    }
    // yaml v2 leaves the underscore in when the number starts with a dot.
    if text.starts_with('.') {
        return float(text).map_or_else(string, Ok);
    }
    let digits = text.replace('_', "");
    match integer(&digits).or_else(|| float(&digits)) {
        Some(number) => Ok(number),
        None => string(),
    }
}

/// Decimal, hexadecimal, octal (`0o17`, `017`) and binary integers of 64 bits, as Go's `strconv` with base 0 reads them.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| (digit as char).is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    let number = if negative {
        Number::from(0_i64.checked_sub_unsigned(magnitude)?)
    } else {
        Number::from(magnitude)
    };
    Some(Value::Number(number))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, the form that yaml v2 hands to Go's float parser.
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let exponent_is_number = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !has_digits || !all_digits(whole) || !all_digits(fraction) || !exponent_is_number {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    // JSON has no form for what overflows; Go's parser reports it as a range error and the text stays a string.
    if !number.is_finite() {
        return None;
    }
    // As JSON a float without a fraction is written like an integer.
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Some(Value::Number(Number::from(number as i64)));
    }
    Number::from_f64(number).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        value(text, Style::Plain, None).unwrap()
    }

    #[test]
    fn plain_scalars_read_as_in_go() {
        for (text, want) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("Yes", json!(true)),
            ("n", json!(false)),
            ("0644", json!(420)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("-0x_1F", json!(-31)),
            ("1_000", json!(1000)),
            ("1e3", json!(1000)),
            ("1.5", json!(1.5)),
            ("5.", json!(5)),
            (".5", json!(0.5)),
            ("._5", json!("._5")),
            (".1_", json!(".1_")),
            ("08", json!(8)),
            ("0779", json!(779)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("1:30", json!("1:30")),
            ("0x", json!("0x")),
            ("1e", json!("1e")),
            ("1.5.6", json!("1.5.6")),
            ("v1.28.3", json!("v1.28.3")),
            ("2024-01-01", json!("2024-01-01")),
            ("-", json!("-")),
            ("+", json!("+")),
            ("nan", json!("nan")),
            ("TrUe", json!("TrUe")),
        ] {
            assert_eq!(read(text), want, "{text:?}");
        }
        assert!(value(".inf", Style::Plain, None).is_err());
    }

    #[test]
    fn quotes_and_string_tags_make_strings() {
        assert_eq!(value("true", Style::Double, None), Ok(json!("true")));
        assert_eq!(
            value("true", Style::Plain, Some("tag:yaml.org,2002:str")),
            Ok(json!("true"))
        );
        assert_eq!(value("", Style::Plain, Some("!")), Ok(json!("")));
        assert_eq!(
            value("5", Style::Plain, Some("tag:yaml.org,2002:int")),
            Err("the tag !!int is not read here".to_owned())
        );
    }
}
