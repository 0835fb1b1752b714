//! Takes findings and the acceptances of the configuration, sets aside or lowers what is accepted, and reports acceptances that match nothing.

use std::collections::HashMap;

use super::codes;
use super::finding::{Finding, Place};
use super::severity::Severity;
use crate::addressing::Acceptance;

/// A finding that the configuration accepts, so that it is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The finding as it was found.
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
}

/// Sets aside or lowers the findings that the configuration accepts; gives what is reported and what is not.
///
/// Findings that stop edits stay: half of a wish would be done.
#[must_use]
pub fn accept(findings: Vec<Finding>, acceptances: &[(Acceptance, Option<Place>)]) -> (Vec<Finding>, Vec<Accepted>) {
    let mut by_code: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, (acceptance, _)) in acceptances.iter().enumerate() {
        by_code
            .entry(acceptance.code.to_ascii_uppercase())
            .or_default()
            .push(index);
    }
    let mut used = vec![false; acceptances.len()];
    let (mut kept, mut accepted) = (Vec::new(), Vec::new());
    for mut finding in findings {
        let candidates = by_code.get(finding.code.id).filter(|_| !finding.code.stops_edits());
        let names = finding.object.as_deref().map(names);
        let matching = candidates.into_iter().flatten().copied().filter(|index| {
            let object = acceptances[*index].0.object.as_deref();
            object.is_none_or(|wanted| {
                names
                    .as_ref()
                    .is_some_and(|names| names.iter().any(|name| name == wanted))
            })
        });
        let matching: Vec<usize> = matching.collect();
        matching.iter().for_each(|index| used[*index] = true);
        let Some(first) = matching.first() else {
            kept.push(finding);
            continue;
        };
        let acceptance = &acceptances[*first].0;
        match acceptance.severity {
            Some(severity) => {
                if severity < finding.severity {
                    finding.lowered = Some((finding.severity, acceptance.reason.clone()));
                }
                finding.severity = finding.severity.min(severity);
                kept.push(finding);
            }
            None => accepted.push(Accepted {
                finding,
                reason: acceptance.reason.clone(),
            }),
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
    (kept, accepted)
}

/// What an acceptance may call an object: `KIND NAMESPACE/NAME`, `KIND/NAME`, `NAMESPACE/NAME` or `NAME`.
fn names(object: &str) -> [String; 4] {
    let (kind, path) = object.split_once(' ').unwrap_or(("", object));
    let name = path.rsplit('/').next().unwrap_or(path);
    [
        object.to_owned(),
        format!("{kind}/{name}"),
        path.to_owned(),
        name.to_owned(),
    ]
}

impl Finding {
    /// How bad it was found to be, before the configuration lowered it.
    #[must_use]
    pub fn found_severity(&self) -> Severity {
        self.lowered.as_ref().map_or(self.severity, |(severity, _)| *severity)
    }
}
