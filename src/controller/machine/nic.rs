//! Takes the NICs of a VSphereMachine in any served version, answers which of them wait for an address and writes addresses
//! into them; never touches a NIC that has one.

use std::net::IpAddr;

use serde_json::{Value, json};

/// What one NIC gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// Place of the NIC, from 0.
    pub(super) index: usize,
    pub(super) address: IpAddr,
    /// Prefix length in bits, 1 to 32 or 128.
    pub(super) prefix: u8,
    pub(super) gateway: Option<IpAddr>,
    pub(super) dns_servers: Vec<String>,
    pub(super) search_domains: Vec<String>,
}

/// How a machine's NICs stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nics {
    /// Places and networks of the static NICs without an address.
    pub(super) waiting: Vec<(usize, String)>,
    /// Whether every NIC is left to DHCP.
    pub(super) all_dhcp: bool,
}

/// Reads the NICs of a machine.
pub(super) fn read(machine: &Value) -> Nics {
    let devices = devices(machine);
    let waiting = devices.iter().enumerate().filter(|(_, nic)| waits(nic));
    let network = |nic: &Value| {
        nic.get("networkName")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Nics {
        waiting: waiting.map(|(index, nic)| (index, network(nic))).collect(),
        all_dhcp: !devices.is_empty() && devices.iter().all(is_dhcp),
    }
}

fn devices(machine: &Value) -> &[Value] {
    let devices = machine.pointer("/spec/network/devices").and_then(Value::as_array);
    devices.map_or(&[], Vec::as_slice)
}

fn is_set(nic: &Value, key: &str) -> bool {
    nic.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn is_dhcp(nic: &Value) -> bool {
    is_set(nic, "dhcp4") || is_set(nic, "dhcp6")
}

fn is_filled(nic: &Value, key: &str) -> bool {
    nic.get(key)
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
}

/// CAPV's own rule for a NIC that it waits for (`vspherevm_controller.go`).
fn waits(nic: &Value) -> bool {
    !is_dhcp(nic)
        && !is_set(nic, "skipIPAllocation")
        && !is_filled(nic, "ipAddrs")
        && !is_filled(nic, "addressesFromPools")
}

/// The machine's NICs with the addresses written in, and the places of NICs whose gateway was left out because another NIC
/// has the default route of its family. Nothing if a NIC does not wait any more.
pub(super) fn fill(machine: &Value, given: &[Given]) -> Option<(Vec<Value>, Vec<usize>)> {
    let mut devices = devices(machine).to_vec();
    let mut without = Vec::new();
    for Given {
        index,
        address,
        prefix,
        gateway,
        dns_servers,
        search_domains,
    } in given
    {
        let nic = devices.get(*index).filter(|nic| waits(nic))?;
        let routed: Vec<&str> = ["gateway4", "gateway6"]
            .into_iter()
            .filter(|key| nic.get(key).is_some())
            .collect();
        let key = if address.is_ipv4() { "gateway4" } else { "gateway6" };
        let elsewhere = devices.iter().enumerate().any(|(place, nic)| {
            place != *index
                && nic
                    .get(key)
                    .and_then(Value::as_str)
                    .is_some_and(|text| !text.is_empty())
        });
        let own = routed.contains(&key);
        let nic = &mut devices[*index];
        nic["ipAddrs"] = json!([format!("{address}/{prefix}")]);
        match gateway {
            Some(_) if elsewhere && !own => without.push(*index),
            Some(gateway) => nic[key] = json!(gateway.to_string()),
            None => {}
        }
        if !dns_servers.is_empty() {
            nic["nameservers"] = json!(dns_servers);
        }
        if !search_domains.is_empty() {
            nic["searchDomains"] = json!(search_domains);
        }
    }
    Some((devices, without))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(devices: Value) -> Value {
        json!({"spec": {"network": {"devices": devices}}})
    }

    fn given(index: usize, address: &str, gateway: Option<&str>) -> Given {
        Given {
            index,
            address: address.parse().unwrap(),
            prefix: 24,
            gateway: gateway.map(|text| text.parse().unwrap()),
            dns_servers: Vec::new(),
            search_domains: Vec::new(),
        }
    }

    #[test]
    fn defect_10_pool_addresses_and_skipped_nics_are_left_alone() {
        let nics = read(&machine(json!([
            {"networkName": "a"},
            {"networkName": "b", "dhcp4": false, "dhcp6": false},
            {"networkName": "c", "dhcp4": true},
            {"networkName": "d", "dhcp4": false, "dhcp6": true},
            {"networkName": "e", "ipAddrs": ["192.0.2.1/24"]},
            {"networkName": "f", "addressesFromPools": [{"name": "p"}]},
            {"networkName": "g", "skipIPAllocation": true},
        ])));
        assert_eq!(nics.waiting, [(0, "a".to_owned()), (1, "b".to_owned())]);
        assert!(!nics.all_dhcp);
        assert!(read(&machine(json!([{"dhcp4": true}, {"dhcp6": true}]))).all_dhcp);
        assert_eq!(read(&json!({})), Nics::default());
    }

    #[test]
    fn defect_06_the_gateway_goes_by_the_address_family() {
        let machine = machine(json!([{"networkName": "a", "dhcp4": false}, {"networkName": "b"}]));
        let given = [
            given(0, "2001:db8::5", Some("2001:db8::1")),
            given(1, "192.0.2.5", None),
        ];
        let (devices, without) = fill(&machine, &given).unwrap();
        assert_eq!(
            devices[0],
            json!({"networkName": "a", "dhcp4": false, "ipAddrs": ["2001:db8::5/24"], "gateway6": "2001:db8::1"})
        );
        assert_eq!(devices[1], json!({"networkName": "b", "ipAddrs": ["192.0.2.5/24"]}));
        assert!(without.is_empty());
    }

    #[test]
    fn defect_07_one_default_route_for_each_family() {
        let machine = machine(json!([{"networkName": "a"}, {"networkName": "b"}, {"networkName": "c"}]));
        let given = [
            given(0, "192.0.2.5", Some("192.0.2.1")),
            given(1, "198.51.100.5", Some("198.51.100.1")),
            given(2, "2001:db8::5", Some("2001:db8::1")),
        ];
        let (devices, without) = fill(&machine, &given).unwrap();
        assert_eq!(without, [1]);
        assert_eq!(devices[0]["gateway4"], "192.0.2.1");
        assert_eq!(devices[1].get("gateway4"), None);
        assert_eq!(devices[2]["gateway6"], "2001:db8::1");
        // A NIC that has been filled meanwhile is somebody else's.
        assert_eq!(fill(&json!({"spec": {"network": {"devices": devices}}}), &given), None);
    }
}
