//! Takes findings with what they are about and gives the results of a ResourceList, and the same as lines for standard error: errors first, one line each.

use serde_json::{Map, Value, json};

use super::item::Identity;
use crate::check::{Finding, Severity};
use crate::yaml::Segment;

/// Longest value that is shown beside its field; longer ones can hold anything, secrets included.
const LONGEST_VALUE: usize = 64;

/// A finding with the item or configuration that it is about.
pub(super) struct Located<'l> {
    pub(super) finding: &'l Finding,
    pub(super) object: Option<Identity<'l>>,
    pub(super) file: Option<File<'l>>,
    /// Keys and indices below the object.
    pub(super) field: Vec<Segment>,
    /// The value there, if it is a scalar.
    pub(super) value: Option<String>,
    /// The line within the object's document, from 1.
    pub(super) line: Option<usize>,
}

impl<'l> Located<'l> {
    /// A finding of which no object is known yet.
    pub(super) fn nowhere(finding: &'l Finding) -> Self {
        Located {
            finding,
            object: None,
            file: None,
            field: Vec::new(),
            value: None,
            line: None,
        }
    }

    /// Takes the file off, where its name tells nothing.
    pub(super) fn forget_file(&mut self) {
        (self.file, self.line) = (None, None);
    }
}

/// A document of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'l> {
    pub(super) path: &'l str,
    pub(super) index: u64,
}

/// The results, errors first.
pub(super) fn results(located: &[Located<'_>]) -> Vec<Value> {
    by_severity(located).map(result).collect()
}

/// A line for each error and warning.
pub(super) fn lines(located: &[Located<'_>]) -> Vec<String> {
    let worth_a_line = by_severity(located).filter(|located| located.finding.severity > Severity::Info);
    worth_a_line.map(line).collect()
}

fn by_severity<'s, 'l>(located: &'s [Located<'l>]) -> impl Iterator<Item = &'s Located<'l>> {
    let mut sorted: Vec<&Located<'_>> = located.iter().collect();
    sorted.sort_by_key(|located| std::cmp::Reverse(located.finding.severity));
    sorted.into_iter()
}

fn result(located: &Located<'_>) -> Value {
    let mut result = Map::new();
    result.insert("message".into(), json!(message(located)));
    result.insert("severity".into(), json!(located.finding.severity));
    if let Some(object) = &located.object {
        result.insert("resourceRef".into(), reference(object));
        // A field without its object would be read as one of another.
        if !located.field.is_empty() {
            let mut field = Map::new();
            field.insert("path".into(), json!(path(&located.field)));
            if let Some(value) = located.value.as_ref().filter(|value| value.len() <= LONGEST_VALUE) {
                field.insert("currentValue".into(), json!(value));
            }
            result.insert("field".into(), Value::Object(field));
        }
    }
    if let Some(file) = located.file {
        result.insert("file".into(), json!({"path": file.path, "index": file.index}));
    }
    let code = located.finding.code;
    result.insert("tags".into(), json!({"code": code.id, "name": code.name}));
    Value::Object(result)
}

/// `CI203: what is wrong (file, document 2, line 7); what to do`.
fn message(located: &Located<'_>) -> String {
    let finding = located.finding;
    let mut message = format!("{}: {}", finding.code.id, finding.message);
    let place = place(located);
    if !place.is_empty() {
        message.push_str(&format!(" ({place})"));
    }
    if let Some(help) = &finding.help {
        message.push_str("; ");
        message.push_str(help);
    }
    one_line(&message)
}

/// The object, the field and the message, as kpt prints results.
fn line(located: &Located<'_>) -> String {
    let mut line = format!("{}:", located.finding.severity.name());
    if let Some(object) = &located.object {
        line.push(' ');
        line.push_str(&object.to_string());
        if !located.field.is_empty() {
            line.push(' ');
            line.push_str(&path(&located.field));
        }
        line.push(':');
    }
    format!("{line} {}", message(located))
}

fn place(located: &Located<'_>) -> String {
    let Some(file) = located.file else {
        return String::new();
    };
    let mut place = file.path.to_owned();
    if file.index > 0 {
        place.push_str(&format!(", document {}", file.index + 1));
    }
    if let Some(line) = located.line {
        place.push_str(&format!(", line {line}"));
    }
    place
}

fn reference(object: &Identity<'_>) -> Value {
    let mut reference = Map::new();
    reference.insert("apiVersion".into(), json!(object.api_version));
    reference.insert("kind".into(), json!(object.kind));
    reference.insert("name".into(), json!(object.name));
    if let Some(namespace) = &object.namespace {
        reference.insert("namespace".into(), json!(namespace));
    }
    Value::Object(reference)
}

/// `spec.containers[3].image`; a key with other characters than a name's stands in brackets.
fn path(segments: &[Segment]) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            Segment::Index(index) => path.push_str(&format!("[{index}]")),
            Segment::Key(key)
                if key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) =>
            {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Segment::Key(key) => path.push_str(&format!("[{key}]")),
        }
    }
    path
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_kubernetes_writes_them() {
        let key = |key: &str| Segment::Key(key.to_owned());
        let steps = [key("spec"), key("nics"), Segment::Index(0), key("dhcp4")];
        assert_eq!(path(&steps), "spec.nics[0].dhcp4");
        assert_eq!(path(&[key("labels"), key("a.b/c")]), "labels[a.b/c]");
    }
}
