//! One person, who follows the screens.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::model::{ASKS, Chance, DIALOG, DROPS, Finds, Habits, MOST_REDIALS, REDIALS, Speed, banks};
use super::outbox::PendingSms;
use super::truth::{self, Reality};
use crate::core::flow::terms::RequestTerms;
use crate::core::flow::tests::fixtures::{code_form, link, terms};
use crate::core::flow::tests::phone::{Phone, flow_with};
use crate::core::flow::tests::sms_phone::code_in;
use crate::core::flow::{AttemptResult, Effect, Flow, SubscriberFacts};
use crate::core::ids::{AttemptId, IntentId};
use crate::core::linking::SubmissionStep;
use crate::core::policy::SecretsOverUssd;
use crate::core::time::Timestamp;

/// How it went for one person.
pub struct Story {
    pub linked: bool,
    pub told: bool,
    /// Something untrue that was said.
    pub lied: Option<String>,
    pub screens: u32,
    pub logins: u32,
    pub sms: u32,
}

/// What the bank will say, and when.
struct Underway {
    id: AttemptId,
    at: Timestamp,
    result: AttemptResult,
}

/// How a dialog ended.
#[derive(PartialEq, Eq)]
enum Ended {
    /// By the network, or with nothing left to do in it.
    Over,
    /// By the person, who has a code to read.
    ToRead,
}

/// What was said to somebody.
#[derive(Default)]
struct ToldSoFar {
    linked: bool,
    /// A text was promised.
    promise: bool,
    lie: Option<String>,
}

struct Person {
    phone: Phone,
    chance: Chance,
    habits: Habits,
    speed: Speed,
    texts: PendingSms,
    underway: Option<Underway>,
    asks_code: bool,
    /// Whether they know the code that the bank has sent them.
    code_read: bool,
    linked: bool,
    heard: ToldSoFar,
    logins: u32,
    sms: u32,
    began: Timestamp,
    /// The last text, until they have seen it.
    inbox: Option<String>,
}

/// A service that warns of the channel, and sends texts or none.
fn service(texts: bool) -> Arc<Flow> {
    static WITH: OnceLock<Arc<Flow>> = OnceLock::new();
    static WITHOUT: OnceLock<Arc<Flow>> = OnceLock::new();
    let service = if texts { &WITH } else { &WITHOUT };
    let made = service.get_or_init(|| {
        let mut flow = flow_with(SecretsOverUssd::Warn, Vec::new());
        if let Some(flow) = Arc::get_mut(&mut flow).filter(|_| !texts) {
            flow.settings.sms_countries.clear();
        }
        flow
    });
    made.clone()
}

/// Lives through somebody's day.
pub fn tell(seed: u64, habits: Habits) -> Story {
    let mut chance = Chance(seed);
    let asks_code = Habits::asks_code(&mut chance);
    let speed = Speed::of(&mut chance);
    let mut phone = Phone::with(service(habits.texts.is_some()));
    phone.banks = banks();
    phone.asks = ASKS;
    let person = Person {
        began: phone.now,
        phone,
        chance,
        habits,
        speed,
        texts: PendingSms::default(),
        underway: None,
        asks_code,
        code_read: false,
        linked: false,
        heard: ToldSoFar::default(),
        logins: 0,
        sms: 0,
        inbox: None,
    };
    person.day()
}

impl Person {
    fn day(mut self) -> Story {
        let mut code = None;
        let mut redials = 0;
        loop {
            let ended = self.dialog(code.take().as_deref());
            if self.heard.linked && self.underway.is_none() {
                break;
            }
            let returns = match (ended, self.habits.leaves) {
                (Ended::ToRead, Some(returning)) => {
                    self.code_read = true;
                    self.chance.happens(returning)
                }
                _ if redials < MOST_REDIALS => {
                    redials += 1;
                    self.chance.happens(REDIALS)
                }
                _ => false,
            };
            if returns {
                let pause = self.chance.millis(10_000, 170_000);
                self.passes(pause);
                continue;
            }
            // Gone, unless a text brings them back.
            let Some(back) = self.habits.texts else { break };
            self.inbox = None;
            self.waits_for_text();
            let told = self.inbox.take().filter(|text| text.contains("*384*96"));
            let Some(text) = told.filter(|_| self.chance.happens(back)) else {
                break;
            };
            self.code_read = self.logins > 0;
            let pause = self.chance.millis(30_000, 270_000);
            self.passes(pause);
            let leads_on = text.contains("*384*96*");
            (code, redials) = (leads_on.then(|| code_in(&text)), 0);
        }
        self.ends()
    }

    /// A day later everything that was on its way has arrived; those who were not told dial once more.
    fn ends(mut self) -> Story {
        self.passes(Duration::from_hours(1));
        let screens = u32::try_from(self.phone.shown).expect("few");
        if self.heard.promise && self.linked && !self.heard.linked {
            self.heard.lie = self.heard.lie.or(Some("a text was promised, and none came".to_owned()));
        }
        self.dials(None);
        self.hears();
        let told = self.heard.linked || !self.phone.state.links.is_empty();
        Story {
            linked: self.linked,
            told,
            lied: self.heard.lie,
            screens,
            logins: self.logins,
            sms: self.sms,
        }
    }

    /// Time passes, and with it the bank answers and texts are sent.
    fn passes(&mut self, time: Duration) {
        self.takes_effects();
        let until = self.phone.now.plus(time);
        loop {
            let answer = self.underway.as_ref().map(|underway| underway.at);
            let text = self.habits.texts.and_then(|_| self.texts.due(&self.phone));
            let Some(next) = answer.into_iter().chain(text).min().filter(|next| *next <= until) else {
                break;
            };
            self.phone.now = self.phone.now.max(next);
            self.bank_answers();
            self.text_comes();
        }
        self.phone.now = until;
    }

    fn takes_effects(&mut self) {
        for effect in std::mem::take(&mut self.phone.effects) {
            self.texts.schedule(std::slice::from_ref(&effect), self.phone.now);
            let Effect::Submit(submit) = effect else { continue };
            self.logins += u32::from(submit.step == SubmissionStep::Login);
            self.phone.sends(submit.attempt);
            let result = if std::mem::take(&mut self.asks_code) {
                AttemptResult::Prompt(code_form())
            } else {
                AttemptResult::Linked(link(1, "zenith:p", self.habits.bank_name()))
            };
            let at = self.phone.now.plus(self.chance.millis(3_000, 47_000));
            let id = submit.attempt;
            self.underway = Some(Underway { id, at, result });
        }
    }

    fn bank_answers(&mut self) {
        let now = self.phone.now;
        if let Some(due) = self.underway.take_if(|underway| underway.at <= now) {
            self.linked |= matches!(due.result, AttemptResult::Linked(_));
            self.phone.resolves(due.id, due.result);
            self.hears();
        }
    }

    fn text_comes(&mut self) {
        if self.habits.texts.is_none() {
            return;
        }
        let Some(text) = self.texts.decide(&mut self.phone) else {
            return;
        };
        self.sms += 1;
        self.heard.linked |= truth::says_linked(&text);
        let lie = truth::lie_by_sms(&text, self.facts());
        self.heard.lie = self.heard.lie.take().or(lie);
        self.inbox = Some(text);
    }

    /// Goes about other things for an hour, or until a text comes.
    fn waits_for_text(&mut self) {
        for _ in 0..240 {
            self.passes(Duration::from_secs(15));
            if self.inbox.is_some() {
                return;
            }
        }
    }

    fn facts(&self) -> Reality<'static> {
        Reality {
            linked: self.linked,
            logged_in: self.logins > 0,
            bank: self.habits.bank_name(),
        }
    }

    /// Reads the screen.
    fn hears(&mut self) {
        let closed = self.phone.state.dialogs.first().is_none_or(|dialog| dialog.closed);
        let ends = self.phone.answer().is_some_and(|answer| answer.end);
        if closed && !ends {
            return;
        }
        let said = self.phone.says();
        self.heard.linked |= truth::says_linked(&said);
        self.heard.promise |= truth::promises_text(&said);
        let lie = truth::lie(&said, self.facts());
        self.heard.lie = self.heard.lie.take().or(lie);
    }

    fn dials(&mut self, code: Option<&str>) {
        if !self.habits.remembers {
            // A service that remembers nothing but what is durable.
            self.phone.state.session = None;
        }
        // What was asked for is over when it is linked.
        let request = RequestTerms {
            intent: Some(IntentId::from_bytes([3; 16])),
            reusable: false,
            ..terms(3, "Rent Co")
        };
        let known = SubscriberFacts {
            links: self.phone.state.links.clone(),
            requests: self
                .habits
                .asked
                .then(|| (!self.linked).then_some(request).into_iter().collect()),
            ..SubscriberFacts::default()
        };
        self.began = self.phone.now;
        let extras: Vec<&str> = code.into_iter().collect();
        self.phone.dial_known(&known, &extras);
    }

    /// Waits for the answer to a turn, four seconds at most.
    fn waits(&mut self) {
        self.passes(Duration::ZERO);
        if self.phone.state.awaits_reply() {
            self.passes(Duration::from_secs(4));
        }
        if self.phone.state.awaits_reply() {
            let left = self.began.plus(DIALOG).since(self.phone.now);
            self.phone.polls(left < Duration::from_secs(15));
        }
        self.hears();
    }

    /// One dialog: to its end, or until the network drops it.
    fn dialog(&mut self, code: Option<&str>) -> Ended {
        self.dials(code);
        self.waits();
        loop {
            if self.phone.answer().is_some_and(|answer| answer.end) {
                self.closes(false);
                return Ended::Over;
            }
            let asks_for_code = self.asks_for_code();
            let answer = self.answer();
            let takes = self.speed.takes(answer.as_deref().unwrap_or_default());
            let late = takes >= self.habits.idle;
            let cut = self.phone.now.plus(takes) > self.began.plus(DIALOG);
            if self.chance.happens(DROPS) || cut {
                self.closes(false);
                return Ended::Over;
            }
            if asks_for_code && self.habits.leaves.is_some() && !self.code_read {
                self.passes(self.speed.takes(""));
                self.closes(true);
                return Ended::ToRead;
            }
            if late {
                self.passes(self.habits.idle);
                self.closes(false);
                return Ended::Over;
            }
            self.passes(takes);
            let Some(line) = answer else {
                self.closes(true);
                return Ended::Over;
            };
            self.phone.types(&line);
            self.waits();
        }
    }

    /// The dialog is over: the person has hung up, or the network has.
    fn closes(&mut self, left: bool) {
        let key = [self.phone.dialog; 32];
        self.phone.state.close_dialog(&key, false, left);
        self.phone.state.note_dialog_end(self.phone.now);
    }

    fn asks_for_code(&self) -> bool {
        let session = self.phone.state.session.as_ref();
        self.phone.state.cursor.screen == "field" && session.is_some_and(|session| session.step == SubmissionStep::Code)
    }

    /// What they type at this screen; nothing at an end or when all is done.
    fn answer(&self) -> Option<String> {
        let said = self.phone.says();
        let row = |label: &str| {
            let of = |line: &str| {
                line.split_once(' ')
                    .filter(|(_, name)| *name == label)
                    .map(|(key, _)| key.to_owned())
            };
            said.lines().find_map(of)
        };
        let answer = match self.phone.state.cursor.screen.as_str() {
            "welcome" | "warning" | "checking" | "confirming" | "unconfirmed" | "unavailable" => "1".to_owned(),
            "resume" => if self.habits.remembers { "1" } else { "2" }.to_owned(),
            "banks" if self.habits.finds == Finds::BySearch && self.phone.state.cursor.query.is_none() => {
                self.habits.query().to_owned()
            }
            "banks" => row(self.habits.bank_name()).or_else(|| row("More"))?,
            "methods" => row("Way 1").or_else(|| row("Way 0"))?,
            "field" => self.field_value(&said)?,
            _ => return None,
        };
        Some(answer)
    }

    fn field_value(&self, said: &str) -> Option<String> {
        let session = self.phone.state.session.as_ref()?;
        if session.step == SubmissionStep::Code {
            return Some("123456".to_owned());
        }
        let field = session.current_field()?;
        let value = match (field.name.as_str(), field.label.as_str()) {
            (_, "Phone Number") if said.contains("\n1 This number") => "1",
            (_, "Phone Number") => "08031234567",
            ("username", _) => "adaobijo",
            ("pin", _) => "4821",
            _ => "Zq7passwd",
        };
        Some(value.to_owned())
    }
}
