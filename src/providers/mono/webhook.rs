//! Mono's webhooks.
//!
//! They carry the plain secret in a header. Deliveries are retried until they are accepted, in no guaranteed order. Only newer
//! ones carry an `event_id`; any other event is identified by its content: its type, account, time and states, or the whole
//! body if it has no time. Two types exist in British and in American spelling. The place of the account's id differs by type
//! and source, so every place seen is tried in turn.

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::lenient::{LenientObject, LenientText, moment};
use crate::core::secret::Secret;
use crate::providers::keys::PREVIOUS_WEBHOOK_SECRET;
use crate::providers::{EventSubject, ProviderEvent, ProviderEventKind, ProviderKeys, ProviderRequest, WebhookError};

const SECRET_HEADER: &str = "mono-webhook-secret";

/// Balances, names, numbers and verification numbers are not read.
#[derive(Deserialize)]
struct MonoWebhook {
    /// Such as `mono.events.account_updated`.
    event: String,
    /// On some types, since January 2026.
    #[serde(default)]
    event_id: Option<LenientText>,
    /// ISO 8601.
    #[serde(default)]
    timestamp: Option<LenientText>,
    #[serde(default)]
    data: LenientObject<WebhookData>,
}

#[derive(Default, Deserialize)]
struct WebhookData {
    #[serde(default)]
    account: Option<WebhookAccountId>,
    /// The account's id, if there is no account.
    #[serde(default)]
    id: Option<Secret>,
    #[serde(default)]
    meta: LenientObject<WebhookMeta>,
}

#[derive(Default, Deserialize)]
struct WebhookMeta {
    /// `AVAILABLE`, `PARTIAL`, `UNAVAILABLE`, `FAILED`, `PROCESSING`; either case.
    #[serde(default)]
    data_status: Option<LenientText>,
    /// `SUCCESSFUL`, `SUCCESS`, `FAILED`, `REAUTHORISATION_REQUIRED`.
    #[serde(default)]
    sync_status: Option<LenientText>,
    /// The refresh that this belongs to.
    #[serde(default)]
    job_id: Option<LenientText>,
}

/// An account's id: text, or an object with it as `_id` or `id`.
struct WebhookAccountId(Option<Secret>);

impl<'de> Deserialize<'de> for WebhookAccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl<'de> Visitor<'de> for IdVisitor {
            type Value = WebhookAccountId;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an account or its id")
            }

            fn visit_str<E: Error>(self, id: &str) -> Result<WebhookAccountId, E> {
                Ok(WebhookAccountId(Some(Secret::new(id))))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WebhookAccountId, A::Error> {
                let (mut first, mut second) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "_id" => first = map.next_value::<Option<Secret>>()?,
                        "id" => second = map.next_value::<Option<Secret>>()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(WebhookAccountId(first.or(second)))
            }
        }
        deserializer.deserialize_any(IdVisitor)
    }
}

/// Authenticates and parses a webhook; `None` for types that do not concern us.
///
/// # Errors
/// When it does not carry a webhook secret of `keys`, or is not understood.
pub fn parse(keys: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<Option<ProviderEvent>, WebhookError> {
    if !is_authentic(keys, request) {
        return Err(WebhookError::Unauthentic);
    }
    let hook: MonoWebhook = serde_json::from_slice(request.body).map_err(|_| WebhookError::Malformed)?;
    let data = hook.data.0.unwrap_or_default();
    let meta = data.meta.0.unwrap_or_default();
    let Some(kind) = event_kind(&hook.event, meta.sync_status.as_ref()) else {
        return Ok(None);
    };
    let account = data
        .account
        .and_then(|WebhookAccountId(id)| id)
        .or(data.id)
        .filter(|id| !id.expose().is_empty())
        .ok_or(WebhookError::Malformed)?;
    let dedupe_key = match hook.event_id.filter(|LenientText(id)| !id.is_empty()) {
        Some(LenientText(id)) => format!("id:{id}"),
        None => content_digest(&hook.event, &account, hook.timestamp.as_ref(), &meta, request.body),
    };
    Ok(Some(ProviderEvent {
        dedupe_key,
        at: hook.timestamp.as_ref().and_then(moment),
        about: EventSubject::Account(account),
        kind,
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

fn event_kind(event: &str, sync_status: Option<&LenientText>) -> Option<ProviderEventKind> {
    // British spelling to American.
    let american = |text: &str| text.to_ascii_lowercase().replace("reauthoris", "reauthoriz");
    let must_log_in = sync_status.is_some_and(|LenientText(status)| american(status) == "reauthorization_required");
    match american(event).strip_prefix("mono.events.")? {
        "account_connected" => Some(ProviderEventKind::Connected),
        "account_updated" if must_log_in => Some(ProviderEventKind::ReauthRequired),
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
    digest.finalize().iter().fold("said:".to_owned(), |mut hex, byte| {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        hex
    })
}
