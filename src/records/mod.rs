//! Durable records: who agreed to what, what was submitted, what is linked, and the work that must not be lost.
//!
//! Live state may be lost at any moment; what is here is the truth it is rebuilt from. Every row carries its partner.
//! Whatever is personal is sealed or hashed before it gets here: an implementation stores bytes and never sees a key.
//!
//! They stand in a SQLite file or in PostgreSQL. There is a folder for each aggregate: its row types and its contract in
//! `mod.rs`, its statements in `sql.rs`. The statements are written once and compiled for both databases (`shared`), the
//! row types are read from both (`columns`), and the tables are one set of migrations (`schema`). What differs stands with
//! each database: connections, transactions, and how jobs are claimed.

mod access;
mod attempts;
mod audit;
mod bank_alerts;
mod columns;
mod data_subject;
mod database_url;
mod eligibility;
mod events;
mod exchanges;
mod idempotency;
mod intents;
mod jobs;
mod languages;
mod leases;
mod links;
mod messages;
mod organization;
mod partners;
mod pins;
pub mod postgres;
mod provider_events;
mod provider_persons;
mod returns;
mod schema;
mod sealed;
mod sms_proofs;
pub mod sqlite;
mod timeout;
mod upkeep;

pub use self::access::{AccessRecords, AccessToken, Bearer, PartnerKey};
pub use self::attempts::{
    Attempt, AttemptRecords, AttemptState, Begun, Consent, ProviderWait, SubscriberHistory, WaitingRecords,
};
pub use self::audit::{AuditEntry, AuditRecords, StoredAuditEntry};
pub use self::bank_alerts::{BankAlert, BankAlertRecords, InstitutionSince};
pub use self::data_subject::{
    DataSubjectRecords, Erasure, ErasureBlocker, ErasureState, Redaction, SubscriberAttempt, SubscriberData,
};
pub use self::database_url::{DatabaseUrl, connect};
pub use self::eligibility::{EligibilityRecords, StatementSource, StoredEligibility};
pub use self::events::{
    Delivery, DeliveryResult, DeliveryState, EndpointChange, EndpointRecords, EndpointState, EventFilter, EventRecords,
    OutgoingDelivery, PartnerEvent, TimeRange, WebhookEndpoint, WebhookSecret,
};
pub use self::exchanges::{ExchangeRecords, RejectedAccounts};
pub use self::idempotency::{IdempotencyOutcome, IdempotencyRecords, RequestFingerprint};
pub use self::intents::{
    IntentFilter, IntentLimits, IntentRecords, IntentState, LinkIntent, OPEN_INTENTS_FOR_NUMBER, PendingRequests,
    QueuedSms, RequestRecords,
};
pub use self::jobs::{
    AnnounceEnd, Deliver, ExpireIntent, ExpireLink, Job, JobKind, JobLane, JobRecords, JobType, Publish,
};
pub use self::languages::LanguageRecords;
pub use self::leases::LeaseRecords;
pub use self::links::{
    AccountReading, ConnectSessionView, ConsentReplacement, EndedLink, IntentSummary, Link, LinkAccess,
    LinkAccessRecords, LinkCompletion, LinkDetails, LinkEndRecords, LinkFilter, LinkRecords, LinkState,
    LinkVerification, LinkViewRecords, LinkedAccount, VerificationOutcome,
};
pub use self::messages::{
    InboundSms, InvitationCaps, InvitationCounts, MessageRecords, SmsKind, SmsLimit, SmsMessage, SmsPreference,
    SmsReport, SmsReportOutcome,
};
pub use self::organization::{
    Entity, EntityChange, EntityRecords, Role, RoleChange, RoleRecords, User, UserChange, UserRecords, WriteOutcome,
};
pub use self::partners::{Partner, PartnerChange, PartnerRecords};
pub use self::pins::PinRecords;
pub use self::provider_events::{
    IncomingProviderEvent, ProviderEventEffect, ProviderEventOutcome, ProviderEventRecords,
};
pub use self::provider_persons::{ProviderPerson, ProviderPersonOutcome, ProviderPersonRecords};
pub use self::returns::{ReturnRecords, ReturnTicket, TicketPurpose};
pub use self::sealed::{SEALED, SealedColumn, SealedCursor, SealedRecords, SealedValue};
pub use self::sms_proofs::{SmsProof, SmsProofLimit, SmsProofOutcome, SmsProofRecords};
pub use self::upkeep::{ExpiredData, UpkeepRecords};

/// The database did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the records are not available: {what}")]
pub struct RecordsError {
    what: String,
    /// Whether it says that the connection, or the file behind it, is not as it should be.
    of_connection: bool,
}

impl RecordsError {
    /// One that says nothing of the connection.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            of_connection: false,
        }
    }
}

/// Shorthand of this module.
pub type Result<T> = std::result::Result<T, RecordsError>;

/// Gives one name to several traits, each once.
macro_rules! all {
    ($($part:ident),+ $(,)?) => {
        /// Everything that records can do.
        pub trait Records: $($part +)+ Send + Sync {}

        impl<T: $($part +)+ Send + Sync> Records for T {}
    };
}

all!(
    AccessRecords,
    AttemptRecords,
    AuditRecords,
    BankAlertRecords,
    DataSubjectRecords,
    EligibilityRecords,
    EndpointRecords,
    EntityRecords,
    EventRecords,
    ExchangeRecords,
    IdempotencyRecords,
    IntentRecords,
    JobRecords,
    LanguageRecords,
    LinkAccessRecords,
    LinkEndRecords,
    LeaseRecords,
    LinkRecords,
    LinkViewRecords,
    MessageRecords,
    PartnerRecords,
    PinRecords,
    ProviderEventRecords,
    ProviderPersonRecords,
    RequestRecords,
    ReturnRecords,
    RoleRecords,
    SealedRecords,
    SmsProofRecords,
    UpkeepRecords,
    UserRecords,
    WaitingRecords,
);
