//! Choices made by chance: bytes that are used up one by one, so that a shorter or smaller tape is a simpler case.

/// Choices; past the end every choice is the first.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    bytes: Vec<u8>,
    at: usize,
}

impl Tape {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Tape { bytes, at: 0 }
    }

    /// A number below `count`.
    pub(crate) fn pick(&mut self, count: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte as usize % count
    }

    /// True once in `count` times.
    pub(crate) fn rarely(&mut self, count: usize) -> bool {
        self.pick(count) == count - 1
    }

    pub(crate) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.pick(of.len())]
    }

    /// Another order of the items.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = last - self.pick(last + 1);
            items.swap(last, other);
        }
    }
}
