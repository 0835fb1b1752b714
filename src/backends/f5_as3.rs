//! Takes a member list and gives an AS3 declaration: one tenant for each cluster, or the wanted partition as the tenant of all; a tenant is always complete.
//!
//! AS3 cannot write into Common. A text is at most 64 characters of plain ASCII without quotes, backslashes and
//! backquotes; what cannot be such a text is refused.

use std::collections::HashMap;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::f5;
use super::finding::{About, PlanFinding};
use super::member_list::{Member, MemberList, VirtualService};
use super::names;
use crate::addressing::Monitor;
use crate::check::codes;

/// The partition that AS3 cannot write into.
const COMMON: &str = "Common";

/// The declaration of the whole list.
pub(super) fn render(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    declaration(list, &[])
}

/// The declaration that takes the list's tenants away.
pub(super) fn remove(list: &MemberList) -> Result<String, Vec<PlanFinding>> {
    let mut tenants: Vec<String> = list.services.iter().map(tenant).collect();
    tenants.dedup();
    declaration(&MemberList::default(), &tenants)
}

/// The declaration of the tenants that differ between two lists, as they are in the new one.
pub(super) fn change(old: &MemberList, new: &MemberList) -> Result<String, Vec<PlanFinding>> {
    let (before, after) = (tenants(old)?, tenants(new)?);
    let changed = |service: &&VirtualService| {
        let tenant = tenant(service);
        before.get(&tenant) != after.get(&tenant)
    };
    let services: Vec<VirtualService> = new.services.iter().filter(changed).cloned().collect();
    let gone: Vec<String> = before
        .keys()
        .filter(|tenant| !after.contains_key(*tenant))
        .cloned()
        .collect();
    if services.is_empty() && gone.is_empty() {
        return Ok(String::new());
    }
    declaration(&MemberList { services }, &gone)
}

/// What is to be said about the tenants of a declaration.
pub(super) fn remarks(list: &MemberList) -> Vec<PlanFinding> {
    let mut seen = Vec::new();
    let mut findings = Vec::new();
    for service in &list.services {
        let partition = &service.partition;
        let common = partition == COMMON;
        if seen.contains(&partition) {
            continue;
        }
        seen.push(partition);
        let message = if common {
            "AS3 cannot write into the partition Common: each cluster gets a tenant of its own".to_owned()
        } else {
            format!("the declaration replaces the whole tenant {partition}: what else is in it goes")
        };
        let help = if common {
            format!(
                "the tenant of {} is {}; --partition NAME puts all clusters into one",
                service.cluster,
                tenant(service)
            )
        } else {
            format!("keep {partition} for these clusters alone")
        };
        findings.push(PlanFinding::new(
            &codes::BACKENDS_AS3_TENANT,
            About::Cluster(service.index),
            message,
            help,
        ));
    }
    findings
}

fn tenant(service: &VirtualService) -> String {
    names::identifier(if service.partition == COMMON {
        &service.cluster
    } else {
        &service.partition
    })
}

/// The application within the tenant, and the stem of its objects.
fn application(service: &VirtualService) -> String {
    if service.partition == COMMON {
        return names::identifier(&service.name);
    }
    names::identifier(&format!("{}_{}", service.cluster, service.name))
}

fn declaration(list: &MemberList, gone: &[String]) -> Result<String, Vec<PlanFinding>> {
    let named = list.services.iter().any(|service| !service.node_name.is_address());
    let one = match &list.services[..] {
        [first, rest @ ..] if rest.iter().all(|other| other.index == first.index) => Some(first),
        _ => None,
    };
    let mut adc = Map::new();
    adc.insert("class".into(), json!("ADC"));
    // Named nodes are newer than all else that is used here.
    adc.insert("schemaVersion".into(), json!(if named { "3.35.0" } else { "3.17.0" }));
    adc.insert(
        "id".into(),
        json!(one.map_or_else(
            || "capv-ipam-backends".to_owned(),
            |service| names::fitted(&format!("{}-{}", service.cluster, service.name), 255)
        )),
    );
    let label = one.map_or_else(
        || "kube-apiserver VIPs".to_owned(),
        |service| names::description(&service.description()),
    );
    adc.insert("label".into(), json!(label));
    adc.extend(tenants(list)?);
    adc.extend(gone.iter().map(|tenant| (tenant.clone(), json!({"class": "Tenant"}))));
    let request = json!({"class": "AS3", "action": "deploy", "persist": true, "declaration": adc});
    Ok(format!("{request:#}\n"))
}

fn tenants(list: &MemberList) -> Result<Map<String, Value>, Vec<PlanFinding>> {
    let mut owners: HashMap<String, &VirtualService> = HashMap::new();
    let mut tenants = Map::new();
    vips_apart(list)?;
    names::unique(list, "AS3 application", |service| {
        format!("{}/{}", tenant(service), application(service))
    })?;
    for service in &list.services {
        let tenant = tenant(service);
        let owner = *owners.entry(tenant.clone()).or_insert(service);
        let shared = owner.partition == service.partition && service.partition != COMMON;
        if owner.index != service.index && !shared {
            let message = format!(
                "the clusters {} and {} both get the AS3 tenant {tenant}",
                owner.cluster, service.cluster
            );
            let help = "choose one of them with --cluster, or give one a partition";
            return Err(vec![PlanFinding::new(
                &codes::BACKENDS_NAMES_COLLIDE,
                About::Cluster(service.index),
                message,
                help,
            )]);
        }
        let application_object = application_object(service).map_err(|finding| vec![finding])?;
        let entry = tenants.entry(tenant).or_insert_with(|| json!({"class": "Tenant"}));
        if let Value::Object(entry) = entry {
            entry.insert(application(service), application_object);
        }
    }
    Ok(tenants)
}

/// Refuses a VIP in two tenants: AS3 makes its virtual address in each, and the device has it once.
fn vips_apart(list: &MemberList) -> Result<(), Vec<PlanFinding>> {
    let mut holders: HashMap<(Option<IpAddr>, u16), &VirtualService> = HashMap::new();
    let mut findings = Vec::new();
    for service in &list.services {
        let holder = *holders
            .entry((service.address(), service.route_domain))
            .or_insert(service);
        if tenant(holder) == tenant(service) {
            continue;
        }
        let message = format!(
            "the clusters {} and {} have the VIP {}, and AS3 cannot put one VIP into the tenants {} and {}",
            holder.cluster,
            service.cluster,
            service.vip,
            tenant(holder),
            tenant(service)
        );
        let help = "put both into one tenant with --partition NAME, or give one of them another VIP";
        let about = About::Endpoint(service.index);
        findings.push(PlanFinding::new(&codes::BACKENDS_ADDRESS_TWICE, about, message, help));
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn application_object(service: &VirtualService) -> Result<Value, PlanFinding> {
    let vip = f5::vip(service)?;
    let stem = names::identifier(&service.name);
    let (virtual_server, pool, monitor) = (format!("{stem}_vs"), format!("{stem}_pool"), format!("{stem}_mon"));
    let members: Vec<Value> = service
        .members
        .iter()
        .map(|member| member_object(service, member))
        .collect::<Result<_, _>>()?;
    let uses = match service.monitor {
        Monitor::Tcp => json!({"bigip": "/Common/tcp"}),
        Monitor::Http { .. } => json!({"use": monitor}),
    };
    let mut application = Map::new();
    application.insert("class".into(), json!("Application"));
    application.insert("template".into(), json!("generic"));
    application.insert(
        virtual_server,
        json!({
            "class": "Service_L4",
            "remark": text(service, &format!("{} VIP", service.description()))?,
            "virtualAddresses": [f5::address(vip, service.route_domain)],
            "virtualPort": service.port,
            "layer4": "tcp",
            "profileL4": "basic",
            // AS3 turns source-address persistence on unless it is told not to.
            "snat": "auto",
            "persistenceMethods": [],
            "pool": pool,
        }),
    );
    application.insert(
        pool,
        json!({
            "class": "Pool",
            "remark": text(service, &service.description())?,
            "loadBalancingMode": f5::METHOD,
            "monitors": [uses],
            "serviceDownAction": "reset",
            "members": members,
        }),
    );
    if let Some(probe) = f5::probe(service) {
        application.insert(
            monitor,
            json!({
                "class": "Monitor",
                "remark": text(service, &format!("{} {}", service.description(), probe.uri))?,
                "monitorType": probe.kind,
                "interval": f5::INTERVAL,
                "timeout": f5::TIMEOUT,
                "send": probe.send,
                "receive": probe.receive,
            }),
        );
    }
    Ok(Value::Object(application))
}

/// One object for each address, so that one member can be drained alone.
fn member_object(service: &VirtualService, member: &Member) -> Result<Value, PlanFinding> {
    let address = f5::member_address(service, member);
    let mut object = Map::new();
    object.insert("servicePort".into(), json!(member.port));
    if service.node_name.is_address() {
        object.insert("serverAddresses".into(), json!([address]));
    } else {
        object.insert(
            "servers".into(),
            json!([{"name": f5::node(service, member), "address": address}]),
        );
    }
    object.insert(
        "remark".into(),
        json!(text(service, &member.description(&service.cluster))?),
    );
    object.insert("shareNodes".into(), json!(true));
    object.insert("adminState".into(), json!("enable"));
    Ok(Value::Object(object))
}

/// AS3's rule for `remark`.
fn text(service: &VirtualService, text: &str) -> Result<String, PlanFinding> {
    let text = names::description(text);
    let bad = |char: char| char.is_control() || !char.is_ascii() || "\"\\`".contains(char);
    if text.contains(bad) {
        let message = format!("{text:?} cannot stand in an AS3 declaration");
        let help = "use letters, digits and plain signs";
        return Err(PlanFinding::new(
            &codes::BACKENDS_NAME,
            About::Cluster(service.index),
            message,
            help,
        ));
    }
    Ok(text)
}
