//! A turn by USSD: one callback of a gateway, and its reply in the gateway's dialect, always within the deadline.

use std::borrow::Cow;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;

use super::round::TurnRequest;
use super::{TurnError, TurnHandle, TurnRunner};
use crate::core::budget::{self, Deadlines};
use crate::core::dialed::segments_behind_code;
use crate::core::flow::state::{Subscriber, TurnReply};
use crate::core::flow::turn_context::{TurnContext, TurnEvent};
use crate::core::messages::Locale;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::gateways::ussd_carrier::BoundTurns;
use crate::gateways::{
    Caller, DialogEnd, DialogEndNotice, Echo, ParseError, RawRequest, UssdCallback, UssdInput, UssdRefusal, UssdReply,
    UssdRequest, WireReply,
};
use crate::service::admission::authenticate_channel;
use crate::service::callbacks::{IncomingRequest, TURN_FAILED_TEXT, UssdCallbacks};
use crate::service::channel::Channel;
use crate::service::live::LoadedValue;
use crate::service::metrics::{Storage, TurnOutcome};
use crate::service::strangers::StrangerKind;
use crate::service::told::ToldChange;
use crate::store::IndexKey;

/// How much later than its budget a turn may be when even the poll screen cannot be set.
const SLACK: Duration = Duration::from_millis(300);

/// For how long it is known whose a dialog is: longer than any lasts, and than notices of its end are late.
const DIALOG_INDEX_TTL: Duration = Duration::from_mins(15);

/// What a request is answered with, in no dialect yet.
pub(super) enum UssdAnswer {
    Screen(TurnReply),
    Acknowledged(DialogEnd),
    Probed { open: bool },
}

#[async_trait]
impl UssdCallbacks for TurnHandle {
    fn admit(&self, name: &str, secret: &str, caller: Option<IpAddr>) -> Option<Arc<Channel>> {
        let admitted = authenticate_channel(&self.0.channels, name, secret, caller);
        if admitted.is_none() {
            self.0.runtime.strangers.count(StrangerKind::UssdCallback);
        }
        admitted
    }

    async fn answer(&self, channel: Arc<Channel>, request: IncomingRequest) -> Option<WireReply> {
        let parsed = parse(&channel, &request);
        drop(request);
        self.0.respond(&channel, parsed).await
    }
}

/// The turns of one channel, for requests that come over a connection that its gateway keeps open.
pub struct ChannelTurns {
    pub turns: Arc<TurnRunner>,
    pub channel: Arc<Channel>,
}

#[async_trait]
impl BoundTurns for ChannelTurns {
    async fn answer(&self, request: UssdRequest) -> Option<WireReply> {
        self.turns.respond(&self.channel, Ok(request)).await
    }
}

/// A body that was too long or too slow is not read, and the rest of the request still says what the answer must echo.
fn parse(channel: &Channel, request: &IncomingRequest) -> Result<UssdRequest, UssdRefusal> {
    let parsed = channel.gateway.parse(&RawRequest {
        method: &request.method,
        tail: &request.tail,
        query: &request.query,
        headers: &request.headers,
        body: request.body.as_deref().map_or(&[][..], Vec::as_slice),
        country: &channel.country,
    });
    if request.body.is_some() || matches!(parsed, Err(UssdRefusal::NotYours)) {
        return parsed;
    }
    let echo = match parsed {
        Ok(
            UssdRequest::Turn(UssdCallback { echo, .. })
            | UssdRequest::DialogEnd(DialogEndNotice { echo, .. })
            | UssdRequest::Probe { echo, .. },
        )
        | Err(UssdRefusal::Misread { echo, .. }) => echo,
        Err(UssdRefusal::NotYours) => Echo::default(),
    };
    Err(UssdRefusal::Misread {
        why: ParseError::TooLong,
        echo,
    })
}

/// What was typed or dialed, as the conversation takes it.
fn to_event(input: UssdInput, service_code: &str) -> TurnEvent {
    let behind = |text: &str| segments_behind_code(text, service_code).unwrap_or_default();
    match input {
        UssdInput::Dialed(text) => TurnEvent::Begin {
            dialed: behind(text.expose()),
        },
        UssdInput::DialedBehindCode(text) => {
            let segments = text.expose().split('*').filter(|segment| !segment.is_empty());
            TurnEvent::Begin {
                dialed: segments.map(str::to_owned).collect(),
            }
        }
        UssdInput::Latest(line) => TurnEvent::Latest(line),
        UssdInput::Cumulative(text) => TurnEvent::Cumulative(text),
        UssdInput::DialedOrLatest(line) => TurnEvent::DialedOrLatest {
            dialed: behind(line.expose()),
            line,
        },
    }
}

impl TurnRunner {
    /// Answers a request; `None` when it is not the gateway's. Where the gateway takes its screens in a call of ours, the
    /// answer only says that the request was taken, and the screen follows.
    async fn respond(
        self: &Arc<Self>,
        channel: &Arc<Channel>,
        parsed: Result<UssdRequest, UssdRefusal>,
    ) -> Option<WireReply> {
        let parsed = match parsed {
            Err(UssdRefusal::NotYours) => {
                // Either a key is configured wrongly, or somebody has the secret: the operator must see both.
                tracing::warn!(channel = channel.name, "callback is not from this channel's gateway");
                return None;
            }
            Err(UssdRefusal::Misread { why, echo }) => Err((why, echo)),
            Ok(request) => Ok(request),
        };
        let screen = matches!(parsed, Err(_) | Ok(UssdRequest::Turn(_)));
        let network = match &parsed {
            Ok(UssdRequest::Turn(callback)) => callback.network.clone(),
            _ => None,
        };
        if !(screen && channel.delivers()) {
            let (answer, echo) = self.serve(channel, parsed).await;
            return Some(render(channel, network.as_deref(), &answer, &echo));
        }
        let (turns, to) = (self.clone(), channel.clone());
        let taken = channel.gateway.render(&UssdReply::Taken, echo_of(&parsed));
        self.runtime.spawn(async move {
            let (answer, echo) = turns.serve(&to, parsed).await;
            turns.deliver(&to, network.as_deref(), &answer, &echo).await;
        });
        Some(taken)
    }

    /// Serves a request in time, whatever breaks.
    async fn serve(&self, channel: &Channel, parsed: Result<UssdRequest, (ParseError, Echo)>) -> (UssdAnswer, Echo) {
        let _open = self.metrics.open_turn();
        let started = self.runtime.clock.now();
        let (outcome, answer, echo) = match parsed {
            Ok(UssdRequest::Turn(mut callback)) => {
                let echo = std::mem::take(&mut callback.echo);
                // The echo must outlive a turn that panics.
                let turn = AssertUnwindSafe(self.bounded(channel, callback, started))
                    .catch_unwind()
                    .await;
                let broken = |_| (TurnOutcome::Failed, TurnReply::end(TURN_FAILED_TEXT.to_owned()));
                let (outcome, reply) = turn.unwrap_or_else(broken);
                (outcome, UssdAnswer::Screen(reply), echo)
            }
            Ok(UssdRequest::DialogEnd(notice)) => {
                self.dialog_ended(channel, &notice).await;
                (TurnOutcome::Notice, UssdAnswer::Acknowledged(notice.end), notice.echo)
            }
            Ok(UssdRequest::Probe { dialog, echo }) => {
                let open = self.dialog_open(channel, &dialog).await;
                (TurnOutcome::Notice, UssdAnswer::Probed { open }, echo)
            }
            Err((why, echo)) => {
                tracing::info!(channel = channel.name, error = %why, "callback not understood");
                let reply = self.refusal(channel, why.message_id());
                (TurnOutcome::Misunderstood, UssdAnswer::Screen(reply), echo)
            }
        };
        self.metrics.turn(outcome, self.runtime.clock.now().since(started));
        (answer, echo)
    }

    /// A turn within the limits and with its deadline: whatever hangs, the person gets an END in time.
    pub(super) async fn bounded(
        &self,
        channel: &Channel,
        callback: UssdCallback,
        started: Timestamp,
    ) -> (TurnOutcome, TurnReply) {
        if !self.gate.try_admit(channel, callback.input.begins_dialog(), started) {
            return (TurnOutcome::Shed, self.refusal(channel, "busy"));
        }
        let deadlines = Deadlines::from(&channel.limits(callback.network.as_deref()));
        let time = budget::answer_time(deadlines) + SLACK;
        // It holds a whole conversation, which is not to be moved with every future around it.
        let turn = Box::pin(self.turn(channel, callback, started));
        let (storage, error) = match tokio::time::timeout(time, turn).await {
            Ok(Ok(served)) => return served,
            Ok(Err(error @ TurnError::Records(_))) => (Storage::Records, error),
            Ok(Err(error)) => (Storage::Store, error),
            Err(_) => (Storage::Store, TurnError::Timeout),
        };
        tracing::warn!(channel = channel.name, %error, "turn could not be served");
        self.metrics.storage_error(storage);
        (TurnOutcome::Failed, self.refusal(channel, "busy"))
    }

    async fn turn(
        &self,
        channel: &Channel,
        callback: UssdCallback,
        started: Timestamp,
    ) -> Result<(TurnOutcome, TurnReply), TurnError> {
        let Some(tag) = self.caller(channel, &callback.dialog, &callback.caller).await? else {
            return Ok((TurnOutcome::Misunderstood, self.refusal(channel, "expired")));
        };
        let limits = channel.limits(callback.network.as_deref());
        let deadlines = Deadlines::from(&limits);
        let msisdn = match &callback.caller {
            Caller::Number(msisdn) => Some(msisdn),
            Caller::KnownDialog => None,
        };
        if msisdn.is_some() && channel.gateway.names_dialogs_only() {
            let name = self.dialog_index(channel, &callback.dialog);
            self.runtime.store.set_index(&name, &tag, DIALOG_INDEX_TTL).await?;
        }
        let request = TurnRequest {
            kept_with: None,
            tag,
            msisdn,
            locale: self.flow.get().settings.first_language(),
            event: to_event(callback.input, &channel.service_code),
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
        let served = self.run(&request).await?;
        Ok((served.outcome, served.reply))
    }

    /// Whose a dialog is; `None` when only the dialog is named, and not known.
    async fn caller(
        &self,
        channel: &Channel,
        dialog: &str,
        caller: &Caller,
    ) -> Result<Option<SubscriberTag>, TurnError> {
        match caller {
            Caller::Number(msisdn) => Ok(Some(self.keyring.tag(msisdn))),
            Caller::KnownDialog if channel.gateway.names_dialogs_only() => {
                let name = self.dialog_index(channel, dialog);
                Ok(self.runtime.store.look_up(&name).await?)
            }
            Caller::KnownDialog => Ok(None),
        }
    }

    /// Whether a dialog goes on, as far as is known here.
    async fn dialog_open(&self, channel: &Channel, dialog: &str) -> bool {
        let Ok(Some(tag)) = self.caller(channel, dialog, &Caller::KnownDialog).await else {
            return false;
        };
        let key = self.dialog_key(channel, dialog);
        let now = self.runtime.clock.now();
        match self.live.load(&tag).await.map(|loaded| loaded.value) {
            Ok(LoadedValue::Subscriber(state)) => {
                let mut dialogs = state.dialogs.iter();
                dialogs.any(|dialog| dialog.key == key && !dialog.closed && now < dialog.ends_at)
            }
            _ => false,
        }
    }

    /// The name in the live store by which a dialog is found; it says nothing to anyone who reads the store.
    fn dialog_index(&self, channel: &Channel, dialog: &str) -> IndexKey {
        let parts = [channel.name.as_bytes(), dialog.as_bytes()];
        IndexKey(self.keyring.digest("dialog index", &parts))
    }

    fn dialog_key(&self, channel: &Channel, dialog: &str) -> [u8; 32] {
        self.keyring
            .digest("dialog", &[channel.name.as_bytes(), dialog.as_bytes()])
    }

    /// Closes the dialog; what was submitted in it goes on. What no screen has told, or none that was seen, is sent by SMS.
    pub(super) async fn dialog_ended(&self, channel: &Channel, notice: &DialogEndNotice) {
        let tag = match self.caller(channel, &notice.dialog, &notice.caller).await {
            Ok(Some(tag)) => tag,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(channel = channel.name, %error, "dialog could not be closed");
                return;
            }
        };
        let key = self.dialog_key(channel, &notice.dialog);
        let (delivered, left) = (notice.end == DialogEnd::Finished, notice.end == DialogEnd::Abandoned);
        let close = |state: &mut Subscriber| {
            let told = state.told();
            let changed = state.close_dialog(&key, delivered, left);
            state.note_dialog_end(self.runtime.clock.now());
            changed.then(|| (state.pending_notification(), ToldChange::unsaid(told, state)))
        };
        let closed = self.live.update(&tag, close).await.map(|closed| {
            closed.map(|(pending, unsaid)| {
                self.runtime.save_told(unsaid);
                pending
            })
        });
        match (closed, &self.attempts.updater.handovers) {
            (Ok(Some(Some((attempt, notification)))), Some(handovers)) => {
                handovers.enqueue(attempt, notification, Some(&key)).await;
            }
            (Ok(_), _) => {}
            (Err(error), _) => tracing::warn!(channel = channel.name, %error, "dialog could not be closed"),
        }
    }

    /// An END with one of the answers of last resort, for somebody of whom nothing is known.
    fn refusal(&self, channel: &Channel, message: &str) -> TurnReply {
        TurnReply::end(self.flow.get().last_resort(Locale::default(), message, &channel.name))
    }
}

fn echo_of(parsed: &Result<UssdRequest, (ParseError, Echo)>) -> &Echo {
    match parsed {
        Ok(
            UssdRequest::Turn(UssdCallback { echo, .. })
            | UssdRequest::DialogEnd(DialogEndNotice { echo, .. })
            | UssdRequest::Probe { echo, .. },
        )
        | Err((_, echo)) => echo,
    }
}

/// The answer in the gateway's dialect.
fn render(channel: &Channel, network: Option<&str>, answer: &UssdAnswer, echo: &Echo) -> WireReply {
    match answer {
        UssdAnswer::Screen(reply) => {
            let reply = spelled(channel, network, reply);
            channel.gateway.render(&UssdReply::from(reply.as_ref()), echo)
        }
        UssdAnswer::Acknowledged(end) => channel.gateway.render(&UssdReply::Acknowledged(*end), echo),
        UssdAnswer::Probed { open } => channel.gateway.render(&UssdReply::Probed { open: *open }, echo),
    }
}

/// A screen in the alphabet that the gateway takes.
pub(super) fn spelled<'a>(channel: &Channel, network: Option<&str>, reply: &'a TurnReply) -> Cow<'a, TurnReply> {
    match channel.limits(network).alphabet.spell(&reply.text) {
        Cow::Borrowed(_) => Cow::Borrowed(reply),
        Cow::Owned(text) => Cow::Owned(TurnReply { text, ..*reply }),
    }
}
