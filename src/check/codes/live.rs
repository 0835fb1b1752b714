//! The codes about live objects and what an allocation makes of them.

use super::{Code, Severity};

codes! {
    LIVE_UNREADABLE "CI501" "live-unreadable" Error
        "A pool, claim or address of the running cluster does not have the form of its kind."
        "It is left out; what depends on it is not known."
        "Give it as `kubectl get … -o yaml` prints it."
    LIVE_TWICE "CI502" "live-twice" Error
        "The same object stands in the input twice, with different contents."
        "One of the two is out of date, and what follows from it is wrong."
        "Give it once: take all objects from the cluster at one time."
    CLAIM_REFUSED "CI503" "claim-refused" Error
        "A claim gets no address."
        "Its machine waits for an address and does not come up."
        "Do what the help line says: it follows from the controller's own reason, which the message ends with."
    CLAIM_WITHOUT_POOL "CI504" "claim-without-pool" Warning
        "A claim names a pool that is not in the input, or of a kind that another provider serves."
        "What it gets is not known here. If the cluster does not have the pool either, the claim waits for ever."
        "Give the pool as well, or correct the claim's reference."
    CLAIM_ELSEWHERE "CI505" "claim-elsewhere" Error
        "A claim names a pool of another namespace."
        "Claims find pools in their own namespace only; metal3 says nothing, and the claim waits for ever."
        "Put claim and pool into one namespace."
    CLAIM_DELETED "CI506" "claim-deleted" Info
        "A claim is being deleted."
        "It keeps its address while somebody's finalizer is on it, or lets it go."
        "Nothing, unless the deletion hangs: then see whose finalizer it is."
    STRAY_FINALIZER "CI507" "stray-finalizer" Warning
        "The in-cluster provider's finalizer is on a deleted claim that is none of its own."
        "That provider never takes it off, so the claim stays. metal3's manager waits for it, and the address never comes back."
        "Take the finalizer ipam.cluster.x-k8s.io/ReleaseAddress off the claim by hand."
    ADDRESS_TWICE "CI508" "address-twice" Error
        "Two objects of one pool have the same address."
        "Two machines can use it at once, and both lose their connections."
        "Find out which machine uses the address, and delete the other object or machine."
    ADDRESS_OUTSIDE_POOL "CI509" "address-outside-pool" Warning
        "An address object has an address that its pool does not hold."
        "Its claim keeps it, but metal3 refuses every change of the pool, its own included, until the pool holds the address."
        "Add the address to the pool, or delete the object when its machine is gone."
    ADDRESS_UNREADABLE "CI510" "address-unreadable" Error
        "A text that must be an address is none: a zone, a prefix length, leading zeros."
        "It reserves nothing; the address that was meant can be given to somebody else."
        "Write one plain address."
    ADDRESS_SPELLING "CI511" "address-spelling" Info
        "An address is not in canonical form: capital letters, written-out zeros, or an IPv4 address inside an IPv6 one."
        "It is compared by value here; metal3 compares some addresses as texts, and there the two forms differ."
        "Write it in canonical form."
    CLAIM_NOT_GIVEN "CI512" "claim-not-given" Warning
        "Addresses of a pool belong to claims that are not in the input."
        "They count as held. If the claims are really gone, the controller frees the addresses."
        "Give all claims of the pool's namespace as well."
    ADDRESS_NOT_GIVEN "CI513" "address-not-given" Error
        "Claims show address objects that are not in the input."
        "As long as their addresses are not known, nothing of the pool can be given out safely."
        "Give the address objects of both groups as well."
    NAME_COLLISION "CI514" "name-collision" Warning
        "An address is passed over, because another object has the name that its address object would get."
        "The address is not used. metal3's manager itself tries again for ever and says nothing."
        "Give each pool of a namespace a namePrefix of its own, or rename the object that was made by hand."
    POOL_EMPTY "CI516" "pool-empty" Warning
        "A pool yields no address."
        "Every claim on it is refused."
        "Add addresses. The gateway of an InClusterIPPool and the network address of a subnet are never given out."
    PAUSED "CI517" "paused" Warning
        "A pool or its Cluster is paused."
        "Claims keep what they hold, and nothing is decided until the pause ends."
        "Remove the pause when the work that it protects is done."
    DRAWN_AT_RANDOM "CI518" "drawn-at-random" Info
        "A pool gives its addresses at random."
        "What is shown is one of many draws; the cluster's own will differ."
        "Use the sequential strategy where addresses must be known in advance."
    CLAIM_EXISTS "CI519" "claim-exists" Warning
        "A claim was asked for that exists already."
        "Nothing new is decided for it."
        "Look at what it has, or ask for another name."
    REQUEST_IGNORED "CI520" "request-ignored" Warning
        "An address was asked for in a pool whose provider honours no requests."
        "The claim gets the lowest free address."
        "Use metal3's IPPool, or make the address the only free one."
    POOLS_SHARE_ADDRESS "CI521" "pools-share-address" Error
        "Two pools give out the same address."
        "Each pool knows only its own claims, so two machines can get the address."
        "Separate the ranges. If the two networks never meet, nothing needs to be done."
    POOL_CHANGE_REFUSED "CI522" "pool-change-refused" Error
        "The manifest changes a pool that is live in a way that its provider's webhook refuses."
        "kubectl apply of the manifest fails: the name prefix and the strategy cannot change, and addresses in use cannot be cut off."
        "Keep what is in use, or give the pool a new name and let the machines roll over to it."
    POOL_SHORT "CI523" "pool-short" Warning
        "Others hold so many addresses of a pool that its groups do not get what they need."
        "The last machines, or those of a roll-out, never get an address."
        "Enlarge the pool, or release what is not used any more."
    STATE_OF_ANOTHER_CLUSTER "CI524" "state-of-another-cluster" Warning
        "The state has nothing of the manifest's Cluster."
        "The cluster is planned as a new one. If it exists, its addresses are missing from the plan."
        "Take the state from the management cluster and namespace of this cluster."
    STATE_CONTRADICTS "CI525" "state-contradicts" Error
        "The state contradicts the manifest or itself: two UIDs for one object, or a machine with another address than its claim's."
        "A plan would be wrong for one of the two."
        "Take manifest and state at one time. Where a machine and its claim differ, find out what the machine uses."
    STATE_STALE "CI526" "state-stale" Warning
        "Claims of the state belong to machines that it does not have."
        "The state is incomplete or out of date; the plan may keep addresses that are free by now."
        "Take all objects of the cluster again, at one time."
    ADDRESS_UNRECORDED "CI527" "address-unrecorded" Error
        "A machine uses an address of a pool that no address object records."
        "The pool gives the same address to the next claim: two machines with one address."
        "Make an address object for it (`allocate --for` prints one), or take the address out of the pool."
    MACHINE_UNPLACED "CI528" "machine-unplaced" Warning
        "A machine of the cluster belongs to no machine group of the manifest."
        "Its addresses count as held by somebody else."
        "Give the manifest of its group as well, or delete the machine if its group is gone."
    GROUP_FROM_NAME "CI529" "group-from-name" Info
        "The state has claims without their machines, so the groups follow from the form of the names."
        "Names given by other tools, or by a naming strategy, are not understood."
        "Give the Machines and VSphereMachines of the cluster as well."
    MACHINES_SURPLUS "CI530" "machines-surplus" Warning
        "A group has more machines than replicas and roll-out together."
        "Until the surplus is deleted it holds addresses that the plan does not count on."
        "Wait for the roll-out or scaling to end, then plan again."
    ADOPTED_NAME "CI531" "adopted-name" Warning
        "A claim adopts an address object that was made by hand under another name than the pool would give it."
        "The claim's status names the object by prefix and address, which does not exist, so its consumer finds no address."
        "Call the object as the message says."
    NO_PREFIX "CI532" "no-prefix" Warning
        "A pool gives addresses without a prefix length."
        "CAPV and the adapter write the address with /0, and the node takes the whole world for its own network."
        "Set the pool's prefix, or that of each entry."
}
