//! Writes values as YAML in the many ways that people and tools write it; independent of the program's own emitter.

use serde_json::{Map, Value};

use super::tape::Tape;

/// A way of writing.
pub(crate) struct Writer<'t> {
    tape: &'t mut Tape,
    out: String,
    step: usize,
    indented_lists: bool,
    comments: usize,
    anchors: usize,
    /// The last value is a block scalar, so nothing may be cut off behind it.
    pub(crate) ends_in_block: bool,
}

/// Strings that may stand plain for every reader.
fn plain(text: &str) -> bool {
    let words = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
    ];
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./ ".contains(&byte))
        && !text.ends_with(' ')
        && !words.contains(&text.to_ascii_lowercase().as_str())
}

impl<'t> Writer<'t> {
    /// Writes one document without a marker.
    pub(crate) fn document(value: &Value, tape: &'t mut Tape, comments: usize) -> (String, usize, bool) {
        let step = if tape.rarely(4) { 4 } else { 2 };
        let indented_lists = tape.pick(2) == 1;
        let mut writer = Writer {
            tape,
            out: String::new(),
            step,
            indented_lists,
            comments,
            anchors: 0,
            ends_in_block: false,
        };
        match value {
            Value::Object(map) => writer.mapping(map, 0, false),
            other => writer.out.push_str(&other.to_string()),
        }
        (writer.out, writer.comments, writer.ends_in_block)
    }

    fn comment(&mut self) -> String {
        self.comments += 1;
        let odd = self.tape.one(&["", " it's \"odd\": {", " dhcp4: true", " ---", " #"]);
        format!("# c{}.{odd}", self.comments)
    }

    fn end_line(&mut self) {
        if self.tape.rarely(9) {
            let comment = self.comment();
            let gap = self.tape.one(&[" ", "  ", "\t"]);
            self.out.push_str(gap);
            self.out.push_str(&comment);
        }
        self.out.push('\n');
    }

    fn between(&mut self, indent: usize) {
        if self.tape.rarely(14) && !self.ends_in_block {
            self.out.push('\n');
        }
        if self.tape.rarely(12) {
            let comment = self.comment();
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(&comment);
            self.out.push('\n');
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: usize, first_in_place: bool) {
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 || !first_in_place {
                if index > 0 {
                    self.between(indent);
                }
                self.out.push_str(&" ".repeat(indent));
            }
            let key = self.key(key);
            self.out.push_str(&key);
            self.out.push(':');
            self.value(value, indent);
        }
    }

    fn key(&mut self, key: &str) -> String {
        match self.tape.pick(12) {
            10 => format!("\"{key}\""),
            11 => format!("'{key}'"),
            _ if plain(key) => key.to_owned(),
            _ => format!("\"{key}\""),
        }
    }

    /// A value behind a colon.
    fn value(&mut self, value: &Value, indent: usize) {
        self.ends_in_block = false;
        match value {
            Value::Object(map) if !map.is_empty() && !self.tape.rarely(8) => {
                self.anchor();
                self.end_line();
                self.mapping(map, indent + self.step, false);
            }
            Value::Array(items) if !items.is_empty() && !self.tape.rarely(8) => {
                self.anchor();
                self.end_line();
                let deeper = if self.indented_lists {
                    indent + self.step
                } else {
                    indent
                };
                self.sequence(items, deeper);
            }
            Value::String(text) if text.contains('\n') => self.literal(text, indent),
            Value::String(text) if !text.is_empty() && self.tape.rarely(20) => self.folded(text, indent),
            Value::Null if self.tape.rarely(3) => self.end_line(),
            value => {
                let gap = if self.tape.rarely(12) { "   " } else { " " };
                self.out.push_str(gap);
                let text = self.over_lines(value, indent);
                self.out.push_str(&text);
                self.end_line();
            }
        }
    }

    fn anchor(&mut self) {
        if self.tape.rarely(20) {
            self.anchors += 1;
            self.out.push_str(&format!(" &a{}", self.anchors));
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        let indent = indent + self.step;
        let stripped = text.trim_end_matches('\n');
        let chomping = match text.len() - stripped.len() {
            0 => "-",
            1 => "",
            _ => "+",
        };
        // Blanks at the start hide where the text is indented to.
        let digit = if text.starts_with([' ', '\n']) {
            self.step.to_string()
        } else {
            String::new()
        };
        self.out.push_str(&format!(" |{digit}{chomping}\n"));
        let body = if chomping == "+" {
            text.strip_suffix('\n').unwrap_or(text)
        } else {
            stripped
        };
        for line in body.split('\n') {
            if !line.is_empty() {
                self.out.push_str(&" ".repeat(indent));
            }
            self.out.push_str(line);
            self.out.push('\n');
        }
        self.ends_in_block = true;
    }

    /// A text of one line as a block scalar.
    fn folded(&mut self, text: &str, indent: usize) {
        let header = self.tape.one(&[">-", "|-", ">2-", "|-2 # c0."]);
        let digit = header.contains('2');
        let deeper = if digit { 2 } else { self.step };
        self.out
            .push_str(&format!(" {header}\n{}{text}\n", " ".repeat(indent + deeper)));
        self.ends_in_block = true;
    }

    /// Flow text, at times over several lines.
    fn over_lines(&mut self, value: &Value, indent: usize) -> String {
        let deep = " ".repeat(indent + self.step);
        match value {
            Value::Array(items) if !items.is_empty() && self.tape.rarely(4) => {
                let inner: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                self.lines('[', ']', &inner, &deep)
            }
            Value::Object(map) if !map.is_empty() && self.tape.rarely(4) => {
                let json = self.tape.pick(3) == 2;
                let mut inner = Vec::new();
                for (key, value) in map {
                    let key = if json { format!("\"{key}\"") } else { self.key(key) };
                    let value = if json { value.to_string() } else { self.flow(value) };
                    inner.push(format!("{key}: {value}"));
                }
                self.lines('{', '}', &inner, &deep)
            }
            value => self.flow(value),
        }
    }

    fn lines(&mut self, open: char, close: char, inner: &[String], deep: &str) -> String {
        let (first, last) = match self.tape.pick(3) {
            0 => (format!("\n{deep}"), format!("\n{deep}")),
            1 => (String::new(), String::new()),
            _ => (format!(" # c0.\n{deep}"), format!(",\n{deep}")),
        };
        let between = self.tape.one(&[",\n", ", # c0.\n"]);
        format!("{open}{first}{}{last}{close}", inner.join(&format!("{between}{deep}")))
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.between(indent);
            }
            self.ends_in_block = false;
            self.out.push_str(&" ".repeat(indent));
            self.out.push('-');
            match item {
                Value::Object(map) if !map.is_empty() && !self.tape.rarely(6) => {
                    if self.tape.rarely(8) {
                        self.out.push_str(self.tape.one(&["\n", " # alone\n"]));
                        self.mapping(map, indent + 2, false);
                    } else {
                        self.out.push(' ');
                        self.mapping(map, indent + 2, true);
                    }
                }
                Value::String(text) if text.contains('\n') => self.literal(text, indent),
                Value::String(text) if !text.is_empty() && self.tape.rarely(20) => self.folded(text, indent),
                item => {
                    self.out.push(' ');
                    let text = self.over_lines(item, indent);
                    self.out.push_str(&text);
                    self.end_line();
                }
            }
        }
    }

    fn flow(&mut self, value: &Value) -> String {
        match value {
            Value::Null => self.tape.one(&["null", "~", "Null"]).to_owned(),
            Value::Bool(true) => self.tape.one(&["true", "true", "True", "TRUE"]).to_owned(),
            Value::Bool(false) => self.tape.one(&["false", "False", "FALSE"]).to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                let inner: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                self.bracket('[', ']', &inner)
            }
            Value::Object(map) => {
                let mut inner = Vec::new();
                for (key, value) in map {
                    let key = self.key(key);
                    let value = self.flow(value);
                    inner.push(format!("{key}: {value}"));
                }
                self.bracket('{', '}', &inner)
            }
        }
    }

    fn bracket(&mut self, open: char, close: char, inner: &[String]) -> String {
        let pad = if self.tape.pick(3) == 2 && !inner.is_empty() {
            " "
        } else {
            ""
        };
        let trailing = if !inner.is_empty() && self.tape.rarely(8) {
            ","
        } else {
            ""
        };
        format!("{open}{pad}{}{trailing}{pad}{close}", inner.join(", "))
    }

    fn string(&mut self, text: &str) -> String {
        let single = !text.contains('\n');
        match self.tape.pick(5) {
            3 if single => format!("'{}'", text.replace('\'', "''")),
            4 => serde_json::to_string(text).unwrap(),
            _ if plain(text) => text.to_owned(),
            _ => serde_json::to_string(text).unwrap(),
        }
    }
}
