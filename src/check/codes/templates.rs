//! The codes about templates, machine groups and how their NICs find a pool.

use super::{Code, Severity};

codes! {
    TEMPLATE_MISSING "CI201" "template-missing" Error [stops_edits]
        "A chosen machine group refers to a VSphereMachineTemplate that is not in the manifest."
        "Its machines would keep DHCP."
        "Give the manifest that holds the template as well (-f may be repeated)."
    TEMPLATE_AMBIGUOUS "CI202" "template-ambiguous" Error [stops_edits]
        "Two VSphereMachineTemplates have the same name and namespace."
        "Applied, the later one wins; which one a group means cannot be told."
        "Remove or rename one of them."
    TEMPLATE_SHARED "CI203" "template-shared" Error [stops_edits]
        "A chosen and an unchosen machine group use the same VSphereMachineTemplate."
        "Machines of the group that was not chosen would lose DHCP and take addresses from the pool."
        "Choose both groups, or give one of them a template of its own."
    NO_NICS "CI204" "no-nics" Error [stops_edits]
        "A chosen VSphereMachineTemplate has no network.devices that can be read."
        "There is no NIC that could get an address."
        "Add the NIC to the template; if a ClusterClass patch or another tool adds it later, configure it there."
    NIC_CHOICE "CI205" "nic-choice" Error [stops_edits]
        "A chosen template has several NICs and no network is named, or no NIC is on the named network."
        "It is not clear which NIC gets the address."
        "Set `network` (--network) to one of the networkNames that the message lists."
    TWO_POOLS "CI206" "two-pools" Error [stops_edits]
        "Two pools choose the same template under label binding."
        "A template has one pool label, so only one of the pools could serve it."
        "Use `binding: addressesFromPools`, which names pools per NIC, or choose different groups."
    CLASS_MISSING "CI207" "class-missing" Error [stops_edits]
        "A wanted edit concerns a cluster with a topology whose ClusterClass is not in the manifest."
        "The templates belong to the class and cannot be edited here."
        "Give the manifest that holds the ClusterClass and its templates as well."
    CLASS_PATCH "CI208" "class-patch" Error [stops_edits]
        "A patch of the ClusterClass replaces the NICs of a chosen template by a text of its own."
        "An edit of the template would have no effect: the patch puts its NICs back, DHCP included."
        "Change the text inside the patch by hand (dhcp4: false, dhcp6: false), or move the NICs into the template."
    UNSAFE_EDIT "CI209" "unsafe-edit" Error [stops_edits]
        "A value that must change is shared by an alias, tagged, written twice, or laid out in a way that is not edited."
        "An edit could change something else as well, so nothing is changed."
        "Write the value out at the place that is shown, once and without anchor or tag."
    TEMPLATE_LANGUAGE "CI210" "template-language" Error [stops_edits]
        "A document that must change is written in a template language (ytt, Helm, Go templates)."
        "Its values are code, not text: an edit could be undone or broken when it is rendered."
        "Render it first (helm template, ytt -f) and give the result."
    BOTH_BINDINGS "CI211" "both-bindings" Warning
        "A template has the pool label and a NIC with addressesFromPools."
        "Where an adapter runs, its machines get two addresses: one by the label, one by CAPV."
        "Keep one: remove the label, or addressesFromPools."
    NIC_SKIPS_ALLOCATION "CI212" "nic-skips-allocation" Error [stops_edits]
        "A NIC that is to get an address from a pool says skipIPAllocation: true."
        "CAPV gives it no address, from no pool."
        "Remove skipIPAllocation, or choose another NIC by `network`."
    FIELD_TOO_NEW "CI213" "field-too-new" Error [stops_edits]
        "addressesFromPools stands, or is wanted, on a template of an API version that does not know it."
        "The API server would drop or refuse the field."
        "Use `binding: label`, or a manifest of v1beta1 (CAPV 1.5) or later."
    LABEL_NEEDS_ADAPTER "CI214" "label-needs-adapter" Warning
        "The pool label is read by an adapter in the management cluster, not by CAPV."
        "Without one the machines wait with WaitingForStaticIPAllocation. The old spectro adapter works up to CAPV 1.8 and CAPI 1.5 only."
        "Run a controller that serves the label, such as `capv-ipam controller`, or use `binding: addressesFromPools` with CAPV 1.5 or later and an IPAM provider."
    LIVE_TEMPLATE "CI215" "live-template" Warning
        "A template that changes is already applied: it was read from a live cluster, or --state holds it."
        "spec.template.spec of an applied template is immutable, so kubectl apply of the edited one will be refused."
        "Set renameTemplates: true, so that an edited copy under a new name is used."
    TEMPLATE_UNUSED "CI216" "template-unused" Info
        "A VSphereMachineTemplate is referred to by no machine group of the manifest."
        "No machine is made from it here."
        "Nothing, if its group is elsewhere; else remove it or correct the reference."
    TEMPLATE_NAME_TAKEN "CI217" "template-name-taken" Error [stops_edits]
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
    KIND_MISSPELT "CI220" "kind-misspelt" Error
        "A kind of CAPV, metal3 or the in-cluster provider is written in other letters than its API has."
        "The API server knows no such kind: an object is refused, a reference leads nowhere."
        "Write the kind exactly, upper and lower case included."
    VERSIONS_APART "CI221" "versions-apart" Warning
        "A machine group and its template have API versions that no release of Cluster API and CAPV serves together."
        "One of the two is refused by every management cluster."
        "Generate both with the same tools: v1alpha3 and v1alpha4 are served up to Cluster API 1.5 and CAPV 1.8, v1beta2 from Cluster API 1.11 and CAPV 1.16 on."
    POOL_REFERENCE "CI222" "pool-reference" Error
        "An entry of addressesFromPools has no apiGroup, kind or name, or a kind that its apiGroup does not have."
        "The API server refuses the template (v1beta2), or the machine's claim is answered by nobody."
        "Write all three: ipam.metal3.io with IPPool, or ipam.cluster.x-k8s.io with InClusterIPPool or GlobalInClusterIPPool."
    NIC_REFUSED "CI223" "nic-refused" Error
        "A template holds a network field that CAPV's admission refuses: ipAddrs, an empty gateway in v1beta2, or preferredAPIServerCidr."
        "The API server refuses the template."
        "Remove the field. The addresses of machines come from the pool."
    NIC_KEY_UNKNOWN "CI224" "nic-key-unknown" Warning
        "A NIC has a key that no version of CAPV knows."
        "kubectl refuses it; other clients drop it without a word, and what it was meant to say is lost."
        "Correct the key, upper and lower case included."
    DHCP_STILL_ON "CI225" "dhcp-still-on" Error
        "A template has the pool label, and DHCP is on for every NIC. One flag, dhcp4 or dhcp6, is enough."
        "The machines count as DHCP machines: the label has no effect and they get any address."
        "Set dhcp4 and dhcp6 to false on the NIC that is to get an address of the pool, or remove the label."
    NIC_WITHOUT_ADDRESS "CI226" "nic-without-address" Warning
        "A NIC has no DHCP, no addressesFromPools, and its template has no pool label."
        "The machines wait with WaitingForStaticIPAllocation for an address that something else must write; the old adapter takes any pool of the namespace."
        "Add the pool label or addressesFromPools, or turn DHCP on; skipIPAllocation: true is for a NIC without address (CAPV 1.10 or later)."
    POOL_NOT_FOUND "CI227" "pool-not-found" Warning
        "A pool label or an entry of addressesFromPools names a pool that is not in the manifest, and not in --state if that is given."
        "If the management cluster does not have it either, the machines wait without a word about the reason."
        "Correct the name, or give the manifest that holds the pool as well."
    LABEL_MISPLACED "CI228" "label-misplaced" Warning
        "The pool label stands where nobody reads it: in spec.template.metadata of the template, or in the metadata that a group gives its machines."
        "It has no effect: the label is read from the template's own metadata."
        "Move it to metadata.labels of the VSphereMachineTemplate."
    LABEL_VALUE "CI229" "label-value" Error
        "A label that chooses or describes a pool has a value that is no label value, or no text."
        "The API server refuses the object. A label value has at most 63 characters of letters, digits, '-', '_' and '.', with a letter or digit at both ends."
        "Use a name that is a legal label value, and quote values that YAML reads as a number or boolean."
    SECOND_GATEWAY "CI230" "second-gateway" Warning
        "Two NICs of a template get a default gateway of one address family."
        "The node has two default routes, and which one its traffic takes is left to chance; under label binding all static NICs draw from one pool."
        "Give one of the NICs a pool without gateway (addressesFromPools), or another way to its address."
    NAMESERVERS_MISSING "CI231" "nameservers-missing" Warning
        "A template with addressesFromPools names no name servers."
        "CAPV takes none from a pool, whatever the pool's dnsServers say: the nodes resolve no names unless the image brings servers."
        "Set nameservers on the NIC (--dns-servers writes them there)."
    CLASS_NICS_UNSEEN "CI232" "class-nics-unseen" Info
        "A patch of a ClusterClass sets the NICs of a template."
        "The NICs in the template do not count and those in the patch are not checked."
        "Check a Cluster's machines after the class is applied, or move the NICs into the template."
    TEMPLATE_IMMUTABLE "CI233" "template-immutable" Error
        "The manifest's VSphereMachineTemplate differs below spec.template.spec from the one that is applied."
        "The API server refuses the change, and with it a change of labels in the same apply. Between v1beta1 and v1beta2 a flag that is false and one that is absent differ."
        "Give the changed template a new name and move the references to it (renameTemplates), or take the change back."
    TEMPLATE_ELSEWHERE "CI234" "template-elsewhere" Warning
        "A machine group refers to a VSphereMachineTemplate that is not in the manifest, while the manifest has one that nothing refers to."
        "If the management cluster does not have it either, no machine is made."
        "Correct the reference or the template's name; if the template is applied already, this is fine."
    DHCP_BESIDE_ADDRESS "CI235" "dhcp-beside-address" Warning
        "A NIC takes addresses from pools, and DHCP is on for the same address family."
        "The guest gets both: the pool's address and one that nobody knows beforehand."
        "Set dhcp4 (or dhcp6) to false on the NIC."
    NIC_GATEWAYS_DIFFER "CI236" "nic-gateways-differ" Error
        "A NIC takes addresses from two pools of one family whose gateways differ."
        "CAPV refuses the combination, and the machine never comes up."
        "Give both pools the same gateway, or one of them none, or put them on two NICs."
}
