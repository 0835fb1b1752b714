//! Takes a member list and gives Envoy's static resources: one listener and one cluster for each service, TLS passed through.
//!
//! Texts are YAML scalars that every reader takes for that text.

use std::fmt::Write as _;

use super::f5;
use super::finding::PlanFinding;
use super::member_list::{MemberList, VirtualService};
use super::names;
use crate::addressing::Monitor;
use crate::yaml::emit;

/// The configuration.
pub(super) fn render(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    names::unique(list, "name", name)?;
    let hosts: Vec<PlanFinding> = list
        .services
        .iter()
        .filter(|service| service.address().is_none())
        .map(f5::host_name)
        .collect();
    if !hosts.is_empty() {
        return Err(hosts);
    }
    let mut out = "static_resources:\n  listeners:\n".to_owned();
    list.services.iter().for_each(|service| listener(&mut out, service));
    out.push_str("  clusters:\n");
    list.services.iter().for_each(|service| cluster(&mut out, service));
    Ok(out)
}

fn name(service: &VirtualService) -> String {
    names::service(service, names::OBJECT)
}

fn listener(out: &mut String, service: &VirtualService) {
    let _ = write!(
        out,
        "    - name: {name}
      address:
        socket_address: {{ address: {vip}, port_value: {port} }}
      freebind: true
      filter_chains:
        - filters:
            - name: envoy.filters.network.tcp_proxy
              typed_config:
                \"@type\": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
                stat_prefix: {name}
                cluster: {name}
                idle_timeout: 14400s
",
        name = text(&name(service)),
        vip = text(&service.vip.to_string()),
        port = service.port,
    );
}

/// The panic threshold is 0: else, with most members down, Envoy sends traffic to all of them.
fn cluster(out: &mut String, service: &VirtualService) {
    let name = name(service);
    let _ = write!(
        out,
        "    - name: {name}
      type: STATIC
      connect_timeout: 5s
      lb_policy: LEAST_REQUEST
      close_connections_on_host_health_failure: true
      common_lb_config:
        healthy_panic_threshold: {{ value: 0 }}
{}      load_assignment:
        cluster_name: {name}
        endpoints:
          - lb_endpoints:
",
        checks(service),
        name = text(&name),
    );
    for member in &service.members {
        let _ = writeln!(
            out,
            "              - endpoint: {{ hostname: {}, address: {{ socket_address: {{ address: {}, port_value: {} }} }} }}",
            text(&format!("{}-{}", service.cluster, member.place())),
            text(&member.address.to_string()),
            member.port,
        );
    }
}

/// Without `no_traffic_interval` a member that has had no connection yet is probed once a minute only.
fn checks(service: &VirtualService) -> String {
    const TIMES: &str = "      health_checks:
        - timeout: 5s
          interval: 5s
          no_traffic_interval: 5s
          unhealthy_threshold: 3
          healthy_threshold: 2
";
    let Monitor::Http { tls, path, codes } = &service.monitor else {
        return format!("{TIMES}          tcp_health_check: {{}}\n");
    };
    let statuses = match codes {
        [200] => String::new(),
        codes => {
            let ranges: Vec<String> = codes
                .iter()
                .map(|code| format!("{{ start: {code}, end: {} }}", code + 1))
                .collect();
            format!(", expected_statuses: [{}]", ranges.join(", "))
        }
    };
    let probe = format!(
        "http_health_check: {{ host: {}, path: {}{statuses} }}",
        text(service.title()),
        text(path)
    );
    if !tls {
        return format!("{TIMES}          {probe}\n");
    }
    format!(
        "{TIMES}          transport_socket_match_criteria: {{ hc: tls }}
          {probe}
      transport_socket_matches:
        - name: health-check-tls
          match: {{ hc: tls }}
          transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
"
    )
}

/// A text inside flow text: in quotes when it holds a colon.
fn text(text: &str) -> String {
    if text.contains(':') {
        return format!("\"{text}\"");
    }
    emit::string(text, false).into_owned()
}
