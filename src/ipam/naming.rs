//! Takes a prefix and an address, gives the name of the address object; never checks whether the name is free or legal.

use std::net::IpAddr;

/// How a pool names its address objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By prefix and address, whatever the claim is called (metal3 `ippool_manager.go`).
    PrefixAndAddress(String),
    /// As the claim (Cluster API's contract, the in-cluster provider).
    Claim,
}

impl Naming {
    /// The name of the object that gives `address` to the claim called `claim`.
    #[must_use]
    pub fn object_name(&self, address: IpAddr, claim: &str) -> String {
        match self {
            Self::PrefixAndAddress(prefix) => address_object_name(prefix, address),
            Self::Claim => claim.into(),
        }
    }
}

/// The prefix, a dash, and the canonical address with dashes for colons and dots; dashes at the very end are cut.
///
/// Two addresses of different families can share a name: `10.0.0.1` and `10:0:0:1::`.
#[must_use]
pub fn address_object_name(prefix: &str, address: IpAddr) -> String {
    let dashed = address.to_canonical().to_string().replace([':', '.'], "-");
    format!("{prefix}-{dashed}").trim_end_matches('-').into()
}
