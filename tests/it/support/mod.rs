//! What the tests lean on: servers, faults, waiting.

#[cfg(feature = "sandbox")]
pub mod aggregator;
#[cfg(feature = "sandbox")]
pub mod api;
pub mod app_fixture;
#[cfg(feature = "sandbox")]
pub mod browser;
#[cfg(feature = "sandbox")]
pub mod canned;
pub mod clock;
pub mod config_text;
pub mod doubles;
pub mod events;
pub mod flow;
pub mod hook_bank;
#[cfg(feature = "sandbox")]
pub mod http;
pub mod intents;
pub mod invented;
pub mod limits;
pub mod logs;
pub mod machine;
#[cfg(feature = "sandbox")]
pub mod node;
pub mod one_bank;
pub mod options;
pub mod postgres;
pub mod provider_webhooks;
pub mod proxy;
pub mod receiver;
#[cfg(feature = "sandbox")]
pub mod recorder;
pub mod records;
pub mod redis;
pub mod resp;
#[cfg(feature = "sandbox")]
pub mod rolling_store;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod search_forms;
#[cfg(feature = "sandbox")]
pub mod seeded_rng;
pub mod server;
#[cfg(feature = "sandbox")]
pub mod sms_world;
pub mod soak;
#[cfg(feature = "sandbox")]
pub mod standin;
pub mod tcp;
pub mod tls;
pub mod wire;
#[cfg(feature = "sandbox")]
pub mod world;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use self::machine::Stopwatch;

/// Waits until `condition` holds, asking every 10 ms: see [`eventually_every`].
pub async fn eventually(deadline: Duration, condition: impl AsyncFnMut() -> bool) {
    eventually_every(Duration::from_millis(10), deadline, condition).await;
}

/// Waits until `condition` holds, asking once a `period`: a longer one where to ask is work, and the wait is long.
///
/// # Panics
/// When it does not hold by `deadline` from now, the time not counted that the machine could not give (see [`machine`]).
pub async fn eventually_every(period: Duration, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let start = Stopwatch::start();
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if condition().await {
            return;
        }
        let late = start.elapsed() >= deadline && start.fair() >= deadline;
        assert!(!late, "did not come true within {deadline:?}");
    }
}

/// Every file in a folder and the folders in it.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { &mut folders } else { &mut found }.push(path);
        }
    }
    found
}

/// Bytes as people write them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
