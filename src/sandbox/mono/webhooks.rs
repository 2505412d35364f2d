//! Webhooks: what is sent when, and the sending.
//!
//! A batch is a list of webhooks, each some time after the one before; their first deliveries never overtake one another. A
//! webhook that is not answered with 200 is sent again after each of the settings' waits, beside the batch, because nothing
//! is published about the order or number of Mono's own retries. The header contains the plain secret.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use crate::sandbox::callbacks::{CallbackBody, CallbackRequest, CallbackSender, retry};

use super::accounts::retrieved;
use super::answer::iso;
use super::call_log::WebhookEntry;
use super::state::{MonoMemory, MonoState, StandInAccount};
use super::switches::{DataStatus, WebhookMode};

/// Webhooks to send one after another.
pub(super) type WebhookBatch = Vec<OutgoingWebhook>;

#[derive(Clone, Debug)]
pub(super) struct OutgoingWebhook {
    /// How long after the one before.
    pub after: Duration,
    pub event: String,
    pub event_id: String,
    pub secret: String,
    pub body: Value,
}

/// Something that happened to an account and that webhooks report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountMoment {
    /// A login ended in 99.
    Granted,
    /// Its code was exchanged for the first time.
    Exchanged,
    Renewed,
    Unlinked,
}

/// `account_connected`.
const CONNECTED: &str = "mono.events.account_connected";
/// `account_updated`.
const UPDATED: &str = "mono.events.account_updated";
const REAUTHORIZED: &str = "mono.events.account_reauthorized";
const UNLINKED: &str = "mono.events.account_unlinked";

impl MonoState {
    /// Sends the webhooks about something that happened to an account.
    pub(super) fn announce(&self, memory: &MonoMemory, id: &str, moment: AccountMoment) {
        let Some(account) = memory.accounts.iter().find(|account| account.id == id) else {
            return;
        };
        let mode = account.webhooks.unwrap_or(memory.switches.webhooks);
        let ready = self.until_ready(account);
        let status = account.data.unwrap_or(memory.switches.data_status);
        let webhook = |event: &str, after: Duration| self.webhook(account, event, after, status);
        let row = match (moment, mode) {
            (AccountMoment::Granted, WebhookMode::BeforeExchange) => {
                vec![webhook(CONNECTED, Duration::ZERO), webhook(UPDATED, ready)]
            }
            (_, WebhookMode::Missing)
            | (AccountMoment::Granted, _)
            | (AccountMoment::Exchanged, WebhookMode::BeforeExchange) => {
                return;
            }
            (AccountMoment::Exchanged, WebhookMode::OutOfOrder) => {
                vec![webhook(UPDATED, ready), webhook(CONNECTED, Duration::ZERO)]
            }
            (AccountMoment::Exchanged, _) => vec![webhook(CONNECTED, Duration::ZERO), webhook(UPDATED, ready)],
            (AccountMoment::Renewed, WebhookMode::OutOfOrder) => {
                vec![webhook(UPDATED, Duration::ZERO), webhook(REAUTHORIZED, Duration::ZERO)]
            }
            (AccountMoment::Renewed, _) => {
                vec![webhook(REAUTHORIZED, Duration::ZERO), webhook(UPDATED, Duration::ZERO)]
            }
            (AccountMoment::Unlinked, _) => vec![webhook(UNLINKED, Duration::ZERO)],
        };
        self.queue(shaped(row, mode));
    }

    pub(super) fn queue(&self, row: WebhookBatch) {
        self.core.queue(row);
    }

    fn webhook(&self, account: &StandInAccount, event: &str, after: Duration, status: DataStatus) -> OutgoingWebhook {
        let event_id = format!("evt_{}", self.generate_id());
        let mut webhook = OutgoingWebhook {
            after,
            event: event.to_owned(),
            event_id: event_id.clone(),
            secret: self.webhook_secret.expose().to_owned(),
            body: json!({ "event": event, "timestamp": iso(self.core.now().plus(after)),
                "data": data_of(event, account, status) }),
        };
        if let Some(body) = webhook.body.as_object_mut()
            && [CONNECTED, UPDATED, REAUTHORIZED].contains(&event)
        {
            body.insert("event_id".to_owned(), event_id.into());
        }
        webhook
    }

    /// Sends one event about an account now, whatever the switches say, and returns the event's id. The account may be
    /// unlinked or unknown: then the event contains little more than the id.
    pub fn send_webhook(&self, event: &str, account: &str, with: WebhookOverrides) -> String {
        let memory = self.core.lock();
        let status = with.data_status.unwrap_or(memory.switches.data_status);
        let mut webhook = match memory.accounts.iter().find(|known| known.id == account) {
            Some(known) => self.webhook(known, event, Duration::ZERO, status),
            None => OutgoingWebhook {
                after: Duration::ZERO,
                event: event.to_owned(),
                event_id: format!("evt_{}", self.generate_id()),
                secret: self.webhook_secret.expose().to_owned(),
                body: json!({ "event": event, "timestamp": iso(self.core.now()),
                    "data": { "id": account, "account": { "_id": account, "id": account } } }),
            },
        };
        drop(memory);
        if let Some(id) = with.event_id {
            webhook.body["event_id"] = id.clone().into();
            webhook.event_id = id;
        }
        if let Some(status) = with.sync_status {
            webhook.body["data"]["meta"]["sync_status"] = status.into();
        }
        if let Some(body) = with.body {
            webhook.body = body;
        }
        if let Some(secret) = with.secret {
            webhook.secret = secret;
        }
        let id = webhook.event_id.clone();
        self.queue(vec![webhook; usize::from(with.times.unwrap_or(1))]);
        id
    }
}

/// How a webhook that is sent by hand differs from an ordinary one.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookOverrides {
    /// Another event id, for instance one that was used before.
    pub event_id: Option<String>,
    pub secret: Option<String>,
    pub times: Option<u8>,
    /// The status of the data that it reports.
    pub data_status: Option<DataStatus>,
    /// `meta.sync_status`, such as `REAUTHORISATION_REQUIRED`.
    pub sync_status: Option<String>,
    pub body: Option<Value>,
}

fn shaped(mut row: WebhookBatch, mode: WebhookMode) -> WebhookBatch {
    match mode {
        WebhookMode::Twice => row
            .into_iter()
            .flat_map(|webhook| {
                let again = OutgoingWebhook {
                    after: Duration::ZERO,
                    ..webhook.clone()
                };
                [webhook, again]
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
        // The published example and the table of fields disagree about the key.
        return json!({ "account": { "id": account.id, "_id": account.id }, "app": "6a5eed0000000000000000d1" });
    }
    let made = iso(account.linked_at);
    json!({
        "account": { "_id": account.id, "name": account.at_bank.holder, "accountNumber": account.at_bank.number,
            "currency": account.at_bank.currency, "balance": account.at_bank.balance, "type": account.at_bank.kind,
            "bvn": null, "authMethod": method,
            "institution": { "name": account.institution.name, "bankCode": account.institution.code, "type": account.institution.kind() },
            "created_at": made, "updated_at": made },
        "meta": { "data_status": status, "auth_method": method, "sync_status": "SUCCESSFUL",
            "has_new_data": true, "retrieved_data": retrieved(status) },
        "app": "6a5eed0000000000000000d1", "business": "6a5eed0000000000000000d2"
    })
}

/// Sends what is queued. It runs on the stand-in's thread, and so ends with it.
pub(super) async fn deliver(
    state: Arc<MonoState>,
    mut batches: UnboundedReceiver<WebhookBatch>,
    sender: CallbackSender,
    retries: Arc<[Duration]>,
) {
    while let Some(batch) = batches.recv().await {
        let (state, sender, retries) = (Arc::clone(&state), Arc::clone(&sender), Arc::clone(&retries));
        rt::spawn(async move {
            for webhook in batch {
                rt::time::sleep(webhook.after).await;
                let Some((index, url)) = log_due(&state, &webhook) else {
                    continue;
                };
                if try_once(&state, &sender, index, &url, &webhook).await {
                    continue;
                }
                let (state, sender, retries) = (Arc::clone(&state), Arc::clone(&sender), Arc::clone(&retries));
                rt::spawn(async move {
                    retry(&retries, async || {
                        try_once(&state, &sender, index, &url, &webhook).await
                    })
                    .await;
                });
            }
        });
    }
}

/// Adds a webhook to the call log; `None` when there is no URL to send it to.
fn log_due(state: &MonoState, webhook: &OutgoingWebhook) -> Option<(usize, Url)> {
    let mut memory = state.core.lock();
    let url = Url::parse(memory.switches.webhook_url.as_deref()?).ok()?;
    memory.call_log.webhooks.push(WebhookEntry {
        event: webhook.event.clone(),
        event_id: webhook.event_id.clone(),
        due: state.core.now().as_millis(),
        answers: Vec::new(),
        taken: false,
    });
    Some((memory.call_log.webhooks.len() - 1, url))
}

async fn try_once(
    state: &MonoState,
    sender: &CallbackSender,
    index: usize,
    url: &Url,
    webhook: &OutgoingWebhook,
) -> bool {
    let request = CallbackRequest {
        url: url.clone(),
        headers: vec![("mono-webhook-secret", webhook.secret.clone())],
        body: CallbackBody::Json(webhook.body.clone()),
    };
    let status = sender(request).await.unwrap_or(0);
    let taken = status == 200;
    if let Some(entry) = state.core.lock().call_log.webhooks.get_mut(index) {
        entry.answers.push(status);
        entry.taken |= taken;
    }
    taken
}
