//! Takes the annotations of an object and gives what kustomize and kpt write there while they carry it between functions; decides nothing.

use std::borrow::Cow;

use super::cursor::Cursor;

/// The file that an object stands in.
pub const PATH: [&str; 2] = ["internal.config.kubernetes.io/path", "config.kubernetes.io/path"];
/// Its place among the documents of the file, from 0.
pub const INDEX: [&str; 2] = ["internal.config.kubernetes.io/index", "config.kubernetes.io/index"];
/// The package that the path is relative to.
pub const PACKAGE: &str = "internal.config.kubernetes.io/package-path";
/// By these kpt pairs an item that comes back with the item that it sent, to restore comments and the order of keys.
pub const IDS: [&str; 2] = ["internal.config.kubernetes.io/id", "config.k8s.io/id"];
/// `"true"` on what is for local tools and never reaches a cluster.
pub const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

const NAMES: &str = "internal.config.kubernetes.io/previousNames";
const NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";

/// Whether an annotation belongs to the transport of one object, so that no other object may have it.
#[must_use]
pub fn belongs_to_transport(key: &str) -> bool {
    let own_groups = [
        "internal.config.kubernetes.io/",
        "internal.config.k8s.io/",
        "config.k8s.io/",
        "kustomize.config.k8s.io/",
        "alpha.config.kubernetes.io/",
    ];
    let own_names = ["path", "index", "local-config", "function", "container", "origin"];
    own_groups.iter().any(|group| key.starts_with(group))
        || key
            .strip_prefix("config.kubernetes.io/")
            .is_some_and(|name| own_names.contains(&name))
}

/// What carries an object, and what it was called before kustomize renamed it.
#[derive(Clone, Debug, Default)]
pub struct Carried<'a> {
    /// The file, relative to the package.
    pub path: Option<Cow<'a, str>>,
    /// The annotations that give it.
    pub path_keys: Vec<&'static str>,
    /// The package, as kpt names it.
    pub package: Option<Cow<'a, str>>,
    /// Whether kpt or kustomize pairs it by an id.
    pub identified: bool,
    names: Vec<String>,
    namespaces: Vec<String>,
    affixes: [Option<Cow<'a, str>>; 2],
}

impl<'a> Carried<'a> {
    /// `None` without annotations of a transport.
    pub(super) fn read(annotations: Cursor<'_, 'a>) -> Option<Box<Self>> {
        let mut carried = Self::default();
        let mut any = false;
        for (key, value) in annotations.entries() {
            let (Some(key), Some(value)) = (annotations.tree.scalar(key.node), value.text()) else {
                continue;
            };
            let value = value.value;
            let list = |value: &str| value.split(',').map(ToOwned::to_owned).collect();
            if let Some(path_key) = PATH.into_iter().find(|path_key| *path_key == key) {
                carried.path = Some(value);
                carried.path_keys.push(path_key);
                any = true;
                continue;
            }
            match key {
                PACKAGE => carried.package = Some(value),
                _ if IDS.contains(&key) => carried.identified = true,
                NAMES => carried.names = list(&value),
                NAMESPACES => carried.namespaces = list(&value),
                PREFIXES => carried.affixes[0] = Some(value),
                SUFFIXES => carried.affixes[1] = Some(value),
                _ => continue,
            }
            any = true;
        }
        any.then(|| Box::new(carried))
    }

    /// The names that it had, oldest first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether it was in a namespace before.
    pub(super) fn was_in(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|former| former == namespace)
    }

    /// Whether it went through the same prefixes and suffixes as another object.
    pub(super) fn same_affixes(&self, other: &Carried<'_>) -> bool {
        self.affixes == other.affixes
    }
}
