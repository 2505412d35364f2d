//! What the stand-in can be told to do, for all callers at once.
//!
//! Where Mono's documentation is silent or disagrees with itself, the behaviour is a switch; the defaults follow the
//! published examples. In JSON every field may be left out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::time::Rng;

use super::institutions::BankSpeed;

/// A kind of call, in both dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonoCall {
    /// The list of institutions.
    Institutions,
    /// Opening a session.
    Session,
    /// The login: secrets go to a bank.
    Login,
    /// The answer to a 101 or 102.
    Commit,
    /// The test credentials of a session.
    Sandbox,
    /// The code for an account id.
    Exchange,
    /// The list of linked accounts.
    Accounts,
    /// One account's details.
    Account,
    /// Ending the access to an account.
    Unlink,
    /// Opening a session to renew an account.
    ReauthSession,
    /// The login that renews an account.
    ReauthLogin,
    /// The first version's token for renewing in a browser.
    ReauthToken,
}

impl MonoCall {
    /// Whether the call brings something a person typed: these are kept one by one in the ledger.
    pub fn is_submit(self) -> bool {
        matches!(self, Self::Login | Self::Commit | Self::ReauthLogin)
    }
}

/// Something that goes wrong with the answer of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonoFailure {
    /// It is done, but takes this many milliseconds.
    Slow(u64),
    /// Nothing is done and no answer ever comes.
    Hang,
    /// It is done, then the connection is reset before a byte of the answer.
    Reset,
    /// Nothing is done: 429, with `Retry-After` as switched.
    Busy,
    /// Nothing is done: 500.
    Error,
    /// Nothing is done: 503 with an empty body.
    Unavailable,
    /// It is done, but a proxy in front gave up: 502 with a page for a browser.
    Html,
    /// It is done, but the answer is cut in its middle.
    Garbage,
}

impl MonoFailure {
    /// Whether the call is carried out all the same.
    pub fn processed(self) -> bool {
        matches!(self, Self::Slow(_) | Self::Reset | Self::Html | Self::Garbage)
    }
}

/// A trouble for a kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRule {
    /// The calls it strikes.
    pub on: MonoCall,
    /// What goes wrong.
    pub trouble: MonoFailure,
    /// How many calls it strikes; without it, all until it is taken away.
    #[serde(default)]
    pub times: Option<u32>,
    /// Whether the call is carried out all the same, where that should differ from [`Trouble::processed`].
    #[serde(default)]
    pub processed: Option<bool>,
}

/// A span of time to draw from, both ends included, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayRange(pub u64, pub u64);

impl DelayRange {
    /// No time at all.
    pub const NONE: Self = Self(0, 0);

    /// A duration between the ends.
    pub fn pick(self, entropy: &dyn Rng) -> Duration {
        let width = self.1.saturating_sub(self.0).saturating_add(1);
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        Duration::from_millis(self.0 + u64::from_le_bytes(bytes) % width)
    }
}

/// How long calls take before they are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Logins at most banks.
    pub login: DelayRange,
    /// Logins at the slow ones.
    pub slow_login: DelayRange,
    /// Answers to a 101 or 102.
    pub commit: DelayRange,
    /// All other calls.
    pub other: DelayRange,
}

impl Latency {
    /// Everything at once, for tests.
    pub const NONE: Self = Self {
        login: DelayRange::NONE,
        slow_login: DelayRange::NONE,
        commit: DelayRange::NONE,
        other: DelayRange::NONE,
    };

    /// The span for a call at a bank of this pace.
    pub fn delay(&self, call: MonoCall, pace: BankSpeed) -> DelayRange {
        match (call, pace) {
            (MonoCall::Login | MonoCall::ReauthLogin, BankSpeed::Usual) => self.login,
            (MonoCall::Login | MonoCall::ReauthLogin, BankSpeed::Slow) => self.slow_login,
            (MonoCall::Commit, _) => self.commit,
            _ => self.other,
        }
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            login: DelayRange(1_000, 3_000),
            slow_login: DelayRange(3_000, 20_000),
            commit: DelayRange(500, 2_000),
            other: DelayRange(100, 300),
        }
    }
}

/// How the exchange shapes its answer in the second version; guide and client code disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeShape {
    /// `{"id": …}`, as the guide shows it.
    #[default]
    Bare,
    /// `{"status": …, "data": {"id": …}}`, as clients read it.
    Enveloped,
}

/// How the list of accounts shapes its rows; unpublished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListShape {
    /// The account's own fields stand in the row, with `customer` and `meta` beside them.
    #[default]
    Flat,
    /// Each row is what the details call has under `data`: `{account, customer, meta}`.
    Nested,
}

/// Where an account can first be seen; unpublished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountVisibility {
    /// As soon as the login or commit ended in 99; the exchange only tells its id.
    #[default]
    AtGrant,
    /// Only when the code is exchanged.
    AtExchange,
}

/// When webhooks about a link come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookMode {
    /// `account_connected` at the exchange, `account_updated` a little later.
    #[default]
    Normal,
    /// As normal, but this many milliseconds late.
    Late(u64),
    /// Each of them twice, with the same event id.
    Twice,
    /// At the grant, before the code is exchanged.
    BeforeExchange,
    /// `account_updated` first.
    OutOfOrder,
    /// None at all.
    Missing,
}

/// What became of fetching an account's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataStatus {
    /// All there.
    #[default]
    Available,
    /// Balance or transactions, not both.
    Partial,
    /// The bank's fault, or there are none.
    Unavailable,
    /// Mono's fault.
    Failed,
    /// Still being fetched.
    Processing,
}

/// What `meta.session_id` of an account is; unpublished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountSession {
    /// The connect session it was linked in.
    #[default]
    Connect,
    /// Something else.
    Other,
}

/// What opening a session to renew an account answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReauthMode {
    /// 99 with a code at once: the only published answer.
    #[default]
    Done,
    /// 102 with a form and, under `data.session.id`, a session for the reauth login.
    LoginWithSession,
    /// 102 with a form and no session: the reauth login takes the session id the account was linked in.
    LoginWithoutSession,
}

/// Everything that can be switched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MonoSwitches {
    /// The shape of the exchange's answer.
    pub exchange_shape: ExchangeShape,
    /// The shape of the rows of the account list.
    pub list_shape: ListShape,
    /// The HTTP status of a refused login or commit: 200 or 400; unpublished.
    pub failure_status: u16,
    /// The HTTP status for an unknown or expired session: 400, 401 or 404; unpublished.
    pub session_over_status: u16,
    /// Whether 401 and 404 come with no body, as the documentation allows.
    pub empty_error_bodies: bool,
    /// Whether the business lacks the Partners add-on: every call is answered 401.
    pub addon_missing: bool,
    /// How long a session lives, in milliseconds; unpublished.
    pub session_lifetime_ms: u64,
    /// How long a code can be exchanged, in milliseconds. Ten minutes by the documentation.
    pub code_lifetime_ms: u64,
    /// Whether a code can be exchanged more than once; unpublished.
    pub code_reusable: bool,
    /// How many wrong one-time codes end a session; unpublished.
    pub wrong_codes: u32,
    /// The index of the first account in the first version's 101; 0 or 1, unpublished.
    pub first_index: u64,
    /// How long calls take.
    pub latency: Latency,
    /// Where an account can first be seen.
    pub appears: AccountVisibility,
    /// When webhooks come.
    pub webhooks: WebhookMode,
    /// Where webhooks go; nowhere without it.
    pub webhook_url: Option<String>,
    /// How long after the link its data are there and `account_updated` is sent, in milliseconds.
    pub data_after_ms: u64,
    /// What becomes of the data.
    pub data_status: DataStatus,
    /// What `meta.session_id` of an account is.
    pub account_session: AccountSession,
    /// What opening a session to renew an account answers.
    pub reauth: ReauthMode,
    /// Troubles for kinds of calls.
    pub faults: Vec<FailureRule>,
    /// Troubles for the sessions, logins and answers at an institution, by its `_id` or its name, until taken away.
    pub troubles: BTreeMap<String, MonoFailure>,
    /// The seconds in `Retry-After`; without it, there is none.
    pub retry_after_s: Option<u64>,
    /// The word of the [guide](super::guide) every login follows, whatever is typed.
    pub every_login: Option<String>,
    /// The word of the guide that logins at an institution (by its `_id`) follow when what is typed is no word itself.
    pub by_institution: BTreeMap<String, String>,
}

impl MonoSwitches {
    /// The defaults with no latency and data at once, for tests.
    pub fn immediate() -> Self {
        Self {
            latency: Latency::NONE,
            data_after_ms: 0,
            ..Self::default()
        }
    }
}

impl Default for MonoSwitches {
    fn default() -> Self {
        Self {
            exchange_shape: ExchangeShape::default(),
            list_shape: ListShape::default(),
            failure_status: 200,
            session_over_status: 400,
            empty_error_bodies: true,
            addon_missing: false,
            session_lifetime_ms: 600_000,
            code_lifetime_ms: 600_000,
            code_reusable: false,
            wrong_codes: 3,
            first_index: 0,
            latency: Latency::default(),
            appears: AccountVisibility::default(),
            webhooks: WebhookMode::default(),
            webhook_url: None,
            data_after_ms: 2_000,
            data_status: DataStatus::default(),
            account_session: AccountSession::default(),
            reauth: ReauthMode::default(),
            faults: Vec::new(),
            troubles: BTreeMap::new(),
            retry_after_s: Some(30),
            every_login: None,
            by_institution: BTreeMap::new(),
        }
    }
}
