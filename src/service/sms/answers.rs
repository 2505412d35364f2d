//! What a text from a person leads to. HELP, STOP and START are answered here, whatever else is going on; everything else is
//! for the conversation.
//!
//! Who has texted STOP is answered by HELP and START, and by what they begin after it: LINK and CONTINUE want the answer to
//! them, and so does every text that goes on with that dialog. Nothing else is answered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{IncomingHandler, RetryLater, Sender, SmsReaction, SmsReply};
use crate::core::flow::turn_context::{ReceivedSms, SmsContext};
use crate::core::messages::Locale;
use crate::core::secret::Secret;
use crate::core::sms_keywords::Keyword;
use crate::gateways::sms::IncomingSms;
use crate::service::turn::TurnRunner;
use crate::service::turn::sms::{SmsTurn, service_code_for};

/// Gateways that say when they got a text say the second it was in: what came later in it is not earlier.
const SECOND: Duration = Duration::from_millis(999);

/// Answers texts.
pub struct SmsResponder(pub Arc<TurnRunner>);

impl SmsResponder {
    /// One of the messages that are the same for everybody.
    fn message(&self, locale: Locale, id: &str, dial: &str, hint: bool) -> SmsReply {
        SmsReply {
            text: self.0.flow.sms_template(locale, id, dial),
            hint,
        }
    }

    async fn converse(
        &self,
        sms: &IncomingSms,
        from: &Sender<'_>,
        (keyword, locale): (Keyword, Option<Locale>),
        dial: &str,
    ) -> Result<Option<SmsReply>, RetryLater> {
        let now = self.0.runtime.clock.now();
        let turn = SmsTurn {
            from: &sms.from,
            route: &from.line.name,
            country: &from.line.country,
            id: &sms.message_id,
            sms: ReceivedSms {
                keyword,
                text: sms.part.is_none().then(|| Secret::new(sms.text.expose())),
                sent_at: sms.received_at.map_or(now, |at| at.plus(SECOND).min(now)),
            },
            locale,
            context: SmsContext {
                dial,
                opted_out_at: from.stopped,
            },
        };
        let reply = self.0.sms(turn).await;
        let reply = reply.map_err(|error| RetryLater(error.to_string()))?;
        // Who has opted out and sends something that is not for the conversation did not ask for help.
        let wanted = !reply.refused || from.stopped.is_none();
        Ok(wanted.then_some(SmsReply {
            text: reply.text,
            hint: reply.refused,
        }))
    }
}

#[async_trait]
impl IncomingHandler for SmsResponder {
    async fn handle(&self, sms: &IncomingSms, from: &Sender<'_>) -> Result<SmsReaction, RetryLater> {
        let (said, of) = Keyword::recognize(sms.text.expose());
        let dial = service_code_for(&self.0.channels, &from.line.country);
        let (stop, id) = match said {
            Keyword::Stop => (Some(true), "sms-stop"),
            Keyword::Start => (Some(false), "sms-start"),
            Keyword::Help if from.stopped.is_some() => (None, "sms-help-stopped"),
            Keyword::Help => (None, "sms-help"),
            _ => {
                let reply = self.converse(sms, from, (said, of), dial).await?;
                return Ok(SmsReaction { stop: None, reply });
            }
        };
        let known = self.0.locale(&sms.from).await;
        let locale = known.or(of).unwrap_or_default();
        Ok(SmsReaction {
            stop,
            reply: Some(self.message(locale, id, dial, false)),
        })
    }
}
