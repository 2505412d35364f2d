//! A text is a turn as any other: load, step, swap, with the same effects. What differs is what a turn of the phone has of
//! its network: here nobody waits for the screen, and nothing cuts the dialog.
//!
//! The answer is handed back and not sent: whoever took the text in writes both down in one transaction. A server that dies in
//! between is called again by the gateway, finds that this text was stepped with, and hands back what stands in the dialog.

use std::sync::Arc;
use std::time::Duration;

use super::{MAX_ROUNDS, TurnError, TurnRunner, Walk};
use crate::core::budget;
use crate::core::flow::Flow;
use crate::core::flow::dialogs::DialogDecision;
use crate::core::flow::sms::{ReceivedSms, TextSeat};
use crate::core::flow::state::{ReplySlot, Subscriber};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::gateways::UssdLimits;
use crate::service::Channel;
use crate::service::live::{LiveError, LoadedValue};

/// How long a text may take before the gateway is told to bring it again.
const PATIENCE: Duration = Duration::from_secs(8);

/// A text is never the last but one of its dialog: what is not known at its end is said by another text.
const LIMITS: UssdLimits = UssdLimits {
    turn: Duration::from_secs(5),
    dialog: Duration::ZERO,
    idle: Duration::ZERO,
    out_septets: 160,
    in_chars: 160,
};

/// A text that is for the conversation.
pub struct TextTurn<'a> {
    /// Who sent it.
    pub from: &'a Msisdn,
    /// The SMS gateway, as the configuration names it.
    pub line: &'a str,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// What is dialled there.
    pub dial: &'a str,
    /// The gateway's id of the text.
    pub id: &'a str,
    /// What it says.
    pub text: ReceivedSms<'a>,
    /// The language of its word, for somebody who has not chosen one.
    pub locale: Option<Locale>,
    /// Since when the person has wanted no texts, if so.
    pub stopped: Option<Timestamp>,
}

/// What is to be answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// The screen for where the person stands.
    Screen(String),
    /// The message with this id, in this language; nothing has changed.
    Message(Locale, &'static str),
}

/// What consents and dialogs call an SMS gateway; no channel can have such a name.
pub fn sms_channel_name(line: &str) -> String {
    format!("sms:{line}")
}

/// What is dialled in this country: on its first channel, else on the first of all.
pub fn service_code_for<'a>(channels: &'a [Arc<Channel>], country: &str) -> &'a str {
    let at_home = channels.iter().find(|channel| channel.country == country);
    let channel = at_home.or_else(|| channels.first());
    channel.map_or("", |channel| &channel.service_code)
}

impl TurnRunner {
    /// The language that a person has chosen, if they are known and the store can be asked.
    pub async fn locale(&self, from: &Msisdn) -> Option<Locale> {
        match self.live.load(&self.keyring.tag(from)).await.ok()?.value {
            LoadedValue::Subscriber(state) => Some(state.locale),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => None,
        }
    }

    /// Takes a text for a turn.
    ///
    /// # Errors
    /// When it is to come again. It may have been taken all the same, and is then known when it does.
    pub async fn text(&self, turn: &TextTurn<'_>) -> Result<Told, TurnError> {
        let tag = self.keyring.tag(turn.from);
        let (channel, line, id) = (sms_channel_name(turn.line), turn.line.as_bytes(), turn.id.as_bytes());
        let seat = TextSeat {
            key: self.keyring.digest("text dialog", &[line, id]),
            channel: &channel,
            dial: turn.dial,
            turn: self.short_digest(&format!("{} {}", turn.line, turn.id)),
            stopped: turn.stopped,
        };
        let rounds = async {
            for _ in 0..MAX_ROUNDS {
                if let Some(told) = self.text_round(&tag, &seat, turn).await? {
                    return Ok(told);
                }
            }
            Err(LiveError::Contended.into())
        };
        let told = tokio::time::timeout(PATIENCE, rounds).await;
        told.unwrap_or(Err(TurnError::Timeout))
    }

    /// Loads, steps and swaps once; `None` when it is to be done again.
    async fn text_round(
        &self,
        tag: &SubscriberTag,
        seat: &TextSeat<'_>,
        turn: &TextTurn<'_>,
    ) -> Result<Option<Told>, TurnError> {
        let loaded = self.live.load(tag).await?;
        let nobody = || Subscriber::new(turn.from.clone(), turn.locale.unwrap_or_default());
        let mut state = match loaded.value {
            LoadedValue::Subscriber(state) => *state,
            LoadedValue::Nothing => nobody(),
            LoadedValue::Unreadable(error) => {
                self.facts.record_unreadable(tag, error).await;
                nobody()
            }
        };
        let now = self.runtime.clock.now();
        let verdict = Flow::admit_sms(&mut state, seat, &turn.text, now);
        let own = state.dialogs.iter().find(|dialog| dialog.channel == seat.channel);
        let walk = Walk {
            tag,
            key: own.map_or(seat.key, |dialog| dialog.key),
            country: turn.country,
            limits: &LIMITS,
            started: now,
        };
        let answer = match verdict {
            DialogDecision::Repeat(ReplySlot::Set(answer)) => answer,
            DialogDecision::Repeat(ReplySlot::Pending { until }) => self.wait(&walk, until).await?.0,
            DialogDecision::Over => return Ok(Some(Told::Message(state.locale, "sms-hint"))),
            DialogDecision::Elsewhere => return Ok(Some(Told::Message(state.locale, "sms-elsewhere"))),
            DialogDecision::Step(_) if !state.turn_bucket.try_take(self.gate.subscriber_rate(), 0, now) => {
                return Ok(Some(Told::Message(state.locale, "sms-too-many")));
            }
            DialogDecision::Step(input) => {
                let answer_by = now.plus(budget::MAX_ANSWER_TIME);
                if !self.step(&walk, loaded.version, &mut state, input, answer_by).await? {
                    return Ok(None);
                }
                self.answered(&walk, &state, answer_by).await?.0
            }
        };
        Ok(Some(Told::Screen(answer.text)))
    }
}
