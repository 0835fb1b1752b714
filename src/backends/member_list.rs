//! The one member list that every format prints: virtual services with their VIP, port, monitor and members, sorted; holds checked values only and prints nothing.

use std::fmt;
use std::net::IpAddr;

use crate::addressing::{API_SERVICE, API_TITLE, Monitor, NodeName};
use crate::ipam::Family;

/// What a load balancer carries: sorted by cluster and namespace, the API before further services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberList {
    /// The virtual services.
    pub services: Vec<VirtualService>,
}

impl MemberList {
    /// The list of each cluster.
    #[must_use]
    pub fn by_cluster(&self) -> Vec<MemberList> {
        let chunks = self
            .services
            .chunk_by(|a, b| (&a.cluster, &a.namespace) == (&b.cluster, &b.namespace));
        let list = |services: &[VirtualService]| MemberList {
            services: services.to_vec(),
        };
        chunks.map(list).collect()
    }
}

/// A VIP and port with the members behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualService {
    /// The cluster's name.
    pub cluster: String,
    /// Its namespace, where the plan gives one.
    pub namespace: Option<String>,
    /// The cluster's index in the plan, for findings.
    pub index: usize,
    /// `apiserver`, or the name of a further service.
    pub name: String,
    /// The address in front.
    pub vip: Vip,
    /// The port in front, 1 to 65535.
    pub port: u16,
    /// How members are checked.
    pub monitor: Monitor,
    /// The F5 partition.
    pub partition: String,
    /// The F5 route domain; 0 is the default one.
    pub route_domain: u16,
    /// How F5 nodes are called.
    pub node_name: NodeName,
    /// The members: replicas by slot, then surge, then the others by address.
    pub members: Vec<Member>,
}

/// The address in front of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vip {
    /// An address.
    Address(IpAddr),
    /// A host name of letters, digits, dots and hyphens.
    Host(String),
}

impl fmt::Display for Vip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Vip::Address(address) => address.fmt(out),
            Vip::Host(host) => out.write_str(host),
        }
    }
}

/// One address behind a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The address.
    pub address: IpAddr,
    /// The port, 1 to 65535.
    pub port: u16,
    /// The plan's slot (`control-plane-1`, `control-plane-surge-1`); the group alone where any slot can get the address.
    pub slot: String,
    /// What the address is for.
    pub kind: MemberKind,
}

/// What a member's address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberKind {
    /// The first machine of the slot gets it.
    Replica,
    /// A roll-out uses it; until the first one nobody answers there.
    Surge,
    /// Some machine of the group may get it.
    Pool,
}

impl fmt::Display for MemberKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            MemberKind::Replica => "replica",
            MemberKind::Surge => "surge",
            MemberKind::Pool => "pool",
        })
    }
}

impl VirtualService {
    /// What people call it: `kube-apiserver`, or the service's name.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name == API_SERVICE {
            API_TITLE
        } else {
            &self.name
        }
    }

    /// What makes it the same service in another plan.
    pub(super) fn key(&self) -> (&str, Option<&str>, &str, u16) {
        (&self.cluster, self.namespace.as_deref(), &self.name, self.port)
    }

    /// The VIP's address; `None` for a host name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.vip {
            Vip::Address(address) => Some(address),
            Vip::Host(_) => None,
        }
    }

    /// The family of VIP and members, which is one.
    #[must_use]
    pub fn family(&self) -> Family {
        let first = self.members.first().map(|member| member.address);
        self.address().or(first).map_or(Family::V4, Family::of)
    }

    /// The description of the service's objects.
    pub(super) fn description(&self) -> String {
        format!("{} {}", self.cluster, self.title())
    }
}

impl Member {
    /// A name that no other member of the cluster has: its slot, or its group and address.
    #[must_use]
    pub fn place(&self) -> String {
        match self.kind {
            MemberKind::Replica | MemberKind::Surge => self.slot.clone(),
            MemberKind::Pool => format!("{}-{}", self.slot, self.address.to_string().replace(':', "-")),
        }
    }

    /// What a reader of the balancer's configuration should know about the address.
    pub(super) fn description(&self, cluster: &str) -> String {
        match self.kind {
            MemberKind::Replica | MemberKind::Surge => format!("{cluster} {}", self.slot),
            MemberKind::Pool => format!("{cluster} {} pool address", self.slot),
        }
    }

    /// `ADDRESS:PORT`, an IPv6 address in brackets.
    #[must_use]
    pub fn socket(&self) -> String {
        socket(self.address, self.port)
    }
}

/// `ADDRESS:PORT`, an IPv6 address in brackets (RFC 3986).
pub(super) fn socket(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}
