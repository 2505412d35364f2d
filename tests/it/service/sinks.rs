//! A gateway that wants screens in a call of their own.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::store::memory::MemoryStore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::support::app_fixture::assemble;
use crate::support::doubles::PlainGateway;

async fn next(screens: &mut UnboundedReceiver<kiungo::gateways::WireReply>) -> String {
    let reply = timeout(Duration::from_secs(10), screens.recv())
        .await
        .expect("in time")
        .expect("a screen");
    String::from_utf8(reply.body).expect("text")
}

/// The answer to the callback only says that it was taken; the screen goes through the sink, once a turn, and a repeat
/// gets the same. What needs no screen sends none.
#[tokio::test(flavor = "multi_thread")]
async fn screens_go_through_the_sink() {
    let (sink, mut screens) = unbounded_channel();
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let turns = assemble(store, PlainGateway { sink: Some(sink) }).await;
    for (text, want) in [
        (" ", "CON Umoja Credit asks"),
        (" 1", "CON Choose your bank"),
        (" 1", "CON Choose your bank"),
        (" 1*0", "CON Umoja Credit asks"),
        (" 1*0*0", "END Goodbye"),
    ] {
        assert_eq!(turns.answer(&format!("d1 +2348031234567{text}")).await, "taken");
        let screen = next(&mut screens).await;
        assert!(screen.starts_with(want), "{text}: {screen}");
    }
    assert_eq!(turns.answer("d1 +2348031234567").await, "taken");
    // Misunderstood: the person is told, for somebody may be waiting.
    assert_eq!(turns.answer("d1 nobody 1").await, "taken");
    let screen = next(&mut screens).await;
    assert!(
        screen.starts_with("END This service does not work for your number"),
        "{screen}"
    );
    turns.tasks.close();
    turns.tasks.wait().await;
    assert!(screens.is_empty(), "a notice sent a screen");
}
