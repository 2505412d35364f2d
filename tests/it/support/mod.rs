//! What the tests lean on: servers, faults, waiting.

pub mod proxy;
pub mod records;
pub mod redis;

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// Waits until `condition` holds, asking every 10 ms.
///
/// # Panics
/// When it does not hold by `deadline` from now.
pub async fn eventually(deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if condition().await {
            return;
        }
        assert!(start.elapsed() < deadline, "did not come true within {deadline:?}");
    }
}
//! What several areas of tests share.

pub mod logs;
pub mod server;
pub mod wire;
//! What tests of several areas share.

#[cfg(feature = "sandbox")]
pub mod browser;
#[cfg(feature = "sandbox")]
pub mod canned;
//! What several areas of tests share.

pub mod logs;
pub mod tcp;
pub mod tls;
//! What tests of several areas share.

#[cfg(feature = "sandbox")]
pub mod http;
#[cfg(feature = "sandbox")]
pub mod standin;
