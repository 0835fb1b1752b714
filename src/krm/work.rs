//! Takes the sources and the configuration of a function call and does what its verb says: gives findings, edits of what came in, and objects to add.

use serde_json::{Map, Value};

use super::local_texts::{WRITTEN_BY, What, local_texts, plan_texts};
use super::members;
use super::narrow::narrow;
use crate::addressing::{ConfigDocument, Verb};
use crate::check::{Finding, Purpose, codes, has_errors};
use crate::objects::{Files, Manifest, Source};
use crate::outcome::{compute_for, compute_items, plan, plan_items, pools_alone};
use crate::planning::AddressPlan;
use crate::yaml::{Edits, Limits};

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

impl Addition {
    /// Whether it is a ConfigMap of ours alone, which replaces only one that has the same mark.
    pub(super) fn is_marked(&self) -> bool {
        let metadata = self.object.get("metadata");
        let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
        annotations.is_some_and(|annotations| annotations.get(WRITTEN_BY).is_some())
    }
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
    let mut findings = outcome.findings;
    if verb != Verb::Transform {
        // No item is edited, so none loses its ids.
        findings.retain(|finding| finding.code.id != codes::COMMENTS_KEPT_APART.id);
    }
    let mut work = Work {
        findings,
        edits: outcome.edits,
        additions: Vec::new(),
    };
    let Some(edits) = work.edits.take().filter(|_| !has_errors(&work.findings)) else {
        return work;
    };
    match verb {
        Verb::Transform | Verb::Pools => work.edits = Some(edits),
        Verb::Check => {
            if edits.iter().any(|edits| !edits.is_empty()) {
                work.findings.push(not_applied(config));
            }
            work.untouched(sources);
        }
        Verb::Plan | Verb::Backends => match planned(sources, &edits, items) {
            Ok(plan) => work.add_planned(plan, sources, items, config),
            Err(findings) => work.findings.extend(findings),
        },
    }
    work
}

/// The judgement was about other items than those that came.
fn not_applied(config: &ConfigDocument<'_>) -> Finding {
    let message = "the items do not hold what this configuration asks for; they were judged as it would make them";
    let finding = Finding::new(&codes::NOT_APPLIED, message);
    Finding {
        place: config.place_of_key("verb"),
        ..finding.help("run it without `verb` before this step, or leave the wishes out to judge the items as they are")
    }
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
    fn add_planned(&mut self, plan: AddressPlan, sources: &[Source<'_>], items: bool, config: &ConfigDocument<'_>) {
        let manifest = if items {
            Manifest::read_items(sources, Files::default(), Limits::default())
        } else {
            Manifest::read(sources, Limits::default())
        };
        // The same sources were read for the plan.
        let Ok(manifest) = manifest else { return };
        let plan = match narrow(plan, &manifest, config) {
            Ok(plan) => plan,
            Err(finding) => return self.findings.push(*finding),
        };
        let (what, data) = if config.config.spec.verb == Verb::Backends {
            let (texts, findings) = members::lists(&plan, &manifest, config);
            self.findings.extend(findings);
            let Some(texts) = texts else { return };
            (What::Lists, texts)
        } else {
            (What::Plan, plan_texts(&plan))
        };
        self.additions.push(local_texts(&plan, config, what, data));
        self.untouched(sources);
    }
}
