//! Takes an address plan and the settings of the run, and gives the member list with everything that is to be said about it; refuses a list that would be wrong.

use std::collections::HashMap;

use super::endpoint;
use super::finding::{About, PlanFinding};
use super::group_members::GroupOf;
use super::member_list::{Member, MemberList, Vip, VirtualService};
use super::names;
use super::settings::Settings;
use crate::addressing::{API_SERVICE, Balancer, Members, Monitor, Selector};
use crate::check::codes;
use crate::ipam::Family;
use crate::planning::{AddressPlan, Certainty, ClusterPlan, GroupPlan};

/// The member list of a plan's clusters; `only` are names or `NAMESPACE/NAME`, none means all. The list is complete
/// only without an error among the findings.
#[must_use]
pub fn collect(plan: &AddressPlan, settings: &Settings, only: &[String]) -> (MemberList, Vec<PlanFinding>) {
    let mut findings = Vec::new();
    let mut list = MemberList::default();
    for (index, cluster) in plan.clusters.iter().enumerate() {
        if !only.is_empty() && !only.iter().any(|wanted| is(cluster, wanted)) {
            continue;
        }
        let collector = Collector {
            index,
            cluster,
            balancer: settings.of(
                cluster.namespace.as_deref(),
                cluster.name.as_deref().unwrap_or_default(),
            ),
        };
        match collector.services(&mut findings) {
            Ok(services) => list.services.extend(services),
            Err(finding) => findings.push(finding),
        }
    }
    list.services
        .sort_by(|a, b| (&a.cluster, &a.namespace).cmp(&(&b.cluster, &b.namespace)));
    twice(&list, &mut findings);
    (list, findings)
}

fn is(cluster: &ClusterPlan, wanted: &str) -> bool {
    let name = cluster.name.as_deref();
    name == Some(wanted)
        || wanted
            .split_once('/')
            .is_some_and(|(namespace, rest)| name == Some(rest) && cluster.namespace.as_deref() == Some(namespace))
}

struct Collector<'p> {
    index: usize,
    cluster: &'p ClusterPlan,
    balancer: &'p Balancer,
}

/// A service before its members are known.
struct Frontend<'p> {
    name: &'p str,
    groups: Vec<usize>,
    port: u16,
    member_port: u16,
    monitor: &'p Monitor,
}

impl<'p> Collector<'p> {
    fn services(&self, findings: &mut Vec<PlanFinding>) -> Result<Vec<VirtualService>, PlanFinding> {
        let name = self.name()?;
        let api = Frontend {
            name: API_SERVICE,
            groups: self.selected(&[Selector::ControlPlane]),
            port: self.balancer.port,
            member_port: self.balancer.port,
            monitor: &self.balancer.monitor,
        };
        if api.groups.is_empty() {
            let message = format!("the cluster {name} has no control plane with static addresses");
            let help = "give the control plane a pool, or choose other clusters with --cluster";
            return Err(self.refuse(&codes::BACKENDS_NO_GROUP, message, help));
        }
        let vip = endpoint::vip(self.index, self.cluster)?;
        let api = Frontend {
            port: self.front_port(findings),
            ..api
        };
        let mut services = vec![self.service(&api, &vip)?];
        for wish in &self.balancer.services {
            let frontend = Frontend {
                name: &wish.name,
                groups: self.selected(&wish.groups),
                port: wish.port,
                member_port: wish.port,
                monitor: &wish.monitor,
            };
            if frontend.groups.is_empty() {
                let message = format!(
                    "the service {} of the cluster {name} selects no group with static addresses",
                    wish.name
                );
                let help = "give the groups a pool, or correct the service's groups";
                return Err(self.refuse(&codes::BACKENDS_NO_GROUP, message, help));
            }
            services.push(self.service(&frontend, &vip)?);
        }
        self.remarks(name, findings);
        Ok(services)
    }

    /// The cluster's name; with it, the names of groups that stand in descriptions.
    fn name(&self) -> Result<&'p str, PlanFinding> {
        let Some(name) = self.cluster.name.as_deref() else {
            let message = "a group of the plan says nothing about its cluster, so its objects have no name";
            return Err(self.refuse(
                &codes::BACKENDS_NAME,
                message.to_owned(),
                "give the manifest that holds the Cluster as well",
            ));
        };
        let groups = self
            .cluster
            .groups
            .iter()
            .map(|group| ("the group", group.name.as_str()));
        let slots = self.cluster.groups.iter().flat_map(|group| &group.slots);
        let slots = slots.map(|slot| ("the slot", slot.name.as_str()));
        for (what, text) in std::iter::once(("the cluster", name)).chain(groups).chain(slots) {
            if let Some(problem) = names::problem(text) {
                let help = "correct the name, and substitute variables first";
                return Err(self.refuse(
                    &codes::BACKENDS_NAME,
                    format!("the name of {what} {text:?} {problem}"),
                    help,
                ));
            }
        }
        Ok(name)
    }

    fn front_port(&self, findings: &mut Vec<PlanFinding>) -> u16 {
        let port = self.cluster.endpoint.as_ref().and_then(|endpoint| endpoint.port);
        port.filter(|port| *port != 0).unwrap_or_else(|| {
            let port = self.balancer.port;
            let name = self.cluster.name.as_deref().unwrap_or_default();
            let message = format!("the endpoint of the cluster {name} has no port; {port} is used");
            let help = "set spec.controlPlaneEndpoint.port on the VSphereCluster";
            let about = About::Endpoint(self.index);
            findings.push(PlanFinding::new(&codes::BACKENDS_PORT_UNKNOWN, about, message, help).on(self.cluster));
            port
        })
    }

    fn selected(&self, selectors: &[Selector]) -> Vec<usize> {
        let groups = self.cluster.groups.iter().enumerate();
        let chosen = groups.filter(|(_, group)| selectors.iter().any(|selector| selects(selector, group)));
        chosen.map(|(index, _)| index).collect()
    }

    fn service(&self, frontend: &Frontend<'_>, vip: &Vip) -> Result<VirtualService, PlanFinding> {
        let family = match vip {
            Vip::Address(address) => Some(Family::of(*address)),
            Vip::Host(_) => None,
        };
        let mut members: Vec<Member> = Vec::new();
        for index in &frontend.groups {
            let group = GroupOf {
                cluster: (self.index, self.cluster),
                group: (*index, &self.cluster.groups[*index]),
                // A host name says nothing; the first group's family holds for all.
                family: family.or_else(|| members.first().map(|member| Family::of(member.address))),
                port: frontend.member_port,
            };
            for member in group.members(self.balancer)? {
                // Groups that share a pool list the same addresses.
                if !members.iter().any(|other| other.address == member.address) {
                    members.push(member);
                }
            }
        }
        members.sort_by_key(|member| member.kind);
        Ok(VirtualService {
            cluster: self.cluster.name.clone().unwrap_or_default(),
            namespace: self.cluster.namespace.clone(),
            index: self.index,
            name: frontend.name.to_owned(),
            vip: vip.clone(),
            port: frontend.port,
            monitor: frontend.monitor.clone(),
            partition: self.balancer.partition.clone(),
            route_domain: self.balancer.route_domain,
            node_name: self.balancer.node_name.clone(),
            members,
        })
    }

    /// What is worth knowing about a list that is right.
    fn remarks(&self, name: &str, findings: &mut Vec<PlanFinding>) {
        for index in self.selected(&[Selector::ControlPlane]) {
            let group = &self.cluster.groups[index];
            let about = About::Group(self.index, index);
            if self.balancer.members == Members::Replicas && group.surge != Some(0) {
                let message = format!("a roll-out of {name} moves its nodes to addresses that are no members");
                let help = "use `members: surge`, which lists them too";
                findings.push(PlanFinding::new(&codes::BACKENDS_WITHOUT_SURGE, about, message, help).on(self.cluster));
            }
            let shared = |nic: &crate::planning::NicPlan| {
                let others = self
                    .cluster
                    .groups
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != index);
                let mut nics = others.flat_map(|(_, group)| group.slots.iter().flat_map(|slot| &slot.nics));
                nics.any(|other| other.pool == nic.pool)
            };
            let nics = || group.slots.first().into_iter().flat_map(|slot| &slot.nics);
            if group.certainty == Certainty::Set && nics().any(shared) {
                let message =
                    format!("the control plane of {name} shares its pool; members that are other machines stay down");
                let help = "give the control plane a pool of its own";
                findings.push(PlanFinding::new(&codes::BACKENDS_SHARED_POOL, about, message, help).on(self.cluster));
            }
        }
    }

    fn refuse(&self, code: &'static crate::check::Code, message: String, help: &str) -> PlanFinding {
        PlanFinding::new(code, About::Cluster(self.index), message, help).on(self.cluster)
    }
}

fn selects(selector: &Selector, group: &GroupPlan) -> bool {
    match selector {
        Selector::ControlPlane => group.role == "control-plane",
        Selector::Workers => group.role == "worker",
        Selector::All => true,
        Selector::Group { kind, name } => group.kind == *kind && group.name == *name,
        Selector::Template(template) => group.template == *template,
    }
}

/// One VIP and port carries one service, one address is a member of one cluster.
fn twice(list: &MemberList, findings: &mut Vec<PlanFinding>) {
    let mut fronts: HashMap<(&Vip, u16, u16), &VirtualService> = HashMap::new();
    let mut members: HashMap<(std::net::IpAddr, u16), &VirtualService> = HashMap::new();
    let of = |service: &VirtualService| format!("{} of the cluster {}", service.title(), service.cluster);
    for service in &list.services {
        if let Some(other) = fronts.insert((&service.vip, service.port, service.route_domain), service) {
            let message = format!(
                "{} and {} both have the VIP {} and port {}",
                of(other),
                of(service),
                service.vip,
                service.port
            );
            let about = About::Endpoint(service.index);
            findings.push(PlanFinding::new(
                &codes::BACKENDS_ADDRESS_TWICE,
                about,
                message,
                "give one of them another VIP or port",
            ));
        }
        for member in &service.members {
            let other = members.insert((member.address, service.route_domain), service);
            let Some(other) = other.filter(|other| other.index != service.index) else {
                continue;
            };
            let message = format!("{} is a member of {} and of {}", member.address, of(other), of(service));
            let help = "correct the pools; addresses that overlap on purpose need route domains of their own";
            let about = About::Cluster(service.index);
            findings.push(PlanFinding::new(&codes::BACKENDS_ADDRESS_TWICE, about, message, help));
            break;
        }
    }
    for service in &list.services {
        let vip = service.address().map(|address| (address, service.route_domain));
        if let Some(other) = vip
            .and_then(|vip| members.get(&vip))
            .filter(|other| other.index != service.index)
        {
            let message = format!(
                "the VIP {} of the cluster {} is a member of {}",
                service.vip,
                service.cluster,
                of(other)
            );
            let help = "give the endpoint an address of its own";
            findings.push(PlanFinding::new(
                &codes::BACKENDS_ENDPOINT_IN_POOL,
                About::Endpoint(service.index),
                message,
                help,
            ));
        }
    }
}
