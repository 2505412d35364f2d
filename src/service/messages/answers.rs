//! What a text from a person leads to. HELP, STOP and START are answered here, whatever else is going on; everything else is
//! for the conversation.
//!
//! Who has texted STOP is answered by HELP and START, and by what they begin after it: LINK and CONTINUE want the answer to
//! them, and so does every text that goes on with that dialog. Nothing else is answered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Correspondent, IncomingHandler, NotNow, Reaction, Reply};
use crate::core::flow::texts::Texted;
use crate::core::messages::Locale;
use crate::core::texted::Said;
use crate::service::turn::Turns;
use crate::service::turn::texts::{TextTurn, Told, dialled_in};
use crate::sms::IncomingSms;

/// Gateways that say when they got a text say the second it was in: what came later in it is not earlier.
const SECOND: Duration = Duration::from_millis(999);

/// Answers texts.
pub struct Answers(pub Arc<Turns>);

impl Answers {
    /// One of the messages that are the same for everybody.
    fn message(&self, locale: Locale, id: &str, dial: &str, hint: bool) -> Reply {
        Reply {
            text: self.0.flow.say(locale, id, dial),
            hint,
        }
    }

    async fn converse(
        &self,
        sms: &IncomingSms,
        from: &Correspondent<'_>,
        (said, locale): (Said, Option<Locale>),
        dial: &str,
    ) -> Result<Option<Reply>, NotNow> {
        let now = self.0.runtime.clock.now();
        let turn = TextTurn {
            from: &sms.from,
            line: &from.line.name,
            country: &from.line.country,
            dial,
            id: &sms.message_id,
            text: Texted {
                said,
                whole: sms.part.is_none().then(|| sms.text.expose()),
                at: sms.received_at.map_or(now, |at| at.plus(SECOND).min(now)),
            },
            locale,
            stopped: from.stopped,
        };
        let told = self.0.text(&turn).await.map_err(|error| NotNow(error.to_string()))?;
        Ok(match told {
            Told::Screen(text) => Some(Reply { text, hint: false }),
            // They asked for silence, and did not ask for help.
            Told::Message(..) if from.stopped.is_some() => None,
            Told::Message(known, id) => Some(self.message(known, id, dial, true)),
        })
    }
}

#[async_trait]
impl IncomingHandler for Answers {
    async fn handle(&self, sms: &IncomingSms, from: &Correspondent<'_>) -> Result<Reaction, NotNow> {
        let (said, of) = Said::of(sms.text.expose());
        let dial = dialled_in(&self.0.channels, &from.line.country);
        let (stop, id) = match said {
            Said::Stop => (Some(true), "sms-stop"),
            Said::Start => (Some(false), "sms-start"),
            Said::Help if from.stopped.is_some() => (None, "sms-help-stopped"),
            Said::Help => (None, "sms-help"),
            _ => {
                let reply = self.converse(sms, from, (said, of), dial).await?;
                return Ok(Reaction { stop: None, reply });
            }
        };
        let known = self.0.locale(&sms.from).await;
        let locale = known.or(of).unwrap_or_default();
        Ok(Reaction {
            stop,
            reply: Some(self.message(locale, id, dial, false)),
        })
    }
}
