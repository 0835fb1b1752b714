//! The one computation: takes a manifest and configurations, gives findings and edits; every verb prints a part of it.

use serde_json::{Map, Value};

use crate::addressing::{Acceptance, ConfigDocument, Groups, Selection, StaticAddressing, select};
use crate::check::{self, Accepted, Finding, Place, Purpose, Subject, codes, has_errors, input_finding};
use crate::objects::{Files, InputError, Manifest, Source};
use crate::planning::next::{Event, EventError};
use crate::planning::{self, AddressPlan, Running};
use crate::rewrite::{self, Wish};
use crate::state::State;
use crate::yaml::{Edits, Limits};

/// What a run comes to.
pub struct Outcome {
    /// What there is to say, errors first within the order of the texts.
    pub findings: Vec<Finding>,
    /// What the configurations accept, in the same order.
    pub accepted: Vec<Accepted>,
    /// The edits of each source; `None` when an error forbids every one of them.
    pub edits: Option<Vec<Edits>>,
}

/// Computes what the configurations mean for the sources, given what is live: the edits, and the findings about what they
/// touch. Without configurations there are no edits and nothing to say about a manifest that can be read.
#[must_use]
pub fn compute<'a>(sources: &'a [Source<'a>], configs: &[ConfigDocument<'_>], state: Option<&State<'_>>) -> Outcome {
    compute_for(Purpose::Transform, sources, configs, state)
}

/// The same computation for a purpose: a plan and a check judge everything in the manifest, touched or not.
#[must_use]
pub fn compute_for<'a>(
    purpose: Purpose,
    sources: &'a [Source<'a>],
    configs: &[ConfigDocument<'_>],
    state: Option<&State<'_>>,
) -> Outcome {
    let manifest = Manifest::read(sources, Limits::default());
    outcome(purpose, manifest, sources, configs, state)
}

/// Computes what a configuration means for the items of a ResourceList: each source is a portion of them, or the whole list.
#[must_use]
pub fn compute_items<'a>(
    purpose: Purpose,
    sources: &'a [Source<'a>],
    files: Files,
    configs: &[ConfigDocument<'_>],
) -> Outcome {
    let manifest = Manifest::read_items(sources, files, Limits::default());
    outcome(purpose, manifest, sources, configs, None)
}

fn outcome(
    purpose: Purpose,
    manifest: Result<Manifest<'_>, Vec<InputError>>,
    sources: &[Source<'_>],
    configs: &[ConfigDocument<'_>],
    state: Option<&State<'_>>,
) -> Outcome {
    let mut findings = Vec::new();
    let edits = edits(purpose, manifest, sources, configs, state, &mut findings);
    if let (Some(edits), Some(state)) = (&edits, state) {
        findings.extend(live(sources, edits, state));
    }
    let mut acceptances: Vec<(Acceptance, Option<Place>)> = configs.iter().flat_map(acceptances).collect();
    // Findings about load balancers come later, from the plan.
    acceptances.retain(|(acceptance, _)| !acceptance.is_of_backends());
    findings.sort_by_cached_key(Finding::order);
    findings.dedup();
    let (mut findings, mut accepted) = check::accept(findings, &acceptances);
    findings.sort_by_cached_key(Finding::order);
    accepted.sort_by_cached_key(|accepted| accepted.finding.order());
    Outcome {
        edits: edits.filter(|_| !has_errors(&findings)),
        findings,
        accepted,
    }
}

/// The address plan of the edited texts: what transform prints is what is planned.
///
/// # Errors
/// The edited texts cannot be read, which verification of the edits rules out.
pub fn plan(sources: &[Source<'_>], edits: &[Edits], state: Option<&State<'_>>) -> Result<AddressPlan, Vec<Finding>> {
    plan_then(sources, edits, state, &[]).map(|(plan, _)| plan)
}

/// The same with the steps of events, and the first event that cannot be played, if there is one; the plan has the steps
/// before it.
///
/// # Errors
/// As [`plan`].
pub fn plan_then(
    sources: &[Source<'_>],
    edits: &[Edits],
    state: Option<&State<'_>>,
    events: &[Event],
) -> Result<(AddressPlan, Option<EventError>), Vec<Finding>> {
    with_edited(sources, edits, read_texts, |manifest, groups| {
        let running = state.map(|state| Running::read(manifest, groups, state));
        match planning::plan_then(manifest, groups, running.as_ref(), events) {
            Ok(plan) => (plan, None),
            Err((error, plan)) => (*plan, Some(error)),
        }
    })
}

/// What there is to say about live objects beside the edited texts.
fn live(sources: &[Source<'_>], edits: &[Edits], state: &State<'_>) -> Vec<Finding> {
    let findings = with_edited(sources, edits, read_texts, |manifest, groups| {
        Running::read(manifest, groups, state).findings
    });
    findings.unwrap_or_else(|errors| errors)
}

/// The address plan of the edited items of a ResourceList.
///
/// # Errors
/// As [`plan`].
pub fn plan_items(sources: &[Source<'_>], edits: &[Edits]) -> Result<AddressPlan, Vec<Finding>> {
    with_edited(sources, edits, read_items, planning::plan)
}

/// The pools of a configuration as objects, written from nothing else: for a generator, which sees no manifest.
#[must_use]
pub fn pools_alone(config: &StaticAddressing) -> Vec<Map<String, Value>> {
    rewrite::pools_alone(config)
}

fn read_texts<'e>(sources: &'e [Source<'e>]) -> Result<Manifest<'e>, Vec<InputError>> {
    Manifest::read(sources, Limits::default())
}

fn read_items<'e>(sources: &'e [Source<'e>]) -> Result<Manifest<'e>, Vec<InputError>> {
    Manifest::read_items(sources, Files::default(), Limits::default())
}

/// Gives the edited texts, read again, to a function.
fn with_edited<T>(
    sources: &[Source<'_>],
    edits: &[Edits],
    read: impl for<'e> FnOnce(&'e [Source<'e>]) -> Result<Manifest<'e>, Vec<InputError>>,
    give: impl FnOnce(&Manifest<'_>, &Groups<'_, '_>) -> T,
) -> Result<T, Vec<Finding>> {
    let edited: Vec<String> = sources
        .iter()
        .zip(edits)
        .map(|(source, edits)| edits.splice(source.text))
        .collect();
    let named = sources.iter().zip(&edited);
    let sources: Vec<Source<'_>> = named
        .map(|(source, text)| Source {
            name: source.name,
            text,
        })
        .collect();
    let failed = |errors: Vec<InputError>| {
        errors
            .iter()
            .map(|error| input_finding(error, &sources))
            .collect::<Vec<_>>()
    };
    let manifest = read(&sources).map_err(failed)?;
    Ok(give(&manifest, &Groups::of(&manifest)))
}

/// The acceptances of a configuration, with their places.
#[must_use]
pub fn acceptances(document: &ConfigDocument<'_>) -> Vec<(Acceptance, Option<Place>)> {
    let listed = document.config.spec.accept.iter().enumerate();
    listed
        .map(|(index, acceptance)| (acceptance.clone(), document.place_of_acceptance(index)))
        .collect()
}

fn edits(
    purpose: Purpose,
    manifest: Result<Manifest<'_>, Vec<InputError>>,
    sources: &[Source<'_>],
    configs: &[ConfigDocument<'_>],
    state: Option<&State<'_>>,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Edits>> {
    let manifest = match manifest {
        Ok(manifest) => manifest,
        Err(errors) => {
            findings.extend(errors.iter().map(|error| input_finding(error, sources)));
            return None;
        }
    };
    let asked = configs.iter().any(|document| document.config.asks_for_edits());
    let unchanged = || Some(vec![Edits::default(); sources.len()]);
    if purpose == Purpose::Transform && !asked {
        return unchanged();
    }
    if let Some(finding) = rewrite::rendered_later(&manifest, configs) {
        findings.push(finding);
        return None;
    }
    let groups = Groups::of(&manifest);
    let selections: Vec<Option<Selection>> = configs
        .iter()
        .map(|document| selection(&manifest, &groups, document, findings))
        .collect();
    twice_chosen(&manifest, selections.iter().flatten(), findings);
    check::examine(
        &Subject {
            purpose,
            manifest: &manifest,
            groups: &groups,
            documents: configs,
            selections: &selections,
            state,
        },
        findings,
    );
    if !asked {
        return unchanged();
    }
    let selections: Vec<Selection> = selections.into_iter().collect::<Option<_>>()?;
    let wishes: Vec<Wish<'_>> = configs
        .iter()
        .zip(&selections)
        .map(|(document, selection)| Wish {
            config: &document.config,
            selection,
        })
        .collect();
    rewrite::rewrite(&manifest, &groups, &wishes, findings)
}

fn selection<'a>(
    manifest: &Manifest<'a>,
    groups: &Groups<'_, 'a>,
    document: &ConfigDocument<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Selection> {
    match select(manifest, groups, &document.config) {
        Ok(selection) => Some(selection),
        Err((errors, found)) => {
            findings.extend(errors.iter().map(|error| document.finding(error)));
            findings.extend(found);
            None
        }
    }
}

/// A template that two configurations edit would get the one's values and then the other's.
fn twice_chosen<'s>(
    manifest: &Manifest<'_>,
    selections: impl Iterator<Item = &'s Selection>,
    findings: &mut Vec<Finding>,
) {
    let mut seen = std::collections::HashMap::new();
    for (index, selection) in selections.enumerate() {
        for template in &selection.templates {
            if *seen.entry(template.object).or_insert(index) != index {
                let object = &manifest.objects[template.object];
                findings.push(
                    Finding::new(&codes::TWO_POOLS, format!("{object} is chosen by two configurations"))
                        .on(object)
                        .at(manifest.source_of(object), object.name_span())
                        .help("choose it in one of them"),
                );
            }
        }
    }
}
