//! Why a group's addresses are a set and not exact, as a sentence that says what would make them exact.

use std::fmt;

/// What keeps the order of creation, or the addresses, from being known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsure {
    /// The pool's addresses are not known.
    PoolMissing(String),
    /// A worker or etcd group.
    AnyOrder,
    /// A control plane of a kind that is not known to make one machine at a time.
    Kind(String),
    /// Others take from the pool at the same time.
    Shared(String),
    /// The pool gives addresses by chance.
    Random(String),
    /// The number of machines is a placeholder.
    Replicas,
    /// Several NICs of a machine take from the pool at the same moment.
    SeveralNics(String),
    /// The old adapter may take an address for the endpoint.
    Endpoint(String),
    /// Somebody else holds addresses of the pool too.
    Rival(String),
    /// A machine is in deletion already.
    Leaving(String),
    /// More machines than wanted, or one that waits for its address.
    Unfinished,
    /// When the machines were made is not known.
    Age,
    /// The pool has not enough addresses for every machine.
    TooSmall(String),
    /// Failure domains decide which machine is deleted.
    FailureDomains,
    /// Somebody deleted a machine, and which one is not known.
    Deleted,
    /// How a roll-out replaces the machines is not known.
    Strategy,
    /// How far the group came before it got stuck is not known.
    Stuck(String),
    /// Released addresses rest.
    Rests(String),
}

impl fmt::Display for Unsure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsure::PoolMissing(pool) => {
                write!(out, "the pool {pool} is not in the manifest; give its manifest as well")
            }
            Unsure::AnyOrder => out.write_str(
                "the order in which these machines claim is not fixed; nothing makes it exact before they exist",
            ),
            Unsure::Kind(kind) => write!(
                out,
                "a {kind} is not known to make one machine at a time; only the set is known"
            ),
            Unsure::Shared(pool) => write!(
                out,
                "the pool {pool} is shared; a pool of its own makes the control plane exact"
            ),
            Unsure::Random(pool) => write!(
                out,
                "the pool {pool} gives addresses at random; the sequential strategy makes it exact"
            ),
            Unsure::Replicas => {
                out.write_str("the number of replicas is not known yet; with a number in its place this is exact")
            }
            Unsure::SeveralNics(pool) => write!(
                out,
                "several NICs of a machine take from the pool {pool} at the same moment; a pool for each NIC makes it exact"
            ),
            Unsure::Endpoint(pool) => write!(
                out,
                "the endpoint has no host, and the old adapter takes an address of the pool {pool} for it; \
                 setting spec.controlPlaneEndpoint.host makes it exact"
            ),
            Unsure::Rival(name) => write!(
                out,
                "{name} holds addresses of the pool too; what it releases or claims next is not known"
            ),
            Unsure::Leaving(machine) => write!(
                out,
                "machine {machine} is being deleted; whether the next machine claims before its address is free is not known"
            ),
            Unsure::Unfinished => out.write_str(
                "a roll-out is under way, or a machine waits for its address; how far the group has come is not known; \
                 a state taken when it is at rest makes it exact",
            ),
            Unsure::Age => out.write_str(
                "which of the machines is the oldest is not known; \
                 a state with the Machines and their creationTimestamp makes it exact",
            ),
            Unsure::TooSmall(pool) => write!(out, "the pool {pool} has not enough addresses for every machine"),
            Unsure::FailureDomains => {
                out.write_str("failure domains decide which machine is deleted first; only the set is known")
            }
            Unsure::Deleted => out.write_str("any of the machines may have been deleted; only the set is known"),
            Unsure::Strategy => out.write_str("whether a roll-out adds or removes a machine first is not known"),
            Unsure::Stuck(pool) => write!(
                out,
                "how many machines were replaced before the pool {pool} ran out is not known"
            ),
            Unsure::Rests(pool) => write!(
                out,
                "released addresses of the pool {pool} rest before they are given out again"
            ),
        }
    }
}
