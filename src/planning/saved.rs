//! Takes the text of a plan that was saved, gives the plan, or everything about the text that would make a comparison with it
//! wrong: another kind or version, keys that are not known, values that do not belong together.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use serde_json::Value;

use super::plan::{AddressPlan, Certainty, ClusterPlan, GroupPlan, NicPlan, SlotKind};
use crate::addressing::API_VERSION;
use crate::ipam::{AddressRange, AddressSet, parse_address};
use crate::yaml::{Chunk, Limits, NodeId, Segment, Tree, chunks, is_bare};

/// Something wrong with a saved plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFault {
    /// Where in the text.
    pub at: Range<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub help: &'static str,
}

/// What to do about most faults: plans are not made by hand.
const AGAIN: &str = "save the plan again with `plan -o yaml`, or undo the change";

/// Reads a saved plan.
///
/// # Errors
/// Every fault, in the order of the text.
pub fn read_plan(text: &str) -> Result<AddressPlan, Vec<PlanFault>> {
    let one = |at: Range<usize>, problem: String, help| vec![PlanFault { at, problem, help }];
    let mut documents = chunks(text).filter(|chunk| !is_bare(chunk.text));
    let Some(chunk) = documents.next() else {
        return Err(one(
            0..0,
            "the file is empty".into(),
            "name a file that `plan -o yaml` or `plan -o json` wrote",
        ));
    };
    let limits = Limits::default();
    let tree = Tree::parse(&chunk, &limits).map_err(|error| {
        one(
            chunk.start + error.at..chunk.start + error.at,
            format!("not YAML: {}", error.problem),
            AGAIN,
        )
    })?;
    let Some(root) = tree.root() else {
        return Err(one(0..0, "the file is empty".into(), AGAIN));
    };
    let reading = Reading {
        chunk: &chunk,
        tree: &tree,
        root,
    };
    let value = tree
        .value(root, &limits)
        .map_err(|error| one(reading.moved(error.span), error.problem, AGAIN))?;
    reading.check_head(&value).map_err(|fault| vec![fault])?;
    if let Some(second) = documents.next() {
        return Err(one(
            second.range(),
            "a second document follows".into(),
            "a plan is one document; keep each in a file of its own",
        ));
    }
    let plan: AddressPlan = tree
        .read(root, &limits)
        .map_err(|error| one(reading.moved(error.span), error.problem, AGAIN))?;
    let mut faults = Vec::new();
    let known = serde_json::to_value(&plan).unwrap_or_default();
    reading.unknown_keys(&value, &known, &mut Vec::new(), &mut faults);
    for (index, cluster) in plan.clusters.iter().enumerate() {
        reading.check_cluster(index, cluster, &mut faults);
    }
    faults.sort_by_key(|fault| fault.at.start);
    if faults.is_empty() { Ok(plan) } else { Err(faults) }
}

struct Reading<'r, 't> {
    chunk: &'r Chunk<'t>,
    tree: &'r Tree<'t>,
    root: NodeId,
}

impl Reading<'_, '_> {
    fn moved(&self, span: Range<usize>) -> Range<usize> {
        self.chunk.start + span.start..self.chunk.start + span.end
    }

    fn fault(&self, path: &[Segment], key: Option<&str>, problem: String, help: &'static str) -> PlanFault {
        PlanFault {
            at: self.moved(self.tree.span_at(self.root, path, key)),
            problem,
            help,
        }
    }

    /// Kind and version, before anything else is read.
    fn check_head(&self, value: &Value) -> Result<(), PlanFault> {
        let key = |name: &str| [Segment::Key(name.to_owned())];
        let help = "name a file that `plan -o yaml`, `plan -o json` or `transform --write-plan` wrote";
        if !value.is_object() {
            return Err(self.fault(&[], None, "this is no AddressPlan".into(), help));
        }
        match value["kind"].as_str() {
            Some("AddressPlan") => {}
            Some(kind) => {
                return Err(self.fault(
                    &key("kind"),
                    None,
                    format!("this is a {kind}, not an AddressPlan"),
                    help,
                ));
            }
            None => return Err(self.fault(&[], None, "this has no kind, so it is no AddressPlan".into(), help)),
        }
        match value["apiVersion"].as_str() {
            Some(API_VERSION) => Ok(()),
            Some(other) => Err(self.fault(
                &key("apiVersion"),
                None,
                format!("the plan has the version {other}; this program reads {API_VERSION}"),
                "save the plan again with this version of the program",
            )),
            None => Err(self.fault(
                &[],
                None,
                format!("the plan has no apiVersion; {API_VERSION} is read"),
                AGAIN,
            )),
        }
    }

    /// Keys whose values went nowhere: they are in the text and not in the plan that was read from it.
    fn unknown_keys(&self, given: &Value, known: &Value, path: &mut Vec<Segment>, faults: &mut Vec<PlanFault>) {
        match (given, known) {
            (Value::Object(given), Value::Object(known)) => {
                for (key, value) in given {
                    let Some(inner) = known.get(key) else {
                        if !is_empty(value) {
                            let problem = format!("the key {key:?} is not one of a plan");
                            path.push(Segment::Key(key.clone()));
                            faults.push(self.fault(
                                path,
                                Some(key),
                                problem,
                                "correct the key or remove it; a newer version of the program may know it",
                            ));
                            path.pop();
                        }
                        continue;
                    };
                    path.push(Segment::Key(key.clone()));
                    self.unknown_keys(value, inner, path, faults);
                    path.pop();
                }
            }
            (Value::Array(given), Value::Array(known)) => {
                for (index, (value, inner)) in given.iter().zip(known).enumerate() {
                    path.push(Segment::Index(index));
                    self.unknown_keys(value, inner, path, faults);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn check_cluster(&self, index: usize, cluster: &ClusterPlan, faults: &mut Vec<PlanFault>) {
        let path = [Segment::Key("clusters".into()), Segment::Index(index)];
        let mut groups = BTreeMap::new();
        let mut holders: BTreeMap<(&str, &str, IpAddr), String> = BTreeMap::new();
        for (number, group) in cluster.groups.iter().enumerate() {
            let at = below(&path, &[Segment::Key("groups".into()), Segment::Index(number)]);
            if groups.insert((&group.kind, &group.name), number).is_some() {
                faults.push(self.fault(
                    &at,
                    Some("name"),
                    format!("{}/{} is there twice", group.kind, group.name),
                    AGAIN,
                ));
            }
            self.check_group(&at, group, &mut holders, faults);
        }
    }

    fn check_group<'p>(
        &self,
        path: &[Segment],
        group: &'p GroupPlan,
        holders: &mut BTreeMap<(&'p str, &'p str, IpAddr), String>,
        faults: &mut Vec<PlanFault>,
    ) {
        let title = format!("{}/{}", group.kind, group.name);
        let mut all = AddressSet::new();
        for (index, text) in group.addresses.iter().enumerate() {
            match text.parse::<AddressRange>() {
                Ok(range) => all.insert(range),
                Err(error) => {
                    let at = below(path, &[Segment::Key("addresses".into()), Segment::Index(index)]);
                    faults.push(self.fault(&at, None, error.to_string(), AGAIN));
                }
            }
        }
        let count = |kind: SlotKind| group.slots.iter().filter(|slot| slot.kind == kind).count() as u64;
        let wanted = group.replicas.map(u64::from).filter(|_| !group.slots.is_empty());
        if let Some(wanted) = wanted
            && count(SlotKind::Replica) != wanted
        {
            let problem = format!(
                "{title} has {wanted} replicas and {} slots for them",
                count(SlotKind::Replica)
            );
            faults.push(self.fault(path, Some("replicas"), problem, AGAIN));
        }
        let mut names = BTreeMap::new();
        for (number, slot) in group.slots.iter().enumerate() {
            let at = below(path, &[Segment::Key("slots".into()), Segment::Index(number)]);
            if names.insert(&slot.name, number).is_some() {
                faults.push(self.fault(
                    &at,
                    Some("name"),
                    format!("the slot {} of {title} is there twice", slot.name),
                    AGAIN,
                ));
            }
            for (place, nic) in slot.nics.iter().enumerate() {
                let at = below(&at, &[Segment::Key("nics".into()), Segment::Index(place)]);
                self.check_nic(&at, &title, &slot.name, nic, &all, holders, faults);
            }
        }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "a NIC is judged by where it stands and by all that stands around it"
    )]
    fn check_nic<'p>(
        &self,
        path: &[Segment],
        title: &str,
        slot: &str,
        nic: &'p NicPlan,
        all: &AddressSet,
        holders: &mut BTreeMap<(&'p str, &'p str, IpAddr), String>,
        faults: &mut Vec<PlanFault>,
    ) {
        let Some(text) = &nic.address else {
            if nic.certainty == Certainty::Exact {
                let problem = format!("the slot {slot} of {title} is exact and has no address");
                faults.push(self.fault(path, Some("certainty"), problem, AGAIN));
            }
            return;
        };
        let at = below(path, &[Segment::Key("address".into())]);
        let Ok(address) = parse_address(text) else {
            faults.push(self.fault(&at, None, format!("{text:?} is not an IP address"), AGAIN));
            return;
        };
        if nic.certainty == Certainty::Set {
            let problem = format!("the slot {slot} of {title} has an address and is called a set");
            faults.push(self.fault(path, Some("certainty"), problem, AGAIN));
        }
        if !all.contains(address) {
            let problem = format!("{address} of the slot {slot} is not among the addresses of {title}");
            faults.push(self.fault(&at, None, problem, AGAIN));
        }
        let holder = format!("{slot} of {title}");
        if let Some(other) = holders.insert((&nic.pool.kind, &nic.pool.name, address), holder) {
            let problem = format!("{address} is given to the slot {slot} of {title} and to {other}");
            faults.push(self.fault(&at, None, problem, AGAIN));
        }
    }
}

/// What a writer leaves out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn below(path: &[Segment], more: &[Segment]) -> Vec<Segment> {
    path.iter().chain(more).cloned().collect()
}
