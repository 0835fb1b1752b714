//! Takes steps and gives the iControl REST calls in order, as a JSON list of method, path and body; nodes come with their members.

use serde_json::{Value, json};

use super::change::Step;
use super::f5;
use super::finding::PlanFinding;
use super::member_list::{Member, VirtualService};
use super::names;

/// The calls of the steps.
pub(super) fn render(steps: &[Step<'_>]) -> Result<String, Vec<PlanFinding>> {
    let calls: Result<Vec<Option<Value>>, PlanFinding> = steps.iter().map(call).collect();
    let calls: Vec<Value> = calls.map_err(|finding| vec![finding])?.into_iter().flatten().collect();
    Ok(format!("{:#}\n", Value::Array(calls)))
}

fn call(step: &Step<'_>) -> Result<Option<Value>, PlanFinding> {
    Ok(Some(match step {
        Step::CreateMonitor(service) => return Ok(monitor(service)),
        // A member makes its node, which then has no description of its own.
        Step::CreateNode(..) | Step::DescribeNode(..) => return Ok(None),
        Step::CreatePool(service, members) => post(
            "/mgmt/tm/ltm/pool",
            json!({
                "name": names::object(service, "pool"),
                "partition": service.partition,
                "description": names::description(&service.description()),
                "loadBalancingMode": f5::METHOD,
                "monitor": f5::monitor(service),
                "serviceDownAction": "reset",
                "members": members.iter().map(|member| body(service, member)).collect::<Vec<_>>(),
            }),
        ),
        Step::AddMember(service, member) => post(&format!("{}/members", pool(service)), body(service, member)),
        Step::DescribeMember(service, member) => {
            let body = json!({"description": description(service, member)});
            patch(&member_path(service, member), body)
        }
        Step::DrainMember(service, member) => patch(&member_path(service, member), json!({"session": "user-disabled"})),
        Step::DeleteMember(service, member) => delete(&member_path(service, member)),
        Step::CreateVirtual(service) => virtual_server(service)?,
        Step::MoveVirtual(_, service) => {
            let vip = f5::vip(service)?;
            let body = json!({
                "destination": format!("/{}/{}", service.partition, f5::destination(vip, service)),
                "mask": f5::mask(vip),
                "source": f5::source(vip, service),
            });
            patch(
                &format!("/mgmt/tm/ltm/virtual/{}", escaped(&f5::path(service, "vs"))),
                body,
            )
        }
        Step::DeleteVirtual(service) => delete(&format!("/mgmt/tm/ltm/virtual/{}", escaped(&f5::path(service, "vs")))),
        Step::DeletePool(service) => delete(&pool(service)),
        Step::DeleteMonitor(service) => {
            return Ok(f5::probe(service).map(|probe| {
                delete(&format!(
                    "/mgmt/tm/ltm/monitor/{}/{}",
                    probe.kind,
                    escaped(&f5::path(service, "mon"))
                ))
            }));
        }
        Step::DeleteNode(service, member) => delete(&format!(
            "/mgmt/tm/ltm/node/{}",
            escaped(&f5::node_path(service, member))
        )),
    }))
}

fn monitor(service: &VirtualService) -> Option<Value> {
    let probe = f5::probe(service)?;
    let body = json!({
        "name": names::object(service, "mon"),
        "partition": service.partition,
        "defaultsFrom": format!("/Common/{}", probe.kind),
        "description": names::description(&format!("{} {}", service.description(), probe.uri)),
        "destination": "*:*",
        "interval": f5::INTERVAL,
        "timeout": f5::TIMEOUT,
        "send": probe.send,
        "recv": probe.receive,
    });
    Some(post(&format!("/mgmt/tm/ltm/monitor/{}", probe.kind), body))
}

fn virtual_server(service: &VirtualService) -> Result<Value, PlanFinding> {
    let vip = f5::vip(service)?;
    let body = json!({
        "name": names::object(service, "vs"),
        "partition": service.partition,
        "description": names::description(&format!("{} VIP", service.description())),
        "destination": format!("/{}/{}", service.partition, f5::destination(vip, service)),
        "ipProtocol": "tcp",
        "mask": f5::mask(vip),
        "source": f5::source(vip, service),
        "profiles": [{"name": "/Common/fastL4"}],
        "pool": f5::path(service, "pool"),
        "sourceAddressTranslation": {"type": "automap"},
        "translateAddress": "enabled",
        "translatePort": "enabled",
    });
    Ok(post("/mgmt/tm/ltm/virtual", body))
}

fn body(service: &VirtualService, member: &Member) -> Value {
    json!({
        "name": f5::member(service, member),
        "partition": f5::NODES,
        "address": f5::member_address(service, member),
        "description": description(service, member),
        "session": "user-enabled",
        "state": "user-up",
    })
}

fn description(service: &VirtualService, member: &Member) -> String {
    names::description(&member.description(&service.cluster))
}

fn pool(service: &VirtualService) -> String {
    format!("/mgmt/tm/ltm/pool/{}", escaped(&f5::path(service, "pool")))
}

fn member_path(service: &VirtualService, member: &Member) -> String {
    let name = format!("/{}/{}", f5::NODES, f5::member(service, member));
    format!("{}/members/{}", pool(service), escaped(&name))
}

/// A full name as a part of a path: `/` becomes `~`, and the `%` of a route domain `%25`.
fn escaped(path: &str) -> String {
    path.replace('%', "%25").replace('/', "~")
}

fn post(path: &str, body: Value) -> Value {
    json!({"method": "POST", "path": path, "body": body})
}

fn patch(path: &str, body: Value) -> Value {
    json!({"method": "PATCH", "path": path, "body": body})
}

fn delete(path: &str) -> Value {
    json!({"method": "DELETE", "path": path})
}
