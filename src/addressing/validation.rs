//! Takes one configuration and checks everything that can be told without a manifest; errors carry the path of the key.

use std::collections::BTreeSet;

use super::balancer::read_balancer;
use super::configuration::{API_VERSION, Backends, Binding, KIND, PoolConfig, PoolKindConfig, StaticAddressing, Verb};
use super::selector::Selector;
use crate::check::codes::{self, Code};
use crate::ipam::{AddressRange, Family, Network, parse_address, usable_range};
use crate::objects::is_placeholder;
use crate::yaml::Segment;

/// What is wrong with a configuration, and at which key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ConfigError {
    /// The keys that lead to the value, from the document's root.
    pub path: Vec<Segment>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub help: String,
    /// What kind of problem.
    pub code: &'static Code,
}

/// Checks a configuration by itself.
///
/// # Errors
/// Everything that is wrong with it.
pub fn validate(config: &StaticAddressing) -> Result<(), Vec<ConfigError>> {
    let mut errors = Errors(Vec::new());
    errors.document(config);
    let spec = &config.spec;
    if spec.verb == Verb::Transform && !config.asks_for_edits() && spec.backends.is_none() {
        errors.add(
            &["spec"],
            "the configuration asks for nothing",
            "add `pools`, `kubeVip: remove`, or `backends`",
        );
    }
    if spec.pool_kind == PoolKindConfig::InClusterIPPool && spec.binding != Binding::AddressesFromPools {
        let help = "set `binding: addressesFromPools`, or leave `poolKind` out";
        errors.add(
            &["spec", "poolKind"],
            "an InClusterIPPool cannot be bound by label",
            help,
        );
    }
    if spec.verb == Verb::Pools {
        errors.pools_alone(config);
    }
    for (index, pool) in spec.pools.iter().enumerate() {
        errors.pool(index, pool, config);
    }
    errors.acceptances(config);
    spec.backends.iter().for_each(|backends| errors.backends(backends));
    if errors.0.is_empty() { Ok(()) } else { Err(errors.0) }
}

struct Errors(Vec<ConfigError>);

impl Errors {
    fn add(&mut self, path: &[&str], problem: impl Into<String>, help: impl Into<String>) {
        self.push(&codes::CONFIGURATION, keys(path), problem.into(), help.into());
    }

    fn push(&mut self, code: &'static Code, path: Vec<Segment>, problem: String, help: String) {
        self.0.push(ConfigError {
            path,
            problem,
            help,
            code,
        });
    }

    fn backends(&mut self, backends: &Backends) {
        for error in read_balancer(backends).err().into_iter().flatten() {
            let path = keys(&["spec", "backends"]).into_iter().chain(error.path).collect();
            self.push(&codes::CONFIGURATION, path, error.problem, error.help);
        }
    }

    fn of_pool(&mut self, index: usize, rest: &[&str], problem: impl Into<String>, help: impl Into<String>) {
        self.push(
            &codes::CONFIGURATION,
            pool_path(index, rest, None),
            problem.into(),
            help.into(),
        );
    }

    fn document(&mut self, config: &StaticAddressing) {
        if config.api_version != API_VERSION {
            let problem = format!("the apiVersion is {:?}, not {API_VERSION}", config.api_version);
            self.add(&["apiVersion"], problem, format!("write `apiVersion: {API_VERSION}`"));
        }
        if config.kind != KIND {
            self.add(
                &["kind"],
                format!("the kind is {:?}, not {KIND}", config.kind),
                format!("write `kind: {KIND}`"),
            );
        }
    }

    /// Pools that are written without a manifest have nothing to take a name from.
    fn pools_alone(&mut self, config: &StaticAddressing) {
        if config.spec.pools.is_empty() {
            let help = "add `pools`, or leave `verb` out";
            self.add(
                &["spec", "verb"],
                "`verb: pools` writes pools, and there are none",
                help,
            );
        }
        for (index, _) in config
            .spec
            .pools
            .iter()
            .enumerate()
            .filter(|(_, pool)| pool.name.is_none())
        {
            let path = pool_path(index, &["name"], None);
            let problem = "with `verb: pools` every pool needs a name".to_owned();
            self.push(&codes::NAME_REQUIRED, path, problem, "set `name`".to_owned());
        }
    }

    fn pool(&mut self, index: usize, pool: &PoolConfig, config: &StaticAddressing) {
        self.selectors(index, pool);
        self.names(index, pool, config);
        for (at, server) in pool.dns_servers.iter().enumerate() {
            if parse_address(server).is_err() && !is_placeholder(server) {
                let path = pool_path(index, &["dnsServers"], Some(at));
                self.push(
                    &codes::CONFIGURATION,
                    path,
                    format!("{server:?} is no IP address"),
                    "write name servers as addresses".into(),
                );
            }
        }
        if config.spec.pool_kind == PoolKindConfig::InClusterIPPool {
            if !pool.pre_allocations.is_empty() {
                self.of_pool(
                    index,
                    &["preAllocations"],
                    "an InClusterIPPool has no preAllocations",
                    "leave it out, or use `poolKind: IPPool`",
                );
            }
            if pool.name_prefix.is_some() {
                self.of_pool(
                    index,
                    &["namePrefix"],
                    "an InClusterIPPool has no namePrefix",
                    "leave it out, or use `poolKind: IPPool`",
                );
            }
        }
        self.addresses(index, pool);
    }

    fn selectors(&mut self, index: usize, pool: &PoolConfig) {
        if pool.machines.is_empty() {
            let help = "write for example `machines: [control-plane]`";
            self.of_pool(index, &["machines"], "the pool serves no machines", help);
        }
        for (at, selector) in pool.machines.iter().enumerate() {
            if let Err(problem) = selector.parse::<Selector>() {
                let path = pool_path(index, &["machines"], Some(at));
                self.push(&codes::CONFIGURATION, path, problem, "correct the selector".into());
            }
        }
    }

    fn names(&mut self, index: usize, pool: &PoolConfig, config: &StaticAddressing) {
        if let Some(name) = &pool.name {
            let problem = match config.spec.binding {
                Binding::Label if !is_placeholder(name) => label_value_problem(name),
                _ => None,
            };
            if let Some(problem) = problem.or_else(|| object_name_problem(name)) {
                self.of_pool(index, &["name"], problem, "choose another name");
            }
        }
        if let Some(problem) = pool.name_prefix.as_deref().and_then(object_name_problem) {
            self.of_pool(index, &["namePrefix"], problem, "choose another prefix");
        }
    }

    /// Addresses, prefix and gateway against each other; the rules of one network.
    fn addresses(&mut self, index: usize, pool: &PoolConfig) {
        if pool.addresses.is_empty() {
            let help = "write for example `addresses: [10.0.0.10-10.0.0.20]`";
            self.of_pool(index, &["addresses"], "the pool has no addresses", help);
        }
        let Some(prefix) = pool.prefix else {
            let help = "write the length of the network's prefix, for example `prefix: 24`";
            return self.of_pool(index, &["prefix"], "the pool has no prefix", help);
        };
        let gateway = match pool.gateway.as_deref().map(|text| (text, parse_address(text))) {
            None => None,
            Some((_, Ok(gateway))) => Some(gateway),
            Some((text, Err(error))) => {
                let help = if text.contains('/') {
                    "write the address alone; the length belongs to `prefix`"
                } else {
                    "write one IP address"
                };
                return self.of_pool(index, &["gateway"], error.to_string(), help);
            }
        };
        let mut ranges: Vec<AddressRange> = Vec::new();
        for (at, text) in pool.addresses.iter().enumerate() {
            let path = || pool_path(index, &["addresses"], Some(at));
            let range = match usable_range(text, Some(prefix)) {
                Ok(range) => range,
                Err(error) => {
                    let help = "allowed are ranges (10.0.0.10-10.0.0.20), networks (10.0.0.0/28) and single addresses"
                        .to_owned();
                    self.push(&codes::CONFIGURATION, path(), error.to_string(), help);
                    continue;
                }
            };
            if let Some(network) = text
                .parse::<Network>()
                .ok()
                .filter(|network| network.address() != network.network())
            {
                let problem = format!(
                    "{text} is an address inside the network {}/{}",
                    network.network(),
                    network.prefix()
                );
                let help = "write the network's own address, or a range".to_owned();
                self.push(&codes::CONFIGURATION, path(), problem, help);
                continue;
            }
            if Network::new(range.start(), prefix).is_err() {
                let problem = format!("a prefix of {prefix} does not fit {}", range.family());
                let help = format!("write 0 to {}", range.family().bits());
                return self.of_pool(index, &["prefix"], problem, help);
            }
            let family = gateway.map(Family::of).or(ranges.first().map(|first| first.family()));
            if let Some(family) = family.filter(|family| *family != range.family()) {
                let problem = format!("{text} is {}, the rest of the pool is {family}", range.family());
                self.push(
                    &codes::CONFIGURATION,
                    path(),
                    problem,
                    "give each family a pool of its own".into(),
                );
            }
            ranges.push(range);
        }
        self.pre_allocations(index, pool, &ranges);
    }

    /// metal3's webhook: values are addresses of the pool and differ from each other.
    fn pre_allocations(&mut self, index: usize, pool: &PoolConfig, ranges: &[AddressRange]) {
        let mut seen = BTreeSet::new();
        for (claim, text) in &pool.pre_allocations {
            let problem = match parse_address(text) {
                Err(error) => error.to_string(),
                Ok(address) if !ranges.iter().any(|range| range.contains(address)) => {
                    format!("{address} is not one of the pool's addresses")
                }
                Ok(address) if !seen.insert(address) => format!("{address} is preallocated twice"),
                Ok(_) => continue,
            };
            self.of_pool(
                index,
                &["preAllocations", claim],
                problem,
                "give each claim an address of this pool that no other has",
            );
        }
    }

    fn acceptances(&mut self, config: &StaticAddressing) {
        for (index, acceptance) in config.spec.accept.iter().enumerate() {
            let path = |key: &str| vec![key_of("spec"), key_of("accept"), Segment::Index(index), key_of(key)];
            match codes::find(&acceptance.code) {
                None => self.push(
                    &codes::CONFIGURATION,
                    path("code"),
                    format!("there is no finding {}", acceptance.code),
                    "see `capv-ipam explain`".into(),
                ),
                Some(code) if code.stops_edits() => {
                    let problem = format!(
                        "{} cannot be accepted: it says that a wanted edit cannot be made",
                        code.id
                    );
                    self.push(&codes::CONFIGURATION, path("code"), problem, code.cure.to_owned());
                }
                Some(_) => {}
            }
            if acceptance.reason.trim().is_empty() {
                self.push(
                    &codes::CONFIGURATION,
                    path("reason"),
                    "an acceptance needs a reason".into(),
                    "say why the finding is fine".into(),
                );
            }
        }
    }
}

fn key_of(key: &str) -> Segment {
    Segment::Key(key.to_owned())
}

fn keys(path: &[&str]) -> Vec<Segment> {
    path.iter().copied().map(key_of).collect()
}

fn pool_path(index: usize, rest: &[&str], item: Option<usize>) -> Vec<Segment> {
    let mut path = keys(&["spec", "pools"]);
    path.push(Segment::Index(index));
    path.extend(keys(rest));
    path.extend(item.map(Segment::Index));
    path
}

/// Kubernetes' rule for label values: at most 63 characters of `[A-Za-z0-9._-]`, a letter or digit at both ends.
#[must_use]
pub(crate) fn label_value_problem(value: &str) -> Option<String> {
    let inner = value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    if value.len() > 63 {
        Some(format!(
            "{value:?} has {} characters; the label that names the pool holds at most 63",
            value.len()
        ))
    } else if !inner || !ends(value.bytes().next()) || !ends(value.bytes().last()) {
        Some(format!(
            "{value:?} cannot stand in a label (letters, digits, `-`, `_`, `.`; a letter or digit at both ends)"
        ))
    } else {
        None
    }
}

/// Kubernetes' rule for object names: an RFC 1123 subdomain of at most 253 characters.
#[must_use]
pub(crate) fn object_name_problem(name: &str) -> Option<String> {
    if is_placeholder(name) {
        return None;
    }
    let part = |part: &str| {
        let inner = part
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        !part.is_empty() && inner && !part.starts_with('-') && !part.ends_with('-')
    };
    (name.len() > 253 || !name.split('.').all(part))
        .then(|| format!("{name:?} is no object name (lower-case letters, digits, `-` and `.`, at most 253)"))
}
