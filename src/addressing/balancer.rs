//! Takes the `backends` of a configuration and gives them as checked values, or what is wrong with which key; knows no format's spelling.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::backend_format::{Format, format_names};
use super::configuration::{Backends, Members};
use super::monitor::{MONITORS, Monitor};
use super::node_name::NodeName;
use super::selector::Selector;
use crate::yaml::Segment;

/// The name of the API's own service in object names.
pub const API_SERVICE: &str = "apiserver";
/// What people call the API's own service.
pub const API_TITLE: &str = "kube-apiserver";
/// The longest name of a service; longer ones would not fit into the object names of every balancer.
const SERVICE_NAME: usize = 20;
/// The longest partition name and node name that every balancer's tool takes.
const OBJECT_NAME: usize = 63;

/// What the load balancer's configuration is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// The port of the control-plane members, 1 to 65535.
    pub port: u16,
    /// The F5 partition.
    pub partition: String,
    /// Which addresses become members.
    pub members: Members,
    /// The network whose NICs are members; the only one that fits by default.
    pub members_network: Option<String>,
    /// The F5 route domain, 0 to 65534; 0 is the default one and is not written.
    pub route_domain: u16,
    /// How F5 nodes are called.
    pub node_name: NodeName,
    /// How the API is checked.
    pub monitor: Monitor,
    /// Further services on the same VIP.
    pub services: Vec<ServiceWish>,
}

/// A further service on the VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceWish {
    /// Its name in object names.
    pub name: String,
    /// The groups behind it.
    pub groups: Vec<Selector>,
    /// The port, in front and behind.
    pub port: u16,
    /// How its members are checked.
    pub monitor: Monitor,
}

/// Whether a byte is a letter, a digit or one of others.
pub(super) fn allowed(byte: u8, more: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || more.contains(&byte)
}

/// Whether a text is a name that every balancer takes: letters, digits, `_`, `.` and `-`, a letter first, at most 63.
#[must_use]
pub fn is_object_name(text: &str) -> bool {
    text.len() <= OBJECT_NAME
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| allowed(byte, b"_.-"))
}

/// What is wrong with a key of `backends`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerError {
    /// The keys below `backends`.
    pub path: Vec<Segment>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub help: String,
}

/// Reads the `backends` of a configuration.
///
/// # Errors
/// Everything that is wrong with them.
pub fn read_balancer(backends: &Backends) -> Result<Balancer, Vec<BalancerError>> {
    let mut errors = Errors(Vec::new());
    errors.port(&["port"], backends.port);
    if !is_object_name(&backends.partition) {
        let problem = format!("{:?} is no partition", backends.partition);
        errors.add(
            key("partition"),
            problem,
            "write its name without slashes: a letter first, then letters, digits, _ . and -, at most 63 characters",
        );
    }
    let route_domain = backends.route_domain.unwrap_or(0);
    if route_domain == u16::MAX {
        errors.add(key("routeDomain"), "a route domain of 65535", "write 0 to 65534");
    }
    let node_name = errors.parsed(
        key("nodeName"),
        backends.node_name.as_deref(),
        "use letters, digits, . _ - and the fields {cluster}, {slot} and {address}",
    );
    let monitor = errors.parsed(
        key("monitor"),
        backends.monitor.as_deref(),
        &format!("allowed are {MONITORS}"),
    );
    for (index, output) in backends.outputs.iter().enumerate() {
        let path = vec![Segment::Key("outputs".to_owned()), Segment::Index(index)];
        let _: Option<Format> = errors.parsed(path, Some(output), &format!("allowed are {}", format_names()));
    }
    let services = errors.services(backends);
    if !errors.0.is_empty() {
        return Err(errors.0);
    }
    Ok(Balancer {
        port: backends.port,
        partition: backends.partition.clone(),
        members: backends.members,
        members_network: backends.members_network.clone(),
        route_domain,
        node_name: node_name.unwrap_or_default(),
        monitor: monitor.unwrap_or_else(Monitor::readyz),
        services,
    })
}

struct Errors(Vec<BalancerError>);

impl Errors {
    fn add(&mut self, path: Vec<Segment>, problem: impl Into<String>, help: impl Into<String>) {
        self.0.push(BalancerError {
            path,
            problem: problem.into(),
            help: help.into(),
        });
    }

    fn port(&mut self, path: &[&str], port: u16) {
        if port == 0 {
            let path = path.iter().map(|key| Segment::Key((*key).to_owned())).collect();
            self.add(path, "there is no port 0", "write 1 to 65535");
        }
    }

    fn parsed<T: FromStr<Err = String>>(&mut self, path: Vec<Segment>, text: Option<&str>, help: &str) -> Option<T> {
        match text?.parse() {
            Ok(value) => Some(value),
            Err(problem) => {
                self.add(path, problem, help);
                None
            }
        }
    }

    fn services(&mut self, backends: &Backends) -> Vec<ServiceWish> {
        let mut names = BTreeSet::from([API_SERVICE, API_TITLE]);
        let mut services = Vec::new();
        for (index, service) in backends.services.iter().enumerate() {
            let at = |rest: &str| {
                let key = |key: &str| Segment::Key(key.to_owned());
                vec![key("services"), Segment::Index(index), key(rest)]
            };
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            let name = &service.name;
            let letter = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
            if !letter || name.len() > SERVICE_NAME || !name.bytes().all(plain) || name.ends_with('-') {
                let help = format!("use lower-case letters, digits and -, a letter first, at most {SERVICE_NAME}");
                self.add(at("name"), format!("{name:?} is no service name"), help);
            } else if !names.insert(name) {
                self.add(
                    at("name"),
                    format!("there is another service {name}"),
                    "choose another name",
                );
            }
            if service.port == 0 {
                self.add(at("port"), "there is no port 0", "write 1 to 65535");
            }
            if service.groups.is_empty() {
                self.add(
                    at("groups"),
                    "the service has no groups",
                    "write for example `groups: [workers]`",
                );
            }
            let mut groups = Vec::new();
            for (place, selector) in service.groups.iter().enumerate() {
                let mut path = at("groups");
                path.push(Segment::Index(place));
                groups.extend(self.parsed::<Selector>(path, Some(selector), "correct the selector"));
            }
            let monitor = self.parsed(
                at("monitor"),
                service.monitor.as_deref(),
                &format!("allowed are {MONITORS}"),
            );
            services.push(ServiceWish {
                name: name.clone(),
                groups,
                port: service.port,
                monitor: monitor.unwrap_or(Monitor::Tcp),
            });
        }
        services
    }
}

fn key(key: &str) -> Vec<Segment> {
    vec![Segment::Key(key.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_key_is_named() {
        let backends = Backends {
            port: 0,
            partition: "a/b".into(),
            route_domain: Some(u16::MAX),
            node_name: Some("{ip}".into()),
            monitor: Some("udp".into()),
            services: vec![crate::addressing::Service {
                name: "apiserver".into(),
                groups: vec!["masters".into()],
                port: 0,
                monitor: Some("x".into()),
            }],
            outputs: vec!["f5-scf".into()],
            ..Backends::default()
        };
        let errors = read_balancer(&backends).unwrap_err();
        assert_eq!(errors.len(), 10, "{errors:#?}");
        assert!(read_balancer(&Backends::default()).is_ok());
    }
}
