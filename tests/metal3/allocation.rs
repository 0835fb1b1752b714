//! Takes the records of one entry, one name and one allocation, compares what the core gives for each.

use std::collections::{BTreeMap, BTreeSet};

use capv_ipam::api::metal3::IPPoolSpec;
use capv_ipam::ipam::{
    AddressObject, Claim, ClaimId, ClaimKind, Entry, ObjectId, Outcome, Pool, Snapshot, address_object_name, decide,
    ippool_reference, parse_address,
};
use serde_yaml::Value;

use crate::{Record, check_equal, text};

const COMMON: [&str; 6] = ["id", "type", "src", "expect", "deviation", "expect_ours"];
/// No draw needs more start offsets than this to be complete.
const OFFSETS: u64 = 4096;

fn keys(more: &[&'static str]) -> Vec<&'static str> {
    COMMON.iter().chain(more).copied().collect()
}

fn wanted(record: Record<'_>) -> Result<String, String> {
    record.expectation().map(text).ok_or("no expectation".into())
}

pub(crate) fn render(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["pool", "index"]))?;
    let entry = Entry::new(&record.read("pool")?);
    let got = entry.render(record.read::<u64>("index")?.into());
    let got = got.map_or("error".into(), |address| address.to_string());
    check_equal("address", got, wanted(record)?)
}

pub(crate) fn size(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["pool"]))?;
    let entry = Entry::new(&record.read("pool")?);
    let got = entry.size().map_or("error".into(), |size| size.to_string());
    check_equal("size", got, wanted(record)?)
}

pub(crate) fn name(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["namePrefix", "address"]))?;
    let address = parse_address(&record.text("address").ok_or("no address")?).map_err(|e| e.to_string())?;
    let prefix = record.text("namePrefix").ok_or("no namePrefix")?;
    check_equal("name", address_object_name(&prefix, address), wanted(record)?)
}

pub(crate) fn allocate(record: Record<'_>) -> Result<(), String> {
    record.only(&keys(&["spec", "inUse", "claim", "kinds"]))?;
    let expected = Record(record.expectation().ok_or("no expectation")?);
    for kind in kinds(record)? {
        let case = Case::read(record, kind)?;
        let result = match expected.get("oneOf") {
            Some(set) => check_draws(&case, set),
            None => check_one(expected, kind, &case.decide(0)),
        };
        result.map_err(|failure| format!("{kind:?}: {failure}"))?;
    }
    Ok(())
}

fn kinds(record: Record<'_>) -> Result<Vec<ClaimKind>, String> {
    if record.get("kinds").is_none() {
        return Ok(vec![ClaimKind::IPClaim, ClaimKind::IPAddressClaim]);
    }
    let names: Vec<String> = record.read("kinds")?;
    names.iter().map(|name| kind(Some(name))).collect()
}

/// The kind that a record means by `m3` (also when nothing is said) or `capi`.
pub(crate) fn kind(name: Option<&str>) -> Result<ClaimKind, String> {
    match name {
        None | Some("m3") => Ok(ClaimKind::IPClaim),
        Some("capi") => Ok(ClaimKind::IPAddressClaim),
        Some(other) => Err(format!("kind {other} is unknown")),
    }
}

/// One claim before a pool of which some addresses are in use.
struct Case {
    pool: Pool,
    claim: Claim,
    objects: Vec<AddressObject>,
}

impl Case {
    fn read(record: Record<'_>, kind: ClaimKind) -> Result<Self, String> {
        let spec: IPPoolSpec = record.read("spec")?;
        let wish = Record(record.get("claim").ok_or("no claim")?);
        wish.only(&["name", "annotations"])?;
        let annotations: BTreeMap<String, String> = wish.read("annotations")?;
        let id = ClaimId::new(kind, wish.text("name").ok_or("no claim name")?);
        let mut claim = Claim::new(id, ippool_reference("pool"));
        claim.requested = annotations.get("ipAddress").cloned();
        let in_use: Vec<String> = record.read("inUse")?;
        let objects = in_use.iter().enumerate().map(|(index, address)| AddressObject {
            id: ObjectId {
                name: format!("in-use-{index}"),
                kind: ClaimKind::IPClaim,
            },
            pool: ippool_reference("pool").into(),
            claim: format!("other-{index}"),
            address: address.clone(),
            owner: None,
        });
        Ok(Self {
            pool: Pool::ippool("pool", &spec),
            claim,
            objects: objects.collect(),
        })
    }

    /// The outcome where the draw begins at this offset.
    fn decide(&self, offset: u64) -> Outcome {
        let snapshot = Snapshot {
            pool: &self.pool,
            deleting: false,
            indexes: &BTreeMap::new(),
            objects: &self.objects,
            claims: std::slice::from_ref(&self.claim),
        };
        decide(&snapshot, &mut |size: u64| offset % size)
    }
}

fn check_draws(case: &Case, set: &Value) -> Result<(), String> {
    let wanted: BTreeSet<String> = serde_yaml::from_value(set.clone()).map_err(|e| e.to_string())?;
    let sizes = case.pool.entries().iter().filter_map(|entry| entry.size().ok());
    let offsets = sizes.max().unwrap_or(1).min(OFFSETS);
    let got: BTreeSet<String> = (0..offsets)
        .flat_map(|offset| case.decide(offset).granted)
        .map(|granted| granted.grant.address.to_string())
        .collect();
    check_equal("oneOf", got, wanted)
}

fn check_one(expected: Record<'_>, kind: ClaimKind, outcome: &Outcome) -> Result<(), String> {
    expected.only(&["address", "prefix", "gateway", "dnsServers", "error"])?;
    if let Some(error) = expected.text("error") {
        check_equal("granted", outcome.granted.len(), 0)?;
        let got = outcome.refused.first().map(|refused| refused.refusal.to_string());
        return check_equal("error", got, Some(error));
    }
    let Some(granted) = outcome.granted.first() else {
        return Err(format!("refused: {:?}", outcome.refused));
    };
    let grant = &granted.grant;
    if let Some(address) = expected.text("address") {
        check_equal("address", grant.address.to_string(), address)?;
    }
    if let Some(prefix) = expected.get("prefix") {
        check_equal("prefix", Some(grant.prefix), prefix.as_i64())?;
    }
    if let Some(gateway) = expected.get("gateway") {
        check_equal("gateway", grant.gateway.as_deref(), gateway.as_str())?;
    }
    if kind == ClaimKind::IPClaim && expected.get("dnsServers").is_some() {
        check_equal("dnsServers", grant.dns_servers.clone(), expected.read("dnsServers")?)?;
    }
    Ok(())
}
