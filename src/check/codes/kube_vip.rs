//! The codes about kube-vip and what is left of it.

use super::{Code, Severity};

codes! {
    KUBE_VIP_LEFT "CI401" "kube-vip-left" Warning
        "Something that mentions kube-vip stays, because it does something else too or is not understood."
        "If it edits or needs the files that were removed, the node's first boot can fail."
        "Look at the place that is shown and remove by hand what only served kube-vip."
    KUBE_VIP_STUCK "CI402" "kube-vip-stuck" Error [stops_edits]
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
    KUBE_VIP_KEPT "CI406" "kube-vip-kept" Warning
        "The configuration asks for member lists of a load balancer, and kube-vip stays in the control plane."
        "kube-vip and the load balancer both answer for the endpoint's address."
        "Set `kubeVip: remove`, or leave `backends` out if kube-vip is to carry the endpoint."
    KUBE_VIP_HALF "CI407" "kube-vip-half" Warning
        "A control plane has a part of kube-vip without the rest: a script or command that edits a static pod that is not there, or a static pod whose hosts file is not there."
        "With Ignition the first boot stops at the failed command; a pod that mounts a missing file never starts."
        "Remove the rest too (`kubeVip: remove`), or restore what is missing."
}
