//! Takes what happened, keeps the counters and gives their text; labels come from closed sets only, but for namespace and
//! name of a pool, which go with the pool.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::call::Key;

/// Labels of an API call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    verb: &'static str,
    kind: &'static str,
    result: &'static str,
}

/// Labels of a duration of API calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verb {
    verb: &'static str,
}

/// Labels of what was decided about a claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decision {
    decision: &'static str,
}

/// Labels of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    namespace: String,
    pool: String,
}

/// Labels of a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabels {
    role: &'static str,
}

/// Labels of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// What a pool comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct PoolFigures {
    /// Addresses that the pool can give out.
    pub(super) size: f64,
    /// Addresses held by claims, promises and objects.
    pub(super) used: f64,
    /// Addresses that a claim without a wish could get.
    pub(super) free: f64,
    /// Claims that wait for an address.
    pub(super) waiting: f64,
}

type FloatGauge = Gauge<f64, AtomicU64>;

/// Every metric of the process.
pub struct Metrics {
    registry: Mutex<Registry>,
    calls: Family<Call, Counter>,
    seconds: Family<Verb, Histogram, fn() -> Histogram>,
    decisions: Family<Decision, Counter>,
    conflicts: Counter,
    collisions: Counter,
    reconciles: Family<RoleLabels, Counter>,
    failures: Family<RoleLabels, Counter>,
    queue: Family<RoleLabels, Gauge>,
    restarts: Family<KindLabels, Counter>,
    unreadable: Family<KindLabels, Counter>,
    leader: Gauge,
    size: Family<PoolLabels, FloatGauge>,
    used: Family<PoolLabels, FloatGauge>,
    free: Family<PoolLabels, FloatGauge>,
    waiting: Family<PoolLabels, FloatGauge>,
}

/// From one millisecond to about half a minute.
fn durations() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::default(),
            calls: Family::default(),
            seconds: Family::new_with_constructor(durations as fn() -> Histogram),
            decisions: Family::default(),
            conflicts: Counter::default(),
            collisions: Counter::default(),
            reconciles: Family::default(),
            failures: Family::default(),
            queue: Family::default(),
            restarts: Family::default(),
            unreadable: Family::default(),
            leader: Gauge::default(),
            size: Family::default(),
            used: Family::default(),
            free: Family::default(),
            waiting: Family::default(),
        };
        let mut registry = Registry::with_prefix("capv_ipam");
        registry.register("api_calls", "Calls of the API server by result", metrics.calls.clone());
        let seconds = metrics.seconds.clone();
        registry.register_with_unit("api_call", "Time until the API server answered", Unit::Seconds, seconds);
        registry.register("decisions", "Decisions about claims", metrics.decisions.clone());
        registry.register(
            "pool_conflicts",
            "Decisions made again because the pool had changed",
            metrics.conflicts.clone(),
        );
        registry.register(
            "name_collisions",
            "Addresses passed over because the name of their object is taken",
            metrics.collisions.clone(),
        );
        registry.register("reconciles", "Passes over one object", metrics.reconciles.clone());
        registry.register(
            "reconcile_failures",
            "Passes that end with an error",
            metrics.failures.clone(),
        );
        registry.register("queue_length", "Objects that wait for a pass", metrics.queue.clone());
        registry.register(
            "watch_restarts",
            "Watches begun again after an error",
            metrics.restarts.clone(),
        );
        registry.register(
            "unreadable_objects",
            "Objects whose form could not be read",
            metrics.unreadable.clone(),
        );
        registry.register("leader", "1 while this process acts", metrics.leader.clone());
        registry.register(
            "pool_addresses",
            "Addresses that the pool can give out",
            metrics.size.clone(),
        );
        registry.register("pool_addresses_used", "Addresses held", metrics.used.clone());
        registry.register(
            "pool_addresses_free",
            "Addresses that a claim without a wish could get",
            metrics.free.clone(),
        );
        registry.register(
            "pool_claims_waiting",
            "Claims without an address",
            metrics.waiting.clone(),
        );
        metrics.with_registry(|own| *own = registry);
        metrics
    }
}

impl Metrics {
    /// Shows the counters of these roles and kinds from the start: what begins at nothing can be seen to grow.
    pub(super) fn begin(&self, roles: impl Iterator<Item = &'static str>, kinds: impl Iterator<Item = &'static str>) {
        for role in roles {
            drop(self.reconciles.get_or_create(&RoleLabels { role }));
            drop(self.failures.get_or_create(&RoleLabels { role }));
            drop(self.queue.get_or_create(&RoleLabels { role }));
        }
        for kind in kinds {
            drop(self.restarts.get_or_create(&KindLabels { kind }));
            drop(self.unreadable.get_or_create(&KindLabels { kind }));
        }
    }

    /// One call of the API server.
    pub(super) fn call(&self, verb: &'static str, kind: &'static str, result: &'static str, took: Duration) {
        self.calls.get_or_create(&Call { verb, kind, result }).inc();
        self.seconds.get_or_create(&Verb { verb }).observe(took.as_secs_f64());
    }

    /// What was decided about `count` claims: granted, refused or released.
    pub(super) fn decided(&self, decision: &'static str, count: usize) {
        if count > 0 {
            self.decisions
                .get_or_create(&Decision { decision })
                .inc_by(count as u64);
        }
    }

    pub(super) fn conflict(&self) {
        self.conflicts.inc();
    }

    pub(super) fn collision(&self) {
        self.collisions.inc();
    }

    pub(super) fn reconciled(&self, role: &'static str, failed: bool) {
        self.reconciles.get_or_create(&RoleLabels { role }).inc();
        if failed {
            self.failures.get_or_create(&RoleLabels { role }).inc();
        }
    }

    pub(super) fn queued(&self, role: &'static str, length: usize) {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        self.queue.get_or_create(&RoleLabels { role }).set(length);
    }

    pub(super) fn watch_restarted(&self, kind: &'static str) {
        self.restarts.get_or_create(&KindLabels { kind }).inc();
    }

    pub(super) fn unreadable(&self, kind: &'static str) {
        self.unreadable.get_or_create(&KindLabels { kind }).inc();
    }

    pub(super) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// The pool's figures; none when the pool is gone.
    pub(super) fn pool(&self, key: &Key, figures: Option<PoolFigures>) {
        let labels = PoolLabels {
            namespace: key.namespace.clone(),
            pool: key.name.clone(),
        };
        let families = [&self.size, &self.used, &self.free, &self.waiting];
        match figures {
            None => {
                for family in families {
                    family.remove(&labels);
                }
            }
            Some(PoolFigures {
                size,
                used,
                free,
                waiting,
            }) => {
                for (family, value) in families.iter().zip([size, used, free, waiting]) {
                    family.get_or_create(&labels).set(value);
                }
            }
        }
    }

    /// Everything in the text form of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.with_registry(|registry| {
            if let Err(error) = encode(&mut text, registry) {
                tracing::error!(%error, "the metrics cannot be written");
            }
        });
        text
    }

    fn with_registry(&self, with: impl FnOnce(&mut Registry)) {
        with(&mut self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}
