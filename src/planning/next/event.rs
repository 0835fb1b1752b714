//! Takes the text of an event and gives what it says, and finds the group, pool or cluster that a name means; errors list what there is.

use std::fmt;
use std::str::FromStr;

use super::start::PoolStart;
use super::world::{Group, World};
use crate::addressing::listed;
use crate::ipam::{AddressRange, usable_range};

/// Something that happens to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// As it was written.
    pub text: String,
    /// What it says.
    pub kind: EventKind,
}

/// What can happen. Names are NAME, KIND/NAME, or with the cluster or namespace in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// `rollout`, `rollout=GROUP`: every machine is replaced, of one group or of all at the same time.
    Rollout(Option<String>),
    /// `scale=GROUP:N`: the group gets N replicas.
    Scale(String, u32),
    /// `delete=GROUP`: somebody deletes one machine of the group.
    Delete(String),
    /// `enlarge=POOL:RANGE`: the pool gets more addresses, and the way out of a stuck step is taken.
    Enlarge {
        /// The pool.
        pool: String,
        /// What it gets.
        range: AddressRange,
        /// Claims that were refused are repaired; without that metal3 does not try them again.
        repairs: bool,
    },
    /// `repair`, `repair=POOL`: claims that were refused are repaired, of one pool or of all.
    Repair(Option<String>),
    /// `delete-cluster`, `delete-cluster=NAME`: every machine goes, of one cluster or of all.
    DeleteCluster(Option<String>),
}

/// Why an event cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event}: {problem}")]
pub struct EventError {
    /// The event as it was written.
    pub event: String,
    /// What is wrong, and what there is instead.
    pub problem: String,
}

/// The events that a message offers.
const FORMS: &str = "rollout, rollout=GROUP, scale=GROUP:N, delete=GROUP, enlarge=POOL:RANGE, repair, \
                     repair=POOL, delete-cluster, delete-cluster=NAME";

impl FromStr for Event {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let wrong = |problem: String| EventError {
            event: text.to_owned(),
            problem,
        };
        let (verb, argument) = match text.split_once('=') {
            Some((verb, argument)) => (verb, Some(argument.trim())),
            None => (text, None),
        };
        if argument == Some("") {
            return Err(wrong(format!("nothing follows the =; events are {FORMS}")));
        }
        let needs = |form: &str| wrong(format!("write it as {form}"));
        let name = argument.map(ToOwned::to_owned);
        let kind = match (verb.trim(), name) {
            ("rollout", name) => EventKind::Rollout(name),
            ("delete-cluster", name) => EventKind::DeleteCluster(name),
            ("repair", name) => EventKind::Repair(name),
            ("delete", Some(name)) => EventKind::Delete(name),
            ("scale", Some(argument)) => {
                let (name, number) = argument.rsplit_once(':').ok_or_else(|| needs("scale=GROUP:N"))?;
                let replicas = number.trim().parse();
                let replicas = replicas.map_err(|_| wrong(format!("{number:?} is no number of replicas")))?;
                EventKind::Scale(name.trim().to_owned(), replicas)
            }
            ("enlarge", Some(argument)) => {
                let (name, range) = argument.split_once(':').ok_or_else(|| needs("enlarge=POOL:RANGE"))?;
                let range = usable_range(range, None).map_err(|error| wrong(error.to_string()))?;
                EventKind::Enlarge {
                    pool: name.trim().to_owned(),
                    range,
                    repairs: true,
                }
            }
            ("scale", None) => return Err(needs("scale=GROUP:N")),
            ("enlarge", None) => return Err(needs("enlarge=POOL:RANGE")),
            ("delete", None) => return Err(needs("delete=GROUP")),
            (verb, _) => return Err(wrong(format!("there is no event {verb}; events are {FORMS}"))),
        };
        Ok(Event {
            text: text.to_owned(),
            kind,
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// A name with what can stand in front of it.
struct Candidate {
    index: usize,
    /// Outermost first; the last is the name.
    parts: Vec<String>,
}

impl Candidate {
    fn new<'p>(index: usize, parts: impl IntoIterator<Item = Option<&'p String>>) -> Self {
        Candidate {
            index,
            parts: parts.into_iter().flatten().cloned().collect(),
        }
    }

    /// Whether a text names it: its name, after some of what can stand in front, in order.
    fn is_meant(&self, text: &str) -> bool {
        let wanted: Vec<&str> = text.split('/').collect();
        let (Some((name, front)), Some((own, rest))) = (wanted.split_last(), self.parts.split_last()) else {
            return false;
        };
        let mut rest = rest.iter();
        name == own && front.iter().all(|wanted| rest.any(|part| part == wanted))
    }
}

/// What a text means; an error says what there is, or that it is `gone`.
fn find(what: &str, text: &str, candidates: &[Candidate], gone: &[Candidate]) -> Result<usize, String> {
    let meant: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.is_meant(text)).collect();
    let names = |candidates: &[&Candidate]| listed(candidates.iter().map(|candidate| candidate.parts.join("/")));
    match meant[..] {
        [only] => Ok(only.index),
        [] if gone.iter().any(|candidate| candidate.is_meant(text)) => {
            Err(format!("the {what} {text} is gone: an earlier event deleted it"))
        }
        [] if candidates.is_empty() => Err(format!("the plan has no {what} with static addresses")),
        [] => Err(format!(
            "no {what} is called {text}; there is {}",
            names(&candidates.iter().collect::<Vec<_>>())
        )),
        ref several => Err(format!("{text} can mean {}; write one of them", names(several))),
    }
}

impl World {
    pub(super) fn group_named(&self, text: &str) -> Result<usize, String> {
        let candidate = |(index, group): (usize, &Group)| {
            let is = &group.is;
            let parts = [
                is.namespace.as_ref(),
                is.cluster.as_ref(),
                Some(&is.kind),
                Some(&is.name),
            ];
            Candidate::new(index, parts)
        };
        let (gone, left): (Vec<_>, Vec<_>) = self.groups.iter().enumerate().partition(|(_, group)| group.gone);
        let candidates = |groups: Vec<_>| groups.into_iter().map(candidate).collect::<Vec<_>>();
        find("machine group", text, &candidates(left), &candidates(gone))
    }

    pub(super) fn pool_named(&self, text: &str) -> Result<usize, String> {
        let candidate = |(index, pool): (usize, &PoolStart)| {
            let is = &pool.reference;
            Candidate::new(index, [is.namespace.as_ref(), Some(&is.kind), Some(&is.name)])
        };
        let candidates: Vec<Candidate> = self.pools.iter().enumerate().map(candidate).collect();
        find("pool", text, &candidates, &[])
    }

    /// The groups of a cluster.
    pub(super) fn cluster_named(&self, text: &str) -> Result<Vec<usize>, String> {
        let (mut clusters, mut gone): (Vec<Candidate>, Vec<Candidate>) = <_>::default();
        for (index, group) in self.groups.iter().enumerate() {
            let parts = [group.is.namespace.as_ref(), group.is.cluster.as_ref()];
            let candidate = Candidate::new(index, parts);
            let of_its_kind = if group.gone { &mut gone } else { &mut clusters };
            let known = of_its_kind.iter().any(|known| known.parts == candidate.parts);
            if group.is.cluster.is_some() && !known {
                of_its_kind.push(candidate);
            }
        }
        let first = &self.groups[find("cluster", text, &clusters, &gone)?].is;
        let same = |group: &Group| (&group.is.namespace, &group.is.cluster) == (&first.namespace, &first.cluster);
        let groups = self.groups.iter().enumerate();
        Ok(groups
            .filter(|(_, group)| same(group))
            .map(|(index, _)| index)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<EventKind, String> {
        let event: Result<Event, _> = text.parse();
        event.map(|event| event.kind).map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(read("rollout"), Ok(EventKind::Rollout(None)));
        assert_eq!(read("rollout=ns/a/b"), Ok(EventKind::Rollout(Some("ns/a/b".into()))));
        assert_eq!(read("scale=md-0:7"), Ok(EventKind::Scale("md-0".into(), 7)));
        assert_eq!(read("delete=cp"), Ok(EventKind::Delete("cp".into())));
        let range = "2001:db8::5-2001:db8::9".parse().unwrap();
        let enlarge = EventKind::Enlarge {
            pool: "p".into(),
            range,
            repairs: true,
        };
        assert_eq!(read("enlarge=p:2001:db8::5-2001:db8::9"), Ok(enlarge));
        assert_eq!(read("repair"), Ok(EventKind::Repair(None)));
        assert_eq!(read("delete-cluster"), Ok(EventKind::DeleteCluster(None)));
    }

    #[test]
    fn what_is_wrong_says_what_to_write() {
        for (text, part) in [
            ("upgrade=cp", "there is no event upgrade; events are rollout,"),
            ("rollout=", "nothing follows the ="),
            ("scale=cp", "write it as scale=GROUP:N"),
            ("scale=cp:many", "\"many\" is no number of replicas"),
            ("scale=cp:-1", "is no number of replicas"),
            ("delete", "write it as delete=GROUP"),
            ("enlarge=p", "write it as enlarge=POOL:RANGE"),
            ("enlarge=p:10.0.0.9-10.0.0.1", "write the lower address first"),
            ("enlarge=p:ten", "ten"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.starts_with(text) && problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn a_name_may_have_some_of_what_stands_in_front() {
        let parts = ["ns", "one", "KubeadmControlPlane", "cp"]
            .map(ToOwned::to_owned)
            .to_vec();
        let candidate = Candidate { index: 0, parts };
        for text in [
            "cp",
            "KubeadmControlPlane/cp",
            "one/cp",
            "ns/cp",
            "ns/one/KubeadmControlPlane/cp",
        ] {
            assert!(candidate.is_meant(text), "{text}");
        }
        for text in ["c", "two/cp", "one/ns/cp", "cp/one", "", "/cp"] {
            assert!(!candidate.is_meant(text), "{text}");
        }
    }
}
