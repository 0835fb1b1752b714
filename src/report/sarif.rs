//! Takes findings and gives them as SARIF 2.1.0, as GitHub's code scanning shows them.

use serde_json::{Value, json};

use super::{Positions, Report};
use crate::check::codes;
use crate::check::{Finding, Place, Severity};

/// A SARIF log with one run; every code is a rule.
#[must_use]
pub fn sarif(report: &Report<'_>) -> String {
    let positions = report.positions();
    let rules: Vec<Value> = codes::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.id,
                "name": code.name,
                "shortDescription": { "text": code.cause },
                "fullDescription": { "text": format!("{} {}", code.cause, code.consequence) },
                "help": { "text": code.cure },
                "defaultConfiguration": { "level": level(code.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, report, &positions))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "capv-ipam", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(finding: &Finding, report: &Report<'_>, positions: &Positions) -> Value {
    let message = match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.code.id,
        "ruleIndex": codes::ALL.iter().position(|code| *code == finding.code),
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": finding.place.and_then(|place| location(place, report, positions)).into_iter().collect::<Vec<_>>(),
    });
    if let Some((place, what)) = &finding.related
        && let Some(mut location) = location(*place, report, positions)
    {
        location["message"] = json!({ "text": what });
        result["relatedLocations"] = json!([location]);
    }
    result
}

fn location(place: Place, report: &Report<'_>, positions: &Positions) -> Option<Value> {
    let (file, _) = report.texts.get(place.source)?;
    let start = positions.get(place.source, place.span.start)?;
    let end = positions.get(place.source, place.span.end)?;
    Some(json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(file) },
            "region": {
                "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column.max(1),
            },
        },
    }))
}

/// A path as a relative reference: what RFC 3986 does not allow there is percent-encoded.
fn uri(path: &str) -> String {
    let path = path.trim_start_matches("./");
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
