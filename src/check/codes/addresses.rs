//! The codes about addresses, endpoints and the entries of a pool.

use super::{Code, Severity};

codes! {
    ADDRESS_OUTSIDE "CI301" "address-outside" Error
        "An address of a pool lies outside the network that gateway and prefix make."
        "The node could not reach its gateway."
        "Correct the address, the prefix or the gateway."
    ADDRESS_RESERVED "CI302" "address-reserved" Error
        "A wanted pool holds a gateway, a network address, a broadcast address or a name server."
        "A node that gets it takes the gateway or the name server down, or cannot talk."
        "Leave the address out: write two ranges around it."
    ENDPOINT_IN_POOL "CI303" "endpoint-in-pool" Error
        "The control-plane endpoint (VIP) lies inside a pool."
        "A node gets the VIP as its own address, and the API goes down."
        "Move the pool or the endpoint, or leave the endpoint out of the pool."
    POOLS_OVERLAP "CI304" "pools-overlap" Error
        "Two pools hold the same address, or a pool names an address twice."
        "Both pools give it out, to two machines."
        "Separate the ranges."
    INPUT_POOL_RESERVED "CI305" "input-pool-reserved" Warning
        "A pool that was already in the manifest holds a gateway, a network address, a broadcast address or a name server."
        "It bites when the pool is used up to that address."
        "Leave the address out of the pool."
    NO_GATEWAY "CI306" "no-gateway" Warning
        "The pool has no gateway."
        "Its nodes get no default route from it; the old adapter refuses such a pool and repeats for ever."
        "Set `gateway` (--gateway), unless another NIC has the default route."
    POOL_NAMESPACE "CI307" "pool-namespace" Error
        "A pool that is referred to, or wanted, is in the manifest, in another namespace than the cluster."
        "Machines find pools only in their own namespace."
        "Move the pool into the cluster's namespace, or choose another name."
    POOL_PREFIX_CHANGED "CI308" "pool-prefix-changed" Warning
        "The name prefix of a pool that is already in the manifest changes."
        "Once the pool is applied its namePrefix is immutable, and the change is refused."
        "Keep the old namePrefix, or give the pool a new name."
    ENDPOINT_MISSING "CI309" "endpoint-missing" Warning
        "A cluster with static addresses has an endpoint without a host."
        "The old adapter takes one address of a pool for it; otherwise the cluster waits for an endpoint."
        "Set spec.controlPlaneEndpoint.host on the VSphereCluster to the load balancer's address."
    ENDPOINT_RESERVED "CI310" "endpoint-reserved" Error
        "The control-plane endpoint (VIP) is a gateway, a network's own or broadcast address, or a name server."
        "The address cannot carry the API."
        "Give the endpoint an address of its own."
    POOL_TOO_SMALL "CI311" "pool-too-small" Warning
        "A pool has fewer addresses than its groups have replicas, or the autoscaler's maximum."
        "The last machines never get an address, and the cluster does not come up as asked. In `check` it is an error, because the manifest is judged as it stands."
        "Give the pool more addresses: replicas, surge and a spare one."
    POOL_TIGHT "CI312" "pool-tight" Warning
        "A pool has no address beyond replicas and surge, or fewer than the wanted headroom."
        "A roll-out just fits. An address returns a little after its machine is gone, and until then the next machine may wait."
        "Give the pool at least one address more than replicas and surge."
    ENDPOINT_SHARED "CI313" "endpoint-shared" Error
        "Two clusters have the same control-plane endpoint: the same host and port."
        "The API of one cluster is reached under the name of the other, and nodes join the wrong one."
        "Give each cluster an endpoint of its own; behind one load balancer another port is enough."
    ENDPOINT_INVALID "CI314" "endpoint-invalid" Error
        "The host of a control-plane endpoint is neither an IP address nor a host name, or is a placeholder such as xxx.xxx.xxx.xxx; or its port is none of 1 to 65535."
        "No node can join through it, and it cannot be changed once the cluster exists."
        "Write the address or name alone, without scheme, port or prefix length."
    POOL_DEFAULTS_DIFFER "CI315" "pool-defaults-differ" Warning
        "An entry of an IPPool and the pool's default give one network two prefixes or two gateways."
        "The entry wins; an entry without own values gives its nodes the other prefix or gateway."
        "Write them once, or equal."
    POOL_PREFIX "CI316" "pool-prefix" Error
        "An entry of an IPPool has no prefix, neither own nor by the pool's default, or one that does not fit its addresses. The length of a subnet does not count."
        "Its nodes get an address with /0 or an impossible prefix and cannot reach their network."
        "Set spec.prefix to the length of the network's prefix."
    ENTRIES_OVERLAP "CI317" "entries-overlap" Warning
        "Two entries of one IPPool hold the same address."
        "It is given once, with the values of the first entry; the pool is smaller than it looks."
        "Name each address once."
    POOL_REFUSED "CI318" "pool-refused" Error
        "A pool breaks a rule of its API: metal3's or the in-cluster provider's schema and admission."
        "The API server refuses it, or gives nothing out of it; machines wait."
        "Correct the field that the message names."
    ENTRY_NOT_AS_WRITTEN "CI319" "entry-not-as-written" Warning
        "An entry of an IPPool yields other addresses than it seems to say: none, those above its end, or all addresses from its start on."
        "metal3 ignores an end without start, yields nothing for a start outside the subnet, and counts on to the last address of the family without an end."
        "Write start and end of every entry."
}
