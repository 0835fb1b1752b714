//! Takes the mapping of one Kubernetes object and gives its head and what this program reads of its kind; never keeps the rest.

use std::borrow::Cow;
use std::fmt;

use super::carried::{Carried, LOCAL_CONFIG};
use super::class::Class;
use super::cluster::{self, Cluster};
use super::cursor::{Cursor, Span, Text};
use super::group::Group;
use super::pool::{Pool, PoolKind};
use super::reference::group_of;
use super::template::Template;
use super::{INFRASTRUCTURE, MACHINE_TEMPLATE};
use crate::yaml::NodeId;

/// An object of the manifest.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// The index of its document among the manifest's parsed ones.
    pub document: u32,
    /// Its mapping.
    pub node: NodeId,
    /// The list and the place in it, for an item of a List.
    pub item: Option<(NodeId, u32)>,
    /// `apiVersion`.
    pub api_version: Cow<'a, str>,
    /// `kind`.
    pub kind: Cow<'a, str>,
    /// `metadata.name`; null and missing names match nothing.
    pub name: Option<Text<'a>>,
    /// `metadata.namespace`.
    pub namespace: Option<Text<'a>>,
    /// The text comes from a live cluster: it has a uid, a resourceVersion or kubectl's last-applied annotation.
    pub live: bool,
    /// What kustomize or kpt say about it while they carry it.
    pub carried: Option<Box<Carried<'a>>>,
    /// Where the object's kind stands, for findings about the whole object.
    pub span: Span,
    /// What this program reads of the kind.
    pub detail: Detail<'a>,
}

/// What an object is to this program.
#[derive(Clone, Debug)]
pub enum Detail<'a> {
    /// A Cluster.
    Cluster(Box<Cluster<'a>>),
    /// A VSphereCluster, with its endpoint's host.
    VSphereCluster(Option<Text<'a>>),
    /// A VSphereMachineTemplate of CAPV.
    Template(Box<Template<'a>>),
    /// An object that creates machines.
    Group(Box<Group<'a>>),
    /// A ClusterClass.
    Class(Box<Class<'a>>),
    /// A pool.
    Pool(Box<Pool<'a>>),
    /// Anything else of Cluster API, such as a KubeadmControlPlaneTemplate.
    Other,
}

impl<'a> Object<'a> {
    /// `None` for what is no object: no mapping, without kind or apiVersion, or for local tools only.
    pub(super) fn read(at: Cursor<'_, 'a>, item: Option<(NodeId, u32)>) -> Option<Self> {
        let kind = at.text_of("kind")?;
        let api_version = at.text_of("apiVersion")?.value;
        let metadata = at.get("metadata");
        let of_metadata = |key| metadata.and_then(|metadata| metadata.text_of(key));
        let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
        if annotations.is_some_and(|annotations| {
            annotations
                .text_of(LOCAL_CONFIG)
                .is_some_and(|local| local.value == "true")
        }) {
            return None;
        }
        let applied = "kubectl.kubernetes.io/last-applied-configuration";
        let live = of_metadata("uid").is_some()
            || of_metadata("resourceVersion").is_some()
            || annotations.is_some_and(|annotations| annotations.get(applied).is_some());
        Some(Object {
            document: 0,
            node: at.node,
            item,
            name: of_metadata("name"),
            namespace: of_metadata("namespace"),
            live,
            carried: annotations.and_then(Carried::read),
            span: kind.span,
            detail: detail(at, &api_version, &kind.value),
            api_version,
            kind: kind.value,
        })
    }

    /// The API group of its `apiVersion`.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// The version of its `apiVersion`.
    #[must_use]
    pub fn version(&self) -> &str {
        self.api_version
            .rsplit_once('/')
            .map_or(&self.api_version, |(_, version)| version)
    }

    /// Its name as text; empty without one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or("", |name| &name.value)
    }

    /// Its namespace as text, where it gives one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_ref().map(|namespace| &*namespace.value)
    }

    /// Its name, and the names that it had before kustomize renamed it: references may still use those.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let former = self.carried.iter().flat_map(|carried| carried.names());
        self.name.iter().map(|name| &*name.value).chain(former)
    }

    /// Whether a reference by this name can mean it.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    /// Whether it can be meant by a namespace: a missing one on either side is filled in later, by `kubectl -n`. A reference
    /// may name the namespace that it had before kustomize moved it.
    #[must_use]
    pub fn in_namespace(&self, namespace: Option<&str>) -> bool {
        match (self.namespace(), namespace) {
            (Some(own), Some(other)) => own == other || self.carried.iter().any(|carried| carried.was_in(other)),
            _ => true,
        }
    }

    /// Whether a reference of another object means it.
    #[must_use]
    pub fn is_meant(&self, name: &str, namespace: Option<&str>, referrer: &Object<'_>) -> bool {
        let named = self.name() == name || (self.is_called(name) && self.of_one_base(referrer));
        named && self.in_namespace(namespace)
    }

    /// Whether kustomize gave it the same prefixes and suffixes as another object, so that the two came from one base.
    #[must_use]
    pub fn of_one_base(&self, other: &Object<'_>) -> bool {
        match (&self.carried, &other.carried) {
            (Some(own), Some(other)) => own.same_affixes(other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Where its name stands, or else its kind.
    #[must_use]
    pub fn name_span(&self) -> Span {
        self.name.as_ref().map_or(self.span, |name| name.span)
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ", self.kind)?;
        if let Some(namespace) = self.namespace() {
            write!(out, "{namespace}/")?;
        }
        match &self.name {
            Some(name) => out.write_str(&name.value),
            None => out.write_str("<no name>"),
        }
    }
}

fn detail<'a>(at: Cursor<'_, 'a>, api_version: &str, kind: &str) -> Detail<'a> {
    let group = group_of(Cow::Borrowed(api_version));
    match (&*group, kind) {
        ("cluster.x-k8s.io", "Cluster") => Detail::Cluster(Box::new(Cluster::read(at))),
        ("cluster.x-k8s.io", "ClusterClass") => Detail::Class(Box::new(Class::read(at))),
        (INFRASTRUCTURE, "VSphereCluster") => Detail::VSphereCluster(cluster::endpoint(at)),
        (INFRASTRUCTURE, MACHINE_TEMPLATE) => Detail::Template(Box::new(Template::read(at))),
        (group, kind) => {
            if let Some(pool) = PoolKind::of(group, kind) {
                return Detail::Pool(Box::new(Pool::read(at, pool)));
            }
            match Group::read(at, group, kind) {
                Some(group) => Detail::Group(Box::new(group)),
                None => Detail::Other,
            }
        }
    }
}
