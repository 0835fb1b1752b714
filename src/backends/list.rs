//! Takes a member list, or steps, and gives `ADDRESS:PORT` lines for scripts; `+` and `-` in front say what changes.

use super::change::Step;
use super::member_list::{Member, MemberList};

/// Every member once, in the list's order.
pub(super) fn render(list: &MemberList) -> String {
    let members = list.services.iter().flat_map(|service| &service.members);
    lines(members.map(Member::socket))
}

/// What comes, then what goes.
pub(super) fn changes(steps: &[Step<'_>]) -> String {
    let changes = steps.iter().flat_map(|step| -> Vec<String> {
        match step {
            Step::AddMember(_, member) => vec![format!("+{}", member.socket())],
            Step::CreatePool(_, members) => members.iter().map(|member| format!("+{}", member.socket())).collect(),
            Step::DeleteMember(_, member) => vec![format!("-{}", member.socket())],
            Step::DeletePool(service) => service
                .members
                .iter()
                .map(|member| format!("-{}", member.socket()))
                .collect(),
            _ => Vec::new(),
        }
    });
    lines(changes)
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    let mut seen = std::collections::HashSet::new();
    lines
        .filter(|line| seen.insert(line.clone()))
        .map(|line| line + "\n")
        .collect()
}
