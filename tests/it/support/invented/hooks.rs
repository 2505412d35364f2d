//! What Umoja sends by itself: webhooks, signed over method, path and body, several events in one; and browsers that come
//! back from its pages.

use hmac::{Hmac, KeyInit as _, Mac as _};
use kiungo::core::secret::Secret;
use kiungo::core::time::Timestamp;
use kiungo::providers::{
    EventSubject, ProviderEvent, ProviderEventKind, ProviderKeys, ProviderReply, ProviderRequest, Returned,
    WebhookAnswer, WebhookError,
};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use crate::support::hex;

/// Where the signature is.
const SIGNATURE: &str = "umoja-signature";

/// A request as it is on its way.
#[derive(Clone, Debug)]
pub struct OwnedRequest {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl OwnedRequest {
    pub fn as_request(&self) -> ProviderRequest<'_> {
        ProviderRequest {
            method: self.method,
            path: &self.path,
            tail: "",
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// One thing that a webhook tells.
#[derive(Clone, Debug)]
pub struct HookEvent {
    pub id: String,
    /// In milliseconds.
    pub at: i64,
    /// `session`, `link`, `person` or `account`.
    pub about: &'static str,
    /// Which.
    pub subject: String,
    /// `connected`, `updated`, `reauth_required`, `reauthorised`, `unlinked`, or anything that does not concern us.
    pub what: &'static str,
}

#[derive(Deserialize)]
struct Body {
    events: Vec<BodyEvent>,
}

#[derive(Deserialize)]
struct BodyEvent {
    id: String,
    at: i64,
    about: String,
    subject: Secret,
    what: String,
}

fn mac(key: &str, method: &str, path: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    for part in [method.as_bytes(), path.as_bytes(), body] {
        mac.update(&part.len().to_be_bytes());
        mac.update(part);
    }
    Some(mac)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// A webhook to this path, signed with this key.
pub fn delivery(hook_key: &str, path: &str, events: &[HookEvent]) -> OwnedRequest {
    let events: Vec<_> = events
        .iter()
        .map(|event| {
            json!({ "id": event.id, "at": event.at, "about": event.about, "subject": event.subject, "what": event.what })
        })
        .collect();
    let body = json!({ "events": events }).to_string().into_bytes();
    let mac = mac(hook_key, "POST", path, &body).expect("a key");
    let signature = hex(mac.finalize().into_bytes().as_slice());
    OwnedRequest {
        method: "POST",
        path: path.to_owned(),
        query: String::new(),
        headers: vec![(SIGNATURE.to_owned(), signature.into_bytes())],
        body,
    }
}

/// Reads a webhook.
pub fn received(keys: &ProviderKeys, request: &ProviderRequest<'_>) -> Result<WebhookAnswer, WebhookError> {
    let key = keys.get("hook_key").ok_or(WebhookError::Unauthentic)?;
    let signature = request.header(SIGNATURE).and_then(|it| std::str::from_utf8(it).ok());
    let signature = signature.and_then(unhex).ok_or(WebhookError::Unauthentic)?;
    let mac = mac(key.expose(), request.method, request.path, request.body);
    let genuine = mac.is_some_and(|mac| mac.verify_slice(&signature).is_ok());
    if !genuine {
        return Err(WebhookError::Unauthentic);
    }
    let body: Body = serde_json::from_slice(request.body).map_err(|_| WebhookError::Malformed)?;
    let count = body.events.len();
    let events = body.events.into_iter().filter_map(event).collect::<Result<_, _>>()?;
    Ok(WebhookAnswer {
        events,
        reply: ProviderReply {
            status: 202,
            content_type: Some("text/plain"),
            body: format!("taken: {count}").into_bytes(),
        },
    })
}

/// What an event says; nothing of what does not concern us.
fn event(event: BodyEvent) -> Option<Result<ProviderEvent, WebhookError>> {
    let kind = match event.what.as_str() {
        "connected" => ProviderEventKind::Connected,
        "updated" => ProviderEventKind::Updated,
        "reauth_required" => ProviderEventKind::ReauthRequired,
        "reauthorised" => ProviderEventKind::Reauthorised,
        "unlinked" => ProviderEventKind::Unlinked,
        _ => return None,
    };
    let about = match event.about.as_str() {
        "session" => EventSubject::Session(event.subject),
        "link" => EventSubject::Link(event.subject),
        "person" => EventSubject::Person(event.subject),
        "account" => EventSubject::Account(event.subject),
        _ => return Some(Err(WebhookError::Malformed)),
    };
    Some(Ok(ProviderEvent {
        dedupe_key: event.id,
        at: Some(Timestamp::from_millis(event.at)),
        about,
        kind,
    }))
}

/// Reads what a browser brings back, in the query or in a form.
pub fn returned(request: &ProviderRequest<'_>) -> Result<Returned, WebhookError> {
    let form = if request.method == "POST" {
        request.body
    } else {
        request.query.as_bytes()
    };
    let value = |wanted: &str| {
        let mut pairs = url::form_urlencoded::parse(form);
        let found = pairs.find(|(name, _)| name == wanted);
        found.map(|(_, value)| Secret::new(value.as_ref()))
    };
    Ok(Returned {
        state: value("state").ok_or(WebhookError::Malformed)?,
        data: value("umoja_proof").ok_or(WebhookError::Malformed)?,
    })
}
