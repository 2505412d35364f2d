//! Mono's webhooks. The header contains the plain secret.

use std::time::Duration;

use serde_json::{Value, json};

use super::accounts::retrieved;
use super::answer::iso;
use super::institutions::kind;
use super::{APP, MonoDialect};
use crate::core::time::Timestamp;
use crate::sandbox::bank::memory::StandInAccount;
use crate::sandbox::bank::webhooks::{AccountEvent, OutgoingWebhook};
use crate::sandbox::bank::{Bank, DataStatus};

const SECRET_HEADER: &str = "mono-webhook-secret";
/// The id of the business in its webhooks.
const BUSINESS: &str = "6a5eed0000000000000000d2";

/// `account_connected`.
const CONNECTED: &str = "mono.events.account_connected";
/// `account_updated`.
const UPDATED: &str = "mono.events.account_updated";
const REAUTHORIZED: &str = "mono.events.account_reauthorized";
const UNLINKED: &str = "mono.events.account_unlinked";

pub(super) fn event_name(event: AccountEvent) -> &'static str {
    match event {
        AccountEvent::Connected => CONNECTED,
        AccountEvent::Updated => UPDATED,
        AccountEvent::Renewed => REAUTHORIZED,
        AccountEvent::Unlinked => UNLINKED,
    }
}

impl Bank<MonoDialect> {
    /// A webhook with this event and what it says.
    fn event(&self, event: &str, at: Timestamp, data: &Value) -> OutgoingWebhook {
        let secret = self.dialect.webhook_secret.expose().to_owned();
        OutgoingWebhook {
            after: Duration::ZERO,
            event: event.to_owned(),
            event_id: format!("evt_{}", self.generate_id()),
            headers: vec![(SECRET_HEADER, secret)],
            body: json!({ "event": event, "timestamp": iso(at), "data": data }),
        }
    }

    pub(super) fn account_event(
        &self,
        account: &StandInAccount,
        event: &str,
        at: Timestamp,
        status: DataStatus,
    ) -> OutgoingWebhook {
        let mut webhook = self.event(event, at, &data_of(event, account, status));
        if [CONNECTED, UPDATED, REAUTHORIZED].contains(&event) {
            webhook.body["event_id"] = webhook.event_id.clone().into();
        }
        webhook
    }

    /// Sends one event about an account now, whatever the switches say, and returns the event's id. The account may be
    /// unlinked or unknown: then the event contains little more than the id.
    pub fn send_webhook(&self, event: &str, account: &str, with: WebhookOverrides) -> String {
        let memory = self.lock();
        let status = with.data_status.unwrap_or(memory.switches.data_status);
        let mut webhook = if let Some(known) = memory.accounts.iter().find(|known| known.id == account) {
            self.account_event(known, event, self.now(), status)
        } else {
            let unknown = json!({ "id": account, "account": { "_id": account, "id": account } });
            self.event(event, self.now(), &unknown)
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
            webhook.headers = vec![(SECRET_HEADER, secret)];
        }
        let id = webhook.event_id.clone();
        self.queue_webhooks(vec![webhook; usize::from(with.times.unwrap_or(1))]);
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

fn data_of(event: &str, account: &StandInAccount, status: DataStatus) -> Value {
    let method = account.method.id;
    if event == CONNECTED {
        return json!({ "id": account.id, "customer": account.customer, "app": APP,
            "meta": { "data_status": "PROCESSING", "auth_method": method },
            "business": BUSINESS });
    }
    if event == UNLINKED {
        // The published example and the table of fields disagree about the key.
        return json!({ "account": { "id": account.id, "_id": account.id }, "app": APP });
    }
    let made = iso(account.linked_at);
    json!({
        "account": { "_id": account.id, "name": account.at_bank.holder, "accountNumber": account.at_bank.number,
            "currency": account.at_bank.currency, "balance": account.at_bank.balance, "type": account.at_bank.kind,
            "bvn": null, "authMethod": method,
            "institution": { "name": account.institution.name, "bankCode": account.institution.code, "type": kind(account.institution) },
            "created_at": made, "updated_at": made },
        "meta": { "data_status": status, "auth_method": method, "sync_status": "SUCCESSFUL",
            "has_new_data": true, "retrieved_data": retrieved(status) },
        "app": APP, "business": BUSINESS
    })
}
