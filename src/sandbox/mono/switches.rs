//! Mono's own switches, beside those of every bank.
//!
//! Where Mono's documentation is silent or disagrees with itself, the behaviour is a switch; the defaults follow the
//! published examples. So do those of every bank: a code lives ten minutes by the documentation and is used once; how long a
//! session lives and how many wrong codes end it is unpublished.

use serde::{Deserialize, Serialize};

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

/// What `meta.session_id` of an account is; unpublished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountSession {
    /// The connect session it was linked in.
    #[default]
    Connect,
    Other,
}

/// How much 101 and 102 tell beside the code; the documentation promises only what commit takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerDetails {
    /// As in the published examples.
    #[default]
    Full,
    /// Accounts have no index in the first version, and what asks for more has no form in either.
    Sparse,
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

/// Mono's own switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonoOptions {
    /// The shape of the exchange's answer.
    pub exchange_shape: ExchangeShape,
    /// The shape of the rows of the account list.
    pub list_shape: ListShape,
    /// The HTTP status of a refused login or commit: 200, 400 or 401; unpublished.
    pub failure_status: u16,
    /// Whether a refused login or commit comes without a response code; unpublished.
    pub uncoded_failures: bool,
    /// The HTTP status for an unknown or expired session: 400, 401 or 404; unpublished.
    pub session_over_status: u16,
    /// Whether 401 and 404 come with no body, as the documentation allows.
    pub empty_error_bodies: bool,
    /// Whether the business lacks the Partners add-on: every call is answered 401.
    pub addon_missing: bool,
    /// The index of the first account in the first version's 101; 0 or 1, unpublished.
    pub first_index: u64,
    /// How much 101 and 102 tell.
    pub details: AnswerDetails,
    pub appears: AccountVisibility,
    /// What `meta.session_id` of an account is.
    pub account_session: AccountSession,
    /// The answer to opening a session to renew an account.
    pub reauth: ReauthMode,
}

impl Default for MonoOptions {
    fn default() -> Self {
        Self {
            exchange_shape: ExchangeShape::default(),
            list_shape: ListShape::default(),
            failure_status: 200,
            uncoded_failures: false,
            session_over_status: 400,
            empty_error_bodies: true,
            addon_missing: false,
            first_index: 0,
            details: AnswerDetails::default(),
            appears: AccountVisibility::default(),
            account_session: AccountSession::default(),
            reauth: ReauthMode::default(),
        }
    }
}
