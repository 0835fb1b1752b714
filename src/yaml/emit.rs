//! Takes JSON values and gives YAML text that Go's readers and libyaml read back identically; never folds a line and never writes a string plain that some reader could take for something else.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// How block text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What ends a line.
    pub line_break: &'static str,
    /// Columns that a nested mapping moves in.
    pub step: usize,
    /// Whether the dashes of a list stand deeper than its key.
    pub indented_lists: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Layout {
            line_break: "\n",
            step: 2,
            indented_lists: false,
        }
    }
}

/// How flow text is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Keys and strings always stand in double quotes.
    pub json: bool,
    /// A blank follows each colon.
    pub spaced_colons: bool,
    /// A blank follows each comma on a line.
    pub spaced_commas: bool,
    /// Each entry of a collection stands on a line of its own.
    pub lines: Option<Lines>,
}

/// The lines of flow text that is spread over several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// What ends a line.
    pub line_break: &'static str,
    /// What stands before the entries of the outermost collection.
    pub prefix: String,
    /// What a nested collection adds to the prefix.
    pub unit: String,
}

/// A whole document: the entries of a mapping at column 0, with a final line end.
#[must_use]
pub fn document(mapping: &Map<String, Value>, layout: Layout) -> String {
    let mut text = block_mapping(mapping, 0, layout);
    text.push_str(layout.line_break);
    text
}

/// The entries of a mapping; the first where the text is put, the others at `indent` columns. No final line end.
#[must_use]
pub fn block_mapping(mapping: &Map<String, Value>, indent: usize, layout: Layout) -> String {
    let mut writer = Block::new(layout);
    writer.mapping(mapping, indent);
    writer.out
}

/// As [`block_mapping`], with texts of several lines as literal blocks where every reader keeps them.
#[must_use]
pub fn block_mapping_of_texts(mapping: &Map<String, Value>, indent: usize, layout: Layout) -> String {
    let mut writer = Block {
        literals: true,
        ..Block::new(layout)
    };
    writer.mapping(mapping, indent);
    writer.out
}

/// The items of a list; the first dash where the text is put, the others at `indent` columns. No final line end.
#[must_use]
pub fn block_sequence(items: &[Value], indent: usize, layout: Layout) -> String {
    let mut writer = Block::new(layout);
    writer.sequence(items, indent);
    writer.out
}

/// `key: value`, what follows on further lines indented from `indent` columns.
#[must_use]
pub fn block_entry(key: &str, value: &Value, indent: usize, layout: Layout) -> String {
    let mut writer = Block::new(layout);
    writer.entry(key, value, indent);
    writer.out
}

/// A value on one line, or over the lines that `flow` asks for.
#[must_use]
pub fn flow_value(value: &Value, flow: &Flow) -> String {
    let mut out = String::new();
    write_flow(&mut out, value, flow);
    out
}

/// `key: value` in flow text.
#[must_use]
pub fn flow_entry(key: &str, value: &Value, flow: &Flow) -> String {
    let mut out = String::new();
    write_flow_entry(&mut out, key, value, flow);
    out
}

/// A string as a scalar: plain where every reader takes it for that string, else in double quotes.
#[must_use]
pub fn string(text: &str, json: bool) -> Cow<'_, str> {
    if !json && may_be_plain(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(quoted(text))
    }
}

/// Longest key that readers accept without `?`, with some room: they look 1,024 bytes ahead for the colon.
const SIMPLE_KEY: usize = 1_000;

fn may_be_plain(text: &str) -> bool {
    const READ_OTHERWISE: [&str; 13] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "~",
    ];
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        // Three dots are no number to any reader.
        return true;
    }
    starts
        && text.len() <= 256
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
        && !READ_OTHERWISE.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether Go's readers and writers keep a text as a literal block: at least two lines, of printable characters of the basic
/// plane, without blanks at their ends, the first without blanks before it.
fn may_be_literal(text: &str) -> bool {
    let lines = text.strip_suffix('\n').unwrap_or(text);
    let printable = |char: char| {
        matches!(char, '\t' | '\n' | ' '..='~' | '\u{a1}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            && !matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    lines.contains('\n')
        && !lines.starts_with([' ', '\t', '\n'])
        && !lines.ends_with('\n')
        && lines.split('\n').all(|line| !line.ends_with([' ', '\t']))
        && lines.chars().all(printable)
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                // Not `\xHH`: JSON does not know it. Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// The text of a value that needs no further line; `None` for collections that hold something.
fn inline(value: &Value, json: bool) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => Some("null".into()),
        Value::Bool(true) => Some("true".into()),
        Value::Bool(false) => Some("false".into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::String(text) => Some(string(text, json)),
        Value::Array(items) if items.is_empty() => Some("[]".into()),
        Value::Object(map) if map.is_empty() => Some("{}".into()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

struct Block {
    out: String,
    layout: Layout,
    literals: bool,
}

impl Block {
    fn new(layout: Layout) -> Self {
        Block {
            out: String::new(),
            layout,
            literals: false,
        }
    }

    /// Lines behind `|`, or `|-` where the last one has no end.
    fn literal(&mut self, text: &str, indent: usize) {
        let ended = text.strip_suffix('\n');
        self.out.push_str(if ended.is_some() { " |" } else { " |-" });
        for line in ended.unwrap_or(text).split('\n') {
            self.line(if line.is_empty() { 0 } else { indent });
            self.out.push_str(line);
        }
    }

    fn line(&mut self, indent: usize) {
        self.out.push_str(self.layout.line_break);
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn mapping(&mut self, mapping: &Map<String, Value>, indent: usize) {
        for (index, (key, value)) in mapping.iter().enumerate() {
            if index > 0 {
                self.line(indent);
            }
            self.entry(key, value, indent);
        }
    }

    fn entry(&mut self, key: &str, value: &Value, indent: usize) {
        let key = string(key, false);
        if key.len() > SIMPLE_KEY {
            self.out.push_str("? ");
            self.out.push_str(&key);
            self.line(indent);
        } else {
            self.out.push_str(&key);
        }
        self.out.push(':');
        match value {
            Value::Array(items) if !items.is_empty() => {
                let deeper = if self.layout.indented_lists {
                    self.layout.step
                } else {
                    0
                };
                self.line(indent + deeper);
                self.sequence(items, indent + deeper);
            }
            Value::Object(mapping) if !mapping.is_empty() => {
                self.line(indent + self.layout.step);
                self.mapping(mapping, indent + self.layout.step);
            }
            Value::String(text) if self.literals && may_be_literal(text) => {
                self.literal(text, indent + self.layout.step);
            }
            scalar => {
                self.out.push(' ');
                self.out.push_str(&inline(scalar, false).unwrap_or_default());
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.line(indent);
            }
            self.out.push_str("- ");
            match item {
                Value::Array(items) if !items.is_empty() => self.sequence(items, indent + 2),
                Value::Object(mapping) if !mapping.is_empty() => self.mapping(mapping, indent + 2),
                scalar => self.out.push_str(&inline(scalar, false).unwrap_or_default()),
            }
        }
    }
}

fn write_flow(out: &mut String, value: &Value, flow: &Flow) {
    if let Some(text) = inline(value, flow.json) {
        out.push_str(&text);
        return;
    }
    let inner = Flow {
        lines: flow.lines.as_ref().map(|lines| Lines {
            prefix: format!("{}{}", lines.prefix, lines.unit),
            ..lines.clone()
        }),
        ..flow.clone()
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    out.push(open);
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                separate(out, index, flow);
                write_flow(out, item, &inner);
            }
        }
        Value::Object(mapping) => {
            for (index, (key, value)) in mapping.iter().enumerate() {
                separate(out, index, flow);
                write_flow_entry(out, key, value, &inner);
            }
        }
        _ => {}
    }
    if let Some(lines) = &flow.lines {
        let outer = lines.prefix.strip_suffix(lines.unit.as_str()).unwrap_or(&lines.prefix);
        out.push_str(lines.line_break);
        out.push_str(outer);
    }
    out.push(close);
}

fn write_flow_entry(out: &mut String, key: &str, value: &Value, flow: &Flow) {
    out.push_str(&string(key, flow.json));
    out.push(':');
    if flow.spaced_colons || !flow.json {
        out.push(' ');
    }
    write_flow(out, value, flow);
}

fn separate(out: &mut String, index: usize, flow: &Flow) {
    if index > 0 {
        out.push(',');
    }
    match &flow.lines {
        Some(lines) => {
            out.push_str(lines.line_break);
            out.push_str(&lines.prefix);
        }
        None if index > 0 && flow.spaced_commas => out.push(' '),
        None => {}
    }
}
