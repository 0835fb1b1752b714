//! Takes a manifest and what was selected in it, and reports templates that nothing uses, labels that somebody must serve, and what a placeholder hides.

use super::codes;
use super::finding::Finding;
use crate::addressing::{Binding, ClusterScope, ConfigDocument, Groups, Selection};
use crate::objects::{Detail, Manifest, is_placeholder};

/// Findings about templates and bindings.
pub(crate) fn templates(
    manifest: &Manifest<'_>,
    groups: &Groups<'_, '_>,
    wishes: &[(&ConfigDocument<'_>, &Selection)],
    findings: &mut Vec<Finding>,
) {
    for (document, selection) in wishes.iter().filter(|(_, selection)| !selection.pools.is_empty()) {
        binding(manifest, document, selection, findings);
        classes(manifest, groups, selection, findings);
        placeholders(manifest, selection, findings);
        if selection.scope == ClusterScope::Whole {
            let object = &manifest.objects[selection.pools[0].first_template];
            findings.push(
                Finding::new(
                    &codes::NO_CLUSTER,
                    format!(
                        "the manifest has no Cluster; the pool {} gets no clusterName",
                        selection.pools[0].name
                    ),
                )
                .on(object)
                .at(manifest.source_of(object), object.name_span())
                .help("give the manifest that holds the Cluster as well, if there is one"),
            );
        }
    }
    if wishes.iter().all(|(_, selection)| selection.pools.is_empty()) {
        return;
    }
    let chosen = |index: usize| {
        wishes
            .iter()
            .any(|(_, selection)| selection.templates.iter().any(|template| template.object == index))
    };
    for (index, object) in manifest.objects.iter().enumerate() {
        if matches!(object.detail, Detail::Template(_)) && groups.users(index).next().is_none() && !chosen(index) {
            findings.push(
                Finding::new(
                    &codes::TEMPLATE_UNUSED,
                    format!("no machine group of the manifest refers to {object}"),
                )
                .on(object)
                .at(manifest.source_of(object), object.name_span())
                .help("nothing is changed in it"),
            );
        }
    }
}

/// A class may have clusters that the manifest does not show.
fn classes(manifest: &Manifest<'_>, groups: &Groups<'_, '_>, selection: &Selection, findings: &mut Vec<Finding>) {
    for chosen in &selection.templates {
        let Some(class) = groups.users(chosen.object).find_map(|group| groups.all[group].class) else {
            continue;
        };
        let object = &manifest.objects[chosen.object];
        let class = &manifest.objects[class.0];
        let message = format!(
            "{object} belongs to {class}: every cluster of the class takes addresses from {}",
            selection.pools[chosen.pool].name
        );
        findings.push(
            Finding::new(&codes::CLASS_TEMPLATE, message)
                .on(object)
                .at(manifest.source_of(object), object.name_span())
                .help("give each cluster with static addresses a class of its own"),
        );
    }
}

fn binding(manifest: &Manifest<'_>, document: &ConfigDocument<'_>, selection: &Selection, findings: &mut Vec<Finding>) {
    if document.config.spec.binding != Binding::Label {
        return;
    }
    let Some(first) = selection.templates.first() else {
        return;
    };
    let object = &manifest.objects[first.object];
    let message = "the pool label needs a controller that serves it; CAPV alone leaves the machines at WaitingForStaticIPAllocation";
    findings.push(
        Finding::new(&codes::LABEL_NEEDS_ADAPTER, message)
            .on(object)
            .at(manifest.source_of(object), object.name_span())
            .help("run one (the old spectro adapter works up to CAPV 1.8), or use `binding: addressesFromPools` with CAPV 1.5 or later"),
    );
    for (pool, wanted) in selection
        .pools
        .iter()
        .map(|pool| (pool, &document.config.spec.pools[pool.index]))
    {
        if wanted.gateway.is_none() {
            findings.push(Finding {
                place: document.place_of_pool(pool.index, "machines"),
                ..Finding::new(&codes::NO_GATEWAY, format!("the pool {} has no gateway", pool.name))
                    .help("set `gateway` (--gateway), unless another NIC has the default route")
            });
        }
    }
}

/// Names that are not known yet cannot be checked against the rules for labels and names.
fn placeholders(manifest: &Manifest<'_>, selection: &Selection, findings: &mut Vec<Finding>) {
    for pool in &selection.pools {
        let texts = [Some(&pool.name), pool.namespace.as_ref(), pool.cluster_name.as_ref()];
        let Some(text) = texts.into_iter().flatten().find(|text| is_placeholder(text)) else {
            continue;
        };
        let object = &manifest.objects[pool.first_template];
        findings.push(
            Finding::new(
                &codes::UNKNOWN_UNTIL_SUBSTITUTED,
                format!(
                    "the pool {} is written with {text}; whether the name is legal is not known",
                    pool.name
                ),
            )
            .on(object)
            .at(manifest.source_of(object), object.name_span())
            .help("check the manifest once more after the substitution"),
        );
    }
}
