//! Takes the uses of a stretch of a subnet and says what they are: in few words for the map, in full for the table and for those who point at a cell.

use super::drawing::letters;
use super::lookup::Lookup;
use super::map::Mark;
use super::names::group_name;
use super::numbers::range;
use super::uses::Use;
use crate::addressing::listed;
use crate::ipam::Family;
use crate::planning::{SubnetPlan, SubnetPool};

/// Words for a subnet.
pub(super) struct Wording<'s, 'p> {
    pub(super) subnet: &'s SubnetPlan,
    pub(super) lookup: &'s Lookup<'p>,
}

impl Wording<'_, '_> {
    /// A stretch in few words.
    pub(super) fn short(&self, marks: &[Mark]) -> String {
        let one = |mark: &Mark| {
            let key = letters(mark.owner);
            match mark.what {
                Use::Exact | Use::Replica => format!("machines of pool {key}"),
                Use::Surge => format!("pool {key}, while replacing"),
                Use::Any => format!("any machine of pool {key}"),
                Use::Reserved => format!("kept by pool {key}"),
                Use::Spare => format!("spare in pool {key}"),
                Use::Unused => format!("pool {key}, unused"),
                other => other.meaning().to_owned(),
            }
        };
        match marks {
            [] => "in no pool".to_owned(),
            marks => marks.iter().map(one).collect::<Vec<_>>().join(" and "),
        }
    }

    /// A single address, and the number of the machine that is known to hold it.
    pub(super) fn address(&self, family: Family, address: u128, marks: &[Mark]) -> (String, Option<usize>) {
        let text = range(family, address, address);
        let machine = match marks {
            [
                Mark {
                    what: Use::Exact,
                    owner,
                },
            ] => {
                let address = family.address(address);
                address.and_then(|address| self.lookup.machine(&self.subnet.pools[*owner].pool, address))
            }
            _ => None,
        };
        match machine {
            Some(machine) => (format!("{text} – {}", machine.slot), Some(machine.number)),
            None => (format!("{text} – {}", self.long(marks)), None),
        }
    }

    /// A stretch in full, for the table.
    pub(super) fn long(&self, marks: &[Mark]) -> String {
        let one = |mark: &Mark| match mark.what {
            Use::Endpoint => {
                let endpoint = &self.subnet.endpoints[mark.owner];
                let port = endpoint.port.map(|port| format!(", port {port}"));
                format!("VIP of {}{}", endpoint.cluster, port.unwrap_or_default())
            }
            Use::Exact => format!("{}: which machine has which address is known", self.users(mark)),
            Use::Replica => format!("{}: any machine can have any of these", self.users(mark)),
            Use::Surge => format!("{}: extra machines while others are replaced", self.users(mark)),
            Use::Any => format!(
                "{}: any of these; the number of machines or the order is not known",
                self.users(mark)
            ),
            Use::Reserved => "kept for machines that the pool names".to_owned(),
            Use::Spare => "spare".to_owned(),
            Use::Unused => "no machine of this plan uses the pool".to_owned(),
            other => other.meaning().to_owned(),
        };
        let all: Vec<String> = marks.iter().map(one).collect();
        match &all[..] {
            [one] => one.clone(),
            several => format!("CONFLICT: {}", several.join("; ")),
        }
    }

    /// The pool of a mark; none for a mark of something else.
    pub(super) fn pool(&self, mark: &Mark) -> Option<&SubnetPool> {
        let of_pool = matches!(
            mark.what,
            Use::Exact | Use::Replica | Use::Surge | Use::Any | Use::Reserved | Use::Spare | Use::Unused
        );
        self.subnet.pools.get(mark.owner).filter(|_| of_pool)
    }

    fn users(&self, mark: &Mark) -> String {
        let groups = self.pool(mark).map(|pool| pool.groups.iter().map(group_name));
        groups.map_or_else(String::new, listed)
    }
}
