//! What Mono sends, as far as we read it. Fields that we do not use are not here: balances and bank verification numbers
//! (`bvn`) cannot leak if they were never parsed.
//!
//! Names follow v2 and v3; where v1 differs, both are read in both versions. Everything is optional here; what a reply must
//! contain is decided where it is used.

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{LenientNumber, LenientObject, LenientText, ReplyMessage, ReplyStatus, optional, response_code};
use crate::core::secret::Secret;

/// What every reply may contain.
#[derive(Debug, Deserialize)]
pub struct ReplyHead {
    /// A word (v2) or an HTTP-like number (v1).
    #[serde(default)]
    pub status: Option<ReplyStatus>,
    /// 99 done, 101 choose an account, 102 more input, 400 refused; at the top in login and commit.
    #[serde(default, rename = "responseCode", deserialize_with = "response_code")]
    pub response_code: Option<LenientNumber>,
    /// A sentence for people; only what it mentions is kept.
    #[serde(default)]
    pub message: ReplyMessage,
    /// An array or `null` in some replies.
    #[serde(default)]
    pub data: LenientObject<ReplyHeadData>,
}

#[derive(Debug, Deserialize)]
pub struct ReplyHeadData {
    /// Reauthorisation replies have it here instead of at the top.
    #[serde(default, rename = "responseCode", deserialize_with = "response_code")]
    pub response_code: Option<LenientNumber>,
    /// The grant, to be exchanged within ten minutes.
    #[serde(default, deserialize_with = "optional")]
    pub code: Option<Secret>,
}

#[derive(Debug, Deserialize)]
pub struct MonoInstitution {
    /// Not unique: one wallet is in the list twice, as personal and as business.
    #[serde(rename = "_id")]
    pub id: LenientText,
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
    /// The institution also has a form of its own, which is generic and often wrong.
    #[serde(default)]
    pub auth_methods: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
pub struct MonoAuthMethod {
    /// `internet_banking`, `mobile_banking`, `primus_plus`; sent to open a session.
    #[serde(rename = "type")]
    pub kind: String,
    /// Not in v3.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub ui: LenientObject<MonoForm>,
}

#[derive(Debug, Deserialize)]
pub struct MonoForm {
    #[serde(default, deserialize_with = "optional")]
    pub title: Option<LenientText>,
    /// Parsed one by one: an element that cannot be parsed makes the form unusable, not unreadable.
    #[serde(default)]
    pub form: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonoFormElement {
    /// `elements.input`, `elements.captcha_input`, `elements.switch`; what says nothing is taken for the first.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The key of the answer, to be echoed exactly.
    pub name: String,
    /// Its label for people.
    #[serde(default, deserialize_with = "optional")]
    pub hint: Option<LenientText>,
    /// `string`, `password` or `integer`.
    #[serde(default)]
    pub content_type: Option<Value>,
    #[serde(default, deserialize_with = "optional")]
    pub max_length: Option<LenientNumber>,
    /// The exact number of characters.
    #[serde(default, deserialize_with = "optional")]
    pub length: Option<LenientNumber>,
    /// Something to show, such as a captcha image as a data URI.
    #[serde(default)]
    pub value: Option<Value>,
    /// Of a switch.
    #[serde(default, deserialize_with = "optional")]
    pub options: Option<Vec<SwitchOption>>,
}

#[derive(Debug, Deserialize)]
pub struct SwitchOption {
    #[serde(default, deserialize_with = "optional")]
    pub label: Option<LenientText>,
    /// What to post for it, keeping its JSON type.
    pub value: Value,
}

/// The reply to opening a session, for linking and for reauthorisation.
#[derive(Debug, Deserialize)]
pub struct SessionReply {
    /// In v1.
    #[serde(default)]
    pub id: Option<LenientText>,
    /// Milliseconds since 1970, in v1.
    #[serde(default, rename = "expiresAt", deserialize_with = "optional")]
    pub expires_at: Option<LenientNumber>,
    /// In v1.
    #[serde(default)]
    pub ui: LenientObject<MonoForm>,
    /// When the reply was written, ISO 8601; v2 only.
    #[serde(default, deserialize_with = "optional")]
    pub timestamp: Option<LenientText>,
    /// In v2.
    #[serde(default)]
    pub data: LenientObject<SessionReplyData>,
}

#[derive(Debug, Deserialize)]
pub struct SessionReplyData {
    #[serde(default)]
    pub session: LenientObject<SessionHead>,
    /// The session's id, according to the text of the guide.
    #[serde(default)]
    pub session_id: Option<LenientText>,
    /// The session's id if nothing else is.
    #[serde(default)]
    pub id: Option<LenientText>,
    #[serde(default)]
    pub ui: LenientObject<MonoForm>,
    /// The form, by its name in login replies.
    #[serde(default, rename = "userInput")]
    pub user_input: LenientObject<MonoForm>,
}

#[derive(Debug, Deserialize)]
pub struct SessionHead {
    /// Sent back as `x-session-id`.
    #[serde(default)]
    pub id: Option<LenientText>,
    /// Milliseconds since 1970, as in the example.
    #[serde(default, rename = "expiresAt", deserialize_with = "optional")]
    pub expires_at: Option<LenientNumber>,
    /// The same, as in the text.
    #[serde(default, rename = "expires_at", deserialize_with = "optional")]
    pub expires_at_alternative: Option<LenientNumber>,
}

/// The reply to asking for a renewal in v1.
#[derive(Debug, Deserialize)]
pub struct ReauthTokenReply {
    #[serde(default)]
    pub token: Option<Secret>,
    #[serde(default)]
    pub data: LenientObject<ReauthTokenData>,
}

#[derive(Debug, Deserialize)]
pub struct ReauthTokenData {
    #[serde(default)]
    pub token: Option<Secret>,
}

/// The reply to exchanging a grant. Sources disagree on whether the id is wrapped.
#[derive(Debug, Deserialize)]
pub struct ExchangeReply {
    #[serde(default)]
    pub id: Option<Secret>,
    #[serde(default)]
    pub data: LenientObject<ExchangeReplyData>,
}

#[derive(Debug, Deserialize)]
pub struct ExchangeReplyData {
    #[serde(default)]
    pub id: Option<Secret>,
}

/// The reply to reading one account: wrapped in v2, bare in v1.
#[derive(Debug, Deserialize)]
pub struct AccountReply {
    /// In v2.
    #[serde(default)]
    pub data: LenientObject<AccountReplyData>,
    /// In v1.
    #[serde(default)]
    pub account: LenientObject<MonoAccount>,
    /// In v1.
    #[serde(default)]
    pub meta: LenientObject<AccountMeta>,
}

#[derive(Debug, Deserialize)]
pub struct AccountReplyData {
    #[serde(default)]
    pub account: LenientObject<MonoAccount>,
    /// Whom a session was opened for.
    #[serde(default)]
    pub customer: LenientObject<AccountCustomer>,
    #[serde(default)]
    pub meta: LenientObject<AccountMeta>,
}

/// A linked account. Its balance and its holder's verification number are not read.
#[derive(Debug, Deserialize)]
pub struct MonoAccount {
    /// In v2.
    #[serde(default)]
    pub id: Option<Secret>,
    /// In v1 and in webhooks.
    #[serde(default, rename = "_id")]
    pub mongo_id: Option<Secret>,
    /// The full number in v2.
    #[serde(default, rename = "account_number")]
    pub number: Option<Secret>,
    /// The full number in v1 and in webhooks.
    #[serde(default, rename = "accountNumber")]
    pub number_alternative: Option<Secret>,
    /// The holder's name.
    #[serde(default)]
    pub name: Option<Secret>,
    /// `SAVINGS_ACCOUNT`, or the bank's own word.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// ISO 4217 code.
    #[serde(default)]
    pub currency: Option<String>,
    #[serde(default)]
    pub institution: LenientObject<AccountInstitution>,
    /// Not documented whether entries of the list have it.
    #[serde(default)]
    pub meta: LenientObject<AccountMeta>,
}

#[derive(Debug, Deserialize)]
pub struct AccountInstitution {
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct AccountCustomer {
    #[serde(default)]
    pub id: Option<Secret>,
}

#[derive(Debug, Deserialize)]
pub struct AccountMeta {
    /// The session it was linked in.
    #[serde(default)]
    pub session_id: Option<LenientText>,
}
