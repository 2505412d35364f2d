//! Limits: who is refused, what it costs, and what it leaves behind.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::token_bucket::RateLimit;
use kiungo::service::admission::TurnRates;
use kiungo::store::memory::MemoryStore;

use crate::support::app_fixture::{AppOptions, TestApp, assemble_in};
use crate::support::doubles::{CountingStore, PlainGateway};
use crate::support::eventually;
use crate::support::limits::PLENTY;

/// So few a minute that a test sees only the burst.
fn only(burst: u32) -> RateLimit {
    RateLimit { per_minute: 1, burst }
}

async fn limited(rates: TurnRates) -> (Arc<CountingStore<MemoryStore>>, TestApp) {
    let store = Arc::new(CountingStore::new(MemoryStore::new(Arc::new(SystemClock))));
    let around = AppOptions {
        rates,
        ..AppOptions::default()
    };
    let turns = assemble_in(store.clone(), PlainGateway { sink: None }, around).await;
    (store, turns)
}

const TOO_MANY: &str = "END Too many tries. Please wait a minute, then dial *384*96#";
const BUSY: &str = "END Service is busy. Please dial *384*96# in a minute.";

/// Past the limit of a person nothing is stepped: the dialog is over with the line that was one too many, which is told
/// the same when it comes again; further dials are one read each and leave nothing. Repeats are no turns, and others are
/// served.
#[tokio::test]
async fn a_person_who_asks_too_often_waits() {
    let rates = TurnRates {
        person: only(4),
        ..PLENTY
    };
    let (store, turns) = limited(rates).await;
    for (callback, want, cost) in [
        ("d1 +2348031234567 ", "CON Umoja Credit asks", (1, 1)),
        ("d1 +2348031234567 3", "CON Choose your language", (1, 1)),
        ("d1 +2348031234567 3*0", "CON Umoja Credit asks", (1, 1)),
        ("d1 +2348031234567 3*0", "CON Umoja Credit asks", (1, 0)),
        ("d1 +2348031234567 ", "CON Umoja Credit asks", (1, 0)),
        ("d1 +2348031234567 3*0*1", "CON Choose your bank", (1, 1)),
        ("d1 +2348031234567 3*0*1*1", TOO_MANY, (1, 1)),
        ("d1 +2348031234567 3*0*1*1", TOO_MANY, (1, 0)),
        ("d1 +2348031234567 3*0*1*1*ada", "END Time is up", (1, 0)),
        ("d2 +2348031234567 ", TOO_MANY, (1, 0)),
        ("d2 +2348031234567 1", TOO_MANY, (1, 0)),
        ("d3 +2348031234567 ", TOO_MANY, (1, 0)),
        ("d4 +2348031234568 ", "CON Umoja Credit asks", (1, 1)),
    ] {
        let answer = turns.answer(callback).await;
        assert!(answer.starts_with(want), "{callback}: {answer}");
        assert_eq!(store.taken(), cost, "{callback}");
    }
    // That somebody has agreed is kept beside the turn, for the text that reminds of it.
    eventually(Duration::from_secs(10), async || turns.tasks.is_empty()).await;
}

/// When a node or a channel runs short, dialogs that go on come first: new ones are refused while the reserve is still
/// there, and anyone who is refused costs no read at all.
#[tokio::test]
async fn dialogs_that_go_on_come_first() {
    let of_the_node = TurnRates {
        node: only(8),
        ..PLENTY
    };
    let of_the_channel = TurnRates {
        channel: only(8),
        ..PLENTY
    };
    for rates in [of_the_node, of_the_channel] {
        let (store, turns) = limited(rates).await;
        for number in 0..6 {
            let answer = turns.answer(&format!("d{number} +234803123456{number} ")).await;
            assert!(answer.starts_with("CON Umoja Credit asks"), "{number}: {answer}");
        }
        store.taken();
        for number in 6..9 {
            assert_eq!(turns.answer(&format!("d{number} +234803123456{number} ")).await, BUSY);
        }
        assert_eq!(store.taken(), (0, 0));
        for (number, want) in [
            (0, "CON Choose your language"),
            (1, "CON Choose your language"),
            (2, BUSY),
        ] {
            let answer = turns.answer(&format!("d{number} +234803123456{number} 3")).await;
            assert!(answer.starts_with(want), "{number}: {answer}");
        }
        assert_eq!(store.taken(), (2, 2));
    }
}
