//! Holds an AS3 declaration against F5's schema with its custom formats, and against what the schema leaves open.

use std::path::Path;

use serde_json::{Map, Value, json};

/// A compiled schema.
pub(crate) struct Schema(jsonschema::Validator);

impl Schema {
    /// Reads F5's schema file: the branch for a request of the class AS3.
    pub(crate) fn read(file: &Path) -> Self {
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let branch = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": schema["definitions"],
            "allOf": [{"$ref": "#/definitions/AS3"}],
        });
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft7)
            .should_validate_formats(true)
            .with_format("f5ip", is_address)
            .with_format("f5bigip", is_path)
            .with_format("f5pointer", is_pointer)
            .build(&branch)
            .unwrap();
        Schema(validator)
    }

    /// Everything that is wrong with a declaration.
    pub(crate) fn problems(&self, declaration: &Value) -> Vec<String> {
        let mut problems: Vec<String> = self.0.iter_errors(declaration).map(|error| error.to_string()).collect();
        left_open(declaration, &mut problems);
        problems
    }
}

fn is_address(text: &str) -> bool {
    let (text, prefix) = text
        .split_once('/')
        .map_or((text, None), |(text, prefix)| (text, Some(prefix)));
    let (text, domain) = text
        .split_once('%')
        .map_or((text, None), |(text, domain)| (text, Some(domain)));
    let Ok(address) = text.parse::<std::net::IpAddr>() else {
        return false;
    };
    let longest = if address.is_ipv6() { 128 } else { 32 };
    address.to_string() == text
        && domain.is_none_or(|domain| domain.parse::<u16>().is_ok_and(|domain| domain < u16::MAX))
        && prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest))
}

fn is_path(text: &str) -> bool {
    text.len() > 1
        && text.starts_with('/')
        && !text.contains(|char: char| char.is_control() || " \"#'*<>?[\\]{|}".contains(char))
}

fn is_pointer(text: &str) -> bool {
    let text = text.strip_suffix('#').unwrap_or(text);
    text.trim_start_matches(|char: char| char.is_ascii_digit())
        .split('/')
        .filter(|part| !part.is_empty())
        .all(|part| {
            part == "@"
                || part.len() <= 64
                    && part.starts_with(|char: char| char.is_ascii_alphabetic())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// The properties that are written, by class: AS3 lets unknown ones pass in most classes.
const WRITTEN: [(&str, &[&str]); 4] = [
    (
        "Service_L4",
        &[
            "class",
            "remark",
            "virtualAddresses",
            "virtualPort",
            "layer4",
            "profileL4",
            "snat",
            "persistenceMethods",
            "pool",
        ],
    ),
    (
        "Pool",
        &[
            "class",
            "remark",
            "loadBalancingMode",
            "monitors",
            "serviceDownAction",
            "members",
        ],
    ),
    (
        "Monitor",
        &[
            "class",
            "remark",
            "monitorType",
            "interval",
            "timeout",
            "send",
            "receive",
        ],
    ),
    (
        "member",
        &[
            "servicePort",
            "serverAddresses",
            "servers",
            "remark",
            "shareNodes",
            "adminState",
        ],
    ),
];

fn only(class: &str, object: &Map<String, Value>, problems: &mut Vec<String>) {
    let written = WRITTEN.iter().find(|(name, _)| *name == class).unwrap().1;
    let unknown = object.keys().filter(|key| !written.contains(&key.as_str()));
    problems.extend(unknown.map(|key| format!("unknown {key} in {class}")));
}

fn left_open(declaration: &Value, problems: &mut Vec<String>) {
    let objects = |value: &Value, class: &str| -> Vec<Map<String, Value>> {
        let entries = value.as_object().into_iter().flatten();
        let found = entries
            .filter(|(_, entry)| entry["class"] == class)
            .filter_map(|(_, entry)| entry.as_object());
        found.cloned().collect()
    };
    for tenant in objects(&declaration["declaration"], "Tenant") {
        for application in objects(&Value::Object(tenant.clone()), "Application") {
            let value = Value::Object(application.clone());
            for service in objects(&value, "Service_L4") {
                only("Service_L4", &service, problems);
                if service.get("persistenceMethods") != Some(&json!([])) || service.get("snat") != Some(&json!("auto"))
                {
                    problems.push("persistence or SNAT is left to AS3's defaults".into());
                }
                let pool = service["pool"].as_str().unwrap_or_default();
                if value[pool]["class"] != "Pool" {
                    problems.push(format!("there is no pool {pool}"));
                }
            }
            for monitor in objects(&value, "Monitor") {
                only("Monitor", &monitor, problems);
                if monitor["timeout"].as_u64() <= monitor["interval"].as_u64() {
                    problems.push("the monitor's timeout is not larger than its interval".into());
                }
            }
            for pool in objects(&value, "Pool") {
                only("Pool", &pool, problems);
                of_pool(&value, &pool, problems);
            }
        }
    }
}

fn of_pool(application: &Value, pool: &Map<String, Value>, problems: &mut Vec<String>) {
    for monitor in pool["monitors"].as_array().into_iter().flatten() {
        let name = monitor["use"].as_str();
        if name.is_some_and(|name| application[name]["class"] != "Monitor") {
            problems.push(format!("there is no monitor {name:?}"));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for member in pool["members"].as_array().into_iter().flatten() {
        only("member", member.as_object().unwrap(), problems);
        let address = member["serverAddresses"][0]
            .as_str()
            .or(member["servers"][0]["address"].as_str());
        let address = address.unwrap_or_default().to_owned();
        if !seen.insert((address.clone(), member["servicePort"].to_string())) {
            problems.push(format!("{address} twice"));
        }
    }
    if seen.iter().any(|(address, _)| address.contains(':')) && seen.iter().any(|(address, _)| !address.contains(':')) {
        problems.push("a pool of two families".into());
    }
}
