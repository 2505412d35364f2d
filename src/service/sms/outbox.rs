//! Sends SMS that were written, each by its gateway, one try at a time.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::routes::{SmsRoute, SmsRoutes};
use crate::core::ids::{MessageId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::SubscriberTag;
use crate::core::sms::{MessageState, SmsFailureReason, WithheldReason};
use crate::core::time::Timestamp;
use crate::gateways::sms::{OutgoingSms, ReportMode, SmsSendError};
use crate::records::{
    InvitationCaps, JobType, RecordsError, Result as RecordsResult, SmsKind, SmsLimit, SmsMessage, SmsPreference,
};
use crate::service::deps::Deps;
use crate::service::job::{JobError, JobHandler, JobOutcome};

/// The period over which a person's SMS are counted.
pub(super) const CAP_SPAN: Duration = Duration::from_hours(24);
/// When a gateway that does not report by itself is first asked what became of an SMS, and until when.
const ASK_AFTER: Duration = Duration::from_secs(30);
const ASK_UNTIL: Duration = Duration::from_hours(24);
/// How many SMS this node sends at once. A slow gateway holds up other SMS, never other work.
const MAX_CONCURRENT: usize = 16;

/// Sends a queued SMS.
pub struct SendSms;

impl JobType for SendSms {
    const NAME: &'static str = "send_sms";
    type Subject = MessageId;
}

/// Asks a gateway that does not report by itself what became of an SMS.
pub struct AskReport;

impl JobType for AskReport {
    const NAME: &'static str = "ask_report";
    type Subject = MessageId;
}

/// An SMS to be written.
pub struct OutgoingMessage<'a> {
    pub to: &'a Msisdn,
    pub kind: SmsKind,
    /// The fact it tells: the same fact is told once.
    pub key: String,
    /// Folded into the GSM alphabet when it is written.
    pub text: &'a str,
    /// The route, and the number or name it comes from if not the route's usual one; `None`: the route for the number.
    pub route: Option<(&'a SmsRoute, Option<String>)>,
    /// How long it is worth sending.
    pub valid_for: Duration,
}

/// Why an SMS cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsOutboxError {
    #[error("no SMS gateway is set up")]
    NoGateway,
    #[error("the text is too long for its gateway")]
    TooLong,
    #[error("the text cannot be sealed")]
    Sealed,
    #[error(transparent)]
    Records(#[from] RecordsError),
}

impl SmsOutboxError {
    /// How the job ends that was to write the SMS: for good where no other try would write it.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub fn job_outcome(self) -> Result<JobOutcome, JobError> {
        match self {
            Self::NoGateway => Ok(JobOutcome::GiveUp("no gateway")),
            Self::TooLong => Ok(JobOutcome::GiveUp("too long")),
            Self::Sealed => Err(JobError::Sealed),
            Self::Records(error) => Err(error.into()),
        }
    }
}

pub struct SmsOutbox {
    pub(super) deps: Deps,
    pub(super) partner: PartnerId,
    pub(super) routes: SmsRoutes,
    pub(super) caps: InvitationCaps,
    slots: Semaphore,
}

/// A pilot's worth; an operator who runs more says so.
pub const INVITATION_CAPS: InvitationCaps = InvitationCaps {
    of_partner: 200,
    to_number: 5,
};

#[async_trait]
impl JobHandler<AskReport> for SmsOutbox {
    /// The gateway may be slow for a long time.
    const TAKES_SLOT: bool = false;

    async fn run(&self, message: MessageId) -> Result<JobOutcome, JobError> {
        Ok(self.poll_report(message).await?)
    }
}

impl SmsOutbox {
    /// Sends by these routes, on behalf of this partner.
    pub fn new(deps: Deps, partner: PartnerId, routes: SmsRoutes) -> Self {
        Self {
            deps,
            partner,
            routes,
            caps: INVITATION_CAPS,
            slots: Semaphore::new(MAX_CONCURRENT),
        }
    }

    /// With other caps.
    #[must_use]
    pub fn with_caps(self, caps: InvitationCaps) -> Self {
        Self { caps, ..self }
    }

    /// On whose behalf.
    pub fn partner(&self) -> PartnerId {
        self.partner
    }

    /// Whether there is a gateway to send by.
    pub fn is_available(&self) -> bool {
        !self.routes.is_empty()
    }

    /// Sends one SMS if that is still to be done.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn send(&self, id: MessageId) -> RecordsResult<JobOutcome> {
        let Some(message) = self.deps.records.message(id).await? else {
            return Ok(JobOutcome::GiveUp("no such text"));
        };
        match message.state {
            MessageState::Queued => {}
            // The node that was sending it died: it may have been sent.
            MessageState::Sending => return self.set_state(&message, MessageState::Unknown).await,
            MessageState::Withheld(WithheldReason::NoRoute) => {
                self.tell_of_no_route(&message);
                return Ok(JobOutcome::Done);
            }
            _ => return Ok(JobOutcome::Done),
        }
        let now = self.deps.clock.now();
        if now >= message.expires_at {
            return self
                .set_state(&message, MessageState::Withheld(WithheldReason::Expired))
                .await;
        }
        let opened = self.routes.by_name(&message.gateway).zip(self.open(&message));
        let Some((route, outgoing)) = opened else {
            tracing::error!(
                route = message.gateway,
                "SMS cannot be sent: its gateway is gone, or it does not open"
            );
            return self
                .set_state(&message, MessageState::Withheld(WithheldReason::Unsendable))
                .await;
        };
        // The configuration may have changed since it was written, and a reply names the route that it answers by.
        if !route.serves(&outgoing.to) {
            self.tell_of_no_route(&message);
            return self
                .set_state(&message, MessageState::Withheld(WithheldReason::NoRoute))
                .await;
        }
        let Ok(_slot) = self.slots.try_acquire() else {
            return Ok(JobOutcome::Retry("crowded"));
        };
        let limit = SmsLimit {
            max: route.daily_cap,
            since: now.minus(CAP_SPAN),
            invitations: self.caps,
        };
        if let Some(state) = self.deps.records.begin_sending(id, limit, now).await? {
            tracing::info!(tag = ?message.tag, ?state, "SMS withheld");
            if message.kind == SmsKind::Request && state == MessageState::Withheld(WithheldReason::DailyCap) {
                self.deps.metrics.invitation_refused("withheld");
            }
            return Ok(JobOutcome::Done);
        }
        self.send_by(&message, route, &outgoing).await
    }

    fn tell_of_no_route(&self, message: &SmsMessage) {
        self.deps.metrics.sms_without_route();
        tracing::warn!(tag = ?message.tag, kind = message.kind.as_str(), "SMS withheld: no route is for its number's country");
    }

    async fn send_by(
        &self,
        message: &SmsMessage,
        route: &SmsRoute,
        outgoing: &OutgoingSms,
    ) -> RecordsResult<JobOutcome> {
        let (route_name, tag) = (&route.name, &message.tag);
        match route.gateway.send(outgoing).await {
            Ok(sent) => {
                tracing::info!(
                    route = route_name,
                    ?tag,
                    cost = sent.cost,
                    "SMS accepted by its gateway"
                );
                if route.gateway.capabilities().reports == ReportMode::Polled {
                    // Before the row has the gateway's id: a job that finds none waits for it or ends.
                    let due_at = self.deps.clock.now().plus(ASK_AFTER);
                    let ask = AskReport::job(message.partner, message.id, due_at);
                    self.deps.records.enqueue(&ask).await?;
                }
                self.deps
                    .records
                    .accepted_by_gateway(message.id, &sent.message_id, self.deps.clock.now())
                    .await?;
                Ok(JobOutcome::Done)
            }
            Err(SmsSendError::NotSent(why, pause)) => {
                tracing::warn!(route = route_name, ?tag, why, "SMS not sent, to be retried");
                let now = self.deps.clock.now();
                self.deps.records.requeue_message(message.id, now).await?;
                Ok(JobOutcome::RetryAfter("gateway", pause))
            }
            Err(SmsSendError::Refused(why)) => {
                tracing::info!(route = route_name, ?tag, ?why, "SMS refused for good");
                if why == SmsFailureReason::OptedOut {
                    self.record_opt_out(message.partner, tag, self.deps.clock.now()).await?;
                }
                self.set_state(message, MessageState::Failed(why)).await
            }
            Err(SmsSendError::Unknown(why)) => {
                tracing::warn!(route = route_name, ?tag, why, "SMS perhaps sent, not repeated");
                self.set_state(message, MessageState::Unknown).await
            }
        }
    }

    /// Asks a gateway what became of an SMS, and again later if that is not known: less and less often, for a day.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn poll_report(&self, id: MessageId) -> RecordsResult<JobOutcome> {
        let Some(message) = self.deps.records.message(id).await? else {
            return Ok(JobOutcome::GiveUp("no such text"));
        };
        let age = self.deps.clock.now().since(message.created_at);
        if message.state.is_final() || age > ASK_UNTIL {
            return Ok(JobOutcome::Done);
        }
        let later = JobOutcome::RetryAfter("not delivered yet", Some(age / 2));
        let Some(gateway_id) = &message.gateway_id else {
            // The gateway's answer is being written, or was lost.
            let lost = message.state == MessageState::Unknown;
            return Ok(if lost { JobOutcome::Done } else { later });
        };
        let Some(route) = self.routes.by_name(&message.gateway) else {
            return Ok(JobOutcome::Done);
        };
        let Some(state) = route.gateway.query_delivery(gateway_id).await else {
            return Ok(later);
        };
        let state = MessageState::from(state);
        self.deps.records.move_message(id, state, self.deps.clock.now()).await?;
        Ok(if state.is_final() { JobOutcome::Done } else { later })
    }

    /// The person told the gateway, and not us, that they want no SMS.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn record_opt_out(&self, partner: PartnerId, tag: &SubscriberTag, at: Timestamp) -> RecordsResult<()> {
        self.deps
            .records
            .put_sms_preference(partner, tag, SmsPreference { stopped: true, at })
            .await
    }

    async fn set_state(&self, message: &SmsMessage, state: MessageState) -> RecordsResult<JobOutcome> {
        let now = self.deps.clock.now();
        self.deps.records.move_message(message.id, state, now).await?;
        Ok(JobOutcome::Done)
    }
}
