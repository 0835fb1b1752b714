//! What an address of a subnet can be used for: how it is drawn and called; the map, its legend and its table all take it from here.

/// A use of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// The lowest address of a subnet.
    Network,
    /// The highest address of an IPv4 subnet.
    Broadcast,
    /// A gateway.
    Gateway,
    /// A name server.
    NameServer,
    /// A control-plane endpoint.
    Endpoint,
    /// A replica whose address is known.
    Exact,
    /// One of the addresses of several replicas.
    Replica,
    /// What a roll-out needs beyond the replicas.
    Surge,
    /// What machines can hold while their number or their order is not known.
    Any,
    /// Kept for a claim that the pool names.
    Reserved,
    /// In a pool, for nothing yet.
    Spare,
    /// In a pool that no machine group uses.
    Unused,
    /// Used for two things that exclude each other.
    Conflict,
    /// In no pool.
    Free,
}

impl Use {
    /// All uses in the order of the legend.
    pub(super) const ALL: [Use; 14] = [
        Use::Exact,
        Use::Replica,
        Use::Surge,
        Use::Any,
        Use::Reserved,
        Use::Spare,
        Use::Unused,
        Use::Endpoint,
        Use::Gateway,
        Use::NameServer,
        Use::Network,
        Use::Broadcast,
        Use::Conflict,
        Use::Free,
    ];

    /// The class that gives a cell its colour and pattern.
    pub(super) fn class(self) -> &'static str {
        match self {
            Use::Network | Use::Broadcast => "u-edge",
            Use::Gateway => "u-gateway",
            Use::NameServer => "u-dns",
            Use::Endpoint => "u-vip",
            Use::Exact => "u-exact",
            Use::Replica => "u-replica",
            Use::Surge => "u-surge",
            Use::Any => "u-any",
            Use::Reserved => "u-reserved",
            Use::Spare => "u-spare",
            Use::Unused => "u-unused",
            Use::Conflict => "u-conflict",
            Use::Free => "u-free",
        }
    }

    /// What stands in a cell; `key` is the letter of the pool.
    pub(super) fn mark(self, key: &str) -> String {
        match self {
            Use::Network => "net".to_owned(),
            Use::Broadcast => "bcast".to_owned(),
            Use::Gateway => "GW".to_owned(),
            Use::NameServer => "DNS".to_owned(),
            Use::Endpoint => "VIP".to_owned(),
            Use::Exact | Use::Replica => key.to_owned(),
            Use::Surge => format!("{key}+"),
            Use::Any => format!("{key}?"),
            Use::Reserved => format!("{key}="),
            Use::Spare => format!("({key})"),
            Use::Unused => format!("{key}–"),
            Use::Conflict => "!!".to_owned(),
            Use::Free => String::new(),
        }
    }

    /// What it means, for the legend.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Use::Network => "network address: names the subnet, never a machine",
            Use::Broadcast => "broadcast address: never a machine",
            Use::Gateway => "gateway",
            Use::NameServer => "DNS server",
            Use::Endpoint => "VIP: the virtual address under which a cluster is reached",
            Use::Exact => "machine 1 of pool A: the number is known for this address",
            Use::Replica => "one of the machines of pool A: which one is not known",
            Use::Surge => "extra machine of pool A while machines are replaced",
            Use::Any => "any machine of pool A: number or order is not known yet",
            Use::Reserved => "kept by pool A for a machine that it names",
            Use::Spare => "spare in pool A",
            Use::Unused => "in pool A, which no machine of this plan uses",
            Use::Conflict => "conflict: two uses that exclude each other",
            Use::Free => "not in any pool of this plan",
        }
    }
}
