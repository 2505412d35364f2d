//! The middle of a turn, by whatever it came: step, swap, effects, and the wait for an answer that is not known yet.

use std::time::Duration;

use super::{TurnError, TurnRunner, Walk};
use crate::core::budget;
use crate::core::flow::state::{ReplySlot, Subscriber, TurnReply};
use crate::core::flow::{Flow, Input, StepContext};
use crate::core::messages::Locale;
use crate::core::time::Timestamp;
use crate::service::facts_reader::FactsQuery;
use crate::service::live::LoadedValue;
use crate::store::Version;

/// How often a waiting turn looks for an answer set by another node.
const REREAD: Duration = Duration::from_millis(150);

impl TurnRunner {
    /// Steps with what the person did, writes that down and runs what follows. `false` when nothing was written and it is
    /// to be done again from the load: somebody else wrote in between, or the list of banks is there only now.
    pub(super) async fn step(
        &self,
        walk: &Walk<'_>,
        version: Option<Version>,
        state: &mut Subscriber,
        input: Input,
        answer_by: Timestamp,
    ) -> Result<bool, TurnError> {
        let (tag, country) = (walk.tag, walk.country);
        let asks = input.begins_dialog() || state.attempt_overdue(self.runtime.clock.now());
        let known = if asks {
            let wanted = FactsQuery {
                attempt: state.attempt_id(),
                code: Flow::intent_code_to_look_up(state, &input, self.runtime.clock.now()),
            };
            Some(self.facts.load(tag, &wanted).await?)
        } else {
            None
        };
        let banks = self.catalogue.offers(country);
        let health = self.attempts.health.snapshot();
        let context = StepContext {
            health: &health,
            ..self
                .runtime
                .context(answer_by, banks.as_deref().map(Vec::as_slice), country)
        };
        let effects = self.flow.turn(state, input, known.as_ref(), &context);
        if banks.is_none() && self.flow.shows_institutions(state) && self.catalogue.wait_for_offers(country).await {
            return Ok(false);
        }
        let written = self.live.swap(tag, version, state).await?;
        if written {
            self.attempts.run(tag, &state.msisdn, effects);
        }
        Ok(written)
    }

    /// The answer to a turn that was stepped, waited for where it is not known yet; and whether the poll screen is all
    /// there is.
    pub(super) async fn answered(
        &self,
        walk: &Walk<'_>,
        state: &Subscriber,
        answer_by: Timestamp,
    ) -> Result<(TurnReply, bool), TurnError> {
        match state.dialogs.first().map(|dialog| dialog.reply.clone()) {
            Some(ReplySlot::Set(answer)) => {
                self.metrics.screen(&state.cursor.screen);
                Ok((answer, false))
            }
            _ => self.wait(walk, answer_by).await,
        }
    }

    /// Waits for the pending answer of a dialog; at the end of the budget, sets the poll screen. Says whether it did.
    pub(super) async fn wait(&self, walk: &Walk<'_>, until: Timestamp) -> Result<(TurnReply, bool), TurnError> {
        let mut wake = self.wakes.subscribe();
        let mut polled = false;
        loop {
            let asked = self.runtime.clock.now();
            let loaded = self.live.load(walk.tag).await?;
            let LoadedValue::Subscriber(mut state) = loaded.value else {
                return Ok((self.end(Locale::default(), "expired"), polled));
            };
            match walk.dialog(&state).map(|dialog| &dialog.reply) {
                Some(ReplySlot::Set(answer)) => {
                    self.metrics.screen(&state.cursor.screen);
                    return Ok((answer.clone(), polled));
                }
                Some(ReplySlot::Pending { .. }) => {}
                None => return Ok((self.end(state.locale, "expired"), polled)),
            }
            let now = self.runtime.clock.now();
            let left = budget::wait_until(until, now.since(asked)).since(now);
            if !left.is_zero() && !self.shutdown.is_cancelled() {
                wake.wait(walk.tag, REREAD.min(left)).await;
                continue;
            }
            let context = self.runtime.context(until, None, walk.country);
            let last = walk.last_round(&state, now);
            if self.flow.poll(&mut state, &walk.key, last, &context) {
                polled = self.live.swap(walk.tag, loaded.version, &state).await?;
            }
        }
    }
}
