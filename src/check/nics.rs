//! Takes the NICs of templates as they will be and finds what CAPV refuses, replaces or gives twice; where the addresses come from is judged elsewhere.

use std::net::IpAddr;

use super::codes;
use super::finding::Finding;
use super::model::{Model, Taken};
use crate::addressing::{NicAfter, TemplateAfter};
use crate::ipam::Family;
use crate::objects::{Nic, NicPool, Object, PoolKind, Span, Template, Text, is_placeholder};

/// Findings about NICs.
pub(super) fn nics(model: &Model<'_, '_>, findings: &mut Vec<Finding>) {
    for (index, object, template, after) in model.templates() {
        let mut judge = Judge {
            model,
            object,
            findings,
        };
        if let Some(cidr) = &template.preferred_cidr {
            let message = format!("{object} has preferredAPIServerCidr, which CAPV refuses");
            judge.report(&codes::NIC_REFUSED, message, cidr.span, "remove the field");
        }
        for (place, (nic, after)) in template.nics.iter().zip(&after.nics).enumerate() {
            judge.refused(place, nic);
            judge.replaced(place, nic, after);
            nic.pools.iter().for_each(|pool| judge.reference(place, pool));
            judge.unknown_keys(place, nic);
        }
        judge.name_servers(template, &after);
        judge.gateways(index, template);
        judge.dhcp_beside(index, template, &after);
    }
}

struct Judge<'j, 'm, 'a> {
    model: &'j Model<'m, 'a>,
    object: &'j Object<'a>,
    findings: &'j mut Vec<Finding>,
}

impl Judge<'_, '_, '_> {
    fn report(&mut self, code: &'static super::Code, message: String, span: Span, help: &str) {
        let source = self.model.manifest.source_of(self.object);
        let span = span.first_line(self.model.manifest.sources[source].text, 0);
        self.findings
            .push(Finding::new(code, message).on(self.object).at(source, span).help(help));
    }

    /// Fields that CAPV's webhook or schema refuses in a template (`vspheremachinetemplate.go`; v1beta2 `types.go`).
    fn refused(&mut self, place: usize, nic: &Nic<'_>) {
        let object = self.object;
        if let Some(span) = nic.addresses {
            let message = format!("NIC {place} of {object} has ipAddrs; CAPV refuses them in a template");
            self.report(
                &codes::NIC_REFUSED,
                message,
                span,
                "remove them; the addresses come from the pool",
            );
        }
        let empty = nic.gateway.as_ref().filter(|gateway| gateway.value.is_empty());
        if let Some(gateway) = empty.filter(|_| object.version() == "v1beta2") {
            let message = format!("NIC {place} of {object} has an empty gateway, which v1beta2 refuses");
            self.report(&codes::NIC_REFUSED, message, gateway.span, "remove the field");
        }
    }

    /// What a pool does not go together with.
    fn replaced(&mut self, place: usize, nic: &Nic<'_>, after: &NicAfter<'_>) {
        let object = self.object;
        let from_pools = !after.pools.is_empty();
        if nic.skips_allocation && (after.chosen || from_pools) {
            let message = format!("NIC {place} of {object} says skipIPAllocation");
            let help = "remove skipIPAllocation, or choose another NIC by `network`";
            self.report(&codes::NIC_SKIPS_ALLOCATION, message, nic.span, help);
        }
        if let Some(gateway) = nic
            .gateway
            .as_ref()
            .filter(|gateway| from_pools && !gateway.value.is_empty())
        {
            let message = format!("NIC {place} of {object} has a gateway of its own, which the pool's replaces");
            self.report(
                &codes::GATEWAY_REPLACED,
                message,
                gateway.span,
                "remove it from the NIC",
            );
        }
        if from_pools && object.version().starts_with("v1alpha") {
            let message = format!("{object} is of {}, which has no addressesFromPools", object.api_version);
            let help = "use `binding: label`, or a manifest of v1beta1 or later";
            self.report(&codes::FIELD_TOO_NEW, message, object.span, help);
        }
    }

    /// An element of addressesFromPools that names no pool kind.
    fn reference(&mut self, place: usize, pool: &NicPool<'_>) {
        let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.value.to_string()).unwrap_or_default();
        let (group, kind, name) = (text(&pool.group), text(&pool.kind), text(&pool.name));
        if [&group, &kind, &name].into_iter().any(|text| is_placeholder(text)) {
            return;
        }
        let object = self.object;
        let lacking = [("apiGroup", &group), ("kind", &kind), ("name", &name)]
            .into_iter()
            .find(|(_, text)| text.is_empty());
        let kinds = PoolKind::ALL;
        let message = if let Some((key, _)) = lacking {
            format!("an entry of addressesFromPools on NIC {place} of {object} has no {key}")
        } else if let Some(known) = kinds.iter().find(|known| known.name().eq_ignore_ascii_case(&kind)) {
            let another_provider = !kinds.iter().any(|known| known.group() == group) && group.contains('.');
            if (known.name() == kind && known.group() == group) || another_provider {
                return;
            }
            format!(
                "NIC {place} of {object} names the pool kind {kind} of {group}; there is {} of {}",
                known.name(),
                known.group()
            )
        } else {
            return;
        };
        let help =
            "write apiGroup, kind and name: ipam.metal3.io with IPPool, ipam.cluster.x-k8s.io with InClusterIPPool";
        self.report(&codes::POOL_REFERENCE, message, pool.span, help);
    }

    fn unknown_keys(&mut self, place: usize, nic: &Nic<'_>) {
        for key in &nic.unknown {
            let message = format!(
                "NIC {place} of {} has the key {:?}, which CAPV does not know",
                self.object, key.value
            );
            self.report(&codes::NIC_KEY_UNKNOWN, message, key.span, "correct or remove the key");
        }
    }

    /// CAPV takes name servers from NICs only; DHCP brings some.
    fn name_servers(&mut self, template: &Template<'_>, after: &TemplateAfter<'_>) {
        let from_pools = after.nics.iter().position(|nic| !nic.pools.is_empty());
        let has_some = after
            .nics
            .iter()
            .any(|nic| nic.has_name_servers || nic.dhcp() != Some(false));
        let Some(place) = from_pools.filter(|_| !has_some) else {
            return;
        };
        let message = format!(
            "no NIC of {} names name servers; CAPV takes none from a pool",
            self.object
        );
        let help = "write nameservers on the NIC (`dnsServers`, --dns-servers)";
        self.report(&codes::NAMESERVERS_MISSING, message, template.nics[place].span, help);
    }

    /// Default gateways of one family on two NICs, or two different ones on one.
    fn gateways(&mut self, index: usize, template: &Template<'_>) {
        let Some(group) = self.model.groups.users(index).next() else {
            return;
        };
        let gateway = |taken: Taken<'_>| {
            let gateway = taken.pool.networks.first()?.gateway?;
            Some((taken.device, taken.place, gateway, taken.pool.title.clone()))
        };
        let known: Vec<(usize, Option<usize>, IpAddr, String)> = self.model.taken(group).filter_map(gateway).collect();
        for (at, (device, place, gateway, title)) in known.iter().enumerate() {
            let same_family = known[..at]
                .iter()
                .find(|(_, _, other, _)| Family::of(*other) == Family::of(*gateway));
            let Some((first, _, other, other_title)) = same_family else {
                continue;
            };
            let object = self.object;
            let nic = &template.nics[*device];
            if first == device && other != gateway {
                let message = format!(
                    "NIC {device} of {object} takes addresses from {other_title} and {title}, whose gateways {other} and {gateway} differ"
                );
                let span = place
                    .and_then(|place| nic.pools.get(place))
                    .map_or(nic.span, |pool| pool.span);
                self.report(
                    &codes::NIC_GATEWAYS_DIFFER,
                    message,
                    span,
                    "give both pools one gateway, or put them on two NICs",
                );
            } else if first != device {
                let message = format!(
                    "the NICs {first} and {device} of {object} both get a default gateway, {other} and {gateway}"
                );
                let help = "give one of them a pool without gateway, or another way to its address";
                return self.report(&codes::SECOND_GATEWAY, message, nic.span, help);
            }
        }
    }

    /// DHCP and a pool of the same family on one NIC.
    fn dhcp_beside(&mut self, index: usize, template: &Template<'_>, after: &TemplateAfter<'_>) {
        let group = self.model.groups.users(index).next();
        for (place, (nic, after)) in template.nics.iter().zip(&after.nics).enumerate() {
            if after.pools.is_empty() {
                continue;
            }
            let families: Vec<Family> = group
                .into_iter()
                .flat_map(|group| self.model.taken(group))
                .filter(|taken| taken.device == place)
                .filter_map(|taken| taken.pool.held.first().map(|held| held.range.family()))
                .collect();
            let flags = [
                ("dhcp4", after.dhcp4, nic.dhcp4, Family::V4),
                ("dhcp6", after.dhcp6, nic.dhcp6, Family::V6),
            ];
            for (name, on, flag, family) in flags {
                // An IPv4 pool beside dhcp6 is a dual stack; of a pool that is not known only dhcp4 is suspicious.
                let same = families.contains(&family) || (families.is_empty() && family == Family::V4);
                if let (Some(true), Some(flag), true) = (on, flag, same) {
                    let message = format!(
                        "{name} is true on NIC {place} of {}, which takes addresses from a pool",
                        self.object
                    );
                    let help = format!("set {name} to false, or the guest gets a second address");
                    self.report(&codes::DHCP_BESIDE_ADDRESS, message, flag.span, &help);
                }
            }
        }
    }
}
