//! The codes about load balancers.

use super::{Code, Severity};

codes! {
    BACKENDS_NO_GROUP "CI601" "backends-no-group" Error [stops_edits]
        "A cluster has no machine group with static addresses behind a service: no control plane for the API, or no group that the service selects."
        "The load balancer would have nobody to send to."
        "Give the group static addresses, correct the service's groups, or choose other clusters with --cluster."
    BACKENDS_ENDPOINT_UNKNOWN "CI602" "backends-endpoint-unknown" Error [stops_edits]
        "The control-plane endpoint (VIP) is missing, a placeholder, or neither an address nor a host name; or its port is none of 1 to 65535."
        "The load balancer's configuration needs it."
        "Set spec.controlPlaneEndpoint.host on the VSphereCluster, and substitute variables first."
    BACKENDS_ENDPOINT_UNUSABLE "CI603" "backends-endpoint-unusable" Error [stops_edits]
        "The VIP is a gateway, the network or broadcast address of the nodes' network, or no address that a load balancer can carry at all, such as a loopback or link-local one."
        "The load balancer cannot carry it, or takes the gateway down."
        "Give the endpoint an address of its own."
    BACKENDS_ENDPOINT_IN_POOL "CI604" "backends-endpoint-in-pool" Error [stops_edits]
        "The VIP is an address that a pool gives to nodes."
        "A node gets the VIP as its own address, and the API goes down."
        "Move the pool or the endpoint."
    BACKENDS_HOST_NAME "CI605" "backends-host-name" Error [stops_edits]
        "The endpoint is a host name, and the format needs the VIP's address."
        "The virtual server cannot be written."
        "Write the address into the endpoint, or use haproxy, nginx, table, list, csv or json."
    BACKENDS_NOT_EXACT "CI606" "backends-not-exact" Error [stops_edits]
        "Only the replicas' addresses are wanted (members: replicas), but the plan knows them only as a set."
        "Which of the addresses are nodes cannot be told before they run."
        "Use `members: surge` or `members: pool`, or make the plan exact as the message says."
    BACKENDS_UNKNOWN_SIZE "CI607" "backends-unknown-size" Error [stops_edits]
        "How many machines a group has, or which addresses its pool holds, is not known, or there are too many."
        "The members cannot be listed."
        "Substitute variables first, give the manifest with the pool, or use `members: pool`."
    BACKENDS_FAMILIES "CI608" "backends-families" Error [stops_edits]
        "The VIP and the nodes' addresses, or the members of one list, are not of one address family."
        "Pools of mixed families are refused or send to nobody."
        "Give the nodes addresses of the VIP's family."
    BACKENDS_NETWORK_CHOICE "CI609" "backends-network-choice" Error [stops_edits]
        "Several NICs of the nodes could be members, or none is on the wanted network."
        "It is not clear which addresses the load balancer reaches."
        "Set `membersNetwork` (--members-network) to one of the networkNames that the message lists."
    BACKENDS_NAME "CI610" "backends-name" Error [stops_edits]
        "A name is not one that Kubernetes allows (lower-case letters, digits, - and .), is a placeholder, or does not fit the format."
        "In a load balancer's configuration it could become something else than a name."
        "Correct the name; substitute variables first."
    BACKENDS_NAMES_COLLIDE "CI611" "backends-names-collide" Error [stops_edits]
        "Two clusters, services or nodes get the same name in the format."
        "The second one would overwrite the first."
        "Give one of them another name or partition, or write them into files of their own with --cluster."
    BACKENDS_ADDRESS_TWICE "CI612" "backends-address-twice" Error [stops_edits]
        "Two clusters have the same member address, two services the same VIP and port (host names count as every address), or two AS3 tenants one VIP."
        "One load balancer cannot serve both."
        "Correct the plan; clusters whose addresses overlap on purpose need route domains of their own; AS3 takes clusters that share a VIP in one tenant (--partition NAME)."
    BACKENDS_PORT_UNKNOWN "CI613" "backends-port-unknown" Info
        "The endpoint has no port, or a placeholder."
        "The members' port is used in front as well."
        "Set spec.controlPlaneEndpoint.port on the VSphereCluster."
    BACKENDS_WITHOUT_SURGE "CI614" "backends-without-surge" Warning
        "Only the replicas' addresses are members, but a roll-out adds machines."
        "A roll-out moves the nodes to addresses that the load balancer does not know; the API can become unreachable."
        "Use `members: surge`."
    BACKENDS_SHARED_POOL "CI615" "backends-shared-pool" Warning
        "The control plane shares its pool with other groups."
        "The list holds every address that any of them can get; those of workers are members that stay down."
        "Give the control plane a pool of its own."
    BACKENDS_CLUSTER_GONE "CI616" "backends-cluster-gone" Warning
        "A cluster of the earlier plan is not in the input any more."
        "The difference removes its virtual server, pool and nodes."
        "If the cluster still runs, give its manifest as well, or choose the other clusters with --cluster."
    BACKENDS_ENDPOINTS_EXCHANGED "CI617" "backends-endpoints-exchanged" Error [stops_edits]
        "Two services of the difference exchange their VIPs."
        "No order of single changes leads there: each waits for the other."
        "Change one of them to a free address first, then make the second difference."
    BACKENDS_AS3_TENANT "CI618" "backends-tenant" Info
        "AS3 replaces a tenant as a whole, and cannot write into the partition Common."
        "What the declaration does not name is removed from the tenant."
        "Use a partition that holds nothing else, or none: then each cluster has a tenant of its own."
    BACKENDS_NODE_NAMES_MOVE "CI619" "backends-node-names-move" Warning
        "F5 node names move to other addresses in a difference."
        "A node's address cannot be changed: old members are disabled and removed before the new ones come, and the pool can be empty meanwhile."
        "Name nodes by {address}; or apply the change in a maintenance window."
}
