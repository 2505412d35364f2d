//! The conversation: a subscriber's state and something that happened, to the next state, a screen and effects. Total,
//! and pure: the time, fresh ids and what is known elsewhere are all in the [`Context`].
//!
//! Where the person stands is a fact of the connect session (its [`Outcome`] stage), not a saved screen: a redial, a
//! lost value or a late answer all come to the right screen by looking at the facts. The menu says what each outcome
//! looks like and what can be chosen there; this module says what choosing does.
//!
//! | file | what it holds |
//! |---|---|
//! | `state.rs` | the value under one key |
//! | `dialogs.rs` | is this callback new, a repeat, late, or in a dialog that is not in charge? |
//! | `turn.rs`, `reconcile.rs` | a person dialled or typed; what the records knew when they dialled |
//! | `asking.rs` | who asks, and for what |
//! | `home.rs` | where a dial begins |
//! | `act.rs`, `fields.rs`, `links.rs` | what each action of the menu does |
//! | `closed.rs`, `back.rs` | is the institution to be tried now? a text when it is back |
//! | `news.rs` | something came from a provider, the records or the clock |
//! | `pin.rs` | what stands behind a person's own code |
//! | `texts.rs` | what differs when the conversation is held by text |
//! | `recovery.rs`, `handover.rs` | the way back in: codes to dial, and what is texted after a dialog |
//! | `view.rs`, `offers.rs` | the screen for a state; what banks are called in their list |

use std::sync::Arc;
use std::time::Duration;

use crate::core::dial_code::DialCode;
use crate::core::health::HealthMap;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, LinkId, NodeId, PartnerId};
use crate::core::linking::{Institution, ProviderSession, SubmissionStep};
use crate::core::menu::Menu;
use crate::core::menu::Outcome;
use crate::core::messages::{Locale, Templates};
use crate::core::pin::{Pin, SubscriberPin};
use crate::core::policy::Policy;
use crate::core::seal::Keyring;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

mod actions;
mod bank_availability;
mod bank_back_alert;
pub mod dialogs;
mod entry;
pub mod events;
mod fields;
pub mod handover;
mod links;
pub(crate) mod offers;
mod partial_answer;
mod pin;
mod reconcile;
pub(crate) mod recovery;
pub mod requesters;
pub mod sms;
pub mod state;
mod turn;
mod view;

#[cfg(test)]
mod tests;

use requesters::{DialedCode, RequestTerms};
use state::{ChosenInstitution, ConsentGiven, LinkSummary, Subscriber};

/// The conversation's rules and words: the same for everybody.
pub struct Flow {
    /// Screens and moves.
    pub menu: Menu,
    /// The words, in every language.
    pub templates: Templates,
    /// What the operator decided.
    pub settings: FlowSettings,
    /// Digests people's own codes.
    pub keyring: Arc<Keyring>,
}

/// What the operator decided about the conversation.
#[derive(Clone, Debug)]
pub struct FlowSettings {
    /// What the operator's own business asks for.
    pub default_terms: RequestTerms,
    /// Whether secrets may be typed here.
    pub policy: Policy,
    /// Whether people may have a code of their own.
    pub subscriber_pin: SubscriberPin,
    /// Whether people can be sent texts.
    pub sms_enabled: bool,
    /// Institutions shown first, by name.
    pub favourites: Vec<String>,
    /// How long a submission may take where the provider does not say.
    pub provider_timeout: Duration,
    /// How much longer than the provider's timeout an attempt's lease lasts: [`LEASE_MARGIN`], less only in tests.
    pub lease_margin: Duration,
}

/// Enough for what is written down before and after a submission while its provider is given all its time.
pub const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// How often a provider may ask for more in one session before we stop believing it.
const MAX_ROUNDS: u8 = 6;

/// What surrounds one step.
pub struct StepContext<'a> {
    /// The present moment.
    pub now: Timestamp,
    /// When a waiting turn must be answered at the latest.
    pub answer_by: Timestamp,
    /// This server process.
    pub node: NodeId,
    /// Ids nobody has used.
    pub ids: FreshIds,
    /// What can be linked, already without what this channel cannot do; `None` when the list cannot be had.
    pub offers: Option<&'a [Offer]>,
    /// With which of them something is wrong.
    pub health: &'a HealthMap,
    /// The channel's country, ISO 3166-1 alpha-2.
    pub country: &'a str,
}

/// Ids drawn for one step; used at most once each.
#[derive(Clone, Copy, Debug)]
pub struct FreshIds {
    /// For a new connect session.
    pub session: ConnectSessionId,
    /// For a new consent.
    pub consent: ConsentId,
    /// For its implicit intent.
    pub intent: IntentId,
    /// For a new attempt.
    pub attempt: AttemptId,
    /// For a way straight back in.
    pub code: DialCode,
}

/// An institution that can be linked, with the provider that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The provider's name.
    pub provider: String,
    /// The institution, with the auth methods that are left.
    pub institution: Institution,
}

/// What is to be done after the state is safely written.
#[derive(Debug)]
pub enum Effect {
    /// Open a session at the provider; nobody waits for it unless the turn is pending.
    OpenSession(Box<OpenSession>),
    /// Submit, once. Holds the last secret: the only place where it is.
    Submit(Box<Submit>),
    /// End a link.
    Unlink(LinkId),
    /// See what became of an attempt now rather than later.
    ResolveAttempt(AttemptId),
    /// Keep the person's own code as it is now, its wrong tries with it.
    SavePin(Pin),
    /// Write down that the person wants a text when an institution is back, and tell whether that is done.
    RequestBankAlert(Box<BankAlertRequest>),
}

/// A text that a person wants.
#[derive(Debug)]
pub struct BankAlertRequest {
    /// How to open a session at the institution.
    pub open: OpenSession,
    /// In this language.
    pub locale: Locale,
    /// The channel on which it was asked for.
    pub channel: String,
}

/// A session to open.
#[derive(Debug)]
pub struct OpenSession {
    /// The connect session it is for.
    pub session: ConnectSessionId,
    /// On whose behalf; `None`: the operator's own business.
    pub partner: Option<PartnerId>,
    /// The provider's name.
    pub provider: String,
    /// The institution, as the provider knows it.
    pub institution: Institution,
    /// The auth method's id.
    pub method: String,
    /// The link to renew, when this is a reauthorisation.
    pub renews: Option<LinkId>,
}

/// A submission to make.
#[derive(Debug)]
pub struct Submit {
    /// Its id.
    pub attempt: AttemptId,
    /// When it was begun. Kept as it is in the records too: a refusal is known by it.
    pub begun_at: Timestamp,
    /// Until when it may be sent and waited for.
    pub lease_until: Timestamp,
    /// The provider's session, if it is open already.
    pub provider_session: Option<ProviderSession>,
    /// How to open one if it is not.
    pub open: OpenSession,
    /// Which call.
    pub step: SubmissionStep,
    /// Field names and answers, the last secret among them.
    pub answers: Vec<(String, Secret)>,
    /// What allows it.
    /// `None` for a reauthorisation: its link's own consent stands.
    pub consent: Option<ConsentGiven>,
    /// How long the provider is given.
    pub timeout: Duration,
}

/// Something that came from elsewhere than the person.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    /// A provider's session was opened, or not.
    ProviderSessionOpened {
        /// For this connect session.
        session: ConnectSessionId,
        /// With this result.
        result: OpenResult,
    },
    /// Something became of an attempt.
    AttemptResolved {
        /// This one.
        id: AttemptId,
        /// This became of it.
        result: AttemptResult,
    },
    /// A link was ended as asked.
    Unlinked(LinkId),
    /// A text was asked for.
    BankAlertAnswered {
        /// In this connect session.
        session: ConnectSessionId,
        /// What can be promised.
        answer: BankAlertAnswer,
    },
}

/// What can be promised to somebody who wants a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankAlertAnswer {
    /// It will come.
    Accepted,
    /// None, for they have said that they want no texts.
    OptedOut,
    /// None, for it could not be written down.
    Failed,
}

/// How opening a provider's session ended.
#[derive(Clone, Debug)]
pub enum OpenResult {
    /// It is open.
    Open(ProviderSession),
    /// A reauthorisation that needed nothing more.
    Renewed,
    /// Not now; after this long, if it asks to be left alone.
    Unavailable(Option<Duration>),
    /// The provider does not accept us.
    Blocked,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum AttemptResult {
    /// More must be typed.
    Prompt(crate::core::next_step::Form),
    /// One of these accounts must be picked.
    ChooseAccount(Vec<crate::core::next_step::AccountChoice>),
    /// The provider handed out a grant, and it is durable.
    Granted,
    /// The link is durable.
    Linked(LinkSummary),
    /// An explicit no.
    Failed(crate::core::next_step::Failure),
    /// Nothing left this machine.
    NotSent,
    /// The session's form is not the one that was filled in; nothing was sent.
    FormChanged(ProviderSession),
    /// Nobody knows.
    Unknown,
    /// It was looked for long enough.
    Lapsed,
    /// The partner has ended its request: nothing was sent, or what came of it was undone.
    RequestEnded,
    /// What came of it was not the account that the partner expects; it was undone.
    Mismatched,
}

/// Something the person did, as far as the conversation cares.
#[derive(Debug)]
pub enum Input {
    /// Dialled, with these segments after the code. Where the store has lost a dialog they are all that was typed in it.
    Begin(Vec<Secret>),
    /// Texted that they want to go on where they were: as a dial, and without the question whether to.
    Continue,
    /// Texted the name of a language.
    Language(Locale),
    /// Typed a line.
    Line(Secret),
    /// Typed something that could not be understood as a continuation: show the screen again.
    Redisplay,
}

impl Input {
    /// Whether it begins a dialog: then what the records know is looked up.
    pub fn begins_dialog(&self) -> bool {
        matches!(self, Self::Begin(_) | Self::Continue)
    }
}

/// What the records know of a person when a dialog begins.
#[derive(Clone, Debug, Default)]
pub struct SubscriberFacts {
    /// What is linked.
    pub links: Vec<LinkSummary>,
    /// The institution used last.
    pub last_institution: Option<String>,
    /// Refused and unknown logins of the last day.
    pub refusals: Vec<crate::core::attempt::Refusal>,
    /// Their own code, if they have one.
    pub pin: Option<Pin>,
    /// A submission whose answer is still owed.
    pub pending: Option<PendingAttempt>,
    /// What made the newest link.
    pub newest_link: Option<LinkOrigin>,
    /// The live value's own attempt, if the records say that it may have been sent.
    pub maybe_sent: Option<AttemptId>,
    /// Who asks: requests for this person, the newest first, then those who take whoever dials.
    pub requests: Option<Vec<RequestTerms>>,
    /// What stands behind a code that was dialled, where one was looked up.
    pub dialed_code: Option<DialedCode>,
}

/// What made a link.
#[derive(Clone, Debug)]
pub struct LinkOrigin {
    /// The connect session.
    pub session: ConnectSessionId,
    /// The submission.
    pub attempt: AttemptId,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When the link was made.
    pub linked_at: Timestamp,
    /// Who asked for it, as far as that is known.
    pub terms: Option<RequestTerms>,
    /// The link.
    pub link: LinkSummary,
}

/// A submission whose answer is still owed, as the records know it.
#[derive(Clone, Debug)]
pub struct PendingAttempt {
    /// The attempt as the conversation keeps it.
    pub attempt: crate::core::attempt::LiveAttempt,
    /// The connect session it belongs to.
    pub session: ConnectSessionId,
    /// What allowed it.
    pub consent: ConsentGiven,
    /// Who asked for it, as far as that is known.
    pub terms: Option<RequestTerms>,
    /// The link being renewed, when this is a reauthorisation; the consent is then that link's.
    pub renews: Option<LinkId>,
    /// Where.
    pub institution: ChosenInstitution,
}

impl Flow {
    /// How long a submission at this institution may take.
    fn timeout(&self, bank: &ChosenInstitution) -> Duration {
        bank.timeout.unwrap_or_default().max(self.settings.provider_timeout)
    }

    /// Puts the cursor on the screen of an outcome.
    fn show_outcome(&self, state: &mut Subscriber, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Welcome => self.welcome(state),
            outcome => outcome,
        };
        let shown = self.pin_gate(state, outcome);
        let then = match shown {
            Outcome::PinLocked => state.cursor.after_pin,
            shown => (shown != outcome).then_some(outcome),
        };
        state.cursor = state::ScreenCursor {
            screen: self.menu.outcome(shown).to_owned(),
            notice: state.cursor.notice.take(),
            link: state.cursor.link,
            after_pin: then,
            ..Default::default()
        };
    }
}
