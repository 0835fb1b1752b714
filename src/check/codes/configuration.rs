//! The codes about the configuration and what it selects.

use super::{Code, Severity};

codes! {
    CONFIGURATION "CI101" "configuration" Error [stops_edits]
        "The configuration has an unknown key, a wrong type, a contradiction or a value that cannot be."
        "Nothing is done."
        "Correct the key that is shown; the message lists what is allowed."
    EMPTY_SELECTION "CI102" "empty-selection" Error [stops_edits]
        "A selector of the configuration matches no machine group with a VSphereMachineTemplate."
        "No machine would get a static address, although the configuration asks for it."
        "Check the selector against the groups that the message lists, and that the right manifest is given."
    CLUSTER_CHOICE "CI103" "cluster-choice" Error [stops_edits]
        "The configuration's cluster is not in the manifest, or the manifest has several and none is chosen."
        "It is not clear which machines are meant."
        "Set `cluster` to one of the names that the message lists."
    NAME_REQUIRED "CI104" "name-required" Error [stops_edits]
        "A pool has no name and none can be derived: there are several selectors, or no Cluster in the manifest."
        "The pool cannot be written."
        "Set `name` on the pool, or --name."
    UNKNOWN_UNTIL_SUBSTITUTED "CI105" "unknown-until-substituted" Info
        "A value that matters still is a placeholder such as ${CLUSTER_NAME}."
        "It is kept as it is, and checks of it are left to the run after the substitution."
        "Check the final manifest once more, after envsubst or clusterctl has filled it in."
    NO_CLUSTER "CI106" "no-cluster" Info
        "The manifest has templates but no Cluster."
        "The pool is written into the template's namespace and without clusterName, so metal3 does not tie it to a cluster."
        "Give the manifest that holds the Cluster too, or set clusterName yourself."
    UNUSED_ACCEPTANCE "CI107" "unused-acceptance" Warning
        "An entry of `accept` matches no finding."
        "It would hide the finding if it came back, for reasons that nobody remembers."
        "Remove the entry, or correct its code or object."
}
