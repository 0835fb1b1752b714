//! Takes values as they come with every object, gives one and the same for all that are alike: thousands of claims name one pool
//! and have the same finalizers.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// The values that are in use, and some that were.
#[derive(Debug)]
pub(super) struct Shared<T> {
    known: HashSet<Arc<T>>,
    /// How many there were after those without use were last forgotten.
    used: usize,
}

/// So many without use may stay.
const SPARE: usize = 64;

impl<T: Eq + Hash> Default for Shared<T> {
    fn default() -> Self {
        Self {
            known: HashSet::new(),
            used: 0,
        }
    }
}

impl<T: Eq + Hash> Shared<T> {
    /// The value that all share.
    pub(super) fn one(&mut self, value: Arc<T>) -> Arc<T> {
        if let Some(known) = self.known.get(&value) {
            return Arc::clone(known);
        }
        if self.known.len() > 2 * self.used + SPARE {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.used = self.known.len();
        }
        self.known.insert(Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_is_the_same_and_what_nobody_uses_is_forgotten() {
        let mut shared = Shared::default();
        let kept = shared.one(Arc::new("kept".to_owned()));
        assert!(Arc::ptr_eq(&kept, &shared.one(Arc::new("kept".to_owned()))));
        for number in 0..1000 {
            shared.one(Arc::new(format!("p{number}")));
        }
        assert!(shared.known.len() <= SPARE + 4, "{}", shared.known.len());
        assert!(Arc::ptr_eq(&kept, &shared.one(Arc::new("kept".to_owned()))));
    }
}
