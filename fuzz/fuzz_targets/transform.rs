//! Takes any text as a manifest, runs the whole computation on it under a few configurations, and makes sure that it ends in
//! edits that settle or in findings that point into the text; never reads a file.
#![no_main]

use capv_ipam::addressing::read_configurations;
use capv_ipam::check::{Finding, Severity};
use capv_ipam::objects::Source;
use capv_ipam::outcome::{compute, plan};
use capv_ipam::report::{Columns, Report, github, json, plan_table, sarif, text, unified_diff};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const CONFIGURATIONS: [&str; 5] = [
    include_str!("../configurations/label.yaml"),
    include_str!("../configurations/addresses-from-pools.yaml"),
    include_str!("../configurations/rename.yaml"),
    include_str!("../configurations/one-network.yaml"),
    include_str!("../configurations/only-kube-vip.yaml"),
];

fn show(findings: &[Finding], texts: &[(&str, &str)]) {
    for place in findings.iter().filter_map(|finding| finding.place) {
        let (_, of) = texts[place.source];
        let span = place.span.start as usize..place.span.end as usize;
        assert!(of.get(span.clone()).is_some(), "a finding points at {span:?}");
    }
    let report = Report {
        findings,
        accepted: &[],
        texts,
    };
    for form in [text(&report, true), json(&report), sarif(&report), github(&report)] {
        assert!(findings.is_empty() || !form.is_empty());
    }
}

fuzz_target!(|manifest: &str| {
    let original = [Source {
        name: "m.yaml",
        text: manifest,
    }];
    let untouched = compute(&original, &[], None);
    show(&untouched.findings, &[("m.yaml", manifest)]);
    if let Some(edits) = &untouched.edits {
        assert!(edits[0].is_empty(), "edits without configuration");
    }
    for config in CONFIGURATIONS {
        let configs = read_configurations(&[(1, config)], &json!({})).expect("the configurations are right");
        let outcome = compute(&original, &configs, None);
        show(&outcome.findings, &[("m.yaml", manifest), ("config.yaml", config)]);
        let Some(first) = outcome.edits else {
            assert!(outcome.findings.iter().any(|finding| finding.severity == Severity::Error));
            continue;
        };
        let diff = unified_diff("m.yaml", manifest, &first[0]);
        assert_eq!(diff.is_empty(), first[0].is_empty());
        let after = first[0].splice(manifest);
        let sources = [Source {
            name: "m.yaml",
            text: &after,
        }];
        let again = compute(&sources, &configs, None);
        let Some(edits) = again.edits else {
            let texts = [("m.yaml", after.as_str()), ("config.yaml", config)];
            let findings = &again.findings;
            let report = text(&Report { findings, accepted: &[], texts: &texts }, false);
            panic!("the second run refuses what the first gave:\n{diff}\n{report}");
        };
        assert!(edits[0].is_empty(), "the second run edits:\n{}", unified_diff("m.yaml", &after, &edits[0]));
        let plan = plan(&original, &first, None).expect("what was edited can be read");
        let _ = (plan_table(&plan, Columns::All).aligned(), plan_table(&plan, Columns::Narrow).markdown());
    }
});
