//! What a turn costs: one read and one write of one value, and nothing else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::store::memory::MemoryStore;

use crate::support::app_fixture::assemble;
use crate::support::doubles::{CountingStore, PlainGateway};
use crate::support::eventually;

/// A turn without a provider's call is one load and one swap, a repeat is one load, a notice is one of each.
#[tokio::test]
async fn a_turn_is_two_round_trips() {
    let store = Arc::new(CountingStore::new(MemoryStore::new(Arc::new(SystemClock))));
    let turns = assemble(store.clone(), PlainGateway { sink: None }).await;
    assert_eq!(store.taken(), (0, 0));
    let number = "+2348031234567";
    for (text, want, cost) in [
        ("", "CON Umoja Credit asks", (1, 1)),
        ("", "CON Umoja Credit asks", (1, 0)),
        ("3", "CON Choose your language", (1, 1)),
        ("3", "CON Choose your language", (1, 0)),
        ("", "CON Choose your language", (1, 0)),
        ("3*0", "CON Umoja Credit asks", (1, 1)),
        ("3*0*7", "CON Choose from", (1, 1)),
        ("3*0*7*3", "CON Choose your language", (1, 1)),
        ("3*0*7*3*0", "CON Umoja Credit asks", (1, 1)),
        ("3*0*7*3*0*1", "CON Choose your bank", (1, 1)),
        ("3*0*7*3*0*1*qqqq", "CON We cannot link a bank", (1, 1)),
        ("3*0*7*3*0*1*qqqq", "CON We cannot link a bank", (1, 0)),
        ("3*0*7*3*0*1*qqqq*0", "CON Umoja Credit asks", (1, 1)),
        ("3*0*7*3*0*1*qqqq*0*0", "END Goodbye", (1, 1)),
        ("3*0*7*3*0*1*qqqq*0*0", "END Goodbye", (1, 0)),
        ("3*0*7*3*0*1*qqqq*0*0*1", "END Time is up", (1, 0)),
    ] {
        let answer = turns.answer(&format!("d1 {number} {text}")).await;
        assert!(answer.starts_with(want), "{text}: {answer}");
        assert_eq!(store.taken(), cost, "{text}");
    }
    turns.answer(&format!("d2 {number} ")).await;
    assert_eq!(store.taken(), (1, 1));
    assert_eq!(turns.answer(&format!("d2 {number}")).await, "taken");
    assert_eq!(store.taken(), (1, 1));
    // That somebody has agreed is kept beside the turn, for the text that reminds of it.
    eventually(Duration::from_secs(10), async || turns.tasks.is_empty()).await;
}

/// When the store fails after a login was sent, the person is not told that nothing was sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_was_written_is_not_denied() {
    let store = Arc::new(CountingStore::new(MemoryStore::new(Arc::new(SystemClock))));
    let turns = assemble(store.clone(), PlainGateway { sink: None }).await;
    for text in ["", "1", "1*1", "1*1*ada"] {
        turns.answer(&format!("d1 +2348031234567 {text}")).await;
    }
    // The session is being opened, and told, beside the turns.
    eventually(Duration::from_secs(10), async || turns.tasks.is_empty()).await;
    store.taken();
    store.last_swap.store(1, Ordering::SeqCst);
    let answer = turns.answer("d1 +2348031234567 1*1*ada*Zq7password").await;
    assert_eq!(answer, "END Service is busy. Please dial *384*96# in a minute.");
}
