//! Takes what gateways call us with: texts from people, and what became of ours.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use subtle::ConstantTimeEq as _;

use super::{IncomingHandler, OutgoingMessage, RetryLater, Sender, SmsOutbox, SmsReaction, SmsRoute, SmsRoutes};
use crate::core::ids::MessageId;
use crate::core::seal::Keyring;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::core::time::Timestamp;
use crate::gateways::sms::{CallbackOutcome, DeliveryReport, IncomingSms, SmsCallback, SmsCallbackError};
use crate::gateways::{RawRequest, WireReply};
use crate::records::{InboundSms, Job, Records, SmsKind, SmsMessage, SmsPreference, SmsReport, SmsReportOutcome};
use crate::service::deps::Deps;
use crate::service::{IncomingRequest, SmsCallbacks};

/// How long an answer to a text is worth sending.
const REPLY_VALID_FOR: Duration = Duration::from_hours(1);
/// How often a person gets a hint.
const HINT_EVERY: Duration = Duration::from_hours(1);

/// Takes them.
pub struct SmsInbox {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Tags people.
    pub keyring: Arc<Keyring>,
    /// The gateways.
    pub routes: SmsRoutes,
    /// Knows what to do with texts.
    pub handler: Arc<dyn IncomingHandler>,
    /// Writes answers.
    pub outbox: Arc<SmsOutbox>,
    /// Clock.
    pub runtime: Deps,
}

#[async_trait]
impl SmsCallbacks for SmsInbox {
    fn admit(&self, name: &str, secret: &str) -> Option<Arc<SmsRoute>> {
        let line = self.routes.by_name(name)?;
        let same = bool::from(line.secret.expose().as_bytes().ct_eq(secret.as_bytes()));
        same.then(|| Arc::clone(line))
    }

    async fn receive(&self, line: Arc<SmsRoute>, request: IncomingRequest) -> WireReply {
        let answer = match parse(&line, &request) {
            Ok(heard) => self.take(&line, heard).await,
            Err(error) => {
                tracing::warn!(line = line.name, %error, "a call of an SMS gateway was not taken");
                match error {
                    SmsCallbackError::Unauthentic => CallbackOutcome::Unauthentic,
                    SmsCallbackError::Malformed(_) => CallbackOutcome::Malformed,
                }
            }
        };
        line.gateway.render_answer(answer)
    }
}

fn parse(line: &SmsRoute, request: &IncomingRequest) -> Result<Vec<SmsCallback>, SmsCallbackError> {
    let body = request.body.as_deref();
    line.gateway.parse_callback(&RawRequest {
        method: &request.method,
        tail: &request.tail,
        query: &request.query,
        headers: &request.headers,
        body: body.ok_or(SmsCallbackError::Malformed("the body is too long, or came too slowly"))?,
        country: &line.country,
    })
}

impl SmsInbox {
    /// Takes all of it, or asks for it to come again. What of it was taken stays taken.
    async fn take(&self, line: &SmsRoute, heard: Vec<SmsCallback>) -> CallbackOutcome {
        for one in heard {
            let taken = match one {
                SmsCallback::Incoming(sms) => self.incoming(line, &sms).await,
                SmsCallback::Report(report) => self.report(line, &report).await,
                SmsCallback::OptedOut(number) => {
                    let (tag, now) = (self.keyring.tag(&number), self.runtime.clock.now());
                    let stopped = self.outbox.record_opt_out(self.outbox.partner(), &tag, now).await;
                    stopped.map_err(RetryLater::from)
                }
            };
            if let Err(error) = taken {
                tracing::warn!(line = line.name, %error, "a call of an SMS gateway cannot be taken now");
                return CallbackOutcome::Unavailable;
            }
        }
        CallbackOutcome::Accepted
    }

    async fn incoming(&self, line: &SmsRoute, sms: &IncomingSms) -> Result<(), RetryLater> {
        let now = self.runtime.clock.now();
        let (partner, tag) = (self.outbox.partner(), self.keyring.tag(&sms.from));
        // What was taken is not stepped with again, however late it comes: the conversation remembers its last texts only.
        if self.records.has_received_sms(&line.name, &sms.message_id).await? {
            return Ok(());
        }
        // What a person asks for stands at the beginning; what follows is neither a command nor worth an answer.
        let reaction = if sms.part.as_ref().is_none_or(|part| part.part == 1) {
            let wish = self.records.sms_preference(partner, &tag).await?;
            let stopped = wish.filter(|wish| wish.stopped).map(|wish| wish.at);
            let from = Sender { line, tag, stopped };
            self.handler.handle(sms, &from).await?
        } else {
            SmsReaction::default()
        };
        let wish = reaction.stop.map(|stopped| SmsPreference {
            stopped,
            // A gateway whose clock is ahead must not make a wish last that was not said yet.
            at: sms.received_at.map_or(now, |at| at.min(now)),
        });
        let incoming = InboundSms {
            gateway: &line.name,
            gateway_id: &sms.message_id,
            partner,
            tag,
            preference: wish,
            reply: self.reply(line, sms, &reaction, now),
        };
        let first = self.records.receive_sms(&incoming, now).await?;
        tracing::info!(line = line.name, ?tag, first, stop = reaction.stop, "a text was taken");
        Ok(())
    }

    fn reply(
        &self,
        line: &SmsRoute,
        sms: &IncomingSms,
        reaction: &SmsReaction,
        now: Timestamp,
    ) -> Option<(SmsMessage, Job)> {
        let reply = reaction.reply.as_ref()?;
        let key = if reply.hint {
            let hour = now.as_millis() / i64::try_from(HINT_EVERY.as_millis()).unwrap_or(i64::MAX);
            format!("hint:{}:{}:{hour}", line.name, self.keyring.tag(&sms.from).to_hex())
        } else {
            format!("reply:{}:{}", line.name, sms.message_id)
        };
        let note = OutgoingMessage {
            to: &sms.from,
            kind: SmsKind::Reply,
            key,
            text: &reply.text,
            // From the number they wrote to, where there is no sender of ours.
            route: Some((line, line.sender.is_none().then(|| sms.to.clone()))),
            valid_for: REPLY_VALID_FOR,
        };
        match self.outbox.draft(note) {
            Ok(drafted) => Some(drafted),
            Err(error) => {
                tracing::warn!(line = line.name, %error, "a text is not answered");
                None
            }
        }
    }

    async fn report(&self, line: &SmsRoute, report: &DeliveryReport) -> Result<(), RetryLater> {
        let now = self.runtime.clock.now();
        let told = SmsReport {
            gateway: &line.name,
            gateway_id: &report.message_id,
            reference: report.reference.as_deref().and_then(|id| MessageId::parse(id).ok()),
            state: report.state.into(),
        };
        let reported = self.records.apply_report(told, now).await?;
        tracing::debug!(line = line.name, state = ?report.state, ?reported, "a delivery report was taken");
        match (reported, report.state) {
            // They had said so when it was sent; a START since then is later.
            (
                SmsReportOutcome::Moved {
                    partner,
                    tag,
                    created_at,
                },
                SmsDeliveryState::Failed(SmsFailureReason::OptedOut),
            ) => Ok(self.outbox.record_opt_out(partner, &tag, created_at).await?),
            _ => Ok(()),
        }
    }
}
