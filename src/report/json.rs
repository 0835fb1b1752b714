//! Takes findings and gives them as JSON of a fixed shape for other programs.

use serde_json::{Value, json};

use super::Report;

/// A `FindingList`; lines and columns count from 1.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    let positions = report.positions();
    let items: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
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
        })
        .collect();
    let list = json!({ "apiVersion": "capv-ipam.dev/v1alpha1", "kind": "FindingList", "items": items });
    format!("{list:#}\n")
}
