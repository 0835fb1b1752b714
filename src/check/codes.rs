//! The only table of finding codes: what each means, what follows from it and what to do. Codes never change their meaning.

use super::severity::Severity;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `CI` and three digits: 0 input, 1 configuration and selection, 2 templates, 3 addresses, 4 kube-vip, 7 KRM functions.
    pub id: &'static str,
    /// A short name in kebab case.
    pub name: &'static str,
    /// How bad it is unless the configuration lowers it.
    pub severity: Severity,
    /// What is wrong, in general.
    pub cause: &'static str,
    /// What happens if nothing is done.
    pub consequence: &'static str,
    /// What to do.
    pub cure: &'static str,
}

impl Code {
    /// Whether a finding of this code says that something wanted cannot be done, so that accepting it would do half of it.
    #[must_use]
    pub fn stops_edits(&self) -> bool {
        let structural =
            ["CI0", "CI1", "CI2"].iter().any(|family| self.id.starts_with(family)) || self.id == KUBE_VIP_STUCK.id;
        self.severity == Severity::Error && structural
    }
}

macro_rules! codes {
    ($($constant:ident $id:literal $name:literal $severity:ident $cause:literal $consequence:literal $cure:literal)*) => {
        $(
            #[doc = $cause]
            pub static $constant: Code = Code {
                id: $id,
                name: $name,
                severity: Severity::$severity,
                cause: $cause,
                consequence: $consequence,
                cure: $cure,
            };
        )*
        /// Every code, in order.
        pub static ALL: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    NOT_YAML "CI001" "not-yaml" Error
        "A document cannot be read as YAML by libyaml, which reads what Go's tools read."
        "kubectl would refuse the manifest too; nothing is written."
        "Correct the line that is shown. Render templates (Helm, ytt, envsubst in lists) before this tool."
    NOT_TEXT "CI002" "not-text" Error
        "An input is not UTF-8 text."
        "Nothing is read from it."
        "Convert the file to UTF-8, or take it out of the inputs."
    BYTE_ORDER_MARK "CI003" "byte-order-mark" Error
        "A byte order mark stands inside the stream, as when files that begin with one are joined."
        "Readers disagree about it: some skip it, some fail, some take it as part of the first key."
        "Remove the three bytes EF BB BF at the place that is shown."
    RESOURCE_LIST "CI004" "resource-list" Error
        "The input is a ResourceList, the form in which kustomize and kpt talk to functions."
        "As a manifest it would be passed through unchanged, which looks like success."
        "Give the list to `capv-ipam fn`, or give the manifest itself: a stream of documents, a v1 List or JSON."
    TOO_LARGE "CI005" "too-large" Error
        "An input is larger than this tool reads."
        "Nothing is read from it."
        "Split the input. One source holds less than 4 GiB, a configuration document at most 64 KiB."

    CONFIGURATION "CI101" "configuration" Error
        "The configuration has an unknown key, a wrong type, a contradiction or a value that cannot be."
        "Nothing is done."
        "Correct the key that is shown; the message lists what is allowed."
    EMPTY_SELECTION "CI102" "empty-selection" Error
        "A selector of the configuration matches no machine group with a VSphereMachineTemplate."
        "No machine would get a static address, although the configuration asks for it."
        "Check the selector against the groups that the message lists, and that the right manifest is given."
    CLUSTER_CHOICE "CI103" "cluster-choice" Error
        "The configuration's cluster is not in the manifest, or the manifest has several and none is chosen."
        "It is not clear which machines are meant."
        "Set `cluster` to one of the names that the message lists."
    NAME_REQUIRED "CI104" "name-required" Error
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

    TEMPLATE_MISSING "CI201" "template-missing" Error
        "A chosen machine group refers to a VSphereMachineTemplate that is not in the manifest."
        "Its machines would keep DHCP."
        "Give the manifest that holds the template as well (-f may be repeated)."
    TEMPLATE_AMBIGUOUS "CI202" "template-ambiguous" Error
        "Two VSphereMachineTemplates have the same name and namespace."
        "Applied, the later one wins; which one a group means cannot be told."
        "Remove or rename one of them."
    TEMPLATE_SHARED "CI203" "template-shared" Error
        "A chosen and an unchosen machine group use the same VSphereMachineTemplate."
        "Machines of the group that was not chosen would lose DHCP and take addresses from the pool."
        "Choose both groups, or give one of them a template of its own."
    NO_NICS "CI204" "no-nics" Error
        "A chosen VSphereMachineTemplate has no network.devices that can be read."
        "There is no NIC that could get an address."
        "Add the NIC to the template; if a ClusterClass patch or another tool adds it later, configure it there."
    NIC_CHOICE "CI205" "nic-choice" Error
        "A chosen template has several NICs and no network is named, or no NIC is on the named network."
        "It is not clear which NIC gets the address."
        "Set `network` (--network) to one of the networkNames that the message lists."
    TWO_POOLS "CI206" "two-pools" Error
        "Two pools choose the same template under label binding."
        "A template has one pool label, so only one of the pools could serve it."
        "Use `binding: addressesFromPools`, which names pools per NIC, or choose different groups."
    CLASS_MISSING "CI207" "class-missing" Error
        "A wanted edit concerns a cluster with a topology whose ClusterClass is not in the manifest."
        "The templates belong to the class and cannot be edited here."
        "Give the manifest that holds the ClusterClass and its templates as well."
    CLASS_PATCH "CI208" "class-patch" Error
        "A patch of the ClusterClass replaces the NICs of a chosen template by a text of its own."
        "An edit of the template would have no effect: the patch puts its NICs back, DHCP included."
        "Change the text inside the patch by hand (dhcp4: false, dhcp6: false), or move the NICs into the template."
    UNSAFE_EDIT "CI209" "unsafe-edit" Error
        "A value that must change is shared by an alias, tagged, written twice, or laid out in a way that is not edited."
        "An edit could change something else as well, so nothing is changed."
        "Write the value out at the place that is shown, once and without anchor or tag."
    TEMPLATE_LANGUAGE "CI210" "template-language" Error
        "A document that must change is written in a template language (ytt, Helm, Go templates)."
        "Its values are code, not text: an edit could be undone or broken when it is rendered."
        "Render it first (helm template, ytt -f) and give the result."
    BOTH_BINDINGS "CI211" "both-bindings" Warning
        "A template has the pool label and a NIC with addressesFromPools."
        "Where an adapter runs, its machines get two addresses: one by the label, one by CAPV."
        "Keep one: remove the label, or addressesFromPools."
    NIC_SKIPS_ALLOCATION "CI212" "nic-skips-allocation" Error
        "A chosen NIC says skipIPAllocation: true."
        "CAPV gives it no address, from no pool."
        "Remove skipIPAllocation, or choose another NIC by `network`."
    FIELD_TOO_NEW "CI213" "field-too-new" Error
        "addressesFromPools is wanted on a template of an API version that does not know it."
        "The API server would drop or refuse the field."
        "Use `binding: label`, or a manifest of v1beta1 (CAPV 1.5) or later."
    LABEL_NEEDS_ADAPTER "CI214" "label-needs-adapter" Warning
        "The pool label is read by an adapter in the management cluster, not by CAPV."
        "Without one the machines wait with WaitingForStaticIPAllocation. The old spectro adapter works up to CAPV 1.8 only."
        "Run a controller that serves the label, or use `binding: addressesFromPools` with CAPV 1.5 or later and an IPAM provider."
    LIVE_TEMPLATE "CI215" "live-template" Warning
        "A chosen template was read from a live cluster, where spec.template.spec is immutable."
        "kubectl apply of the edited template will be refused."
        "Set renameTemplates: true, so that an edited copy under a new name is used."
    TEMPLATE_UNUSED "CI216" "template-unused" Info
        "A VSphereMachineTemplate is referred to by no machine group of the manifest."
        "No machine is made from it here."
        "Nothing, if its group is elsewhere; else remove it or correct the reference."
    TEMPLATE_NAME_TAKEN "CI217" "template-name-taken" Error
        "The name that renameTemplates would give is taken by another template, or is longer than 253 characters."
        "The copy cannot be written."
        "Rename the other template, or shorten the name."
    GATEWAY_REPLACED "CI218" "gateway-replaced" Warning
        "A NIC with addressesFromPools has a gateway of its own."
        "CAPV replaces it by the pool's, also by none, and refuses one that differs."
        "Remove gateway4 and gateway6 from the NIC and keep the gateway in the pool."

    CLASS_TEMPLATE "CI219" "class-template" Warning
        "A template that gets a pool belongs to a ClusterClass."
        "Every cluster of the class takes addresses from this pool; with renameTemplates every cluster of the class rolls its machines."
        "Use a class of its own for each cluster with static addresses."

    ADDRESS_OUTSIDE "CI301" "address-outside" Error
        "An address of the pool lies outside the network that gateway and prefix make."
        "The node could not reach its gateway."
        "Correct the address, the prefix or the gateway."
    ADDRESS_RESERVED "CI302" "address-reserved" Error
        "A wanted pool holds its gateway, a network address or a broadcast address."
        "A node that gets it takes the gateway down or cannot talk."
        "Leave the address out: write two ranges around it."
    ENDPOINT_IN_POOL "CI303" "endpoint-in-pool" Error
        "The control-plane endpoint (VIP) lies inside a pool."
        "A node gets the VIP as its own address, and the API goes down."
        "Move the pool or the endpoint."
    POOLS_OVERLAP "CI304" "pools-overlap" Error
        "Two pools hold the same address."
        "Both give it out, to two machines."
        "Separate the ranges."
    INPUT_POOL_RESERVED "CI305" "input-pool-reserved" Warning
        "A pool that was already in the manifest holds its gateway, a network address or a broadcast address."
        "It bites when the pool is used up to that address."
        "Leave the address out of the pool."
    NO_GATEWAY "CI306" "no-gateway" Warning
        "The pool has no gateway."
        "Its nodes get no default route; the old adapter refuses such a pool and repeats for ever."
        "Set `gateway` (--gateway), unless another NIC has the default route."
    POOL_NAMESPACE "CI307" "pool-namespace" Error
        "A pool of this name is in the manifest, in another namespace than the cluster."
        "Machines find pools only in their own namespace."
        "Move the pool into the cluster's namespace, or choose another name."
    POOL_PREFIX_CHANGED "CI308" "pool-prefix-changed" Warning
        "The name prefix of a pool that is already in the manifest changes."
        "Once the pool is applied its namePrefix is immutable, and the change is refused."
        "Keep the old namePrefix, or give the pool a new name."
    ENDPOINT_MISSING "CI309" "endpoint-missing" Warning
        "The cluster's endpoint has no host."
        "The old adapter would take one address of the pool for it."
        "Set spec.controlPlaneEndpoint.host on the VSphereCluster to the load balancer's address."

    ENDPOINT_RESERVED "CI310" "endpoint-reserved" Error
        "The control-plane endpoint (VIP) is a gateway, a network's own address or a name server."
        "The address cannot carry the API."
        "Give the endpoint an address of its own."

    POOL_TOO_SMALL "CI311" "pool-too-small" Warning
        "A pool has fewer addresses than its groups have replicas, or the autoscaler's maximum."
        "The last machines never get an address, and the cluster does not come up as asked."
        "Give the pool more addresses: replicas, surge and a spare one."
    POOL_TIGHT "CI312" "pool-tight" Warning
        "A pool has no address beyond replicas and surge, or fewer than the wanted headroom."
        "A roll-out with surge gets stuck in a pool of exactly the replicas; a released address returns a little late."
        "Give the pool at least one address more than replicas and surge."

    KUBE_VIP_LEFT "CI401" "kube-vip-left" Warning
        "Something that mentions kube-vip stays, because it does something else too or is not understood."
        "If it edits or needs the files that were removed, the node's first boot can fail."
        "Look at the place that is shown and remove by hand what only served kube-vip."
    KUBE_VIP_STUCK "CI402" "kube-vip-stuck" Error
        "kube-vip cannot be removed as a whole, and a part of it is never removed."
        "A half-removed kube-vip breaks the boot of the control plane."
        "Remove it by hand as the message says, or set `kubeVip: keep`."
    KUBE_VIP_SERVICES "CI403" "kube-vip-services" Warning
        "The kube-vip that is removed also served Services of type LoadBalancer (svc_enable)."
        "Such Services stay pending without another provider."
        "Install a provider for them, such as the load balancer's own controller."
    KUBE_VIP_MENTIONED "CI404" "kube-vip-mentioned" Info
        "A document that is not part of the machine configuration mentions kube-vip."
        "Nothing is changed there."
        "Check whether it is still needed."
    KUBE_VIP_VALUES "CI405" "kube-vip-values" Info
        "A variable that only served kube-vip leaves a ClusterClass."
        "A Cluster that still sets it is refused by the API server. Clusters in the manifest are cleaned with the class."
        "Remove the value from the other Clusters of the class when the class is applied."

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
}

/// The code with this identifier.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
        for code in ALL {
            let digits = code.id.strip_prefix("CI").unwrap();
            assert!(
                digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit()),
                "{}",
                code.id
            );
            assert!(
                code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                code.name
            );
        }
    }
}
