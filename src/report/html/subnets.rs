//! Takes the subnets of a plan and writes for each its facts, its map with a legend, and the same as a table; computes no address.

use std::collections::BTreeSet;

use super::drawing::{Notes, Words, draw, letters, sample};
use super::lookup::Lookup;
use super::map::{Map, Mark, Stretch};
use super::markup::Markup;
use super::numbers::{count, counted, range};
use super::uses::Use;
use crate::addressing::listed;
use crate::ipam::{Family, parse_address};
use crate::planning::{AddressPlan, ClusterPlan, PoolUser, SubnetPlan, SubnetPool};

/// Subnets up to this number have a legend each.
const OWN_LEGENDS: usize = 12;
/// Endpoints outside a subnet that its map names.
const OUTSIDE: usize = 6;

/// The section with all subnets.
pub(super) fn subnets(out: &mut Markup, plan: &AddressPlan, lookup: &Lookup<'_>) {
    if plan.subnets.is_empty() {
        return;
    }
    out.element("section", &[("id", "subnets")], |out| {
        out.leaf("h2", &[], "Subnets");
        out.leaf(
            "p",
            &[],
            "One cell is one address, eight in a row. Long stretches of one kind are drawn in one piece.",
        );
        let own = plan.subnets.len() <= OWN_LEGENDS;
        if !own {
            legend(out, &Use::ALL.into_iter().collect());
        }
        for (index, subnet) in plan.subnets.iter().enumerate() {
            Section {
                subnet,
                lookup,
                id: format!("subnet-{}", index + 1),
            }
            .write(out, own);
        }
    });
    out.line();
}

fn legend(out: &mut Markup, looks: &BTreeSet<Use>) {
    out.element("ul", &[("class", "legend")], |list| {
        for look in Use::ALL.into_iter().filter(|look| looks.contains(look)) {
            list.element("li", &[], |item| {
                sample(item, look);
                item.leaf("span", &[], look.meaning());
            });
        }
    });
    out.line();
}

/// What a subnet is called.
pub(super) fn title(subnet: &SubnetPlan) -> String {
    let ranges = || subnet.pools.iter().flat_map(|pool| pool.ranges.iter().cloned());
    match (&subnet.cidr, subnet.pools.is_empty()) {
        (Some(cidr), _) => cidr.clone(),
        (None, false) => format!("subnet of {}", listed(ranges())),
        (None, true) => format!("network {}", listed(subnet.networks.iter().cloned())),
    }
}

/// A group with its cluster, in words.
pub(super) fn group_name(group: &PoolUser) -> String {
    let what = match &*group.kind {
        "MachineDeployment" | "MachineSet" => "workers",
        kind if kind.ends_with("ControlPlane") => "control plane",
        kind if kind.starts_with("Etcd") => "etcd machines",
        _ => "machines",
    };
    let cluster = group.cluster.as_ref().map(|name| format!(" of {name}"));
    format!("{what}{} ({}/{})", cluster.unwrap_or_default(), group.kind, group.name)
}

/// The endpoint of a cluster as it is written.
pub(super) fn endpoint_text(cluster: &ClusterPlan) -> Option<String> {
    let endpoint = cluster.endpoint.as_ref()?;
    let host = &endpoint.host;
    Some(match endpoint.port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.clone(),
    })
}

struct Section<'s, 'p> {
    subnet: &'s SubnetPlan,
    lookup: &'s Lookup<'p>,
    id: String,
}

impl Section<'_, '_> {
    fn write(&self, out: &mut Markup, own_legend: bool) {
        out.element("article", &[("class", "subnet"), ("id", &self.id)], |out| {
            out.element("h3", &[], |heading| heading.text(&capital(&title(self.subnet))));
            let map = Map::of(self.subnet, self.lookup);
            self.facts(out, map.as_ref());
            if let Some(map) = map {
                out.element("div", &[("class", "view")], |out| {
                    out.element("div", &[("class", "maps")], |out| {
                        let missing = self.draw(out, &map);
                        if missing > 0 {
                            let lines = counted(missing as u128, "more line has", "more lines have");
                            let text = format!("The map ends here: {lines} no room. The table below is complete.");
                            out.leaf("p", &[("class", "note")], &text);
                        }
                    });
                    if own_legend {
                        legend(out, &map.stretches.iter().map(Stretch::look).collect());
                    }
                });
                self.table(out, &map);
            }
        });
        out.line();
    }

    fn facts(&self, out: &mut Markup, map: Option<&Map>) {
        let subnet = self.subnet;
        out.element("dl", &[("class", "facts")], |out| {
            if subnet.cidr.is_none() {
                let why = match subnet.pools.is_empty() {
                    true => "not known: only DHCP is used here, and no pool tells the subnet",
                    false => "not known: the pool gives no prefix length that fits its addresses",
                };
                fact(out, "Subnet", |out| out.text(why));
            }
            if !subnet.networks.is_empty() {
                fact(out, "vSphere network", |out| out.ranges(&subnet.networks));
            }
            match subnet.gateways.len() {
                0 if subnet.pools.is_empty() => {}
                0 => fact(out, "Gateway", |out| out.text("none: the pools name no gateway")),
                1 => fact(out, "Gateway", |out| out.ranges(&subnet.gateways)),
                _ => fact(out, "Gateways", |out| {
                    out.ranges(&subnet.gateways);
                    out.text(" (the pools name different ones)");
                }),
            }
            if !subnet.dns_servers.is_empty() {
                fact(out, "DNS servers in it", |out| out.ranges(&subnet.dns_servers));
            }
            let conflicts: Vec<&Stretch> = map.map(Map::conflicts).into_iter().flatten().collect();
            if let (Some(map), false) = (map, conflicts.is_empty()) {
                fact(out, "Conflicts", |out| {
                    out.element("strong", &[("class", "error")], |out| {
                        let texts = conflicts.iter().map(|stretch| range(map.family, stretch.first, stretch.last));
                        out.text(&listed(texts));
                    });
                    out.text(": two uses that exclude each other; the table below names them.");
                });
            }
            let outside = self.outside();
            if !outside.is_empty() {
                fact(out, "VIPs elsewhere", |out| {
                    out.text(&listed(outside.into_iter()));
                    out.text(". A VIP outside the subnet of its machines is normal: the load balancer that carries it must reach the machines.");
                });
            }
            if !subnet.dhcp.is_empty() {
                fact(out, "On DHCP", |out| {
                    out.text(&listed(subnet.dhcp.iter().map(|dhcp| group_name(&dhcp.group))));
                    if !subnet.pools.is_empty() {
                        out.text(". Keep the DHCP server's range clear of the pools.");
                    }
                });
            }
        });
    }

    /// The endpoints outside the subnet of clusters that have machines in it.
    fn outside(&self) -> Vec<String> {
        let users = self.subnet.pools.iter().flat_map(|pool| &pool.groups);
        let clusters: BTreeSet<usize> = users.filter_map(|user| self.lookup.cluster_of(user)).collect();
        let network = self.subnet.network();
        let inside = |host: &str| {
            parse_address(host).is_ok_and(|address| network.is_some_and(|network| network.contains(address)))
        };
        let mut outside = Vec::new();
        for index in clusters {
            let cluster = self.lookup.cluster(index);
            if let (Some(endpoint), Some(text)) = (&cluster.endpoint, endpoint_text(cluster))
                && !inside(&endpoint.host)
            {
                let name = cluster.name.as_deref().unwrap_or("a cluster");
                outside.push(format!("{text} of {name}"));
            }
        }
        outside
    }

    fn draw(&self, out: &mut Markup, map: &Map) -> usize {
        let mut outside = self.outside();
        let more = outside.len().saturating_sub(OUTSIDE);
        outside.truncate(OUTSIDE);
        let mut notes = Notes {
            outside: outside
                .into_iter()
                .map(|text| format!("VIP elsewhere: {text}"))
                .collect(),
            dhcp: None,
        };
        if more > 0 {
            notes.outside.push(format!(
                "and {}",
                counted(more as u128, "more VIP elsewhere", "more VIPs elsewhere")
            ));
        }
        notes.dhcp = match &self.subnet.dhcp[..] {
            [] => None,
            [only] => Some(format!("DHCP in this network: {}", group_name(&only.group))),
            several => Some(format!(
                "DHCP in this network: {}",
                counted(several.len() as u128, "group", "groups")
            )),
        };
        let words = Words {
            title: &title(self.subnet),
            id: &format!("{}-map", self.id),
            what: &|marks| self.short(marks),
            address: &|address, marks| self.address(map.family, address, marks),
            key: &letters,
        };
        draw(out, map, &words, &notes)
    }

    /// A stretch in few words.
    fn short(&self, marks: &[Mark]) -> String {
        let one = |mark: &Mark| {
            let key = letters(mark.owner);
            match mark.what {
                Use::Exact | Use::Replica => format!("machines of pool {key}"),
                Use::Surge => format!("pool {key}, while replacing"),
                Use::Any => format!("any machine of pool {key}"),
                Use::Reserved => format!("kept by pool {key}"),
                Use::Spare => format!("spare in pool {key}"),
                Use::Unused => format!("pool {key}, unused"),
                other => other.meaning().to_owned(),
            }
        };
        match marks {
            [] => "in no pool".to_owned(),
            marks => marks.iter().map(one).collect::<Vec<_>>().join(" and "),
        }
    }

    fn address(&self, family: Family, address: u128, marks: &[Mark]) -> (String, Option<usize>) {
        let text = range(family, address, address);
        let machine = match marks {
            [
                Mark {
                    what: Use::Exact,
                    owner,
                },
            ] => {
                let address = family.address(address);
                address.and_then(|address| self.lookup.machine(&self.subnet.pools[*owner].pool, address))
            }
            _ => None,
        };
        match machine {
            Some(machine) => (format!("{text}: {}", machine.slot), Some(machine.number)),
            None => (format!("{text}: {}", self.long(marks)), None),
        }
    }

    /// A stretch in full, for the table.
    fn long(&self, marks: &[Mark]) -> String {
        let one = |mark: &Mark| match mark.what {
            Use::Endpoint => {
                let endpoint = &self.subnet.endpoints[mark.owner];
                let port = endpoint.port.map(|port| format!(", port {port}"));
                format!("VIP of {}{}", endpoint.cluster, port.unwrap_or_default())
            }
            Use::Exact => format!("{}: which machine has which address is known", self.users(mark)),
            Use::Replica => format!("{}: any machine can have any of these", self.users(mark)),
            Use::Surge => format!("{}: extra machines while others are replaced", self.users(mark)),
            Use::Any => format!(
                "{}: any of these; the number of machines or the order is not known",
                self.users(mark)
            ),
            Use::Reserved => "kept for machines that the pool names".to_owned(),
            Use::Spare => "spare".to_owned(),
            Use::Unused => "no machine of this plan uses the pool".to_owned(),
            other => other.meaning().to_owned(),
        };
        let all: Vec<String> = marks.iter().map(one).collect();
        match &all[..] {
            [one] => one.clone(),
            several => format!("CONFLICT: {}", several.join("; ")),
        }
    }

    fn pool(&self, mark: &Mark) -> Option<&SubnetPool> {
        let of_pool = matches!(
            mark.what,
            Use::Exact | Use::Replica | Use::Surge | Use::Any | Use::Reserved | Use::Spare | Use::Unused
        );
        self.subnet.pools.get(mark.owner).filter(|_| of_pool)
    }

    fn users(&self, mark: &Mark) -> String {
        let groups = self.pool(mark).map(|pool| pool.groups.iter().map(group_name));
        groups.map_or_else(String::new, |groups| listed(groups))
    }

    /// The same as the map, complete.
    fn table(&self, out: &mut Markup, map: &Map) {
        let titles = ["Addresses", "Count", "Pool", "What for"];
        super::grid::grid(out, "what is where", &titles, |rows| {
            for stretch in map.stretches.iter().filter(|stretch| !stretch.marks.is_empty()) {
                rows.row(|row| {
                    row.cell(|out| out.ranges([&range(map.family, stretch.first, stretch.last)]));
                    row.cell(|out| out.text(&count(stretch.size())));
                    row.cell(|out| {
                        let pools = stretch.marks.iter().filter_map(|mark| Some((mark, self.pool(mark)?)));
                        for (index, (mark, pool)) in pools.enumerate() {
                            out.text(if index > 0 { ", " } else { "" });
                            out.leaf("b", &[], &letters(mark.owner));
                            out.text(" ");
                            out.code(&pool.pool.name);
                        }
                    });
                    row.cell(|out| out.text(&self.long(&stretch.marks)));
                });
            }
        });
        if self.subnet.cidr.is_some() {
            out.leaf(
                "p",
                &[("class", "note")],
                "All other addresses of the subnet are in no pool of this plan.",
            );
        }
    }
}

fn fact(out: &mut Markup, name: &str, value: impl FnOnce(&mut Markup)) {
    out.element("div", &[], |out| {
        out.leaf("dt", &[], name);
        out.element("dd", &[], value);
    });
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
