//! Webhooks: what is sent when, and the sending.
//!
//! A batch is a list of webhooks, each some time after the one before; their first deliveries never overtake one another. A
//! webhook that is not answered with 200 is sent again after each of the settings' waits, beside the batch, because nothing
//! is published about the order or number of a provider's own retries.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use super::Bank;
use super::call_log::WebhookEntry;
use super::dialect::Dialect;
use super::memory::BankMemory;
use super::switches::WebhookMode;
use crate::sandbox::callbacks::{CallbackBody, CallbackRequest, CallbackSender, retry};

/// Webhooks to send one after another.
pub type WebhookBatch = Vec<OutgoingWebhook>;

#[derive(Clone, Debug)]
pub struct OutgoingWebhook {
    /// How long after the one before.
    pub after: Duration,
    /// Its name in the call log.
    pub event: String,
    pub event_id: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

/// Something that happened to an account and that webhooks report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountMoment {
    /// A login ended well.
    Granted,
    /// Its code was exchanged for the first time.
    Exchanged,
    Renewed,
    Unlinked,
}

/// What a webhook about an account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    Connected,
    /// Its data are there, or are known to be missing.
    Updated,
    Renewed,
    Unlinked,
}

impl<D: Dialect> Bank<D> {
    /// Sends the webhooks about something that happened to an account.
    pub(super) fn announce(&self, memory: &BankMemory<D>, id: &str, moment: AccountMoment) {
        let Some(account) = memory.accounts.iter().find(|account| account.id == id) else {
            return;
        };
        let mode = account.webhooks.unwrap_or(memory.switches.webhooks);
        let ready = account.ready_at.since(self.now());
        let (connected, updated) = (
            (AccountEvent::Connected, Duration::ZERO),
            (AccountEvent::Updated, ready),
        );
        let (renewed, again) = (
            (AccountEvent::Renewed, Duration::ZERO),
            (AccountEvent::Updated, Duration::ZERO),
        );
        let events = match (moment, mode) {
            (AccountMoment::Granted, WebhookMode::BeforeExchange) => vec![connected, updated],
            (_, WebhookMode::Missing)
            | (AccountMoment::Granted, _)
            | (AccountMoment::Exchanged, WebhookMode::BeforeExchange) => return,
            (AccountMoment::Exchanged, WebhookMode::OutOfOrder) => vec![updated, connected],
            (AccountMoment::Exchanged, _) => vec![connected, updated],
            (AccountMoment::Renewed, WebhookMode::OutOfOrder) => vec![again, renewed],
            (AccountMoment::Renewed, _) => vec![renewed, again],
            (AccountMoment::Unlinked, _) => vec![(AccountEvent::Unlinked, Duration::ZERO)],
        };
        let status = account.data.unwrap_or(memory.switches.data_status);
        let batch = events.into_iter().filter_map(|(event, after)| {
            let webhook = D::webhook(self, account, event, self.now().plus(after), status)?;
            Some(OutgoingWebhook { after, ..webhook })
        });
        self.queue_webhooks(shaped(batch.collect(), mode));
    }

    /// Sends webhooks now, whatever the switches say.
    pub fn queue_webhooks(&self, batch: WebhookBatch) {
        self.core.queue(batch);
    }
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

/// Sends what is queued. It runs on the stand-in's thread, and so ends with it.
pub(super) async fn deliver<D: Dialect>(
    bank: Arc<Bank<D>>,
    mut batches: UnboundedReceiver<WebhookBatch>,
    sender: CallbackSender,
    retries: Arc<[Duration]>,
) {
    while let Some(batch) = batches.recv().await {
        let (bank, sender, retries) = (Arc::clone(&bank), Arc::clone(&sender), Arc::clone(&retries));
        rt::spawn(async move {
            for webhook in batch {
                rt::time::sleep(webhook.after).await;
                let Some((index, url)) = log_due(&bank, &webhook) else {
                    continue;
                };
                if try_once(&bank, &sender, index, &url, &webhook).await {
                    continue;
                }
                let (bank, sender, retries) = (Arc::clone(&bank), Arc::clone(&sender), Arc::clone(&retries));
                rt::spawn(async move {
                    retry(&retries, async || try_once(&bank, &sender, index, &url, &webhook).await).await;
                });
            }
        });
    }
}

/// Adds a webhook to the call log; `None` when there is no URL to send it to.
fn log_due<D: Dialect>(bank: &Bank<D>, webhook: &OutgoingWebhook) -> Option<(usize, Url)> {
    let mut memory = bank.lock();
    let url = Url::parse(memory.switches.webhook_url.as_deref()?).ok()?;
    memory.call_log.webhooks.push(WebhookEntry {
        event: webhook.event.clone(),
        event_id: webhook.event_id.clone(),
        due: bank.now().as_millis(),
        answers: Vec::new(),
        taken: false,
    });
    Some((memory.call_log.webhooks.len() - 1, url))
}

async fn try_once<D: Dialect>(
    bank: &Bank<D>,
    sender: &CallbackSender,
    index: usize,
    url: &Url,
    webhook: &OutgoingWebhook,
) -> bool {
    let request = CallbackRequest {
        url: url.clone(),
        headers: webhook.headers.clone(),
        body: CallbackBody::Json(webhook.body.clone()),
    };
    let status = sender(request).await.unwrap_or(0);
    let taken = status == 200;
    if let Some(entry) = bank.lock().call_log.webhooks.get_mut(index) {
        entry.answers.push(status);
        entry.taken |= taken;
    }
    taken
}
