//! Mono's webhooks.
//!
//! They carry the plain secret in a header. Deliveries are retried until they are accepted, in no guaranteed order. Only newer
//! ones carry an `event_id`; any other event is identified by its content: its type, account, time and states, or the whole
//! body if it has no time. Two types exist in British and in American spelling. The place of the account's id differs by type
//! and source, so every place seen is tried in turn.

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::lenient::{LenientObject, LenientText, moment, optional};
use super::outcome::BYTE_ORDER_MARK;
use crate::core::secret::Secret;
use crate::providers::keys::PREVIOUS_WEBHOOK_SECRET;
use crate::providers::{EventSubject, ProviderEvent, ProviderEventKind, ProviderKeys, ProviderRequest, WebhookError};

const SECRET_HEADER: &str = "mono-webhook-secret";

/// A longer `event_id`, or one with odd signs in it, is not kept as it is.
const MAX_EVENT_ID: usize = 100;

/// What is looked at first: most types do not concern us, whatever else they carry.
#[derive(Deserialize)]
struct WebhookHead {
    /// Such as `mono.events.account_updated`.
    event: LenientText,
}

/// The rest of an event about an account. What is not as it should be is left out. Balances, names, numbers and verification
/// numbers are not read.
#[derive(Deserialize)]
struct MonoWebhook {
    /// On some types, since January 2026.
    #[serde(default, deserialize_with = "optional")]
    event_id: Option<LenientText>,
    /// ISO 8601.
    #[serde(default, deserialize_with = "optional")]
    timestamp: Option<LenientText>,
    #[serde(default)]
    data: LenientObject<WebhookData>,
}

#[derive(Default, Deserialize)]
struct WebhookData {
    #[serde(default)]
    account: WebhookAccountId,
    /// The account's id, if there is no account.
    #[serde(default, deserialize_with = "optional")]
    id: Option<LenientText>,
    /// The same.
    #[serde(default, rename = "_id", deserialize_with = "optional")]
    mongo_id: Option<LenientText>,
    #[serde(default)]
    meta: LenientObject<WebhookMeta>,
}

impl WebhookData {
    fn account(&mut self) -> Option<Secret> {
        let mut outside = [self.mongo_id.take(), self.id.take()].into_iter().flatten();
        self.account.0.take().or_else(|| outside.find_map(account_id))
    }
}

#[derive(Default, Deserialize)]
struct WebhookMeta {
    /// `AVAILABLE`, `PARTIAL`, `UNAVAILABLE`, `FAILED`, `PROCESSING`; either case.
    #[serde(default, deserialize_with = "optional")]
    data_status: Option<LenientText>,
    /// `SUCCESSFUL`, `SUCCESS`, `FAILED`, `REAUTHORISATION_REQUIRED`.
    #[serde(default, deserialize_with = "optional")]
    sync_status: Option<LenientText>,
    /// The refresh that this belongs to.
    #[serde(default, deserialize_with = "optional")]
    job_id: Option<LenientText>,
}

/// An account's id: text, or an object with it as `_id` or `id`; none where it is anything else. The object is not copied.
#[derive(Default)]
struct WebhookAccountId(Option<Secret>);

impl<'de> Deserialize<'de> for WebhookAccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = WebhookAccountId;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<WebhookAccountId, E> {
        Ok(WebhookAccountId(account_id(LenientText(id.to_owned()))))
    }

    fn visit_u64<E: Error>(self, id: u64) -> Result<WebhookAccountId, E> {
        Ok(WebhookAccountId(account_id(LenientText(id.to_string()))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WebhookAccountId, A::Error> {
        let (mut first, mut second) = (None, None);
        let read = |value: Value| LenientText::deserialize(value).ok().and_then(account_id);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "_id" => first = read(map.next_value()?),
                "id" => second = read(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(WebhookAccountId(first.or(second)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<WebhookAccountId, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(WebhookAccountId(None))
    }

    fn visit_unit<E: Error>(self) -> Result<WebhookAccountId, E> {
        Ok(WebhookAccountId(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<WebhookAccountId, E> {
        Ok(WebhookAccountId(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<WebhookAccountId, E> {
        Ok(WebhookAccountId(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<WebhookAccountId, E> {
        Ok(WebhookAccountId(None))
    }
}

fn account_id(LenientText(id): LenientText) -> Option<Secret> {
    (!id.trim().is_empty()).then(|| Secret::new(id))
}

/// Authenticates and parses a webhook; `None` for types that do not concern us.
///
/// # Errors
/// When it does not carry a webhook secret of `keys`, or never can be understood: it is no JSON, or names no event.
pub fn parse(keys: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<Option<ProviderEvent>, WebhookError> {
    if !is_authentic(keys, request) {
        return Err(WebhookError::Unauthentic);
    }
    let body = request.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(request.body);
    let malformed = |_| WebhookError::Malformed;
    let WebhookHead {
        event: LenientText(event),
    } = serde_json::from_slice(body).map_err(malformed)?;
    let Some(concern) = concern(&event) else {
        return Ok(None);
    };
    let hook: MonoWebhook = serde_json::from_slice(body).map_err(malformed)?;
    let mut data = hook.data.0.unwrap_or_default();
    let Some(account) = data.account() else {
        // Sent again it would be the same.
        tracing::warn!(event, "a webhook about an account does not say which");
        return Ok(None);
    };
    let meta = data.meta.0.unwrap_or_default();
    let dedupe_key = match hook.event_id.filter(|LenientText(id)| !id.is_empty()) {
        Some(LenientText(id)) if id.len() <= MAX_EVENT_ID && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("id:{id}")
        }
        Some(LenientText(id)) => format!("long:{}", hex(&Sha256::digest(id))),
        None => content_digest(&event, &account, hook.timestamp.as_ref(), &meta, body),
    };
    let must_log_in = meta
        .sync_status
        .is_some_and(|LenientText(status)| american(&status) == "reauthorization_required");
    Ok(Some(ProviderEvent {
        dedupe_key,
        at: hook.timestamp.as_ref().and_then(moment),
        about: EventSubject::Account(account),
        kind: match concern {
            ProviderEventKind::Updated if must_log_in => ProviderEventKind::ReauthRequired,
            kind => kind,
        },
    }))
}

/// Whether it carries the webhook secret, or the one that was replaced a short while ago. Compares digests, so that the time
/// it takes reveals neither a secret nor its length, and looks at both.
pub fn is_authentic(keys: &ProviderKeys, request: &ProviderRequest<'_>) -> bool {
    let Some(given) = request.header(SECRET_HEADER).map(Sha256::digest) else {
        return false;
    };
    let secrets = ["webhook_secret", PREVIOUS_WEBHOOK_SECRET].map(|name| keys.get(name));
    secrets.into_iter().flatten().fold(false, |found, secret| {
        let wanted = Sha256::digest(secret.expose().as_bytes());
        let same = !secret.expose().is_empty() & bool::from(given.as_slice().ct_eq(wanted.as_slice()));
        found | same
    })
}

/// British spelling to American.
fn american(text: &str) -> String {
    text.trim().to_ascii_lowercase().replace("reauthoris", "reauthoriz")
}

/// What an event tells by its name, if that concerns us.
fn concern(event: &str) -> Option<ProviderEventKind> {
    match american(event).strip_prefix("mono.events.")? {
        "account_connected" => Some(ProviderEventKind::Connected),
        "account_updated" => Some(ProviderEventKind::Updated),
        "account_reauthorized" => Some(ProviderEventKind::Reauthorised),
        "reauthorization_required" | "account_reauthorization_required" => Some(ProviderEventKind::ReauthRequired),
        "account_unlinked" => Some(ProviderEventKind::Unlinked),
        _ => None,
    }
}

/// A digest of the content, for events without an id.
fn content_digest(
    event: &str,
    account: &Secret,
    timestamp: Option<&LenientText>,
    meta: &WebhookMeta,
    body: &[u8],
) -> String {
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    };
    add(event.as_bytes());
    add(account.expose().as_bytes());
    for part in [&meta.sync_status, &meta.data_status, &meta.job_id] {
        add(part.as_ref().map_or(b"", |LenientText(text)| text.as_bytes()));
    }
    match timestamp {
        Some(LenientText(timestamp)) => add(timestamp.as_bytes()),
        None => add(body),
    }
    format!("said:{}", hex(&digest.finalize()))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        hex
    })
}
