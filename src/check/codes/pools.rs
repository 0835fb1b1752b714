//! The codes about pools beside each other, beside their clusters and machine groups.

use super::{Code, Severity};

codes! {
    NAME_PREFIX_SHARED "CI330" "name-prefix-shared" Info
        "Two IPPools of one namespace have the same namePrefix."
        "If they ever hold a common address, metal3 waits without a word, because the address objects have the same name."
        "Give each pool a namePrefix of its own before it is applied; it cannot be changed later."
    POOL_TWICE "CI331" "pool-twice" Error
        "A pool of one kind, name and namespace is in the manifest twice, with different contents, or twice beside one that the configuration writes."
        "When both are applied, the later one wins, and addresses that the first one gave out may be outside it."
        "Remove or rename one of them."
    POOL_CLUSTER "CI332" "pool-cluster" Warning
        "The clusterName of an IPPool is not the cluster whose machines draw from it."
        "metal3 gives nothing out before a Cluster of that name exists in the pool's namespace, and the pool is deleted with that Cluster."
        "Correct clusterName, or leave it out. A pool that is shared on purpose says so by the annotation capv-ipam.dev/shared: \"true\"."
    NAMESPACE_MISSING "CI333" "namespace-missing" Warning
        "Of a pool and the cluster that draws from it only one says its namespace."
        "kubectl puts the other into its current namespace; if that is another one, the machines never find the pool."
        "Write the same namespace into both."
    NETWORK_DIFFERS "CI334" "network-differs" Warning
        "The label cluster.x-k8s.io/network-name of a pool and the networkName of the NIC that draws from it differ."
        "If the pool's addresses belong to the network of its label, the nodes cannot reach anything."
        "Correct the one that is wrong."
    POOL_SHARED "CI335" "pool-shared" Info
        "A control plane shares its pool with other machine groups."
        "Workers claim early and freed addresses change sides, so a load balancer must list the whole pool."
        "Give the control plane a pool of its own; then the list of its addresses is exact."
    DHCP_BESIDE_POOL "CI336" "dhcp-beside-pool" Info
        "A machine group of the cluster keeps DHCP on a network that a pool serves."
        "If the DHCP server leases an address of the pool, two machines have it."
        "Take the pool's addresses out of the DHCP server's range."
    AUTOSCALER_SIZE "CI337" "autoscaler-size" Error
        "An autoscaler annotation of a machine group is no number, or its minimum is above its maximum."
        "Cluster API refuses the object, or the group never gets the wanted size; how many addresses it needs is not known."
        "Write both annotations as whole numbers in quotes, the minimum not above the maximum."
    CONTROL_PLANE_SURGE "CI338" "control-plane-surge" Error
        "A KubeadmControlPlane has a maxSurge other than 0 and 1, or 0 with fewer than three replicas."
        "Cluster API refuses it."
        "Use maxSurge 1, with one address more in the pool, or 0 with three replicas or more."
    CONTROL_PLANE_REPLICAS "CI339" "control-plane-replicas" Warning
        "A KubeadmControlPlane has 0 replicas, or an even number of them and no external etcd."
        "Cluster API refuses it, so not one machine is made."
        "Use 1, 3 or 5 replicas, with as many addresses and one more in the pool."
}
