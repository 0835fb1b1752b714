//! Takes findings and gives them as JSON of a fixed shape for other programs.

use serde_json::{Value, json};

use super::Report;
use crate::check::Finding;

/// A `FindingList`; lines and columns count from 1.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    let list = json!({
        "apiVersion": "capv-ipam.dev/v1alpha1", "kind": "FindingList", "items": findings(report),
    });
    format!("{list:#}\n")
}

/// The findings as values: code, name, severity, message, object, place and help.
#[must_use]
pub fn findings(report: &Report<'_>) -> Vec<Value> {
    let positions = report.positions();
    let value = |finding: &Finding| {
        let place = finding.place.and_then(|place| {
            let start = positions.get(place.source, place.span.start)?;
            let end = positions.get(place.source, place.span.end)?;
            let file = report.texts.get(place.source)?.0;
            Some(json!({
                "file": file, "line": start.line, "column": start.column, "endLine": end.line, "endColumn": end.column,
            }))
        });
        json!({
            "code": finding.code.id,
            "name": finding.code.name,
            "severity": finding.severity,
            "message": finding.message,
            "object": finding.object,
            "place": place,
            "help": finding.help,
        })
    };
    report.findings.iter().map(value).collect()
}
