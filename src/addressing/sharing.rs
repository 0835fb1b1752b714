//! Takes the chosen templates and finds who else depends on them: groups that were not chosen, and class patches that put other NICs in their place.

use super::groups::MachineGroup;
use super::scope::ClusterScope;
use super::selection::Selecting;
use super::selector::Selector;
use crate::check::Finding;
use crate::check::codes;
use crate::objects::{Detail, Object, Role};

impl<'a> Selecting<'_, '_, 'a> {
    /// A patch of the class that replaces the NICs of a template, so that an edit of the template has no effect.
    pub(super) fn patched(&self, template: usize) -> Option<Finding> {
        self.groups.users(template).find_map(|user| {
            let group = &self.groups.all[user];
            let (class, worker) = group.class?;
            let object = &self.manifest.objects[class];
            let Detail::Class(detail) = &object.detail else { return None };
            let patch = detail.patches.iter().find_map(|patch| patch.sets_nics(worker))?;
            let name = detail.patches.iter().find(|patch| patch.sets_nics(worker).is_some()).and_then(|patch| patch.name.as_ref());
            let name = name.map_or(String::new(), |name| format!(" {}", name.value));
            let message = format!("the patch{name} of {object} sets the NICs of {}", self.manifest.objects[template]);
            let finding = Finding::new(&codes::CLASS_PATCH, message)
                .on(object)
                .at(self.manifest.source_of(object), patch.path.as_ref().map_or(patch.span, |path| path.span));
            let help = "take the NICs out of the patch and write them into the template; or make this group static by hand: \
                        dhcp4 and dhcp6 false in the patch, the pool's label or reference where the binding wants it";
            Some(finding.help(help))
        })
    }

    /// A group that was not chosen must not use a chosen template.
    pub(super) fn check_sharing(&mut self) {
        for template in self.chosen.iter().map(|chosen| chosen.object) {
            let users = self.groups.users(template);
            let object = &self.manifest.objects[template];
            let chosen = |group: &&MachineGroup<'_, 'a>| self.chooses(group, object);
            let all = || users.clone().map(|user| &self.groups.all[user]);
            let Some(stranger) = all().find(|group| !chosen(group)) else {
                continue;
            };
            let mine = super::matching::listed(all().filter(chosen).map(ToString::to_string));
            let message = format!(
                "{object} is used by {} and also by {stranger}, which is not chosen",
                mine
            );
            self.findings.push(
                Finding::new(&codes::TEMPLATE_SHARED, message)
                    .on(object)
                    .at(self.manifest.source_of(object), object.name_span())
                    .help(format!("choose {stranger} too, or give it a template of its own")),
            );
        }
    }

    /// Whether a selector of this configuration takes a group (or its template by name).
    fn chooses(&self, group: &MachineGroup<'_, '_>, template: &Object<'_>) -> bool {
        let in_scope = match self.scope {
            ClusterScope::Cluster(cluster) => group.cluster == Some(cluster),
            ClusterScope::Whole => true,
        };
        let selectors = self.config.spec.pools.iter().flat_map(|pool| &pool.machines);
        selectors
            .filter_map(|text| text.parse::<Selector>().ok())
            .any(|selector| match selector {
                Selector::Template(name) => template.is_called(&name),
                Selector::All => in_scope,
                Selector::ControlPlane => in_scope && group.role == Role::ControlPlane,
                Selector::Workers => in_scope && group.role == Role::Worker,
                Selector::Group { kind, name } => in_scope && group.kind == kind && self.is_called(group, &name),
            })
    }
}
