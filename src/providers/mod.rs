//! Account-linking providers: who opens the bank's door.
//!
//! A provider turns calls into a [`NextStep`]; it knows no menus, keeps no state and gets the partner's credentials with
//! each call. Only an explicit yes or no of the provider is final: whatever else happens to a submission is
//! [`SubmitError::Unknown`], unless it provably never left ([`SubmitError::NotSent`]).

use std::sync::Arc;
use std::time::Duration;

use crate::core::next_step::{Grant, NextStep};
use crate::core::secret::Secret;
use crate::http_client::OutboundError;
use async_trait::async_trait;

pub use crate::core::linking::{AuthMethod, Institution, ProviderSession, SessionKind, SubmissionStep};

pub mod mono;
pub mod offer;

/// The keys of one partner at one provider. What they are called is the provider's business.
#[derive(Debug)]
pub struct Credentials {
    /// The secret key (`mono-sec-key` at Mono).
    pub secret_key: Secret,
    /// A public application id, where the dialect wants one (Mono v1).
    pub app_id: Option<String>,
}

/// What a session is opened for.
#[derive(Debug)]
pub enum SessionRequest<'a> {
    /// To link an account at an institution by an auth method.
    Link {
        /// The institution.
        institution: &'a Institution,
        /// The auth method's id.
        method: &'a str,
        /// Whom the provider is told the account belongs to.
        customer: &'a Customer,
    },
    /// To let a person log in again for an account that is already linked.
    Reauth {
        /// The provider's account id.
        account: &'a Secret,
    },
}

/// Whom a provider is told an account belongs to; filled by the partner's setting, not asked on a keypad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// A name.
    pub name: String,
    /// An e-mail address; many people here have none, so it is usually made from a pattern.
    pub email: String,
}

/// What opening a session led to. A reauthorisation may be done without asking anything.
#[derive(Debug)]
pub enum SessionResponse {
    /// A session to submit to.
    Session(ProviderSession),
    /// Nothing more is needed.
    Done(Option<Grant>),
}

/// One submission: sent at most once, whatever happens.
#[derive(Debug)]
pub struct Submission<'a> {
    /// The session it belongs to.
    pub session: &'a ProviderSession,
    /// Which call it is.
    pub step: SubmissionStep,
    /// Field names and answers. For [`Step::Choose`], one entry with an empty name and the chosen key.
    pub answers: &'a [(String, Secret)],
    /// How long to wait for the answer, at most.
    pub timeout: Duration,
}

/// Why a submission has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Nothing left this machine: the connection was refused.
    #[error("nothing was sent: {0}")]
    NotSent(&'static str),
    /// It may or may not have been done.
    #[error("no answer that says yes or no: {0}")]
    Unknown(&'static str),
}

/// Why a call that may be repeated failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Try again later; after this long, where the provider says.
    #[error("the provider is not available: {0}")]
    Unavailable(&'static str, Option<Duration>),
    /// It was called too often; leave it alone, for this long where it says.
    #[error("the provider asks to be left alone")]
    RateLimited(Option<Duration>),
    /// Nothing left this machine: there is no connection to be had.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(&'static str),
    /// It does not accept our key, plan or request: repeating will not help.
    #[error("the provider refused the call: {0}")]
    Refused(&'static str),
    /// What was named does not exist (any more).
    #[error("the provider does not know it")]
    NotFound,
    /// The answer made no sense.
    #[error("the provider's answer was not understood: {0}")]
    Malformed(&'static str),
}

impl ProviderError {
    /// Whether the same call may work later.
    pub fn retryable(&self) -> bool {
        !matches!(self, Self::Refused(_) | Self::NotFound)
    }
}

impl From<OutboundError> for SubmitError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::NotSent(why) => Self::NotSent(why),
            OutboundError::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<OutboundError> for ProviderError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::NotSent(why) => Self::Unreachable(why),
            OutboundError::Unknown(why) => Self::Unavailable(why, None),
        }
    }
}

/// A linked account at the provider.
#[derive(Debug)]
pub struct ProviderAccount {
    /// The provider's id for it; works only with the key that made it.
    pub id: Secret,
    /// The session it was linked in, where the provider says: how a lost answer is found again.
    pub session_id: Option<String>,
    /// The details, where this call gives them.
    pub details: Option<AccountDetails>,
}

/// What may be known of an account. No balance on purpose.
#[derive(Debug)]
pub struct AccountDetails {
    /// The full number: hashed and masked at once, never kept.
    pub number: Secret,
    /// The holder's name; sealed wherever it is kept.
    pub holder: Option<Secret>,
    /// The provider's word for its type.
    pub kind: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// The institution's name.
    pub institution: Option<String>,
}

/// Which accounts to read.
#[derive(Clone, Copy, Debug)]
pub enum AccountsQuery<'a> {
    /// This one, with its details.
    One(&'a Secret),
    /// All that these credentials can see; details may be missing.
    All,
}

/// What a provider's webhook said, normalised.
#[derive(Debug)]
pub struct ProviderEvent {
    /// What makes it the same event when it comes twice.
    pub dedupe_key: String,
    /// The provider's account id.
    pub account: Secret,
    /// What happened.
    pub kind: ProviderEventKind,
}

/// What can happen to an account behind our back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderEventKind {
    /// It was linked.
    Connected,
    /// Its data are there.
    Updated,
    /// The person must log in again.
    ReauthRequired,
    /// The person has logged in again.
    Reauthorised,
    /// It was unlinked.
    Unlinked,
}

/// Why a webhook was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Its secret or signature is wrong.
    #[error("the webhook does not carry our secret")]
    Unauthentic,
    /// It makes no sense.
    #[error("the webhook was not understood")]
    Malformed,
}

/// A provider's dialect. Calls are real HTTP; none is repeated by itself.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name in the configuration and in every record.
    fn name(&self) -> &'static str;

    /// Everything that can be linked, methods a keypad cannot do included.
    async fn institutions(&self, credentials: &Credentials) -> Result<Vec<Institution>, ProviderError>;

    /// Opens a session. Harmless to repeat: nothing reaches a bank yet.
    async fn open_session(
        &self,
        credentials: &Credentials,
        opening: SessionRequest<'_>,
    ) -> Result<SessionResponse, ProviderError>;

    /// Submits answers, once.
    async fn submit(&self, credentials: &Credentials, submission: Submission<'_>) -> Result<NextStep, SubmitError>;

    /// Exchanges a grant for accounts. May be repeated; a grant already used is `Refused` or `NotFound`.
    async fn redeem(&self, credentials: &Credentials, grant: &Grant) -> Result<Vec<ProviderAccount>, ProviderError>;

    /// Reads accounts.
    async fn accounts(
        &self,
        credentials: &Credentials,
        which: AccountsQuery<'_>,
    ) -> Result<Vec<ProviderAccount>, ProviderError>;

    /// Ends the provider's access to an account. `NotFound` means that it is already gone.
    async fn unlink(&self, credentials: &Credentials, account: &Secret) -> Result<(), ProviderError>;

    /// Understands a webhook; `None` for kinds that do not concern us.
    ///
    /// # Errors
    /// When it is not authentic or makes no sense.
    fn parse_webhook(&self, headers: &[(String, Vec<u8>)], body: &[u8]) -> Result<Option<ProviderEvent>, WebhookError>;
}

/// The providers that are configured, by name.
#[derive(Clone, Default)]
pub struct ProviderRegistry(Vec<Arc<dyn Provider>>);

impl ProviderRegistry {
    /// A registry of these providers.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        Self(providers)
    }

    /// The provider with this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.0.iter().find(|provider| provider.name() == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.iter()
    }
}
