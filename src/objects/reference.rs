//! Takes the mapping of an object reference and gives what it refers to, in every API version's form; never looks the object up.

use std::borrow::Cow;

use super::cursor::{Cursor, Span, Text};
use super::{INFRASTRUCTURE, MACHINE_TEMPLATE};
use crate::yaml::NodeId;

/// A reference to another object.
#[derive(Clone, Debug)]
pub struct Reference<'a> {
    /// The API group: of `apiVersion` up to v1beta1, or `apiGroup` from v1beta2 on.
    pub group: Cow<'a, str>,
    /// The kind.
    pub kind: Cow<'a, str>,
    /// The name; null and missing names match nothing.
    pub name: Option<Text<'a>>,
    /// The namespace, where the reference gives one.
    pub namespace: Option<Text<'a>>,
    /// The mapping.
    pub node: NodeId,
    /// Where the mapping stands.
    pub span: Span,
}

impl<'a> Reference<'a> {
    pub(super) fn read(at: Cursor<'_, 'a>) -> Option<Self> {
        let group = match (at.text_of("apiGroup"), at.text_of("apiVersion")) {
            (Some(group), _) => group.value,
            (None, Some(version)) => group_of(version.value),
            (None, None) => Cow::Borrowed(""),
        };
        Some(Reference {
            group,
            kind: at.text_of("kind")?.value,
            name: at.text_of("name"),
            namespace: at.text_of("namespace"),
            node: at.node,
            span: at.span(),
        })
    }

    /// Whether it refers to a VSphereMachineTemplate of CAPV itself.
    #[must_use]
    pub fn is_machine_template(&self) -> bool {
        self.kind == MACHINE_TEMPLATE && self.group == INFRASTRUCTURE
    }
}

/// The group of an `apiVersion`; empty for the core group.
pub(super) fn group_of(api_version: Cow<'_, str>) -> Cow<'_, str> {
    match api_version {
        Cow::Borrowed(text) => Cow::Borrowed(text.rsplit_once('/').map_or("", |(group, _)| group)),
        Cow::Owned(text) => Cow::Owned(text.rsplit_once('/').map_or("", |(group, _)| group).to_owned()),
    }
}
