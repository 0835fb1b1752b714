//! A cluster as a configuration names it, NAME or NAMESPACE/NAME, and which objects and names that means; a name alone means it in every namespace.

use crate::objects::Object;

/// What `cluster` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClusterName<'c> {
    /// Its namespace, where it is given.
    pub(crate) namespace: Option<&'c str>,
    /// Its name.
    pub(crate) name: &'c str,
}

impl<'c> ClusterName<'c> {
    /// Reads it; no name of Kubernetes holds a slash.
    pub(crate) fn read(text: &'c str) -> Self {
        match text.split_once('/') {
            Some((namespace, name)) => ClusterName {
                namespace: Some(namespace),
                name,
            },
            None => ClusterName {
                namespace: None,
                name: text,
            },
        }
    }

    /// Whether an object is meant, by its name now or before kustomize renamed it.
    pub(crate) fn means(self, object: &Object<'_>) -> bool {
        object.is_called(self.name)
            && self
                .namespace
                .is_none_or(|namespace| object.in_namespace(Some(namespace)))
    }

    /// Whether a cluster of this namespace and name is meant; a namespace that is missing is filled in later.
    pub(crate) fn is(self, namespace: Option<&str>, name: &str) -> bool {
        let same = |wanted: &str| namespace.is_none_or(|own| own == wanted);
        self.name == name && self.namespace.is_none_or(same)
    }
}

#[cfg(test)]
mod tests {
    use super::ClusterName;

    #[test]
    fn a_namespace_narrows_a_name() {
        assert!(ClusterName::read("edge").is(Some("n1"), "edge"));
        assert!(ClusterName::read("n1/edge").is(Some("n1"), "edge"));
        assert!(ClusterName::read("n1/edge").is(None, "edge"));
        assert!(!ClusterName::read("n1/edge").is(Some("n2"), "edge"));
        assert!(!ClusterName::read("n1/edge").is(Some("n1"), "oak"));
    }
}
