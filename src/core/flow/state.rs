//! Everything live about one subscriber: the value under one key, sealed as a whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::apply;

pub use super::cursor::{Confirmation, ScreenCursor};
pub use super::screen_notice::ScreenNotice;
use super::session::{ConnectSession, EndingConsent, LinkSummary, Notice, WithheldLink};
use super::terms::RequestTerms;
pub use super::turn_reply::TurnReply;
use crate::core::attempt::{LiveAttempt, Refusal};
use crate::core::defaults::is_default;
use crate::core::dial_code::DialCode;
use crate::core::ids::{AttemptId, SeriesId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::pin::Pin;
use crate::core::time::Timestamp;
use crate::core::token_bucket::TokenBucket;

/// How many dialogs are remembered: enough for late duplicates of the one before.
pub const MAX_DIALOGS: usize = 4;

/// How many sessions are set aside: more banks than anybody tries while none of them answers. The records know them all.
pub(super) const MAX_SET_ASIDE: usize = 4;

#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    Vec => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscriber {
    pub msisdn: Msisdn,
    pub locale: Locale,
    /// Whether they have chosen that language themselves.
    pub language_chosen: bool,
    /// Recent dialogs, the one in charge first.
    pub dialogs: Vec<Dialog>,
    /// What is on the screen of the dialog in charge.
    pub cursor: ScreenCursor,
    /// Grows with every write, by who writes the value: one older than what was seen before has been brought back.
    #[serde(skip_serializing, default)]
    pub revision: u64,
    /// The try at linking, if one is open or its result is still to be told.
    pub session: Option<ConnectSession>,
    /// Tries that the person has left while nobody knows what became of their submission, the last first: no login may be
    /// tried at their institutions.
    pub set_aside: Vec<ConnectSession>,
    /// Refused and unknown logins of the last day.
    pub refusals: Vec<Refusal>,
    /// What is linked, as the records said when the dialog began.
    pub links: Vec<LinkSummary>,
    /// What more there is, and is not shown, as nobody has used it for long.
    pub withheld: Vec<WithheldLink>,
    /// Which of their consents end soon, as the records said then.
    pub ending: Vec<EndingConsent>,
    /// What is still to be told in this dialog before anything else, in order.
    pub notices: Vec<Notice>,
    /// The institution used last, by id: shown first.
    pub last_institution: Option<String>,
    /// Their own code, if they have one.
    pub pin: Option<Pin>,
    /// Whether they have chosen it and the records may not have it yet: that the records have none then says nothing.
    pub pin_unsaved: bool,
    /// When they began the login with which a bank last let them in for an account of theirs, as far as is known here: who
    /// they were then. What came of it may be known much later.
    pub fresh_login: Option<Timestamp>,
    /// The turns taken lately: somebody who asks for too many is told to wait. It is here, and not in the memory of a
    /// node, so that it counts on all nodes and costs nothing for people who are not there.
    pub turn_bucket: TokenBucket,
    /// The code that leads straight back in, if one was handed out.
    pub recovery: Option<RecoveryCode>,
    /// Who asks, as the records said when the dialog began; `None` where they were not asked.
    pub requests: Option<Vec<RequestTerms>>,
    /// Whose consent is asked for where a dial begins, once that is settled.
    pub terms: Option<RequestTerms>,
    /// When unknown codes were dialled lately.
    pub wrong_codes: Vec<Timestamp>,
    /// Whether they have said that they want no SMS, as the records knew when the dialog began.
    pub texts_stopped: bool,
    /// When they were last reminded of what they had agreed to and left.
    pub reminded: Option<Timestamp>,
}

/// A code that was handed out, to be dialled behind the service code. It works once, for this number, for a while.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryCode {
    pub code: DialCode,
    pub until: Timestamp,
    /// How many wrong ones were dialled instead.
    pub wrong_tries: u8,
}

/// One dialog of a gateway.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts of a dialog that do not depend on each other"
)]
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    Vec => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
    u8 => #[serde(default, skip_serializing_if = "is_default")],
    usize => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialog {
    /// Digest of the gateway's own name for it.
    #[serde(with = "serde_bytes")]
    pub key: [u8; 32],
    pub channel: String,
    /// Septets of one page on it, the dialect's own taken off.
    pub septets: usize,
    pub started_at: Timestamp,
    /// When the network cuts it at the latest; of one that is over, when that was known.
    pub ends_at: Timestamp,
    /// Until when a screen in it may ask something: later there is no time left to read it and to answer. `None` by
    /// SMS: no network cuts it.
    pub interactive_until: Option<Timestamp>,
    /// How long the network waits for an answer; nothing where none does.
    #[serde(default)]
    pub idle: Duration,
    /// How much of the typed text has been taken in.
    pub typed_prefix: TypedPrefix,
    /// Whether its gateway joins all lines: then a line may be two, if a write was lost in between.
    pub joins_lines: bool,
    /// The answer to the last turn.
    pub reply: ReplySlot,
    /// Whether an END was sent or the gateway said that it is over.
    pub closed: bool,
    /// Whether the person has typed anything in it.
    pub used: bool,
    /// Whether the person has shown that they know their own code.
    pub unlocked: bool,
    /// How often the person has looked whether there is news of what nobody knows the end of.
    pub looks: u8,
    /// Digests of the gateway's own numbers for the last turns, oldest first, where it numbers them.
    pub turn_ids: Vec<u64>,
    /// What a dialog of SMS has besides; `None` for one that was dialled.
    pub sms: Option<SmsDialog>,
}

/// What a dialog of SMS has besides.
#[apply(
    bool => #[serde(default, skip_serializing_if = "is_default")],
    u8 => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsDialog {
    /// What is dialled to go on with what must not be sent by SMS.
    pub dial: String,
    /// When the newest SMS in it was sent, by its gateway's clock where that says: an older one answers an older screen.
    pub received_at: Timestamp,
    /// When its last screen was sent.
    pub shown_at: Timestamp,
    /// How many SMS in a row chose nothing.
    pub invalid_in_a_row: u8,
    /// The gateway's id of the newest SMS that was taken into it: the last screen answers that.
    #[serde(default)]
    pub answered: String,
    /// How many wrong numbers may still be texted before what binds is for the phone only, as the records say.
    #[serde(default)]
    pub proofs_left: u32,
    /// Whether the person has opted out of SMS other than answers to their own.
    pub opted_out: bool,
}

/// What was typed so far, as a length and a keyed digest: it may hold a password.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedPrefix {
    pub len: usize,
    /// Keyed digest of those bytes.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
}

/// The answer to a turn: set exactly once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplySlot {
    /// Not known yet; a turn that needs it after this moment sets the poll screen.
    Pending {
        /// The end of the turn's budget.
        until: Timestamp,
    },
    /// This is what every duplicate gets.
    Set(TurnReply),
}

impl Subscriber {
    /// Somebody of whom nothing is known.
    pub fn new(msisdn: Msisdn, locale: Locale) -> Self {
        Self {
            msisdn,
            locale,
            language_chosen: false,
            dialogs: Vec::new(),
            cursor: ScreenCursor::default(),
            revision: 0,
            session: None,
            set_aside: Vec::new(),
            refusals: Vec::new(),
            links: Vec::new(),
            withheld: Vec::new(),
            ending: Vec::new(),
            notices: Vec::new(),
            last_institution: None,
            pin: None,
            pin_unsaved: false,
            fresh_login: None,
            recovery: None,
            requests: None,
            terms: None,
            wrong_codes: Vec::new(),
            texts_stopped: false,
            reminded: None,
            turn_bucket: TokenBucket::default(),
        }
    }

    /// Whether the dialog in charge may still be on the person's screen. By SMS it never is.
    pub fn in_dialog(&self, now: Timestamp) -> bool {
        let dialog = self.dialogs.first();
        dialog.is_some_and(|dialog| dialog.sms.is_none() && !dialog.closed && now < dialog.ends_at)
    }

    /// Whether a turn of the dialog in charge is waiting for its answer.
    pub fn awaits_reply(&self) -> bool {
        let dialog = self.dialogs.first();
        dialog.is_some_and(|dialog| matches!(dialog.reply, ReplySlot::Pending { .. }))
    }

    /// Whether the lease of an attempt that may not have ended is over: then the records are asked what they know.
    pub fn attempt_overdue(&self, now: Timestamp) -> bool {
        let attempt = self.live_attempt();
        attempt.is_some_and(|attempt| attempt.in_flight() && now > attempt.lease_until)
    }

    pub(super) fn live_attempt(&self) -> Option<&LiveAttempt> {
        self.session.as_ref()?.attempt.as_ref()
    }

    /// The id of the present session's attempt.
    pub fn attempt_id(&self) -> Option<AttemptId> {
        self.live_attempt().map(|attempt| attempt.id)
    }

    /// The series of the present session, and how many submissions of it were begun.
    pub fn series(&self) -> Option<(SeriesId, u32)> {
        let session = self.session.as_ref()?;
        Some((session.series, session.submissions))
    }

    /// The attempt of the present session, if it is this one.
    pub fn attempt_mut(&mut self, id: AttemptId) -> Option<&mut LiveAttempt> {
        let attempt = self.session.as_mut()?.attempt.as_mut();
        attempt.filter(|attempt| attempt.id == id)
    }

    /// Puts another session, or none, in the place of the present one, and returns that. If something was submitted in it
    /// that may still come to something, it is set aside.
    pub(super) fn replace_session(&mut self, next: Option<ConnectSession>) -> Option<ConnectSession> {
        self.set_aside();
        std::mem::replace(&mut self.session, next)
    }

    /// Keeps what the present session has submitted in mind, if that may still come to something.
    pub(super) fn set_aside(&mut self) {
        let Some(session) = self.session.as_ref().filter(|session| session.is_unresolved()) else {
            return;
        };
        let mut aside = session.clone();
        aside.forget_answers();
        self.set_aside
            .retain(|known| known.attempt.as_ref().map(|a| a.id) != aside.attempt.as_ref().map(|a| a.id));
        self.set_aside.insert(0, aside);
        self.set_aside.truncate(MAX_SET_ASIDE);
    }

    /// Takes the session back whose submission at this bank may still come to something.
    pub(super) fn take_aside(&mut self, provider: &str, provider_id: &str) -> Option<ConnectSession> {
        let at = self.set_aside.iter().position(|session| {
            let chosen = session.institution.as_ref();
            chosen.is_some_and(|chosen| chosen.is_bank(provider, provider_id))
        })?;
        Some(self.set_aside.remove(at))
    }

    /// The channel of the dialog in charge.
    pub(super) fn channel(&self) -> String {
        let dialog = self.dialogs.first();
        dialog.map(|dialog| dialog.channel.clone()).unwrap_or_default()
    }
}
