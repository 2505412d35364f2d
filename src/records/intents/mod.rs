//! Link intents: a partner asks for somebody's consent and bank account.

use async_trait::async_trait;

use super::columns::{Bytes, Nullable, db_enum, moves};
use super::{AuditEntry, Job, Result, SmsMessage, SubscriberHistory, WriteOutcome};
use crate::core::access::TenantScope;
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::ids::{ConsentId, EntityId, IntentId, LinkId, PartnerId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::purpose::Purpose;
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// A partner's intent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LinkIntent {
    pub id: IntentId,
    pub partner: PartnerId,
    pub entity: Option<EntityId>,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    pub state: IntentState,
    /// What the data are for, as shown in the consent.
    pub purpose: Purpose,
    /// For how many days.
    #[sqlx(try_from = "i64")]
    pub days: u16,
    pub scope: Scope,
    /// The partner's own name for it.
    pub reference: Option<String>,
    /// The only person who may use it; without one, anyone who has the code.
    pub tag: Option<SubscriberTag>,
    /// Their number, sealed.
    pub msisdn: Option<Vec<u8>>,
    /// A keyed digest of the code to dial; none where the number is enough, and once it is over.
    #[sqlx(try_from = "Nullable<Bytes<32>>")]
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
    /// The bank, the way to log in, the user name and the account number that the person is offered, sealed.
    pub suggested: Option<Vec<u8>>,
    /// The link to be logged in to again, if that is what is asked.
    pub renews: Option<LinkId>,
    /// How many links have come of it.
    #[sqlx(try_from = "i64")]
    pub links: u32,
    pub created_at: Timestamp,
    /// When its state last changed.
    pub moved_at: Timestamp,
    /// From then on it cannot be begun.
    pub expires_at: Timestamp,
}

db_enum! {
    /// Where an intent stands.
    pub enum IntentState {
        /// It may be begun.
        Open = "open",
        /// Somebody has linked for it, and nobody else can.
        Completed = "completed",
        /// The partner has ended it.
        Cancelled = "cancelled",
        /// Its time is over.
        Expired = "expired",
        /// What was linked for it was not the account it was for.
        Mismatched = "mismatched",
    }
}

// Anyone who has begun in time goes on, so what comes of that overrules that the time is over.
moves!(IntentState {
    Open => [Completed, Cancelled, Expired, Mismatched],
    Completed => [],
    Cancelled => [],
    Expired => [Completed, Mismatched],
    Mismatched => [],
});

/// How many intents may be open at a time, so that nobody fills a person's first screens, or takes up all codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntentLimits {
    /// Of one partner. There are a hundred million codes for all.
    pub of_partner: u32,
    /// Of one partner for one number.
    pub of_partner_for_number: u32,
}

/// How many intents of all partners for one number may be open at a time: as many as are shown.
pub const OPEN_INTENTS_FOR_NUMBER: u32 = 20;

/// An SMS, and the job that sends it.
pub type QueuedSms = (SmsMessage, Job);

/// Which intents; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntentFilter {
    pub state: Option<IntentState>,
    pub reference: Option<String>,
}

/// Partners' intents. What is done to one goes into the audit trail, and every end of one is told to the partner, in the
/// transaction of what it does. Once it is over an intent has no code.
#[async_trait]
pub trait IntentRecords: Send + Sync {
    /// Adds an intent with the job that ends it in time and, if it is to be told by SMS, that. Under an id that is taken
    /// nothing is written: what stands there comes back. [`WriteOutcome::Taken`]: another intent has this code.
    /// [`WriteOutcome::TooMany`]: the partner has too many open ones, or this person has.
    async fn add_intent(
        &self,
        intent: &LinkIntent,
        limits: IntentLimits,
        sms: Option<&QueuedSms>,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>>;
    /// An intent.
    async fn intent(&self, scope: &TenantScope, id: IntentId) -> Result<Option<LinkIntent>>;
    /// Intents, newest first.
    async fn intents(
        &self,
        scope: &TenantScope,
        filter: &IntentFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkIntent>>;
    /// Ends an open intent: `intent.cancelled`. [`WriteOutcome::InUse`]: it is over already.
    async fn cancel_intent(
        &self,
        scope: &TenantScope,
        id: IntentId,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<LinkIntent>>;
    /// The intent that a consent answers, if a partner has made it.
    async fn intent_of_consent(&self, consent: ConsentId) -> Result<Option<LinkIntent>>;
    /// Ends an intent that is open and whose time is over by now: `intent.expired`. Says when it will be, if that is later.
    async fn expire_intent(&self, id: IntentId, now: Timestamp) -> Result<Option<Timestamp>>;
}

/// What is asked of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingRequests {
    /// Open intents for this person, newest first, at most [`OPEN_INTENTS_FOR_NUMBER`]; then the partners that take anyone who dials and have keys
    /// at a provider, by name, at most fifty.
    pub requests: Vec<RequestTerms>,
    /// The open intent behind the code, if one was looked up and anybody may answer it.
    pub by_code: Option<RequestTerms>,
    /// What is offered with these intents, sealed.
    pub suggested: Vec<(IntentId, Vec<u8>)>,
    /// The partners with which this person has ever had to do; none for a person without any history.
    pub partners: Vec<PartnerRef>,
}

/// Intents, as the person sees them. What partners see of them is told elsewhere.
#[async_trait]
pub trait RequestRecords: Send + Sync {
    /// What a dial must know, all of it at the same moment: what is asked of this person now, `code` being the keyed digest of
    /// a code that they dialled, and what is known of them, as [`AttemptRecords::history`](super::AttemptRecords::history) tells it.
    async fn dialed(
        &self,
        who: (PartnerId, &SubscriberTag),
        code: Option<&[u8; 32]>,
        now: Timestamp,
        pin: bool,
    ) -> Result<(PendingRequests, SubscriberHistory)>;
    /// The partners with which this person has ever had to do.
    async fn partners_of(&self, tag: &SubscriberTag) -> Result<Vec<PartnerRef>>;
}
