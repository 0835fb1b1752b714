//! The codes about KRM functions.

use super::{Code, Severity};

codes! {
    FUNCTION_CONFIG "CI701" "function-config" Error
        "The functionConfig of a KRM function is of another kind, or a ConfigMap with settings that are not known."
        "Nothing is done; the items go back as they came."
        "Give a StaticAddressing, or a ConfigMap whose data has the flags' names."
    NO_RESOURCE_LIST "CI702" "no-resource-list" Error
        "A KRM function was given something else than a ResourceList, or one that is cut off."
        "Nothing is printed, so that the caller keeps what it has."
        "Send one document of kind ResourceList; a manifest is given to `transform`."
    NO_OBJECT "CI703" "no-object" Error
        "An item of a ResourceList is null, no mapping, or without apiVersion or kind."
        "kpt refuses such a list, kustomize drops every resource of it. The items go back as they came."
        "Correct the function before this one."
    PLACE_TAKEN "CI704" "place-taken" Error
        "Two items of a ResourceList have the same path and index."
        "kpt refuses to write them."
        "Correct the function before this one."
    DUPLICATE_KEY "CI705" "duplicate-key" Error
        "A mapping of an item holds a key twice."
        "kubectl takes the last, kustomize refuses, and kpt replaces the second value by the first, whatever the function does."
        "Remove one of the two."
    COMMENTS_KEPT_APART "CI706" "comments-kept-apart" Info
        "A list lost an item, and kpt pairs the items by index when it restores comments."
        "kpt would write comments of one item beside another. So this item goes back without the annotations by which kpt pairs it, and kpt writes it exactly as it is; only comment blocks above the document that end in a blank line are lost."
        "Nothing, or put back a comment that stood above the document."
    NAME_TAKEN "CI707" "name-taken" Error
        "The items hold a ConfigMap that has the name of the one with the plan or the member lists, and that the function has not written: it lacks the annotations capv-ipam.dev/written-by-verb and config.kubernetes.io/local-config."
        "Its content would be replaced. The items go back as they came."
        "Rename it, or remove it where it is an old plan or list."
    NOT_APPLIED "CI708" "not-applied" Info
        "A validator's configuration asks for pools or for the removal of kube-vip, and the items do not have that yet."
        "The items were judged as the configuration would make them, and go on without it."
        "Run the function with the same configuration and without `verb` before the validator, or leave pools and kubeVip out of the validator's configuration."
}
