//! Holds what every part of the controller shares: the store, the queue, the way to the API server, events and counters.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::call::{Caller, Key};
use super::event::Events;
use super::kinds::Kind;
use super::metrics::Metrics;
use super::options::{Options, Role};
use super::pool::Pools;
use super::queue::Queue;
use super::store::{Store, Wake};
use super::watch::Vitals;

/// What every part shares.
pub(super) struct World {
    pub(super) options: Options,
    pub(super) caller: Caller,
    pub(super) metrics: Arc<Metrics>,
    pub(super) events: Events,
    pub(super) queue: Queue<Wake>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) pools: Pools,
    /// Who makes claims for a machine now.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Set when nothing new is begun.
    pub(super) stopping: AtomicBool,
    store: Mutex<Store>,
}

impl World {
    pub(super) fn new(options: Options, caller: Caller, metrics: Arc<Metrics>, vitals: Arc<Vitals>) -> Self {
        Self {
            events: Events::new(caller.clone()),
            options,
            caller,
            metrics,
            queue: Queue::default(),
            vitals,
            pools: Pools::default(),
            turn: tokio::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
            store: Mutex::default(),
        }
    }

    /// The store. Never held across a call.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an answer of the API server in; the watch will bring the same later. Other roles than the pools' are woken: a pool
    /// looks again when what is in hand for it ends.
    pub(super) fn keep(&self, kind: Kind, object: serde_json::Value) {
        self.could_keep(kind, object);
    }

    /// As [`Self::keep`]; false if the form of the answer cannot be read.
    pub(super) fn could_keep(&self, kind: Kind, object: serde_json::Value) -> bool {
        let kept = self.store().keep(kind, object);
        match kept {
            Ok(wakes) => {
                self.wake(wakes.into_iter().filter(|wake| wake.role() != Role::Pool));
                true
            }
            Err(problem) => {
                tracing::error!(kind = kind.label(), problem, "an answer cannot be read");
                false
            }
        }
    }

    /// Takes an object out that a write of ours ended; the watch will say so later.
    pub(super) fn gone(&self, kind: Kind, key: &Key) {
        let wakes = self.store().remove(kind, key);
        self.wake(wakes);
    }

    /// Asks for a pass over everything that a role of ours serves, over machines in order of creation, then name.
    pub(super) fn wake(&self, wakes: impl IntoIterator<Item = Wake>) {
        let mut wakes: Vec<Wake> = wakes.into_iter().collect();
        if wakes.len() > 1 {
            let store = self.store();
            wakes.sort_by_cached_key(|wake| store.created(wake));
        }
        for wake in wakes {
            if self.options.plays(wake.role()) {
                self.queue.ask(wake);
            }
        }
    }

    /// Asks for a pass over everything, as at the start.
    pub(super) fn wake_all(&self) {
        let mut wakes = BTreeSet::new();
        for (name, namespace) in self.store().namespaces() {
            let key = |object: &String| Key::new(name.clone(), object.clone());
            wakes.extend(namespace.pools.keys().map(|pool| Wake::Pool(key(pool))));
            for (kind, object) in namespace.whole.keys() {
                match kind {
                    Kind::Machine => drop(wakes.insert(Wake::Machine(key(object)))),
                    Kind::VSphereCluster => drop(wakes.insert(Wake::Endpoint(key(object)))),
                    _ => {}
                }
            }
        }
        self.wake(wakes);
    }
}

impl Wake {
    /// The role that serves the object.
    pub(super) const fn role(&self) -> Role {
        match self {
            Self::Pool(_) => Role::Pool,
            Self::Machine(_) => Role::Machine,
            Self::Endpoint(_) => Role::Endpoint,
        }
    }
}
