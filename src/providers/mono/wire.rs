//! What Mono sends, as far as we read it. Fields we have no use for are not here: balances and bank verification numbers
//! (`bvn`) cannot leak from where they never were.
//!
//! Names follow v2 and v3; where v1 differs, both are read in both dialects. Everything is optional here, and what a
//! reply must have is decided where it is used.

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{LenientNumber, LenientObject, LenientText, MentionsEndedSession, ReplyStatus};
use crate::core::secret::Secret;

/// What every reply may say about itself.
#[derive(Debug, Deserialize)]
pub struct ReplyHead {
    /// Whether it worked, as a word (v2) or an HTTP-like number (v1).
    #[serde(default)]
    pub status: Option<ReplyStatus>,
    /// 99 done, 101 choose an account, 102 more input, 400 no; at the top in login and commit.
    #[serde(default, rename = "responseCode")]
    pub response_code: Option<LenientNumber>,
    /// A sentence for people; only looked at for what it says of the session.
    #[serde(default)]
    pub message: MentionsEndedSession,
    /// What it is about; an array or `null` in some replies.
    #[serde(default)]
    pub data: LenientObject<ReplyHeadData>,
}

/// What `data` may say about the reply.
#[derive(Debug, Deserialize)]
pub struct ReplyHeadData {
    /// The same as at the top: reauthorisation replies have it here.
    #[serde(default, rename = "responseCode")]
    pub response_code: Option<LenientNumber>,
    /// The grant, to be exchanged within ten minutes.
    #[serde(default)]
    pub code: Option<Secret>,
}

/// An institution of the list.
#[derive(Debug, Deserialize)]
pub struct MonoInstitution {
    /// Mono's id. Not unique: one wallet stands in the list twice, as personal and as business.
    #[serde(rename = "_id")]
    pub id: LenientText,
    /// Its name.
    pub name: String,
    /// `PERSONAL_BANKING`, `BUSINESS_BANKING`, `PAYMENT_GATEWAY`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// ISO 3166-1 alpha-2, lower case.
    #[serde(default)]
    pub country: Option<String>,
    /// Most likely how long a login may take, in milliseconds (35000, 50000).
    #[serde(default)]
    pub timeout: Option<LenientNumber>,
    /// The ways to log in. The institution has a form of its own beside them, which is generic and often wrong.
    #[serde(default)]
    pub auth_methods: Option<Vec<Value>>,
}

/// A way to log in.
#[derive(Debug, Deserialize)]
pub struct MonoAuthMethod {
    /// `internet_banking`, `mobile_banking`, `primus_plus`; what a session wants to be given.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name; v3 has none.
    #[serde(default)]
    pub name: Option<String>,
    /// What it asks.
    #[serde(default)]
    pub ui: LenientObject<MonoForm>,
}

/// A form.
#[derive(Debug, Deserialize)]
pub struct MonoForm {
    /// Its heading.
    #[serde(default)]
    pub title: Option<LenientText>,
    /// Its elements, read one by one: one that cannot be read makes the form unusable, not unreadable.
    #[serde(default)]
    pub form: Option<Vec<Value>>,
}

/// An element of a form.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonoFormElement {
    /// `elements.input`, `elements.captcha_input`, `elements.switch`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key of the answer, to be echoed letter for letter.
    pub name: String,
    /// What to call it before a person.
    #[serde(default)]
    pub hint: Option<LenientText>,
    /// `string`, `password` or `integer`.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The most characters it takes.
    #[serde(default)]
    pub max_length: Option<LenientNumber>,
    /// How many characters it takes.
    #[serde(default)]
    pub length: Option<LenientNumber>,
    /// Something to show, such as a captcha's picture as a data URI.
    #[serde(default)]
    pub value: Option<Value>,
    /// What a switch offers.
    #[serde(default)]
    pub options: Option<Vec<SwitchOption>>,
}

/// One position of a switch.
#[derive(Debug, Deserialize)]
pub struct SwitchOption {
    /// What to call it.
    #[serde(default)]
    pub label: Option<LenientText>,
    /// What to post for it, in its JSON type.
    pub value: Value,
}

/// The reply to opening a session, for linking and for reauthorisation.
#[derive(Debug, Deserialize)]
pub struct SessionReply {
    /// The session's id in v1.
    #[serde(default)]
    pub id: Option<LenientText>,
    /// When it ends, in milliseconds since 1970, in v1.
    #[serde(default, rename = "expiresAt")]
    pub expires_at: Option<LenientNumber>,
    /// What to ask, in v1.
    #[serde(default)]
    pub ui: LenientObject<MonoForm>,
    /// When the reply was written, ISO 8601; v2 only.
    #[serde(default)]
    pub timestamp: Option<LenientText>,
    /// All of it in v2.
    #[serde(default)]
    pub data: LenientObject<SessionReplyData>,
}

/// The inside of a v2 session reply.
#[derive(Debug, Deserialize)]
pub struct SessionReplyData {
    /// The session itself.
    #[serde(default)]
    pub session: LenientObject<SessionHead>,
    /// The session's id by the prose of the guide.
    #[serde(default)]
    pub session_id: Option<LenientText>,
    /// The session's id where nothing else is one.
    #[serde(default)]
    pub id: Option<LenientText>,
    /// What to ask.
    #[serde(default)]
    pub ui: LenientObject<MonoForm>,
    /// What to ask, by the name it has in login replies.
    #[serde(default, rename = "userInput")]
    pub user_input: LenientObject<MonoForm>,
}

/// A v2 session.
#[derive(Debug, Deserialize)]
pub struct SessionHead {
    /// Its id, sent back as `x-session-id`.
    #[serde(default)]
    pub id: Option<LenientText>,
    /// When it ends, in milliseconds since 1970, as in the example.
    #[serde(default, rename = "expiresAt")]
    pub expires_at: Option<LenientNumber>,
    /// The same, as in the prose.
    #[serde(default, rename = "expires_at")]
    pub expires_at_alternative: Option<LenientNumber>,
}

/// A reply that asks for more (102).
#[derive(Debug, Deserialize)]
pub struct PromptReply {
    /// Where the form is.
    #[serde(default)]
    pub data: LenientObject<PromptData>,
}

/// The inside of a reply that asks for more.
#[derive(Debug, Deserialize)]
pub struct PromptData {
    /// The form, in v2.
    #[serde(default, rename = "userInput")]
    pub user_input: LenientObject<MonoForm>,
    /// The form's heading, in v1.
    #[serde(default)]
    pub title: Option<LenientText>,
    /// The form's elements, in v1.
    #[serde(default)]
    pub form: Option<Vec<Value>>,
}

/// An account to choose (101). A balance stands beside these in the reply and is not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChoosableAccount {
    /// The full number; in v2 also what to answer with.
    #[serde(default)]
    pub account_number: Option<LenientText>,
    /// What to answer with in v1. Where it begins to count is not documented: it is echoed.
    #[serde(default)]
    pub index: Option<LenientText>,
    /// `SAVINGS_ACCOUNT`, `CURRENT_ACCOUNT`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// ISO 4217 code.
    #[serde(default)]
    pub currency: Option<String>,
}

/// The reply to exchanging a grant. Sources disagree on whether the id is wrapped.
#[derive(Debug, Deserialize)]
pub struct ExchangeReply {
    /// The account id, bare.
    #[serde(default)]
    pub id: Option<Secret>,
    /// The account id, wrapped.
    #[serde(default)]
    pub data: LenientObject<ExchangeReplyData>,
}

/// The inside of a wrapped exchange reply.
#[derive(Debug, Deserialize)]
pub struct ExchangeReplyData {
    /// The account id.
    #[serde(default)]
    pub id: Option<Secret>,
}

/// The reply to reading one account: wrapped in v2, bare in v1.
#[derive(Debug, Deserialize)]
pub struct AccountReply {
    /// All of it, in v2.
    #[serde(default)]
    pub data: LenientObject<AccountReplyData>,
    /// The account, in v1.
    #[serde(default)]
    pub account: LenientObject<MonoAccount>,
    /// About the link, in v1.
    #[serde(default)]
    pub meta: LenientObject<AccountMeta>,
}

/// The inside of a v2 account reply.
#[derive(Debug, Deserialize)]
pub struct AccountReplyData {
    /// The account.
    #[serde(default)]
    pub account: LenientObject<MonoAccount>,
    /// About the link.
    #[serde(default)]
    pub meta: LenientObject<AccountMeta>,
}

/// A linked account. Its balance and its holder's verification number are not read.
#[derive(Debug, Deserialize)]
pub struct MonoAccount {
    /// Mono's id, in v2.
    #[serde(default)]
    pub id: Option<Secret>,
    /// Mono's id, in v1 and in webhooks.
    #[serde(default, rename = "_id")]
    pub mongo_id: Option<Secret>,
    /// The full number, as v2 spells it.
    #[serde(default, rename = "account_number")]
    pub number: Option<Secret>,
    /// The full number, as v1 and webhooks spell it.
    #[serde(default, rename = "accountNumber")]
    pub number_alternative: Option<Secret>,
    /// The holder's name.
    #[serde(default)]
    pub name: Option<Secret>,
    /// `SAVINGS_ACCOUNT`, or a bank's own words.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// ISO 4217 code.
    #[serde(default)]
    pub currency: Option<String>,
    /// Where it is held.
    #[serde(default)]
    pub institution: LenientObject<AccountInstitution>,
    /// About the link; whether entries of the list have it is not documented.
    #[serde(default)]
    pub meta: LenientObject<AccountMeta>,
}

/// Where an account is held.
#[derive(Debug, Deserialize)]
pub struct AccountInstitution {
    /// The institution's name.
    #[serde(default)]
    pub name: Option<String>,
}

/// About a link.
#[derive(Debug, Deserialize)]
pub struct AccountMeta {
    /// The session it was linked in.
    #[serde(default)]
    pub session_id: Option<LenientText>,
}
