//! Takes a patch of a ClusterClass and tells whether it serves kube-vip, alone or among other things; its template text is code and is only searched.

use crate::objects::kube_vip::{COMMANDS, is_kube_vip_path};
use crate::objects::kube_vip_command::{Service, mentions_kube_vip, service};
use crate::objects::{Patch, PatchOperation};

/// A file of the class's control-plane template.
pub(super) struct TemplateFile {
    /// It is kube-vip's.
    pub(super) kube_vip: bool,
}

/// What a patch has to do with kube-vip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PatchKind {
    /// Nothing.
    Other,
    /// It does nothing else.
    Only,
    /// It does something else too, or what it does is not in the text.
    Mixed,
}

pub(super) fn patch_kind(patch: &Patch<'_>, files: &[TemplateFile]) -> PatchKind {
    let about = patch
        .operations
        .iter()
        .filter(|operation| about_kube_vip(operation) || fills_placeholder(operation, files));
    match about.count() {
        0 => PatchKind::Other,
        _ if patch.external => PatchKind::Mixed,
        _ if patch.operations.iter().all(|operation| only_kube_vip(operation, files)) => PatchKind::Only,
        _ => PatchKind::Mixed,
    }
}

pub(super) fn about_kube_vip(operation: &PatchOperation<'_>) -> bool {
    let texts = [&operation.template, &operation.variable];
    texts.into_iter().flatten().any(|text| mentions_kube_vip(&text.value))
}

/// `…/files/0/content`, where file 0 of the template is kube-vip's.
fn fills_placeholder(operation: &PatchOperation<'_>, files: &[TemplateFile]) -> bool {
    let path = operation.path.as_ref().map_or("", |path| &*path.value);
    let index = path
        .split_once("/files/")
        .and_then(|(_, rest)| rest.split('/').next()?.parse::<usize>().ok());
    index
        .and_then(|index| files.get(index))
        .is_some_and(|file| file.kube_vip)
}

/// Whether an operation adds nothing but kube-vip's own files and commands.
fn only_kube_vip(operation: &PatchOperation<'_>, files: &[TemplateFile]) -> bool {
    if fills_placeholder(operation, files) {
        return true;
    }
    let path = operation.path.as_ref().map_or("", |path| &*path.value);
    let Some(text) = operation.template.as_ref().map(|text| &*text.value) else {
        return false;
    };
    if path.contains("/files") {
        let paths: Vec<&str> = file_paths(text);
        return !paths.is_empty() && paths.iter().all(|path| is_kube_vip_path(path));
    }
    let command = COMMANDS.iter().any(|key| path.contains(key));
    command && service(text.trim().trim_start_matches("- ").trim_matches(['"', '\''])) == Service::Only
}

/// The paths of the files that a template text adds. The text cannot be parsed: it is a Go template.
fn file_paths(text: &str) -> Vec<&str> {
    // Deeper lines belong to the content of a file.
    let is_entry = |line: &&str| line.len() - line.trim_start_matches([' ', '-']).len() <= 2;
    let keys = text
        .lines()
        .filter(is_entry)
        .map(|line| line.trim_start_matches([' ', '-']));
    keys.filter_map(|line| line.strip_prefix("path:"))
        .map(|path| path.trim().trim_matches(['"', '\'']))
        .collect()
}

/// Whether a patch reads a variable.
pub(super) fn uses_variable(patch: &Patch<'_>, name: &str) -> bool {
    let in_text = |text: &str| text.contains(&format!(".{name}"));
    let of_operation = |operation: &PatchOperation<'_>| {
        let variable = operation
            .variable
            .as_ref()
            .is_some_and(|text| text.value.split('.').next() == Some(name));
        variable || operation.template.as_ref().is_some_and(|text| in_text(&text.value))
    };
    patch.enabled_if.as_ref().is_some_and(|text| in_text(&text.value)) || patch.operations.iter().any(of_operation)
}
