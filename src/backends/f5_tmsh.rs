//! Takes steps and gives tmsh commands, one complete command a line, for pasting at the prompt or `tmsh < FILE`.
//!
//! A line that begins with `#` is a note to whoever applies them. Texts stand in double quotes. What tmsh could read as something else than text is refused, although the names of a
//! list cannot hold it: quotes, backslashes, `$`, brackets, braces, `;`, backquotes, control characters, and `?`, the
//! help key of the prompt.

use std::fmt::Write as _;

use super::change::{BEFORE_DRAINS, Step, before_drains};
use super::f5;
use super::finding::{About, PlanFinding};
use super::member_list::{Member, VirtualService};
use super::names;
use crate::check::codes;

/// The commands of the steps.
pub(super) fn render(steps: &[Step<'_>]) -> Result<String, Vec<PlanFinding>> {
    let mut out = String::new();
    let drains = before_drains(steps);
    for (index, step) in steps.iter().enumerate() {
        if drains == Some(index) {
            let _ = writeln!(out, "# {BEFORE_DRAINS}");
        }
        if let Some(line) = command(step).map_err(|finding| vec![finding])? {
            out.push_str(&line);
            out.push('\n');
        }
    }
    if !out.is_empty() {
        out.push_str("save sys config\n");
    }
    Ok(out)
}

fn command(step: &Step<'_>) -> Result<Option<String>, PlanFinding> {
    Ok(Some(match step {
        Step::CreateMonitor(service) => return monitor(service),
        Step::CreateNode(service, member) => format!(
            "create ltm node {} address {} description {}",
            f5::node_path(service, member),
            f5::member_address(service, member),
            description(service, member)?,
        ),
        Step::DescribeNode(service, member) => {
            format!(
                "modify ltm node {} description {}",
                f5::node_path(service, member),
                description(service, member)?
            )
        }
        Step::CreatePool(service, members) => {
            let about = quoted(service, &names::description(&service.description()))?;
            let mut line = format!(
                "create ltm pool {} description {about} load-balancing-mode {} monitor {} service-down-action reset",
                f5::path(service, "pool"),
                f5::METHOD,
                f5::monitor(service),
            );
            if !members.is_empty() {
                let entries: Vec<String> = members
                    .iter()
                    .map(|member| entry(service, member))
                    .collect::<Result<_, _>>()?;
                let _ = write!(line, " members replace-all-with {{ {} }}", entries.join(" "));
            }
            line
        }
        Step::AddMember(service, member) => on_members(service, "add", &entry(service, member)?),
        Step::DescribeMember(service, member) => {
            let body = format!(
                "{} {{ description {} }}",
                name(service, member),
                description(service, member)?
            );
            on_members(service, "modify", &body)
        }
        Step::DrainMember(service, member) => on_members(
            service,
            "modify",
            &format!("{} {{ session user-disabled }}", name(service, member)),
        ),
        Step::DeleteMember(service, member) => on_members(service, "delete", &name(service, member)),
        Step::CreateVirtual(service) => virtual_server(service)?,
        Step::MoveVirtual(_, service) => {
            let vip = f5::vip(service)?;
            format!(
                "modify ltm virtual {} destination /{}/{} mask {} source {}",
                f5::path(service, "vs"),
                service.partition,
                f5::destination(vip, service),
                f5::mask(vip),
                f5::source(vip, service),
            )
        }
        Step::DeleteVirtual(service) => format!("delete ltm virtual {}", f5::path(service, "vs")),
        Step::DeletePool(service) => format!("delete ltm pool {}", f5::path(service, "pool")),
        Step::DeleteMonitor(service) => {
            return Ok(f5::probe(service)
                .map(|probe| format!("delete ltm monitor {} {}", probe.kind, f5::path(service, "mon"))));
        }
        Step::DeleteNode(service, member) => format!("delete ltm node {}", f5::node_path(service, member)),
    }))
}

fn monitor(service: &VirtualService) -> Result<Option<String>, PlanFinding> {
    let Some(probe) = f5::probe(service) else {
        return Ok(None);
    };
    let about = names::description(&format!("{} {}", service.description(), probe.uri));
    Ok(Some(format!(
        "create ltm monitor {kind} {path} defaults-from /Common/{kind} description {about} destination *:* interval {interval} \
         timeout {timeout} recv {receive} send \"{send}\"",
        kind = probe.kind,
        path = f5::path(service, "mon"),
        about = quoted(service, &about)?,
        interval = f5::INTERVAL,
        timeout = f5::TIMEOUT,
        receive = quoted(service, &probe.receive)?,
        // The backslashes of `\r\n` are meant: tmsh and the configuration file both want them single.
        send = probe.send,
    )))
}

fn virtual_server(service: &VirtualService) -> Result<String, PlanFinding> {
    let vip = f5::vip(service)?;
    let about = names::description(&format!("{} VIP", service.description()));
    Ok(format!(
        "create ltm virtual {} description {} destination /{}/{} ip-protocol tcp mask {} source {} profiles replace-all-with \
         {{ /Common/fastL4 }} pool {} persist none source-address-translation {{ type automap }}",
        f5::path(service, "vs"),
        quoted(service, &about)?,
        service.partition,
        f5::destination(vip, service),
        f5::mask(vip),
        f5::source(vip, service),
        f5::path(service, "pool"),
    ))
}

fn on_members(service: &VirtualService, doing: &str, what: &str) -> String {
    format!(
        "modify ltm pool {} members {doing} {{ {what} }}",
        f5::path(service, "pool")
    )
}

/// A member with its body, enabled from the start: the monitor decides.
fn entry(service: &VirtualService, member: &Member) -> Result<String, PlanFinding> {
    Ok(format!(
        "{} {{ address {} description {} session user-enabled state user-up }}",
        name(service, member),
        f5::member_address(service, member),
        description(service, member)?,
    ))
}

fn name(service: &VirtualService, member: &Member) -> String {
    format!("/{}/{}", f5::NODES, f5::member(service, member))
}

fn description(service: &VirtualService, member: &Member) -> Result<String, PlanFinding> {
    quoted(service, &names::description(&member.description(&service.cluster)))
}

/// A text in double quotes.
fn quoted(service: &VirtualService, text: &str) -> Result<String, PlanFinding> {
    let bad = |char: char| char.is_control() || !char.is_ascii() || "\"\\$[]{};`?".contains(char);
    if text.contains(bad) {
        let message = format!("{text:?} cannot stand in a tmsh command");
        let help = "use letters, digits and plain signs";
        return Err(PlanFinding::new(
            &codes::BACKENDS_NAME,
            About::Cluster(service.index),
            message,
            help,
        ));
    }
    Ok(format!("\"{text}\""))
}
