//! The walk of one turn: parse, admit, load, step, swap, effects, answer.
//!
//! The web server runs a whole turn as a tracked task on the main runtime: it would drop a handler when the caller goes
//! away, and what a person has submitted must not stop half-way because a gateway lost patience.
//!
//! Effects run only for the winner of the swap; the loser reads again and finds itself a repeat, or steps again. A turn
//! that submitted something has a pending answer, which is set exactly once: by the outcome, or at the end of the
//! budget by the poll screen. Whoever repeats the turn gets exactly what was set.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::admission::{TurnLimiter, authenticate_channel};
use super::catalogue::Catalogue;
use super::deps::Deps;
use super::effects::EffectRunner;
use super::facts_reader::FactsReader;
use super::live::{LiveError, LiveValues, LoadedValue};
use super::metrics::{Metrics, Storage, TurnOutcome};
use super::wakeups::Wakeups;
use super::{Channel, IncomingRequest, UssdCallbacks};
use crate::core::budget::{self, Deadlines};
use crate::core::flow::dialogs::{DialogDecision, Seat, Typed};
use crate::core::flow::state::{ReplySlot, Subscriber, TurnReply};
use crate::core::flow::{Flow, Input};
use crate::core::messages::Locale;
use crate::core::seal::Keyring;
use crate::core::time::Timestamp;
use crate::gateways::{
    DialogEnd, DialogEndNotice, ParseError, RawRequest, ScreenReply, UssdCallback, UssdInput, UssdLimits, UssdRequest,
    WireReply,
};
use crate::records::RecordsError;
use crate::store::{StoreError, Version};

use self::walk::Walk;

mod step;
pub mod texts;
mod walk;

/// How often a turn that loses its swap is stepped again.
const MAX_ROUNDS: usize = 8;

/// Answers turns.
pub struct TurnRunner {
    /// The conversation.
    pub flow: Arc<Flow>,
    /// Live values.
    pub live: LiveValues,
    /// What the records know of a person.
    pub facts: FactsReader,
    /// What can be linked.
    pub catalogue: Arc<Catalogue>,
    /// Runs effects.
    pub attempts: Arc<EffectRunner>,
    /// Names people and dialogs.
    pub keyring: Arc<Keyring>,
    /// Clock, chance, node id and the runtime tasks live on.
    pub runtime: Deps,
    /// Wakes turns that wait in this process.
    pub wakes: Wakeups,
    /// Cancelled when this process is about to end: no turn waits for a bank any longer.
    pub shutdown: CancellationToken,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// The channels served.
    pub channels: Vec<Arc<Channel>>,
    /// How many turns are served.
    pub gate: TurnLimiter,
}

/// What whoever called waits for.
enum Awaited {
    /// A screen.
    Screen,
    /// Only to know that we have it: no screen may be sent.
    Nothing,
}

/// A service used by its handle.
#[derive(Clone)]
pub struct TurnHandle(pub Arc<TurnRunner>);

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
        let ack = channel.gateway.render(None, &[]);
        self.0.runtime.spawn(async move {
            if let (Awaited::Screen, reply) = turns.serve(&channel, &request).await {
                sink.deliver(reply).await;
            }
        });
        ack
    }
}

impl TurnRunner {
    async fn serve(&self, channel: &Channel, request: &IncomingRequest) -> (Awaited, WireReply) {
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
        let (outcome, awaited, wire) = match parsed {
            Ok(UssdRequest::Turn(callback)) => {
                let (outcome, reply) = self.bounded(channel, &callback, started).await;
                let wire = channel.gateway.render(Some(&reply), &callback.echo);
                (outcome, Awaited::Screen, wire)
            }
            Ok(UssdRequest::DialogEnd(notice)) => {
                self.notice(channel, &notice).await;
                (TurnOutcome::Notice, Awaited::Nothing, channel.gateway.render(None, &[]))
            }
            Err(error) => {
                tracing::info!(channel = channel.name, %error, "a callback was not understood");
                let reply = self.last_resort(error.message_id());
                let wire = channel.gateway.render(Some(&reply), &[]);
                (TurnOutcome::Misunderstood, Awaited::Screen, wire)
            }
        };
        self.metrics.turn(outcome, self.runtime.clock.now().since(started));
        (awaited, wire)
    }

    /// A turn within the limits and with its deadline: whatever hangs, the person gets an END in time.
    async fn bounded(
        &self,
        channel: &Channel,
        callback: &UssdCallback,
        started: Timestamp,
    ) -> (TurnOutcome, ScreenReply) {
        if !self.gate.try_admit(channel, callback.begins_dialog(), started) {
            return (TurnOutcome::Shed, self.last_resort("busy"));
        }
        let limits = channel.limits(callback.network.as_deref());
        let patience = limits
            .turn
            .saturating_sub(budget::DEADLINE_MARGIN)
            .min(budget::MAX_ANSWER_TIME)
            + SLACK;
        let (keeper, error) = match tokio::time::timeout(patience, self.turn(channel, callback, &limits, started)).await
        {
            Ok(Ok((outcome, answer))) => return (outcome, answer.into()),
            Ok(Err(error @ TurnError::Records(_))) => (Storage::Records, error.to_string()),
            Ok(Err(error)) => (Storage::Store, error.to_string()),
            Err(_) => (Storage::Store, "out of time".to_owned()),
        };
        tracing::warn!(channel = channel.name, error, "a turn could not be served");
        self.metrics.storage_error(keeper);
        (TurnOutcome::Failed, self.last_resort("busy"))
    }

    async fn turn(
        &self,
        channel: &Channel,
        callback: &UssdCallback,
        limits: &UssdLimits,
        started: Timestamp,
    ) -> Result<(TurnOutcome, TurnReply), TurnError> {
        let tag = self.keyring.tag(&callback.msisdn);
        let seat = Seat {
            key: self
                .keyring
                .digest("dialog", &[channel.name.as_bytes(), callback.dialog.as_bytes()]),
            channel: &channel.name,
            septets: usize::from(limits.out_septets.saturating_sub(channel.gateway.overhead())),
            lasts: limits.dialog,
            asks: budget::interactive_time(Deadlines::from(limits)),
            turn: callback.turn_id.as_deref().map(|id| self.short_digest(id)),
        };
        let walk = Walk {
            tag: &tag,
            key: seat.key,
            country: &channel.country,
            limits,
            started,
        };
        for _ in 0..MAX_ROUNDS {
            if let Some(done) = self.round(&walk, &seat, callback).await? {
                return Ok(done);
            }
        }
        Err(LiveError::Contended.into())
    }

    /// Loads, steps and swaps once; `None` when somebody else wrote in between.
    async fn round(
        &self,
        walk: &Walk<'_>,
        seat: &Seat<'_>,
        callback: &UssdCallback,
    ) -> Result<Option<(TurnOutcome, TurnReply)>, TurnError> {
        let tag = walk.tag;
        let loaded = self.live.load(tag).await?;
        let mut state = match loaded.value {
            LoadedValue::Subscriber(state) => *state,
            LoadedValue::Nothing => Subscriber::new(callback.msisdn.clone(), Locale::default()),
            LoadedValue::Unreadable(error) => {
                self.facts.record_unreadable(tag, error).await;
                let answer = self.start_afresh(walk, seat, loaded.version, callback).await?;
                return Ok(Some((TurnOutcome::Ended, answer)));
            }
        };
        let input = match self.admit(&mut state, seat, callback) {
            DialogDecision::Repeat(ReplySlot::Set(answer)) => return Ok(Some((TurnOutcome::Repeated, answer))),
            DialogDecision::Repeat(ReplySlot::Pending { until }) => {
                let (answer, _) = self.wait(walk, until).await?;
                return Ok(Some((TurnOutcome::Repeated, answer)));
            }
            DialogDecision::Over => return Ok(Some((TurnOutcome::Ended, self.end(state.locale, "expired")))),
            DialogDecision::Elsewhere => {
                let answer = self.end(state.locale, Flow::elsewhere_message(&state));
                return Ok(Some((TurnOutcome::Ended, answer)));
            }
            DialogDecision::Step(input) => input,
        };
        if !state
            .turn_bucket
            .try_take(self.gate.subscriber_rate(), 0, self.runtime.clock.now())
        {
            let answer = self.too_many(walk, loaded.version, &mut state, &input).await?;
            return Ok(answer.map(|answer| (TurnOutcome::Shed, answer)));
        }
        let answer_by = walk.answer_by(&state);
        if !self.step(walk, loaded.version, &mut state, input, answer_by).await? {
            return Ok(None);
        }
        let (answer, thinking) = self.answered(walk, &state, answer_by).await?;
        let outcome = match (answer.end, thinking) {
            (true, _) => TurnOutcome::Ended,
            (false, true) => TurnOutcome::Pending,
            (false, false) => TurnOutcome::Continued,
        };
        Ok(Some((outcome, answer)))
    }

    /// Somebody asks for too many turns: nothing is stepped. A dialog that was going on is over with it, so that the line
    /// is not taken up when it is delivered again; a new one leaves no trace, however many are dialled. `None` when
    /// somebody else wrote in between.
    async fn too_many(
        &self,
        walk: &Walk<'_>,
        version: Option<Version>,
        state: &mut Subscriber,
        input: &Input,
    ) -> Result<Option<TurnReply>, TurnError> {
        let known = !input.begins_dialog();
        if known {
            self.flow.end_dialog(state, "too-many");
        }
        let written = !known || self.live.swap(walk.tag, version, state).await?;
        Ok(written.then(|| self.end(state.locale, "too-many")))
    }

    fn admit(&self, state: &mut Subscriber, seat: &Seat<'_>, callback: &UssdCallback) -> DialogDecision {
        let typed = match &callback.input {
            UssdInput::Begin { dialed: dialled } => Typed::Begin(dialled),
            UssdInput::Latest(line) => Typed::Line(line.expose()),
            UssdInput::Cumulative(text) => Typed::Whole(text.expose()),
        };
        let digest = |text: &str| self.keyring.digest("typed", &[&seat.key, text.as_bytes()]);
        Flow::admit(state, seat, typed, self.runtime.clock.now(), &digest)
    }

    /// A value that does not open is replaced by a fresh one, and the person is asked to dial again.
    async fn start_afresh(
        &self,
        walk: &Walk<'_>,
        seat: &Seat<'_>,
        version: Option<Version>,
        callback: &UssdCallback,
    ) -> Result<TurnReply, TurnError> {
        let mut state = Subscriber::new(callback.msisdn.clone(), Locale::default());
        self.admit(&mut state, seat, callback);
        self.flow.end_dialog(&mut state, "expired");
        self.live.swap(walk.tag, version, &state).await?;
        Ok(self.end(Locale::default(), "expired"))
    }

    /// Of a turn's number: it is compared with a dozen others, so eight bytes are plenty.
    fn short_digest(&self, id: &str) -> u64 {
        let digest = self.keyring.digest("turn", &[id.as_bytes()]);
        digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }

    /// A notice closes its dialog; what was submitted in it goes on.
    async fn notice(&self, channel: &Channel, notice: &DialogEndNotice) {
        let Some(msisdn) = &notice.msisdn else { return };
        let tag = self.keyring.tag(msisdn);
        let key = self
            .keyring
            .digest("dialog", &[channel.name.as_bytes(), notice.dialog.as_bytes()]);
        let (delivered, left) = (notice.end == DialogEnd::Finished, notice.end == DialogEnd::Abandoned);
        let close = |state: &mut Subscriber| {
            Flow::close_dialog(state, &key, delivered, left).then(|| Flow::pending_notification(state))
        };
        match (self.live.update(&tag, close).await, &self.attempts.newsroom.handovers) {
            // What no screen has told, or none that was seen, is told by text.
            (Ok(Some(Some((attempt, tidings)))), Some(desk)) => desk.enqueue(attempt, tidings, Some(&key)).await,
            (Ok(_), _) => {}
            (Err(error), _) => tracing::warn!(channel = channel.name, %error, "a closed dialog could not be marked"),
        }
    }

    fn end(&self, locale: Locale, message: &str) -> TurnReply {
        TurnReply {
            end: true,
            text: self.flow.last_resort(locale, message),
        }
    }

    fn last_resort(&self, message: &str) -> ScreenReply {
        ScreenReply::End(self.flow.last_resort(Locale::default(), message))
    }
}

/// Why a turn could not be served.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The live value could not be changed.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The live store is not available.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The records are not available.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// It took too long.
    #[error("out of time")]
    Timeout,
}

/// How much later than its budget a turn may be when even the poll screen cannot be set.
const SLACK: Duration = Duration::from_millis(300);
