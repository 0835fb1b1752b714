//! Takes the `backends` of a configuration and gives them as checked values, or what is wrong with which key; knows no format's spelling.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::configuration::{Backends, Members};
use super::selector::Selector;
use crate::yaml::Segment;

/// The name of the API's own service in object names.
pub const API_SERVICE: &str = "apiserver";
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

/// How a balancer finds out whether a member serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// A connection can be opened.
    Tcp,
    /// A GET of the path is answered with one of the status codes; TLS without a check of the certificate when `tls`.
    Http {
        /// Whether the request goes over TLS.
        tls: bool,
        /// The path, of letters, digits and `/-._~`.
        path: String,
        /// The codes that count as healthy.
        codes: &'static [u16],
    },
}

impl Monitor {
    /// `GET /readyz` over TLS, 200 expected: what Kubernetes documents for balancers.
    #[must_use]
    pub fn readyz() -> Self {
        Monitor::Http {
            tls: true,
            path: "/readyz".to_owned(),
            codes: &[200],
        }
    }
}

impl FromStr for Monitor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain =
            |path: &str| path.starts_with('/') && path.len() <= 128 && path.bytes().all(|byte| allowed(byte, b"/-._~"));
        match (text, text.split_once(':')) {
            ("tcp", _) => Ok(Monitor::Tcp),
            ("readyz", _) => Ok(Monitor::readyz()),
            // An API server with --anonymous-auth=false answers 401, one without the public rule 403.
            ("readyz-any-auth", _) => Ok(Monitor::Http {
                tls: true,
                path: "/readyz".to_owned(),
                codes: &[200, 401, 403],
            }),
            (_, Some((scheme @ ("http" | "https"), path))) if plain(path) => Ok(Monitor::Http {
                tls: scheme == "https",
                path: path.to_owned(),
                codes: &[200],
            }),
            _ => Err(format!("{text:?} is no monitor")),
        }
    }
}

/// What monitors may be.
pub const MONITORS: &str =
    "readyz, readyz-any-auth, tcp, http:/PATH and https:/PATH (letters, digits and /-._~ in the path)";

impl fmt::Display for Monitor {
    /// For people: `https GET /readyz = 200`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Monitor::Tcp => out.write_str("tcp"),
            Monitor::Http { tls, path, codes } => {
                let scheme = if *tls { "https" } else { "http" };
                let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
                write!(out, "{scheme} GET {path} = {}", codes.join(" or "))
            }
        }
    }
}

/// A template for the names of F5 nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Address,
    Cluster,
    Slot,
}

impl Default for NodeName {
    /// The address: one address is one node on a BIG-IP.
    fn default() -> Self {
        NodeName(vec![Part::Address])
    }
}

impl NodeName {
    /// Whether nodes are called by their address alone.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.0 == [Part::Address]
    }

    /// The name of one node; colons of an address inside a longer name become hyphens.
    #[must_use]
    pub fn of(&self, address: &str, cluster: &str, slot: &str) -> String {
        if self.is_address() {
            return address.to_owned();
        }
        self.pieces(&address.replace(':', "-"), cluster, slot)
    }

    /// The template with other texts in the places of its fields.
    #[must_use]
    pub fn pieces(&self, address: &str, cluster: &str, slot: &str) -> String {
        let piece = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Address => address.to_owned(),
            Part::Cluster => cluster.to_owned(),
            Part::Slot => slot.to_owned(),
        };
        self.0.iter().map(piece).collect()
    }
}

impl FromStr for NodeName {
    type Err = String;

    fn from_str(template: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            let (field, after) = after
                .split_once('}')
                .ok_or_else(|| format!("{template:?} has a {{ without a }}"))?;
            parts.extend((!text.is_empty()).then(|| Part::Text(text.to_owned())));
            parts.push(match field {
                "address" => Part::Address,
                "cluster" => Part::Cluster,
                "slot" => Part::Slot,
                _ => return Err(format!("{template:?} has the unknown field {{{field}}}")),
            });
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        let plain = |part: &Part| match part {
            Part::Text(text) => text.bytes().all(|byte| allowed(byte, b"-._")),
            _ => true,
        };
        if !parts.iter().all(plain) {
            return Err(format!("{template:?} has characters that node names cannot have"));
        }
        if !parts.contains(&Part::Address) && !parts.contains(&Part::Slot) {
            return Err(format!("{template:?} gives every node the same name"));
        }
        Ok(NodeName(parts))
    }
}

fn allowed(byte: u8, more: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || more.contains(&byte)
}

/// Whether a text is a name that every balancer takes: letters, digits, `_`, `.` and `-`, a letter first, at most 63.
#[must_use]
pub fn is_object_name(text: &str) -> bool {
    text.len() <= OBJECT_NAME
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| allowed(byte, b"_.-"))
}

/// The formats of member lists, for balancers and for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Format {
    /// F5 BIG-IP: tmsh commands, one a line
    F5Tmsh,
    /// F5 BIG-IP: an AS3 declaration
    #[cfg_attr(feature = "cli", value(name = "f5-as3"))]
    F5As3,
    /// F5 BIG-IP: iControl REST calls in order
    F5Icontrol,
    /// F5 BIG-IP: a Terraform module
    F5Terraform,
    /// F5 BIG-IP: an Ansible playbook
    F5Ansible,
    /// HAProxy
    Haproxy,
    /// Keepalived with IPVS
    Keepalived,
    /// NGINX with the stream module
    Nginx,
    /// Envoy, static resources
    Envoy,
    /// Aligned columns for people and change tickets
    Table,
    /// ADDRESS:PORT, one a line
    List,
    /// Comma-separated values
    Csv,
    /// The member list as JSON
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 13] = [
        Format::F5Tmsh,
        Format::F5As3,
        Format::F5Icontrol,
        Format::F5Terraform,
        Format::F5Ansible,
        Format::Haproxy,
        Format::Keepalived,
        Format::Nginx,
        Format::Envoy,
        Format::Table,
        Format::List,
        Format::Csv,
        Format::Json,
    ];

    /// The name on the command line and in `outputs`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::F5Tmsh => "f5-tmsh",
            Format::F5As3 => "f5-as3",
            Format::F5Icontrol => "f5-icontrol",
            Format::F5Terraform => "f5-terraform",
            Format::F5Ansible => "f5-ansible",
            Format::Haproxy => "haproxy",
            Format::Keepalived => "keepalived",
            Format::Nginx => "nginx",
            Format::Envoy => "envoy",
            Format::Table => "table",
            Format::List => "list",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Format::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| format!("there is no format {text:?}"))
    }
}

/// The names of all formats, for messages.
#[must_use]
pub fn format_names() -> String {
    Format::ALL.map(Format::name).join(", ")
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
            "write its name without slashes: a letter first, then letters, digits, _ . and -",
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
        let mut names = BTreeSet::from([API_SERVICE]);
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
    fn formats_have_one_name() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
            #[cfg(feature = "cli")]
            {
                let value = clap::ValueEnum::to_possible_value(&format).unwrap();
                assert_eq!(value.get_name(), format.name());
            }
        }
        assert!("f5-scf".parse::<Format>().is_err());
    }

    #[test]
    fn monitors_hold_nothing_that_a_target_could_run() {
        assert_eq!("readyz".parse(), Ok(Monitor::readyz()));
        assert_eq!(Monitor::readyz().to_string(), "https GET /readyz = 200");
        let any: Monitor = "readyz-any-auth".parse().unwrap();
        assert_eq!(any.to_string(), "https GET /readyz = 200 or 401 or 403");
        for text in [
            "",
            "udp",
            "https:",
            "https:healthz",
            "http:/a b",
            "http:/a\"",
            "https:/$(id)",
            "http:/a;b",
            "http:/`",
        ] {
            assert!(text.parse::<Monitor>().is_err(), "{text}");
        }
    }

    #[test]
    fn node_names_are_filled_in() {
        let name: NodeName = "{cluster}-{slot}".parse().unwrap();
        assert_eq!(name.of("192.0.2.1", "demo", "control-plane-1"), "demo-control-plane-1");
        assert_eq!(NodeName::default().of("2001:db8::1", "demo", "x"), "2001:db8::1");
        let name: NodeName = "n-{address}".parse().unwrap();
        assert_eq!(name.of("2001:db8::1", "demo", "x"), "n-2001-db8--1");
        for text in ["", "{cluster}", "{ip}", "{slot", "a b{slot}", "{slot};", "$({slot})"] {
            assert!(text.parse::<NodeName>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_wrong_key_is_named() {
        let backends = Backends {
            port: 0,
            partition: "a/b".into(),
            route_domain: Some(u16::MAX),
            node_name: Some("{ip}".into()),
            monitor: Some("udp".into()),
            services: vec![super::super::configuration::Service {
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
