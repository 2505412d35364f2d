//! One turn: what came, and in which dialog.

use std::fmt;
use std::time::Duration;

use super::state::{Dialog, Subscriber};
use crate::core::budget::{self, Deadlines};
use crate::core::gsm7;
use crate::core::messages::Locale;
use crate::core::secret::Secret;
use crate::core::sms::SINGLE_PART_SEPTETS;
use crate::core::sms_keywords::Keyword;
use crate::core::time::Timestamp;

/// The dialog that a turn belongs to, and how long the turn has.
pub struct TurnContext<'a> {
    /// Digest of the gateway's own name for the dialog; of an SMS, the name of the dialog that it begins if it does.
    pub key: [u8; 32],
    /// The channel it came on.
    pub channel: &'a str,
    /// The channel's country, ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// Septets of one page on it, without the dialect's own.
    pub septets: usize,
    pub deadlines: Deadlines,
    /// For how long after its start the dialog may ask something, see [`budget::interactive_time`].
    pub interactive_time: Duration,
    pub started: Timestamp,
    /// Digest of the gateway's own number for this callback, or of its id of this SMS, where it has one.
    pub turn_id: Option<u64>,
    /// What a turn by SMS has besides; `None` for one of USSD.
    pub sms: Option<SmsContext<'a>>,
}

/// What a turn by SMS has besides.
#[derive(Clone, Copy)]
pub struct SmsContext<'a> {
    /// The gateway's id of the SMS.
    pub id: &'a str,
    /// How many wrong numbers may still be texted, see [`super::sms_proof`].
    pub proofs_left: u32,
    /// What is dialled to go on with what must not be sent by SMS.
    pub dial: &'a str,
    /// Since when the person has opted out of SMS, if so: what was begun before is over.
    pub opted_out_at: Option<Timestamp>,
}

/// No network cuts a dialog of SMS, and none of its turns waits for another: what is not known at its end is said by a later
/// SMS.
const SMS_DEADLINES: Deadlines = Deadlines {
    turn: Duration::from_secs(5),
    dialog: Duration::ZERO,
    idle: Duration::ZERO,
};

impl<'a> TurnContext<'a> {
    /// The turn of an SMS with this id.
    pub fn for_sms(
        (key, turn_id): ([u8; 32], u64),
        (channel, country): (&'a str, &'a str),
        sms: SmsContext<'a>,
        now: Timestamp,
    ) -> Self {
        Self {
            key,
            channel,
            country,
            septets: SINGLE_PART_SEPTETS,
            deadlines: SMS_DEADLINES,
            interactive_time: Duration::ZERO,
            started: now,
            turn_id: Some(turn_id),
            sms: Some(sms),
        }
    }

    /// The dialog of this turn, while it is remembered.
    pub fn dialog<'s>(&self, state: &'s Subscriber) -> Option<&'s Dialog> {
        state.dialogs.iter().find(|dialog| self.is_of(dialog))
    }

    /// Whether the turn belongs to this dialog: there is one dialog of SMS for each gateway.
    pub(super) fn is_of(&self, dialog: &Dialog) -> bool {
        if self.sms.is_some() {
            dialog.sms.is_some() && dialog.channel == self.channel
        } else {
            dialog.key == self.key
        }
    }

    fn dialog_start(&self, state: &Subscriber) -> Timestamp {
        self.dialog(state).map_or(self.started, |dialog| dialog.started_at)
    }

    /// When this turn must be answered.
    pub fn answer_by(&self, state: &Subscriber) -> Timestamp {
        if self.sms.is_some() {
            return self.started.plus(budget::MAX_ANSWER_TIME);
        }
        budget::answer_by(self.deadlines, self.dialog_start(state), self.started)
    }

    /// Whether the dialog has no room for another round: then we end it, for an end that we send is read.
    pub fn is_last_round(&self, state: &Subscriber, now: Timestamp) -> bool {
        budget::is_last_round(self.deadlines, self.dialog_start(state), now)
    }
}

/// What a person did, as the gateway hands it on. Prints what happened, never what was typed.
pub enum TurnEvent {
    Begin {
        /// The segments typed after the service code, for instance `["1", "2"]` for `*384*96*1*2#`.
        dialed: Vec<String>,
    },
    /// Typed this line (gateways that send only the latest one). Without [`TurnContext::turn_id`] the same line again is
    /// another key press, once the first is answered.
    Latest(Secret),
    /// Typed something; the gateway sends all lines so far joined by `*`, and this is the whole of it. The new line is the text
    /// minus what was seen before, never what follows the last `*`: an answer may contain `*`.
    Cumulative(Secret),
    /// Typed this line if the dialog is known, and dialed it if it is not.
    DialedOrLatest {
        /// What was behind the code if it was dialed.
        dialed: Vec<String>,
        line: Secret,
    },
    Sms(ReceivedSms),
}

impl fmt::Debug for TurnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin { dialed } => f.debug_struct("Begin").field("segments", &dialed.len()).finish(),
            Self::Latest(line) => f.debug_tuple("Latest").field(line).finish(),
            Self::Cumulative(text) => f.debug_tuple("Cumulative").field(text).finish(),
            Self::DialedOrLatest { line, .. } => f.debug_tuple("DialedOrLatest").field(line).finish(),
            Self::Sms(sms) => f.debug_tuple("Sms").field(&sms.keyword).finish(),
        }
    }
}

impl TurnEvent {
    /// Whether it begins a dialog, as far as it says by itself.
    pub fn begins_dialog(&self) -> bool {
        matches!(self, Self::Begin { .. })
    }
}

/// One SMS from a person.
pub struct ReceivedSms {
    /// The keyword that it is, if it is one; never one that is answered outside of the conversation.
    pub keyword: Keyword,
    /// The text itself; `None` when only a part of it is here.
    pub text: Option<Secret>,
    /// When it was sent, as far as can be told.
    pub sent_at: Timestamp,
}

/// What the person did, as far as the conversation cares.
#[derive(Debug)]
pub enum Input {
    /// Dialled, with these segments after the code. Where the store has lost a dialog they are all that was typed in it.
    Begin(Vec<Secret>),
    /// Asked by SMS to go on where they were: as a dial, and without the question whether to.
    Continue,
    /// Sent the name of a language by SMS.
    Language(Locale),
    Line(Secret),
    /// Typed something that could not be understood as a continuation: show the screen again.
    Redisplay,
    /// Typed something at a screen that the live value has lost: it is no answer to the screen that is known. As a dial, and
    /// without the question whether to go on.
    Recover,
}

impl Input {
    /// Whether it begins a dialog: then what the records know is looked up.
    pub fn begins_dialog(&self) -> bool {
        matches!(self, Self::Begin(_) | Self::Continue | Self::Recover)
    }
}

/// What is chosen, without what keyboards and people put around it: `3.`, `(3)`, `“3”` and the key cap of 3 are 3. Never for passwords.
pub(super) fn fold_choice(typed: &str) -> String {
    let bare = typed.trim_matches(|character: char| !character.is_alphanumeric());
    gsm7::fold_digits(if bare.is_empty() { typed.trim() } else { bare })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A choice is what is left without the signs that keyboards and people put around it; what is between stays.
    #[test]
    fn a_choice_is_read_without_what_is_around_it() {
        for typed in [
            "3",
            " 3 ",
            "3.",
            "3 .",
            "3)",
            "(3)",
            "[3]",
            "3/",
            "#3",
            "3!",
            "3 !",
            "3?",
            "3,",
            "\"3\"",
            "\u{201c}3\u{201d}",
            "'3'",
            "3\u{fe0f}\u{20e3}",
            "\u{ff13}",
            "\u{663}",
            "\u{6f3}",
            "\u{200f}3\u{200f}",
            "\u{a0}3",
            "- 3",
            "3\u{2026}",
            "3\u{ff09}",
            "*3*",
        ] {
            assert_eq!(fold_choice(typed), "3", "{typed:?}");
        }
        for (typed, want) in [
            ("1,3.", "1,3"),
            ("3 3", "3 3"),
            ("Zenith.", "Zenith"),
            ("...", "..."),
            ("#", "#"),
            ("", ""),
            ("1.5", "1.5"),
        ] {
            assert_eq!(fold_choice(typed), want, "{typed:?}");
        }
    }
}
