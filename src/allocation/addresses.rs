//! Takes the address objects of a pool, says which of them contradict each other, the pool or the form of an address; gives
//! and takes nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Said;
use crate::check::{Finding, codes};
use crate::ipam::{Double, parse_address};
use crate::state::{AddressRecord, PoolId, PoolView, Settled, Stored};

impl Said<'_, '_> {
    pub(super) fn about_addresses(&mut self, view: &PoolView, settled: &Settled) {
        let live = self.live;
        let mut at: BTreeMap<IpAddr, &Stored<AddressRecord>> = BTreeMap::new();
        for stored in view.addresses.iter().map(|index| &live.addresses()[*index]) {
            let text = stored.value.address();
            let name = title(stored);
            let Ok(address) = parse_address(text) else {
                let finding = Finding::new(
                    &codes::ADDRESS_UNREADABLE,
                    format!("{name} has the address {text:?}, which is none"),
                );
                self.say(stored.object, finding.help(unreadable_help(text)));
                continue;
            };
            if address.to_string() != text {
                let finding = Finding::new(&codes::ADDRESS_SPELLING, format!("{name} writes {address} as {text}"));
                self.say(
                    stored.object,
                    finding.help(format!(
                        "it counts as {address}; metal3 compares texts and may give {address} out again"
                    )),
                );
            }
            let entries = view.pool.entries();
            if !entries.iter().any(|entry| entry.offers(address, view.pool.strategy())) {
                let finding = Finding::new(
                    &codes::ADDRESS_OUTSIDE_POOL,
                    format!("{name} has {address}, which is not in {}", view.id),
                );
                self.say(
                    stored.object,
                    finding.help("its claim keeps it; a change of the pool is refused until the pool holds it again"),
                );
            }
            if let Some(other) = at.insert(address, stored) {
                self.say_twice(view, address, [other, stored]);
            }
        }
        for Double {
            claim,
            earlier,
            address,
        } in &settled.doubles
        {
            let object = view.sources.get(claim).and_then(|claim| live.claims()[*claim].object);
            let finding = Finding::new(
                &codes::ADDRESS_TWICE,
                format!("{claim} shows {address} of {}, which {earlier} shows too", view.id),
            );
            self.say(
                object,
                finding.help("delete the machine of one of them, so that it claims anew"),
            );
        }
    }

    fn say_twice(&mut self, view: &PoolView, address: IpAddr, objects: [&Stored<AddressRecord>; 2]) {
        let [first, second] = objects;
        let finding = Finding::new(
            &codes::ADDRESS_TWICE,
            format!(
                "{} and {} of {} both have {address}",
                title(first),
                title(second),
                view.id
            ),
        );
        self.say(
            second.object,
            finding.help("delete the machine that does not use the address, or its claim where there is no machine"),
        );
        let other = first.object.and_then(|other| self.place(other));
        if let (Some(place), Some(said)) = (other, self.last()) {
            said.related = Some((place, "the other one".to_owned()));
        }
    }

    /// One address in two pools: each pool knows only itself.
    pub(super) fn about_shared_addresses(&mut self, pools: &[(PoolView, Settled)]) {
        let mut holders: BTreeMap<IpAddr, &PoolId> = BTreeMap::new();
        let mut shared: BTreeMap<(&PoolId, &PoolId), Vec<IpAddr>> = BTreeMap::new();
        for (view, settled) in pools {
            let mut held = settled.held.clone();
            held.sort_unstable();
            held.dedup();
            for address in held {
                match holders.get(&address) {
                    Some(other) => shared.entry((other, &view.id)).or_default().push(address),
                    None => {
                        holders.insert(address, &view.id);
                    }
                }
            }
        }
        for ((first, second), addresses) in shared {
            let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let finding = Finding::new(
                &codes::POOLS_SHARE_ADDRESS,
                format!("{first} and {second} both give out {}", super::few(&texts)),
            );
            let object = self.live.pools[second].object;
            self.say(
                object,
                finding.help("separate the ranges, unless the two networks never meet"),
            );
        }
    }
}

/// What an address object is called in a sentence: two kinds have one name.
fn title(stored: &Stored<AddressRecord>) -> String {
    let name = &stored.value.metadata().name;
    match stored.namespace.as_str() {
        "" => format!("IPAddress {name}"),
        namespace => format!("IPAddress {namespace}/{name}"),
    }
}

fn unreadable_help(text: &str) -> &'static str {
    if text.contains('%') {
        "write it without the zone behind %"
    } else if text.contains('/') {
        "write it without the length of the prefix; that is spec.prefix"
    } else if text.split('.').any(|part| part.len() > 1 && part.starts_with('0')) {
        "write its octets without leading zeros: some readers take them for octal"
    } else {
        "write one address such as 10.0.0.10 or 2001:db8::10"
    }
}
