//! Tells partners what happened: an event to every endpoint that wants it, each until it has been taken.
//!
//! Everything here may run twice. The webhook's id is the event's, so a receiver that is sent one twice (the server died
//! between the answer and writing it down) knows it again.

mod body;

use std::sync::Arc;
use std::time::Duration;

use crate::core::ids::{DeliveryId, EventId, PartnerId, WebhookSecretId};
use crate::core::seal::{Keyring, SealContext};
use crate::core::time::Timestamp;
use crate::core::webhook::{self, SigningSecret, WebhookOutcome, WebhookTiming};
use crate::http_client::webhook::{DeliveryError, DeliveryResponse, WebhookRequest, WebhookSender};
use crate::records::{
    AuditEntry, Delivery, DeliveryResult, DeliveryState, EndpointState, OutgoingDelivery, Records,
    Result as RecordsResult, WebhookSecret,
};
use crate::service::deps::Deps;
use crate::service::jobs::JobOutcome;

/// Sends webhooks.
pub struct WebhookDeliveries {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Opens what webhooks are signed with.
    pub keyring: Arc<Keyring>,
    /// Carries them.
    pub sender: Arc<dyn WebhookSender>,
    /// How long everything takes.
    pub pace: WebhookTiming,
    /// Clock, chance.
    pub runtime: Deps,
}

/// Why a try failed, and what the receiver wishes.
struct DeliveryFailure {
    status: Option<u16>,
    reason: &'static str,
    retry_after: Option<Duration>,
}

impl WebhookDeliveries {
    /// Has an event sent to everybody who wants it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn publish(&self, event: EventId) -> RecordsResult<JobOutcome> {
        self.records.publish(event, self.runtime.clock.now()).await?;
        Ok(JobOutcome::Done)
    }

    /// Sends an event to an endpoint, once, if that is still to be done.
    ///
    /// # Errors
    /// When the records are not available. What was sent may be sent again then.
    pub async fn deliver(&self, id: DeliveryId) -> RecordsResult<JobOutcome> {
        let now = self.runtime.clock.now();
        let Some(outgoing) = self.records.outgoing_delivery(id, now).await? else {
            return Ok(JobOutcome::GiveUp("no such delivery"));
        };
        let delivery = &outgoing.delivery;
        if delivery.state != DeliveryState::Pending {
            return Ok(JobOutcome::Done);
        }
        if outgoing.endpoint.state != EndpointState::Enabled {
            return self.close(delivery, delivery.tries, None, "endpoint_disabled").await;
        }
        // Whoever wrote down the last try did not come to putting off its job.
        if let Some(due) = delivery.due_at.filter(|due| *due > now) {
            return Ok(JobOutcome::RetryIn("not yet", due.since(now)));
        }
        let Some(parcel) = self.signed_request(&outgoing, now) else {
            tracing::error!(endpoint = %delivery.endpoint, "no secret of an endpoint opens; nothing can be signed");
            return Ok(JobOutcome::Retry("sealed"));
        };
        match self.sender.send(parcel).await {
            Ok(receipt) => self.on_response(&outgoing, receipt).await,
            Err(undelivered) => self.on_failure(&outgoing, DeliveryFailure::from(undelivered)).await,
        }
    }

    async fn on_response(&self, outgoing: &OutgoingDelivery, receipt: DeliveryResponse) -> RecordsResult<JobOutcome> {
        let delivery = &outgoing.delivery;
        let status = Some(receipt.status);
        match webhook::outcome_of_status(receipt.status) {
            WebhookOutcome::Delivered => {
                let tried = DeliveryResult {
                    state: DeliveryState::Delivered,
                    tries: delivery.tries + 1,
                    status,
                    reason: None,
                    due_at: None,
                };
                self.records
                    .record_delivery_result(delivery.id, &tried, self.runtime.clock.now())
                    .await?;
                Ok(JobOutcome::Done)
            }
            WebhookOutcome::Gone => {
                self.disable(outgoing, "gone", None).await?;
                self.close(delivery, delivery.tries + 1, status, "gone").await
            }
            WebhookOutcome::Failed => {
                let failure = DeliveryFailure {
                    status,
                    reason: if (300..400).contains(&receipt.status) {
                        "redirected"
                    } else {
                        "status"
                    },
                    retry_after: receipt.retry_after,
                };
                self.on_failure(outgoing, failure).await
            }
        }
    }

    /// Not taken: to be sent again, or for the last time. An endpoint that has taken nothing for as long as that took is
    /// not sent anything more, until the partner says so.
    async fn on_failure(&self, outgoing: &OutgoingDelivery, failure: DeliveryFailure) -> RecordsResult<JobOutcome> {
        let delivery = &outgoing.delivery;
        let tries = delivery.tries + 1;
        tracing::info!(
            endpoint = %delivery.endpoint,
            event = %delivery.event,
            tries,
            status = failure.status,
            reason = failure.reason,
            "a webhook was not taken"
        );
        let mut chance = [0];
        self.runtime.rng.fill(&mut chance);
        let Some(pause) = webhook::retry_delay(tries, chance[0], failure.retry_after) else {
            self.disable(outgoing, "failing", Some(delivery.created_at)).await?;
            return self.close(delivery, tries, failure.status, failure.reason).await;
        };
        let (now, pause) = (self.runtime.clock.now(), pause / self.pace.speedup.max(1));
        let tried = DeliveryResult {
            state: DeliveryState::Pending,
            tries,
            status: failure.status,
            reason: Some(failure.reason),
            due_at: Some(now.plus(pause)),
        };
        self.records.record_delivery_result(delivery.id, &tried, now).await?;
        Ok(JobOutcome::RetryIn(failure.reason, pause))
    }

    /// It is not sent again, unless somebody asks for it.
    async fn close(
        &self,
        delivery: &Delivery,
        tries: u32,
        status: Option<u16>,
        reason: &'static str,
    ) -> RecordsResult<JobOutcome> {
        let tried = DeliveryResult {
            state: DeliveryState::Failed,
            tries,
            status,
            reason: Some(reason),
            due_at: None,
        };
        self.records
            .record_delivery_result(delivery.id, &tried, self.runtime.clock.now())
            .await?;
        Ok(JobOutcome::Done)
    }

    /// Marks a delivery as failed that nobody goes on with.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn give_up_delivery(&self, id: DeliveryId) -> RecordsResult<()> {
        let now = self.runtime.clock.now();
        let Some(outgoing) = self.records.outgoing_delivery(id, now).await? else {
            return Ok(());
        };
        let delivery = &outgoing.delivery;
        self.close(delivery, delivery.tries, delivery.status, "given_up")
            .await
            .map(drop)
    }

    /// Stops sending to an endpoint, and writes down why.
    async fn disable(
        &self,
        outgoing: &OutgoingDelivery,
        reason: &'static str,
        silent_since: Option<Timestamp>,
    ) -> RecordsResult<()> {
        let (endpoint, now) = (&outgoing.endpoint, self.runtime.clock.now());
        if !self
            .records
            .disable_endpoint(endpoint.id, reason, silent_since, now)
            .await?
        {
            return Ok(());
        }
        tracing::warn!(endpoint = %endpoint.id, reason, "an endpoint is sent nothing more");
        let event = AuditEntry::new(
            endpoint.partner,
            "webhook_endpoint.disabled",
            format!("{}: {reason}", endpoint.id),
            now,
        );
        self.records.audit(&event).await
    }

    /// The webhook as it is sent now, signed with every secret that is in use; `None` when none of them opens.
    fn signed_request(&self, outgoing: &OutgoingDelivery, now: Timestamp) -> Option<WebhookRequest> {
        let body = body::encode(&outgoing.event);
        let id = outgoing.event.id.to_string();
        let secrets = outgoing.secrets.iter().filter_map(|secret| self.open(secret));
        let signatures: Vec<_> = secrets.map(|secret| secret.sign(&id, now, &body)).collect();
        (!signatures.is_empty()).then(|| WebhookRequest {
            url: outgoing.endpoint.url.clone(),
            id,
            sent_at: now,
            signatures: signatures.join(" "),
            body,
            timeout: self.pace.response_timeout,
        })
    }

    fn open(&self, secret: &WebhookSecret) -> Option<SigningSecret> {
        let plain = self
            .keyring
            .open(&secret_context(&secret.partner, &secret.id), &secret.sealed);
        SigningSecret::from_bytes(&plain.ok()?)
    }
}

impl From<DeliveryError> for DeliveryFailure {
    fn from(undelivered: DeliveryError) -> Self {
        Self {
            status: None,
            reason: undelivered.as_str(),
            retry_after: None,
        }
    }
}

/// Where an endpoint's secret belongs.
pub fn secret_context<'a>(partner: &'a PartnerId, id: &'a WebhookSecretId) -> SealContext<'a> {
    SealContext {
        purpose: "webhook",
        subject: partner.as_bytes(),
        record: id.as_bytes(),
        field: "secret",
    }
}
