//! The wait for a reply that is not known yet.

use std::time::Duration;

use super::round::TurnRequest;
use super::{TurnError, TurnRunner};
use crate::core::budget;
use crate::core::flow::state::{ReplySlot, Subscriber, TurnReply};
use crate::core::flow::turn_context::TurnEvent;
use crate::core::messages::Locale;
use crate::core::time::Timestamp;
use crate::service::live::LoadedValue;
use crate::service::told::ToldChange;

/// How often a waiting turn looks for a reply set by another node.
const REREAD: Duration = Duration::from_millis(150);

impl TurnRunner {
    /// The reply to a turn that was stepped, waited for where it is not known yet; and whether the poll screen is all there is.
    pub(super) async fn reply(
        &self,
        request: &TurnRequest<'_>,
        state: &Subscriber,
        answer_by: Timestamp,
    ) -> Result<(TurnReply, bool), TurnError> {
        match state.dialogs.first().map(|dialog| dialog.reply.clone()) {
            Some(ReplySlot::Set(reply)) => {
                self.metrics.screen(&state.cursor.screen);
                Ok((reply, false))
            }
            _ => self.wait(request, state, answer_by).await,
        }
    }

    /// Waits for the pending reply of a dialog, as it is in `stepped`; at the end of the budget, sets the poll screen. Returns
    /// whether it did.
    pub(super) async fn wait(
        &self,
        request: &TurnRequest<'_>,
        stepped: &Subscriber,
        until: Timestamp,
    ) -> Result<(TurnReply, bool), TurnError> {
        let (tag, turn) = (&request.tag, &request.context);
        let cumulative = matches!(request.event, TurnEvent::Cumulative(_));
        let typed = turn.dialog(stepped).map(|dialog| dialog.typed_prefix);
        let expired = |locale| TurnReply::end(self.flow.get().last_resort(locale, "expired", turn.channel));
        let mut wakeup = self.wakes.subscribe();
        let mut polled = false;
        loop {
            let asked = self.runtime.clock.now();
            let loaded = self.live.load(tag).await?;
            let rolled_back = loaded.is_rolled_back();
            let LoadedValue::Subscriber(mut state) = loaded.value else {
                return Ok((expired(Locale::default()), polled));
            };
            let Some(dialog) = turn.dialog(&state) else {
                return Ok((expired(state.locale), polled));
            };
            // The store has gone back to before this turn: what it shows then is no answer to it.
            let older = typed.is_some_and(|typed| {
                dialog.typed_prefix != typed && (rolled_back || cumulative && dialog.typed_prefix.len < typed.len)
            });
            if older {
                return Ok((expired(state.locale), polled));
            }
            if let ReplySlot::Set(reply) = &dialog.reply {
                self.metrics.screen(&state.cursor.screen);
                return Ok((reply.clone(), polled));
            }
            let key = dialog.key;
            let now = self.runtime.clock.now();
            let left = budget::wait_until(until, now.since(asked)).since(now);
            if !left.is_zero() && !self.shutdown.is_cancelled() {
                wakeup.wait(tag, REREAD.min(left)).await;
                continue;
            }
            let context = self.runtime.context(until, None, turn.country);
            let last = turn.is_last_round(&state, now);
            let told = state.told();
            if self.flow.get().poll(&mut state, &key, last, &context) {
                polled = self.live.swap(tag, loaded.version, &state).await?;
                if polled {
                    self.runtime.save_told(ToldChange::said(told, &state));
                }
            }
        }
    }
}
