//! Takes the name of a strategy and a source of numbers, gives both in checked form; never makes randomness of its own.

/// In which order an entry gives out its addresses. Entries themselves are used up in the order declared, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The lowest free address.
    #[default]
    Sequential,
    /// The first free address at or after a drawn place, wrapping around at the end of the entry.
    Random,
}

impl Strategy {
    /// `random`, or for every other text (none and empty included) `sequential`, as metal3 reads it
    /// (`ippool_manager.go`).
    #[must_use]
    pub fn named(text: Option<&str>) -> Self {
        match text {
            Some("random") => Self::Random,
            _ => Self::Sequential,
        }
    }
}

/// A source of numbers for the random strategy.
pub trait Randomness {
    /// A number from 0 to `size - 1`; `size` is 1 to 2^63-1. A larger answer is taken modulo `size`.
    fn below(&mut self, size: u64) -> u64;
}

impl<F: FnMut(u64) -> u64> Randomness for F {
    fn below(&mut self, size: u64) -> u64 {
        self(size)
    }
}

/// Numbers that follow from a seed (the SplitMix64 sequence): equal seeds give equal answers, on every machine.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Randomness for Seeded {
    fn below(&mut self, size: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The product's upper half is uniform below `size` but for 2^-64 of bias per value.
        let scaled = (u128::from(mixed) * u128::from(size)) >> 64;
        u64::try_from(scaled).unwrap_or(0)
    }
}
