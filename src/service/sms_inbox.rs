//! Receives what SMS gateways call us with: SMS from people, and what became of ours.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use subtle::ConstantTimeEq as _;

use super::callbacks::{IncomingRequest, SmsCallbacks};
use super::deps::Deps;
use super::sms::outbox::{OutgoingMessage, SmsOutbox};
use super::sms::proof::reply_key;
use super::sms::routes::{SmsRoute, SmsRoutes};
use super::sms_responder::{RetryLater, Sender, SmsReaction, SmsReply, SmsResponder};
use super::strangers::StrangerKind;
use crate::core::ids::MessageId;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::core::time::Timestamp;
use crate::gateways::sms::{CallbackOutcome, DeliveryReport, IncomingSms, SmsCallback, SmsCallbackError};
use crate::gateways::{RawRequest, WireReply};
use crate::records::{InboundSms, Job, SmsKind, SmsMessage, SmsPreference, SmsReport, SmsReportOutcome};

/// How long a reply to an SMS is worth sending.
const REPLY_VALID_FOR: Duration = Duration::from_hours(1);
/// How often a person gets a hint.
const HINT_EVERY: Duration = Duration::from_hours(1);

pub struct SmsInbox {
    pub deps: Deps,
    pub routes: SmsRoutes,
    pub responder: SmsResponder,
    pub outbox: Arc<SmsOutbox>,
}

#[async_trait]
impl SmsCallbacks for SmsInbox {
    fn admit(&self, name: &str, secret: &str) -> Option<Arc<SmsRoute>> {
        let route = self.routes.by_name(name);
        let admitted = route.filter(|route| route.secret.expose().as_bytes().ct_eq(secret.as_bytes()).into());
        if admitted.is_none() {
            self.deps.strangers.count(StrangerKind::SmsCallback);
        }
        admitted.map(Arc::clone)
    }

    async fn receive(&self, route: Arc<SmsRoute>, request: IncomingRequest) -> WireReply {
        let answer = match parse(&route, &request) {
            Ok(callbacks) => self.process(&route, callbacks).await,
            Err(error) => {
                tracing::warn!(route = route.name, %error, "SMS gateway callback rejected");
                match error {
                    SmsCallbackError::Unauthentic => {
                        self.deps.strangers.count(StrangerKind::SmsCallback);
                        CallbackOutcome::Unauthentic
                    }
                    SmsCallbackError::Malformed(_) => {
                        self.deps.metrics.sms_unreadable(route.gateway.name());
                        CallbackOutcome::Malformed
                    }
                }
            }
        };
        route.gateway.render_answer(answer)
    }
}

fn parse(route: &SmsRoute, request: &IncomingRequest) -> Result<Vec<SmsCallback>, SmsCallbackError> {
    let body = request.body.as_deref();
    route.gateway.parse_callback(&RawRequest {
        method: &request.method,
        // Many register a callback with a slash at its end.
        tail: request.tail.trim_end_matches('/'),
        query: &request.query,
        headers: &request.headers,
        body: body.ok_or(SmsCallbackError::Malformed("the body is too long"))?,
        country: &route.country,
    })
}

impl SmsInbox {
    /// Processes all of it, or asks for it to come again. What was processed stays so, and one entry that cannot be
    /// processed now does not hold up those behind it.
    async fn process(&self, route: &SmsRoute, callbacks: Vec<SmsCallback>) -> CallbackOutcome {
        let (mut outcome, mut unreadable) = (CallbackOutcome::Accepted, Vec::new());
        for callback in callbacks {
            let processed = match callback {
                // It holds a whole conversation, which is not to be moved with every future around it.
                SmsCallback::Incoming(sms) => Box::pin(self.incoming(route, &sms)).await,
                SmsCallback::Report(report) => self.report(route, &report).await,
                SmsCallback::Unreadable(why) => {
                    unreadable.push(why);
                    self.deps.metrics.sms_unreadable(route.gateway.name());
                    Ok(())
                }
                SmsCallback::OptedOut(number) => {
                    let (tag, now) = (self.deps.sealing.keyring.tag(&number), self.deps.clock.now());
                    let stopped = self.outbox.record_opt_out(self.outbox.partner(), &tag, now).await;
                    stopped.map_err(RetryLater::from)
                }
            };
            if let Err(error) = processed {
                tracing::warn!(route = route.name, %error, "SMS gateway callback cannot be processed now");
                outcome = CallbackOutcome::Unavailable;
            }
        }
        if let Some(first) = unreadable.first() {
            let (route, entries) = (&route.name, unreadable.len());
            tracing::info!(
                route,
                entries,
                why = first,
                "an SMS gateway's callback has entries that cannot be read"
            );
        }
        outcome
    }

    async fn incoming(&self, route: &SmsRoute, sms: &IncomingSms) -> Result<(), RetryLater> {
        let now = self.deps.clock.now();
        let (partner, tag) = (self.outbox.partner(), self.deps.sealing.keyring.tag(&sms.from));
        // What was received is not acted on again, however late it comes: the conversation remembers only the last SMS.
        if self.deps.records.has_received_sms(&route.name, &sms.message_id).await? {
            return Ok(());
        }
        // A keyword stands in the first part; a later part is neither a keyword nor worth a reply.
        let speaks = sms.handled.is_none() && sms.part.as_ref().is_none_or(|part| part.part == 1);
        let kept = if speaks {
            self.deps.records.sms_preference(partner, &tag).await?
        } else {
            None
        };
        let stopped = kept.filter(|found| found.stopped).map(|found| found.at);
        let from = Sender {
            route,
            partner,
            tag,
            stopped,
        };
        // The reply goes by the route that it came by.
        let served = route.serves(&sms.from);
        let reaction = match sms.handled {
            Some(handled) => SmsReaction::to_handled(handled),
            None if !speaks => SmsReaction::default(),
            None if served => self.responder.respond(sms, &from).await?,
            None => SmsReaction::to_unreachable(sms, stopped.is_some()),
        };
        let preference = reaction.stop.map(|stopped| SmsPreference {
            stopped,
            // A gateway whose clock is ahead must not date a preference into the future.
            at: sms.received_at.map_or(now, |at| at.min(now)),
        });
        if !served {
            // Anybody can text in the name of a dear number abroad. Nothing can be sent to it, and all that is written is what
            // its owner wants, should that ever change: one row, however often they say so.
            if let Some(preference) = preference {
                self.deps.records.put_sms_preference(partner, &tag, preference).await?;
            }
            let stop = reaction.stop;
            tracing::info!(
                route = route.name,
                stop,
                "SMS not answered: it came by a route that is not for the sender's country"
            );
            return Ok(());
        }
        let incoming = InboundSms {
            gateway: &route.name,
            gateway_id: &sms.message_id,
            partner,
            tag,
            preference,
            reply: self.reply(route, sms, reaction.reply.as_ref(), now),
            overruled: self.overruled(route, sms, &reaction, kept),
        };
        let first = self.deps.records.receive_sms(&incoming, now).await?;
        tracing::info!(route = route.name, ?tag, first, stop = reaction.stop, "SMS received");
        Ok(())
    }

    fn reply(
        &self,
        route: &SmsRoute,
        sms: &IncomingSms,
        reply: Option<&SmsReply>,
        now: Timestamp,
    ) -> Option<(SmsMessage, Job)> {
        let reply = reply?;
        let key = if reply.hint {
            let hour = now.as_millis() / i64::try_from(HINT_EVERY.as_millis()).unwrap_or(i64::MAX);
            format!(
                "hint:{}:{}:{hour}",
                route.name,
                self.deps.sealing.keyring.tag(&sms.from).to_hex()
            )
        } else {
            reply_key(&route.name, &sms.message_id)
        };
        self.draft(route, sms, reply, key)
    }

    /// What is said of a STOP or START that came too late: what holds, once, however many come.
    fn overruled(
        &self,
        route: &SmsRoute,
        sms: &IncomingSms,
        reaction: &SmsReaction,
        kept: Option<SmsPreference>,
    ) -> Option<(SmsMessage, Job)> {
        let tag = self.deps.sealing.keyring.tag(&sms.from).to_hex();
        let since = kept.map_or(0, |kept| kept.at.as_millis());
        self.draft(route, sms, reaction.overruled.as_ref()?, format!("holds:{tag}:{since}"))
    }

    fn draft(&self, route: &SmsRoute, sms: &IncomingSms, reply: &SmsReply, key: String) -> Option<(SmsMessage, Job)> {
        let message = OutgoingMessage {
            to: &sms.from,
            kind: SmsKind::Reply,
            key,
            text: &reply.text,
            // From the number they wrote to, where the route has no sender.
            route: Some((
                route,
                Some(&sms.to)
                    .filter(|to| route.sender.is_none() && !to.is_empty())
                    .cloned(),
            )),
            valid_for: REPLY_VALID_FOR,
        };
        match self.outbox.draft(message) {
            Ok(drafted) => Some(drafted),
            Err(error) => {
                tracing::warn!(route = route.name, %error, "SMS not replied to");
                None
            }
        }
    }

    async fn report(&self, route: &SmsRoute, report: &DeliveryReport) -> Result<(), RetryLater> {
        let now = self.deps.clock.now();
        let report_row = SmsReport {
            gateway: &route.name,
            gateway_id: &report.message_id,
            reference: report.reference.as_deref().and_then(|id| MessageId::parse(id).ok()),
            state: report.state.into(),
        };
        let reported = self.deps.records.apply_report(report_row, now).await?;
        tracing::debug!(route = route.name, state = ?report.state, ?reported, "delivery report received");
        match (reported, report.state) {
            // They had opted out when it was sent; a START since then is later.
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
