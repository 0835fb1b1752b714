//! Takes the objects of a manifest, gives those of IPAM and the Clusters as typed values; what cannot be read and what stands
//! there twice is a finding, never a guess.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::de::DeserializeOwned;

use super::live::{AddressRecord, ClaimObject, ClusterState, Live, PoolObject, Stored};
use crate::api::{ObjectMeta, PAUSED_ANNOTATION, capi, in_cluster, metal3};
use crate::check::{Finding, codes};
use crate::objects::{Cursor, Manifest, Object, Span};
use crate::yaml::Tree;

impl Live {
    /// Reads the objects of a manifest. One that gives no namespace is in `namespace`, else in the only one that the input
    /// names. What cannot be read, and an object that stands there twice with different contents, is a finding; `first_text`
    /// is the index of the manifest's first text among the texts of the run.
    #[must_use]
    pub fn read(
        manifest: &Manifest<'_>,
        first_text: usize,
        namespace: Option<&str>,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let mut reading = Reading {
            manifest,
            first_text,
            home: namespace.map_or_else(|| only_namespace(manifest), ToOwned::to_owned),
            findings,
        };
        let mut pools = Collected::default();
        let mut claims = Collected::default();
        let mut addresses = Collected::default();
        let mut live = Self::default();
        // One document at a time: a long list is parsed once.
        let mut rest = manifest.objects.as_slice();
        let mut first = 0;
        while let Some(document) = rest.first().map(|object| object.document) {
            let count = rest.iter().take_while(|object| object.document == document).count();
            manifest.with_tree(document, |tree| {
                for (index, object) in rest[..count].iter().enumerate() {
                    let at = At {
                        index: first + index,
                        object,
                        tree,
                    };
                    match (object.group(), &*object.kind) {
                        (metal3::GROUP, metal3::POOL_KIND) => {
                            reading.keep(&at, &mut pools, |pool| PoolObject::IPPool(Box::new(pool)));
                        }
                        (in_cluster::GROUP, in_cluster::POOL_KIND | in_cluster::GLOBAL_POOL_KIND) => {
                            reading.keep(&at, &mut pools, |pool| PoolObject::InCluster(Box::new(pool)));
                        }
                        (metal3::GROUP, metal3::CLAIM_KIND) => {
                            reading.keep(&at, &mut claims, |claim| ClaimObject::IPClaim(Box::new(claim)));
                        }
                        (capi::GROUP, capi::CLAIM_KIND) => {
                            reading.keep(&at, &mut claims, |claim| ClaimObject::IPAddressClaim(Box::new(claim)));
                        }
                        (metal3::GROUP, metal3::ADDRESS_KIND) => {
                            reading.keep(&at, &mut addresses, |address| AddressRecord::Metal3(Box::new(address)));
                        }
                        (capi::GROUP, capi::ADDRESS_KIND) => {
                            reading.keep(&at, &mut addresses, |address| {
                                AddressRecord::ClusterApi(Box::new(address))
                            });
                        }
                        ("cluster.x-k8s.io", "Cluster") => {
                            let key = (reading.namespace_of(object), object.name().to_owned());
                            live.clusters.insert(key, reading.cluster(&at));
                        }
                        _ => {}
                    }
                }
            });
            first += count;
            rest = &rest[count..];
        }
        let identified = |pool: Stored<PoolObject>| (pool.value.id(&pool.namespace), pool);
        live.pools = pools.into_values().map(identified).collect();
        live.add_claims(claims.into_values());
        live.add_addresses(addresses.into_values());
        live
    }
}

/// Objects by namespace, group, kind and name.
type Collected<T> = BTreeMap<(String, String, String, String), Stored<T>>;

/// An object at hand.
struct At<'r, 'a> {
    index: usize,
    object: &'r Object<'a>,
    tree: &'r Tree<'a>,
}

struct Reading<'r, 'a> {
    manifest: &'r Manifest<'a>,
    first_text: usize,
    home: String,
    findings: &'r mut Vec<Finding>,
}

impl Reading<'_, '_> {
    fn keep<T, V>(&mut self, at: &At<'_, '_>, kept: &mut Collected<V>, make: impl FnOnce(T) -> V)
    where
        T: DeserializeOwned,
        V: PartialEq + Versioned,
    {
        let value = match at.tree.read::<T>(at.object.node, &self.manifest.limits()) {
            Ok(value) => make(value),
            Err(error) => {
                let base = self.manifest.documents[at.object.document as usize].chunk.start;
                let span = Span::new(base + error.span.start..base + error.span.end);
                let finding = Finding::new(
                    &codes::LIVE_UNREADABLE,
                    format!("{} cannot be read: {}", at.object, error.problem),
                );
                self.say(
                    at.object,
                    Some(span),
                    finding.help("write it as `kubectl get … -o yaml` prints it"),
                );
                return;
            }
        };
        if at.object.name().is_empty() {
            let finding = Finding::new(&codes::LIVE_UNREADABLE, format!("{} has no name", at.object));
            self.say(at.object, None, finding.help("give metadata.name"));
            return;
        }
        let stored = Stored {
            value,
            namespace: self.namespace_of(at.object),
            object: Some(at.index),
            place: 0,
        };
        let object = at.object;
        let words = [&stored.namespace, object.group(), &object.kind, object.name()];
        match kept.entry(words.map(ToOwned::to_owned).into()) {
            Entry::Vacant(free) => {
                free.insert(stored);
            }
            Entry::Occupied(mut other) => {
                if other.get().value == stored.value {
                    return;
                }
                self.twice(at.object, other.get().object);
                // Which one counts must not depend on the order of the texts.
                if stored.value.age() > other.get().value.age() {
                    other.insert(stored);
                }
            }
        }
    }

    fn twice(&mut self, object: &Object<'_>, other: Option<usize>) {
        let mut finding = Finding::new(
            &codes::LIVE_TWICE,
            format!("{object} stands in the input twice, with different contents"),
        )
        .help("give it once, as it is now: the one with the higher resourceVersion is read");
        if let Some(other) = other.map(|other| &self.manifest.objects[other]) {
            let text = self.first_text + self.manifest.source_of(other);
            finding = finding.with(text, other.name_span(), "also here");
        }
        self.say(object, None, finding);
    }

    fn say(&mut self, object: &Object<'_>, span: Option<Span>, finding: Finding) {
        let text = self.first_text + self.manifest.source_of(object);
        let span = span.unwrap_or_else(|| object.name_span());
        self.findings.push(finding.on(object).at(text, span));
    }

    fn namespace_of(&self, object: &Object<'_>) -> String {
        if &*object.kind == in_cluster::GLOBAL_POOL_KIND {
            return String::new();
        }
        object.namespace().unwrap_or(&self.home).to_owned()
    }

    fn cluster(&self, at: &At<'_, '_>) -> ClusterState {
        let base = self.manifest.documents[at.object.document as usize].chunk.start;
        let cursor = Cursor {
            tree: at.tree,
            base,
            node: at.object.node,
        };
        let paused = cursor.at(&["spec", "paused"]).and_then(Cursor::bool);
        let annotation = cursor.at(&["metadata", "annotations", PAUSED_ANNOTATION]);
        ClusterState {
            paused: paused == Some(true) || annotation.is_some(),
            api_version: at.object.api_version.to_string(),
            uid: cursor
                .at(&["metadata", "uid"])
                .and_then(|uid| Some(uid.text()?.value.into_owned())),
        }
    }
}

/// The only namespace that the objects of an input name; empty without one and with several.
#[must_use]
pub fn only_namespace(manifest: &Manifest<'_>) -> String {
    let mut named = manifest.objects.iter().filter_map(Object::namespace);
    match named.next() {
        Some(first) if named.all(|other| other == first) => first.to_owned(),
        _ => String::new(),
    }
}

/// What tells two texts of one object apart.
trait Versioned {
    /// The resourceVersion as a number, then the whole text; the greater is the later.
    fn age(&self) -> (Option<u64>, String);
}

fn age(metadata: &ObjectMeta, value: &impl std::fmt::Debug) -> (Option<u64>, String) {
    let version = metadata.resource_version.as_ref().and_then(|text| text.parse().ok());
    (version, format!("{value:?}"))
}

impl Versioned for PoolObject {
    fn age(&self) -> (Option<u64>, String) {
        age(self.metadata(), self)
    }
}

impl Versioned for ClaimObject {
    fn age(&self) -> (Option<u64>, String) {
        age(self.metadata(), self)
    }
}

impl Versioned for AddressRecord {
    fn age(&self) -> (Option<u64>, String) {
        age(self.metadata(), self)
    }
}
