//! Takes a member list, or steps, and gives JSON of a fixed shape for other programs.

use serde_json::{Value, json};

use super::change::Step;
use super::member_list::{Member, MemberList, VirtualService};
use crate::addressing::{API_VERSION, Monitor};

/// A `BackendList`.
pub(super) fn render(list: &MemberList) -> String {
    let items: Vec<Value> = list.services.iter().map(service).collect();
    document("BackendList", "items", items)
}

/// A `BackendChange`: what happens to which member, in the order in which it should.
pub(super) fn changes(steps: &[Step<'_>]) -> String {
    let mut items = Vec::new();
    for step in steps {
        let mut add = |change: &str, service: &VirtualService, of: &Member| {
            let mut item = frontend(service);
            item["change"] = json!(change);
            item["member"] = member(service, of);
            items.push(item);
        };
        match step {
            Step::AddMember(service, member) => add("add", service, member),
            Step::CreatePool(service, members) => members.iter().for_each(|member| add("add", service, member)),
            Step::DescribeMember(service, member) => add("relabel", service, member),
            Step::DrainMember(service, member) => add("drain", service, member),
            Step::DeleteMember(service, member) => add("remove", service, member),
            Step::DeletePool(service) => service.members.iter().for_each(|member| add("remove", service, member)),
            Step::MoveVirtual(old, service) => {
                let mut item = frontend(service);
                item["change"] = json!("vip");
                item["oldVip"] = json!(old.vip.to_string());
                items.push(item);
            }
            _ => {}
        }
    }
    document("BackendChange", "changes", items)
}

fn document(kind: &str, key: &str, items: Vec<Value>) -> String {
    format!("{:#}\n", json!({"apiVersion": API_VERSION, "kind": kind, key: items}))
}

fn frontend(service: &VirtualService) -> Value {
    json!({
        "cluster": service.cluster,
        "namespace": service.namespace,
        "service": service.title(),
        "vip": service.vip.to_string(),
        "port": service.port,
    })
}

fn service(service: &VirtualService) -> Value {
    let monitor = match &service.monitor {
        Monitor::Tcp => json!({"type": "tcp"}),
        Monitor::Http { tls, path, codes } => {
            json!({"type": if *tls { "https" } else { "http" }, "path": path, "codes": codes})
        }
    };
    let members: Vec<Value> = service.members.iter().map(|of| member(service, of)).collect();
    let mut item = frontend(service);
    item["monitor"] = monitor;
    item["members"] = json!(members);
    item
}

fn member(service: &VirtualService, member: &Member) -> Value {
    json!({
        "address": member.address.to_string(),
        "port": member.port,
        "slot": member.slot,
        "kind": member.kind.to_string(),
        "description": member.description(&service.cluster),
    })
}
