//! What is texted to a person whose dialog was over before its answer came.
//!
//! A message is for somebody who does not know yet. So it is written only when nobody can be reading a screen any more,
//! and not when a later dial has told the answer already. It names no bank and no number: other people read messages.

use super::recovery::dial_string;
use super::state::Subscriber;
use super::{Context, Flow};
use crate::core::ids::AttemptId;
use crate::core::menu::Outcome;
use crate::core::messages::Arg;
use crate::core::time::Timestamp;

/// What is to be texted about a submission.
#[derive(Debug, PartialEq, Eq)]
pub enum HandOver {
    /// Nothing: it was told, there is no answer yet, or the person has moved on.
    Nothing,
    /// The dialog may still be on: look again then.
    Later(Timestamp),
    /// This.
    Text(String),
}

impl Flow {
    /// What is to be texted about a submission now. A message counts as told, and hands a code out where there is
    /// something to go on with.
    pub fn hand_over(
        &self,
        state: &mut Subscriber,
        attempt: AttemptId,
        service_code: &str,
        context: &Context<'_>,
    ) -> HandOver {
        let Some(session) = state.session.as_ref() else {
            return HandOver::Nothing;
        };
        let message = message_for(session.stage);
        let (Some(message), false, true) = (
            message,
            session.told || session.texted,
            state.attempt() == Some(attempt),
        ) else {
            return HandOver::Nothing;
        };
        if state.in_dialog(context.now) {
            let ends_at = state.dialogs.first().map(|dialog| dialog.ends_at);
            return HandOver::Later(ends_at.unwrap_or(context.now));
        }
        let dial = match message {
            "sms-linked" => service_code.to_owned(),
            _ => dial_string(service_code, Self::hand_out_code(state, context)),
        };
        if let Some(session) = &mut state.session {
            session.texted = true;
        }
        let args = [("partner", Arg::Text(self.partner_name())), ("dial", Arg::Text(dial))];
        HandOver::Text(self.texts.format(state.locale, message, &args))
    }
}

/// The message for where a session stands; none where there is no answer yet.
fn message_for(stage: Outcome) -> Option<&'static str> {
    match stage {
        Outcome::Linked | Outcome::LinkedTwice | Outcome::Renewed => Some("sms-linked"),
        Outcome::Ask | Outcome::AskChoice | Outcome::ChooseAccount => Some("sms-question"),
        Outcome::Refused | Outcome::Unavailable | Outcome::Unconfirmed | Outcome::Unsuited | Outcome::Blocked => {
            Some("sms-not-linked")
        }
        _ => None,
    }
}
