//! Webhooks: what is sent when, and the sending.
//!
//! A plan is a row of webhooks, each a while after the one before; their first deliveries never overtake one another.
//! One that is not answered 200 is sent again after each of the settings' waits, beside the row, as nothing is
//! published about order or number of Mono's own repeats. The header carries the plain secret.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use super::accounts::retrieved;
use super::answer::iso;
use super::call_log::WebhookEntry;
use super::poster::{CallbackRequest, CallbackSender};
use super::state::{MonoInner, MonoState, StandInAccount};
use super::switches::{DataStatus, WebhookMode};

/// Webhooks to send one after the other.
pub(super) type WebhookBatch = Vec<OutgoingWebhook>;

/// One webhook to send.
#[derive(Clone, Debug)]
pub(super) struct OutgoingWebhook {
    /// How long after the one before.
    pub after: Duration,
    pub event: String,
    pub event_id: String,
    pub secret: String,
    pub body: Value,
}

/// What happened to an account that webhooks may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountMoment {
    /// A login ended in 99.
    Granted,
    /// Its code was exchanged for the first time.
    Exchanged,
    /// A login renewed it.
    Renewed,
    /// It was unlinked.
    Unlinked,
}

/// `account_connected`.
const CONNECTED: &str = "mono.events.account_connected";
/// `account_updated`.
const UPDATED: &str = "mono.events.account_updated";
const REAUTHORIZED: &str = "mono.events.account_reauthorized";
const UNLINKED: &str = "mono.events.account_unlinked";

impl MonoState {
    /// Sends the webhooks that belong to a moment of an account.
    pub(super) fn announce(&self, inner: &MonoInner, id: &str, moment: AccountMoment) {
        let Some(account) = inner.accounts.iter().find(|account| account.id == id) else {
            return;
        };
        let mode = account.webhooks.unwrap_or(inner.switches.webhooks);
        let ready = self.until_ready(account);
        let status = account.data.unwrap_or(inner.switches.data_status);
        let hook = |event: &str, after: Duration| self.hook(account, event, after, status);
        let row = match (moment, mode) {
            (AccountMoment::Granted, WebhookMode::BeforeExchange) => {
                vec![hook(CONNECTED, Duration::ZERO), hook(UPDATED, ready)]
            }
            (_, WebhookMode::Missing)
            | (AccountMoment::Granted, _)
            | (AccountMoment::Exchanged, WebhookMode::BeforeExchange) => {
                return;
            }
            (AccountMoment::Exchanged, WebhookMode::OutOfOrder) => {
                vec![hook(UPDATED, ready), hook(CONNECTED, Duration::ZERO)]
            }
            (AccountMoment::Exchanged, _) => vec![hook(CONNECTED, Duration::ZERO), hook(UPDATED, ready)],
            (AccountMoment::Renewed, WebhookMode::OutOfOrder) => {
                vec![hook(UPDATED, Duration::ZERO), hook(REAUTHORIZED, Duration::ZERO)]
            }
            (AccountMoment::Renewed, _) => vec![hook(REAUTHORIZED, Duration::ZERO), hook(UPDATED, Duration::ZERO)],
            (AccountMoment::Unlinked, _) => vec![hook(UNLINKED, Duration::ZERO)],
        };
        self.queue(shaped(row, mode));
    }

    /// Hands a row of webhooks to the sender.
    pub(super) fn queue(&self, row: WebhookBatch) {
        // The receiver lives as long as the stand-in's thread; once that is gone nothing is to be sent any more.
        drop(self.outbox.send(row));
    }

    fn hook(&self, account: &StandInAccount, event: &str, after: Duration, status: DataStatus) -> OutgoingWebhook {
        let event_id = format!("evt_{}", self.generate_id());
        let mut hook = OutgoingWebhook {
            after,
            event: event.to_owned(),
            event_id: event_id.clone(),
            secret: self.webhook_secret.clone(),
            body: json!({ "event": event, "timestamp": iso(self.now().plus(after)),
                "data": data_of(event, account, status) }),
        };
        if let Some(body) = hook.body.as_object_mut()
            && [CONNECTED, UPDATED, REAUTHORIZED].contains(&event)
        {
            body.insert("event_id".to_owned(), event_id.into());
        }
        hook
    }

    /// Sends one event about an account now, whatever the switches say. The account may be unlinked or unknown: then the
    /// event carries little more than the id. Answers the event's id.
    pub fn send_webhook(&self, event: &str, account: &str, with: WebhookOverrides) -> String {
        let inner = self.lock();
        let status = with.data_status.unwrap_or(inner.switches.data_status);
        let mut hook = match inner.accounts.iter().find(|known| known.id == account) {
            Some(known) => self.hook(known, event, Duration::ZERO, status),
            None => OutgoingWebhook {
                after: Duration::ZERO,
                event: event.to_owned(),
                event_id: format!("evt_{}", self.generate_id()),
                secret: self.webhook_secret.clone(),
                body: json!({ "event": event, "timestamp": iso(self.now()),
                    "data": { "id": account, "account": { "_id": account, "id": account } } }),
            },
        };
        drop(inner);
        if let Some(id) = with.event_id {
            hook.body["event_id"] = id.clone().into();
            hook.event_id = id;
        }
        if let Some(status) = with.sync_status {
            hook.body["data"]["meta"]["sync_status"] = status.into();
        }
        if let Some(body) = with.body {
            hook.body = body;
        }
        if let Some(secret) = with.secret {
            hook.secret = secret;
        }
        let id = hook.event_id.clone();
        self.queue(vec![hook; usize::from(with.times.unwrap_or(1))]);
        id
    }
}

/// How a webhook sent by hand differs from a true one.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookOverrides {
    /// Another event id, for instance one that was used before.
    pub event_id: Option<String>,
    /// Another secret.
    pub secret: Option<String>,
    /// How often it is sent.
    pub times: Option<u8>,
    /// What it says became of the data.
    pub data_status: Option<DataStatus>,
    /// `meta.sync_status`, such as `REAUTHORISATION_REQUIRED`.
    pub sync_status: Option<String>,
    /// Another body altogether.
    pub body: Option<Value>,
}

fn shaped(mut row: WebhookBatch, mode: WebhookMode) -> WebhookBatch {
    match mode {
        WebhookMode::Twice => row
            .into_iter()
            .flat_map(|hook| {
                let again = OutgoingWebhook {
                    after: Duration::ZERO,
                    ..hook.clone()
                };
                [hook, again]
            })
            .collect(),
        WebhookMode::Late(by) => {
            if let Some(first) = row.first_mut() {
                first.after += Duration::from_millis(by);
            }
            row
        }
        _ => row,
    }
}

fn data_of(event: &str, account: &StandInAccount, status: DataStatus) -> Value {
    let method = account.method.id;
    if event == CONNECTED {
        return json!({ "id": account.id, "customer": account.customer, "app": "6a5eed0000000000000000d1",
            "meta": { "data_status": "PROCESSING", "auth_method": method },
            "business": "6a5eed0000000000000000d2" });
    }
    if event == UNLINKED {
        // The example and the table of fields disagree about the key.
        return json!({ "account": { "id": account.id, "_id": account.id }, "app": "6a5eed0000000000000000d1" });
    }
    let made = iso(account.linked_at);
    json!({
        "account": { "_id": account.id, "name": account.at_bank.holder, "accountNumber": account.at_bank.number,
            "currency": account.at_bank.currency, "balance": account.at_bank.balance, "type": account.at_bank.kind,
            "bvn": null, "authMethod": method,
            "institution": { "name": account.bank.name, "bankCode": account.bank.code, "type": account.bank.kind() },
            "created_at": made, "updated_at": made },
        "meta": { "data_status": status, "auth_method": method, "sync_status": "SUCCESSFUL",
            "has_new_data": true, "retrieved_data": retrieved(status) },
        "app": "6a5eed0000000000000000d1", "business": "6a5eed0000000000000000d2"
    })
}

/// Sends what is queued until the stand-in stops. Runs on its thread, and so ends with it.
pub(super) async fn deliver(
    state: Arc<MonoState>,
    mut plans: UnboundedReceiver<WebhookBatch>,
    poster: CallbackSender,
    retries: Arc<[Duration]>,
) {
    while let Some(plan) = plans.recv().await {
        let (state, poster, retries) = (Arc::clone(&state), Arc::clone(&poster), Arc::clone(&retries));
        rt::spawn(async move {
            for hook in plan {
                rt::time::sleep(hook.after).await;
                let Some((place, url)) = due(&state, &hook) else {
                    continue;
                };
                if try_once(&state, &poster, place, &url, &hook).await {
                    continue;
                }
                let (state, poster, retries) = (Arc::clone(&state), Arc::clone(&poster), Arc::clone(&retries));
                rt::spawn(async move {
                    for wait in retries.iter() {
                        rt::time::sleep(*wait).await;
                        if try_once(&state, &poster, place, &url, &hook).await {
                            break;
                        }
                    }
                });
            }
        });
    }
}

/// Writes a webhook into the ledger; nothing where it has nowhere to go.
fn due(state: &MonoState, hook: &OutgoingWebhook) -> Option<(usize, Url)> {
    let mut inner = state.lock();
    let url = Url::parse(inner.switches.webhook_url.as_deref()?).ok()?;
    inner.call_log.webhooks.push(WebhookEntry {
        event: hook.event.clone(),
        event_id: hook.event_id.clone(),
        due: state.now().as_millis(),
        answers: Vec::new(),
        taken: false,
    });
    Some((inner.call_log.webhooks.len() - 1, url))
}

async fn try_once(state: &MonoState, poster: &CallbackSender, place: usize, url: &Url, hook: &OutgoingWebhook) -> bool {
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("mono-webhook-secret", hook.secret.clone()),
    ];
    let post = CallbackRequest {
        url: url.clone(),
        headers,
        body: hook.body.to_string().into_bytes(),
    };
    let status = poster(post).await.unwrap_or(0);
    let taken = status == 200;
    if let Some(entry) = state.lock().call_log.webhooks.get_mut(place) {
        entry.answers.push(status);
        entry.taken |= taken;
    }
    taken
}
