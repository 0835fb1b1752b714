//! The one computation: takes a manifest and configurations, gives findings and edits; every verb prints a part of it.

use crate::addressing::{Acceptance, ConfigDocument, Groups, Selection, select};
use crate::check::{self, Finding, Place, codes, has_errors, input_finding, put_in_order};
use crate::objects::{Manifest, Source};
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
    let mut findings = Vec::new();
    let edits = edits(sources, configs, &mut findings);
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

/// The acceptances of a configuration, with their places.
#[must_use]
pub fn acceptances(document: &ConfigDocument<'_>) -> Vec<(Acceptance, Option<Place>)> {
    let listed = document.config.spec.accept.iter().enumerate();
    listed
        .map(|(index, acceptance)| (acceptance.clone(), document.place_of_acceptance(index)))
        .collect()
}

fn edits<'a>(
    sources: &'a [Source<'a>],
    configs: &[ConfigDocument<'_>],
    findings: &mut Vec<Finding>,
) -> Option<Vec<Edits>> {
    let manifest = match Manifest::read(sources, Limits::default()) {
        Ok(manifest) => manifest,
        Err(errors) => {
            findings.extend(errors.iter().map(|error| input_finding(error, sources)));
            return None;
        }
    };
    if configs.is_empty() {
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
