//! Takes independent pieces of work and spreads them over the machine's cores; results come in the order of the pieces, and little work stays on one core.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Pieces that one worker takes at a time.
const STRIDE: usize = 64;

/// Gives every item to a function. Below `worthwhile` items no thread is started.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], worthwhile: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(8);
    if cores == 1 || items.len() < worthwhile.max(2) {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(STRIDE, Ordering::Relaxed);
            let Some(rest) = items.get(start..).filter(|rest| !rest.is_empty()) else {
                return done;
            };
            let results: Vec<R> = rest.iter().take(STRIDE).map(&work).collect();
            done.push((start, results));
        }
    };
    let mut parts = thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(take_turns)).collect();
        let mut parts = take_turns();
        for other in others {
            match other.join() {
                Ok(done) => parts.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_unstable_by_key(|(start, _)| *start);
    parts.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
        assert_eq!(super::map(&items, 2, |item| item * 2), doubled);
        assert_eq!(super::map(&items[..0], 0, |item| item * 2), Vec::<usize>::new());
    }
}
