//! A turn by USSD: one callback of a gateway, and its reply in the gateway's dialect, always within the deadline.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::round::TurnRequest;
use super::{TurnError, TurnHandle, TurnRunner};
use crate::core::budget::{self, Deadlines};
use crate::core::flow::state::{Subscriber, TurnReply};
use crate::core::flow::turn_context::TurnContext;
use crate::core::messages::Locale;
use crate::core::time::Timestamp;
use crate::gateways::{DialogEnd, DialogEndNotice, ParseError, RawRequest, UssdCallback, UssdRequest, WireReply};
use crate::service::admission::authenticate_channel;
use crate::service::callbacks::{IncomingRequest, UssdCallbacks};
use crate::service::channel::Channel;
use crate::service::metrics::{Storage, TurnOutcome};

/// How much later than its budget a turn may be when even the poll screen cannot be set.
const SLACK: Duration = Duration::from_millis(300);

/// What the gateway waits for.
enum ReplyExpected {
    Screen,
    /// Only an acknowledgement: no screen may be sent.
    Acknowledgement,
}

#[async_trait]
impl UssdCallbacks for TurnHandle {
    fn admit(&self, name: &str, secret: &str, caller: Option<IpAddr>) -> Option<Arc<Channel>> {
        authenticate_channel(&self.0.channels, name, secret, caller)
    }

    async fn answer(&self, channel: Arc<Channel>, request: IncomingRequest) -> WireReply {
        let Some(sink) = channel.gateway.sink() else {
            return self.0.serve(&channel, &request).await.1;
        };
        // The gateway only wants to know that we have it; the screen follows in a call of ours.
        let turns = self.0.clone();
        let acknowledgement = channel.gateway.render(None, &[]);
        self.0.runtime.spawn(async move {
            if let (ReplyExpected::Screen, reply) = turns.serve(&channel, &request).await {
                sink.deliver(reply).await;
            }
        });
        acknowledgement
    }
}

impl TurnRunner {
    async fn serve(&self, channel: &Channel, request: &IncomingRequest) -> (ReplyExpected, WireReply) {
        let _open = self.metrics.open_turn();
        let started = self.runtime.clock.now();
        let raw = RawRequest {
            method: &request.method,
            tail: &request.tail,
            query: &request.query,
            headers: &request.headers,
            body: request.body.as_deref().map_or(&[][..], Vec::as_slice),
            country: &channel.country,
        };
        let parsed = if request.body.is_some() {
            channel.gateway.parse(&raw)
        } else {
            Err(ParseError::TooLong)
        };
        let (outcome, expected, wire) = match parsed {
            Ok(UssdRequest::Turn(mut callback)) => {
                let echo = std::mem::take(&mut callback.echo);
                let (outcome, reply) = self.bounded(channel, callback, started).await;
                (
                    outcome,
                    ReplyExpected::Screen,
                    channel.gateway.render(Some(&reply), &echo),
                )
            }
            Ok(UssdRequest::DialogEnd(notice)) => {
                self.dialog_ended(channel, &notice).await;
                let wire = channel.gateway.render(None, &[]);
                (TurnOutcome::Notice, ReplyExpected::Acknowledgement, wire)
            }
            Err(error) => {
                tracing::info!(channel = channel.name, %error, "callback not understood");
                let wire = channel.gateway.render(Some(&self.refusal(error.message_id())), &[]);
                (TurnOutcome::Misunderstood, ReplyExpected::Screen, wire)
            }
        };
        self.metrics.turn(outcome, self.runtime.clock.now().since(started));
        (expected, wire)
    }

    /// A turn within the limits and with its deadline: whatever hangs, the person gets an END in time.
    async fn bounded(&self, channel: &Channel, callback: UssdCallback, started: Timestamp) -> (TurnOutcome, TurnReply) {
        if !self.gate.try_admit(channel, callback.input.begins_dialog(), started) {
            return (TurnOutcome::Shed, self.refusal("busy"));
        }
        let limits = channel.limits(callback.network.as_deref());
        let deadlines = Deadlines::from(&limits);
        let request = TurnRequest {
            tag: self.keyring.tag(&callback.msisdn),
            msisdn: &callback.msisdn,
            locale: Locale::default(),
            event: callback.input,
            context: TurnContext {
                key: self.dialog_key(channel, &callback.dialog),
                channel: &channel.name,
                country: &channel.country,
                septets: usize::from(limits.out_septets.saturating_sub(channel.gateway.overhead())),
                deadlines,
                interactive_time: budget::interactive_time(deadlines),
                started,
                turn_id: callback.turn_id.as_deref().map(|id| self.short_digest(id)),
                sms: None,
            },
        };
        let time = budget::answer_time(deadlines) + SLACK;
        let (storage, error) = match tokio::time::timeout(time, self.run(&request)).await {
            Ok(Ok(served)) => return (served.outcome, served.reply),
            Ok(Err(error @ TurnError::Records(_))) => (Storage::Records, error),
            Ok(Err(error)) => (Storage::Store, error),
            Err(_) => (Storage::Store, TurnError::Timeout),
        };
        tracing::warn!(channel = channel.name, %error, "turn could not be served");
        self.metrics.storage_error(storage);
        (TurnOutcome::Failed, self.refusal("busy"))
    }

    fn dialog_key(&self, channel: &Channel, dialog: &str) -> [u8; 32] {
        self.keyring
            .digest("dialog", &[channel.name.as_bytes(), dialog.as_bytes()])
    }

    /// Closes the dialog; what was submitted in it goes on. What no screen has told, or none that was seen, is sent by SMS.
    async fn dialog_ended(&self, channel: &Channel, notice: &DialogEndNotice) {
        let Some(msisdn) = &notice.msisdn else { return };
        let tag = self.keyring.tag(msisdn);
        let key = self.dialog_key(channel, &notice.dialog);
        let (delivered, left) = (notice.end == DialogEnd::Finished, notice.end == DialogEnd::Abandoned);
        let close = |state: &mut Subscriber| {
            let changed = state.close_dialog(&key, delivered, left);
            changed.then(|| state.pending_notification())
        };
        match (self.live.update(&tag, close).await, &self.attempts.updater.handovers) {
            (Ok(Some(Some((attempt, notification)))), Some(handovers)) => {
                handovers.enqueue(attempt, notification, Some(&key)).await;
            }
            (Ok(_), _) => {}
            (Err(error), _) => tracing::warn!(channel = channel.name, %error, "dialog could not be closed"),
        }
    }

    /// An END with one of the answers of last resort, for somebody of whom nothing is known.
    fn refusal(&self, message: &str) -> TurnReply {
        TurnReply::end(self.flow.last_resort(Locale::default(), message))
    }
}
