//! Takes findings and gives them as JSON of a fixed shape for other programs.

use serde_json::{Value, json};

use super::{Positions, Report};
use crate::check::Finding;

/// A `FindingList`; lines and columns count from 1. What the configuration accepts stands apart, with the reason.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    let positions = report.positions();
    let accepted = report.accepted.iter().map(|accepted| {
        let mut value = value(report, &positions, &accepted.finding);
        value["reason"] = json!(accepted.reason);
        value
    });
    let mut list = json!({
        "apiVersion": "capv-ipam.dev/v1alpha1", "kind": "FindingList", "items": findings(report),
    });
    let accepted: Vec<Value> = accepted.collect();
    if !accepted.is_empty() {
        list["accepted"] = json!(accepted);
    }
    format!("{list:#}\n")
}

/// The findings as values: code, name, severity, message, object, place and help.
#[must_use]
pub fn findings(report: &Report<'_>) -> Vec<Value> {
    let positions = report.positions();
    let values = report.findings.iter();
    values.map(|finding| value(report, &positions, finding)).collect()
}

fn value(report: &Report<'_>, positions: &Positions, finding: &Finding) -> Value {
    let place = finding.place.and_then(|place| {
        let start = positions.get(place.source, place.span.start)?;
        let end = positions.get(place.source, place.span.end)?;
        let file = report.texts.get(place.source)?.0;
        Some(json!({
            "file": file, "line": start.line, "column": start.column, "endLine": end.line, "endColumn": end.column,
        }))
    });
    let mut value = json!({
        "code": finding.code.id,
        "name": finding.code.name,
        "severity": finding.severity,
        "message": finding.message,
        "object": finding.object,
        "place": place,
        "help": finding.help,
    });
    if let Some((severity, reason)) = &finding.lowered {
        value["lowered"] = json!({ "from": severity, "reason": reason });
    }
    value
}
