//! Takes a selector and gives the templates of the groups that it matches, or what keeps them from being found; names are listed so that a typing error shows.

use super::groups::{GroupSource, MachineGroup, TemplateUse};
use super::scope::ClusterScope;
use super::selection::Selecting;
use super::selector::Selector;
use crate::check::Finding;
use crate::check::codes;
use crate::objects::{Detail, Object, Role, Text};
use crate::yaml::Segment;

/// Names that a message lists before it only counts.
const LISTED: usize = 12;

impl<'a> Selecting<'_, '_, 'a> {
    pub(super) fn templates(&mut self, pool: usize, at: usize, selector: &Selector) -> Vec<usize> {
        if let Selector::Template(name) = selector {
            return self.template_by_name(pool, at, name);
        }
        let wanted = |group: &&MachineGroup<'_, 'a>| match selector {
            Selector::ControlPlane => group.role == Role::ControlPlane,
            Selector::Workers => group.role == Role::Worker,
            Selector::Group { kind, name } => group.kind == kind && self.is_called(group, name),
            Selector::All | Selector::Template(_) => true,
        };
        let mut found = Vec::new();
        let mut findings = Vec::new();
        for group in self.in_scope().filter(wanted) {
            match &group.template {
                TemplateUse::Found(template) => found.push(*template),
                TemplateUse::Foreign => {}
                problem => findings.push(self.unusable(group, problem)),
            }
        }
        if found.is_empty() && findings.is_empty() {
            let known = listed(self.in_scope().map(ToString::to_string));
            let known = if self.manifest.sources.iter().all(|source| source.text.trim().is_empty()) {
                "the input is empty".to_owned()
            } else if known.is_empty() {
                "it has no machine groups".to_owned()
            } else {
                format!("it has {known}")
            };
            let problem = format!("{selector} selects no group with a VSphereMachineTemplate in the manifest; {known}");
            let path = [Segment::Key("machines".into()), Segment::Index(at)];
            self.error(
                &codes::EMPTY_SELECTION,
                pool,
                &path,
                problem,
                "correct the selector, or give the whole manifest".into(),
            );
        }
        self.findings.extend(findings);
        found
    }

    fn template_by_name(&mut self, pool: usize, at: usize, name: &str) -> Vec<usize> {
        let namespace = match self.scope {
            ClusterScope::Cluster(cluster) => self.manifest.objects[cluster].namespace(),
            ClusterScope::Whole => None,
        };
        let is_template = |object: &&Object<'_>| matches!(object.detail, Detail::Template(_));
        let named = |object: &&Object<'_>| object.is_called(name);
        let objects = self.manifest.objects.iter().enumerate();
        let found: Vec<usize> = objects
            .filter(|(_, object)| is_template(object) && named(object) && object.in_namespace(namespace))
            .map(|(index, _)| index)
            .collect();
        match found[..] {
            [] => {
                let templates = self.manifest.objects.iter().filter(is_template);
                let known = listed(templates.map(|template| template.name().to_owned()));
                let problem = format!("the manifest has no VSphereMachineTemplate {name}; it has [{known}]");
                let path = [Segment::Key("machines".into()), Segment::Index(at)];
                self.error(&codes::EMPTY_SELECTION, pool, &path, problem, "correct the name".into());
                Vec::new()
            }
            [template] => vec![template],
            _ => {
                self.findings.push(self.ambiguous(&found));
                Vec::new()
            }
        }
    }

    /// Whether a group has a name, or had it before kustomize renamed its object.
    pub(super) fn is_called(&self, group: &MachineGroup<'_, '_>, name: &str) -> bool {
        let object = match group.source {
            GroupSource::Object(object) => self.manifest.objects.get(object),
            _ => None,
        };
        group.name == name || object.is_some_and(|object| object.is_called(name))
    }

    fn unusable(&self, group: &MachineGroup<'_, '_>, problem: &TemplateUse) -> Finding {
        let holder = match group.source {
            GroupSource::Object(object) => object,
            GroupSource::TopologyControlPlane { cluster } | GroupSource::TopologyWorkers { cluster, .. } => cluster,
            GroupSource::ClassControlPlane(class) | GroupSource::ClassWorkers(class, _) => class,
        };
        let object = &self.manifest.objects[holder];
        let source = self.manifest.source_of(object);
        let reference = group.reference.filter(|_| group.class.is_none());
        let span = reference.map_or(object.name_span(), |reference| {
            reference.name.as_ref().map_or(object.name_span(), |name| name.span)
        });
        match problem {
            TemplateUse::Ambiguous(templates) => self.ambiguous(templates),
            TemplateUse::ClassMissing => Finding::new(
                &codes::CLASS_MISSING,
                format!(
                    "{object} is made from the ClusterClass {}, which is not in the manifest",
                    class_name(object).map_or("<no name>", |name| &name.value)
                ),
            )
            .on(object)
            .at(source, class_name(object).map_or(span, |name| name.span))
            .help("give the manifest of the ClusterClass and its templates as well (-f may be repeated)"),
            TemplateUse::Unnamed => Finding::new(
                &codes::TEMPLATE_MISSING,
                format!("{group} refers to a VSphereMachineTemplate without a name"),
            )
            .on(object)
            .at(source, span)
            .help("write the name of its template, or select it by template/NAME"),
            _ => {
                let name = group
                    .reference
                    .and_then(|reference| reference.name.as_ref())
                    .map_or("", |name| &name.value);
                Finding::new(
                    &codes::TEMPLATE_MISSING,
                    format!("{group} refers to the VSphereMachineTemplate {name}, which is not in the manifest"),
                )
                .on(object)
                .at(source, span)
                .help("give the manifest that holds the template as well (-f may be repeated)")
            }
        }
    }

    fn ambiguous(&self, templates: &[usize]) -> Finding {
        let objects: Vec<&Object<'_>> = templates
            .iter()
            .map(|template| &self.manifest.objects[*template])
            .collect();
        let finding = Finding::new(
            &codes::TEMPLATE_AMBIGUOUS,
            format!("{} templates are called {}", objects.len(), objects[0].name()),
        )
        .on(objects[0])
        .at(self.manifest.source_of(objects[0]), objects[0].name_span())
        .help("remove or rename one of them");
        match objects.get(1) {
            Some(other) => finding.with(self.manifest.source_of(other), other.name_span(), "the other one"),
            None => finding,
        }
    }
}

fn class_name<'o, 'a>(cluster: &'o Object<'a>) -> Option<&'o Text<'a>> {
    match &cluster.detail {
        Detail::Cluster(cluster) => cluster.topology.as_ref()?.class.as_ref(),
        _ => None,
    }
}

/// Some names, and how many there are beyond.
pub(crate) fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let beyond = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let listed = names.join(", ");
    if beyond == 0 {
        listed
    } else {
        format!("{listed} and {beyond} more")
    }
}
