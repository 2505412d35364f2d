//! Consents, and the ledger of submissions that they allow.

use std::time::Duration;

use async_trait::async_trait;

use super::columns::{Bytes, db_enum, moves};
use super::{Job, Link, Result, ReturnTicket};
use crate::core::attempt::ToldOutcome;
use crate::core::consent;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, LinkId, PartnerId, SeriesId};
use crate::core::messages::Locale;
use crate::core::next_step::FailureClass;
use crate::core::pin::Pin;
use crate::core::purpose::Purpose;
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;

/// For so long a link that no screen has told of is told on the next dial.
pub(super) const TOLD_WITHIN: Duration = Duration::from_hours(7 * 24);

/// How far back failed logins are looked at.
pub(super) const FAILED_LOGINS_WINDOW: Duration = Duration::from_hours(24);

/// What a person agreed to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Consent {
    pub id: ConsentId,
    /// For which intent; a walk-in's implicit intent is written with its first consent.
    pub intent: IntentId,
    pub partner: PartnerId,
    pub tag: SubscriberTag,
    /// The number, sealed.
    pub msisdn: Vec<u8>,
    /// The exact text that stood on the screen.
    pub text: String,
    /// A digest of the message in its language.
    pub version: String,
    /// BCP 47.
    pub locale: String,
    pub channel: String,
    pub agreed_at: Timestamp,
    /// What the data are for, as the text says.
    pub purpose: String,
    pub purposes: Option<Purpose>,
    /// For how many days.
    #[sqlx(try_from = "i64")]
    pub days: u16,
    pub scope: Scope,
}

impl Consent {
    /// From then on it allows nothing.
    pub fn until(&self) -> Timestamp {
        consent::ends_at(self.agreed_at, self.days)
    }

    /// The same where the provider ends its access by itself, if it does.
    pub fn access_until(&self, provider_end: Option<Timestamp>) -> Timestamp {
        provider_end.map_or(self.until(), |end| end.min(self.until()))
    }
}

/// One submission to a provider, written before its first byte leaves; or one wait for it, which needs no secret.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    pub id: AttemptId,
    pub session: ConnectSessionId,
    pub series: SeriesId,
    /// Which submission of its series, from 1; 0 for one that needs no submission.
    pub ordinal: i64,
    /// What allows it.
    pub consent: ConsentId,
    pub partner: PartnerId,
    pub tag: SubscriberTag,
    pub provider: String,
    /// Our id of the institution.
    pub institution: String,
    /// The provider's own id of it: what has it in common is one bank to the limits on logins.
    pub provider_institution: String,
    /// As shown.
    pub institution_name: String,
    /// Which call.
    pub step: SubmissionStep,
    /// The provider's session, sealed: how a lost answer is looked for.
    pub provider_session: Vec<u8>,
    /// A keyed digest of the provider and its session, to recognise it in webhooks.
    #[sqlx(try_from = "Bytes<32>")]
    pub session_digest: [u8; 32],
    /// The link being renewed, when this is a reauthorisation.
    pub renews: Option<LinkId>,
    pub state: AttemptState,
    /// What the person was told of it last.
    pub told: Option<ToldOutcome>,
    /// When the provider stops waiting, if it goes on without a secret.
    pub waits_until: Option<Timestamp>,
    /// What the person's browser brought back from the provider's page, sealed, until the provider has it.
    pub returned: Option<Vec<u8>>,
    pub created_at: Timestamp,
}

db_enum! {
    /// Where an attempt stands, durably.
    pub enum AttemptState {
        /// Begun. Nobody has begun to send it: its owner moves it on before the first byte leaves, and does not send it if
        /// it cannot. Anyone who moves it elsewhere first has seen to it that it is never sent.
        Open = "open",
        /// Its owner is about to send it, or has: it may have been sent.
        Sending = "sending",
        /// The provider took it and asks for more.
        Accepted = "accepted",
        /// The provider said no.
        Refused = "refused",
        /// The provider said that the code was wrong.
        WrongCode = "wrong_code",
        /// Provably never sent, or the provider did not try.
        NotSent = "not_sent",
        /// It was sent, and the provider did not take it: its session had ended, or it does not accept us. The bank may have
        /// seen it.
        NotTaken = "not_taken",
        /// Nobody knows.
        Unknown = "unknown",
        /// The provider goes on without a secret: there is a page to open, something to approve in the bank's app, or only
        /// time to pass. A job asks it how far it is.
        Waiting = "waiting",
        /// The provider handed out a grant, which is stored.
        Granted = "granted",
        /// Its link is durable.
        Linked = "linked",
        /// It turned out good after the person had moved on, and was undone.
        Undone = "undone",
        /// What came of it was not the account that the person chose, and was undone.
        OtherAccount = "other_account",
        /// Looked for long enough: nothing was linked.
        Lapsed = "lapsed",
    }
}

/// What became of beginning an attempt. The records decide, whatever the live value says: it may be older than they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is written, and its caller may send it; nobody else ever may.
    New,
    /// Not written: the partner's intent is over.
    RequestEnded,
    /// Not written: this attempt stands in its way. It may be the same one, begun before.
    Refused(Box<Attempt>),
    /// Not written: logins at the institution that failed at these times are too many.
    TooManyLogins(Vec<Timestamp>),
    /// Not written: the provider's session has seen too many wrong codes.
    TooManyCodes,
}

// Only forward: a state that says more is never replaced by one that says less. What waits has left our hands, so nothing
// leads from it back to sending, nor to not knowing: anyone who asks the provider may always ask again. From `Granted` on there is only what can
// come of a grant, and a lapsed attempt moves only when something is found late.
moves!(AttemptState {
    Open => [
        Sending, Accepted, Refused, WrongCode, NotSent, NotTaken, Unknown, Waiting, Granted, Linked, Undone, OtherAccount, Lapsed,
    ],
    Sending => [Accepted, Refused, WrongCode, NotSent, NotTaken, Unknown, Waiting, Granted, Linked, Undone, OtherAccount, Lapsed],
    Accepted => [],
    Refused => [],
    WrongCode => [],
    NotSent => [],
    NotTaken => [],
    Unknown => [Accepted, Refused, WrongCode, NotSent, NotTaken, Waiting, Granted, Linked, Undone, OtherAccount, Lapsed],
    Waiting => [Accepted, Refused, WrongCode, NotSent, NotTaken, Granted, Linked, Undone, OtherAccount, Lapsed],
    Granted => [Linked, Undone, OtherAccount, Lapsed],
    Linked => [],
    Undone => [],
    OtherAccount => [],
    Lapsed => [Linked, Undone, OtherAccount],
});

impl AttemptState {
    /// The states in which a grant is stored: it is the provider's yes, so it overrules everything but an explicit no and
    /// what came of an earlier grant.
    pub const TAKES_GRANT: &[Self] = &[
        Self::Open,
        Self::Sending,
        Self::Unknown,
        Self::Waiting,
        Self::Accepted,
        Self::Lapsed,
        Self::Granted,
    ];

    /// The state an explicit no leads to.
    pub fn of_failure(class: FailureClass) -> Self {
        match class {
            FailureClass::Refused | FailureClass::Denied | FailureClass::ActAtBank | FailureClass::PasswordExpired => {
                Self::Refused
            }
            FailureClass::WrongCode => Self::WrongCode,
            FailureClass::SessionExpired | FailureClass::Misconfigured => Self::NotTaken,
            FailureClass::Busy => Self::NotSent,
            // The provider took it and wants what we cannot give.
            FailureClass::Unsupported => Self::Accepted,
        }
    }

    /// Whether the person is still owed an answer.
    pub fn is_pending(self) -> bool {
        matches!(
            self,
            Self::Open | Self::Sending | Self::Unknown | Self::Waiting | Self::Granted
        )
    }

    fn got_somewhere(self) -> bool {
        matches!(self, Self::Accepted | Self::Granted | Self::Linked)
    }

    /// Whether a login in this state counts against the limits: the bank may well have seen it.
    pub(super) fn counts_as_failed(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::WrongCode | Self::NotTaken | Self::Sending | Self::Unknown | Self::Lapsed
        )
    }
}

/// How a provider goes on without a secret, and what is to be done meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct ProviderWait<'a> {
    /// The provider's session as it is now, sealed.
    pub session: &'a [u8],
    /// See [`Attempt::session_digest`].
    pub session_digest: &'a [u8; 32],
    /// When the provider stops waiting.
    pub until: Timestamp,
    /// What asks it how far it is.
    pub jobs: &'a [Job],
    /// With which the person's browser comes.
    pub tickets: &'a [ReturnTicket],
}

/// What the conversation must know of a person before it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberHistory {
    /// Links that are active or want reauthorisation, newest first.
    pub links: Vec<Link>,
    /// The institution's id of the newest attempt that got anywhere, and when that was begun.
    pub last_institution: Option<(String, Timestamp)>,
    pub pending_attempt: Option<Attempt>,
    /// Of the last 24 hours.
    pub newest_submission: Option<Attempt>,
    /// All submissions that may still come to something, newest first: no login may be tried at their institutions.
    pub unresolved: Vec<Attempt>,
    /// The newest attempt that led to a link lately of which no screen has told.
    pub untold_link: Option<Attempt>,
    /// The newest attempt whose link turned out lately not to be what the person has linked, where no screen has said so.
    pub undone_link: Option<Attempt>,
    /// Bank (the provider's id) and time of logins of the last 24 hours that were refused, not taken, unknown, or may be on their way.
    pub failed_logins: Vec<(String, Timestamp)>,
    pub pin: Option<Pin>,
    pub texts_stopped: bool,
    pub language: Option<Locale>,
}

impl SubscriberHistory {
    /// Sorts what was found into what the conversation wants to know; attempts stand newest first. Failed logins count from
    /// the first of the two moments on, links are news from the second on.
    pub(super) fn new(
        attempts: Vec<Attempt>,
        links: Vec<Link>,
        pin: Option<Pin>,
        (since, news_since): (Timestamp, Timestamp),
    ) -> Self {
        // What waits without a submission is no login: nothing was typed.
        let failed = |attempt: &&Attempt| {
            attempt.step == SubmissionStep::Login
                && attempt.id != AttemptId::without_submission(attempt.session)
                && attempt.created_at > since
                && attempt.state.counts_as_failed()
        };
        Self {
            links,
            pin,
            texts_stopped: false,
            language: None,
            undone_link: None,
            last_institution: attempts
                .iter()
                .find(|attempt| attempt.state.got_somewhere())
                .map(|attempt| (attempt.institution.clone(), attempt.created_at)),
            failed_logins: attempts
                .iter()
                .filter(failed)
                .map(|attempt| (attempt.provider_institution.clone(), attempt.created_at))
                .collect(),
            newest_submission: attempts
                .iter()
                .find(|attempt| attempt.ordinal > 0)
                .filter(|attempt| attempt.created_at > since)
                .cloned(),
            unresolved: attempts
                .iter()
                .filter(|attempt| attempt.ordinal > 0 && attempt.state.is_pending())
                .cloned()
                .collect(),
            untold_link: attempts
                .iter()
                .find(|attempt| {
                    let untold = attempt.told != Some(ToldOutcome::Linked) && attempt.renews.is_none();
                    attempt.state == AttemptState::Linked && untold && attempt.created_at > news_since
                })
                .cloned(),
            pending_attempt: attempts.into_iter().next().filter(|attempt| attempt.state.is_pending()),
        }
    }
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
    /// The gate of all submissions: writes consent (with its implicit intent), attempt and the job that will settle it, in
    /// one transaction about the person, or says why not and writes nothing. Only what was written here and now may be sent.
    ///
    /// It is refused when an attempt with its id is there; when another one of this person at this institution may still
    /// come to something; when it is not after all others of its series, for then the live value has lost a submission; when
    /// its consent has led to a link; or when too many logins or codes have failed. That of a partner's intent only the time
    /// is over stops nobody who has begun in time.
    ///
    /// `follows` is the attempt that the provider has answered with a further question, to which this is the answer: what
    /// became of that one may still be on its way to the records.
    async fn begin_attempt(
        &self,
        consent: &Consent,
        attempt: &Attempt,
        follows: Option<AttemptId>,
        settle: &Job,
    ) -> Result<Begun>;
    /// Writes what the person was told of an attempt, by a live value of this revision; what a newer one has told stays.
    async fn save_told(&self, id: AttemptId, told: Option<ToldOutcome>, revision: u64) -> Result<()>;
    /// Moves an attempt as [`AttemptState::next`] allows; a grant is wiped with the move that ends it. Says whether it
    /// moved. A move to a final no (`Refused`, `Lapsed`, `Undone`, `OtherAccount`) tells the partner so: `connect_session.failed`, once an
    /// attempt.
    async fn move_attempt(&self, id: AttemptId, to: AttemptState, at: Timestamp) -> Result<bool>;
    /// The same, only if it still stands at `from`: for what was found out by looking at it, while its owner may go on.
    async fn move_attempt_from(
        &self,
        id: AttemptId,
        from: AttemptState,
        to: AttemptState,
        at: Timestamp,
    ) -> Result<bool>;
    /// Stores the sealed grant of an attempt and the job that redeems it, in one transaction, and moves it to `Granted`,
    /// see [`AttemptState::TAKES_GRANT`]. The same grant twice is stored once; says whether this was the first time. After
    /// an explicit no it is an error.
    async fn store_grant(&self, id: AttemptId, grant: &[u8], redeem: &Job, at: Timestamp) -> Result<bool>;
    /// An attempt with its sealed grant, if it has one.
    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Option<Vec<u8>>)>>;
    /// Attempts at a provider that were given up after `since` and never found, the last first, at most `limit`.
    async fn lapsed(&self, partner: PartnerId, provider: &str, since: Timestamp, limit: u32) -> Result<Vec<Attempt>>;
    /// Attempts that renew a link and may still come to something, or were given up after `since`.
    async fn renewals(&self, link: LinkId, since: Timestamp) -> Result<Vec<Attempt>>;
    /// Writes a consent that needs no attempt. The same twice is written once.
    async fn store_consent(&self, consent: &Consent) -> Result<()>;
    /// The consent with this id.
    async fn consent(&self, id: ConsentId) -> Result<Option<Consent>>;
}

/// Attempts with which the provider goes on without a secret.
#[async_trait]
pub trait WaitingRecords: Send + Sync {
    /// Writes consent (with its implicit intent), an attempt that is `Waiting` from the beginning, the jobs that ask for it
    /// and the tickets that lead to it, in one transaction. Nothing is sent with it, so writing the same id again changes
    /// nothing. `false`: the partner's intent is over, and nothing was written.
    async fn begin_waiting(
        &self,
        consent: &Consent,
        attempt: &Attempt,
        jobs: &[Job],
        tickets: &[ReturnTicket],
    ) -> Result<bool>;
    /// Moves an attempt that was submitted to `Waiting`, with jobs and tickets, in one transaction. Says whether it moved;
    /// if not, nothing is written.
    async fn move_to_waiting(&self, id: AttemptId, wait: &ProviderWait<'_>, at: Timestamp) -> Result<bool>;
    /// Writes how the provider goes on with an attempt that is `Waiting`, with jobs and tickets, and wipes what the browser
    /// brought back, in one transaction; if its session and that still are what they were. Says whether they were; if not,
    /// nothing is written: somebody else has gone on, or the browser came meanwhile.
    async fn go_on_waiting(&self, before: &Attempt, wait: &ProviderWait<'_>) -> Result<bool>;
    /// Replaces the provider's session of an attempt, in whatever state: it is known by something else from now on.
    async fn replace_session(&self, id: AttemptId, session: &[u8], session_digest: &[u8; 32]) -> Result<()>;
    /// A partner's newest attempt in the provider session with this digest.
    async fn attempt_by_session(&self, partner: PartnerId, session_digest: &[u8; 32]) -> Result<Option<Attempt>>;
}
