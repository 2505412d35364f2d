//! Institution lists that are late: no turn waits for one that it does not need, and only briefly for one that it does.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::store::memory::MemoryStore;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::support::app_fixture::{AppOptions, TestApp, assemble_unread};
use crate::support::doubles::PlainGateway;
use crate::support::eventually;
use crate::support::machine::Stopwatch;
use crate::support::one_bank::OneBank;

async fn turns(banks: Vec<Arc<OneBank>>) -> TestApp {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let around = AppOptions {
        banks,
        ..AppOptions::default()
    };
    assemble_unread(store, PlainGateway { sink: None }, around).await
}

/// While one provider has not given its list, the list of another is read, shown and searched.
#[tokio::test]
async fn a_slow_provider_holds_up_no_other() {
    let gate = Arc::new(Semaphore::new(0));
    let turns = turns(vec![OneBank::behind("slow", &gate), OneBank::ready("mono")]).await;
    let catalogue = turns.service.0.catalogue.clone();
    let reading = Handle::current().spawn({
        let catalogue = catalogue.clone();
        async move { catalogue.refresh().await }
    });
    let offered = || catalogue.offers("NG").map_or(0, |offers| offers.len());
    eventually(Duration::from_secs(10), async || offered() == 1).await;
    assert!(catalogue.institution("mono", "b1:p").is_some());
    assert!(catalogue.institution("slow", "b1:p").is_none());
    turns.answer("d1 +2348031234567 ").await;
    let screen = turns.answer("d1 +2348031234567 1").await;
    assert!(screen.contains("1 Savanna Bank"), "{screen}");
    assert!(!reading.is_finished());
    gate.add_permits(1);
    reading.await.unwrap();
    assert_eq!(offered(), 2);
}

/// Dialing does not wait for the first list; choosing a bank does, briefly, and shows it once it is there.
#[tokio::test]
async fn only_who_needs_the_list_waits_for_it() {
    let gate = Arc::new(Semaphore::new(0));
    let turns = turns(vec![OneBank::behind("mono", &gate)]).await;
    let keeping = Handle::current().spawn(turns.service.0.catalogue.clone().keep_fresh());
    let began = Stopwatch::start();
    let screen = turns.answer("d1 +2348031234567 ").await;
    assert!(screen.starts_with("CON Umoja Credit asks"), "{screen}");
    assert!(began.fair() < Duration::from_millis(2_500), "it waited for the list");
    let screen = turns.answer("d1 +2348031234567 1").await;
    assert!(screen.starts_with("CON The list of banks is not available"), "{screen}");
    let open = async { gate.add_permits(1) };
    let (screen, ()) = tokio::join!(turns.answer("d1 +2348031234567 1*1"), open);
    assert!(screen.contains("1 Savanna Bank"), "{screen}");
    keeping.abort();
}
