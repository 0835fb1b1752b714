//! Takes the references between groups and templates and reports what leads nowhere, what is meant twice and what nothing uses; never guesses by name patterns.

use super::codes;
use super::finding::Finding;
use super::model::Model;
use crate::addressing::{ClusterScope, GroupSource, TemplateUse};
use crate::objects::{Detail, Object, is_placeholder};

/// Findings about templates and who uses them.
pub(super) fn templates(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (_, selection) in &model.wishes {
        let Some(pool) = selection
            .pools
            .first()
            .filter(|_| selection.scope == ClusterScope::Whole)
        else {
            continue;
        };
        let object = &model.manifest.objects[pool.first_template];
        let message = format!(
            "the manifest has no Cluster; the pool {} gets no clusterName",
            pool.name
        );
        findings.push(
            model
                .finding(object, object.name_span(), &codes::NO_CLUSTER, message)
                .help("give the manifest that holds the Cluster as well, if there is one"),
        );
    }
    let mut unused = unused(model);
    if model.everything() {
        ambiguous(model, findings);
        // A template that is told as the one that was probably meant is not told again.
        let meant = elsewhere(model, &unused, findings);
        unused.retain(|template| !meant.contains(template));
    }
    let wanted = model.wishes.iter().any(|(_, selection)| !selection.pools.is_empty());
    for index in unused {
        let object = &model.manifest.objects[index];
        let Detail::Template(template) = &object.detail else {
            continue;
        };
        if wanted || !model.after.template(index, template).bound().is_empty() {
            let message = format!("no machine group of the manifest refers to {object}");
            findings.push(
                model
                    .finding(object, object.name_span(), &codes::TEMPLATE_UNUSED, message)
                    .help("nothing is changed in it"),
            );
        }
    }
}

/// Templates that no group refers to and no configuration names.
fn unused(model: &Model<'_, '_>) -> Vec<usize> {
    let unused = |(index, object): &(usize, &Object<'_>)| {
        matches!(object.detail, Detail::Template(_))
            && model.groups.users(*index).next().is_none()
            && !model.after.chooses(*index)
    };
    let objects = model.manifest.objects.iter().enumerate();
    objects.filter(unused).map(|(index, _)| index).collect()
}

/// Two templates of one name that a group may mean.
fn ambiguous(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for group in &model.groups.all {
        let TemplateUse::Ambiguous(templates) = &group.template else {
            continue;
        };
        let objects: Vec<&Object<'_>> = templates
            .iter()
            .map(|template| &model.manifest.objects[*template])
            .collect();
        let message = format!("{} templates are called {}", objects.len(), objects[0].name());
        let source = |object: &Object<'_>| model.manifest.source_of(object);
        let finding = Finding::new(&codes::TEMPLATE_AMBIGUOUS, message)
            .on(objects[0])
            .at(source(objects[0]), objects[0].name_span())
            .help("remove or rename one of them");
        findings.push(match objects.get(1) {
            Some(other) => finding.with(source(other), other.name_span(), "the other one"),
            None => finding,
        });
    }
}

/// A reference that leads nowhere while a template of the same namespace is left over: one of the two names is probably wrong.
///
/// Gives the templates that were probably meant.
fn elsewhere(model: &Model<'_, '_>, unused: &[usize], findings: &mut Vec<Finding>) -> Vec<usize> {
    let mut meant = Vec::new();
    for group in &model.groups.all {
        let (GroupSource::Object(_), TemplateUse::Missing) = (group.source, &group.template) else {
            continue;
        };
        let Some(name) = group.reference.and_then(|reference| reference.name.as_ref()) else {
            continue;
        };
        let holder = model.holder(group);
        let left_over = unused
            .iter()
            .copied()
            .filter(|_| !is_placeholder(&name.value))
            .find(|index| {
                let object = &model.manifest.objects[*index];
                object.name.is_some() && object.in_namespace(holder.namespace())
            });
        let Some(index) = left_over else { continue };
        let left_over = &model.manifest.objects[index];
        if model.state.is_some_and(|state| is_live(state, &name.value)) {
            continue;
        }
        let message = format!(
            "{group} refers to the VSphereMachineTemplate {}, which is not in the manifest",
            name.value
        );
        findings.push(
            model
                .finding(holder, name.span, &codes::TEMPLATE_ELSEWHERE, message)
                .help(format!(
                    "is {} meant? Correct the reference or the template's name",
                    left_over.name()
                ))
                .with(
                    model.manifest.source_of(left_over),
                    left_over.name_span(),
                    "nothing refers to this one",
                ),
        );
        meant.push(index);
    }
    meant
}

fn is_live(state: &crate::state::State<'_>, name: &str) -> bool {
    let mut objects = state.manifest.objects.iter();
    objects.any(|object| matches!(object.detail, Detail::Template(_)) && object.name() == name)
}
