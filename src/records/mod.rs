//! Durable records: who agreed to what, what was submitted, what is linked, and the work that must not be lost.
//!
//! Live state may be lost at any moment; what is here is the truth it is rebuilt from. Every row carries its partner.
//! Whatever is personal is sealed or hashed before it gets here: an implementation stores bytes and never sees a key.
//!
//! They stand in a SQLite file or in PostgreSQL. The statements (`sql`), the migrations (`schema`) and the code that
//! binds values and reads rows (`shared`) are the same for both; a backend's own folder holds what differs: connections,
//! transactions, and how jobs are claimed.

use async_trait::async_trait;

use crate::core::ids::{
    AttemptId, ConnectSessionId, ConsentId, DeliveryId, EndpointId, ErasureId, EventId, IntentId, JobId, LinkId,
    LinkedAccountId, MessageId, PartnerId, WatchId,
};
use crate::core::pin::Pin;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;

mod access;
mod address;
mod all;
mod bank_wishes;
mod call;
mod events;
mod facts;
mod intents;
mod jobs;
mod messages;
mod outcomes;
mod partners;
mod people;
mod pins;
pub mod postgres;
mod repeats;
mod requests;
mod schema;
mod sealed;
mod sql;
pub mod sqlite;
mod staff;
mod state;
mod upkeep;
mod words;

pub use self::access::{AccessRecords, AccessToken, Bearer, PartnerKey};
pub use self::address::{DatabaseUrl, connect};
pub use self::all::Records;
pub use self::partners::{AuditEntry, AuditEvent, Partner, PartnerChange, PartnerRecords, StoredAuditEntry};
pub use self::repeats::{IdempotencyOutcome, IdempotencyRecords, RequestFingerprint};
pub use self::requests::{PendingRequests, RequestRecords};
pub use self::staff::{
    Entity, EntityChange, EntityRecords, Role, RoleChange, RoleRecords, User, UserChange, UserRecords, WriteOutcome,
};
pub use bank_wishes::{BankAlert, BankAlertRecords, InstitutionSince};
pub use events::{
    Delivery, DeliveryResult, DeliveryState, EndpointChange, EndpointState, EventFilter, EventRecords,
    OutgoingDelivery, PartnerEvent, TimeRange, WebhookEndpoint, WebhookSecret,
};
pub use intents::{AnsweredIntent, IntentFilter, IntentRecords, LinkIntent, QueuedSms};
pub use jobs::JobRecords;
pub use messages::{
    InboundSms, MessageRecords, SmsKind, SmsLimit, SmsMessage, SmsPreference, SmsReport, SmsReportOutcome,
};
pub use outcomes::{ConnectSessionView, EndedLink, IntentSummary, LinkDetails, LinkFilter, LinkViewRecords};
pub use people::{
    DataSubjectRecords, Erasure, ErasureBlocker, ErasureState, Redaction, SubscriberAttempt, SubscriberData,
    SubscriberIntent,
};
pub use sealed::{SEALED, SealedColumn, SealedCursor, SealedRecords, SealedValue};
pub use state::{AttemptState, IntentState, LinkState};
pub use upkeep::{ExpiredData, UpkeepRecords};

/// The database did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the records are not available: {0}")]
pub struct RecordsError(pub String);

pub use pins::PinRecords;

/// Shorthand of this module.
pub type Result<T> = std::result::Result<T, RecordsError>;

/// What a person agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// For which request; a walk-in's implicit intent is written with its first consent.
    pub intent: IntentId,
    /// To whom.
    pub partner: PartnerId,
    /// Who.
    pub tag: SubscriberTag,
    /// The number, sealed.
    pub msisdn: Vec<u8>,
    /// The exact text that stood on the screen.
    pub text: String,
    /// The version of that text: a digest of the message in its language.
    pub version: String,
    /// The language it stood in, as a BCP 47 tag.
    pub locale: String,
    /// The channel it stood on.
    pub channel: String,
    /// When it was agreed to.
    pub agreed_at: Timestamp,
}

/// One submission of secrets, written before its first byte leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The try at linking it belongs to.
    pub session: ConnectSessionId,
    /// What allows it.
    pub consent: ConsentId,
    /// Whose.
    pub partner: PartnerId,
    /// Who.
    pub tag: SubscriberTag,
    /// The provider's name.
    pub provider: String,
    /// The institution's id at the provider.
    pub institution: String,
    /// The institution's name, as shown.
    pub institution_name: String,
    /// Which call.
    pub step: SubmissionStep,
    /// The provider's session, sealed: how a lost answer is looked for.
    pub provider_session: Vec<u8>,
    /// The linked account being renewed, when this is a reauthorisation.
    pub renews: Option<LinkId>,
    /// Where it stands.
    pub state: AttemptState,
    /// When it was begun.
    pub created_at: Timestamp,
}

/// A durable link: a consent and one or more accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// Whose.
    pub partner: PartnerId,
    /// Who.
    pub tag: SubscriberTag,
    /// What allows it.
    pub consent: ConsentId,
    /// The submission that made it; one link an attempt.
    pub attempt: AttemptId,
    /// The provider's name.
    pub provider: String,
    /// The institution's id at the provider.
    pub institution: String,
    /// The institution's name.
    pub institution_name: String,
    /// Where it stands.
    pub state: LinkState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its accounts.
    pub accounts: Vec<LinkedAccount>,
}

impl Link {
    /// Whether it holds: a link that is being ended, or has been, does not.
    pub fn in_use(&self) -> bool {
        matches!(self.state, LinkState::Active | LinkState::ReauthRequired)
    }

    /// Whether its accounts are its own: it holds, or may yet.
    pub fn owns_accounts(&self) -> bool {
        self.in_use() || self.state == LinkState::Verifying
    }
}

/// One account under a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedAccount {
    /// Its id.
    pub id: LinkedAccountId,
    /// The provider's account id, sealed.
    pub account: Vec<u8>,
    /// A keyed digest of the provider's account id, to recognise it in webhooks.
    pub account_digest: [u8; 32],
    /// The last digits of the number, once read.
    pub masked: Option<String>,
    /// A keyed digest of institution and number, once read: the same account linked twice is seen.
    pub number_digest: Option<[u8; 32]>,
    /// The holder's name, sealed, once read.
    pub holder: Option<Vec<u8>>,
    /// The provider's word for the account's type.
    pub kind: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
}

/// What reading an account added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReading {
    /// The last digits.
    pub masked: String,
    /// A keyed digest of institution and number.
    pub number_digest: [u8; 32],
    /// The holder's name, sealed.
    pub holder: Option<Vec<u8>>,
    /// The provider's word for the type.
    pub kind: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
}

/// What became of completing a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCompletion {
    /// The attempt's link is durable, under this id.
    Written(LinkId),
    /// Nothing was written: the person has begun another connect session since.
    Superseded,
    /// Nothing was written: the partner's request is over, or somebody else has completed it.
    IntentClosed,
}

/// What is to be written of a link whose account was compared.
#[derive(Clone, Copy, Debug)]
pub struct LinkVerification<'a> {
    /// Whether it is the account that is expected.
    pub matches: bool,
    /// What follows where it is in use.
    pub follow_up: &'a [Job],
    /// What ends it at its provider where it is not.
    pub unlink: &'a Job,
}

/// What became of a link whose account was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationOutcome {
    /// It is in use.
    Linked,
    /// It is not the account that is expected.
    Mismatched,
    /// The person has begun another connect session since.
    Superseded,
    /// The partner's request is over, or somebody else has completed it.
    IntentClosed,
    /// That was settled before.
    AlreadySettled,
}

/// What the conversation must know of a person before it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberHistory {
    /// Links that are active or want reauthorisation, newest first.
    pub links: Vec<Link>,
    /// The institution's id of the newest attempt that got anywhere, and its provider's name.
    pub last_institution: Option<(String, String)>,
    /// The newest attempt if it is unsettled.
    pub pending_attempt: Option<Attempt>,
    /// Institution and time of refused and unknown logins of the last 24 hours, newest first. A login that lapsed is one
    /// of them: it was unknown to the end. So is one that may be on its way.
    pub failed_logins: Vec<(String, Timestamp)>,
    /// Their own code, if they have one and it was asked for.
    pub pin: Option<Pin>,
}

/// Work that may safely run twice and must not be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose.
    pub partner: PartnerId,
    /// What to do.
    pub kind: JobKind,
    /// Not before.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// No two jobs may carry the same key: the same fact asks for its work once.
    pub key: String,
}

/// What keeps some jobs apart from all others: the endpoint that they are about.
pub type JobLane = EndpointId;

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum JobKind {
    /// Exchange the grant of an attempt for accounts.
    Redeem(AttemptId),
    /// Read the details of a link's accounts.
    ReadAccounts(LinkId),
    /// Tell the provider that a link is over.
    Unlink(LinkId),
    /// Find out what became of an attempt; first due when its lease ends.
    Settle(AttemptId),
    /// Hand a text to its gateway.
    SendSms(MessageId),
    /// Text what became of an attempt to a person who has not seen it.
    HandOver(AttemptId),
    /// Ask a gateway that does not report by itself what became of a text.
    AskReport(MessageId),
    /// Erase a person at a partner.
    Erase(ErasureId),
    /// Look whether an institution is back, and text those who wanted to know.
    BankBack(WatchId),
    /// See to it that an event reaches everybody who wants it.
    Publish(EventId),
    /// Send an event to one endpoint.
    Deliver(DeliveryId),
    /// End a partner's request whose time is over.
    ExpireIntent(IntentId),
}

/// The ledger of submissions.
#[async_trait]
pub trait AttemptRecords: Send + Sync {
    /// What is known of a person at all partners, all of it at the same moment; their own code, which `partner` keeps, only
    /// if `pin`.
    async fn history(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        now: Timestamp,
        pin: bool,
    ) -> Result<SubscriberHistory>;
    /// Writes consent (with its implicit intent), attempt and the job that will settle it, in one transaction. Writing the
    /// same ids again changes nothing. `false`: the partner's request is over, so nothing is to be sent, and nothing was
    /// written. Only its time may be over: whoever has begun in time goes on.
    async fn begin_attempt(&self, consent: &Consent, attempt: &Attempt, settle: &Job) -> Result<bool>;
    /// Moves an attempt. Only forward: a state that says more is never replaced by one that says less
    /// (`Open` < `Sending` < `Unknown` < any other). `Granted` moves to `Linked`, `Undone` or `Lapsed` only, which wipes the grant;
    /// `Lapsed` to `Linked` or `Undone`, when something is found late. Says whether it moved. A move to a final no (`Refused`,
    /// `Lapsed`, `Undone`) tells the partner so: `connect_session.failed`, once an attempt.
    async fn move_attempt(&self, id: AttemptId, to: AttemptState, at: Timestamp) -> Result<bool>;
    /// Keeps the sealed grant of an attempt and the job that redeems it, in one transaction, and moves it to `Granted`.
    /// The same grant twice is kept once; says whether this was the first time. A grant is a yes, so it also overrules
    /// `Accepted` and `Lapsed`; after an explicit no it is an error.
    async fn store_grant(&self, id: AttemptId, grant: &[u8], redeem: &Job, at: Timestamp) -> Result<bool>;
    /// An attempt with its sealed grant, if it has one.
    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Option<Vec<u8>>)>>;
    /// Attempts at a provider that were given up after `since` and never found, the last first, at most `limit`.
    async fn lapsed(&self, partner: PartnerId, provider: &str, since: Timestamp, limit: u32) -> Result<Vec<Attempt>>;
    /// The consent with this id.
    async fn consent(&self, id: ConsentId) -> Result<Option<Consent>>;
}

/// Links and their accounts.
#[async_trait]
pub trait LinkRecords: Send + Sync {
    /// Writes a link with its accounts and the jobs that follow, moves its attempt to `Linked` and wipes the grant, in one
    /// transaction. An attempt that has a link already keeps it: its id comes back and nothing is written. Nothing is
    /// written either if the person has begun another connect session since; no such beginning may slip in between
    /// looking and writing. Nor is it if the partner's request is over by now, but for its time; else it counts the link, and
    /// if it is for one person it is completed. Tells the partner: `link.created`, `intent.completed`.
    async fn complete_link(&self, link: &Link, jobs: &[Job]) -> Result<LinkCompletion>;
    /// Ends the comparing of a link that is [`LinkState::Verifying`]. If its account is the one, it is in use from now on, as
    /// if it were completed now, with the jobs that follow; if not, or if it may not be completed any more, it is out of use
    /// with the job that tells the provider, and its attempt is undone. Of one that is not the one the partner is told:
    /// `intent.mismatched`.
    async fn verify_link(
        &self,
        link: &Link,
        verifying: &LinkVerification<'_>,
        at: Timestamp,
    ) -> Result<VerificationOutcome>;
    /// A link with its accounts.
    async fn link(&self, id: LinkId) -> Result<Option<Link>>;
    /// The link that an attempt made.
    async fn link_of_attempt(&self, id: AttemptId) -> Result<Option<Link>>;
    /// The link holding the provider account with this digest, removed ones included; of several the one in use, else
    /// the newest.
    async fn link_by_account(&self, account_digest: &[u8; 32]) -> Result<Option<Link>>;
    /// Adds what reading an account told; answers with the other live links of the same partner and number.
    async fn store_account_reading(&self, id: LinkedAccountId, reading: &AccountReading) -> Result<Vec<LinkId>>;
    /// Moves a link and writes the jobs that follow, in one transaction. `Removed` is final, and `Removing` leads only
    /// there. Says whether it moved; if not, no job is written. Tells the partner of what it can see: `link.updated`,
    /// `link.reauth_required`, and `link.removed` as soon as the link is out of use.
    async fn move_link(&self, id: LinkId, to: LinkState, jobs: &[Job], at: Timestamp) -> Result<bool>;
    /// Links of a partner, newest first, at most `limit`; those that follow `after` if given: when the last link of the page
    /// before was made, and its id, for several may have been made in the same millisecond.
    async fn links(&self, partner: PartnerId, after: Option<(Timestamp, LinkId)>, limit: u32) -> Result<Vec<Link>>;
    /// Whether an event of a provider is seen for the first time; remembers it.
    async fn record_provider_event(&self, provider: &str, event: &str, at: Timestamp) -> Result<bool>;
}
