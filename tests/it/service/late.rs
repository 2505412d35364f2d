//! Names of dialogs that come again, and lines that come late, by a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use kiungo::store::memory::MemoryStore;

use crate::support::app_fixture::{AppOptions, TestApp, assemble_in};
use crate::support::clock::ManualClock;
use crate::support::doubles::{CountingStore, PlainGateway};

const MINUTE: Duration = Duration::from_mins(1);

/// Somebody who has left the menu in the dialog `d1`.
async fn left() -> (Arc<ManualClock>, Arc<CountingStore<MemoryStore>>, TestApp) {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(CountingStore::new(MemoryStore::new(clock.clone())));
    let around = AppOptions {
        clock: clock.clone(),
        ..AppOptions::default()
    };
    let turns = assemble_in(store.clone(), PlainGateway { sink: None }, around).await;
    assert!(turns.answer("d1 +2348031234567 ").await.starts_with("CON Umoja"));
    assert!(turns.answer("d1 +2348031234567 0").await.starts_with("END Goodbye"));
    store.taken();
    (clock, store, turns)
}

/// A dialog's name comes again: within ten minutes it is the same dialog, and its answer the last one; later, and when
/// everything about the person has been forgotten after a day, it is a new dialog. With another number it is another
/// person's at any time.
#[tokio::test]
async fn a_name_that_comes_again() {
    for (later, want) in [
        (MINUTE, "END Goodbye"),
        (MINUTE * 10, "END Goodbye"),
        (MINUTE * 11, "CON Umoja"),
        (MINUTE * 60 * 25, "CON Umoja"),
    ] {
        let (clock, _store, turns) = left().await;
        clock.advance(later);
        let other = turns.answer("d1 +2348037654321 ").await;
        assert!(other.starts_with("CON Umoja"), "{later:?}: {other}");
        let again = turns.answer("d1 +2348031234567 ").await;
        assert!(again.starts_with(want), "{later:?}: {again}");
        // Neither has become the other's.
        let other = turns.answer("d1 +2348037654321 3").await;
        assert!(other.starts_with("CON Choose your language"), "{later:?}: {other}");
        let again = turns.answer("d1 +2348031234567 0").await;
        assert!(again.starts_with("END Goodbye"), "{later:?}: {again}");
    }
}

/// A line that comes after the end, up to a quarter of an hour late, is told that it is over; nothing is written.
#[tokio::test]
async fn a_line_after_the_end() {
    for late in [1, 30, 60, 300, 900].map(Duration::from_secs) {
        let (clock, store, turns) = left().await;
        clock.advance(late);
        let answer = turns.answer("d1 +2348031234567 0*1").await;
        assert!(answer.starts_with("END Time is up."), "{late:?}: {answer}");
        assert_eq!(store.taken(), (1, 0), "{late:?}");
    }
}
