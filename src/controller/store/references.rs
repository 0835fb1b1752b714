//! Takes references to pools as they come with every object, gives one and the same for all that are alike: thousands of
//! claims name one pool.

use std::collections::HashSet;
use std::sync::Arc;

use crate::api::capi::PoolReference;

/// The references that are in use, and some that were.
#[derive(Debug, Default)]
pub(super) struct References {
    known: HashSet<Arc<PoolReference>>,
    /// How many there were after those without use were last forgotten.
    used: usize,
}

/// So many without use may stay.
const SPARE: usize = 64;

impl References {
    /// The reference that all share.
    pub(super) fn shared(&mut self, reference: Arc<PoolReference>) -> Arc<PoolReference> {
        if let Some(known) = self.known.get(&reference) {
            return Arc::clone(known);
        }
        if self.known.len() > 2 * self.used + SPARE {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.used = self.known.len();
        }
        self.known.insert(Arc::clone(&reference));
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipam::ippool_reference;

    #[test]
    fn alike_is_the_same_and_what_nobody_uses_is_forgotten() {
        let mut references = References::default();
        let kept = references.shared(ippool_reference("kept").into());
        assert!(Arc::ptr_eq(&kept, &references.shared(ippool_reference("kept").into())));
        for number in 0..1000 {
            references.shared(ippool_reference(&format!("p{number}")).into());
        }
        assert!(references.known.len() <= SPARE + 4, "{}", references.known.len());
        assert!(Arc::ptr_eq(&kept, &references.shared(ippool_reference("kept").into())));
    }
}
