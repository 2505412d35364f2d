//! What partners ask for: somebody's consent and bank account.

use async_trait::async_trait;

use super::{AuditEntry, IntentState, Job, Result, SmsMessage, WriteOutcome};
use crate::core::access::TenantScope;
use crate::core::ids::{ConsentId, EntityId, IntentId, LinkId, PartnerId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// A partner's request that somebody links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkIntent {
    /// Its id.
    pub id: IntentId,
    /// Who asks.
    pub partner: PartnerId,
    /// For which entity.
    pub entity: Option<EntityId>,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    /// Where it stands.
    pub state: IntentState,
    /// What the data are for, as shown in the consent.
    pub purpose: String,
    /// For how many days.
    pub days: u16,
    /// Which data.
    pub scope: Scope,
    /// The partner's own name for it.
    pub reference: Option<String>,
    /// The only person who may use it; without one, whoever has the code.
    pub tag: Option<SubscriberTag>,
    /// Their number, sealed.
    pub msisdn: Option<Vec<u8>>,
    /// A keyed digest of the code to dial; none where the number is enough, and once it is over.
    pub code_digest: Option<[u8; 32]>,
    /// The code, sealed; none once it is over.
    pub code: Option<Vec<u8>>,
    /// The only institution, by our key for it.
    pub institution: Option<String>,
    /// The language to begin in, BCP 47.
    pub locale: Option<String>,
    /// Whether more than one person may use it.
    pub many: bool,
    /// The account number and holder name it must turn out to be, sealed.
    pub expected: Option<Vec<u8>>,
    /// The link to be logged in to again, if that is what is asked.
    pub renews: Option<LinkId>,
    /// How many links have come of it.
    pub links: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub moved_at: Timestamp,
    /// From then on it cannot be begun.
    pub expires_at: Timestamp,
}

/// The request of a partner's that a consent answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredIntent {
    /// Its id.
    pub id: IntentId,
    /// Who asks.
    pub partner: PartnerId,
    /// Where it stands.
    pub state: IntentState,
    /// What the account must turn out to be, sealed.
    pub expected: Option<Vec<u8>>,
}

/// A text, and the job that sends it.
pub type QueuedSms = (SmsMessage, Job);

/// Which requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntentFilter {
    /// Only those that stand so.
    pub state: Option<IntentState>,
    /// Only those that the partner calls so.
    pub reference: Option<String>,
}

/// Partners' requests. Every deed goes into the audit trail, and every end of one is told to the partner, in the
/// transaction of what it does. Once it is over a request has no code.
#[async_trait]
pub trait IntentRecords: Send + Sync {
    /// Adds a request with the job that ends it in time and, if it is to be told by text, that text. Under an id that is
    /// taken nothing is written: what stands there comes back. [`Kept::Taken`]: another request has this code.
    async fn add_intent(
        &self,
        intent: &LinkIntent,
        text: Option<&QueuedSms>,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>>;
    /// A request.
    async fn intent(&self, reach: &TenantScope, id: IntentId) -> Result<Option<LinkIntent>>;
    /// Requests, newest first.
    async fn intents(
        &self,
        reach: &TenantScope,
        filter: &IntentFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkIntent>>;
    /// Ends an open request: `intent.cancelled`. [`Kept::InUse`]: it is over already.
    async fn cancel_intent(
        &self,
        reach: &TenantScope,
        id: IntentId,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>>;
    /// The request that a consent answers, if a partner has made it.
    async fn intent_of_consent(&self, consent: ConsentId) -> Result<Option<AnsweredIntent>>;
    /// Ends a request that is open and whose time is over by now: `intent.expired`. Says when it will be, if that is later.
    async fn expire_intent(&self, id: IntentId, now: Timestamp) -> Result<Option<Timestamp>>;
}
