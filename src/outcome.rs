//! The one computation: takes a manifest and configurations, gives findings and edits; every verb prints a part of it.

use serde_json::{Map, Value};

use crate::addressing::{Acceptance, ConfigDocument, Groups, Selection, StaticAddressing, select};
use crate::check::{self, Finding, Place, codes, has_errors, input_finding, put_in_order};
use crate::objects::{Files, InputError, Manifest, Source};
use crate::planning::{self, AddressPlan};
use crate::rewrite::{self, Wish};
use crate::state::State;
use crate::yaml::{Edits, Limits};

/// What a run comes to.
pub struct Outcome {
    /// What there is to say, errors first within the order of the texts.
    pub findings: Vec<Finding>,
    /// The edits of each source; `None` when an error forbids every one of them.
    pub edits: Option<Vec<Edits>>,
}

/// Computes what the configurations mean for the sources, given what is live. Without configurations the edits are empty.
#[must_use]
pub fn compute<'a>(sources: &'a [Source<'a>], configs: &[ConfigDocument<'_>], _state: Option<&State<'_>>) -> Outcome {
    outcome(Manifest::read(sources, Limits::default()), sources, configs)
}

/// Computes what a configuration means for the items of a ResourceList: each source is a portion of them, or the whole list.
#[must_use]
pub fn compute_items<'a>(sources: &'a [Source<'a>], files: Files, configs: &[ConfigDocument<'_>]) -> Outcome {
    outcome(
        Manifest::read_items(sources, files, Limits::default()),
        sources,
        configs,
    )
}

fn outcome(
    manifest: Result<Manifest<'_>, Vec<InputError>>,
    sources: &[Source<'_>],
    configs: &[ConfigDocument<'_>],
) -> Outcome {
    let mut findings = Vec::new();
    let edits = edits(manifest, sources, configs, &mut findings);
    let mut acceptances: Vec<(Acceptance, Option<Place>)> = configs.iter().flat_map(acceptances).collect();
    // Findings about load balancers come later, from the plan.
    acceptances.retain(|(acceptance, _)| !acceptance.is_of_backends());
    let mut findings = check::accept(findings, &acceptances);
    put_in_order(&mut findings);
    Outcome {
        edits: edits.filter(|_| !has_errors(&findings)),
        findings,
    }
}

/// The address plan of the edited texts: what transform prints is what is planned.
///
/// # Errors
/// The edited texts cannot be read, which verification of the edits rules out.
pub fn plan(sources: &[Source<'_>], edits: &[Edits], _state: Option<&State<'_>>) -> Result<AddressPlan, Vec<Finding>> {
    planned(sources, edits, |sources| Manifest::read(sources, Limits::default()))
}

/// The address plan of the edited items of a ResourceList.
///
/// # Errors
/// As [`plan`].
pub fn plan_items(sources: &[Source<'_>], edits: &[Edits]) -> Result<AddressPlan, Vec<Finding>> {
    planned(sources, edits, |sources| {
        Manifest::read_items(sources, Files::default(), Limits::default())
    })
}

/// The pools of a configuration as objects, written from nothing else: for a generator, which sees no manifest.
#[must_use]
pub fn pools_alone(config: &StaticAddressing) -> Vec<Map<String, Value>> {
    rewrite::pools_alone(config)
}

fn planned(
    sources: &[Source<'_>],
    edits: &[Edits],
    read: impl for<'e> FnOnce(&'e [Source<'e>]) -> Result<Manifest<'e>, Vec<InputError>>,
) -> Result<AddressPlan, Vec<Finding>> {
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
    Ok(planning::plan(&manifest, &Groups::of(&manifest)))
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
    manifest: Result<Manifest<'_>, Vec<InputError>>,
    sources: &[Source<'_>],
    configs: &[ConfigDocument<'_>],
    findings: &mut Vec<Finding>,
) -> Option<Vec<Edits>> {
    let manifest = match manifest {
        Ok(manifest) => manifest,
        Err(errors) => {
            findings.extend(errors.iter().map(|error| input_finding(error, sources)));
            return None;
        }
    };
    if !configs.iter().any(|document| document.config.asks_for_edits()) {
        return Some(vec![Edits::default(); sources.len()]);
    }
    if let Some(finding) = rewrite::rendered_later(&manifest, configs) {
        findings.push(finding);
        return None;
    }
    let groups = Groups::of(&manifest);
    let selections = selections(&manifest, &groups, configs, findings)?;
    let wishes: Vec<(&ConfigDocument<'_>, &Selection)> = configs.iter().zip(&selections).collect();
    twice_chosen(&manifest, &selections, findings);
    check::addresses(&manifest, &wishes, findings);
    check::capacity(&groups, &wishes, findings);
    check::templates(&manifest, &groups, &wishes, findings);
    let wishes: Vec<Wish<'_>> = wishes
        .into_iter()
        .map(|(document, selection)| Wish {
            config: &document.config,
            selection,
        })
        .collect();
    rewrite::rewrite(&manifest, &groups, &wishes, findings)
}

fn selections<'a>(
    manifest: &Manifest<'a>,
    groups: &Groups<'_, 'a>,
    configs: &[ConfigDocument<'_>],
    findings: &mut Vec<Finding>,
) -> Option<Vec<Selection>> {
    let mut selections = Vec::new();
    for document in configs {
        match select(manifest, groups, &document.config) {
            Ok(selection) => selections.push(selection),
            Err((errors, found)) => {
                findings.extend(errors.iter().map(|error| document.finding(error)));
                findings.extend(found);
            }
        }
    }
    (selections.len() == configs.len()).then_some(selections)
}

/// A template that two configurations edit would get the one's values and then the other's.
fn twice_chosen(manifest: &Manifest<'_>, selections: &[Selection], findings: &mut Vec<Finding>) {
    let mut seen = std::collections::HashMap::new();
    for (index, selection) in selections.iter().enumerate() {
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
