//! Recordings written by hand, of shapes that nobody has recorded yet: what the rules of the controllers would give.

use std::fmt::Write as _;

/// A control plane of two, each machine with a NIC on each of two pools, rolled out.
pub(crate) const TWO_NICS: &str = "\
binding: addressesFromPools
groups:
- {kind: KubeadmControlPlane, name: k, role: control-plane, replicas: 2, maxSurge: 1}
pools:
- {kind: InClusterIPPool, name: a, groups: [k], addresses: [10.0.1.10-10.0.1.12], prefix: 24, gateway: 10.0.1.1}
- {kind: InClusterIPPool, name: b, groups: [k], addresses: [10.0.0.10-10.0.0.12]}
steps:
- {t_s: 0, event: create, expect: done}
- {t_s: 100, event: rollout, expect: done}
";

pub(crate) fn two_nics() -> String {
    let mut table = Table::new();
    for (time, machine, last) in [(10, "k-1", 10), (50, "k-2", 11), (110, "k-3", 12)] {
        table.machine(time, machine, &["10.0.1", "10.0.0"], last);
    }
    table.removed(130, "k-1", 2);
    table.machine(140, "k-4", &["10.0.1", "10.0.0"], 10);
    table.removed(160, "k-2", 2);
    table.0
}

/// A control plane of one whose pool is named by a label, whose machine is replaced until the pool is empty.
pub(crate) const LABEL: &str = "\
binding: label
groups:
- {kind: KubeadmControlPlane, name: k, role: control-plane, replicas: 1}
pools:
- {kind: IPPool, name: a, groups: [k], addresses: [10.0.0.10-10.0.0.11]}
steps:
- {t_s: 0, event: create, expect: done}
- {t_s: 100, event: rollout=KubeadmControlPlane/k, expect: done}
";

pub(crate) fn label() -> String {
    let mut table = Table::new();
    table.machine(10, "k-1", &["10.0.0"], 10);
    table.machine(110, "k-2", &["10.0.0"], 11);
    table.removed(130, "k-1", 1);
    table.0
}

struct Table(String);

impl Table {
    fn new() -> Self {
        let mut table = Self("t_s\trevision\tkind\tobject\tevent\tvalue\n".into());
        table.row(0, "Cluster", "c", "CREATED", "");
        table.row(0, "KubeadmControlPlane", "k", "CREATED", "");
        table
    }

    fn row(&mut self, time: u32, kind: &str, object: &str, event: &str, value: &str) {
        writeln!(self.0, "{time}\t0\t{kind}\t{object}\t{event}\t{value}").expect("a string takes everything");
    }

    /// A machine with an address of each network, all with the same last number.
    fn machine(&mut self, time: u32, name: &str, networks: &[&str], last: u32) {
        let owner = format!("owner=VSphereMachine/{name}");
        self.row(time, "VSphereMachine", name, "CREATED", "owner=KubeadmControlPlane/k");
        self.row(time, "Machine", name, "CREATED", "owner=KubeadmControlPlane/k");
        self.row(time, "VSphereVM", name, "CREATED", &owner);
        for (number, network) in networks.iter().enumerate() {
            let claim = format!("{name}-{number}-0");
            let value = format!("{network}.{last}/24 for {claim}");
            self.row(
                time + 2,
                "IPAddressClaim",
                &claim,
                "CREATED",
                &owner.replace("VSphereMachine", "VSphereVM"),
            );
            self.row(time + 3, "IPAddress", &claim, "address", &value);
            self.row(time + 4, "IPAddressClaim", &claim, "bound", &claim);
        }
        self.row(time + 9, "Machine", name, "node", name);
    }

    fn removed(&mut self, time: u32, name: &str, nics: usize) {
        self.row(time, "Machine", name, "deleting", "");
        for number in 0..nics {
            self.row(time + 5, "IPAddressClaim", &format!("{name}-{number}-0"), "DELETED", "");
            self.row(time + 6, "IPAddress", &format!("{name}-{number}-0"), "DELETED", "");
        }
        self.row(time + 7, "Machine", name, "DELETED", "");
    }
}
