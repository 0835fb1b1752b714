//! Takes findings and gives them as SARIF 2.1.0, as GitHub's code scanning shows them.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Positions, Report};
use crate::check::codes;
use crate::check::{Code, Finding, Place, Severity};

/// A SARIF log with one run; every code is a rule. What the configuration accepts is there too, suppressed with its reason.
#[must_use]
pub fn sarif(report: &Report<'_>) -> String {
    let mut results = Results {
        report,
        positions: report.positions(),
        prints: HashMap::new(),
    };
    let mut all: Vec<Value> = report.findings.iter().map(|finding| results.result(finding)).collect();
    for accepted in report.accepted {
        let mut result = results.result(&accepted.finding);
        result["suppressions"] = json!([{
            "kind": "external", "status": "accepted", "justification": accepted.reason,
        }]);
        all.push(result);
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "capv-ipam",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes::ALL.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "utf16CodeUnits",
            "results": all,
        }],
    });
    format!("{log:#}\n")
}

fn rule(code: &Code) -> Value {
    let (before, after) = code.example();
    let text = format!("{}\n\n{}\n\n{}", code.cause, code.consequence, code.cure);
    let example = format!("Before:\n\n```yaml\n{before}```\n\nAfter:\n\n```yaml\n{after}```\n");
    json!({
        "id": code.id,
        "name": code.name,
        "shortDescription": { "text": code.cause },
        "fullDescription": { "text": format!("{} {}", code.cause, code.consequence) },
        "help": { "text": text, "markdown": format!("{text}\n\n{example}") },
        "defaultConfiguration": { "level": level(code.severity) },
        "properties": { "precision": "very-high", "problem.severity": problem(code.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// GitHub's word for the severity of a rule.
fn problem(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    }
}

struct Results<'r> {
    report: &'r Report<'r>,
    positions: Positions,
    /// How often each fingerprint occurred.
    prints: HashMap<String, usize>,
}

impl Results<'_> {
    fn result(&mut self, finding: &Finding) -> Value {
        let message = match &finding.help {
            Some(help) => format!("{}. {help}", finding.message),
            None => finding.message.clone(),
        };
        let mut result = json!({
            "ruleId": finding.code.id,
            "ruleIndex": codes::ALL.iter().position(|code| *code == finding.code),
            "level": level(finding.severity),
            "message": { "text": message },
            "locations": finding.place.and_then(|place| self.location(place)).into_iter().collect::<Vec<_>>(),
            "partialFingerprints": { "primaryLocationLineHash": self.fingerprint(finding) },
        });
        if let Some((place, what)) = &finding.related
            && let Some(mut location) = self.location(*place)
        {
            location["id"] = json!(1);
            location["message"] = json!({ "text": what });
            result["relatedLocations"] = json!([location]);
        }
        if let Some((severity, reason)) = &finding.lowered {
            result["properties"] = json!({ "loweredFrom": level(*severity), "reason": reason });
        }
        result
    }

    /// Tells a finding from others wherever its line moves to: its code, object, file and the text of its line.
    fn fingerprint(&mut self, finding: &Finding) -> String {
        let (file, line) = finding.place.and_then(|place| self.line(place)).unwrap_or_default();
        let object = finding.object.as_deref().unwrap_or_default();
        let digest = Sha256::digest(format!("{}\0{object}\0{file}\0{}", finding.code.id, line.trim()));
        let hash = digest.iter().take(8).fold(String::new(), |mut hash, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        let seen = self.prints.entry(hash.clone()).or_default();
        *seen += 1;
        format!("{hash}:{seen}")
    }

    fn line(&self, place: Place) -> Option<(&str, &str)> {
        let (file, text) = self.report.texts.get(place.source)?;
        let position = self.positions.get(place.source, place.span.start)?;
        Some((file, text[position.line_start..].lines().next().unwrap_or_default()))
    }

    fn location(&self, place: Place) -> Option<Value> {
        let (file, _) = self.report.texts.get(place.source)?;
        let start = self.positions.get(place.source, place.span.start)?;
        let end = self.positions.get(place.source, place.span.end)?;
        Some(json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(file) },
                "region": {
                    "startLine": start.line, "startColumn": start.utf16_column,
                    "endLine": end.line, "endColumn": end.utf16_column,
                },
            },
        }))
    }
}

/// A path as a reference: what RFC 3986 does not allow there is percent-encoded, and an absolute path is a file URI.
fn uri(path: &str) -> String {
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    let path = path.trim_start_matches("./");
    let encoded = path.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("{scheme}{}", encoded.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("./a b/ü.yaml"), "a%20b/%C3%BC.yaml");
        assert_eq!(uri("/tmp/a.yaml"), "file:///tmp/a.yaml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
