//! Which revision of each live value this process has seen.
//!
//! Revisions only grow, also from a value that has expired to the next one of its subscriber. So a value that is older than
//! one that was seen has been brought back: Redis has lost writes, or somebody has put an old value there. What is typed then
//! answers a screen that the value does not know. It is only a help: another process, or this one after a while, has not seen
//! it, and the records decide what is sent.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::core::seal::SubscriberTag;

/// So many are remembered, and as many of those before them.
const GENERATION: usize = 50_000;

#[derive(Default)]
pub(super) struct SeenRevisions(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    present: HashMap<[u8; 32], u64>,
    before: HashMap<[u8; 32], u64>,
}

impl SeenRevisions {
    /// The highest that was seen of a subscriber; 0 where none is remembered.
    pub(super) fn highest(&self, tag: &SubscriberTag) -> u64 {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |generation: &HashMap<_, _>| generation.get(tag.as_bytes()).copied().unwrap_or_default();
        of(&seen.present).max(of(&seen.before))
    }

    pub(super) fn note(&self, tag: &SubscriberTag, revision: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.present.len() >= GENERATION && !seen.present.contains_key(tag.as_bytes()) {
            seen.before = std::mem::take(&mut seen.present);
        }
        let before = seen.before.get(tag.as_bytes()).copied().unwrap_or_default();
        let known = seen.present.entry(*tag.as_bytes()).or_default();
        *known = revision.max(*known).max(before);
    }

    pub(super) fn forget(&self, tag: &SubscriberTag) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.present.remove(tag.as_bytes());
        seen.before.remove(tag.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(n: usize) -> SubscriberTag {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        SubscriberTag::from_bytes(bytes)
    }

    /// The highest is remembered whatever is seen after it, also while many others come; the memory is bounded; nothing is
    /// left of somebody who is forgotten.
    #[test]
    fn the_highest_is_remembered_for_a_while() {
        let seen = SeenRevisions::default();
        for revision in [1, 7, 3] {
            seen.note(&tag(0), revision);
        }
        for other in 1..=GENERATION {
            seen.note(&tag(other), 1);
        }
        assert_eq!(seen.highest(&tag(0)), 7);
        seen.note(&tag(0), 2);
        for other in 1..=GENERATION {
            seen.note(&tag(GENERATION + other), 1);
        }
        assert_eq!(seen.highest(&tag(0)), 7, "seen again meanwhile");
        let kept = seen.0.lock().unwrap();
        assert!(kept.present.len() + kept.before.len() <= 2 * GENERATION);
        drop(kept);
        seen.forget(&tag(0));
        assert_eq!(seen.highest(&tag(0)), 0);
    }
}
