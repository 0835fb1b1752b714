//! Takes settings as names and texts, as a ConfigMap holds them, and gives the `spec` that the flags of the same names would; knows which setting is a list, a number or a map.

use serde_json::{Map, Value, json};

use crate::yaml::Segment;

/// How the text of a setting is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Text,
    /// Parts between commas.
    List,
    Number,
    /// `true` or `false`.
    Switch,
    /// `NAME=VALUE` between commas.
    Pairs,
    /// `NAME=SELECTOR,…:PORT[:MONITOR]` between blanks.
    Services,
}

/// Every setting with its keys below `spec`; those under `pools` are about the only pool.
const SETTINGS: [(&str, &[&str], Reading); 26] = [
    ("cluster", &["cluster"], Reading::Text),
    ("binding", &["binding"], Reading::Text),
    ("pool-kind", &["poolKind"], Reading::Text),
    ("kube-vip", &["kubeVip"], Reading::Text),
    ("rename-templates", &["renameTemplates"], Reading::Switch),
    ("headroom", &["headroom"], Reading::Number),
    ("verb", &["verb"], Reading::Text),
    ("machines", &["pools", "machines"], Reading::List),
    ("addresses", &["pools", "addresses"], Reading::List),
    ("prefix", &["pools", "prefix"], Reading::Number),
    ("gateway", &["pools", "gateway"], Reading::Text),
    ("dns-servers", &["pools", "dnsServers"], Reading::List),
    ("search-domains", &["pools", "searchDomains"], Reading::List),
    ("network", &["pools", "network"], Reading::Text),
    ("name", &["pools", "name"], Reading::Text),
    ("name-prefix", &["pools", "namePrefix"], Reading::Text),
    ("pre-allocations", &["pools", "preAllocations"], Reading::Pairs),
    ("members", &["backends", "members"], Reading::Text),
    ("members-network", &["backends", "membersNetwork"], Reading::Text),
    ("port", &["backends", "port"], Reading::Number),
    ("monitor", &["backends", "monitor"], Reading::Text),
    ("service", &["backends", "services"], Reading::Services),
    ("partition", &["backends", "partition"], Reading::Text),
    ("route-domain", &["backends", "routeDomain"], Reading::Number),
    ("node-name", &["backends", "nodeName"], Reading::Text),
    ("format", &["backends", "outputs"], Reading::List),
];

/// The names of all settings.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|(name, ..)| *name)
}

/// The keys of a path, without its indices.
pub(super) fn keys(path: &[Segment]) -> Vec<&str> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) => None,
        })
        .collect()
}

/// The setting that gave the value of a path from the document's root.
pub(super) fn name_of(path: &[Segment]) -> Option<&'static str> {
    let keys = keys(path);
    let below = keys.strip_prefix(&["spec"])?;
    let found = SETTINGS.iter().find(|(_, keys, _)| below.starts_with(keys));
    found.map(|(name, ..)| *name)
}

/// Adds a setting to a `spec`; `false` when there is none of that name.
pub(super) fn add(spec: &mut Map<String, Value>, name: &str, text: &str) -> bool {
    let Some((_, keys, reading)) = SETTINGS.iter().find(|(known, ..)| *known == name) else {
        return false;
    };
    let value = value(*reading, text);
    match keys {
        ["pools", key] => {
            let pools = spec.entry("pools").or_insert_with(|| json!([{}]));
            pools[0][*key] = value;
        }
        [holder, key] => {
            let holder = spec.entry(*holder).or_insert_with(|| json!({}));
            holder[*key] = value;
        }
        [key] => {
            spec.insert((*key).to_owned(), value);
        }
        _ => return false,
    }
    true
}

/// What cannot be read goes on as text: the configuration's reader says what is wrong with it.
fn value(reading: Reading, text: &str) -> Value {
    let parts = || text.split(',').map(str::trim).filter(|part| !part.is_empty());
    match reading {
        Reading::Text => json!(text),
        Reading::List => parts().collect(),
        Reading::Number => text
            .trim()
            .parse::<u64>()
            .map_or_else(|_| json!(text), |number| json!(number)),
        Reading::Switch => text
            .trim()
            .parse::<bool>()
            .map_or_else(|_| json!(text), |switch| json!(switch)),
        Reading::Pairs => parts()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect(),
        Reading::Services => text
            .split_whitespace()
            .map(|service| read_service(service).unwrap_or_else(|_| json!(service)))
            .collect(),
    }
}

/// A further service as one word: `ingress=workers:443` or `ingress=workers:443:https:/healthz`.
///
/// # Errors
/// How it is written.
pub fn read_service(text: &str) -> Result<Value, &'static str> {
    const FORM: &str = "write it as ingress=workers:443 or ingress=workers:443:https:/healthz";
    let (name, rest) = text.split_once('=').ok_or(FORM)?;
    let mut parts = rest.splitn(3, ':');
    let groups: Vec<&str> = parts.next().unwrap_or_default().split(',').map(str::trim).collect();
    let port: u32 = parts.next().and_then(|port| port.parse().ok()).ok_or(FORM)?;
    let mut service = json!({"name": name, "groups": groups, "port": port});
    if let Some(monitor) = parts.next() {
        service["monitor"] = json!(monitor);
    }
    Ok(service)
}
