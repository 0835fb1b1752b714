//! The one computation: takes a manifest and configurations, gives findings and edits; every verb prints a part of it.

use crate::addressing::{Acceptance, ConfigDocument, Groups, Selection, select};
use crate::check::{self, Accepted, Finding, Place, Purpose, Subject, codes, has_errors, input_finding};
use crate::objects::{Manifest, Source};
use crate::planning::{self, AddressPlan};
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
    let mut findings = Vec::new();
    let edits = edits(purpose, sources, configs, state, &mut findings);
    let acceptances: Vec<(Acceptance, Option<Place>)> = configs.iter().flat_map(acceptances).collect();
    sort(&mut findings, |finding| finding);
    findings.dedup();
    let (mut findings, mut accepted) = check::accept(findings, &acceptances);
    sort(&mut findings, |finding| finding);
    sort(&mut accepted, |accepted| &accepted.finding);
    Outcome {
        edits: edits.filter(|_| !has_errors(&findings)),
        findings,
        accepted,
    }
}

fn sort<T>(list: &mut [T], finding: impl Fn(&T) -> &Finding) {
    list.sort_by_cached_key(|item| {
        let finding = finding(item);
        let place = finding
            .place
            .map_or((usize::MAX, 0), |place| (place.source, place.span.start));
        (
            std::cmp::Reverse(finding.severity),
            place,
            finding.code.id,
            finding.message.clone(),
        )
    });
}

/// The address plan of the edited texts: what transform prints is what is planned.
///
/// # Errors
/// The edited texts cannot be read, which verification of the edits rules out.
pub fn plan(sources: &[Source<'_>], edits: &[Edits], _state: Option<&State<'_>>) -> Result<AddressPlan, Vec<Finding>> {
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
    let failed = |errors: Vec<_>| {
        errors
            .iter()
            .map(|error| input_finding(error, &sources))
            .collect::<Vec<_>>()
    };
    let manifest = Manifest::read(&sources, Limits::default()).map_err(failed)?;
    Ok(planning::plan(&manifest, &Groups::of(&manifest)))
}

fn acceptances(document: &ConfigDocument<'_>) -> Vec<(Acceptance, Option<Place>)> {
    let listed = document.config.spec.accept.iter().enumerate();
    listed
        .map(|(index, acceptance)| (acceptance.clone(), document.place_of_acceptance(index)))
        .collect()
}

fn edits<'a>(
    purpose: Purpose,
    sources: &'a [Source<'a>],
    configs: &[ConfigDocument<'_>],
    state: Option<&State<'_>>,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Edits>> {
    let manifest = match Manifest::read(sources, Limits::default()) {
        Ok(manifest) => manifest,
        Err(errors) => {
            findings.extend(errors.iter().map(|error| input_finding(error, sources)));
            return None;
        }
    };
    if configs.is_empty() && purpose == Purpose::Transform {
        return Some(vec![Edits::default(); sources.len()]);
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
