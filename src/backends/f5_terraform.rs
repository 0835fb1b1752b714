//! Takes a member list and gives a Terraform root module for the provider F5Networks/bigip, laid out as `terraform fmt` does.
//!
//! The provider compares addresses as text, so they stand in RFC 5952 form. Its node names hold neither `%` nor, in an
//! attachment, an IPv6 address: there the bare address makes the node.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::f5;
use super::finding::PlanFinding;
use super::member_list::{Member, MemberList, VirtualService};
use super::names;
use crate::ipam::Family;

const HEAD: &str = "\
terraform {
  required_providers {
    bigip = {
      source  = \"F5Networks/bigip\"
      version = \">= 1.20.0\"
    }
  }
}
";

/// The module.
pub(super) fn render(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    names::unique(list, "Terraform name", label)?;
    let mut out = HEAD.to_owned();
    for services in list.services.chunk_by(|a, b| a.index == b.index) {
        let cluster = Cluster {
            services,
            keys: keys(services),
        };
        cluster.write(&mut out).map_err(|finding| vec![finding])?;
    }
    Ok(out)
}

/// The services of one cluster.
struct Cluster<'l> {
    services: &'l [VirtualService],
    /// One key for each address, whatever service lists it.
    keys: HashMap<IpAddr, String>,
}

fn keys(services: &[VirtualService]) -> HashMap<IpAddr, String> {
    let mut keys = HashMap::new();
    for member in services.iter().flat_map(|service| &service.members) {
        keys.entry(member.address).or_insert_with(|| member.place());
    }
    keys
}

/// The label of a service's resources.
fn label(service: &VirtualService) -> String {
    names::identifier(&format!("{}_{}", service.cluster, service.name))
}

impl Cluster<'_> {
    fn write(&self, out: &mut String) -> Result<(), PlanFinding> {
        out.push_str("\nlocals {\n");
        for service in self.services {
            let members = service.members.iter();
            let entry = |member: &Member| (quoted(&self.keys[&member.address]), quoted(&member.address.to_string()));
            let entries: Vec<(String, String)> = members.map(entry).collect();
            let _ = writeln!(out, "  {} = {{\n{}  }}", label(service), aligned(&entries, 4));
        }
        out.push_str("}\n");
        for service in self.services {
            self.monitor(out, service);
            self.pool(out, service);
        }
        self.nodes(out);
        for service in self.services {
            self.attachments(out, service);
            Self::virtual_server(out, service)?;
        }
        Ok(())
    }

    fn monitor(&self, out: &mut String, service: &VirtualService) {
        let Some(probe) = f5::probe(service) else { return };
        // Real line ends: in HCL `\r\n` is an escape, and the provider turns them back.
        let send = format!("\"{}\"", probe.send);
        block(
            out,
            &format!("resource \"bigip_ltm_monitor\" {}", quoted(&label(service))),
            &[
                ("name", quoted(&f5::path(service, "mon"))),
                ("parent", quoted(&format!("/Common/{}", probe.kind))),
                ("send", send),
                ("receive", quoted(&probe.receive)),
                ("interval", f5::INTERVAL.to_string()),
                ("timeout", f5::TIMEOUT.to_string()),
            ],
        );
    }

    fn pool(&self, out: &mut String, service: &VirtualService) {
        let monitor = match f5::probe(service) {
            Some(_) => format!("[bigip_ltm_monitor.{}.name]", label(service)),
            None => format!("[{}]", quoted(&f5::monitor(service))),
        };
        block(
            out,
            &format!("resource \"bigip_ltm_pool\" {}", quoted(&label(service))),
            &[
                ("name", quoted(&f5::path(service, "pool"))),
                ("description", quoted(&names::description(&service.description()))),
                ("load_balancing_mode", quoted(f5::METHOD)),
                ("monitors", monitor),
                ("service_down_action", quoted("reset")),
            ],
        );
    }

    /// One resource for the nodes of all services of the cluster.
    fn nodes(&self, out: &mut String) {
        let Some(first) = self.services.first().filter(|service| has_nodes(service)) else {
            return;
        };
        let locals: Vec<String> = self
            .services
            .iter()
            .map(|service| format!("local.{}", label(service)))
            .collect();
        let each = match &locals[..] {
            [one] => one.clone(),
            several => format!("merge({})", several.join(", ")),
        };
        let name = if first.node_name.is_address() {
            "${each.value}".to_owned()
        } else {
            first
                .node_name
                .pieces("${replace(each.value, \":\", \"-\")}", &first.cluster, "${each.key}")
        };
        let address = match first.route_domain {
            0 => "each.value".to_owned(),
            id => format!("\"${{each.value}}%{id}\""),
        };
        block(
            out,
            &format!(
                "resource \"bigip_ltm_node\" {}",
                quoted(&names::identifier(&first.cluster))
            ),
            &[
                ("for_each", each),
                ("name", format!("\"/{}/{name}\"", f5::NODES)),
                ("address", address),
                (
                    "description",
                    format!("\"{} ${{each.key}}\"", names::fitted(&first.cluster, 40)),
                ),
            ],
        );
    }

    fn attachments(&self, out: &mut String, service: &VirtualService) {
        let Some(member) = service.members.first() else { return };
        let separator = if f5::node(service, member).contains(':') {
            '.'
        } else {
            ':'
        };
        let node = match (has_nodes(service), service.route_domain) {
            (true, _) => format!(
                "${{bigip_ltm_node.{}[each.key].name}}",
                names::identifier(&service.cluster)
            ),
            (false, 0) => "${each.value}".to_owned(),
            (false, id) => format!("${{each.value}}%{id}"),
        };
        block(
            out,
            &format!("resource \"bigip_ltm_pool_attachment\" {}", quoted(&label(service))),
            &[
                ("for_each", format!("local.{}", label(service))),
                ("pool", format!("bigip_ltm_pool.{}.name", label(service))),
                ("node", format!("\"{node}{separator}{}\"", member.port)),
                ("state", quoted("enabled")),
            ],
        );
    }

    fn virtual_server(out: &mut String, service: &VirtualService) -> Result<(), PlanFinding> {
        let vip = f5::vip(service)?;
        block(
            out,
            &format!("resource \"bigip_ltm_virtual_server\" {}", quoted(&label(service))),
            &[
                ("name", quoted(&f5::path(service, "vs"))),
                (
                    "description",
                    quoted(&names::description(&format!("{} VIP", service.description()))),
                ),
                ("destination", quoted(&f5::address(vip, service.route_domain))),
                ("port", service.port.to_string()),
                ("ip_protocol", quoted("tcp")),
                ("profiles", "[\"/Common/fastL4\"]".to_owned()),
                ("pool", format!("bigip_ltm_pool.{}.name", label(service))),
                ("source_address_translation", quoted("automap")),
            ],
        );
        Ok(())
    }
}

/// Whether the nodes get resources of their own.
fn has_nodes(service: &VirtualService) -> bool {
    !service.node_name.is_address() || (service.family() == Family::V4 && service.route_domain == 0)
}

fn block(out: &mut String, head: &str, arguments: &[(&str, String)]) {
    let entries: Vec<(String, String)> = arguments
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let _ = write!(out, "\n{head} {{\n{}}}\n", aligned(&entries, 2));
}

/// Lines of `key = value` with the equals signs below each other.
fn aligned(entries: &[(String, String)], indent: usize) -> String {
    let width = entries.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    entries
        .iter()
        .map(|(key, value)| format!("{:indent$}{key:width$} = {value}\n", ""))
        .collect()
}

/// A text as an HCL string: quotes and backslashes escaped, and no template begins in it.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    let text = text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_strings() {
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
        assert_eq!(quoted("${file(\"x\")}\n%{if}"), r#""$${file(\"x\")}\n%%{if}""#);
    }
}
