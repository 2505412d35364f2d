//! What strangers try: wrong keys, tokens and secrets.
//!
//! Each try is refused and counted in the metrics. The audit trail says that there were some and how many, in at most one
//! row a minute of each kind and partner at each node, however many come: nobody without a key writes anything by coming again, nor
//! buries the rows that matter.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::metrics::Metrics;
use crate::core::ids::PartnerId;
use crate::core::time::{Clock, Timestamp};
use crate::records::{AuditEntry, Records};

/// Between two rows of one kind.
const ROW_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whether a row is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a stranger tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StrangerKind {
    /// A secret key at the token endpoints.
    Key,
    /// A publishable key.
    PublishableKey,
    /// An access token.
    Token,
    /// A provider's webhook.
    Webhook,
    /// A USSD gateway's callback.
    UssdCallback,
    /// An SMS gateway's callback.
    SmsCallback,
    /// A person's page. Old links are opened every day, so these are only counted.
    Page,
}

impl StrangerKind {
    /// The label in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::PublishableKey => "publishable_key",
            Self::Token => "token",
            Self::Webhook => "webhook",
            Self::UssdCallback => "ussd_callback",
            Self::SmsCallback => "sms_callback",
            Self::Page => "page",
        }
    }

    /// The kind of the audit row.
    const fn audit_kind(self) -> Option<&'static str> {
        match self {
            Self::Key => Some("key.wrong"),
            Self::PublishableKey => Some("publishable_key.wrong"),
            Self::Token => Some("token.wrong"),
            Self::Webhook => Some("webhook.unauthentic"),
            Self::UssdCallback => Some("ussd_callback.unauthentic"),
            Self::SmsCallback => Some("sms_callback.unauthentic"),
            Self::Page => None,
        }
    }
}

/// Those of one kind.
#[derive(Default)]
struct Tries {
    /// Not written down yet.
    count: u64,
    written_at: Option<Timestamp>,
}

/// Counts them, at this node.
pub struct Strangers {
    metrics: Arc<Metrics>,
    /// Whose trail says what concerns no partner in particular.
    operator: PartnerId,
    /// Webhooks by the partner whose keys they were to have: there are no more of those than partners with keys.
    tries: Mutex<BTreeMap<(StrangerKind, PartnerId), Tries>>,
}

impl Strangers {
    pub fn new(metrics: Arc<Metrics>, operator: PartnerId) -> Self {
        Self {
            metrics,
            operator,
            tries: Mutex::default(),
        }
    }

    /// Counts a try.
    pub fn count(&self, kind: StrangerKind) {
        self.count_at(kind, self.operator);
    }

    /// Counts a try that concerns a partner, who exists.
    pub fn count_at(&self, kind: StrangerKind, partner: PartnerId) {
        self.metrics.stranger(kind.as_str());
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.entry((kind, partner)).or_default().count += 1;
    }

    /// Writes the rows that are due.
    pub async fn write_down(&self, records: &dyn Records, now: Timestamp) {
        for row in self.due(now) {
            if let Err(error) = records.audit(&row).await {
                // The metrics know of them.
                tracing::warn!(%error, kind = row.kind, "writing down what strangers tried failed");
            }
        }
    }

    fn due(&self, now: Timestamp) -> Vec<AuditEntry> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Vec::new();
        for ((kind, partner), tries) in tries.iter_mut() {
            let resting = tries.written_at.is_some_and(|at| now < at.plus(ROW_EVERY));
            let Some(audit_kind) = kind.audit_kind().filter(|_| tries.count > 0 && !resting) else {
                continue;
            };
            let detail = format!("{} at this node", tries.count);
            rows.push(AuditEntry::new(*partner, audit_kind, detail, now));
            *tries = Tries {
                count: 0,
                written_at: Some(now),
            };
        }
        rows
    }

    /// Goes on writing them down.
    pub async fn run(self: Arc<Self>, records: Arc<dyn Records>, clock: Arc<dyn Clock>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.write_down(records.as_ref(), clock.now()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many come, there is one row a minute of each kind and partner, and the rows together say how many there
    /// were. Old links of people leave none.
    #[test]
    fn floods_leave_a_row_a_minute() {
        let (operator, partner) = (PartnerId::from_bytes([1; 16]), PartnerId::from_bytes([2; 16]));
        let strangers = Strangers::new(Arc::new(Metrics::new()), operator);
        let at = |seconds: i64| Timestamp::from_millis(1_780_000_000_000 + seconds * 1_000);
        let mut rows = Vec::new();
        for second in 0..180 {
            for _ in 0..100 {
                strangers.count(StrangerKind::Token);
                strangers.count(StrangerKind::Page);
            }
            strangers.count_at(StrangerKind::Webhook, partner);
            rows.extend(strangers.due(at(second)));
        }
        rows.extend(strangers.due(at(180)));
        assert!(strangers.due(at(1_000)).is_empty());
        for (whose, kind, counts) in [
            (operator, "token.wrong", [100, 6_000, 6_000, 5_900]),
            (partner, "webhook.unauthentic", [1, 60, 60, 59]),
        ] {
            let found = rows.iter().filter(|row| row.partner == whose);
            let found: Vec<_> = found.map(|row| (row.kind, row.detail.clone())).collect();
            let wanted = counts.map(|count: u32| (kind, format!("{count} at this node")));
            assert_eq!(found, wanted);
        }
    }
}
