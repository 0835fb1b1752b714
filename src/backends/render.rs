//! Takes what is wanted in which format and gives its text: the whole list, the way to remove it, the difference from an earlier list, or the way back.

use super::change::{Step, late_members, steps};
use super::finding::PlanFinding;
use super::member_list::MemberList;
use super::{
    envoy, f5, f5_ansible, f5_as3, f5_icontrol, f5_terraform, f5_tmsh, haproxy, json, keepalived, list, listeners,
    nginx, table,
};
use crate::addressing::Format;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'l> {
    /// The member list of the input.
    pub list: &'l MemberList,
    /// An earlier one: only the difference is wanted.
    pub against: Option<&'l MemberList>,
    /// The way back is wanted.
    pub rollback: bool,
}

/// Why a format has no such form; `None` when it has.
#[must_use]
pub fn form_problem(format: Format, against: bool, rollback: bool) -> Option<String> {
    let name = format.name();
    let whole = match format {
        Format::F5Tmsh | Format::F5As3 | Format::F5Icontrol | Format::F5Ansible => return None,
        Format::Table | Format::List | Format::Csv | Format::Json => {
            let lonely = rollback && !against;
            return lonely.then(|| format!("{name} has no way back of its own; --rollback needs --against there"));
        }
        Format::F5Terraform => {
            "Terraform finds the difference from its state: write the new file, then `terraform plan`"
        }
        Format::Haproxy => "the file is the whole state: write the new file, then reload; the old process drains",
        Format::Nginx => "the file is the whole state: write the new file, then reload; the old workers drain",
        Format::Keepalived => "the file is the whole state: write the new file, then reload",
        Format::Envoy => "the file is the whole state: write the new file, then restart with a new epoch",
    };
    let what = if against { "a difference" } else { "a way back" };
    (against || rollback).then(|| format!("{name} has no form for {what}; {whole}"))
}

/// The text, and what is to be said about it.
///
/// # Errors
/// What the format cannot carry.
pub fn render(format: Format, wanted: Wanted<'_>) -> Result<(String, Vec<PlanFinding>), Vec<PlanFinding>> {
    let list = wanted.list;
    let for_f5 = matches!(
        format,
        Format::F5Tmsh | Format::F5As3 | Format::F5Icontrol | Format::F5Terraform | Format::F5Ansible
    );
    if for_f5 {
        f5::check(list)?;
        wanted.against.map_or(Ok(()), f5::check)?;
    }
    if format == Format::F5Ansible {
        f5_ansible::check(list)?;
        wanted.against.map_or(Ok(()), f5_ansible::check)?;
    }
    if matches!(
        format,
        Format::Haproxy | Format::Nginx | Format::Keepalived | Format::Envoy
    ) {
        listeners::apart(list)?;
    }
    let text = match format {
        Format::F5Tmsh => with_steps(wanted, f5_tmsh::render)?,
        Format::F5Icontrol => with_steps(wanted, f5_icontrol::render)?,
        Format::F5Ansible => match (wanted.against, wanted.rollback) {
            (None, false) => f5_ansible::render(list)?,
            (None, true) => with_steps(wanted, |steps| {
                f5_ansible::render_steps("Remove the kube-apiserver VIPs from BIG-IP", steps)
            })?,
            _ => with_steps(wanted, |steps| {
                f5_ansible::render_steps("Change the kube-apiserver members on BIG-IP", steps)
            })?,
        },
        Format::F5As3 => {
            let text = match (wanted.against, wanted.rollback) {
                (None, false) => f5_as3::render(list)?,
                (None, true) => f5_as3::remove(list)?,
                (Some(old), false) => f5_as3::change(old, list)?,
                (Some(old), true) => f5_as3::change(list, old)?,
            };
            return Ok((text, f5_as3::remarks(list)));
        }
        Format::F5Terraform => f5_terraform::render(list)?,
        Format::Haproxy => haproxy::render(list)?,
        Format::Keepalived => keepalived::render(list)?,
        Format::Nginx => nginx::render(list)?,
        Format::Envoy => envoy::render(list)?,
        Format::Table => with_rows(wanted, |table| table.aligned())?,
        Format::Csv => with_rows(wanted, |table| table.csv())?,
        Format::List => match wanted.against {
            None => list::render(list),
            Some(_) => with_steps(wanted, |steps| Ok(list::changes(steps)))?,
        },
        Format::Json => match wanted.against {
            None => json::render(list),
            Some(_) => with_steps(wanted, |steps| Ok(json::changes(steps)))?,
        },
    };
    Ok((text, late(format, wanted)))
}

/// What single changes cannot do in the order that serves best.
fn late(format: Format, wanted: Wanted<'_>) -> Vec<PlanFinding> {
    let steps = matches!(format, Format::F5Tmsh | Format::F5Icontrol | Format::F5Ansible);
    match wanted.against.filter(|_| steps) {
        Some(old) if wanted.rollback => late_members(wanted.list, old),
        Some(old) => late_members(old, wanted.list),
        None => Vec::new(),
    }
}

fn with_rows(wanted: Wanted<'_>, show: impl Fn(&crate::report::Table) -> String) -> Result<String, Vec<PlanFinding>> {
    if wanted.against.is_none() {
        return Ok(show(&table::rows(wanted.list)));
    }
    with_steps(wanted, |steps| {
        let rows = table::changes(steps);
        Ok(if rows.is_empty() { String::new() } else { show(&rows) })
    })
}

/// Without an earlier list, each cluster by itself: from nothing, or back to nothing.
fn with_steps(
    wanted: Wanted<'_>,
    show: impl Fn(&[Step<'_>]) -> Result<String, Vec<PlanFinding>>,
) -> Result<String, Vec<PlanFinding>> {
    if let Some(old) = wanted.against {
        let (from, to) = if wanted.rollback {
            (wanted.list, old)
        } else {
            (old, wanted.list)
        };
        return show(&steps(from, to)?);
    }
    let clusters = wanted.list.by_cluster();
    let nothing = MemberList::default();
    let mut all = Vec::new();
    for cluster in &clusters {
        let (from, to) = if wanted.rollback {
            (cluster, &nothing)
        } else {
            (&nothing, cluster)
        };
        all.extend(steps(from, to)?);
    }
    show(&all)
}
