//! Tells from a ResourceList who sent it, because kpt prints results and kustomize hides them; a wrong guess costs a line of output, nothing else.

use super::list::ResourceList;

/// Who runs the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// kustomize: shows standard error, never results.
    Kustomize,
    /// kpt: shows results, and standard error below them.
    Kpt,
    /// A pipe, such as `kpt fn source | … | kpt fn sink`.
    Pipe,
}

impl Caller {
    /// The sender of a list. `container` says that the environment is that of a function container under kustomize.
    pub(super) fn of(list: &ResourceList<'_>, container: bool) -> Self {
        let mut items = list.items.iter();
        let config = list.config.as_ref();
        let kustomize = container
            || items.clone().any(|item| item.from_kustomize)
            || (config.is_some_and(|config| config.names_function) && items.clone().all(|item| item.path.is_none()));
        if kustomize {
            Caller::Kustomize
        } else if items.any(|item| item.has_id) || config.is_some_and(|config| config.from_kpt) {
            Caller::Kpt
        } else {
            Caller::Pipe
        }
    }

    /// Whether it shows results by itself.
    pub(super) fn shows_results(self) -> bool {
        self == Caller::Kpt
    }
}
