//! Whether this node can serve.
//!
//! That is: whether it can write, now. What was found is good for a moment, so that probes from many sides cost no more than
//! one, and a check that does not end in time has failed.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::callbacks::{PartState, Readiness};
use super::catalogue::Catalogue;
use super::database_clock::DatabaseClock;
use super::deps::Deps;
use crate::providers::offer::{LinkingWays, no_ways};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(1);
/// How long a check may take.
const CHECK_TIMEOUT: Duration = Duration::from_millis(2_500);

pub struct ReadinessChecks {
    deps: Deps,
    clock: Arc<DatabaseClock>,
    /// Cancelled when the node is going down: it says so before it stops listening.
    stop: CancellationToken,
    /// How store and records were, and when.
    found: Mutex<Option<(Instant, [PartState; 2])>>,
    linking: LinkingNote,
}

/// Whether anybody can link here.
pub struct LinkingNote {
    pub catalogue: Arc<Catalogue>,
    /// Which ways to link the configuration leaves, for as long as no list has been read.
    pub configured: Vec<LinkingWays>,
}

impl LinkingNote {
    /// Where nobody can, that is no reason to take no turns: people must be told, and can look and unlink.
    fn state(&self) -> PartState {
        let none = self.catalogue.no_ways().unwrap_or_else(|| no_ways(&self.configured));
        if none.is_empty() {
            PartState::Good
        } else {
            PartState::Note(none.join(". "))
        }
    }
}

impl ReadinessChecks {
    pub fn new(deps: Deps, clock: Arc<DatabaseClock>, stop: CancellationToken, linking: LinkingNote) -> Self {
        Self {
            deps,
            clock,
            stop,
            found: Mutex::new(None),
            linking,
        }
    }

    async fn store_and_records(&self) -> [PartState; 2] {
        // Held while it looks: those who ask meanwhile get the same answer.
        let mut found = self.found.lock().await;
        if let Some((_, states)) = found.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return states.clone();
        }
        let (store, records) = tokio::join!(
            in_time(self.deps.store.ready()),
            in_time(self.deps.records.check_ready())
        );
        let states = [store, records];
        *found = Some((Instant::now(), states.clone()));
        states
    }
}

async fn in_time<E: Display>(check: impl Future<Output = Result<(), E>>) -> PartState {
    timeout(CHECK_TIMEOUT, check).await.map_or_else(
        |_| PartState::Fault(format!("no answer after {} ms", CHECK_TIMEOUT.as_millis())),
        PartState::of,
    )
}

#[async_trait]
impl Readiness for ReadinessChecks {
    async fn checks(&self) -> Vec<(&'static str, PartState)> {
        let [store, records] = self.store_and_records().await;
        let node = if self.stop.is_cancelled() {
            PartState::Fault("going down".to_owned())
        } else {
            PartState::Good
        };
        let clock = self.clock.note().map_or(PartState::Good, PartState::Note);
        vec![
            ("store", store),
            ("records", records),
            ("node", node),
            ("clock", clock),
            ("linking", self.linking.state()),
        ]
    }
}
