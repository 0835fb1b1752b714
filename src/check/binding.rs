//! Takes templates as they will be and finds NICs that wait for an address, labels without effect, and pools that are not found; addresses are judged elsewhere.

use super::codes;
use super::finding::Finding;
use super::model::{JudgedPool, LeadsTo, Model, Origin};
use crate::addressing::{TemplateAfter, label_value_problem};
use crate::objects::{Detail, Nic, Object, Span, Template, is_placeholder};
use crate::planning::PoolReference;

/// Findings about the way from a NIC to its pool.
pub(super) fn binding(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (index, object, template, after) in model.templates() {
        both(model, object, template, &after, findings);
        misplaced(model, object, template, &after, findings);
        // What a patch of the class makes of the NICs is not known.
        if patched(model, index) {
            continue;
        }
        match after.label {
            Some(label) => dhcp_still_on(model, object, template, &after, label, findings),
            None if model.groups.users(index).next().is_some() => waiting(model, object, template, &after, findings),
            None => {}
        }
    }
    group_labels(model, findings);
    found(model, findings);
}

/// Whether a class patch sets the NICs of a template.
pub(super) fn patched(model: &Model<'_, '_>, template: usize) -> bool {
    model.groups.users(template).any(|user| {
        let Some((class, worker)) = model.groups.all[user].class else {
            return false;
        };
        let Detail::Class(class) = &model.manifest.objects[class].detail else {
            return false;
        };
        class.patches.iter().any(|patch| patch.sets_nics(worker).is_some())
    })
}

/// The label and addressesFromPools on one template.
fn both(
    model: &Model<'_, '_>,
    object: &Object<'_>,
    template: &Template<'_>,
    after: &TemplateAfter<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some(label) = after.label else { return };
    let mut report = |message: String, span: Span, help: &str| {
        findings.push(
            Finding::new(&codes::BOTH_BINDINGS, message)
                .on(object)
                .at(model.manifest.source_of(object), span)
                .help(help),
        );
    };
    let new_pools = after.nics.iter().any(|nic| nic.pools.iter().any(|pool| pool.is_new));
    if let (true, Some(written)) = (new_pools, &template.pool_label) {
        let message = format!("{object} gets addressesFromPools and has the pool label {label}");
        let help = "remove the label, or an adapter gives its machines a second address";
        return report(message, written.span, help);
    }
    let has = if after.label_is_new { "gets" } else { "has" };
    for (index, nic) in template
        .nics
        .iter()
        .enumerate()
        .filter(|(_, nic)| !nic.pools.is_empty())
    {
        let message = format!("{object} {has} the pool label, and its NIC {index} has addressesFromPools");
        report(
            message,
            nic.pools[0].span,
            "keep one of the two, or its machines get two addresses",
        );
    }
}

/// The pool label in the metadata of the machines instead of the template's own.
fn misplaced(
    model: &Model<'_, '_>,
    object: &Object<'_>,
    template: &Template<'_>,
    after: &TemplateAfter<'_>,
    findings: &mut Vec<Finding>,
) {
    if let (Some(label), None) = (&template.machine_label, after.label) {
        let message = format!(
            "the pool label {} of {object} stands in spec.template.metadata, where nobody reads it",
            label.value
        );
        findings.push(
            Finding::new(&codes::LABEL_MISPLACED, message)
                .on(object)
                .at(model.manifest.source_of(object), label.span)
                .help("move it to the template's own metadata.labels"),
        );
    }
}

/// The pool label in the metadata that a group gives its machines.
fn group_labels(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (index, group) in model.groups.all.iter().enumerate() {
        let holder = model.holder(group);
        let Detail::Group(detail) = &holder.detail else {
            continue;
        };
        let (Some(label), Some((template, detail))) = (&detail.machine_label, model.template_of(index)) else {
            continue;
        };
        if model.concerns_template(template) && model.after.template(template, detail).label.is_none() {
            let object = &model.manifest.objects[template];
            let message = format!(
                "the pool label {} of {group} has no effect: it is read from {object}",
                label.value
            );
            findings.push(
                model
                    .finding(holder, label.span, &codes::LABEL_MISPLACED, message)
                    .help("move it to metadata.labels of the template"),
            );
        }
    }
}

/// A labelled template all of whose NICs count as DHCP: for CAPV and the adapter one true flag is enough.
fn dhcp_still_on(
    model: &Model<'_, '_>,
    object: &Object<'_>,
    template: &Template<'_>,
    after: &TemplateAfter<'_>,
    label: &str,
    findings: &mut Vec<Finding>,
) {
    let all_dhcp = !after.nics.is_empty() && after.nics.iter().all(|nic| nic.dhcp() == Some(true));
    let Some(nic) = template.nics.first().filter(|_| all_dhcp) else {
        return;
    };
    let (flag, span) = dhcp_flag(nic);
    let message = format!("{object} has the pool label {label}, but {flag} is true on its NIC: the machines use DHCP");
    findings.push(
        Finding::new(&codes::DHCP_STILL_ON, message)
            .on(object)
            .at(model.manifest.source_of(object), span)
            .help("set dhcp4 and dhcp6 to false"),
    );
}

/// The flag of a DHCP NIC that is true.
fn dhcp_flag(nic: &Nic<'_>) -> (&'static str, Span) {
    let flags = [("dhcp4", nic.dhcp4), ("dhcp6", nic.dhcp6)];
    let on = flags
        .into_iter()
        .find_map(|(name, flag)| Some((name, flag?)).filter(|(_, flag)| flag.on == Some(true)));
    on.map_or(("dhcp4", nic.span), |(name, flag)| (name, flag.span))
}

/// NICs without DHCP to which nothing gives an address.
fn waiting(
    model: &Model<'_, '_>,
    object: &Object<'_>,
    template: &Template<'_>,
    after: &TemplateAfter<'_>,
    findings: &mut Vec<Finding>,
) {
    if template.selector.is_some() || template.machine_label.is_some() {
        return;
    }
    let waits = |(index, nic): &(usize, &Nic<'_>)| {
        let after = &after.nics[*index];
        after.dhcp() == Some(false) && after.waits_for_an_address() && nic.addresses.is_none() && nic.pools.is_empty()
    };
    let Some((index, nic)) = template.nics.iter().enumerate().find(waits) else {
        return;
    };
    let message = format!("NIC {index} of {object} has no DHCP and no pool: its machines wait for an address");
    let source = model.manifest.source_of(object);
    findings.push(
        Finding::new(&codes::NIC_WITHOUT_ADDRESS, message)
            .on(object)
            .at(source, nic.span.first_line(model.manifest.sources[source].text, 0))
            .help("add the pool label or addressesFromPools, or turn DHCP on"),
    );
}

/// Pool references that lead nowhere, or into another namespace; one finding for each template and pool.
fn found(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    let mut told = std::collections::HashSet::new();
    for (group, draws) in &model.draws.groups {
        let Some((index, template)) = model
            .template_of(*group)
            .filter(|(index, _)| model.concerns_template(*index))
        else {
            continue;
        };
        for draw in draws {
            if !told.insert((index, draw.pool)) {
                continue;
            }
            let reference = &model.draws.pools[draw.pool].reference;
            let object = &model.manifest.objects[index];
            let span = match draw.place {
                None => template.pool_label.as_ref().map(|label| label.span),
                Some(place) => template.nics[draw.device].pools.get(place).map(|pool| pool.span),
            };
            // What a configuration writes names a pool that it writes too; an illegal label is told as that.
            let legal = draw.place.is_some() || label_value_problem(&reference.name).is_none();
            let Some(span) = span.filter(|_| legal && !is_placeholder(&reference.name)) else {
                continue;
            };
            let span = span.first_line(model.manifest.sources[model.manifest.source_of(object)].text, 0);
            findings.extend(match model.leads_to[draw.pool] {
                LeadsTo::Pool(_) | LeadsTo::Foreign => None,
                LeadsTo::Elsewhere(pool) => {
                    let pool = &model.pools[pool];
                    let namespace = reference.namespace.as_deref().unwrap_or("default");
                    let message = format!(
                        "{object} draws from {} in the namespace {namespace}, but the pool is in {}",
                        reference.name,
                        pool.namespace.as_deref().unwrap_or("default")
                    );
                    let finding = model.finding(object, span, &codes::POOL_NAMESPACE, message);
                    let help = "machines find pools in their own namespace only; move the pool, or name another";
                    let place = model.pool_place(pool, None);
                    Some(Finding {
                        related: place.map(|place| (place, "the pool".to_owned())),
                        ..finding.help(help)
                    })
                }
                LeadsTo::Nothing => Some(not_found(model, object, span, reference)),
            });
        }
    }
}

fn not_found(model: &Model<'_, '_>, object: &Object<'_>, span: Span, reference: &PoolReference) -> Finding {
    let PoolReference { kind, name, .. } = reference;
    let message = if model.state.is_some() {
        format!("{object} draws from the {kind} {name}, which is neither in the manifest nor live")
    } else {
        format!("{object} draws from the {kind} {name}, which is not in the manifest")
    };
    let similar = model.pools.iter().find(|pool| is_similar(pool, reference));
    let help = match similar {
        Some(pool) => format!(
            "is {} meant? Correct the name, or give the manifest of the pool as well",
            pool.title
        ),
        None => "correct the name, or give the manifest of the pool as well (-f may be repeated)".to_owned(),
    };
    let source = model.manifest.source_of(object);
    Finding::new(&codes::POOL_NOT_FOUND, message)
        .on(object)
        .at(source, span)
        .help(help)
}

/// A pool of the same namespace that nobody draws from, or whose name begins alike.
fn is_similar(pool: &JudgedPool, reference: &PoolReference) -> bool {
    let Some(name) = &pool.name else { return false };
    let alike = name.starts_with(&reference.name) || reference.name.starts_with(name.as_str());
    let left_over = pool.users.is_empty() && !matches!(pool.origin, Origin::Live(_));
    pool.serves_namespace(reference.namespace.as_deref()) && (alike || left_over)
}
