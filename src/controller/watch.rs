//! Takes one kind, keeps the store in step with the API server by a list and a watch from there on, and notes each sign of
//! life; never decides anything.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use kube::core::WatchEvent;
use kube::core::params::WatchParams;
use serde_json::Value;
use tokio::time::Instant;

use super::call::{Key, Readiness, Trouble, readiness};
use super::clock;
use super::kinds::Kind;
use super::lean::Lean;
use super::world::World;

/// After how many seconds the API server ends a watch; it is begun again from where it was.
const WATCH_SECONDS: u32 = 290;
/// How long the stream may say nothing at all: the API server ends it before.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 10);
/// After how long without any sign of life a watch counts as stuck.
pub(super) const STUCK: Duration = Duration::from_secs(420);
/// How long to wait before a kind is asked for again that is absent or that may not be read.
const ABSENT: Duration = Duration::from_secs(60);
/// For how long an optional kind is refused before it counts as absent: an API server that starts refuses for a while what it
/// will allow, and does not know yet what it will serve.
pub(super) const PERSISTS: Duration = Duration::from_secs(10);
/// The longest wait before such a kind is asked for again.
const REFUSED: Duration = Duration::from_secs(3);
/// The shortest and longest wait after an error.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(20));
/// After how long a watch that broke off had been in order.
const STEADY: Duration = Duration::from_secs(30);
/// Newer than every version: for a kind that is gone with all its objects.
const NEWEST: &str = "18446744073709551615";

/// How each watch fares.
#[derive(Debug, Default)]
pub(super) struct Vitals(Mutex<BTreeMap<Kind, Vital>>);

#[derive(Clone, Copy, Debug)]
struct Vital {
    synced: bool,
    seen: Instant,
}

impl Vitals {
    fn with<T>(&self, with: impl FnOnce(&mut BTreeMap<Kind, Vital>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A watch that is to be waited for from now on.
    pub(super) fn expect(&self, kind: Kind) {
        let seen = clock::instant();
        self.with(|vitals| vitals.insert(kind, Vital { synced: false, seen }));
    }

    fn sign(&self, kind: Kind, synced: Option<bool>) {
        self.with(|vitals| {
            if let Some(vital) = vitals.get_mut(&kind) {
                vital.seen = clock::instant();
                vital.synced = synced.unwrap_or(vital.synced);
            }
        });
    }

    /// Whether the kind is watched.
    pub(super) fn is_watched(&self, kind: Kind) -> bool {
        self.with(|vitals| vitals.contains_key(&kind))
    }

    /// The kinds whose first list is not complete.
    pub(super) fn unsynced(&self) -> Vec<Kind> {
        self.with(|vitals| {
            vitals
                .iter()
                .filter(|(_, v)| !v.synced)
                .map(|(kind, _)| *kind)
                .collect()
        })
    }

    /// The kinds that have shown no sign of life for too long.
    pub(super) fn stuck(&self) -> Vec<Kind> {
        let is_stuck = |vital: &Vital| vital.seen.elapsed() > STUCK;
        self.with(|vitals| {
            vitals
                .iter()
                .filter(|(_, v)| is_stuck(v))
                .map(|(kind, _)| *kind)
                .collect()
        })
    }
}

/// Watches a kind for as long as the process lives.
pub(super) async fn keep(world: &World, kind: Kind) {
    let mut wait = BACKOFF.0;
    let mut known = false;
    let mut refused_since: Option<Instant> = None;
    loop {
        let ended = match list(world, kind).await {
            Ok(version) => {
                synced(world, kind);
                (known, refused_since, wait) = (true, None, BACKOFF.0);
                follow(world, kind, version).await
            }
            Err(trouble) => trouble,
        };
        match ended {
            Trouble::TooOld => tracing::info!(kind = kind.label(), "the watch begins again with a list"),
            trouble @ (Trouble::Missing | Trouble::Forbidden(_)) if kind.is_optional() => {
                let since = *refused_since.get_or_insert_with(clock::instant);
                // Rights that are withdrawn say nothing about the objects that were read.
                let withdrawn = known && trouble != Trouble::Missing;
                if withdrawn || since.elapsed() < PERSISTS || readiness(world.caller.client()).await == Readiness::Not {
                    tracing::warn!(kind = kind.label(), %trouble, "cannot list or watch; what was read still counts");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(REFUSED);
                } else {
                    tracing::warn!(kind = kind.label(), %trouble, "the kind counts as absent");
                    let wakes = world.store().retain(kind, &HashSet::new(), NEWEST);
                    world.wake(wakes);
                    synced(world, kind);
                    known = false;
                    tokio::time::sleep(ABSENT).await;
                }
            }
            trouble => {
                tracing::warn!(kind = kind.label(), %trouble, "cannot list or watch");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(BACKOFF.1);
            }
        }
        world.metrics.watch_restarted(kind.label());
    }
}

/// Notes that the kind's objects are all in the store. With the last kind everything is looked at.
fn synced(world: &World, kind: Kind) {
    world.vitals.sign(kind, Some(true));
    if world.vitals.unsynced().is_empty() {
        world.wake_all();
    }
}

/// Reads all pages and takes out of the store what is not among them. Gives the version that the list stands for.
async fn list(world: &World, kind: Kind) -> Result<String, Trouble> {
    let mut listed = HashSet::new();
    let mut token = None;
    loop {
        let mut page = world
            .caller
            .page(kind, world.options.namespace.as_deref(), token)
            .await?;
        world.vitals.sign(kind, None);
        let text = |pointer: &str| {
            page.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let version = text("/metadata/resourceVersion");
        token = Some(text("/metadata/continue")).filter(|token| !token.is_empty());
        let items = page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
        for object in items.unwrap_or_default() {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            listed.insert(Key::new(text("/metadata/namespace"), text("/metadata/name")));
            take_in(world, kind, object);
        }
        if token.is_none() {
            let wakes = world.store().retain(kind, &listed, &version);
            world.store().has_come_to(kind, &version);
            world.wake(wakes);
            return Ok(version);
        }
    }
}

/// Follows the changes from a version on. Gives what ended it.
async fn follow(world: &World, kind: Kind, mut version: String) -> Trouble {
    let mut wait = BACKOFF.0;
    loop {
        let began = clock::instant();
        match watch(world, kind, &mut version).await {
            Ok(()) => {}
            Err(trouble @ Trouble::Unavailable(_)) => {
                tracing::warn!(kind = kind.label(), %trouble, "the watch broke off");
                world.metrics.watch_restarted(kind.label());
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(BACKOFF.1);
            }
            Err(trouble) => return trouble,
        }
        if began.elapsed() > STEADY {
            wait = BACKOFF.0;
        }
    }
}

/// One watch, until the API server ends it.
async fn watch(world: &World, kind: Kind, version: &mut String) -> Result<(), Trouble> {
    let params = WatchParams::default().timeout(WATCH_SECONDS);
    let request = world.caller.served_request(kind, world.options.namespace.as_deref())?;
    let request = request
        .watch(&params, version)
        .map_err(|error| Trouble::Refused(error.to_string()))?;
    let silent = || Trouble::Unavailable("the watch says nothing".into());
    let opened = tokio::time::timeout(SILENCE, world.caller.client().request_events::<Lean>(request));
    let stream = opened.await.map_err(|_| silent())??;
    world.vitals.sign(kind, None);
    let mut stream = std::pin::pin!(stream);
    loop {
        let Some(event) = tokio::time::timeout(SILENCE, stream.next())
            .await
            .map_err(|_| silent())?
        else {
            return Ok(());
        };
        world.vitals.sign(kind, None);
        match event? {
            WatchEvent::Added(Lean(object)) | WatchEvent::Modified(Lean(object)) => {
                note_version(&object, version);
                take_in(world, kind, object);
                world.store().has_come_to(kind, version);
            }
            WatchEvent::Deleted(Lean(object)) => {
                note_version(&object, version);
                let wakes = world.store().delete(kind, &object);
                world.store().has_come_to(kind, version);
                world.wake(wakes);
            }
            WatchEvent::Bookmark(bookmark) => {
                *version = bookmark.metadata.resource_version;
                world.store().has_come_to(kind, version);
            }
            WatchEvent::Error(status) => return Err(Trouble::from(&*status)),
        }
    }
}

fn note_version(object: &Value, version: &mut String) {
    if let Some(new) = object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
        new.clone_into(version);
    }
}

fn take_in(world: &World, kind: Kind, object: Value) {
    let name = object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    // The store is let go before anybody is woken.
    let taken = world.store().apply(kind, object);
    match taken {
        Ok(wakes) => world.wake(wakes),
        Err(problem) => {
            tracing::error!(
                kind = kind.label(),
                name,
                problem,
                "an object cannot be read and is left alone"
            );
            world.metrics.unreadable(kind.label());
        }
    }
}
