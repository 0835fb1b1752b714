//! Takes templates of ClusterClasses and tells what a pool means for all clusters of a class, and where a patch hides the NICs; never renders a patch.

use super::codes;
use super::finding::Finding;
use super::model::Model;
use crate::objects::Detail;

/// Findings about templates of classes.
pub(super) fn classes(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (index, object, _, after) in model.templates() {
        let Some((class, worker)) = model.groups.users(index).find_map(|user| model.groups.all[user].class) else {
            continue;
        };
        let class = &model.manifest.objects[class];
        if let Some(bound) = after.bound().first() {
            let message = format!(
                "{object} belongs to {class}: every cluster of the class takes addresses from {}",
                bound.name
            );
            findings.push(
                model
                    .finding(object, object.name_span(), &codes::CLASS_TEMPLATE, message)
                    .help("give each cluster with static addresses a class of its own"),
            );
        }
        // A wanted edit of such a template is refused by the selection, which then is not known.
        let Detail::Class(detail) = &class.detail else { continue };
        let patch = detail
            .patches
            .iter()
            .find_map(|patch| Some((patch, patch.sets_nics(worker)?)));
        if let Some((patch, operation)) = patch.filter(|_| model.wishes.len() == model.documents.len()) {
            let name = patch
                .name
                .as_ref()
                .map_or(String::new(), |name| format!(" {}", name.value));
            let message = format!("the patch{name} of {class} sets the NICs of {object}; they are not checked");
            let span = operation.path.as_ref().map_or(operation.span, |path| path.span);
            findings.push(
                model
                    .finding(class, span, &codes::CLASS_NICS_UNSEEN, message)
                    .help("look into the patch for dhcp4, dhcp6 and addressesFromPools"),
            );
        }
    }
}
