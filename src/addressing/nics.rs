//! Takes a template and the network of a configuration, and gives the NICs that are meant; several NICs without a network are an error.

use crate::check::codes::{self, Code};
use crate::objects::{Nic, Template};

/// Which NICs of a template; CAPV allows at most 128 (v1beta2), and older API versions have fewer in practice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NicSet(u128);

impl NicSet {
    /// Whether a NIC is in it.
    #[must_use]
    pub fn contains(self, index: usize) -> bool {
        index < 128 && self.0 & (1 << index) != 0
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    fn insert(&mut self, index: usize) {
        if index < 128 {
            self.0 |= 1 << index;
        }
    }

    /// The lowest index.
    pub(super) fn first(self) -> Option<usize> {
        (self.0 != 0).then_some(self.0.trailing_zeros() as usize)
    }
}

/// The NICs of a template that a pool serves.
pub(super) fn nics(template: &Template<'_>, network: Option<&str>) -> Result<NicSet, (&'static Code, String, String)> {
    let names = || {
        let names = template
            .nics
            .iter()
            .map(|nic| nic.network.as_ref().map_or("<none>", |name| &name.value));
        names.collect::<Vec<_>>().join(", ")
    };
    if template.nics.is_empty() {
        let help = "write the NIC into the template; a ClusterClass patch that adds NICs is not edited".to_owned();
        return Err((&codes::NO_NICS, "has no network.devices".to_owned(), help));
    }
    let Some(network) = network else {
        if template.nics.len() == 1 {
            return Ok(NicSet(1));
        }
        let help = format!("set `network` (--network) to one of: {}", names());
        return Err((
            &codes::NIC_CHOICE,
            format!("has {} NICs and no network is named", template.nics.len()),
            help,
        ));
    };
    let on_network = |nic: &Nic<'_>| nic.network.as_ref().is_some_and(|name| name.value == network);
    let mut found = NicSet::default();
    template
        .nics
        .iter()
        .enumerate()
        .filter(|(_, nic)| on_network(nic))
        .for_each(|(index, _)| found.insert(index));
    if found.first().is_none() {
        let help = format!("its NICs are on: {}", names());
        return Err((&codes::NIC_CHOICE, format!("has no NIC on the network {network}"), help));
    }
    Ok(found)
}
