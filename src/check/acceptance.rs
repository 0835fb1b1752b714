//! Takes findings and the acceptances of the configuration, lowers what is accepted, and reports acceptances that match nothing.

use super::codes;
use super::finding::{Finding, Place};
use crate::addressing::Acceptance;

/// Lowers or removes the findings that the configuration accepts.
#[must_use]
pub fn accept(findings: Vec<Finding>, acceptances: &[(Acceptance, Option<Place>)]) -> Vec<Finding> {
    let mut used = vec![false; acceptances.len()];
    let mut kept = Vec::new();
    for mut finding in findings {
        let found = acceptances
            .iter()
            .position(|(acceptance, _)| matches(acceptance, &finding));
        let Some(index) = found else {
            kept.push(finding);
            continue;
        };
        used[index] = true;
        if let Some(severity) = acceptances[index].0.severity {
            finding.severity = finding.severity.min(severity);
            kept.push(finding);
        }
    }
    let unused = acceptances.iter().zip(&used).filter(|(_, used)| !**used);
    kept.extend(unused.map(|((acceptance, place), _)| {
        Finding {
            place: *place,
            ..Finding::new(
                &codes::UNUSED_ACCEPTANCE,
                format!("the acceptance of {acceptance} matches no finding"),
            )
            .help("remove it, or correct its code or object")
        }
    }));
    kept
}

/// An object is meant as `KIND/NAME`, `KIND NAMESPACE/NAME` or `NAME`; without one every finding of the code is.
fn matches(acceptance: &Acceptance, finding: &Finding) -> bool {
    let code = acceptance.code.eq_ignore_ascii_case(finding.code.id);
    let object = acceptance.object.as_deref().is_none_or(|wanted| {
        finding.object.as_deref().is_some_and(|object| {
            let (kind, path) = object.split_once(' ').unwrap_or(("", object));
            let name = path.rsplit('/').next().unwrap_or(path);
            wanted == object || wanted == name || wanted == path || wanted == format!("{kind}/{name}")
        })
    });
    code && object && !finding.code.stops_edits()
}
