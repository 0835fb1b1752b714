//! Writes what the words of the page mean to somebody who has never seen Kubernetes; takes nothing.

use super::markup::Markup;

const WORDS: [(&str, &str); 14] = [
    (
        "Kubernetes cluster",
        "a set of virtual machines that run programs together and are managed as one",
    ),
    (
        "Control plane",
        "the machines that manage a cluster; they serve its interface (API) on one port each",
    ),
    ("Workers", "the machines of a cluster that run the programs"),
    (
        "Endpoint, VIP",
        "the virtual IP address and port of a control plane; a load balancer passes what arrives there on to the control-plane machines",
    ),
    (
        "Machine group",
        "machines that are made alike and replaced together, such as the control plane; KIND/NAME is the group's name in the manifest",
    ),
    (
        "Manifest",
        "the text files from which clusters are built; places are given as file:line:column",
    ),
    (
        "Template",
        "the part of the manifest that describes the machines of a group: size, disk image, network cards",
    ),
    (
        "Pool",
        "addresses that are set aside for one or more machine groups; nothing else may use them, DHCP included",
    ),
    (
        "Replacing machines, roll-out",
        "an update makes new machines and removes old ones; for a while there is more of them, and each extra one needs an address of the pool",
    ),
    (
        "Exact, set",
        "exact: the address of this machine is known in advance; a set: it is one of several",
    ),
    ("Spare", "an address of a pool that nothing needs yet"),
    (
        "NIC, vSphere network",
        "a network card of a machine, counted from 0, and the port group that it is attached to",
    ),
    (
        "Claim, address object",
        "records in the cluster that manages the others: a machine's request for an address, and the address that it was given",
    ),
    (
        "DHCP group",
        "machines that get their addresses from the DHCP server of the network; this plan says nothing about those addresses",
    ),
];

/// The section with the glossary.
pub(super) fn glossary(out: &mut Markup) {
    out.element("section", &[("id", "glossary")], |out| {
        out.leaf("h2", &[], "Words");
        out.element("dl", &[("class", "glossary")], |out| {
            for (word, meaning) in WORDS {
                out.element("div", &[], |out| {
                    out.leaf("dt", &[], word);
                    out.leaf("dd", &[], meaning);
                });
            }
        });
    });
    out.line();
}
