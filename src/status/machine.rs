//! Takes a VSphereMachine with the claims and addresses around it, says where it stands, why, and what to do; never looks at
//! other machines.

use serde_json::Value;

use super::objects::{Objects, address_of, failure_of, items, text};

/// How a machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Every static NIC has an address.
    Served,
    /// Every NIC is left to DHCP.
    Dhcp,
    /// No NIC takes an address, or there is none.
    NoAddress,
    /// An address is missing.
    Waiting,
    /// It is being deleted.
    Deleting,
}

impl State {
    /// The word of the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Served => "Served",
            Self::Dhcp => "DHCP",
            Self::NoAddress => "NoAddress",
            Self::Waiting => "Waiting",
            Self::Deleting => "Deleting",
        }
    }
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its name, which Machine, VSphereMachine and VSphereVM share.
    pub name: String,
    /// The group that made it: a control plane or MachineDeployment, by kind and name.
    pub group: (String, String),
    /// How it stands.
    pub state: State,
    /// Addresses with prefix lengths, those from pools without.
    pub addresses: Vec<String>,
    /// Claims, by kind and name.
    pub claims: Vec<String>,
    /// Why it waits, or what CAPV does with it.
    pub reason: String,
    /// What to do about it; empty where nothing is to be done.
    pub repair: String,
    /// RFC 3339 time of its creation.
    pub created: String,
}

impl Machine {
    /// Reads one. `is_up` says that its cluster's control plane has come up.
    pub(super) fn of(machine: &Value, objects: &Objects, is_up: bool) -> Self {
        let name = text(machine, "/metadata/name");
        let nics = items(machine, "/spec/network/devices");
        let static_addresses = nics
            .iter()
            .flat_map(|nic| items(nic, "/ipAddrs"))
            .filter_map(Value::as_str);
        let mut addresses: Vec<String> = static_addresses.map(ToOwned::to_owned).collect();
        let claims = objects.claims_of(machine);
        for claim in claims.iter().filter(|claim| claim["kind"] == "IPAddressClaim") {
            addresses.extend(address_of(claim, objects));
        }
        let is_true = |nic: &Value, key: &str| nic.get(key).and_then(Value::as_bool).unwrap_or_default();
        let dhcp = |nic: &Value| is_true(nic, "dhcp4") || is_true(nic, "dhcp6");
        let needs = |nic: &Value| {
            let filled = |key: &str| !items(nic, &format!("/{key}")).is_empty();
            !dhcp(nic) && !is_true(nic, "skipIPAllocation") && !filled("ipAddrs") && !filled("addressesFromPools")
        };
        let pooled = nics
            .iter()
            .map(|nic| items(nic, "/addressesFromPools").len())
            .sum::<usize>();
        let bound = claims
            .iter()
            .filter(|claim| address_of(claim, objects).is_some())
            .count();
        let missing = nics.iter().any(needs) || pooled > bound;
        let state = if !text(machine, "/metadata/deletionTimestamp").is_empty() {
            State::Deleting
        } else if missing {
            State::Waiting
        } else if !nics.is_empty() && nics.iter().all(dhcp) {
            State::Dhcp
        } else if addresses.is_empty() && !nics.iter().any(dhcp) {
            State::NoAddress
        } else {
            State::Served
        };
        let (reason, repair) = match state {
            State::Waiting => cause(machine, &claims, is_up),
            State::Dhcp if waiting_for(machine).is_some() => cause(machine, &claims, is_up),
            State::NoAddress if nics.is_empty() => (
                "NoNIC: the machine has no network device".into(),
                "add spec.network.devices to its VSphereMachineTemplate".into(),
            ),
            _ => (condition(machine), String::new()),
        };
        Self {
            group: objects.group_of(machine),
            state,
            addresses,
            claims: claims
                .iter()
                .map(|claim| format!("{}/{}", text(claim, "/kind"), text(claim, "/metadata/name")))
                .collect(),
            reason,
            repair,
            created: text(machine, "/metadata/creationTimestamp"),
            name,
        }
    }
}

/// What a waiting machine waits for, the most telling sign first.
fn cause(machine: &Value, claims: &[&Value], is_up: bool) -> (String, String) {
    let refused = claims.iter().find_map(|claim| Some((claim, failure_of(claim)?)));
    if let Some((claim, failure)) = refused {
        return (failure, repair(claim));
    }
    if let Some(waiting) = waiting_for(machine) {
        let (reason, cure) = waiting.split_once(": ").unwrap_or((waiting, ""));
        return (reason.to_owned(), cure.to_owned());
    }
    let pending = claims
        .iter()
        .find(|claim| text(claim, "/metadata/deletionTimestamp").is_empty());
    if let Some(claim) = pending {
        let name = text(claim, "/metadata/name");
        return (
            format!("{} {name} is not answered", text(claim, "/kind")),
            "see whether an IPAM provider runs".into(),
        );
    }
    let labels = machine.pointer("/metadata/labels");
    let is_worker = labels.is_none_or(|labels| labels.get("cluster.x-k8s.io/control-plane").is_none());
    if let Some(claim) = claims.first() {
        let reason = format!(
            "{} {} is being deleted",
            text(claim, "/kind"),
            text(claim, "/metadata/name")
        );
        return (reason, "the next one is made when it is gone".into());
    }
    if is_worker && !is_up {
        let repair = "workers get their addresses after the control plane; --hold-workers=false serves them at once";
        return ("ControlPlaneNotUp".into(), repair.into());
    }
    let said = condition(machine);
    if said.is_empty() || said == "WaitingForStaticIPAllocation" {
        let repair = "nobody has claimed an address: see whether the controller with the role machine runs";
        return ("NotClaimed".into(), repair.into());
    }
    (said, String::new())
}

/// What the machine says itself.
fn waiting_for(machine: &Value) -> Option<&str> {
    machine
        .pointer("/metadata/annotations")?
        .get("capv-ipam.dev/waiting-for")?
        .as_str()
}

/// The way out for a claim that was refused. metal3 never tries such a claim again by itself; our controller does.
fn repair(claim: &Value) -> String {
    let (namespace, name) = (text(claim, "/metadata/namespace"), text(claim, "/metadata/name"));
    let plural = if claim["kind"] == "IPClaim" {
        "ipclaims.ipam.metal3.io"
    } else {
        "ipaddressclaims.ipam.cluster.x-k8s.io"
    };
    format!(
        "enlarge the pool or free an address; under metal3's manager then also: kubectl -n {namespace} patch {plural} {name} \
         --subresource=status --type=json -p '[{{\"op\":\"remove\",\"path\":\"/status\"}}]'"
    )
}

/// CAPV's own word on the machine. The reason for static addresses stays through the whole clone, so with an address it means
/// that the machine is being cloned.
fn condition(machine: &Value) -> String {
    let conditions = items(machine, "/status/conditions");
    let told = conditions.iter().find(|condition| {
        ["VirtualMachineProvisioned", "VMProvisioned"].contains(&condition["type"].as_str().unwrap_or_default())
    });
    let Some(told) = told.filter(|told| told["status"] != "True") else {
        return String::new();
    };
    let reason = text(told, "/reason");
    let has_address = items(machine, "/spec/network/devices")
        .iter()
        .any(|nic| !items(nic, "/ipAddrs").is_empty());
    if reason == "WaitingForStaticIPAllocation" && has_address {
        "Cloning".into()
    } else {
        reason
    }
}
