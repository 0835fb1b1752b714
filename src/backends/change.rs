//! Takes two member lists and gives the steps from the first to the second, in an order in which the API never loses more members than it must; the way back is the same with the lists exchanged.
//!
//! New members come before old ones go, and old ones are drained first. Named nodes (`--node-name`) can make an exception
//! necessary: a node's address cannot be changed, and no two nodes have one address. Such a node waits until the one in
//! its way is gone.

use std::collections::{HashMap, HashSet};

use super::f5;
use super::finding::{About, PlanFinding};
use super::member_list::{Member, MemberList, VirtualService};
use crate::check::codes;

/// One change at the balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'l> {
    /// The service's health monitor.
    CreateMonitor(&'l VirtualService),
    /// The node of a member.
    CreateNode(&'l VirtualService, &'l Member),
    /// Another description for a node.
    DescribeNode(&'l VirtualService, &'l Member),
    /// The service's pool with members.
    CreatePool(&'l VirtualService, Vec<&'l Member>),
    /// A member of a pool that is there.
    AddMember(&'l VirtualService, &'l Member),
    /// Another description for a member.
    DescribeMember(&'l VirtualService, &'l Member),
    /// The service's virtual server.
    CreateVirtual(&'l VirtualService),
    /// Another VIP for a virtual server: the service as it was and as it will be.
    MoveVirtual(&'l VirtualService, &'l VirtualService),
    /// No new connections for a member.
    DrainMember(&'l VirtualService, &'l Member),
    /// The virtual server.
    DeleteVirtual(&'l VirtualService),
    /// A member.
    DeleteMember(&'l VirtualService, &'l Member),
    /// A pool.
    DeletePool(&'l VirtualService),
    /// A monitor.
    DeleteMonitor(&'l VirtualService),
    /// A node that no pool of the lists uses any more.
    DeleteNode(&'l VirtualService, &'l Member),
}

/// What a person must see to before members are disabled.
pub(super) const BEFORE_DRAINS: &str =
    "Wait here until the members that stay are up: the next step disables the first that goes.";

/// The index of the first step that disables a member; `None` when none does.
pub(super) fn before_drains(steps: &[Step<'_>]) -> Option<usize> {
    steps.iter().position(|step| matches!(step, Step::DrainMember(..)))
}

/// A warning for each service with members that come only after old ones went: a node name that moves to another address is
/// free only then.
pub(super) fn late_members(old: &MemberList, new: &MemberList) -> Vec<PlanFinding> {
    let difference = Difference::new(old, new);
    let mut findings = Vec::new();
    for service in &new.services {
        let late = service
            .members
            .iter()
            .filter(|member| difference.waits(service, member))
            .count();
        if late == 0 {
            continue;
        }
        let message = format!(
            "{late} of {} members of {} come only after old ones are removed, because node names move to other addresses",
            service.members.len(),
            service.description(),
        );
        let help = "name nodes by {address}, or apply the change in a maintenance window";
        findings.push(PlanFinding::new(
            &codes::BACKENDS_NODE_NAMES_MOVE,
            About::Cluster(service.index),
            message,
            help,
        ));
    }
    findings
}

/// The full name of the node of each address.
fn node_names(list: &MemberList) -> HashMap<String, String> {
    members(list)
        .map(|(service, member)| (f5::member_address(service, member), f5::node_path(service, member)))
        .collect()
}

/// The steps that make the new list out of the old one.
///
/// # Errors
/// Services that exchange their VIPs: no order of single steps does that.
pub fn steps<'l>(old: &'l MemberList, new: &'l MemberList) -> Result<Vec<Step<'l>>, Vec<PlanFinding>> {
    let difference = Difference::new(old, new);
    let mut steps = Vec::new();
    difference.prepare(&mut steps);
    difference.virtuals(&mut steps)?;
    difference.clear(&mut steps);
    difference.put_back(&mut steps);
    Ok(steps)
}

type Key<'l> = (&'l str, Option<&'l str>, &'l str, u16);
type Node<'l> = (&'l VirtualService, &'l Member);

struct Difference<'l> {
    old: &'l MemberList,
    new: &'l MemberList,
    before: HashMap<Key<'l>, &'l VirtualService>,
    after: HashMap<Key<'l>, &'l VirtualService>,
    nodes_before: HashMap<String, Node<'l>>,
    names_before: HashMap<String, String>,
    nodes_after: HashMap<String, Node<'l>>,
}

fn services(list: &MemberList) -> HashMap<Key<'_>, &VirtualService> {
    list.services.iter().map(|service| (service.key(), service)).collect()
}

/// The nodes of a list by their full name; the first member that uses one describes it.
fn nodes(list: &MemberList) -> HashMap<String, Node<'_>> {
    let mut nodes = HashMap::new();
    for (service, member) in members(list) {
        nodes.entry(f5::node_path(service, member)).or_insert((service, member));
    }
    nodes
}

fn members(list: &MemberList) -> impl Iterator<Item = Node<'_>> {
    list.services
        .iter()
        .flat_map(|service| service.members.iter().map(move |member| (service, member)))
}

/// Whether a service's pool knows a member: by node and port.
fn has<'l>(service: &'l VirtualService, wanted: &VirtualService, member: &Member) -> Option<&'l Member> {
    let path = f5::node_path(wanted, member);
    service
        .members
        .iter()
        .find(|other| other.port == member.port && f5::node_path(service, other) == path)
}

impl<'l> Difference<'l> {
    fn new(old: &'l MemberList, new: &'l MemberList) -> Self {
        Difference {
            before: services(old),
            after: services(new),
            nodes_before: nodes(old),
            names_before: node_names(old),
            nodes_after: nodes(new),
            old,
            new,
        }
    }

    /// Whether a new member's node must wait: its name, or its address, still belongs to another node.
    fn waits(&self, service: &VirtualService, member: &Member) -> bool {
        let path = f5::node_path(service, member);
        let address = f5::member_address(service, member);
        let held = self.nodes_before.get(&path);
        held.is_some_and(|(service, old)| f5::member_address(service, old) != address)
            || self.names_before.get(&address).is_some_and(|name| *name != path)
    }

    /// Whether an old member's node stays what it is.
    fn stays(&self, service: &VirtualService, member: &Member) -> bool {
        let now = self.nodes_after.get(&f5::node_path(service, member));
        now.is_some_and(|(after, new)| f5::member_address(after, new) == f5::member_address(service, member))
    }

    /// The members of an old service that leave it.
    fn leaving(&self, service: &'l VirtualService, new: &'l VirtualService) -> impl Iterator<Item = &'l Member> {
        service
            .members
            .iter()
            .filter(move |member| has(new, service, member).is_none() || !self.stays(service, member))
    }

    /// Everything that can be made or described while the old members serve.
    fn prepare(&self, steps: &mut Vec<Step<'l>>) {
        let fresh = || {
            self.new
                .services
                .iter()
                .filter(|service| !self.before.contains_key(&service.key()))
        };
        steps.extend(fresh().map(Step::CreateMonitor));
        let mut seen = HashSet::new();
        for (service, member) in members(self.new) {
            let path = f5::node_path(service, member);
            if !seen.insert(path.clone()) || self.waits(service, member) {
                continue;
            }
            match self.nodes_before.get(&path) {
                None => steps.push(Step::CreateNode(service, member)),
                Some((old_service, old)) => {
                    if old.description(&old_service.cluster) != member.description(&service.cluster) {
                        steps.push(Step::DescribeNode(service, member));
                    }
                }
            }
        }
        for service in fresh() {
            let now = service.members.iter().filter(|member| !self.waits(service, member));
            steps.push(Step::CreatePool(service, now.collect()));
        }
        let mut described = Vec::new();
        for service in &self.new.services {
            let Some(old) = self.before.get(&service.key()) else {
                continue;
            };
            for member in service.members.iter().filter(|member| !self.waits(service, member)) {
                match has(old, service, member) {
                    None => steps.push(Step::AddMember(service, member)),
                    Some(before) if before.description(&old.cluster) != member.description(&service.cluster) => {
                        described.push(Step::DescribeMember(service, member));
                    }
                    Some(_) => {}
                }
            }
        }
        steps.extend(described);
    }

    /// Virtual servers in an order in which no VIP and port is taken twice.
    fn virtuals(&self, steps: &mut Vec<Step<'l>>) -> Result<(), Vec<PlanFinding>> {
        let front = |service: &'l VirtualService| (&service.vip, service.port, service.route_domain);
        let mut taken: HashMap<_, &VirtualService> = self
            .old
            .services
            .iter()
            .map(|service| (front(service), service))
            .collect();
        let mut waiting: Vec<&'l VirtualService> = self.new.services.iter().collect();
        waiting.retain(|service| self.before.get(&service.key()).is_none_or(|old| old.vip != service.vip));
        let mut gone: Vec<&'l VirtualService> = self.old.services.iter().collect();
        gone.retain(|service| !self.after.contains_key(&service.key()));
        let mut removed = HashSet::new();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for service in waiting {
                let holder = taken.get(&front(service)).copied();
                match holder {
                    Some(holder) if !self.after.contains_key(&holder.key()) => {
                        // The VIP of a cluster that goes: it cannot be carried twice, not even for a moment.
                        removed.insert(holder.key());
                        steps.push(Step::DeleteVirtual(holder));
                    }
                    Some(_) => {
                        later.push(service);
                        continue;
                    }
                    None => {}
                }
                taken.insert(front(service), service);
                match self.before.get(&service.key()) {
                    Some(old) => {
                        taken.remove(&front(old));
                        steps.push(Step::MoveVirtual(old, service));
                    }
                    None => steps.push(Step::CreateVirtual(service)),
                }
            }
            if later.len() == before {
                return Err(later.into_iter().map(exchanged).collect());
            }
            waiting = later;
        }
        for service in self
            .new
            .services
            .iter()
            .filter_map(|service| self.before.get(&service.key()))
        {
            let new = self.after[&service.key()];
            let gone = self.leaving(service, new);
            steps.extend(gone.map(|member| Step::DrainMember(service, member)));
        }
        let left = gone.into_iter().filter(|service| !removed.contains(&service.key()));
        steps.extend(left.map(Step::DeleteVirtual));
        Ok(())
    }

    /// What nobody needs any more.
    fn clear(&self, steps: &mut Vec<Step<'l>>) {
        for service in &self.old.services {
            match self.after.get(&service.key()) {
                None => steps.extend([Step::DeletePool(service), Step::DeleteMonitor(service)]),
                Some(new) => {
                    let gone = self.leaving(service, new);
                    steps.extend(gone.map(|member| Step::DeleteMember(service, member)));
                }
            }
        }
        let mut seen = HashSet::new();
        for (service, member) in members(self.old) {
            let path = f5::node_path(service, member);
            let stays = self.stays(service, member);
            if seen.insert(path) && !stays {
                steps.push(Step::DeleteNode(service, member));
            }
        }
    }

    /// Nodes that had to wait, with their members.
    fn put_back(&self, steps: &mut Vec<Step<'l>>) {
        let mut seen = HashSet::new();
        let waited = |(service, member): &Node<'l>| self.waits(service, member);
        for (service, member) in members(self.new).filter(waited) {
            if seen.insert(f5::node_path(service, member)) {
                steps.push(Step::CreateNode(service, member));
            }
        }
        steps.extend(
            members(self.new)
                .filter(waited)
                .map(|(service, member)| Step::AddMember(service, member)),
        );
    }
}

fn exchanged(service: &VirtualService) -> PlanFinding {
    let message = format!(
        "the VIP {} of the cluster {} is carried by a service that gets another VIP in the same difference",
        service.vip, service.cluster
    );
    let help = "make two differences, the first of them to a free address";
    PlanFinding::new(
        &codes::BACKENDS_ENDPOINTS_EXCHANGED,
        About::Endpoint(service.index),
        message,
        help,
    )
}
