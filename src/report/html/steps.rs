//! Takes the steps of a plan by their published names and writes what each event leads to: who holds what after it, how many addresses are in use at most, and where it gets stuck; computes no address.

use serde_json::Value;

use super::clusters::fact;
use super::grid::grid;
use super::markup::Markup;
use super::numbers::{count, counted};
use crate::planning::AddressPlan;

/// The steps of a plan, as `-o json` gives them.
pub(super) fn published(plan: &AddressPlan) -> Vec<Value> {
    match serde_json::to_value(plan)
        .ok()
        .and_then(|mut plan| Some(plan.get_mut("steps")?.take()))
    {
        Some(Value::Array(steps)) => steps,
        _ => Vec::new(),
    }
}

/// The section with all steps; nothing when the plan has none.
pub(super) fn steps(out: &mut Markup, steps: &[Value]) {
    if steps.is_empty() {
        return;
    }
    out.element("section", &[("id", "steps")], |out| {
        out.leaf("h2", &[], "What happens next");
        out.leaf("p", &[], "These events were played from the plan above, one after the other. Each step says which addresses the machines hold after it.");
        for (index, step) in steps.iter().enumerate() {
            out.element("article", &[("class", "step")], |out| write(out, index + 1, step));
            out.line();
        }
    });
    out.line();
}

fn write(out: &mut Markup, place: usize, step: &Value) {
    let event = text(step, "event");
    out.element("h3", &[], |heading| {
        heading.text(&format!("{place}. "));
        heading.code(event);
    });
    if let Some(meaning) = meaning(event) {
        out.leaf("p", &[], meaning);
    }
    let stuck: Vec<&Value> = list(step, "pools").iter().filter(|pool| is_stuck(pool)).collect();
    if !stuck.is_empty() {
        out.element("dl", &[("class", "facts")], |out| {
            for pool in stuck {
                fact(out, "Stuck", |out| {
                    let ends = match pool.get("everyRun").and_then(Value::as_bool) {
                        Some(false) => "The step does not end in some cases.",
                        _ => "The step does not end.",
                    };
                    out.leaf("strong", &[("class", "error")], ends);
                    out.text(" The pool ");
                    out.code(text(pool, "name"));
                    out.text(" has no address left");
                    match pool.get("needed").and_then(Value::as_u64) {
                        Some(needed) => out.text(&format!(
                            "; it must have {}.",
                            counted(needed.into(), "address", "addresses")
                        )),
                        None => out.text("."),
                    }
                    let way_out = text(pool, "wayOut");
                    if !way_out.is_empty() {
                        out.text(&format!(" Way out: {way_out}."));
                    }
                });
            }
        });
    }
    let titles = ["Group", "Certainty", "Addresses after the step"];
    grid(out, "who holds what", &titles, |rows| {
        for group in list(step, "groups") {
            rows.row(|cells| {
                cells.cell(|out| out.code(&group_title(group)));
                cells.cell(|out| {
                    out.text(text(group, "certainty"));
                    if !text(group, "why").is_empty() {
                        out.text(&format!(": {}", text(group, "why")));
                    }
                });
                cells.cell(|out| held(out, group));
            });
        }
    });
    let titles = ["Pool", "At most in use", "Must have", "Verdict"];
    grid(out, "use of the pools", &titles, |rows| {
        for pool in list(step, "pools") {
            rows.row(|cells| {
                cells.cell(|out| out.code(text(pool, "name")));
                cells.cell(|out| out.text(&number(pool, "peak")));
                cells.cell(|out| out.text(&number(pool, "needed")));
                cells.cell(|out| out.text(verdict(pool)));
            });
        }
    });
}

/// A group by its name, with kind and cluster where the step has them.
fn group_title(group: &Value) -> String {
    let kind = match text(group, "kind") {
        "" => String::new(),
        kind => format!("{kind}/"),
    };
    let cluster = match text(group, "cluster") {
        "" => String::new(),
        cluster => format!(" of {cluster}"),
    };
    format!("{kind}{}{cluster}", text(group, "name"))
}

/// The addresses of a group: in order of creation when they are exact, else one of which each machine holds.
fn held(out: &mut Markup, group: &Value) {
    let addresses: Vec<String> = list(group, "addresses")
        .iter()
        .filter_map(Value::as_str)
        .map(ToOwned::to_owned)
        .collect();
    if addresses.is_empty() {
        out.text("none");
        return;
    }
    if text(group, "certainty") != "exact" {
        out.text("any of ");
    }
    out.ranges(&addresses);
}

/// An event in plain words.
fn meaning(event: &str) -> Option<&'static str> {
    Some(match event.split('=').next()? {
        "rollout" => "Every machine is replaced, as an update does it.",
        "scale" => "The number of machines changes to the one behind the colon.",
        "delete" => "Somebody deletes one machine of the group, and the group makes another.",
        "enlarge" => "The pool gets more addresses, and a step that was stuck is helped out.",
        "repair" => "Claims that were refused for want of an address are repaired, so that they are tried again.",
        "delete-cluster" => "The cluster and its machines are deleted; their addresses are free again.",
        _ => return None,
    })
}

fn is_stuck(pool: &Value) -> bool {
    pool.get("stuck").and_then(Value::as_bool) == Some(true)
}

fn verdict(pool: &Value) -> &'static str {
    match pool.get("stuck").and_then(Value::as_bool) {
        Some(true) => "STUCK",
        Some(false) => "enough",
        None => "unknown",
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A number that may be missing, or too large for JSON and then a text.
fn number(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.parse().map_or_else(|_| text.clone(), count),
        Some(number) => number.as_u64().map(|number| count(number.into())).unwrap_or_default(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_says_who_holds_what_and_where_it_is_stuck() {
        let step = json!({
            "event": "rollout=blue-cp",
            "groups": [{"name": "blue-cp", "certainty": "exact", "addresses": ["10.0.0.15", "10.0.0.12"]},
                       {"name": "<md>", "certainty": "set", "addresses": ["10.0.0.20-10.0.0.29"]}],
            "pools": [{"name": "blue", "peak": 4, "stuck": false, "needed": 4},
                      {"name": "tight", "peak": 3, "stuck": true, "needed": 4, "wayOut": "enlarge the pool"}],
        });
        let mut out = Markup::default();
        steps(&mut out, &[step]);
        let html = out.finish();
        for part in [
            "1. <code>rollout=blue-cp</code>",
            "as an update does it",
            "<code>10.0.0.15</code>, <code>10.0.0.12</code>",
            "any of <code>10.0.0.20-<wbr/>10.0.0.29</code>",
            "<code>&lt;md&gt;</code>",
            "The pool <code>tight</code> has no address left; it must have 4 addresses. Way out: enlarge the pool.",
            "STUCK",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
    }

    #[test]
    fn a_group_says_what_it_is_and_why_it_is_a_set() {
        let group = json!({"name": "md", "kind": "MachineDeployment", "cluster": "blue", "certainty": "set",
                           "addresses": ["10.0.0.20"], "why": "any order"});
        let mut out = Markup::default();
        steps(&mut out, &[json!({"event": "rollout", "groups": [group], "pools": []})]);
        let html = out.finish();
        for part in ["<code>MachineDeployment/md of blue</code>", "set: any order"] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
    }

    #[test]
    fn a_plan_without_steps_has_no_such_section() {
        let mut out = Markup::default();
        steps(&mut out, &[]);
        assert!(out.is_empty());
    }
}
