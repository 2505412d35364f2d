//! Publishes events, and delivers each to an endpoint, one try at a time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::body;
use crate::core::ids::{DeliveryId, EventId, PartnerId, WebhookSecretId};
use crate::core::seal::SealContext;
use crate::core::time::Timestamp;
use crate::core::webhook::{self, SigningSecret, WebhookOutcome, WebhookTiming};
use crate::http_client::webhook::{DeliveryError, DeliveryResponse, WebhookRequest, WebhookSender};
use crate::records::{
    Deliver, Delivery, DeliveryResult, DeliveryState, EndpointState, OutgoingDelivery, Publish, RecordsError,
    Result as RecordsResult, WebhookSecret,
};
use crate::service::deps::Deps;
use crate::service::job::{JobError, JobHandler, JobOutcome};

pub struct WebhookDeliveries {
    pub deps: Deps,
    pub sender: Arc<dyn WebhookSender>,
    pub timing: WebhookTiming,
}

#[async_trait]
impl JobHandler<Publish> for WebhookDeliveries {
    async fn run(&self, event: EventId) -> Result<JobOutcome, JobError> {
        self.deps.records.publish(event, self.deps.clock.now()).await?;
        Ok(JobOutcome::Done)
    }
}

#[async_trait]
impl JobHandler<Deliver> for WebhookDeliveries {
    async fn run(&self, delivery: DeliveryId) -> Result<JobOutcome, JobError> {
        Ok(self.deliver(delivery).await?)
    }

    async fn on_given_up(&self, delivery: DeliveryId) -> Result<(), RecordsError> {
        self.give_up_delivery(delivery).await
    }
}

/// Why a try failed, and what the receiver asks for.
struct DeliveryFailure {
    status: Option<u16>,
    reason: &'static str,
    retry_after: Option<Duration>,
}

impl WebhookDeliveries {
    /// Sends an event to an endpoint, once, if that is still to be done.
    ///
    /// # Errors
    /// When the records are not available. What was sent may be sent again then.
    pub async fn deliver(&self, id: DeliveryId) -> RecordsResult<JobOutcome> {
        let now = self.deps.clock.now();
        let Some(outgoing) = self.deps.records.outgoing_delivery(id, now).await? else {
            return Ok(JobOutcome::GiveUp("no such delivery"));
        };
        let delivery = &outgoing.delivery;
        if delivery.state != DeliveryState::Pending {
            return Ok(JobOutcome::Done);
        }
        if outgoing.endpoint.state != EndpointState::Enabled {
            return self.close(delivery, delivery.tries, None, "endpoint_disabled").await;
        }
        if !outgoing.allowed {
            return self.close(delivery, delivery.tries, None, "not_allowed").await;
        }
        // The node that wrote the last try died before it postponed the job.
        if let Some(due) = delivery.due_at.filter(|due| *due > now) {
            return Ok(JobOutcome::RetryIn("not yet", due.since(now)));
        }
        let Some(request) = self.signed_request(&outgoing, now) else {
            tracing::error!(endpoint = %delivery.endpoint, "no webhook secret opens, nothing can be signed");
            return Ok(JobOutcome::Retry("sealed"));
        };
        match self.sender.send(request).await {
            Ok(response) => self.on_response(&outgoing, response).await,
            Err(error) => self.on_failure(&outgoing, DeliveryFailure::from(error)).await,
        }
    }

    async fn on_response(&self, outgoing: &OutgoingDelivery, response: DeliveryResponse) -> RecordsResult<JobOutcome> {
        let delivery = &outgoing.delivery;
        let status = Some(response.status);
        match webhook::outcome_of_status(response.status) {
            WebhookOutcome::Delivered => {
                let result = DeliveryResult {
                    state: DeliveryState::Delivered,
                    tries: delivery.tries + 1,
                    status,
                    reason: None,
                    due_at: None,
                };
                self.deps
                    .records
                    .record_delivery_result(delivery.id, &result, self.deps.clock.now())
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
                    reason: if (300..400).contains(&response.status) {
                        "redirected"
                    } else {
                        "status"
                    },
                    retry_after: response.retry_after,
                };
                self.on_failure(outgoing, failure).await
            }
        }
    }

    /// Not accepted: it is sent again, unless this was the last try. An endpoint that has accepted nothing for as long as
    /// all tries took is disabled, until the partner enables it.
    async fn on_failure(&self, outgoing: &OutgoingDelivery, failure: DeliveryFailure) -> RecordsResult<JobOutcome> {
        let delivery = &outgoing.delivery;
        let tries = delivery.tries + 1;
        tracing::info!(
            endpoint = %delivery.endpoint,
            event = %delivery.event,
            tries,
            status = failure.status,
            reason = failure.reason,
            "webhook not accepted"
        );
        let mut jitter = [0];
        self.deps.rng.fill(&mut jitter);
        let Some(pause) = webhook::retry_delay(tries, jitter[0], failure.retry_after) else {
            self.disable(outgoing, "failing", Some(delivery.created_at)).await?;
            return self.close(delivery, tries, failure.status, failure.reason).await;
        };
        let (now, pause) = (self.deps.clock.now(), pause / self.timing.speedup.max(1));
        let result = DeliveryResult {
            state: DeliveryState::Pending,
            tries,
            status: failure.status,
            reason: Some(failure.reason),
            due_at: Some(now.plus(pause)),
        };
        self.deps
            .records
            .record_delivery_result(delivery.id, &result, now)
            .await?;
        Ok(JobOutcome::RetryIn(failure.reason, pause))
    }

    /// It is not sent again, unless the partner asks for it.
    async fn close(
        &self,
        delivery: &Delivery,
        tries: u32,
        status: Option<u16>,
        reason: &'static str,
    ) -> RecordsResult<JobOutcome> {
        let result = DeliveryResult {
            state: DeliveryState::Failed,
            tries,
            status,
            reason: Some(reason),
            due_at: None,
        };
        self.deps
            .records
            .record_delivery_result(delivery.id, &result, self.deps.clock.now())
            .await?;
        Ok(JobOutcome::Done)
    }

    /// Marks a delivery as failed that no job will send any more.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn give_up_delivery(&self, id: DeliveryId) -> RecordsResult<()> {
        let now = self.deps.clock.now();
        let Some(outgoing) = self.deps.records.outgoing_delivery(id, now).await? else {
            return Ok(());
        };
        let delivery = &outgoing.delivery;
        self.close(delivery, delivery.tries, delivery.status, "given_up")
            .await
            .map(drop)
    }

    /// Stops sending to an endpoint, and records why.
    async fn disable(
        &self,
        outgoing: &OutgoingDelivery,
        reason: &'static str,
        silent_since: Option<Timestamp>,
    ) -> RecordsResult<()> {
        let (endpoint, now) = (&outgoing.endpoint, self.deps.clock.now());
        if !self
            .deps
            .records
            .disable_endpoint(endpoint.id, reason, silent_since, now)
            .await?
        {
            return Ok(());
        }
        tracing::warn!(endpoint = %endpoint.id, reason, "webhook endpoint disabled");
        let detail = format!("{}: {reason}", endpoint.id);
        let partner = endpoint.partner;
        self.deps
            .try_audit(partner, None, "webhook_endpoint.disabled", detail)
            .await
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
            timeout: self.timing.response_timeout,
        })
    }

    fn open(&self, secret: &WebhookSecret) -> Option<SigningSecret> {
        let context = secret_context(&secret.partner, &secret.id);
        let plain = self.deps.sealing.keyring.open(&context, &secret.sealed);
        SigningSecret::from_bytes(&plain.ok()?)
    }
}

impl From<DeliveryError> for DeliveryFailure {
    fn from(error: DeliveryError) -> Self {
        Self {
            status: None,
            reason: error.as_str(),
            retry_after: None,
        }
    }
}

/// The place of an endpoint's secret.
pub fn secret_context<'a>(partner: &'a PartnerId, id: &'a WebhookSecretId) -> SealContext<'a> {
    SealContext {
        purpose: "webhook",
        subject: partner.as_bytes(),
        record: id.as_bytes(),
        field: "secret",
    }
}
