//! Takes a member list, or steps, and gives an Ansible playbook for the collection f5networks.f5_modules; credentials come from the environment of whoever runs it.
//!
//! Texts are YAML scalars that every reader takes for that text. What Jinja would evaluate is refused, although the
//! names of a list cannot hold it.

use std::fmt::Write as _;

use super::change::{BEFORE_DRAINS, Step, before_drains};
use super::f5;
use super::finding::{About, PlanFinding};
use super::member_list::{Member, MemberList, VirtualService};
use super::names;
use crate::check::codes;
use crate::ipam::Family;
use crate::yaml::emit;

const CONNECTION: &str = "  hosts: localhost
  connection: local
  gather_facts: false
  vars:
    bigip:
      server: \"{{ lookup('ansible.builtin.env', 'F5_SERVER') }}\"
      user: \"{{ lookup('ansible.builtin.env', 'F5_USER') }}\"
      password: \"{{ lookup('ansible.builtin.env', 'F5_PASSWORD') }}\"
      validate_certs: true
  tasks:
";

/// Refuses nodes whose names hold colons and a route domain: the module takes `2001:db8::1%7` for no IPv6 address, and puts
/// a colon before the port where the device wants a dot.
pub(super) fn check(list: &MemberList) -> Result<(), Vec<PlanFinding>> {
    let wrong = |service: &&VirtualService| {
        service.route_domain != 0 && service.node_name.is_address() && service.family() == Family::V6
    };
    let refusal = |service: &VirtualService| {
        let message = format!(
            "the Ansible modules cannot name IPv6 members in a route domain by their address: {} of the cluster {}",
            service.title(),
            service.cluster
        );
        let help = "give the nodes names without colons, such as --node-name '{cluster}-{slot}', or use f5-tmsh";
        PlanFinding::new(&codes::BACKENDS_NAME, About::Cluster(service.index), message, help)
    };
    let findings: Vec<PlanFinding> = list.services.iter().filter(wrong).map(refusal).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// A play for each cluster that brings its objects to the list's state.
pub(super) fn render(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    let mut out = "---\n".to_owned();
    for (place, services) in list.services.chunk_by(|a, b| a.index == b.index).enumerate() {
        if place > 0 {
            out.push('\n');
        }
        let cluster = &services[0].cluster;
        let _ = write!(
            out,
            "- name: Publish the {cluster} kube-apiserver VIP on BIG-IP\n{CONNECTION}"
        );
        let mut tasks = Vec::new();
        for service in services {
            let of = if services.len() > 1 {
                format!(" of {}", service.name)
            } else {
                String::new()
            };
            tasks.extend(monitor(service, &of, "present")?);
            tasks.push(pool(service, &of, "present")?);
            let wanted: Vec<&Member> = service.members.iter().collect();
            tasks.push(members(service, &wanted, &of)?);
            tasks.push(virtual_server(service, &of, "present")?);
        }
        out.push_str(&joined(&tasks));
    }
    Ok(out)
}

/// One play with the tasks of all steps.
pub(super) fn render_steps(title: &str, steps: &[Step<'_>]) -> Result<String, Vec<PlanFinding>> {
    let (before, rest) = steps.split_at(before_drains(steps).unwrap_or(steps.len()));
    let texts = [tasks_of(before)?, tasks_of(rest)?].map(|tasks| joined(&tasks));
    let texts: Vec<&str> = texts
        .iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let pause = format!(
        "    - name: Wait for the new members\n      ansible.builtin.pause:\n        prompt: {}\n",
        emit::string(BEFORE_DRAINS, false)
    );
    let body = match before_drains(steps) {
        _ if texts.is_empty() => return Ok(String::new()),
        Some(0) => format!("{pause}\n{}", texts.join("\n")),
        Some(_) => texts.join(&format!("\n{pause}\n")),
        None => texts.join("\n"),
    };
    Ok(format!("---\n- name: {title}\n{CONNECTION}{body}"))
}

fn tasks_of(steps: &[Step<'_>]) -> Made<Vec<Task>> {
    let tasks: Vec<Vec<Task>> = steps.iter().map(tasks).collect::<Result<_, _>>()?;
    Ok(tasks.into_iter().flatten().collect())
}

/// A task: its name, module and arguments.
struct Task {
    name: String,
    module: &'static str,
    arguments: Vec<(&'static str, String)>,
}

type Made<T> = Result<T, Vec<PlanFinding>>;

fn joined(tasks: &[Task]) -> String {
    let text = |task: &Task| {
        let mut out = format!(
            "    - name: {}\n      f5networks.f5_modules.{}:\n",
            task.name, task.module
        );
        out.push_str("        provider: \"{{ bigip }}\"\n");
        for (key, value) in &task.arguments {
            let blank = if value.starts_with('\n') { "" } else { " " };
            let _ = writeln!(out, "        {key}:{blank}{value}");
        }
        out
    };
    tasks.iter().map(text).collect::<Vec<_>>().join("\n")
}

fn tasks(step: &Step<'_>) -> Made<Vec<Task>> {
    Ok(match step {
        Step::CreateMonitor(service) => monitor(service, &of(service), "present")?.into_iter().collect(),
        Step::DeleteMonitor(service) => monitor(service, &of(service), "absent")?.into_iter().collect(),
        // A member makes its node, and leaves it behind: the module would try to delete one that another pool uses.
        Step::CreateNode(..) | Step::DescribeNode(..) => Vec::new(),
        Step::DeleteNode(service, member) => vec![no_node(service, member)?],
        Step::CreatePool(service, wanted) => {
            let mut tasks = vec![pool(service, &of(service), "present")?];
            if !wanted.is_empty() {
                tasks.push(members(service, wanted, &of(service))?);
            }
            tasks
        }
        Step::DeletePool(service) => vec![pool(service, &of(service), "absent")?],
        Step::AddMember(service, member) => vec![one_member("Add", service, member, "present")?],
        Step::DescribeMember(service, member) => vec![one_member("Describe", service, member, "present")?],
        Step::DrainMember(service, member) => vec![one_member("Drain", service, member, "disabled")?],
        Step::DeleteMember(service, member) => vec![one_member("Remove", service, member, "absent")?],
        Step::CreateVirtual(service) | Step::MoveVirtual(_, service) => {
            vec![virtual_server(service, &of(service), "present")?]
        }
        Step::DeleteVirtual(service) => vec![virtual_server(service, &of(service), "absent")?],
    })
}

fn of(service: &VirtualService) -> String {
    format!(" of {} {}", service.cluster, service.name)
}

fn monitor(service: &VirtualService, of: &str, state: &str) -> Made<Option<Task>> {
    let Some(probe) = f5::probe(service) else {
        return Ok(None);
    };
    let mut arguments = object(service, "mon")?;
    if state == "present" {
        let about = names::description(&format!("{} {}", service.description(), probe.uri));
        arguments.extend([
            ("description", text(service, &about)?),
            // Single quotes keep the backslashes, which the device turns into line ends.
            ("send", format!("'{}'", probe.send)),
            ("receive", text(service, &probe.receive)?),
            ("interval", f5::INTERVAL.to_string()),
            ("timeout", f5::TIMEOUT.to_string()),
        ]);
    }
    arguments.push(("state", state.to_owned()));
    let module = if probe.kind == "https" {
        "bigip_monitor_https"
    } else {
        "bigip_monitor_http"
    };
    Ok(Some(Task {
        name: format!("Health monitor{of}"),
        module,
        arguments,
    }))
}

fn pool(service: &VirtualService, of: &str, state: &str) -> Made<Task> {
    let mut arguments = object(service, "pool")?;
    if state == "present" {
        arguments.extend([
            (
                "description",
                text(service, &names::description(&service.description()))?,
            ),
            ("lb_method", f5::METHOD.to_owned()),
            ("monitor_type", "single".to_owned()),
            (
                "monitors",
                format!("\n          - {}", text(service, &f5::monitor(service))?),
            ),
            ("service_down_action", "reset".to_owned()),
        ]);
    }
    arguments.push(("state", state.to_owned()));
    Ok(Task {
        name: format!("Pool{of}"),
        module: "bigip_pool",
        arguments,
    })
}

/// All members of a pool; what is not named leaves it.
fn members(service: &VirtualService, members: &[&Member], of: &str) -> Made<Task> {
    let aggregate = aggregate(service, members)?;
    Ok(Task {
        name: format!("Pool members{of}"),
        module: "bigip_pool_member",
        arguments: vec![
            ("pool", pool_name(service)?),
            ("replace_all_with", "true".to_owned()),
            ("aggregate", aggregate),
        ],
    })
}

/// A node that no pool uses any more.
fn no_node(service: &VirtualService, member: &Member) -> Made<Task> {
    let node = f5::node(service, member);
    Ok(Task {
        name: format!("Node {node}"),
        module: "bigip_node",
        arguments: vec![
            ("partition", f5::NODES.to_owned()),
            ("name", text(service, &node)?),
            ("state", "absent".to_owned()),
        ],
    })
}

fn aggregate(service: &VirtualService, members: &[&Member]) -> Made<String> {
    let mut out = String::new();
    for member in members {
        let _ = write!(
            out,
            "\n          - name: {}\n            address: {}\n            port: {}\n            description: {}\n            \
             partition: {}\n            state: present",
            text(service, &f5::node(service, member))?,
            text(service, &f5::member_address(service, member))?,
            member.port,
            description(service, member)?,
            f5::NODES,
        );
    }
    Ok(out)
}

fn one_member(doing: &str, service: &VirtualService, member: &Member, state: &str) -> Made<Task> {
    let mut arguments = vec![
        ("pool", pool_name(service)?),
        ("name", text(service, &f5::node(service, member))?),
        ("address", text(service, &f5::member_address(service, member))?),
        ("port", member.port.to_string()),
    ];
    if state == "present" {
        arguments.push(("description", description(service, member)?));
    }
    if state == "absent" {
        arguments.push(("preserve_node", "true".to_owned()));
    }
    arguments.extend([("partition", f5::NODES.to_owned()), ("state", state.to_owned())]);
    Ok(Task {
        name: format!("{doing} {}{}", f5::member(service, member), of(service)),
        module: "bigip_pool_member",
        arguments,
    })
}

fn virtual_server(service: &VirtualService, of: &str, state: &str) -> Made<Task> {
    let mut arguments = object(service, "vs")?;
    if state == "present" {
        let vip = f5::vip(service).map_err(|finding| vec![finding])?;
        let about = names::description(&format!("{} VIP", service.description()));
        arguments.extend([
            ("description", text(service, &about)?),
            ("type", "performance-l4".to_owned()),
            ("destination", text(service, &f5::address(vip, service.route_domain))?),
            ("port", format!("\"{}\"", service.port)),
            ("ip_protocol", "tcp".to_owned()),
            ("profiles", "\n          - fastL4".to_owned()),
            ("pool", pool_name(service)?),
            ("snat", "Automap".to_owned()),
        ]);
    }
    arguments.push(("state", state.to_owned()));
    Ok(Task {
        name: format!("Virtual server{of}"),
        module: "bigip_virtual_server",
        arguments,
    })
}

fn object(service: &VirtualService, kind: &str) -> Made<Vec<(&'static str, String)>> {
    Ok(vec![
        ("partition", text(service, &service.partition)?),
        ("name", text(service, &names::object(service, kind))?),
    ])
}

/// The pool; with its partition where that is not the one of the nodes.
fn pool_name(service: &VirtualService) -> Made<String> {
    if service.partition == f5::NODES {
        text(service, &names::object(service, "pool"))
    } else {
        text(service, &f5::path(service, "pool"))
    }
}

fn description(service: &VirtualService, member: &Member) -> Made<String> {
    text(service, &names::description(&member.description(&service.cluster)))
}

/// A text as a scalar that Jinja leaves alone.
fn text(service: &VirtualService, text: &str) -> Made<String> {
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) || text.contains(char::is_control) {
        let message = format!("{text:?} cannot stand in an Ansible playbook");
        let help = "use letters, digits and plain signs";
        return Err(vec![PlanFinding::new(
            &codes::BACKENDS_NAME,
            About::Cluster(service.index),
            message,
            help,
        )]);
    }
    Ok(emit::string(text, false).into_owned())
}
