//! Takes nothing; says what can be chosen about the in-cluster mode, and its defaults.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::clock;

/// A part that the controller plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Serves the claims of IPPools.
    Pool,
    /// Gives the static NICs of VSphereMachines their addresses.
    Machine,
    /// Gives a VSphereCluster that asks for it its endpoint.
    Endpoint,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Pool, Self::Machine, Self::Endpoint];

    /// The word of the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Machine => "machine",
            Self::Endpoint => "endpoint",
        }
    }
}

/// What was chosen.
#[derive(Clone, Debug)]
pub struct Options {
    /// The roles that are played.
    pub roles: BTreeSet<Role>,
    /// The only namespace to serve; all without it.
    pub namespace: Option<String>,
    /// API calls in flight at most, watches not counted.
    pub parallel: usize,
    /// Whether a worker's claim waits until the control plane has come up.
    pub hold_workers: bool,
    /// Whether the in-cluster provider's finalizer is taken off claims that it cannot serve.
    pub remove_stray_finalizers: bool,
    /// Whether one of several processes leads.
    pub leader_elect: Option<LeaderElection>,
    /// Where `/healthz` and `/readyz` are answered.
    pub health: Option<SocketAddr>,
    /// Where `/metrics` is answered.
    pub metrics: Option<SocketAddr>,
    /// The webhooks, if served.
    pub webhooks: Option<Webhooks>,
}

/// How the leader is found.
#[derive(Clone, Debug)]
pub struct LeaderElection {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// What this process is called in the Lease.
    pub identity: String,
    /// For how long a leader that is silent is believed to lead.
    pub duration: Duration,
}

impl LeaderElection {
    /// A name for this process that no other has, even on the same host.
    #[must_use]
    pub fn identity(host: &str) -> String {
        format!("{host}_{:x}", clock::now().as_nanosecond())
    }
}

/// Where the webhooks are served and where their certificate lives.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// The address to listen on.
    pub address: SocketAddr,
    /// Namespace of the Service and of the Secret with the certificate.
    pub namespace: String,
    /// Name of the Service.
    pub service: String,
    /// A further name or address in the certificate, for webhooks that are reached by URL.
    pub host: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            roles: Role::ALL.into(),
            namespace: None,
            parallel: 32,
            hold_workers: true,
            remove_stray_finalizers: false,
            leader_elect: None,
            health: None,
            metrics: None,
            webhooks: None,
        }
    }
}

impl Options {
    /// Whether the role is played.
    #[must_use]
    pub fn plays(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
