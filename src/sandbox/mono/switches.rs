//! The switches of the stand-in, for all callers at once.
//!
//! Where Mono's documentation is silent or disagrees with itself, the behaviour is a switch; the defaults follow the
//! published examples. In JSON every field may be left out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::time::Rng;

use super::institutions::BankSpeed;

/// A kind of call, in both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonoCall {
    Institutions,
    Session,
    /// The login: secrets go to a bank.
    Login,
    Commit,
    Sandbox,
    /// The code for an account id.
    Exchange,
    Accounts,
    Account,
    Unlink,
    ReauthSession,
    ReauthLogin,
    /// The first version's token for renewing in a browser.
    ReauthToken,
}

impl MonoCall {
    /// Whether the call contains something that a person typed: the call log lists these one by one.
    pub fn is_submit(self) -> bool {
        matches!(self, Self::Login | Self::Commit | Self::ReauthLogin)
    }
}

/// A failure of the answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonoFailure {
    /// The call is carried out, but takes this many milliseconds.
    Slow(u64),
    /// Nothing is done, and there is never an answer.
    Hang,
    /// The call is carried out, then the connection is reset before a byte of the answer.
    Reset,
    /// Nothing is done: 429, with `Retry-After` as switched.
    Busy,
    /// Nothing is done: 500.
    Error,
    /// Nothing is done: 503 with an empty body.
    Unavailable,
    /// The call is carried out, but a proxy in front gave up: 502 with a web page.
    Html,
    /// The call is carried out, but the answer is cut in its middle.
    Garbage,
}

impl MonoFailure {
    /// Whether the call is carried out.
    pub fn processed(self) -> bool {
        matches!(self, Self::Slow(_) | Self::Reset | Self::Html | Self::Garbage)
    }
}

/// A failure for a kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRule {
    pub on: MonoCall,
    pub trouble: MonoFailure,
    /// How many calls it affects; all calls without it.
    #[serde(default)]
    pub times: Option<u32>,
    /// Whether the call is carried out, if that should differ from [`MonoFailure::processed`].
    #[serde(default)]
    pub processed: Option<bool>,
}

/// A range of delays to pick from, both ends included, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayRange(pub u64, pub u64);

impl DelayRange {
    pub const NONE: Self = Self(0, 0);

    pub fn pick(self, rng: &dyn Rng) -> Duration {
        let width = self.1.saturating_sub(self.0).saturating_add(1);
        let mut bytes = [0; 8];
        rng.fill(&mut bytes);
        Duration::from_millis(self.0 + u64::from_le_bytes(bytes) % width)
    }
}

/// How long calls take before they are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    pub login: DelayRange,
    /// Logins at the slow ones.
    pub slow_login: DelayRange,
    /// Answers to a 101 or 102.
    pub commit: DelayRange,
    pub other: DelayRange,
}

impl Latency {
    pub const NONE: Self = Self {
        login: DelayRange::NONE,
        slow_login: DelayRange::NONE,
        commit: DelayRange::NONE,
        other: DelayRange::NONE,
    };

    /// The delays of a call at a bank of this speed.
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
    /// The account's own fields are in the row, with `customer` and `meta` beside them.
    #[default]
    Flat,
    /// Each row is like `data` of the details call: `{account, customer, meta}`.
    Nested,
}

/// When an account first appears in the list; unpublished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountVisibility {
    /// As soon as the login or commit ends in 99; the exchange only returns its id.
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
    Missing,
}

/// The result of fetching an account's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataStatus {
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
    Other,
}

/// The answer to opening a session to renew an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReauthMode {
    /// 99 with a code at once: the only published answer.
    #[default]
    Done,
    /// 102 with a form and, under `data.session.id`, a session for the reauth login.
    LoginWithSession,
    /// 102 with a form and no session: the reauth login takes the session id that the account was linked in.
    LoginWithoutSession,
}

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
    pub latency: Latency,
    pub appears: AccountVisibility,
    pub webhooks: WebhookMode,
    /// Where webhooks are sent; none are sent without it.
    pub webhook_url: Option<String>,
    /// The time from the link until its data are available and `account_updated` is sent, in milliseconds.
    pub data_after_ms: u64,
    pub data_status: DataStatus,
    /// What `meta.session_id` of an account is.
    pub account_session: AccountSession,
    /// The answer to opening a session to renew an account.
    pub reauth: ReauthMode,
    pub faults: Vec<FailureRule>,
    /// Failures of the sessions, logins and answers at an institution, by its `_id` or its name.
    pub troubles: BTreeMap<String, MonoFailure>,
    /// The seconds in `Retry-After`; without it, there is none.
    pub retry_after_s: Option<u64>,
    /// The magic word that every login follows, whatever is typed.
    pub every_login: Option<String>,
    /// The magic word that logins at an institution (by its `_id`) follow when nothing magic is typed.
    pub by_institution: BTreeMap<String, String>,
}

impl MonoSwitches {
    /// The defaults without latency and with data at once, for tests.
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
