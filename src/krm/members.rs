//! Takes the address plan of a function call and gives the load balancer's member lists in the formats that the configuration names, with everything that is to be said about them.

use serde_json::{Map, Value, json};

use crate::addressing::{Backends, ConfigDocument, Format};
use crate::backends::{PlanFinding, Settings, Wanted, collect, in_manifest, render};
use crate::check::{Finding, accept, codes, has_errors};
use crate::objects::Manifest;
use crate::outcome::acceptances;
use crate::planning::AddressPlan;

/// What the lists are written in when the configuration names no format: the table for people.
const DEFAULT: [Format; 1] = [Format::Table];

/// The lists by the name of their format; none after an error. The findings are accepted as the configuration says.
pub(super) fn lists(
    plan: &AddressPlan,
    manifest: &Manifest<'_>,
    config: &ConfigDocument<'_>,
) -> (Option<Map<String, Value>>, Vec<Finding>) {
    let placed = |found: PlanFinding| Finding {
        place: in_manifest(manifest, plan, found.about),
        ..*found.finding
    };
    let spec = &config.config.spec;
    let Ok(settings) = Settings::new([spec], &Backends::default()) else {
        // The configuration's reader has refused such keys, with their places.
        return (None, Vec::new());
    };
    // The plan is about the wanted clusters alone.
    let (list, found) = collect(plan, &settings, &[]);
    let mut findings: Vec<Finding> = found.into_iter().map(placed).collect();
    if list.services.is_empty() && findings.is_empty() {
        let message = "the items have no cluster with static addresses, so there are no members";
        findings.push(Finding::new(&codes::BACKENDS_NO_GROUP, message).help("give a cluster a pool first"));
    }
    let mut texts = Map::new();
    for format in formats(spec.backends.as_ref()) {
        let wanted = Wanted {
            list: &list,
            against: None,
            rollback: false,
        };
        let (text, said) = match render(format, wanted) {
            Ok((text, said)) => (Some(text), said),
            Err(said) => (None, said),
        };
        texts.extend(text.map(|text| (format.name().to_owned(), json!(text))));
        findings.extend(said.into_iter().map(placed));
    }
    let mut acceptances = acceptances(config);
    acceptances.retain(|(acceptance, _)| acceptance.is_of_backends());
    let (findings, _) = accept(findings, &acceptances);
    let whole = !has_errors(&findings);
    (whole.then_some(texts), findings)
}

fn formats(backends: Option<&Backends>) -> Vec<Format> {
    let named = backends.into_iter().flat_map(|backends| &backends.outputs);
    let formats: Vec<Format> = named.filter_map(|name| name.parse().ok()).collect();
    if formats.is_empty() { DEFAULT.to_vec() } else { formats }
}
