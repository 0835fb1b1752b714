//! Takes a ClusterClass and gives its template references, patches and variables as the text says them; never renders a patch.

use super::cursor::{Cursor, Span, Text};
use super::reference::Reference;
use super::size::Strategy;
use crate::yaml::NodeId;

/// A ClusterClass.
#[derive(Clone, Debug)]
pub struct Class<'a> {
    /// The template of the control plane's machines.
    pub machines: Option<Reference<'a>>,
    /// The control plane's own template, such as a KubeadmControlPlaneTemplate.
    pub control_plane: Option<Reference<'a>>,
    /// The worker classes.
    pub workers: Vec<WorkerClass<'a>>,
    /// `spec.patches`.
    pub patches: Vec<Patch<'a>>,
    /// `spec.patches` and `spec.variables` as lists, each with its names in order.
    pub patch_list: Option<NodeId>,
    /// The list of variable definitions.
    pub variable_list: Option<NodeId>,
    /// The names of the variables that it defines, in order.
    pub variables: Vec<Option<Text<'a>>>,
    /// The mapping `spec`.
    pub spec: Option<NodeId>,
}

/// A worker class.
#[derive(Clone, Debug)]
pub struct WorkerClass<'a> {
    /// Its name.
    pub class: Option<Text<'a>>,
    /// The template of its machines.
    pub machines: Option<Reference<'a>>,
    /// How its machines are replaced, where it says so.
    pub strategy: Option<Strategy>,
}

/// One of a class's patches.
#[derive(Clone, Debug)]
pub struct Patch<'a> {
    /// Its name.
    pub name: Option<Text<'a>>,
    /// `enabledIf`.
    pub enabled_if: Option<Text<'a>>,
    /// All its JSON patch operations, with the kind that each one's selector names.
    pub operations: Vec<PatchOperation<'a>>,
    /// It calls an extension, whose effect is not in the text.
    pub external: bool,
    /// Where it stands.
    pub span: Span,
}

/// One JSON patch operation of a class.
#[derive(Clone, Debug)]
pub struct PatchOperation<'a> {
    /// The kind of template that it patches.
    pub kind: Option<Text<'a>>,
    /// The selector takes the control plane's templates.
    pub control_plane: bool,
    /// The worker classes that the selector takes.
    pub worker_classes: Vec<Text<'a>>,
    /// The JSON pointer.
    pub path: Option<Text<'a>>,
    /// `valueFrom.template`, or a literal value that is a text.
    pub template: Option<Text<'a>>,
    /// `valueFrom.variable`.
    pub variable: Option<Text<'a>>,
    /// The whole operation.
    pub span: Span,
}

impl<'a> Class<'a> {
    pub(super) fn read(at: Cursor<'_, 'a>) -> Self {
        let spec = at.get("spec");
        let list = |key| spec.and_then(|spec| spec.get(key));
        let (patches, variables) = (list("patches"), list("variables"));
        let control_plane = spec.and_then(|spec| spec.get("controlPlane"));
        let workers = spec.and_then(|spec| spec.at(&["workers", "machineDeployments"]));
        Class {
            machines: control_plane
                .and_then(|at| at.get("machineInfrastructure"))
                .and_then(template),
            control_plane: control_plane.and_then(template),
            workers: workers
                .into_iter()
                .flat_map(Cursor::items)
                .map(WorkerClass::read)
                .collect(),
            patches: patches.into_iter().flat_map(Cursor::items).map(Patch::read).collect(),
            patch_list: patches.map(|list| list.node),
            variable_list: variables.map(|list| list.node),
            variables: variables
                .into_iter()
                .flat_map(Cursor::items)
                .map(|at| at.text_of("name"))
                .collect(),
            spec: spec.map(|spec| spec.node),
        }
    }
}

/// `ref` up to v1beta1, `templateRef` from v1beta2 on.
fn template<'a>(at: Cursor<'_, 'a>) -> Option<Reference<'a>> {
    at.get("templateRef")
        .or_else(|| at.get("ref"))
        .and_then(Reference::read)
}

impl<'a> WorkerClass<'a> {
    fn read(at: Cursor<'_, 'a>) -> Self {
        let infrastructure = at
            .get("infrastructure")
            .or_else(|| at.at(&["template", "infrastructure"]));
        WorkerClass {
            class: at.text_of("class"),
            machines: infrastructure.and_then(template),
            strategy: Strategy::read(at),
        }
    }
}

impl<'a> Patch<'a> {
    fn read(at: Cursor<'_, 'a>) -> Self {
        let definitions = at.get("definitions").into_iter().flat_map(Cursor::items);
        Patch {
            name: at.text_of("name"),
            enabled_if: at.text_of("enabledIf"),
            operations: definitions.flat_map(PatchOperation::of_definition).collect(),
            external: at.get("external").is_some(),
            span: at.span(),
        }
    }
}

impl<'a> Patch<'a> {
    /// Its operation that sets the NICs of a worker class's machines, or without one of the control plane's.
    #[must_use]
    pub fn sets_nics(&self, worker: Option<&str>) -> Option<&PatchOperation<'a>> {
        self.operations.iter().find(|operation| {
            let meant = match worker {
                None => operation.control_plane,
                Some(worker) => operation
                    .worker_classes
                    .iter()
                    .any(|class| class.value == worker || class.value.contains('*')),
            };
            meant && operation.sets_nics()
        })
    }
}

impl<'a> PatchOperation<'a> {
    /// Whether it puts a text of its own where the NICs of a template stand.
    fn sets_nics(&self) -> bool {
        let path = self.path.as_ref().map_or("", |path| &*path.value);
        let devices = "/spec/template/spec/network/devices";
        let whole = [
            "/spec",
            "/spec/template",
            "/spec/template/spec",
            "/spec/template/spec/network",
            devices,
        ]
        .contains(&path);
        let flags = path.strip_prefix(devices).is_some_and(|rest| {
            let field = rest.rsplit('/').next().unwrap_or_default();
            rest.split('/').count() == 2 && field != "-" || ["dhcp4", "dhcp6", "addressesFromPools"].contains(&field)
        });
        self.kind
            .as_ref()
            .is_some_and(|kind| kind.value == super::MACHINE_TEMPLATE)
            && (whole || flags)
    }

    fn of_definition(at: Cursor<'_, 'a>) -> Vec<Self> {
        let selector = at.get("selector");
        let matches = selector.and_then(|selector| selector.get("matchResources"));
        let kind = selector.and_then(|selector| selector.text_of("kind"));
        let control_plane = matches.and_then(|at| at.get("controlPlane")).and_then(Cursor::bool) == Some(true);
        let names = matches.and_then(|at| at.at(&["machineDeploymentClass", "names"]));
        let worker_classes: Vec<_> = names
            .into_iter()
            .flat_map(Cursor::items)
            .filter_map(Cursor::text)
            .collect();
        let operations = at.get("jsonPatches").into_iter().flat_map(Cursor::items);
        operations
            .map(|at| PatchOperation {
                kind: kind.clone(),
                control_plane,
                worker_classes: worker_classes.clone(),
                path: at.text_of("path"),
                template: at
                    .at(&["valueFrom", "template"])
                    .or_else(|| at.get("value"))
                    .and_then(Cursor::text),
                variable: at.at(&["valueFrom", "variable"]).and_then(Cursor::text),
                span: at.span(),
            })
            .collect()
    }
}
