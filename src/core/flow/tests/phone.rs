//! Somebody with a phone, and everything around the conversation made up: banks, ids, the time, and events on demand.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::fixtures::{Drawn, ListedBanks, banks, link, provider_rules, terms, without_language_line};
use crate::core::attempt::{AttemptEvent, LiveAttemptState};
use crate::core::bank_names::BankNames;
use crate::core::budget::Deadlines;
use crate::core::dial_code::DialCode;
use crate::core::flow::dialogs::DialogDecision;
use crate::core::flow::session::ConnectSession;
use crate::core::flow::state::{ReplySlot, Subscriber, TurnReply};
use crate::core::flow::turn_context::{TurnContext, TurnEvent};
use crate::core::flow::{
    AttemptResult, Effect, Flow, FlowSettings, FreshIds, Input, Offer, OpenSession, SessionEvent, StepContext, Submit,
    SubscriberFacts, stored,
};
use crate::core::health::HealthMap;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, NodeId};
use crate::core::labels::KnownPurposes;
use crate::core::menu::{ListOrder, Menu, Outcome};
use crate::core::messages::{Locale, Templates};
use crate::core::msisdn::Msisdn;
use crate::core::pin::SubscriberPin;
use crate::core::policy::{Policy, PolicyOverride, SecretsOverSms, SecretsOverUssd};
use crate::core::seal::Keyring;
use crate::core::secret::Secret;
use crate::core::service_codes::ServiceCodes;
use crate::core::time::Timestamp;

pub const PAGE: usize = 156;

/// What the provider is given; an attempt's lease is this and 15 seconds.
pub const TIMEOUT: Duration = Duration::from_mins(1);
pub const LASTS: Duration = Duration::from_mins(3);

pub fn flow_with(secrets_over_ussd: SecretsOverUssd, overrides: Vec<PolicyOverride>) -> Arc<Flow> {
    let templates = Templates::embedded().expect("the texts");
    Arc::new(Flow {
        menu: Menu::embedded().expect("the menu"),
        purposes: KnownPurposes::of(&templates),
        templates,
        bank_names: BankNames::embedded().expect("the names"),
        order: ListOrder::default(),
        settings: FlowSettings {
            default_terms: terms(1, "Umoja Credit"),
            languages: Vec::new(),
            policy: Policy {
                secrets_over_ussd,
                secrets_over_sms: SecretsOverSms::Deny,
                overrides,
                card_and_pin: false,
            },
            subscriber_pin: SubscriberPin::Optional,
            ask_login_after: Some(Duration::from_hours(180 * 24)),
            sms_countries: ["NG".to_owned()].into(),
            receipts: false,
            service_codes: ServiceCodes::new(vec![("at-ng".to_owned(), "*384*96#".to_owned())]),
            providers: ["mono", "other"].map(provider_rules).into(),
            lease_margin: crate::core::flow::LEASE_MARGIN,
        },
        keyring: Arc::new(Keyring::for_tests()),
    })
}

pub fn flow() -> Arc<Flow> {
    static FLOW: OnceLock<Arc<Flow>> = OnceLock::new();
    FLOW.get_or_init(|| flow_with(SecretsOverUssd::Allow, Vec::new()))
        .clone()
}

pub fn latest(line: &str) -> TurnEvent {
    TurnEvent::Latest(Secret::new(line))
}

pub fn cumulative(text: &str) -> TurnEvent {
    TurnEvent::Cumulative(Secret::new(text))
}

pub struct Phone {
    pub flow: Arc<Flow>,
    pub state: Subscriber,
    pub now: Timestamp,
    pub banks: Vec<Offer>,
    /// Banks that are known and cannot be linked here.
    pub unlinkable: Vec<String>,
    listed: ListedBanks,
    pub health: HealthMap,
    pub septets: usize,
    /// For how long a dialog may ask something; here so long that no test about something else meets its end.
    pub asks: Duration,
    /// How long the network waits for an answer.
    pub idle: Duration,
    pub effects: Vec<Effect>,
    /// How many wrong numbers may still be texted, as the records say.
    pub proofs_left: u32,
    pub dialog: u8,
    /// Everything typed in it.
    typed: String,
    drawn: u64,
    /// Screens shown since the test began or set it back.
    pub shown: usize,
    /// Whether the provider opens at once what is asked of it, with the form that its list told of.
    pub opens_at_once: bool,
    pub all_lists_read: bool,
    /// The gateway's own number for the next callbacks, where it has one.
    pub turn: Option<u64>,
}

/// Digests as a test may: the text itself would do, were it not for its length.
fn digest(text: &str) -> [u8; 32] {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    bytes
}

impl Phone {
    /// Of somebody nobody knows yet.
    pub fn new() -> Self {
        Self::with(flow())
    }

    /// In this conversation.
    pub fn with(flow: Arc<Flow>) -> Self {
        let msisdn = Msisdn::parse("+2348031234567", "NG").expect("a number");
        Self {
            flow,
            state: Subscriber::new(msisdn, Locale::En),
            now: Timestamp::from_millis(1_780_000_000_000),
            banks: banks(),
            unlinkable: Vec::new(),
            listed: ListedBanks::default(),
            all_lists_read: true,
            health: HealthMap::default(),
            septets: PAGE,
            asks: LASTS * 1_000,
            idle: Duration::from_mins(1),
            effects: Vec::new(),
            proofs_left: crate::core::flow::sms_proof::MAX_WRONG,
            dialog: 0,
            typed: String::new(),
            drawn: 0,
            shown: 0,
            opens_at_once: true,
            turn: None,
        }
    }

    /// The node everything runs on.
    pub fn node() -> NodeId {
        NodeId::from_bytes([7; 16])
    }

    /// Runs a step of the conversation with fresh ids.
    pub fn step<T>(&mut self, act: impl FnOnce(&Flow, &mut Subscriber, &StepContext<'_>) -> T) -> T {
        self.drawn += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.drawn.to_be_bytes());
        let offers = self.listed.list(&self.flow, &self.banks, &self.unlinkable);
        let context = StepContext {
            now: self.now,
            answer_by: self.now.plus(Duration::from_secs(4)),
            node: Self::node(),
            ids: FreshIds {
                session: ConnectSessionId::from_bytes(id),
                consent: ConsentId::from_bytes(id),
                intent: IntentId::from_bytes(id),
                attempt: AttemptId::from_bytes(id),
                code: DialCode::generate(&Drawn(self.drawn)),
            },
            offers: Some(&offers),
            all_lists_read: self.all_lists_read,
            health: &self.health,
            country: "NG",
        };
        act(&self.flow, &mut self.state, &context)
    }

    /// What becomes of a callback in the dialog with this number.
    #[expect(clippy::needless_pass_by_value, reason = "events are written where they happen")]
    pub fn callback(&mut self, dialog: u8, event: TurnEvent, known: Option<&SubscriberFacts>) -> Option<ReplySlot> {
        let turn = TurnContext {
            key: [dialog; 32],
            channel: "at-ng",
            country: "NG",
            septets: self.septets,
            deadlines: Deadlines {
                turn: Duration::from_secs(5),
                dialog: LASTS,
                idle: self.idle,
            },
            interactive_time: self.asks,
            started: self.now,
            turn_id: self.turn,
            sms: None,
        };
        match Flow::admit(&mut self.state, &turn, &event, self.now, &digest) {
            DialogDecision::Step(input) => {
                let nothing = SubscriberFacts::default();
                let known = matches!(input, Input::Begin(_)).then(|| known.unwrap_or(&nothing));
                let effects = self.step(|flow, state, context| flow.turn(state, input, known, context));
                self.effects.extend(effects);
                self.shown += 1;
                self.opens_what_is_typed();
                self.state.dialogs.first().map(|dialog| dialog.reply.clone())
            }
            DialogDecision::Repeat(slot) => Some(slot),
            DialogDecision::Over | DialogDecision::Elsewhere => None,
        }
    }

    /// The provider opens the session that was asked for, where something is to be typed in it.
    pub fn opens_what_is_typed(&mut self) {
        let opening = self.state.session.as_ref().filter(|session| {
            let typed = session.form.is_some() && session.renews.is_none();
            typed && session.opening_until.is_some() && session.attempt.is_none()
        });
        if let Some(session) = opening.map(|session| session.id).filter(|_| self.opens_at_once) {
            let result = super::fixtures::opened("sess_at_once", None);
            self.applies(&SessionEvent::ProviderSessionOpened { session, result });
        }
    }

    /// Dials, with what the records know.
    pub fn dial_known(&mut self, known: &SubscriberFacts, extras: &[&str]) -> String {
        self.dialog += 1;
        self.typed.clear();
        let extras: Vec<String> = extras.iter().map(|&extra| extra.to_owned()).collect();
        self.callback(self.dialog, TurnEvent::Begin { dialed: extras }, Some(known));
        // What is under way is waited for on a dial, too.
        if self.state.awaits_reply() {
            self.polls(false)
        } else {
            self.says()
        }
    }

    /// The gateway sends the beginning again. After so long that no dialog lasts, its number is used for a new, empty one.
    pub fn begins_again(&mut self) {
        let began = self.state.dialogs.first().map(|dialog| dialog.started_at);
        if began.is_some_and(|began| self.now.since(began) > Duration::from_mins(10)) {
            self.typed.clear();
        }
        self.callback(self.dialog, TurnEvent::Begin { dialed: Vec::new() }, None);
    }

    /// Dials; the records know what the live value knows of links.
    pub fn dial(&mut self) -> String {
        let known = SubscriberFacts {
            links: self.state.links.clone(),
            ..SubscriberFacts::default()
        };
        self.dial_known(&known, &[])
    }

    /// Types a line, as a gateway tells it that sends everything typed so far.
    pub fn types(&mut self, line: &str) -> String {
        if !self.typed.is_empty() {
            self.typed.push('*');
        }
        self.typed.push_str(line);
        let whole = self.typed.clone();
        self.callback(self.dialog, cumulative(&whole), None);
        self.says()
    }

    /// Types line after line and reads what the last one led to.
    pub fn keys(&mut self, lines: &[&str]) -> String {
        lines.iter().map(|line| self.types(line)).last().unwrap_or_default()
    }

    /// The screen of the dialog in charge, empty while it is pending; without the line that says how to change the language.
    pub fn says(&self) -> String {
        without_language_line(self.shows())
    }

    /// The same, with that line.
    pub fn shows(&self) -> &str {
        self.answer().map_or("", |answer| &answer.text)
    }

    /// The answer of the dialog in charge, if it is there.
    pub fn answer(&self) -> Option<&TurnReply> {
        match &self.state.dialogs.first()?.reply {
            ReplySlot::Set(answer) => Some(answer),
            ReplySlot::Pending { .. } => None,
        }
    }

    /// Applies an event.
    pub fn applies(&mut self, event: &SessionEvent) -> bool {
        self.step(|flow, state, context| flow.apply(state, event, context))
    }

    /// Ends the budget of the turn that waits.
    pub fn polls(&mut self, last: bool) -> String {
        let key = [self.dialog; 32];
        self.step(|flow, state, context| flow.poll(state, &key, last, context));
        self.says()
    }

    /// Time passes.
    pub fn passes(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    /// The one submission that was asked for.
    pub fn submit(&mut self) -> Submit {
        let at = self
            .effects
            .iter()
            .position(|effect| matches!(effect, Effect::Submit(_)));
        match self.effects.remove(at.expect("a submission")) {
            Effect::Submit(submit) => *submit,
            other => panic!("{other:?}"),
        }
    }

    /// How many submissions were asked for and not taken.
    pub fn submits(&self) -> usize {
        self.effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Submit(_)))
            .count()
    }

    /// The sessions to be opened, which are thereby taken.
    pub fn opens(&mut self) -> Vec<OpenSession> {
        let (opens, rest) = std::mem::take(&mut self.effects)
            .into_iter()
            .partition(|effect| matches!(effect, Effect::OpenSession(_)));
        self.effects = rest;
        let opens: Vec<Effect> = opens;
        opens
            .into_iter()
            .map(|effect| match effect {
                Effect::OpenSession(open) => *open,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// Marks a submission as sent, as its owner does.
    pub fn sends(&mut self, id: AttemptId) {
        let now = self.now;
        let attempt = self.state.attempt_mut(id).expect("the attempt");
        assert_eq!(
            attempt.apply(AttemptEvent::Send(Self::node()), now),
            Ok(LiveAttemptState::Sent)
        );
    }

    pub fn resolves(&mut self, id: AttemptId, result: AttemptResult) -> bool {
        self.applies(&SessionEvent::AttemptResolved { id, result })
    }

    /// Dials and agrees; the banks are on the screen.
    pub fn at_banks() -> Self {
        let mut phone = Self::new();
        phone.dial();
        phone.types("1");
        phone
    }

    /// Has typed user name and password at Zenith, which is on its way.
    pub fn submitted() -> (Self, AttemptId) {
        let mut phone = Self::at_banks();
        phone.keys(&["1", "ada", "Zq7password"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        (phone, id)
    }

    /// Zenith has linked the account and the screen says so.
    pub fn linked() -> Self {
        let (mut phone, id) = Self::submitted();
        assert!(phone.resolves(id, AttemptResult::Granted));
        assert!(phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
        phone
    }

    pub fn session(&self) -> &ConnectSession {
        self.state.session.as_ref().expect("a session")
    }

    pub fn stage(&self) -> Option<Outcome> {
        self.state.session.as_ref().map(|session| session.stage)
    }

    /// The live value as it is written, without its seal; what is read is the same.
    pub fn value(&self) -> String {
        let bytes = stored::encode(&self.state, self.state.revision).expect("bytes");
        assert!(stored::decode(&bytes).is_ok_and(|read| *read == self.state));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
