//! Takes a member list, or steps, and gives its rows for people and spreadsheets: one line for each member.

use super::change::Step;
use super::member_list::{Member, MemberList, VirtualService};
use crate::report::Table;

const TITLES: [&str; 10] = [
    "CLUSTER",
    "SERVICE",
    "VIP",
    "PORT",
    "SLOT",
    "KIND",
    "MEMBER",
    "MEMBER-PORT",
    "STATE",
    "MONITOR",
];

/// Every member.
pub(super) fn rows(list: &MemberList) -> Table {
    let mut table = Table::new(&TITLES);
    for service in &list.services {
        service
            .members
            .iter()
            .for_each(|member| table.row(row(service, Some(member))));
    }
    table
}

/// What changes, in the order in which it should.
pub(super) fn changes(steps: &[Step<'_>]) -> Table {
    let titles: Vec<&'static str> = std::iter::once("CHANGE").chain(TITLES).collect();
    let mut table = Table::new(&titles);
    let mut add = |change: &str, service: &VirtualService, member: Option<&Member>| {
        let mut cells = vec![change.to_owned()];
        cells.extend(row(service, member));
        if change == "remove" {
            "removed".clone_into(&mut cells[9]);
        }
        table.row(cells);
    };
    for step in steps {
        match step {
            Step::AddMember(service, member) => add("add", service, Some(member)),
            Step::CreatePool(service, members) => members.iter().for_each(|member| add("add", service, Some(member))),
            Step::DescribeMember(service, member) => add("relabel", service, Some(member)),
            Step::MoveVirtual(old, service) => {
                add("vip-old", old, None);
                add("vip-new", service, None);
            }
            Step::DeleteMember(service, member) => add("remove", service, Some(member)),
            Step::DeletePool(service) => service
                .members
                .iter()
                .for_each(|member| add("remove", service, Some(member))),
            _ => {}
        }
    }
    table
}

fn row(service: &VirtualService, member: Option<&Member>) -> Vec<String> {
    let of = |text: &dyn Fn(&Member) -> String| member.map(text).unwrap_or_default();
    vec![
        service.cluster.clone(),
        service.title().to_owned(),
        service.vip.to_string(),
        service.port.to_string(),
        of(&|member| member.slot.clone()),
        of(&|member| member.kind.to_string()),
        of(&|member| member.address.to_string()),
        of(&|member| member.port.to_string()),
        of(&|_| "enabled".to_owned()),
        service.monitor.to_string(),
    ]
}
