//! Takes the sources and the configuration of a function call and does what its verb says: gives findings, edits of what came in, and objects to add.

use serde_json::{Map, Value, json};

use super::members;
use crate::addressing::{ConfigDocument, Verb};
use crate::check::{Finding, Purpose, has_errors};
use crate::objects::carried::LOCAL_CONFIG;
use crate::objects::{Files, Manifest, Source, is_placeholder};
use crate::outcome::{compute_for, compute_items, plan, plan_items, pools_alone};
use crate::planning::AddressPlan;
use crate::yaml::{Edits, Layout, Limits, emit};

/// How the sources are read.
pub(super) enum Form {
    /// Portions of a ResourceList, or the whole of it.
    Items(Files),
    /// A stream of documents.
    Documents,
}

/// What a call comes to.
pub(super) struct Work {
    pub(super) findings: Vec<Finding>,
    /// The edits of each source; `None` after an error.
    pub(super) edits: Option<Vec<Edits>>,
    /// Objects to add, or to bring up to date where they are there already.
    pub(super) additions: Vec<Addition>,
}

/// An object that a verb adds.
pub(super) struct Addition {
    pub(super) object: Map<String, Value>,
    /// The part of it that is ours in one that is there already.
    pub(super) part: &'static str,
}

/// Does what the configuration's verb says.
pub(super) fn perform(sources: &[Source<'_>], form: Form, config: &ConfigDocument<'_>) -> Work {
    let verb = config.config.spec.verb;
    if verb == Verb::Pools {
        let pools = pools_alone(&config.config).into_iter();
        return Work {
            findings: Vec::new(),
            edits: Some(vec![Edits::default(); sources.len()]),
            additions: pools.map(|object| Addition { object, part: "spec" }).collect(),
        };
    }
    let configs = std::slice::from_ref(config);
    let items = matches!(form, Form::Items(_));
    let purpose = match verb {
        Verb::Check => Purpose::Check,
        Verb::Plan => Purpose::Plan,
        _ => Purpose::Transform,
    };
    let outcome = match form {
        Form::Items(files) => compute_items(purpose, sources, files, configs),
        Form::Documents => compute_for(purpose, sources, configs, None),
    };
    let mut work = Work {
        findings: outcome.findings,
        edits: outcome.edits,
        additions: Vec::new(),
    };
    let Some(edits) = work.edits.take().filter(|_| !has_errors(&work.findings)) else {
        return work;
    };
    match verb {
        Verb::Transform | Verb::Pools => work.edits = Some(edits),
        Verb::Check => work.untouched(sources),
        Verb::Plan | Verb::Backends => match planned(sources, &edits, items) {
            Ok(plan) => work.add_planned(&plan, sources, items, config),
            Err(findings) => work.findings.extend(findings),
        },
    }
    work
}

fn planned(sources: &[Source<'_>], edits: &[Edits], items: bool) -> Result<AddressPlan, Vec<Finding>> {
    if items {
        plan_items(sources, edits)
    } else {
        plan(sources, edits, None)
    }
}

impl Work {
    fn untouched(&mut self, sources: &[Source<'_>]) {
        self.edits = Some(vec![Edits::default(); sources.len()]);
    }

    /// Adds the plan, or the load balancer's lists that follow from it.
    fn add_planned(&mut self, plan: &AddressPlan, sources: &[Source<'_>], items: bool, config: &ConfigDocument<'_>) {
        let (what, data) = if config.config.spec.verb == Verb::Backends {
            let manifest = if items {
                Manifest::read_items(sources, Files::default(), Limits::default())
            } else {
                Manifest::read(sources, Limits::default())
            };
            // The same sources were read for the plan.
            let Ok(manifest) = manifest else { return };
            let (texts, findings) = members::lists(plan, &manifest, config);
            self.findings.extend(findings);
            let Some(texts) = texts else { return };
            ("backends", texts)
        } else {
            (
                "address-plan",
                Map::from_iter([("plan.yaml".to_owned(), json!(plan_text(plan)))]),
            )
        };
        self.additions.push(local_texts(plan, config, what, data));
        self.untouched(sources);
    }
}

fn plan_text(plan: &AddressPlan) -> String {
    match serde_json::to_value(plan) {
        Ok(Value::Object(map)) => emit::document(&map, Layout::default()),
        // Names and numbers only: nothing in a plan has no JSON form.
        _ => String::new(),
    }
}

/// Texts in a ConfigMap that never reaches a cluster, so that a change of them shows in a pull request.
fn local_texts(plan: &AddressPlan, config: &ConfigDocument<'_>, what: &str, data: Map<String, Value>) -> Addition {
    let cluster = match &plan.clusters[..] {
        [cluster] => cluster.name.as_deref(),
        _ => None,
    };
    let own = config.config.metadata.get("name").and_then(Value::as_str);
    let of = cluster.or(own).filter(|name| !is_placeholder(name));
    let name = of.map_or(what.to_owned(), |of| format!("{of}-{what}"));
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "annotations": {LOCAL_CONFIG: "true"}},
        "data": data,
    });
    Addition {
        object: object.as_object().cloned().unwrap_or_default(),
        part: "data",
    }
}
