//! Account-linking providers.
//!
//! A provider turns calls into a [`NextStep`]; it knows no menus, keeps no state and gets the partner's credentials with
//! each call. Only an explicit success or refusal by the provider is final: whatever else happens to a submission is
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

/// The keys of one partner at one provider.
#[derive(Debug)]
pub struct Credentials {
    /// The secret key (`mono-sec-key` at Mono).
    pub secret_key: Secret,
    /// A public application id, if the API version requires one (Mono v1).
    pub app_id: Option<String>,
}

#[derive(Debug)]
pub enum SessionRequest<'a> {
    /// To link an account at an institution by an auth method.
    Link {
        institution: &'a Institution,
        method: &'a str,
        customer: &'a Customer,
    },
    /// To let a person log in again for an account that is already linked.
    Reauth {
        /// The provider's account id.
        account: &'a Secret,
    },
}

/// The customer as the provider is told; made from the partner's settings, not asked on a keypad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    pub name: String,
    /// Many people here have no e-mail address, so it is usually made from a template.
    pub email: String,
}

/// A reauthorisation may be complete without asking anything.
#[derive(Debug)]
pub enum SessionResponse {
    Session(ProviderSession),
    Done(Option<Grant>),
}

/// One submission, sent at most once, whatever happens.
#[derive(Debug)]
pub struct Submission<'a> {
    pub session: &'a ProviderSession,
    pub step: SubmissionStep,
    /// Field names and answers. For [`SubmissionStep::Choose`], one entry with an empty name and the chosen key.
    pub answers: &'a [(String, Secret)],
    pub timeout: Duration,
}

/// Why a submission has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Nothing left this machine.
    #[error("nothing was sent: {0}")]
    NotSent(&'static str),
    /// It may or may not have been carried out.
    #[error("no answer that says yes or no: {0}")]
    Unknown(&'static str),
}

/// Why a call that may be repeated failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// May be retried later; after this long, if the provider says.
    #[error("the provider is not available: {0}")]
    Unavailable(&'static str, Option<Duration>),
    /// Called too often; may be retried after this long, if the provider says.
    #[error("the provider asks to be left alone")]
    RateLimited(Option<Duration>),
    /// Nothing left this machine: no connection could be made.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(&'static str),
    /// It does not accept our key, plan or request: a retry will not help.
    #[error("the provider refused the call: {0}")]
    Refused(&'static str),
    /// What was named does not exist, or no longer.
    #[error("the provider does not know it")]
    NotFound,
    #[error("the provider's answer was not understood: {0}")]
    Malformed(&'static str),
}

impl ProviderError {
    /// Whether the same call may succeed later.
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
    /// The provider's account id; valid only with the key that created it.
    pub id: Secret,
    /// The session it was linked in, if the provider says: how a lost answer is found again.
    pub session_id: Option<String>,
    /// If this call returns them.
    pub details: Option<AccountDetails>,
}

/// What we read of an account. Deliberately no balance.
#[derive(Debug)]
pub struct AccountDetails {
    /// The full number: hashed and masked at once, never stored.
    pub number: Secret,
    /// The holder's name; sealed wherever it is stored.
    pub holder: Option<Secret>,
    /// The type as the provider writes it.
    pub kind: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// The institution's name.
    pub institution: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub enum AccountsQuery<'a> {
    /// One account, with its details.
    One(&'a Secret),
    /// All accounts of these credentials; details may be missing.
    All,
}

/// A provider's webhook, normalised.
#[derive(Debug)]
pub struct ProviderEvent {
    /// The same if the event is delivered twice.
    pub dedupe_key: String,
    /// The provider's account id.
    pub account: Secret,
    pub kind: ProviderEventKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderEventKind {
    Connected,
    /// Its data has been fetched.
    Updated,
    ReauthRequired,
    Reauthorised,
    Unlinked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("the webhook does not carry our secret")]
    Unauthentic,
    #[error("the webhook was not understood")]
    Malformed,
}

/// A provider. Its calls are real HTTP; none is retried by itself.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name in the configuration and in every record.
    fn name(&self) -> &'static str;

    /// Everything that can be linked, including auth methods that a keypad cannot do.
    async fn institutions(&self, credentials: &Credentials) -> Result<Vec<Institution>, ProviderError>;

    /// Opens a session. May be repeated: nothing reaches a bank yet.
    async fn open_session(
        &self,
        credentials: &Credentials,
        opening: SessionRequest<'_>,
    ) -> Result<SessionResponse, ProviderError>;

    /// Submits answers, once.
    async fn submit(&self, credentials: &Credentials, submission: Submission<'_>) -> Result<NextStep, SubmitError>;

    /// Exchanges a grant for accounts. May be repeated; a used grant is `Refused` or `NotFound`.
    async fn redeem(&self, credentials: &Credentials, grant: &Grant) -> Result<Vec<ProviderAccount>, ProviderError>;

    async fn accounts(
        &self,
        credentials: &Credentials,
        which: AccountsQuery<'_>,
    ) -> Result<Vec<ProviderAccount>, ProviderError>;

    /// Ends the provider's access to an account. `NotFound` means that it has already ended.
    async fn unlink(&self, credentials: &Credentials, account: &Secret) -> Result<(), ProviderError>;

    /// Parses a webhook; `None` for types that do not concern us.
    ///
    /// # Errors
    /// When it is not authentic or not understood.
    fn parse_webhook(&self, headers: &[(String, Vec<u8>)], body: &[u8]) -> Result<Option<ProviderEvent>, WebhookError>;
}

/// The providers that are configured, by name.
#[derive(Clone, Default)]
pub struct ProviderRegistry(Vec<Arc<dyn Provider>>);

impl ProviderRegistry {
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        Self(providers)
    }

    pub fn get(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.0.iter().find(|provider| provider.name() == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.iter()
    }
}
