//! What an SMS from a person leads to. HELP, STOP and START are answered here, whatever else is going on; everything else is
//! for the conversation.
//!
//! A person who has texted STOP gets a reply to HELP and START, and to what they begin after it: LINK and CONTINUE want the
//! answer to them, and so does every SMS that goes on with that dialog. Nothing else is answered.

use std::sync::Arc;
use std::time::Duration;

use super::sms::routes::SmsRoute;
use super::turn::TurnRunner;
use super::turn::sms::{SmsTurn, service_code_for};
use crate::core::flow::turn_context::ReceivedSms;
use crate::core::ids::PartnerId;
use crate::core::messages::Locale;
use crate::core::seal::SubscriberTag;
use crate::core::secret::Secret;
use crate::core::sms_keywords::Keyword;
use crate::core::time::Timestamp;
use crate::gateways::sms::{HandledKeyword, IncomingSms};
use crate::records::RecordsError;

/// Gateways give the time of an SMS in whole seconds: it may have come at any moment within that second.
const SECOND: Duration = Duration::from_millis(999);

/// Who sent an SMS, and by which route.
pub struct Sender<'a> {
    pub route: &'a SmsRoute,
    /// With whom their SMS are kept.
    pub partner: PartnerId,
    pub tag: SubscriberTag,
    /// Since when they have wanted no SMS from us, if they have opted out.
    pub stopped: Option<Timestamp>,
}

/// What follows from an SMS.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SmsReaction {
    /// `true`: they opt out; `false`: they opt in again.
    pub stop: Option<bool>,
    pub reply: Option<SmsReply>,
    /// What is said instead where it came too late: something that they said after it holds.
    pub overruled: Option<SmsReply>,
}

impl SmsReaction {
    /// To somebody who cannot be answered: only what they want is noted, a START only of somebody who had opted out.
    pub fn to_unreachable(sms: &IncomingSms, opted_out: bool) -> Self {
        let (said, _) = Keyword::recognize(sms.text.expose());
        let stop = match said.from_person(opted_out) {
            Keyword::Stop => Some(true),
            Keyword::Start if opted_out => Some(false),
            _ => None,
        };
        Self {
            stop,
            ..Self::default()
        }
    }

    /// The gateway has answered: only what they want is noted.
    pub fn to_handled(keyword: HandledKeyword) -> Self {
        Self {
            stop: match keyword {
                HandledKeyword::Stop => Some(true),
                HandledKeyword::Start => Some(false),
                HandledKeyword::Help => None,
            },
            ..Self::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsReply {
    pub text: String,
    /// Whether it is a hint that nobody needs twice in an hour. So two machines do not answer each other forever.
    pub hint: bool,
}

/// What follows from an SMS cannot be found out now: the gateway must send it again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RetryLater(pub String);

impl From<RecordsError> for RetryLater {
    fn from(error: RecordsError) -> Self {
        Self(error.to_string())
    }
}

pub struct SmsResponder(pub Arc<TurnRunner>);

impl SmsResponder {
    /// One of the messages that are the same for everybody.
    fn message(&self, locale: Locale, id: &str, dial: &str, hint: bool) -> SmsReply {
        SmsReply {
            text: self.0.flow.get().sms_template(locale, id, dial),
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
            route: &from.route.name,
            country: &from.route.country,
            partner: from.partner,
            sms: ReceivedSms {
                keyword,
                text: sms.part.is_none().then(|| Secret::new(sms.text.expose())),
                sent_at: sms.received_at.map_or(now, |at| at.plus(SECOND).min(now)),
            },
            locale,
            id: &sms.message_id,
            dial,
            opted_out_at: from.stopped,
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

    /// What follows from this SMS. It may be asked twice about the same one.
    ///
    /// # Errors
    /// When that cannot be found out now.
    pub async fn respond(&self, sms: &IncomingSms, from: &Sender<'_>) -> Result<SmsReaction, RetryLater> {
        let (said, of) = Keyword::recognize(sms.text.expose());
        let said = said.from_person(from.stopped.is_some());
        let dial = service_code_for(&self.0.channels, &from.route.country);
        let (stop, id, overruled) = match said {
            Keyword::Stop => (Some(true), "sms-stop", Some("sms-start")),
            Keyword::Start => (Some(false), "sms-start", Some("sms-stop")),
            Keyword::Help if from.stopped.is_some() => (None, "sms-help-stopped", None),
            Keyword::Help => (None, "sms-help", None),
            _ => {
                let reply = self.converse(sms, from, (said, of), dial).await?;
                return Ok(SmsReaction {
                    reply,
                    ..SmsReaction::default()
                });
            }
        };
        let known = self.0.locale(&sms.from).await;
        let locale = known
            .or(of)
            .unwrap_or_else(|| self.0.flow.get().settings.first_language());
        let reply = match said {
            Keyword::Help => SmsReply {
                text: self.0.flow.get().help_sms(locale, id, dial),
                hint: false,
            },
            _ => self.message(locale, id, dial, false),
        };
        Ok(SmsReaction {
            stop,
            reply: Some(reply),
            overruled: overruled.map(|id| self.message(locale, id, dial, false)),
        })
    }
}
