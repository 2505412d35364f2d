//! Everything live about one subscriber: the value under one key, sealed as a whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use super::partial_answer::PartialAnswer;
use super::requesters::RequestTerms;
use crate::core::attempt::{LiveAttempt, Refusal};
use crate::core::dial_code::DialCode;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, LinkId, PartnerId};
use crate::core::linking::{AuthMethod, ProviderSession, SubmissionStep};
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::next_step::{AccountChoice, Form};
use crate::core::pin::Pin;
use crate::core::time::Timestamp;
use crate::core::token_bucket::TokenBucket;

/// How many dialogs are remembered: enough for late duplicates of the one before.
pub const MAX_DIALOGS: usize = 4;

/// One subscriber, live.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscriber {
    /// The number.
    pub msisdn: Msisdn,
    /// The language chosen.
    pub locale: Locale,
    /// Recent dialogs, the one in charge first.
    pub dialogs: Vec<Dialog>,
    /// What stands on the screen of the dialog in charge.
    pub cursor: ScreenCursor,
    /// The try at linking, if one is open or its result is still to be told.
    pub session: Option<ConnectSession>,
    /// Refused and unknown logins of the last day.
    pub refusals: Vec<Refusal>,
    /// What is linked, as the records said when the dialog began.
    pub links: Vec<LinkSummary>,
    /// The institution used last, by id: shown first.
    pub last_institution: Option<String>,
    /// Their own code, if they have one.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// Whether they have chosen it and the records may not have it yet: then that those know of none says nothing.
    #[serde(default)]
    pub pin_unsaved: bool,
    /// The turns taken lately: somebody who asks for too many is told to wait. It is here, and not in the memory of a
    /// node, so that it counts on all nodes and costs nothing for people who are not there.
    #[serde(default)]
    pub turn_bucket: TokenBucket,
    /// The code that leads straight back in, if one was handed out.
    #[serde(default)]
    pub recovery: Option<RecoveryCode>,
    /// Who asks, as the records said when the dialog began; `None` where they were not asked.
    #[serde(default)]
    pub requests: Option<Vec<RequestTerms>>,
    /// Whose consent is asked for where a dial begins, once that is settled.
    #[serde(default)]
    pub terms: Option<RequestTerms>,
    /// When codes were dialled lately that are nobody's.
    #[serde(default)]
    pub wrong_codes: Vec<Timestamp>,
}

/// A code that was handed out, to be dialled behind the service code. It works once, for this number, for a while.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryCode {
    /// The code.
    pub code: DialCode,
    /// Until when it works.
    pub until: Timestamp,
    /// How many wrong ones were dialled instead.
    pub wrong_tries: u8,
}

/// One dialog of a gateway.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Dialog {
    /// Digest of the gateway's own name for it.
    pub key: [u8; 32],
    /// The channel it came on.
    pub channel: String,
    /// Septets of one page on it, the dialect's own taken off.
    pub septets: usize,
    /// When its first callback came.
    pub started_at: Timestamp,
    /// When the network cuts it at the latest.
    #[serde(default)]
    pub ends_at: Timestamp,
    /// Until when a screen in it may ask something: later there is no time left to read it and to answer. `None` where it
    /// was begun by a server that did not know.
    #[serde(default)]
    pub interactive_until: Option<Timestamp>,
    /// How much of the typed text has been taken in.
    pub typed_prefix: TypedPrefix,
    /// The answer to the last turn.
    pub reply: ReplySlot,
    /// Whether an END was sent or the gateway said that it is over.
    pub closed: bool,
    /// Whether the person has typed anything in it.
    pub used: bool,
    /// Whether the person has shown that they know their own code.
    #[serde(default)]
    pub unlocked: bool,
    /// Digests of the gateway's own numbers for the last turns, oldest first, where it numbers them.
    #[serde(default)]
    pub turn_ids: Vec<u64>,
    /// What a dialog of texts has beside; `None` for one that was dialled.
    #[serde(default)]
    pub sms: Option<SmsDialog>,
}

/// What a dialog of texts has beside.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsDialog {
    /// What is dialled to go on with what is not for texts.
    pub dial: String,
    /// When the newest text in it was sent, by its gateway's clock where that says: what is older answers an older screen.
    pub received_at: Timestamp,
    /// When its last screen was sent.
    pub shown_at: Timestamp,
    /// How many texts in a row chose nothing.
    pub invalid_in_a_row: u8,
    /// Whether the person wants no texts but answers to their own.
    pub opted_out: bool,
}

/// What was typed so far, as a length and a keyed digest: it may hold a password.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedPrefix {
    /// Bytes.
    pub len: usize,
    /// Keyed digest of those bytes.
    pub digest: [u8; 32],
}

/// The answer to a turn: set exactly once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplySlot {
    /// Being worked out; whoever needs it after this moment sets the poll screen.
    Pending {
        /// The end of the turn's budget.
        until: Timestamp,
    },
    /// This is what every duplicate gets.
    Set(TurnReply),
}

/// A screen as it was sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnReply {
    /// Whether it ended the dialog.
    pub end: bool,
    /// What it said.
    pub text: String,
}

/// What stands on the screen.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScreenCursor {
    /// The screen's id in the menu.
    pub screen: String,
    /// Which page of it.
    pub page: usize,
    /// What was searched for in a list.
    pub query: Option<String>,
    /// What can be chosen on this page: the keys behind the numbers, so that a number means what was shown even if the list
    /// changes, or the keys of the fixed options.
    pub shown: Vec<String>,
    /// Whether another page follows.
    pub has_more: bool,
    /// A sentence to show above, once.
    pub notice: Option<ScreenNotice>,
    /// The link being looked at.
    pub link: Option<LinkId>,
    /// What the person's own code is asked for.
    #[serde(default)]
    pub after_pin: Option<Outcome>,
    /// What is asked has changed since the screen was shown: the next line answers the old question, not the new one.
    #[serde(default)]
    pub stale: bool,
    /// The number that stood before the binding choice in the last text; on the phone it has its key.
    #[serde(default)]
    pub confirmation_number: Option<u16>,
}

/// A sentence shown above a screen once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenNotice {
    /// The message's id.
    pub id: String,
    /// The one number some of them have: tries left, characters wanted.
    pub number: Option<i64>,
}

/// One try at linking.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectSession {
    /// Its id.
    pub id: ConnectSessionId,
    /// What was agreed to; `None` for a reauthorisation, whose link has its own consent.
    pub consent: Option<ConsentGiven>,
    /// Who asked for it; `None`: the operator's own business.
    #[serde(default)]
    pub terms: Option<RequestTerms>,
    /// Where it stands.
    pub stage: Outcome,
    /// Whether the person has seen where it stands.
    pub shown: bool,
    /// Whether they were sent a message about it.
    #[serde(default)]
    pub sms_sent: bool,
    /// The dialog whose last answer is all that has told it; `None` once the person has gone on from there.
    #[serde(default)]
    pub shown_in: Option<[u8; 32]>,
    /// The institution picked.
    pub institution: Option<ChosenInstitution>,
    /// The provider's session, once it is open.
    pub provider_session: Option<ProviderSession>,
    /// What is being asked.
    pub form: Option<Form>,
    /// Which call the answers go into.
    pub step: SubmissionStep,
    /// How many fields have been answered.
    pub fields_answered: usize,
    /// The answers so far, without the last one, which is never kept.
    pub answers: Vec<(String, PartialAnswer)>,
    /// The accounts to pick from.
    pub accounts: Vec<AccountChoice>,
    /// The submission under way, or the last one.
    pub attempt: Option<LiveAttempt>,
    /// Wrong codes in this provider session.
    pub wrong_codes: u8,
    /// Submissions in this provider session.
    pub rounds: u8,
    /// What was linked, once it is.
    pub result: Option<LinkSummary>,
    /// The link being renewed, when this is a reauthorisation.
    pub renews: Option<LinkId>,
    /// The dialog in which the person began it.
    #[serde(default)]
    pub started_in: Option<[u8; 32]>,
    /// Whether the provider's session could not be opened when the institution was picked.
    #[serde(default)]
    pub open_failed: bool,
    /// Until when the institution asked to be left alone.
    #[serde(default)]
    pub busy_until: Option<Timestamp>,
}

/// What a person agreed to, before it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentGiven {
    /// Its id.
    pub id: ConsentId,
    /// The request it answers.
    pub intent: IntentId,
    /// The exact text.
    pub text: String,
    /// The version of the text.
    pub version: String,
    /// The language.
    pub locale: Locale,
    /// The channel.
    pub channel: String,
    /// When.
    pub at: Timestamp,
}

/// The institution picked, as it was offered: later turns do not need the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenInstitution {
    /// Our key for it.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// What the provider wants back.
    pub provider_id: String,
    /// Its name.
    pub name: String,
    /// The auth methods offered.
    pub methods: Vec<AuthMethod>,
    /// The one picked.
    pub method: Option<usize>,
    /// Whether the person must first be told that the channel is not private.
    pub warn: bool,
    /// Whether no secret may be asked for a login.
    #[serde(default)]
    pub deny: bool,
    /// Whether what it asks may be answered by text.
    #[serde(default)]
    pub sms_allowed: bool,
    /// How long the provider says a login may take.
    pub timeout: Option<Duration>,
}

impl ChosenInstitution {
    /// The auth method picked.
    pub fn picked_method(&self) -> Option<&AuthMethod> {
        self.methods.get(self.method?)
    }
}

/// A business, as the menu names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRef {
    /// Its id.
    pub id: PartnerId,
    /// Its name.
    pub name: String,
}

/// A link as the menu shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSummary {
    /// Its id.
    pub id: LinkId,
    /// The business that it is for; `None`: the operator's own.
    #[serde(default)]
    pub partner: Option<PartnerRef>,
    /// The institution's name.
    pub institution_name: String,
    /// The institution's id.
    pub institution_id: String,
    /// The provider's name.
    pub provider: String,
    /// The last digits of its first account, once read.
    pub masked: Option<String>,
    /// Whether the same account is linked elsewhere too.
    pub duplicate: bool,
}

impl Subscriber {
    /// Somebody of whom nothing is known.
    pub fn new(msisdn: Msisdn, locale: Locale) -> Self {
        Self {
            msisdn,
            locale,
            dialogs: Vec::new(),
            cursor: ScreenCursor::default(),
            session: None,
            refusals: Vec::new(),
            links: Vec::new(),
            last_institution: None,
            pin: None,
            pin_unsaved: false,
            recovery: None,
            requests: None,
            terms: None,
            wrong_codes: Vec::new(),
            turn_bucket: TokenBucket::default(),
        }
    }

    /// Whether the dialog in charge may still be on the person's screen. A text never is: it was sent, and that is all.
    pub fn in_dialog(&self, now: Timestamp) -> bool {
        let dialog = self.dialogs.first();
        dialog.is_some_and(|dialog| dialog.sms.is_none() && !dialog.closed && now < dialog.ends_at)
    }

    /// Whether a turn of the dialog in charge is waiting for its answer.
    pub fn awaits_reply(&self) -> bool {
        matches!(
            self.dialogs.first(),
            Some(Dialog {
                reply: ReplySlot::Pending { .. },
                ..
            })
        )
    }

    /// Whether the lease of an attempt that may not have ended is over: then the records are asked what they know.
    pub fn attempt_overdue(&self, now: Timestamp) -> bool {
        let attempt = self.session.as_ref().and_then(|session| session.attempt.as_ref());
        attempt.is_some_and(|attempt| attempt.in_flight() && now > attempt.lease_until)
    }

    /// The id of the present session's attempt, if it has one.
    pub fn attempt_id(&self) -> Option<AttemptId> {
        Some(self.session.as_ref()?.attempt.as_ref()?.id)
    }

    /// The attempt of the present session, if it is this one.
    pub fn attempt_mut(&mut self, id: AttemptId) -> Option<&mut LiveAttempt> {
        self.session
            .as_mut()?
            .attempt
            .as_mut()
            .filter(|attempt| attempt.id == id)
    }
}
