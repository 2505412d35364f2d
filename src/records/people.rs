//! What is held about a person, and its erasure.
//!
//! An erasure is a row and a job. It waits until nothing of the person's is under way, then blanks their rows in one
//! transaction: whatever is personal goes, and where their tag stood there stands a pseudonym, drawn for this erasure. So
//! rows of one person still belong together and are still counted, and nothing leads from them to a number. Whoever dials
//! again later is somebody new.

use async_trait::async_trait;

use super::words::Word as _;
use super::{Attempt, AuditEvent, Consent, Job, Link, LinkState, Partner, Result, SmsMessage, SmsPreference};
use crate::core::ids::{ErasureId, IntentId, LinkId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// The erasure of one person at one partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: ErasureId,
    /// Whose rows are blanked.
    pub partner: PartnerId,
    /// Who is erased; `None` once that is done.
    pub tag: Option<SubscriberTag>,
    /// What stands in the place of their tag: random.
    pub pseudonym: SubscriberTag,
    /// How far it is.
    pub state: ErasureState,
    /// What it last had to wait for.
    pub blocked_by: Option<ErasureBlocker>,
    /// When it was asked for.
    pub begun_at: Timestamp,
    /// When its state last changed.
    pub moved_at: Timestamp,
}

/// How far an erasure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureState {
    /// Asked for; what is under way comes to its end, and links are ended at their providers.
    Begun,
    /// Their rows are blank; what is live is still to go.
    Redacted,
    /// Nothing is left.
    Done,
}

impl ErasureState {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        self.word()
    }
}

/// What an erasure waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureBlocker {
    /// A submission of theirs is not settled.
    Attempts,
    /// A provider has not been told of the end of a link, or does not take it.
    Links,
    /// Somebody is at work on something of theirs.
    Work,
    /// The live store is away.
    Store,
    /// Somebody reads what was before.
    Readers,
}

impl ErasureBlocker {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        self.word()
    }
}

/// What came of trying to blank a person's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// They are blank, now or since before.
    Redacted,
    /// Not yet; nothing was written.
    BlockedBy(ErasureBlocker),
}

/// A submission, as it is told to whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberAttempt {
    /// The submission.
    pub attempt: Attempt,
    /// When its state last changed.
    pub moved_at: Timestamp,
}

/// A request that a partner has addressed to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberIntent {
    /// Its id.
    pub id: IntentId,
    /// Where it stands, in the records' word.
    pub state: String,
    /// What the data are for.
    pub purpose: String,
    /// Which data, with commas between.
    pub scope: String,
    /// For how many days.
    pub days: i64,
    /// The partner's own name for it.
    pub reference: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it cannot be begun.
    pub expires_at: Timestamp,
}

/// Everything that one partner's rows hold about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberData {
    /// What they agreed to, the first first; so everything here.
    pub consents: Vec<Consent>,
    /// Submissions.
    pub attempts: Vec<SubscriberAttempt>,
    /// Links, removed ones included.
    pub links: Vec<Link>,
    /// Texts to them.
    pub messages: Vec<SmsMessage>,
    /// What they want of texts, if they ever said so.
    pub sms_preference: Option<SmsPreference>,
    /// When their own code was last kept, if they have one.
    pub pin_kept_at: Option<Timestamp>,
    /// Requests addressed to them.
    pub intents: Vec<SubscriberIntent>,
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
    /// A person's links at a partner that are not removed, with where they stand.
    async fn unremoved_links(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Vec<(LinkId, LinkState)>>;
    /// Notes what an erasure has to wait for.
    async fn set_erasure_blocker(&self, id: ErasureId, waits: ErasureBlocker) -> Result<()>;
    /// Blanks the rows of whom an erasure is about, in one transaction, if it has only begun and nothing of theirs is
    /// under way at `now`: no unsettled submission, no link that is not removed, no job that somebody holds. Jobs that
    /// nobody has taken are not done any more, texts not sent. Open requests to them are cancelled.
    async fn redact(&self, erasure: &Erasure, now: Timestamp) -> Result<Redaction>;
    /// Sees to it that what was wiped cannot be read from the database's files, as far as the database lets us. `false`:
    /// somebody still reads what was before.
    async fn scrub_files(&self) -> Result<bool>;
    /// Ends an erasure whose rows are blank, forgets whom it was about, and keeps the fact, in one transaction. Says
    /// whether this was the end of it.
    async fn finish_erasure(&self, id: ErasureId, fact: &AuditEvent) -> Result<bool>;
}
