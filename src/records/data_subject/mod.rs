//! What is held about a person, and its erasure.
//!
//! An erasure is a row and a job. It waits until nothing of the person's is under way, then redacts their rows in one
//! transaction: whatever is personal goes, and where their tag stood there stands a pseudonym, drawn for this erasure. So
//! rows of one person still belong together and are still counted, and nothing leads from them to a number. Anyone who dials
//! again later is somebody new.

use async_trait::async_trait;

use super::columns::db_enum;
use super::{
    Attempt, AuditEntry, Consent, Job, Link, LinkIntent, LinkState, Partner, ProviderPerson, Result, ReturnTicket,
    SmsMessage, SmsPreference,
};
use crate::core::ids::{ErasureId, LinkId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// The erasure of one person at one partner.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Erasure {
    pub id: ErasureId,
    /// Whose rows are redacted.
    pub partner: PartnerId,
    /// Who is erased; `None` once that is done.
    pub tag: Option<SubscriberTag>,
    /// What stands in the place of their tag: random.
    pub pseudonym: SubscriberTag,
    pub state: ErasureState,
    /// What it last had to wait for.
    #[sqlx(rename = "waits")]
    pub blocked_by: Option<ErasureBlocker>,
    pub begun_at: Timestamp,
    /// When its state last changed.
    pub moved_at: Timestamp,
}

db_enum! {
    /// How far an erasure is.
    pub enum ErasureState {
        /// Asked for; what is under way comes to its end, and links are ended at their providers.
        Begun = "begun",
        /// Their rows are redacted; what is live is still to go.
        Redacted = "blanked",
        /// Nothing is left.
        Done = "done",
    }
}

db_enum! {
    /// What an erasure waits for.
    pub enum ErasureBlocker {
        /// A submission of theirs is not settled.
        Attempts = "attempts",
        /// A provider has not been told of the end of a link, or does not take it.
        Links = "links",
        /// Somebody is at work on something of theirs.
        Work = "work",
        /// The live store is away.
        Store = "store",
        /// Somebody reads what was before.
        Readers = "readers",
    }
}

/// What came of trying to redact a person's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// They are redacted, now or since before.
    Redacted,
    /// Not yet; nothing was written.
    BlockedBy(ErasureBlocker),
}

/// A submission, as it is told to whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SubscriberAttempt {
    #[sqlx(flatten)]
    pub attempt: Attempt,
    /// When its state last changed.
    pub moved_at: Timestamp,
}

/// Everything that one partner's rows hold about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberData {
    /// The first first; so everything here.
    pub consents: Vec<Consent>,
    pub attempts: Vec<SubscriberAttempt>,
    /// Removed ones included.
    pub links: Vec<Link>,
    pub messages: Vec<SmsMessage>,
    /// What they want of SMS, if they ever said so.
    pub sms_preference: Option<SmsPreference>,
    /// When their own code was last stored, if they have one.
    pub pin_kept_at: Option<Timestamp>,
    /// The language that they have chosen, BCP 47.
    pub language: Option<String>,
    /// Intents addressed to them.
    pub intents: Vec<LinkIntent>,
    /// What belongs to them at providers.
    pub provider_persons: Vec<ProviderPerson>,
    /// With which their browser comes, or came.
    pub tickets: Vec<ReturnTicket>,
}

/// People, across the tables.
#[async_trait]
pub trait DataSubjectRecords: Send + Sync {
    /// The partners that hold anything about this person, by name.
    async fn partners_holding(&self, tag: &SubscriberTag) -> Result<Vec<Partner>>;
    /// What a partner holds about a person, all of the same moment.
    async fn export(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<SubscriberData>;
    /// Writes an erasure with the job that does it, in one transaction, unless one of the same person at the same partner
    /// is under way. Says which one is now.
    async fn begin_erasure(&self, erasure: &Erasure, job: &Job) -> Result<ErasureId>;
    /// The erasure with this id.
    async fn erasure(&self, id: ErasureId) -> Result<Option<Erasure>>;
    /// The newest erasures of all partners, at most `limit`.
    async fn erasures(&self, limit: u32) -> Result<Vec<Erasure>>;
    /// A person's links at a partner whose access the provider has not ended yet, with where they stand.
    async fn unremoved_links(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Vec<(LinkId, LinkState)>>;
    /// Notes what an erasure has to wait for.
    async fn set_erasure_blocker(&self, id: ErasureId, blocker: ErasureBlocker) -> Result<()>;
    /// Redacts the rows of whom an erasure is about, in one transaction, if it has only begun and nothing of theirs is
    /// under way at `now`: no pending submission, no link that is not removed, no job that somebody holds. Jobs that
    /// nobody has taken are not done any more, SMS not sent. Open intents for them are cancelled.
    async fn redact(&self, erasure: &Erasure, now: Timestamp) -> Result<Redaction>;
    /// Sees to it that what was wiped cannot be read from the database's files, as far as the database lets us. `false`:
    /// somebody still reads what was before.
    async fn scrub_files(&self) -> Result<bool>;
    /// Ends an erasure whose rows are redacted, forgets whom it was about, and writes the audit entry, in one transaction.
    /// Says whether this was the end of it.
    async fn finish_erasure(&self, id: ErasureId, audit: &AuditEntry) -> Result<bool>;
}
