//! Account-linking providers.
//!
//! A provider turns calls into a [`NextStep`]; it knows no menus, keeps no state and gets the partner's credentials with
//! each call. Only an explicit success or refusal by the provider is final: whatever else happens to a submission is
//! [`SubmitError::Unknown`], unless it provably never left ([`SubmitError::NotSent`]).

use std::sync::Arc;
use std::time::Duration;

use crate::core::msisdn::Msisdn;
use crate::core::next_step::{Form, Grant, NextStep};
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::http_client::OutboundError;
use async_trait::async_trait;
use url::Url;

pub use self::access::{Access, AccessBlob, PersonAccess, WithAccess};
pub use self::account::{AccountDetails, ProviderAccount};
pub use self::event::{
    EventSubject, ProviderEvent, ProviderEventKind, ProviderReply, ProviderRequest, Returned, WebhookAnswer,
    WebhookError,
};
pub use self::keys::{KeyRequirement, ProviderKeys};
pub use self::registration::ProviderRegistration;
pub use self::session_meaning::SessionMeaning;
pub use crate::core::linking::{AuthMethod, Institution, Journey, ProviderSession, SessionKind, SubmissionStep};

mod access;
mod account;
mod event;
mod keys;
pub mod mono;
pub mod offer;
pub mod registration;
mod session_meaning;

/// Every provider that can be configured, in the order in which they are told of.
pub static PROVIDERS: &[ProviderRegistration] = &[mono::REGISTRATION];

/// What the service must know of a provider as it is set up here; figures of the provider, not of the conversation.
#[expect(clippy::struct_excessive_bools, reason = "independent traits of a provider")]
#[derive(Debug)]
pub struct ProviderFacts {
    /// The keys that a partner has there.
    pub keys: &'static [KeyRequirement],
    /// Whether keys that reach real banks are taken only from who has stated that it is eligible, see
    /// [`ProviderRegistration::asks_eligibility_at`].
    pub asks_eligibility: bool,
    /// Whose list of institutions is shown.
    pub lists: ListScope,
    /// What can be ended there.
    pub ends: EndScope,
    /// Whether it hands out something for a person, see [`Access::person`].
    pub keeps_people: bool,
    /// Whether it has an id for a person that never changes, see [`ProviderAccount::person`]: it is shown it again whenever
    /// it is asked about that person, by as many calls at once as there are.
    pub names_people: bool,
    /// What the session that an account names is, see [`ProviderAccount::session_id`].
    pub session_meaning: SessionMeaning,
    /// Whether it hands out something for a link, see [`Access::link`].
    pub keeps_link_access: bool,
    /// How long a list of institutions is used before it is read again.
    pub institutions_ttl: Duration,
    /// Names of institutions to show first, in this order.
    pub favourites: Vec<String>,
    /// How long a submission may take where its institution does not say.
    pub timeout: Duration,
    /// How long a lost answer is looked for: at most so long after a submission an account may still appear.
    pub settle_for: Duration,
    /// How often it may ask for more in one session before it is not believed any more.
    pub max_rounds: u8,
}

/// Whose list of institutions is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListScope {
    /// Every partner's is the same: the operator's is read.
    Operator,
    /// The provider's console decides for each partner.
    Partner,
}

/// What can be ended at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndScope {
    /// Each account by itself.
    Account,
    /// Only the link with all its accounts.
    Link,
}

#[derive(Debug)]
pub enum SessionRequest<'a> {
    /// To link an account at an institution by an auth method.
    Link {
        institution: &'a Institution,
        method: &'a str,
        /// A short reference to this try that is nobody else's and gives nobody's number away.
        reference: &'a str,
        /// The same for the person at this partner: it stays the same for every try of theirs.
        person: &'a str,
        /// The number of the person who is linking, for providers that reach their application by it; `None` where it is
        /// only looked whether a session can be opened.
        phone: Option<&'a Msisdn>,
    },
    /// To let a person log in again for an account that is already linked.
    Reauth {
        /// The provider's account id.
        account: &'a Secret,
        /// The provider's id of the whole link, if it has one.
        link: Option<&'a Secret>,
    },
}

#[derive(Debug)]
pub enum SessionResponse {
    /// The session's form is to be filled in, or that of the auth method where the session has none.
    Session(ProviderSession),
    /// Nothing is typed first: this comes next.
    Next(ProviderSession, NextStep),
    /// A reauthorisation may be complete without asking anything.
    Done(Option<Grant>),
}

/// Where a session stands after a call.
#[derive(Debug)]
pub struct Stepped {
    pub step: NextStep,
    /// The session, if the provider knows it by something else from now on.
    pub session: Option<ProviderSession>,
}

impl From<NextStep> for Stepped {
    fn from(step: NextStep) -> Self {
        Self { step, session: None }
    }
}

/// How a session is carried on without a secret. May be repeated.
#[derive(Debug)]
pub enum Advance<'a> {
    /// Look whether it has gone on.
    Poll,
    /// Show more accounts, see [`NextStep::ChooseAccounts`].
    More(&'a str),
    /// The person's browser came back with this, see [`Returned::data`].
    Returned(&'a Secret),
}

/// What a page is made for.
#[derive(Debug)]
pub struct PageRequest<'a> {
    /// What must come back with the browser: finds the attempt, once.
    pub state: &'a Secret,
    /// Where the browser comes back to.
    pub back: &'a Url,
}

/// One submission, sent at most once, whatever happens.
#[derive(Debug)]
pub struct Submission<'a> {
    pub session: &'a ProviderSession,
    pub step: SubmissionStep,
    /// What was asked, if it is known: the answers go out in its types.
    pub form: Option<&'a Form>,
    /// Field names and answers. For [`SubmissionStep::Choose`], an entry with an empty name for each chosen key.
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

/// What came after an answer says nothing of the submission.
impl From<ProviderError> for SubmitError {
    fn from(_: ProviderError) -> Self {
        Self::Unknown("its access could not be stored")
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

/// What a grant was exchanged for.
#[derive(Debug)]
pub struct Redeemed {
    pub accounts: Vec<ProviderAccount>,
    /// The provider's id of the whole link (a connection, a consent), if it has one: events name it, and it can be ended.
    pub link: Option<Secret>,
    /// When the provider ends its access by itself, if it says.
    pub expires_at: Option<Timestamp>,
}

impl From<Vec<ProviderAccount>> for Redeemed {
    fn from(accounts: Vec<ProviderAccount>) -> Self {
        Self {
            accounts,
            link: None,
            expires_at: None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum AccountsQuery<'a> {
    /// One account, with its details.
    One(&'a Secret),
    /// All accounts that this access reaches; details may be missing.
    All,
}

/// What is to be ended, see [`ProviderFacts::ends`].
#[derive(Clone, Copy, Debug)]
pub enum EndTarget<'a> {
    Account(&'a Secret),
    Link(&'a Secret),
}

const NO_SUCH_JOURNEY: &str = "it has no such journey";

/// A provider. Its calls are real HTTP; none is retried by itself.
///
/// [`Provider::advance`], [`Provider::page`] and [`Provider::returned`] belong to journeys that leave the phone: a provider
/// whose institutions have none leaves them out.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name in the configuration and in every record.
    fn name(&self) -> &'static str;

    fn facts(&self) -> &ProviderFacts;

    /// Asks the provider whether it accepts these keys.
    async fn check(&self, keys: &ProviderKeys) -> Result<(), ProviderError>;

    /// Everything that can be linked, including auth methods that a keypad cannot do.
    async fn institutions(&self, keys: &ProviderKeys) -> Result<Vec<Institution>, ProviderError>;

    /// Opens a session. May be repeated: nothing reaches a bank yet.
    async fn open_session(
        &self,
        access: Access<'_>,
        opening: SessionRequest<'_>,
    ) -> Result<WithAccess<SessionResponse>, ProviderError>;

    /// Submits answers, once.
    async fn submit(&self, access: Access<'_>, submission: Submission<'_>) -> Result<WithAccess<Stepped>, SubmitError>;

    /// Carries a session on without a secret. May be repeated.
    async fn advance(
        &self,
        _access: Access<'_>,
        _session: &ProviderSession,
        _how: Advance<'_>,
    ) -> Result<WithAccess<Stepped>, ProviderError> {
        Err(ProviderError::Refused(NO_SUCH_JOURNEY))
    }

    /// Makes the page that the person opens for [`NextStep::OpenLink`]: when they open it, never before. May be repeated.
    async fn page(
        &self,
        _access: Access<'_>,
        _session: &ProviderSession,
        _page: PageRequest<'_>,
    ) -> Result<WithAccess<Url>, ProviderError> {
        Err(ProviderError::Refused(NO_SUCH_JOURNEY))
    }

    /// Reads what a browser brings back from such a page. Decides nothing: the provider is asked what happened.
    ///
    /// # Errors
    /// When it is not understood.
    fn returned(&self, _request: &ProviderRequest<'_>) -> Result<Returned, WebhookError> {
        Err(WebhookError::Malformed)
    }

    /// Exchanges a grant for accounts. May be repeated; a used grant is `Refused` or `NotFound`.
    async fn redeem(&self, access: Access<'_>, grant: &Grant) -> Result<WithAccess<Redeemed>, ProviderError>;

    async fn accounts(
        &self,
        access: Access<'_>,
        which: AccountsQuery<'_>,
    ) -> Result<WithAccess<Vec<ProviderAccount>>, ProviderError>;

    /// Ends the provider's access to an account or a link. `NotFound` means that it has already ended.
    async fn end(&self, access: Access<'_>, target: EndTarget<'_>) -> Result<(), ProviderError>;

    /// Whether it looks at the URL of webhooks with a GET before it sends any: [`Provider::webhook`] answers that too.
    fn verifies_by_get(&self) -> bool {
        false
    }

    /// Whether the head of a webhook authenticates its sender; `None` if the body is needed for that. A stranger's body is
    /// not read then.
    fn authenticates_by_head(&self, _keys: &ProviderKeys, _head: &ProviderRequest<'_>) -> Option<bool> {
        None
    }

    /// Authenticates and parses a webhook with the keys of its owner. Types that do not concern us are no events.
    ///
    /// # Errors
    /// When it is not authentic or not understood.
    async fn webhook(&self, keys: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<WebhookAnswer, WebhookError>;
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
