//! The loop that serves every turn, by USSD and by SMS alike: load, admit, step, swap, reply; again where somebody else wrote in
//! between.

use super::{TurnError, TurnRunner};
use crate::core::flow::dialogs::DialogDecision;
use crate::core::flow::state::{ReplySlot, Subscriber, TurnReply};
use crate::core::flow::turn_context::{TurnContext, TurnEvent};
use crate::core::flow::{Flow, Input, StepContext};
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::service::facts_reader::FactsQuery;
use crate::service::live::{LiveError, LoadedValue};
use crate::service::metrics::TurnOutcome;
use crate::service::told::ToldChange;
use crate::store::Version;

/// How often a turn that loses its swap is stepped again.
const MAX_ROUNDS: usize = 8;

/// One turn to serve: who did what, and in which dialog.
pub(super) struct TurnRequest<'a> {
    pub(super) tag: SubscriberTag,
    /// `None` where the gateway names the dialog only: then anyone who has that dialog is known, or nothing is served.
    pub(super) msisdn: Option<&'a Msisdn>,
    /// The language for somebody who has not chosen one.
    pub(super) locale: Locale,
    pub(super) event: TurnEvent,
    pub(super) context: TurnContext<'a>,
    /// Of an SMS: with whom the person's SMS are kept, and the gateway that brought it.
    pub(super) kept_with: Option<(PartnerId, &'a str)>,
}

impl TurnRequest<'_> {
    /// A value for somebody who has none. A value may expire, or be removed by another node, and nothing says so to a node that
    /// has seen it: a new one begins at the time in milliseconds, which no number of writes has reached before.
    fn new_subscriber(&self, now: Timestamp) -> Option<Subscriber> {
        let new = Subscriber::new(self.msisdn?.clone(), self.locale);
        let revision = now.as_millis().unsigned_abs();
        Some(Subscriber { revision, ..new })
    }
}

/// How a turn was served.
pub(super) struct ServedTurn {
    pub(super) outcome: TurnOutcome,
    pub(super) reply: TurnReply,
    /// Whether the reply is about the event itself, which changed nothing: it is no screen of the conversation.
    pub(super) refused: bool,
}

impl ServedTurn {
    fn screen(outcome: TurnOutcome, reply: TurnReply) -> Self {
        Self {
            outcome,
            reply,
            refused: false,
        }
    }
}

impl TurnRunner {
    /// Serves a turn.
    ///
    /// # Errors
    /// When the store or the records are not available, or others keep writing.
    pub(super) async fn run(&self, request: &TurnRequest<'_>) -> Result<ServedTurn, TurnError> {
        // A turn may put another partner's terms in force and show what it can link, which is then stepped with.
        let mut shown_partner = None;
        for _ in 0..MAX_ROUNDS {
            if let Some(served) = self.round(request, &mut shown_partner).await? {
                return Ok(served);
            }
        }
        Err(LiveError::Contended.into())
    }

    /// Loads, steps and swaps once; `None` when it is to be done again.
    async fn round(
        &self,
        request: &TurnRequest<'_>,
        shown_partner: &mut Option<PartnerId>,
    ) -> Result<Option<ServedTurn>, TurnError> {
        let loaded = self.live.load(&request.tag).await?;
        let rolled_back = loaded.is_rolled_back();
        let new_subscriber = || request.new_subscriber(self.runtime.clock.now());
        let mut state = match loaded.value {
            LoadedValue::Subscriber(state) => *state,
            LoadedValue::Nothing => match new_subscriber() {
                Some(state) => state,
                None => return Ok(Some(self.lost_dialog(request))),
            },
            LoadedValue::Unreadable(error) => {
                self.facts.record_unreadable(&request.tag, error).await;
                match new_subscriber() {
                    None => return Ok(Some(self.lost_dialog(request))),
                    Some(state) if request.context.sms.is_some() => state,
                    Some(state) => return Ok(Some(self.start_afresh(request, loaded.version, state).await?)),
                }
            }
        };
        self.live.raise_revision(&request.tag, &mut state);
        let input = match self.admit(&mut state, request) {
            DialogDecision::Repeat(ReplySlot::Set(reply)) => {
                return Ok(Some(ServedTurn::screen(TurnOutcome::Repeated, reply)));
            }
            DialogDecision::Repeat(ReplySlot::Pending { until }) => {
                let (reply, _) = self.wait(request, &state, until).await?;
                return Ok(Some(ServedTurn::screen(TurnOutcome::Repeated, reply)));
            }
            DialogDecision::Over => {
                return Ok(Some(self.refuse(request, &state, ("expired", "sms-hint"))));
            }
            DialogDecision::Elsewhere => {
                let ids = (state.elsewhere_message(), "sms-elsewhere");
                return Ok(Some(self.refuse(request, &state, ids)));
            }
            // What was typed answers a screen that the store has lost.
            DialogDecision::Step(Input::Line(_) | Input::Redisplay) if rolled_back => Input::Recover,
            DialogDecision::Step(input) => input,
        };
        let now = self.runtime.clock.now();
        if !state.turn_bucket.try_take(self.gate.subscriber_rate(), 0, now) {
            return self.too_many(request, loaded.version, &mut state, &input).await;
        }
        self.judge_proof(request, &mut state, &input).await?;
        let answer_by = request.context.answer_by(&state);
        let partner = shown_partner.unwrap_or_else(|| self.flow.get().partner_in_force(&state));
        let stepped = self.step(request, loaded.version, &mut state, input, (answer_by, partner));
        if !stepped.await? {
            *shown_partner = Some(self.flow.get().partner_in_force(&state));
            return Ok(None);
        }
        let (reply, polled) = self.reply(request, &state, answer_by).await?;
        let outcome = match (reply.end, polled) {
            (true, _) => TurnOutcome::Ended,
            (false, true) => TurnOutcome::Pending,
            (false, false) => TurnOutcome::Continued,
        };
        Ok(Some(ServedTurn::screen(outcome, reply)))
    }

    fn admit(&self, state: &mut Subscriber, request: &TurnRequest<'_>) -> DialogDecision {
        let (turn, now) = (&request.context, self.runtime.clock.now());
        let digest = |text: &str| self.keyring.digest("typed", &[&turn.key, text.as_bytes()]);
        Flow::admit(state, turn, &request.event, now, &digest)
    }

    /// Steps with what the person did, writes that and runs what follows. `false` when nothing was written and it is to be
    /// done again from the load: somebody else wrote in between, or the list of institutions is there only now.
    async fn step(
        &self,
        request: &TurnRequest<'_>,
        version: Option<Version>,
        state: &mut Subscriber,
        input: Input,
        (answer_by, partner): (Timestamp, PartnerId),
    ) -> Result<bool, TurnError> {
        let (tag, country) = (&request.tag, request.context.country);
        let now = self.runtime.clock.now();
        let facts = if input.begins_dialog() || state.attempt_overdue(now) {
            let query = FactsQuery {
                attempt: state.attempt_id(),
                series: state.series(),
                code: state.intent_code_to_look_up(&input, now),
            };
            Some(self.facts.load(tag, &query).await?)
        } else {
            None
        };
        let (offers, all_lists_read) = self.catalogue.offers(partner, country);
        let health = self.attempts.health.snapshot();
        let mut context = StepContext {
            health: &health,
            all_lists_read,
            ..self.runtime.context(answer_by, offers.as_deref(), country)
        };
        context.ids.attempt = self.attempt_id(request, state);
        let told = state.told();
        let flow = self.flow.get();
        let effects = flow.turn(state, input, facts.as_ref(), &context);
        state.note_dialog_end(now);
        if flow.shows_institutions(state) {
            let in_force = flow.partner_in_force(state);
            let late = offers.is_none() && self.catalogue.wait_for_offers(in_force, country).await;
            if in_force != partner || late {
                return Ok(false);
            }
        }
        let written = self.live.swap(tag, version, state).await?;
        if written {
            self.runtime.save_told(ToldChange::said(told, state));
            self.attempts.run(tag, &state.msisdn, effects);
            self.queue_left_question(request, state);
        }
        Ok(written)
    }

    /// Somebody has left by a key while their bank waits for an answer: the way back is sent at once.
    fn queue_left_question(&self, request: &TurnRequest<'_>, state: &Subscriber) {
        let left = state.dialogs.first().is_some_and(|dialog| dialog.closed);
        let pending = state.pending_notification().filter(|_| left);
        if let Some((attempt, notification)) = pending
            && let Some(handovers) = self.attempts.updater.handovers.clone()
        {
            let dialog = request.context.key;
            self.runtime
                .spawn(async move { handovers.enqueue(attempt, notification, Some(&dialog)).await });
        }
    }

    /// The id of what this turn may submit. It is the same however often the turn is taken, also from a live value that has
    /// lost what came after it: dialog, turn and what was typed make it, and nothing that is drawn.
    fn attempt_id(&self, request: &TurnRequest<'_>, state: &Subscriber) -> AttemptId {
        let turn = &request.context;
        let begun = state.dialogs.first().map_or(0, |dialog| dialog.started_at.as_millis());
        let (series, submissions) = state
            .series()
            .map_or(([0; 16], 0), |(id, count)| (*id.as_bytes(), count));
        let place = [series.as_slice(), &submissions.to_be_bytes()].concat();
        let turn_id = turn.turn_id.map(u64::to_be_bytes);
        let (place, typed) = match &request.event {
            TurnEvent::Begin { .. } => (Vec::new(), ""),
            TurnEvent::Cumulative(text) => (Vec::new(), text.expose()),
            // The same line may be typed again; the gateway's number of the turn, or else the place in the conversation, says which.
            TurnEvent::Latest(line) | TurnEvent::DialedOrLatest { line, .. } => {
                (turn_id.map_or(place, |id| id.to_vec()), line.expose())
            }
            TurnEvent::Sms(sms) => (Vec::new(), sms.text.as_ref().map_or("", |text| text.expose())),
        };
        // The dialog of an SMS is named by it, and no network uses that name again.
        let begun = if turn.sms.is_some() { 0 } else { begun };
        let parts = [&turn.key[..], &begun.to_be_bytes(), &place, typed.as_bytes()];
        let digest = self.keyring.digest("submission", &parts);
        AttemptId::from_bytes(digest.first_chunk().copied().unwrap_or_default())
    }

    /// Somebody asks for too many turns: nothing is stepped. A USSD dialog that was going on is over with it, so that the line
    /// is not taken up when it is delivered again; a new one leaves no trace, however many are dialled, nor does an SMS. `None`
    /// when somebody else wrote in between.
    async fn too_many(
        &self,
        request: &TurnRequest<'_>,
        version: Option<Version>,
        state: &mut Subscriber,
        input: &Input,
    ) -> Result<Option<ServedTurn>, TurnError> {
        if request.context.sms.is_none() && !input.begins_dialog() {
            self.flow.get().end_dialog(state, "too-many");
            if !self.live.swap(&request.tag, version, state).await? {
                return Ok(None);
            }
        }
        Ok(Some(ServedTurn {
            outcome: TurnOutcome::Shed,
            ..self.refuse(request, state, ("too-many", "sms-too-many"))
        }))
    }

    /// A value that does not open is replaced by a fresh one, and the person is asked to dial again.
    async fn start_afresh(
        &self,
        request: &TurnRequest<'_>,
        version: Option<Version>,
        mut state: Subscriber,
    ) -> Result<ServedTurn, TurnError> {
        self.live.raise_revision(&request.tag, &mut state);
        self.admit(&mut state, request);
        self.flow.get().end_dialog(&mut state, "expired");
        self.live.swap(&request.tag, version, &state).await?;
        Ok(self.refuse(request, &state, ("expired", "sms-hint")))
    }

    /// Only the dialog is named, and nobody has it any more.
    fn lost_dialog(&self, request: &TurnRequest<'_>) -> ServedTurn {
        ServedTurn {
            outcome: TurnOutcome::Ended,
            reply: TurnReply::end(
                self.flow
                    .get()
                    .last_resort(request.locale, "expired", request.context.channel),
            ),
            refused: true,
        }
    }

    /// The reply to an event that is not stepped with: one message by USSD, another by SMS.
    fn refuse(&self, request: &TurnRequest<'_>, state: &Subscriber, (ussd, sms): (&str, &str)) -> ServedTurn {
        let text = match request.context.sms {
            None => self.flow.get().last_resort(state.locale, ussd, request.context.channel),
            Some(context) => self.flow.get().sms_template(state.locale, sms, context.dial),
        };
        ServedTurn {
            outcome: TurnOutcome::Ended,
            reply: TurnReply::end(text),
            refused: true,
        }
    }
}
