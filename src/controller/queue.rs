//! Takes the names of objects that need a pass, gives each out once at a time and not before it is due; never gives one out
//! twice at once.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::clock;

/// The shortest and longest wait after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));
/// The same where a new look may settle it.
const AGAIN: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(2));

/// What a pass ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// All is done; the next pass comes after this rest, or `at_least` this one if [`Queue::hasten`] is called.
    Done {
        /// The usual rest.
        rest: Duration,
        /// The shortest rest.
        at_least: Duration,
    },
    /// Nothing was done yet, and another look comes after this wait.
    Later(Duration),
    /// Something was in the way that a new look may settle at once.
    Again,
    /// Something failed; wait longer each time.
    Failed,
}

impl Pass {
    /// All is done, and the next pass may come at once.
    pub(super) const DONE: Self = Self::Done {
        rest: Duration::ZERO,
        at_least: Duration::ZERO,
    };
}

#[derive(Debug)]
struct State<K> {
    due: BTreeSet<(Instant, K)>,
    keys: HashMap<K, Place>,
}

/// Where one key stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    due: Option<Instant>,
    running: bool,
    /// Asked for again while it ran.
    asked: bool,
    not_before: Option<Instant>,
    /// The rest that even haste keeps.
    soonest: Option<Instant>,
    failures: u32,
}

impl Place {
    /// How long to wait after one more pass that did not end well.
    fn fail(&mut self, (shortest, longest): (Duration, Duration)) -> Duration {
        self.failures += 1;
        (shortest * 2u32.saturating_pow(self.failures.min(16) - 1)).min(longest)
    }
}

/// Keys that wait for a pass.
#[derive(Debug)]
pub(super) struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                due: BTreeSet::new(),
                keys: HashMap::new(),
            }),
            changed: Notify::new(),
        }
    }
}

impl<K: Clone + Ord + Hash> Queue<K> {
    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a pass as soon as it may be.
    pub(super) fn ask(&self, key: K) {
        self.ask_after(key, Duration::ZERO);
    }

    /// Asks for a pass after a wait. An earlier wish stands.
    pub(super) fn ask_after(&self, key: K, wait: Duration) {
        let mut state = self.state();
        let place = state.keys.entry(key.clone()).or_default();
        if place.running {
            place.asked = true;
            return;
        }
        let mut due = clock::instant() + wait;
        if let Some(not_before) = place.not_before {
            due = due.max(not_before);
        }
        match place.due {
            Some(earlier) if earlier <= due => return,
            earlier => {
                place.due = Some(due);
                if let Some(earlier) = earlier {
                    state.due.remove(&(earlier, key.clone()));
                }
            }
        }
        state.due.insert((due, key));
        drop(state);
        self.changed.notify_one();
    }

    /// Cuts the key's rest short.
    pub(super) fn hasten(&self, key: &K) {
        let mut state = self.state();
        let Some(place) = state.keys.get_mut(key) else {
            return;
        };
        place.not_before = place.soonest;
        let due = place.due.take();
        if let Some(due) = due {
            state.due.remove(&(due, key.clone()));
            drop(state);
            self.ask(key.clone());
        }
    }

    /// How many keys wait.
    pub(super) fn len(&self) -> usize {
        self.state().due.len()
    }

    /// Gives the next key that is due. It is given to nobody else until [`Self::done`].
    pub(super) async fn next(&self) -> K {
        loop {
            let wait = {
                let mut state = self.state();
                match state.due.first().cloned() {
                    Some((due, key)) if due <= clock::instant() => {
                        state.due.remove(&(due, key.clone()));
                        let place = state.keys.entry(key.clone()).or_default();
                        place.due = None;
                        place.running = true;
                        return key;
                    }
                    first => first.map(|(due, _)| due),
                }
            };
            match wait {
                Some(due) => tokio::select! {
                    () = tokio::time::sleep_until(due) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    /// Ends the pass.
    pub(super) fn done(&self, key: &K, pass: Pass) {
        let mut state = self.state();
        let place = state.keys.entry(key.clone()).or_default();
        place.running = false;
        let asked = std::mem::take(&mut place.asked);
        let (again, wait, soonest) = match pass {
            Pass::Done { rest, at_least } => {
                place.failures = 0;
                (asked, rest, at_least)
            }
            Pass::Later(wait) => (true, wait, wait),
            Pass::Again => {
                let wait = place.fail(AGAIN);
                (true, wait, wait)
            }
            Pass::Failed => {
                let wait = place.fail(BACKOFF);
                (true, wait, wait)
            }
        };
        place.not_before = Some(clock::instant() + wait);
        place.soonest = Some(clock::instant() + soonest);
        if !again && place.not_before.is_some_and(|time| time <= clock::instant()) {
            state.keys.remove(key);
        }
        drop(state);
        if again {
            self.ask(key.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(test);
    }

    #[test]
    fn a_key_is_given_out_once_at_a_time_and_asked_for_again_while_it_runs() {
        run(async {
            let queue = Queue::default();
            queue.ask("a");
            queue.ask("a");
            assert_eq!(queue.next().await, "a");
            assert_eq!(queue.len(), 0);
            queue.ask("a");
            assert_eq!(queue.len(), 0);
            queue.done(&"a", Pass::DONE);
            assert_eq!(queue.next().await, "a");
            queue.done(&"a", Pass::DONE);
            assert_eq!(queue.len(), 0);
        });
    }

    #[test]
    fn a_failure_waits_and_a_rest_holds() {
        run(async {
            let queue = Queue::default();
            queue.ask("a");
            queue.next().await;
            let before = clock::instant();
            queue.done(&"a", Pass::Failed);
            assert_eq!(queue.next().await, "a");
            assert!(before.elapsed() >= BACKOFF.0);
            let pass = Pass::Done {
                rest: Duration::from_millis(80),
                at_least: Duration::from_millis(20),
            };
            queue.done(&"a", pass);
            let before = clock::instant();
            queue.ask("a");
            queue.ask("b");
            assert_eq!(queue.next().await, "b");
            assert_eq!(queue.next().await, "a");
            assert!(before.elapsed() >= Duration::from_millis(70));
            queue.done(&"a", pass);
            let before = clock::instant();
            queue.ask("a");
            queue.hasten(&"a");
            assert_eq!(queue.next().await, "a");
            assert!((15..70).contains(&before.elapsed().as_millis()));
        });
    }
}
