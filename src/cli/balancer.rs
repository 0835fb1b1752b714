//! What `backends` and `transform --write-backends` share: the flags for the load balancer, and the member list of a plan with its findings.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value, json};

use super::given::Computed;
use crate::addressing::{Format, read_service};
use crate::backends::{About, MemberList, PlanFinding, Settings, collect};
use crate::check::{Accepted, Finding, Place, Severity, accept, codes, has_errors};
use crate::planning::AddressPlan;

/// The keys of `backends`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load balancer")]
pub(super) struct BalancerFlags {
    /// Which addresses become members: one for each replica, those that replicas and surge can hold, or the whole pool
    /// [default: surge]
    #[arg(long, value_name = "replicas|surge|pool")]
    members: Option<String>,
    /// networkName of the NICs that become members; needed when several fit
    #[arg(long, value_name = "NETWORK")]
    members_network: Option<String>,
    /// Port of the members; in front it is the endpoint's [default: 6443]
    #[arg(long, value_name = "PORT")]
    port: Option<u32>,
    /// How the API's members are checked: readyz (GET /readyz, 200), readyz-any-auth (401 and 403 too), tcp, http:/PATH,
    /// https:/PATH [default: readyz]
    #[arg(long, value_name = "MONITOR")]
    monitor: Option<String>,
    /// A further service on the VIP, its groups, port and monitor (tcp without one); may be repeated
    #[arg(long = "service", value_name = "NAME=SELECTOR,…:PORT[:MONITOR]")]
    services: Vec<ServiceFlag>,
    /// F5 partition of monitors, pools and virtual servers [default: Common]
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// F5 route domain
    #[arg(long, value_name = "ID")]
    route_domain: Option<u32>,
    /// Names of F5 nodes, with {cluster}, {slot} and {address} [default: {address}]
    #[arg(long, value_name = "TEMPLATE")]
    node_name: Option<String>,
}

/// `NAME=SELECTOR,…:PORT[:MONITOR]`.
#[derive(Clone, Debug)]
struct ServiceFlag(Value);

impl FromStr for ServiceFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(ServiceFlag(read_service(text)?))
    }
}

impl BalancerFlags {
    /// The keys of `backends` that the flags give.
    pub(super) fn keys(&self) -> Map<String, Value> {
        let mut keys = Map::new();
        let texts = [
            ("members", &self.members),
            ("membersNetwork", &self.members_network),
            ("monitor", &self.monitor),
            ("partition", &self.partition),
            ("nodeName", &self.node_name),
        ];
        for (key, text) in texts {
            keys.extend(text.iter().map(|text| (key.to_owned(), json!(text))));
        }
        for (key, number) in [("port", self.port), ("routeDomain", self.route_domain)] {
            keys.extend(number.map(|number| (key.to_owned(), json!(number))));
        }
        if !self.services.is_empty() {
            let services: Vec<&Value> = self.services.iter().map(|service| &service.0).collect();
            keys.insert("services".into(), json!(services));
        }
        keys
    }
}

/// `FORMAT=FILE`.
#[derive(Clone, Debug)]
pub(super) struct FormatFile {
    pub(super) format: Format,
    pub(super) file: PathBuf,
}

impl FromStr for FormatFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = text
            .split_once('=')
            .ok_or("write it as FORMAT=FILE, such as f5-tmsh=backends.tmsh")?;
        if file.is_empty() {
            return Err("a file must follow `=`".to_owned());
        }
        let format = format
            .parse()
            .map_err(|error| format!("{error}; allowed are {}", crate::addressing::format_names()))?;
        Ok(FormatFile {
            format,
            file: file.into(),
        })
    }
}

/// Findings that are reported, and those that the configurations accept.
pub(super) type Judged = (Vec<Finding>, Vec<Accepted>);

/// The member list of a plan. Its findings, and those of formats, are accepted as the configurations say.
pub(super) struct Members<'c> {
    pub(super) list: MemberList,
    pub(super) findings: Vec<Finding>,
    pub(super) computed: &'c Computed,
    place: &'c dyn Fn(About) -> Option<Place>,
}

impl<'c> Members<'c> {
    /// Collects the members; `only` are the clusters that are wanted, none means all.
    pub(super) fn of(
        plan: &AddressPlan,
        computed: &'c Computed,
        only: &[String],
        place: &'c dyn Fn(About) -> Option<Place>,
    ) -> Self {
        let mut members = Members {
            list: MemberList::default(),
            findings: Vec::new(),
            computed,
            place,
        };
        // Without settings the configuration has errors, which are reported already.
        let Some(balancer) = &computed.balancer else {
            return members;
        };
        let (list, findings) = collect(plan, &balancer.settings, only);
        members.list = list;
        members.add(findings);
        members
    }

    /// What lists are made with.
    pub(super) fn settings(&self) -> Option<&'c Settings> {
        self.computed.balancer.as_ref().map(|balancer| &balancer.settings)
    }

    /// Adds what a format has to say.
    pub(super) fn add(&mut self, findings: Vec<PlanFinding>) {
        let place = self.place;
        self.findings.extend(findings.into_iter().map(|found| Finding {
            place: place(found.about),
            ..*found.finding
        }));
    }

    /// Whether an error forbids any list.
    pub(super) fn refused(&self) -> bool {
        has_errors(&self.findings)
    }

    /// All findings, as the configurations accept them.
    pub(super) fn accepted(self) -> Judged {
        let acceptances = self
            .computed
            .balancer
            .as_ref()
            .map(|balancer| &balancer.acceptances[..]);
        accept(self.findings, acceptances.unwrap_or_default())
    }
}

/// The findings about an earlier plan: only what makes its list wrong, and without places.
pub(super) fn earlier(findings: Vec<PlanFinding>) -> Vec<Finding> {
    let errors = findings
        .into_iter()
        .filter(|found| found.finding.severity == Severity::Error);
    errors
        .map(|found| Finding {
            message: format!("in the earlier plan: {}", found.finding.message),
            ..*found.finding
        })
        .collect()
}

/// A warning for each cluster of the earlier list that is not in this one.
pub(super) fn gone(old: &MemberList, new: &MemberList) -> Vec<Finding> {
    let key = |service: &crate::backends::VirtualService| (service.namespace.clone(), service.cluster.clone());
    let mut left: Vec<_> = old.services.iter().map(key).collect();
    let there: std::collections::HashSet<_> = new.services.iter().map(key).collect();
    left.dedup();
    let gone = left.into_iter().filter(|cluster| !there.contains(cluster));
    gone.map(|(_, name)| {
        let message = format!("the cluster {name} of the earlier plan is gone: its VIP and members are removed");
        Finding::new(&codes::BACKENDS_CLUSTER_GONE, message)
            .help("if it still runs, give its manifest too, or choose other clusters with --cluster")
    })
    .collect()
}
