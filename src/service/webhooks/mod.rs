//! Tells partners what happened: an event to every endpoint that wants it, each until it has been taken.
//!
//! Everything here may run twice. The webhook's id is the event's, so a receiver that is sent one twice (the server died
//! between the answer and writing it down) knows it again.

mod body;

use std::sync::Arc;
use std::time::Duration;

use crate::core::ids::{DeliveryId, EventId, PartnerId, WebhookSecretId};
use crate::core::seal::{Keyring, Place};
use crate::core::time::Timestamp;
use crate::core::webhook::{self, Outcome, Pace, SigningSecret};
use crate::outbound::{Parcel, Post, Receipt, Undelivered};
use crate::records::{
    AuditEvent, Delivery, DeliveryState, EndpointState, Outgoing, Records, Result as RecordsResult, Tried,
    WebhookSecret,
};
use crate::service::jobs::Verdict;
use crate::service::runtime::Runtime;

/// Sends webhooks.
pub struct Webhooks {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Opens what webhooks are signed with.
    pub keyring: Arc<Keyring>,
    /// Carries them.
    pub post: Arc<dyn Post>,
    /// How long everything takes.
    pub pace: Pace,
    /// Clock, chance.
    pub runtime: Runtime,
}

/// Why a try failed, and what the receiver wishes.
struct Failure {
    status: Option<u16>,
    reason: &'static str,
    retry_after: Option<Duration>,
}

impl Webhooks {
    /// Has an event sent to everybody who wants it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn publish(&self, event: EventId) -> RecordsResult<Verdict> {
        self.records.publish(event, self.runtime.clock.now()).await?;
        Ok(Verdict::Done)
    }

    /// Sends an event to an endpoint, once, if that is still to be done.
    ///
    /// # Errors
    /// When the records are not available. What was sent may be sent again then.
    pub async fn deliver(&self, id: DeliveryId) -> RecordsResult<Verdict> {
        let now = self.runtime.clock.now();
        let Some(outgoing) = self.records.outgoing(id, now).await? else {
            return Ok(Verdict::GiveUp("no such delivery"));
        };
        let delivery = &outgoing.delivery;
        if delivery.state != DeliveryState::Pending {
            return Ok(Verdict::Done);
        }
        if outgoing.endpoint.state != EndpointState::Enabled {
            return self.end(delivery, delivery.tries, None, "endpoint_disabled").await;
        }
        // Whoever wrote down the last try did not come to putting off its job.
        if let Some(due) = delivery.due_at.filter(|due| *due > now) {
            return Ok(Verdict::At("not yet", due.since(now)));
        }
        let Some(parcel) = self.parcel(&outgoing, now) else {
            tracing::error!(endpoint = %delivery.endpoint, "no secret of an endpoint opens; nothing can be signed");
            return Ok(Verdict::Again("sealed"));
        };
        match self.post.send(parcel).await {
            Ok(receipt) => self.answered(&outgoing, receipt).await,
            Err(undelivered) => self.failed(&outgoing, Failure::from(undelivered)).await,
        }
    }

    async fn answered(&self, outgoing: &Outgoing, receipt: Receipt) -> RecordsResult<Verdict> {
        let delivery = &outgoing.delivery;
        let status = Some(receipt.status);
        match webhook::outcome(receipt.status) {
            Outcome::Taken => {
                let tried = Tried {
                    state: DeliveryState::Delivered,
                    tries: delivery.tries + 1,
                    status,
                    reason: None,
                    due_at: None,
                };
                self.records
                    .tried(delivery.id, &tried, self.runtime.clock.now())
                    .await?;
                Ok(Verdict::Done)
            }
            Outcome::Gone => {
                self.disable(outgoing, "gone", None).await?;
                self.end(delivery, delivery.tries + 1, status, "gone").await
            }
            Outcome::Failed => {
                let failure = Failure {
                    status,
                    reason: if (300..400).contains(&receipt.status) {
                        "redirected"
                    } else {
                        "status"
                    },
                    retry_after: receipt.retry_after,
                };
                self.failed(outgoing, failure).await
            }
        }
    }

    /// Not taken: to be sent again, or for the last time. An endpoint that has taken nothing for as long as that took is
    /// not sent anything more, until the partner says so.
    async fn failed(&self, outgoing: &Outgoing, failure: Failure) -> RecordsResult<Verdict> {
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
        self.runtime.entropy.fill(&mut chance);
        let Some(pause) = webhook::pause(tries, chance[0], failure.retry_after) else {
            self.disable(outgoing, "failing", Some(delivery.created_at)).await?;
            return self.end(delivery, tries, failure.status, failure.reason).await;
        };
        let (now, pause) = (self.runtime.clock.now(), pause / self.pace.haste.max(1));
        let tried = Tried {
            state: DeliveryState::Pending,
            tries,
            status: failure.status,
            reason: Some(failure.reason),
            due_at: Some(now.plus(pause)),
        };
        self.records.tried(delivery.id, &tried, now).await?;
        Ok(Verdict::At(failure.reason, pause))
    }

    /// It is not sent again, unless somebody asks for it.
    async fn end(
        &self,
        delivery: &Delivery,
        tries: u32,
        status: Option<u16>,
        reason: &'static str,
    ) -> RecordsResult<Verdict> {
        let tried = Tried {
            state: DeliveryState::Failed,
            tries,
            status,
            reason: Some(reason),
            due_at: None,
        };
        self.records
            .tried(delivery.id, &tried, self.runtime.clock.now())
            .await?;
        Ok(Verdict::Done)
    }

    /// Marks a delivery as failed that nobody goes on with.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn abandon(&self, id: DeliveryId) -> RecordsResult<()> {
        let now = self.runtime.clock.now();
        let Some(outgoing) = self.records.outgoing(id, now).await? else {
            return Ok(());
        };
        let delivery = &outgoing.delivery;
        self.end(delivery, delivery.tries, delivery.status, "given_up")
            .await
            .map(drop)
    }

    /// Stops sending to an endpoint, and writes down why.
    async fn disable(
        &self,
        outgoing: &Outgoing,
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
        let event = AuditEvent {
            partner: endpoint.partner,
            tag: None,
            kind: "webhook_endpoint.disabled",
            detail: format!("{}: {reason}", endpoint.id),
            at: now,
        };
        self.records.audit(&event).await
    }

    /// The webhook as it is sent now, signed with every secret that is in use; `None` when none of them opens.
    fn parcel(&self, outgoing: &Outgoing, now: Timestamp) -> Option<Parcel> {
        let body = body::of(&outgoing.event);
        let id = outgoing.event.id.to_string();
        let secrets = outgoing.secrets.iter().filter_map(|secret| self.open(secret));
        let signatures: Vec<_> = secrets.map(|secret| secret.sign(&id, now, &body)).collect();
        (!signatures.is_empty()).then(|| Parcel {
            url: outgoing.endpoint.url.clone(),
            id,
            at: now,
            signatures: signatures.join(" "),
            body,
            patience: self.pace.patience,
        })
    }

    fn open(&self, secret: &WebhookSecret) -> Option<SigningSecret> {
        let plain = self.keyring.open(&place(&secret.partner, &secret.id), &secret.sealed);
        SigningSecret::from_bytes(&plain.ok()?)
    }
}

impl From<Undelivered> for Failure {
    fn from(undelivered: Undelivered) -> Self {
        Self {
            status: None,
            reason: undelivered.word(),
            retry_after: None,
        }
    }
}

/// Where an endpoint's secret belongs.
pub fn place<'a>(partner: &'a PartnerId, id: &'a WebhookSecretId) -> Place<'a> {
    Place {
        purpose: "webhook",
        subject: partner.as_bytes(),
        record: id.as_bytes(),
        field: "secret",
    }
}
