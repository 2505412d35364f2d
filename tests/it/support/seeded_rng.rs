//! Chance that can be thrown again: what a test draws comes from one number, which it prints and takes from the variable
//! `KIUNGO_TEST_SEED`. Real processes still race as they will, but what the test does to them is the same.

use std::env::var_os;

use kiungo::ambient::OsRng;
use kiungo::core::time::Rng;

/// Draws numbers (`SplitMix64`).
pub struct SeededRng(u64);

impl SeededRng {
    /// From the seed that is asked for, else from a fresh one. It is printed, and shown when the test fails.
    pub fn seeded() -> Self {
        let asked = var_os("KIUNGO_TEST_SEED").map(|seed| seed.to_str().and_then(|seed| seed.parse().ok()));
        let seed = asked.map_or_else(
            || {
                let mut fresh = [0; 4];
                OsRng.fill(&mut fresh);
                u32::from_le_bytes(fresh).into()
            },
            |seed| seed.expect("KIUNGO_TEST_SEED is a number"),
        );
        println!("KIUNGO_TEST_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether something of this many percent happens.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    /// These in another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, usize::try_from(self.below(last as u64 + 1)).unwrap());
        }
    }

    /// Dice of one's own, for what runs beside.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
