//! Takes the table of a recording and gives who held which address at any time; events that it does not know fail.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A claim and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// The machine, as an index of [`Recording::machines`].
    pub(crate) machine: usize,
    pub(crate) created: f64,
    /// When it is gone.
    pub(crate) deleted: Option<f64>,
    /// The address, and from when to when it was held.
    pub(crate) address: Option<(IpAddr, f64, Option<f64>)>,
}

/// A machine, in order of creation.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) group: String,
    pub(crate) created: f64,
    /// When its deletion began.
    pub(crate) deleting: Option<f64>,
}

/// Who held what.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) cluster: String,
    pub(crate) machines: Vec<Machine>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) rows: usize,
}

struct Row<'t> {
    time: f64,
    kind: &'t str,
    object: &'t str,
    event: &'t str,
    value: &'t str,
}

const EVENTS: [&str; 12] = [
    "CREATED",
    "DELETED",
    "deleting",
    "bootstrapData",
    "nics",
    "bound",
    "address",
    "node",
    "initialized",
    "CPInitialized",
    "VirtualMachineProvisioned",
    "Ready",
];

impl Recording {
    /// Reads a table. `groups` are the names of the groups.
    pub(crate) fn read(text: &str, groups: &[&str]) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some("t_s\trevision\tkind\tobject\tevent\tvalue") {
            return Err("the first line is not the one with the columns".into());
        }
        let rows: Vec<Row<'_>> = lines.map(Row::read).collect::<Result<_, _>>()?;
        let cluster = rows.iter().find(|row| row.kind == "Cluster" && row.event == "CREATED");
        let mut reader = Reader {
            groups,
            recording: Recording {
                cluster: cluster.ok_or("no Cluster is created")?.object.to_owned(),
                machines: Vec::new(),
                claims: Vec::new(),
                rows: rows.len(),
            },
            owners: BTreeMap::new(),
            machines: BTreeMap::new(),
            claims: BTreeMap::new(),
            objects: BTreeMap::new(),
        };
        let by_hand = !rows.iter().any(|row| row.event == "address");
        for row in &rows {
            reader
                .row(row, by_hand)
                .map_err(|error| format!("{} {} at {}: {error}", row.kind, row.object, row.time))?;
        }
        Ok(reader.recording)
    }
}

impl<'t> Row<'t> {
    fn read(line: &'t str) -> Result<Self, String> {
        let cells: Vec<&str> = line.split('\t').collect();
        let [time, _revision, kind, object, event, value] = cells[..] else {
            return Err(format!("{line:?} has not six columns"));
        };
        if !EVENTS.contains(&event) {
            return Err(format!("{line:?} has an event that nobody knows"));
        }
        Ok(Row {
            time: time.parse().map_err(|_| format!("{line:?} has no time"))?,
            kind,
            object,
            event,
            value,
        })
    }
}

struct Reader<'g> {
    groups: &'g [&'g str],
    recording: Recording,
    /// The owner of each object, as KIND/NAME to KIND/NAME.
    owners: BTreeMap<String, String>,
    machines: BTreeMap<String, usize>,
    claims: BTreeMap<String, usize>,
    /// The claim of each address object.
    objects: BTreeMap<String, usize>,
}

impl Reader<'_> {
    fn row(&mut self, row: &Row<'_>, by_hand: bool) -> Result<(), String> {
        match (row.kind, row.event) {
            (_, "CREATED") => self.created(row),
            ("Machine", "deleting") => {
                let machine = self.machine(row.object)?;
                self.recording.machines[machine].deleting = Some(row.time);
                Ok(())
            }
            ("IPAddress", "address") => self.address(row),
            ("IPAddress", "DELETED") => {
                let claim = self
                    .objects
                    .remove(row.object)
                    .ok_or("the address object was never made")?;
                self.release(claim, row.time);
                Ok(())
            }
            ("IPAddressClaim" | "IPClaim", "DELETED") => {
                let claim = self.claims.remove(row.object).ok_or("the claim was never made")?;
                self.recording.claims[claim].deleted = Some(row.time);
                Ok(())
            }
            ("VSphereMachine", "nics") if by_hand => self.given(row),
            ("VSphereMachine", "DELETED") if by_hand => {
                let claims: Vec<usize> = self.claims.values().copied().collect();
                let machine = self.machine(row.object)?;
                let own = |claim: &usize| self.recording.claims[*claim].machine == machine;
                for claim in claims.into_iter().filter(own).collect::<Vec<_>>() {
                    self.recording.claims[claim].deleted = Some(row.time);
                    self.release(claim, row.time);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn created(&mut self, row: &Row<'_>) -> Result<(), String> {
        if let Some(owner) = row.value.strip_prefix("owner=") {
            self.owners
                .insert(format!("{}/{}", row.kind, row.object), owner.to_owned());
        }
        match row.kind {
            // Both have one name; the VSphereMachine comes first, and may claim before there is a Machine.
            "VSphereMachine" | "Machine" if !self.machines.contains_key(row.object) => {
                let group = self.group_of(&format!("{}/{}", row.kind, row.object))?;
                self.machines
                    .insert(row.object.to_owned(), self.recording.machines.len());
                self.recording.machines.push(Machine {
                    group,
                    created: row.time,
                    deleting: None,
                });
            }
            "IPAddressClaim" | "IPClaim" => self.claimed(row.object, row.kind, row.time)?,
            _ => {}
        }
        Ok(())
    }

    /// The group at the end of the owners.
    fn group_of(&self, object: &str) -> Result<String, String> {
        let mut at = object;
        while let Some(owner) = self.owners.get(at) {
            at = owner;
            let name = at.split_once('/').map_or("", |(_, name)| name);
            if self.groups.contains(&name) && !at.starts_with("MachineSet/") {
                return Ok(name.to_owned());
            }
        }
        // A MachineSet of its own is a group too.
        let name = at.split_once('/').map_or("", |(_, name)| name);
        let known = self.groups.iter().find(|group| **group == name);
        known
            .map(|group| (*group).to_owned())
            .ok_or(format!("{object} belongs to {at}, which is no group"))
    }

    fn machine(&self, name: &str) -> Result<usize, String> {
        self.machines
            .get(name)
            .copied()
            .ok_or(format!("the machine {name} was never made"))
    }

    fn claimed(&mut self, name: &str, kind: &str, time: f64) -> Result<(), String> {
        // VSphereVM, VSphereMachine and Machine have one name.
        let owner = self.owners.get(&format!("{kind}/{name}"));
        let owner = owner
            .and_then(|owner| owner.split_once('/'))
            .map(|(_, owner)| owner.to_owned());
        let machine = match owner {
            Some(owner) => self.machine(&owner)?,
            None => return Err("the claim has no owner".into()),
        };
        self.claims.insert(name.to_owned(), self.recording.claims.len());
        self.recording.claims.push(Claim {
            machine,
            created: time,
            deleted: None,
            address: None,
        });
        Ok(())
    }

    fn address(&mut self, row: &Row<'_>) -> Result<(), String> {
        let (address, claim) = row.value.split_once(" for ").ok_or("it is for no claim")?;
        let address = address.split('/').next().unwrap_or(address).parse();
        let address = address.map_err(|_| format!("{} is no address", row.value))?;
        let claim = *self
            .claims
            .get(claim)
            .ok_or(format!("the claim {claim} was never made"))?;
        self.objects.insert(row.object.to_owned(), claim);
        self.recording.claims[claim].address = Some((address, row.time, None));
        Ok(())
    }

    /// Addresses that were written into a machine by hand.
    fn given(&mut self, row: &Row<'_>) -> Result<(), String> {
        let addresses = row.value.split(" gw ").next().unwrap_or_default();
        for (number, text) in addresses.split([',', ' ']).filter(|text| !text.is_empty()).enumerate() {
            let address: IpAddr = text
                .split('/')
                .next()
                .unwrap_or(text)
                .parse()
                .map_err(|_| format!("{text} is no address"))?;
            let name = format!("{}-{number}", row.object);
            if !self.claims.contains_key(&name) {
                self.owners
                    .insert(format!("IPClaim/{name}"), format!("VSphereMachine/{}", row.object));
                self.claimed(&name, "IPClaim", row.time)?;
            }
            let claim = self.claims[&name];
            self.recording.claims[claim].address = Some((address, row.time, None));
        }
        Ok(())
    }

    fn release(&mut self, claim: usize, time: f64) {
        if let Some((_, _, until)) = &mut self.recording.claims[claim].address {
            *until = Some(time);
        }
    }
}

impl Claim {
    /// The address that it holds at a time.
    pub(crate) fn holds(&self, time: f64) -> Option<IpAddr> {
        let (address, from, until) = self.address?;
        (from < time && until.is_none_or(|until| until >= time)).then_some(address)
    }

    /// Whether it waits for an address at a time.
    pub(crate) fn waits(&self, time: f64) -> bool {
        let there = self.created < time && self.deleted.is_none_or(|deleted| deleted >= time);
        there && self.address.is_none_or(|(_, from, _)| from >= time)
    }
}

impl Recording {
    /// What each machine of a group held at a time, the oldest machine first; machines without any are left out.
    pub(crate) fn held(&self, group: &str, time: f64) -> Vec<Vec<IpAddr>> {
        let own = self
            .machines
            .iter()
            .enumerate()
            .filter(|(_, machine)| machine.group == group);
        let of = |machine: usize| {
            let own = self.claims.iter().filter(move |claim| claim.machine == machine);
            own.filter_map(|claim| claim.holds(time)).collect::<Vec<_>>()
        };
        own.map(|(machine, _)| of(machine))
            .filter(|held| !held.is_empty())
            .collect()
    }

    /// Whether a group has as many machines as it wants, none on its way and none leaving.
    pub(crate) fn rests(&self, group: &str, time: f64) -> bool {
        let there = |machine: &Machine| machine.group == group && machine.created < time;
        self.machines
            .iter()
            .enumerate()
            .filter(|(_, machine)| there(machine))
            .all(|(index, machine)| {
                let own: Vec<&Claim> = self.claims.iter().filter(|claim| claim.machine == index).collect();
                match machine.deleting.filter(|deleting| *deleting < time) {
                    Some(_) => own.iter().all(|claim| claim.holds(time).is_none()),
                    None => !own.is_empty() && own.iter().all(|claim| claim.holds(time).is_some()),
                }
            })
    }
}
