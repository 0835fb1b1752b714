//! The codes about what makes an input unreadable or leaves nothing to check.

use super::{Code, Severity};

codes! {
    NOT_YAML "CI001" "not-yaml" Error [stops_edits]
        "A document cannot be read as YAML by libyaml, which reads what Go's tools read."
        "kubectl would refuse the manifest too; nothing is written."
        "Correct the line that is shown. Render templates (Helm, ytt, envsubst in lists) before this tool."
    NOT_TEXT "CI002" "not-text" Error [stops_edits]
        "An input is not UTF-8 text."
        "Nothing is read from it."
        "Convert the file to UTF-8, or take it out of the inputs."
    BYTE_ORDER_MARK "CI003" "byte-order-mark" Error [stops_edits]
        "A byte order mark stands inside the stream, as when files that begin with one are joined."
        "Readers disagree about it: some skip it, some fail, some take it as part of the first key."
        "Remove the three bytes EF BB BF at the place that is shown."
    RESOURCE_LIST "CI004" "resource-list" Error [stops_edits]
        "The input is a ResourceList, the form in which kustomize and kpt talk to functions."
        "As a manifest it would be passed through unchanged, which looks like success."
        "Give the list to `capv-ipam fn`, or give the manifest itself: a stream of documents, a v1 List or JSON."
    TOO_LARGE "CI005" "too-large" Error [stops_edits]
        "An input is larger than this tool reads."
        "Nothing is read from it."
        "Split the input. One source holds less than 4 GiB, a configuration document at most 64 KiB."
    NOTHING_TO_CHECK "CI006" "nothing-to-check" Info
        "The manifest holds no VSphereMachineTemplate of CAPV (infrastructure.cluster.x-k8s.io) and no pool."
        "No addresses were checked; an empty report is no approval."
        "Give the cluster manifest, and the pools if they stand elsewhere (-f may be repeated)."
    NOT_RENDERED "CI007" "not-rendered" Info
        "A document is written in a template language (ytt, Helm, Go templates)."
        "Its values are code, so it is not checked."
        "Render it first (helm template, ytt -f) and check the result."
}
