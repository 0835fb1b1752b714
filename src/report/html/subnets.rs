//! Takes the subnets of a plan and writes for each its facts, its map with a legend, and the same as a table; computes no address.

use std::collections::BTreeSet;

use super::clusters::fact;
use super::drawing::{Words, draw, letters};
use super::lines::is_long;
use super::lookup::Lookup;
use super::map::{Map, Stretch};
use super::markup::Markup;
use super::names::{endpoint_text, group_name, machines_of, title};
use super::numbers::{count, counted, range};
use super::sheet::sample;
use super::uses::Use;
use super::wording::Wording;
use crate::addressing::listed;
use crate::ipam::parse_address;
use crate::objects::is_placeholder;
use crate::planning::{AddressPlan, SubnetPlan};

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
                let number = if look == Use::Exact { "1" } else { "" };
                sample(item, look.class(), &(look.mark("A") + number));
                item.leaf("span", &[], look.meaning());
            });
        }
    });
    out.line();
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
                let class = if is_long(&map) { "view long" } else { "view" };
                out.element("div", &[("class", class)], |out| {
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
                && !is_placeholder(&endpoint.host)
            {
                let name = cluster.name.as_deref().unwrap_or("a cluster");
                outside.push(format!("{text} of {name}"));
            }
        }
        outside
    }

    fn draw(&self, out: &mut Markup, map: &Map) -> usize {
        let outside = self.outside();
        let mut notes: Vec<String> = outside
            .iter()
            .take(OUTSIDE)
            .map(|text| format!("VIP elsewhere: {text}"))
            .collect();
        if outside.len() > OUTSIDE {
            let more = (outside.len() - OUTSIDE) as u128;
            notes.push(format!(
                "and {}",
                counted(more, "more VIP elsewhere", "more VIPs elsewhere")
            ));
        }
        let dhcp = match &self.subnet.dhcp[..] {
            [] => None,
            [only] => Some(machines_of(&only.group)),
            several => Some(counted(several.len() as u128, "group", "groups")),
        };
        let wording = self.wording();
        let words = Words {
            title: &title(self.subnet),
            id: &format!("{}-map", self.id),
            outside: &notes,
            dhcp: dhcp.map(|groups| format!("DHCP in this network: {groups}")),
            what: &|marks| wording.short(marks),
            address: &|address, marks| wording.address(map.family, address, marks),
        };
        draw(out, map, &words)
    }

    fn wording(&self) -> Wording<'_, '_> {
        Wording {
            subnet: self.subnet,
            lookup: self.lookup,
        }
    }

    /// The same as the map, complete.
    fn table(&self, out: &mut Markup, map: &Map) {
        let wording = self.wording();
        let titles = ["Addresses", "Count", "Pool", "What for"];
        super::grid::grid(out, "what is where", &titles, |rows| {
            for stretch in map.stretches.iter().filter(|stretch| !stretch.marks.is_empty()) {
                rows.row(|row| {
                    row.cell(|out| out.ranges([&range(map.family, stretch.first, stretch.last)]));
                    row.cell(|out| out.text(&count(stretch.size())));
                    row.cell(|out| {
                        let pools = stretch
                            .marks
                            .iter()
                            .filter_map(|mark| Some((mark, wording.pool(mark)?)));
                        for (index, (mark, pool)) in pools.enumerate() {
                            out.text(if index > 0 { ", " } else { "" });
                            out.leaf("b", &[], &letters(mark.owner));
                            out.text(" ");
                            out.code(&pool.pool.name);
                        }
                    });
                    row.cell(|out| out.text(&wording.long(&stretch.marks)));
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

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
