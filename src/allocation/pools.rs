//! Takes a pool and what becomes of it, says what is wrong with the pool itself; its claims and addresses are looked at
//! elsewhere.

use super::{Said, few};
use crate::api::metal3;
use crate::check::{Finding, Place, Severity, codes};
use crate::ipam::{ClaimId, FieldError, FieldPath, Source, Strategy, admission, parse_address, reserved_addresses};
use crate::objects::{Detail, PoolKind};
use crate::state::{Fate, Pause, PoolId, PoolObject, PoolView, Settled, Stored, Unreadable};

impl Said<'_, '_> {
    /// Pools of the in-cluster provider whose spec its webhook refuses.
    pub(super) fn about_unreadable(&mut self, unreadable: &[Unreadable]) {
        for (id, errors) in unreadable {
            let object = self.live.pools[id].object;
            for error in errors {
                self.say_refused(id, object, error, &error.path);
            }
        }
    }

    pub(super) fn about_pool(&mut self, view: &PoolView, settled: &Settled, seed: u64) {
        let stored = &self.live.pools[&view.id];
        if let PoolObject::IPPool(pool) = &stored.value {
            let errors = admission::create_pool(&pool.spec);
            for error in &errors {
                self.say_refused(&view.id, stored.object, error, &error.place_in(&pool.spec));
            }
            self.about_texts(&view.id, stored, pool);
        }
        if view.pool.addresses().is_empty() {
            let finding = Finding::new(&codes::POOL_EMPTY, format!("{} yields no address", view.id));
            self.say(stored.object, finding.help(empty_help(stored)));
        }
        self.about_reserved(view, stored);
        if let Some(pause) = &view.paused {
            let what = match pause {
                Pause::Pool => "is paused by its annotation".to_owned(),
                Pause::Cluster(cluster) => format!("belongs to the Cluster {cluster}, which is paused"),
            };
            let finding = Finding::new(
                &codes::PAUSED,
                format!("{} {what}: nothing is decided about its claims", view.id),
            );
            self.say(
                stored.object,
                finding.help("take the pause off, in the cluster and in the input"),
            );
        }
        let drawn = settled.fates.values().any(|fate| {
            matches!(
                fate,
                Fate::Gets {
                    source: Source::New,
                    ..
                }
            )
        });
        let bare = settled
            .fates
            .values()
            .any(|fate| matches!(fate, Fate::Gets { grant, .. } if grant.prefix == 0));
        if bare {
            let finding = Finding::new(
                &codes::NO_PREFIX,
                format!("{} gives addresses without a prefix length", view.id),
            );
            self.say(stored.object, finding.help("set spec.prefix, in bits"));
        }
        if drawn && view.pool.strategy() == Strategy::Random {
            let finding = Finding::new(
                &codes::DRAWN_AT_RANDOM,
                format!(
                    "{} gives addresses at random; these follow from the seed {seed}",
                    view.id
                ),
            );
            self.say(
                stored.object,
                finding.help("the cluster draws others; --seed N shows another draw"),
            );
        }
        self.about_gaps(view, stored.object);
    }

    fn say_refused(&mut self, id: &PoolId, object: Option<usize>, error: &FieldError, path: &FieldPath) {
        let finding = Finding::new(&codes::POOL_REFUSED, format!("{id} is refused: {error}"));
        let finding = finding.help("correct the field; the API server refuses the pool as it is");
        self.say(object, finding);
        let place = object.and_then(|object| self.field_place(object, path));
        if let (Some(place), Some(said)) = (place, self.last()) {
            said.place = Some(place);
        }
    }

    /// Texts that stand for an address which is written otherwise: the allocator compares by value.
    fn about_texts(&mut self, id: &PoolId, stored: &Stored<PoolObject>, pool: &metal3::IPPool) {
        let mut odd = Vec::new();
        let mut note = |text: &str| {
            if let Ok(address) = parse_address(text)
                && address.to_string() != text
            {
                odd.push(format!("{text} is {address}"));
            }
        };
        for entry in &pool.spec.pools {
            [&entry.start, &entry.end]
                .into_iter()
                .flatten()
                .for_each(|text| note(text));
        }
        pool.spec.pre_allocations.values().for_each(|text| note(text));
        if !odd.is_empty() {
            let finding = Finding::new(
                &codes::ADDRESS_SPELLING,
                format!("{id} has addresses in another form: {}", few(&odd)),
            );
            self.say(
                stored.object,
                finding.help("write addresses in canonical form; metal3 compares some of them as texts"),
            );
        }
    }

    /// The gateway, the network and the broadcast address, which metal3 gives out like any other.
    fn about_reserved(&mut self, view: &PoolView, stored: &Stored<PoolObject>) {
        let Some(object) = stored.object.map(|object| &self.manifest.objects[object]) else {
            return;
        };
        let Detail::Pool(pool) = &object.detail else { return };
        if pool.kind != PoolKind::IPPool {
            return;
        }
        let source = self.first_text + self.manifest.source_of(object);
        for entry in &pool.entries {
            for (address, what) in reserved_addresses(entry.range, entry.gateway, entry.prefix) {
                // The network address of an entry without a start is never given out.
                if view.pool.entry_of(address).is_some() {
                    let finding = Finding::new(
                        &codes::INPUT_POOL_RESERVED,
                        format!("{} holds {what} {address}", view.id),
                    );
                    self.say(stored.object, finding.help(format!("leave {address} out of the pool")));
                    if let Some(said) = self.last() {
                        said.place = Some(Place {
                            source,
                            span: entry.span,
                        });
                    }
                }
            }
        }
    }

    fn about_gaps(&mut self, view: &PoolView, object: Option<usize>) {
        let names = |claims: &mut dyn Iterator<Item = &ClaimId>| {
            few(&claims.map(|claim| claim.name.clone()).collect::<Vec<_>>())
        };
        let gaps = &view.gaps;
        if !gaps.unclaimed.is_empty() {
            let held: Vec<String> = gaps
                .unclaimed
                .iter()
                .map(|(claim, address)| format!("{address} ({claim})"))
                .collect();
            let finding = Finding::new(
                &codes::CLAIM_NOT_GIVEN,
                format!(
                    "addresses of {} belong to claims that are not in the input: {}",
                    view.id,
                    few(&held)
                ),
            );
            self.say(object, finding.help(
                "they count as held; give the claims as well, or delete the address objects where the claims are really gone",
            ));
        }
        if !gaps.unlisted.is_empty() {
            let names = names(&mut gaps.unlisted.iter());
            let finding = Finding::new(
                &codes::ADDRESS_NOT_GIVEN,
                format!(
                    "claims of {} show address objects that are not in the input: {names}",
                    view.id
                ),
            );
            self.say_as(
                Severity::Warning,
                object,
                finding.help("their addresses follow from the names; give the address objects as well"),
            );
        }
        if !gaps.unknown.is_empty() {
            let names = names(&mut gaps.unknown.iter());
            let finding = Finding::new(
                &codes::ADDRESS_NOT_GIVEN,
                format!(
                    "{} gives nothing here: the addresses of {names} are not in the input",
                    view.id
                ),
            );
            self.say(object, finding.help("give the address objects as well (kubectl get ipaddresses.ipam.cluster.x-k8s.io,ipaddresses.ipam.metal3.io)"));
        }
        for key in &gaps.unreadable {
            let text = &view.indexes[key];
            let finding = Finding::new(
                &codes::ADDRESS_UNREADABLE,
                format!(
                    "status.indexes of {} gives {key} {text:?}, which is no address",
                    view.id
                ),
            );
            self.say(
                object,
                finding.help("the controller drops the entry; see what the claim really has"),
            );
        }
    }
}

fn empty_help(stored: &Stored<PoolObject>) -> &'static str {
    match &stored.value {
        PoolObject::IPPool(pool) if pool.spec.pools.is_empty() => "add an entry to spec.pools",
        PoolObject::IPPool(_) => {
            "give each entry a start, or a subnet with room: a /32 has no address to give, a /31 one, and a start outside the subnet none"
        }
        PoolObject::InCluster(_) => {
            "gateway, network and broadcast address are never given out; add others to spec.addresses"
        }
    }
}
