//! Takes the four webhook types of records, compares the paths of the fields that admission refuses.

use std::collections::BTreeMap;

use capv_ipam::api::metal3::{IPAddress, IPClaim};
use capv_ipam::ipam::{FieldError, admission};
use serde_yaml::{Mapping, Value};

use crate::{Record, check_equal};

const COMMON: [&str; 6] = ["id", "type", "src", "deny", "deviation", "expect_ours"];

fn keys(more: &[&'static str]) -> Vec<&'static str> {
    COMMON.iter().chain(more).copied().collect()
}

fn check(record: Record<'_>, errors: &[FieldError]) -> Result<(), String> {
    let deny = record.get("expect_ours").or(record.get("deny"));
    let wanted: Vec<String> = serde_yaml::from_value(deny.ok_or("no deny")?.clone()).map_err(|e| e.to_string())?;
    let got = errors.iter().map(|error| error.path.to_string()).collect();
    check_equal("deny", got, wanted)
}

pub(crate) fn create_pool(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["spec"]))?;
    check(record, &admission::create_pool(&record.read("spec")?))
}

pub(crate) fn update_pool(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["old", "new", "inUse"]))?;
    let in_use: BTreeMap<String, String> = record.read("inUse")?;
    let errors = admission::update_pool(&record.read("old")?, &record.read("new")?, &in_use);
    check(record, &errors)
}

pub(crate) fn claim(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["old", "new"]))?;
    let read = |key| object::<IPClaim>(record, key, &["pool"]);
    let new = read("new")?.ok_or("no new")?;
    let errors = match read("old")? {
        None => admission::create_claim(&new),
        Some(old) => admission::update_claim(&old, &new),
    };
    check(record, &errors)
}

pub(crate) fn address(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["old", "new"]))?;
    let read = |key| object::<IPAddress>(record, key, &["pool", "claim", "address", "prefix"]);
    let new = read("new")?.ok_or("no new")?;
    let errors = match read("old")? {
        None => admission::create_address(&new),
        Some(old) => admission::update_address(&old, &new),
    };
    check(record, &errors)
}

/// The object of a flat map: these members in `spec`, the annotations in `metadata`.
fn object<T: serde::de::DeserializeOwned>(record: Record<'_>, key: &str, spec: &[&str]) -> Result<Option<T>, String> {
    let Some(flat) = record.get(key) else {
        return Ok(None);
    };
    let all: Vec<&str> = spec.iter().copied().chain(["annotations"]).collect();
    Record(flat).only(&all)?;
    let part = |keys: &[&str]| {
        let members = keys
            .iter()
            .filter_map(|key| Some(((*key).into(), flat.get(*key)?.clone())));
        Value::Mapping(members.collect::<Mapping>())
    };
    let members = [("metadata", part(&["annotations"])), ("spec", part(spec))];
    let object: Mapping = members.into_iter().map(|(key, value)| (key.into(), value)).collect();
    serde_yaml::from_value(Value::Mapping(object))
        .map(Some)
        .map_err(|e| e.to_string())
}
