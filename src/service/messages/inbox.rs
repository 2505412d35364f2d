//! Takes what gateways call us with: texts from people, and what became of ours.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use subtle::ConstantTimeEq as _;

use super::{Correspondent, IncomingHandler, Line, Lines, NotNow, Note, Outbox, Reaction};
use crate::core::ids::MessageId;
use crate::core::seal::Keyring;
use crate::core::sms::{DeliveryState, Failure};
use crate::core::time::Timestamp;
use crate::gateways::{RawRequest, WireReply};
use crate::records::{Incoming, Job, Message, MessageKind, Records, Report, Reported, Wish};
use crate::service::runtime::Runtime;
use crate::service::{Messages, OwnedRequest};
use crate::sms::{DeliveryReport, Heard, HookAnswer, HookError, IncomingSms};

/// How long an answer to a text is worth sending.
const REPLY_WITHIN: Duration = Duration::from_hours(1);
/// How often a person gets a hint.
const HINT_EVERY: Duration = Duration::from_hours(1);

/// Takes them.
pub struct Inbox {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Tags people.
    pub keyring: Arc<Keyring>,
    /// The gateways.
    pub lines: Lines,
    /// Knows what to do with texts.
    pub handler: Arc<dyn IncomingHandler>,
    /// Writes answers.
    pub outbox: Arc<Outbox>,
    /// Clock.
    pub runtime: Runtime,
}

#[async_trait]
impl Messages for Inbox {
    fn admit(&self, name: &str, secret: &str) -> Option<Arc<Line>> {
        let line = self.lines.named(name)?;
        let same = bool::from(line.secret.expose().as_bytes().ct_eq(secret.as_bytes()));
        same.then(|| Arc::clone(line))
    }

    async fn hear(&self, line: Arc<Line>, request: OwnedRequest) -> WireReply {
        let answer = match understood(&line, &request) {
            Ok(heard) => self.take(&line, heard).await,
            Err(error) => {
                tracing::warn!(line = line.name, %error, "a call of an SMS gateway was not taken");
                match error {
                    HookError::Unauthentic => HookAnswer::Unauthentic,
                    HookError::Garbled(_) => HookAnswer::Garbled,
                }
            }
        };
        line.gateway.answer(answer)
    }
}

fn understood(line: &Line, request: &OwnedRequest) -> Result<Vec<Heard>, HookError> {
    let body = request.body.as_deref();
    line.gateway.hear(&RawRequest {
        method: &request.method,
        tail: &request.tail,
        query: &request.query,
        headers: &request.headers,
        body: body.ok_or(HookError::Garbled("the body is too long, or came too slowly"))?,
        country: &line.country,
    })
}

impl Inbox {
    /// Takes all of it, or asks for it to come again. What of it was taken stays taken.
    async fn take(&self, line: &Line, heard: Vec<Heard>) -> HookAnswer {
        for one in heard {
            let taken = match one {
                Heard::Incoming(sms) => self.incoming(line, &sms).await,
                Heard::Report(report) => self.report(line, &report).await,
                Heard::OptedOut(number) => {
                    let (tag, now) = (self.keyring.tag(&number), self.runtime.clock.now());
                    let stopped = self.outbox.stopped(self.outbox.partner(), &tag, now).await;
                    stopped.map_err(NotNow::from)
                }
            };
            if let Err(error) = taken {
                tracing::warn!(line = line.name, %error, "a call of an SMS gateway cannot be taken now");
                return HookAnswer::Unavailable;
            }
        }
        HookAnswer::Taken
    }

    async fn incoming(&self, line: &Line, sms: &IncomingSms) -> Result<(), NotNow> {
        let now = self.runtime.clock.now();
        let (partner, tag) = (self.outbox.partner(), self.keyring.tag(&sms.from));
        // What was taken is not stepped with again, however late it comes: the conversation remembers its last texts only.
        if self.records.has_taken(&line.name, &sms.message_id).await? {
            return Ok(());
        }
        // What a person asks for stands at the beginning; what follows is neither a command nor worth an answer.
        let reaction = if sms.part.as_ref().is_none_or(|part| part.part == 1) {
            let wish = self.records.wish(partner, &tag).await?;
            let stopped = wish.filter(|wish| wish.stopped).map(|wish| wish.at);
            let from = Correspondent { line, tag, stopped };
            self.handler.handle(sms, &from).await?
        } else {
            Reaction::default()
        };
        let wish = reaction.stop.map(|stopped| Wish {
            stopped,
            // A gateway whose clock is ahead must not make a wish last that was not said yet.
            at: sms.received_at.map_or(now, |at| at.min(now)),
        });
        let incoming = Incoming {
            line: &line.name,
            gateway_id: &sms.message_id,
            partner,
            tag,
            wish,
            reply: self.reply(line, sms, &reaction, now),
        };
        let first = self.records.take_incoming(&incoming, now).await?;
        tracing::info!(line = line.name, ?tag, first, stop = reaction.stop, "a text was taken");
        Ok(())
    }

    fn reply(&self, line: &Line, sms: &IncomingSms, reaction: &Reaction, now: Timestamp) -> Option<(Message, Job)> {
        let reply = reaction.reply.as_ref()?;
        let key = if reply.hint {
            let hour = now.as_millis() / i64::try_from(HINT_EVERY.as_millis()).unwrap_or(i64::MAX);
            format!("hint:{}:{}:{hour}", line.name, self.keyring.tag(&sms.from).to_hex())
        } else {
            format!("reply:{}:{}", line.name, sms.message_id)
        };
        let note = Note {
            to: &sms.from,
            kind: MessageKind::Reply,
            key,
            text: &reply.text,
            // From the number they wrote to, where there is no sender of ours.
            by: Some((line, line.sender.is_none().then(|| sms.to.clone()))),
            within: REPLY_WITHIN,
        };
        match self.outbox.draft(note) {
            Ok(drafted) => Some(drafted),
            Err(error) => {
                tracing::warn!(line = line.name, %error, "a text is not answered");
                None
            }
        }
    }

    async fn report(&self, line: &Line, report: &DeliveryReport) -> Result<(), NotNow> {
        let now = self.runtime.clock.now();
        let told = Report {
            line: &line.name,
            gateway_id: &report.message_id,
            reference: report.reference.as_deref().and_then(|id| MessageId::parse(id).ok()),
            state: report.state.into(),
        };
        let reported = self.records.hear_report(told, now).await?;
        tracing::debug!(line = line.name, state = ?report.state, ?reported, "a delivery report was taken");
        match (reported, report.state) {
            // They had said so when it was sent; a START since then is later.
            (
                Reported::Moved {
                    partner,
                    tag,
                    created_at,
                },
                DeliveryState::Failed(Failure::OptedOut),
            ) => Ok(self.outbox.stopped(partner, &tag, created_at).await?),
            _ => Ok(()),
        }
    }
}
