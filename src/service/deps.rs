//! What every service takes from its process: clock, randomness, node id, tasks, store, records, keys and metrics.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBuilder;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::metrics::Metrics;
use super::sealing::Sealing;
use super::strangers::Strangers;
use crate::core::dial_code::DialCode;
use crate::core::flow::{FreshIds, OfferList, StepContext};
use crate::core::health::HealthMap;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, NodeId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::{Clock, Rng, Timestamp};
use crate::records::{AuditEntry, Records, Result as RecordsResult};
use crate::store::Store;

/// A moment at which a crash matters. Tests end the process there to see that nothing is lost or done twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// The attempt is in the store, nothing else has happened.
    Pending,
    /// Consent and attempt are durable.
    Begun,
    /// The attempt is marked as sent in the store, and not yet in the records.
    Marked,
    /// The attempt is marked as sent; nothing has left.
    Sent,
    /// The provider has answered; nobody else knows.
    Answered,
    /// The grant is durable.
    Granted,
    /// The grant was exchanged; nobody else knows.
    Redeemed,
    /// The link is durable; the person does not know.
    Linked,
}

impl CrashPoint {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Begun,
        Self::Marked,
        Self::Sent,
        Self::Answered,
        Self::Granted,
        Self::Redeemed,
        Self::Linked,
    ];

    /// Its name in the sandbox's configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Begun => "begun",
            Self::Marked => "marked",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Granted => "granted",
            Self::Redeemed => "redeemed",
            Self::Linked => "linked",
        }
    }
}

/// Called at every [`CrashPoint`]; does nothing in production.
pub type CrashHook = Arc<dyn Fn(CrashPoint) + Send + Sync>;

/// What every service takes from its process. Cloning it copies handles.
#[derive(Clone)]
pub struct Deps {
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    /// This server process.
    pub node: NodeId,
    /// The main runtime: a task spawned on an HTTP worker's own would die with it.
    pub handle: Handle,
    /// Everything under way, waited for at the end.
    pub tasks: TaskTracker,
    pub crash_hook: CrashHook,
    pub store: Arc<dyn Store>,
    pub records: Arc<dyn Records>,
    pub sealing: Sealing,
    pub metrics: Arc<Metrics>,
    /// What people without a key try.
    pub strangers: Arc<Strangers>,
}

impl Deps {
    /// Runs work to its end, whatever becomes of the caller.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(work, &self.handle);
    }

    pub fn crash_point(&self, point: CrashPoint) {
        (self.crash_hook)(point);
    }

    /// Writes an audit entry. The records cannot be waited for here: a failure is logged.
    pub async fn audit(&self, partner: PartnerId, tag: Option<SubscriberTag>, kind: &'static str, detail: String) {
        if let Err(error) = self.try_audit(partner, tag, kind, detail).await {
            tracing::error!(%error, kind, "writing an audit entry failed");
        }
    }

    /// # Errors
    /// When the records are not available.
    pub async fn try_audit(
        &self,
        partner: PartnerId,
        tag: Option<SubscriberTag>,
        kind: &'static str,
        detail: String,
    ) -> RecordsResult<()> {
        let entry = AuditEntry::new(partner, kind, detail, self.clock.now());
        let entry = match tag {
            Some(tag) => entry.about(tag),
            None => entry,
        };
        self.records.audit(&entry).await
    }

    /// What surrounds one step of the conversation now.
    pub fn context<'a>(
        &self,
        answer_by: Timestamp,
        offers: Option<&'a OfferList>,
        country: &'a str,
    ) -> StepContext<'a> {
        let rng = self.rng.as_ref();
        StepContext {
            now: self.clock.now(),
            answer_by,
            node: self.node,
            ids: FreshIds {
                session: ConnectSessionId::generate(rng),
                consent: ConsentId::generate(rng),
                intent: IntentId::generate(rng),
                attempt: AttemptId::generate(rng),
                code: DialCode::generate(rng),
            },
            offers,
            all_lists_read: true,
            health: HealthMap::healthy(),
            country,
        }
    }
}

/// For what must be written although the database has a bad moment.
pub(super) fn write_backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_times(6)
}

/// For what only this task knows, such as a provider's answer to what was submitted: it cannot be asked for again, and lives
/// ten minutes at providers, so a database that is away for less than that loses none of it.
pub(super) fn answer_backoff() -> ExponentialBuilder {
    write_backoff()
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .with_total_delay(Some(Duration::from_mins(10)))
}

#[cfg(test)]
mod tests {
    use backon::BackoffBuilder as _;

    use super::*;

    /// A database that is away for minutes, as when another server takes over, loses no answer, and one that is back is found
    /// back soon.
    #[test]
    fn an_answer_outlives_a_database_that_is_away() {
        let pauses: Vec<_> = answer_backoff().build().collect();
        let longest = pauses.iter().max().copied();
        let most = pauses.iter().sum::<Duration>();
        assert_eq!(longest, Some(Duration::from_secs(2)));
        assert!(most > Duration::from_mins(9), "{most:?}");
    }
}
