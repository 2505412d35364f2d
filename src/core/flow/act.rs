//! What each action of the menu does to the state, and where it leads.

use super::state::{Bank, ConnectSession, ConsentGiven, Note, Subscriber};
use super::{Context, Effect, Flow, Offer, OpenSession};
use crate::core::attempt::{self, State};
use crate::core::linking::{Institution, Step};
use crate::core::menu::Source;
use crate::core::menu::{Action, Outcome};
use crate::core::messages::Locale;
use crate::core::policy::{SecretsOverSms, SecretsOverUssd};
use crate::core::search;
use crate::core::secret::Secret;

use super::links::{links, pick_link, unlink};
use super::offers;
use super::turn::stay;

/// Where an action leads.
pub(super) enum Move {
    /// To the screen of an outcome.
    To(Outcome),
    /// To a screen that the menu names.
    Screen(String),
    /// Nowhere, perhaps with a sentence.
    Stay(Option<Note>),
    /// The answer is not known yet: the turn waits.
    Wait,
    /// The same, and until then the screen is the one that there is.
    Hold,
}

impl From<Outcome> for Move {
    fn from(outcome: Outcome) -> Self {
        Self::To(outcome)
    }
}

/// What came with an action.
pub(super) enum Given {
    /// Nothing: an option was chosen.
    Nothing,
    /// The key of a list's entry.
    Key(String),
    /// A typed line.
    Line(Secret),
}

impl Flow {
    /// Does what an option, a pick or a typed line asks for.
    pub(super) fn act(
        &self,
        state: &mut Subscriber,
        action: Action,
        given: Given,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        match (action, given) {
            (Action::Consent, _) => self.consent(state, context, effects),
            (Action::ShowBanks, _) => self.show_banks(state, context, effects),
            (Action::PickPartner, Given::Key(key)) => Self::pick_partner(state, &key),
            (Action::PickBank, Given::Key(key)) => self.pick_bank(state, &key, context, effects),
            (Action::PickMethod, Given::Key(key)) => Self::pick_method(state, &key, context, effects),
            (Action::AcceptWarning, _) => Self::accept_warning(state, context, effects),
            (Action::Answer, given) => self.take_answer(state, given, context, effects),
            (Action::Previous, _) => Self::previous(state, context),
            (Action::PickAccount, Given::Key(key)) => self.pick_account(state, key, context, effects),
            (Action::Check | Action::Resume, _) => self.look(state, context, effects),
            // Given up and found after all: another login now would be a second one.
            (Action::Retry | Action::AnotherBank, _) if under_way(state) => self.look(state, context, effects),
            (Action::Retry, _) => self.retry(state, context, effects),
            (Action::AnotherBank, _) => another_bank(state, context),
            (Action::TextWhenBack, _) => self.text_when_back(state, context, effects),
            (Action::Restart, _) => {
                Self::leave_session(state);
                Outcome::Welcome.into()
            }
            (Action::Home, _) => Self::home(state),
            (Action::PickLanguage, Given::Key(key)) => {
                state.locale = Locale::from_tag(&key).unwrap_or(state.locale);
                Self::home(state)
            }
            (Action::ShowLinks, _) => links(state),
            (Action::PickLink, Given::Key(key)) => pick_link(state, &key),
            (Action::Unlink, _) => unlink(state, effects),
            (Action::Reauthorise, _) => self.reauthorise(state, context, effects),
            (Action::EnterPin, given) => self.enter_pin(state, given, context, effects),
            (Action::Protect, _) => self.protect(),
            (Action::ChoosePin, given) => self.choose_pin(state, given, context, effects),
            (Action::ForgotPin, _) => Self::forgot_pin(state),
            (
                Action::PickBank
                | Action::PickMethod
                | Action::PickAccount
                | Action::PickLanguage
                | Action::PickLink
                | Action::PickPartner,
                _,
            ) => stay("note-choice"),
        }
    }

    fn consent(&self, state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        let terms = self.terms(state).clone();
        let given = ConsentGiven {
            id: context.fresh.consent,
            intent: terms.intent.unwrap_or(context.fresh.intent),
            text: self.consent_text(state.locale, &terms),
            version: self.texts.version(state.locale, "welcome"),
            locale: state.locale,
            channel: state
                .dialogs
                .first()
                .map(|dialog| dialog.channel.clone())
                .unwrap_or_default(),
            at: context.now,
        };
        let mut session = ConnectSession::new(context.fresh.session, Some(given));
        session.begun_in = state.dialogs.first().map(|dialog| dialog.key);
        session.terms = Some(terms);
        state.session = Some(session);
        if self.wants_pin(state) {
            return Outcome::ChoosePin.into();
        }
        self.show_banks(state, context, effects)
    }

    pub(super) fn pick_bank(
        &self,
        state: &mut Subscriber,
        key: &str,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        let offers = context.banks.unwrap_or_default();
        let Some(Offer { provider, institution }) = offers::find(offers, key) else {
            return Outcome::NoBanks.into();
        };
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        let rule = self.settings.policy.secrets(context.country, provider, &institution.id);
        session.bank = Some(Bank {
            id: institution.id.clone(),
            provider: provider.clone(),
            provider_id: institution.provider_id.clone(),
            name: institution.name.clone(),
            methods: institution.methods.clone(),
            method: None,
            warn: rule == SecretsOverUssd::Warn,
            deny: rule == SecretsOverUssd::Deny,
            text: self.settings.policy.texted(context.country, provider, &institution.id) == SecretsOverSms::Allow,
            timeout: institution.timeout,
        });
        if let Some(wait) = Self::limited(state, context).or_else(|| Self::closed(state, context)) {
            return wait;
        }
        if institution.methods.len() > 1 {
            return stand(state, Outcome::ChooseMethod);
        }
        Self::start_method(state, 0, context, effects)
    }

    fn pick_method(state: &mut Subscriber, key: &str, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        match key.parse() {
            Ok(index) => Self::start_method(state, index, context, effects),
            Err(_) => stay("note-choice"),
        }
    }

    /// The person goes on although the channel is not private, and is not asked again.
    fn accept_warning(state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        if let Some(bank) = state.session.as_mut().and_then(|session| session.bank.as_mut()) {
            bank.warn = false;
        }
        Self::ask_if_open(state, context, effects)
    }

    /// Begins (again) with an auth method: its form, a session at the provider at once, and the first question. It is a
    /// try of its own, with an id of its own: a session that was being opened for another bank must not become this
    /// one's, and what comes of an earlier submission late must not pass for this one's.
    fn start_method(state: &mut Subscriber, index: usize, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        if let Some(closed) = Self::closed(state, context) {
            return closed;
        }
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        let Some(form) = session
            .bank
            .as_ref()
            .and_then(|bank| bank.methods.get(index))
            .map(|method| method.form.clone())
        else {
            return stay("note-choice");
        };
        if let Some(bank) = &mut session.bank {
            bank.method = Some(index);
        }
        session.restart_form(Some(form));
        session.id = context.fresh.session;
        effects.extend(opening(session).map(|open| Effect::OpenSession(Box::new(open))));
        if session.bank.as_ref().is_some_and(|bank| bank.warn) {
            return stand(state, Outcome::Warn);
        }
        Self::ask(state)
    }

    /// Looks whether there is an answer; an attempt that nobody knows about is looked for.
    pub(super) fn look(&self, state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        let Some(session) = &state.session else {
            return Outcome::Welcome.into();
        };
        if let Some(attempt) = &session.attempt {
            let settling = effects.iter().any(|effect| matches!(effect, Effect::Settle(_)));
            if attempt.state == State::Unknown && !settling {
                effects.push(Effect::Settle(attempt.id));
            }
            if attempt.in_flight() || attempt.state == State::Unknown {
                return Move::Wait;
            }
        }
        if session.stage == Outcome::Checking {
            // Nothing was submitted: a session is being opened, or whoever was to open it is gone.
            effects.extend(opening(session).map(|open| Effect::OpenSession(Box::new(open))));
            return Move::Wait;
        }
        if matches!(session.stage, Outcome::Limited | Outcome::BankDown | Outcome::BankBusy) {
            // Perhaps the wait is over.
            return self.retry(state, context, effects);
        }
        let stage = session.stage;
        let logs_in = matches!(
            stage,
            Outcome::ChooseMethod | Outcome::Warn | Outcome::Ask | Outcome::AskChoice
        ) && session.step == Step::Login;
        let closed = logs_in.then(|| Self::closed(state, context)).flatten();
        closed.unwrap_or(stage.into())
    }

    pub(super) fn retry(&self, state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        let told = Self::after_pause(state, context).or_else(|| Self::limited(state, context));
        if let Some(told) = told.or_else(|| Self::closed(state, context)) {
            return told;
        }
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        let Some(bank) = &session.bank else {
            return another_bank(state, context);
        };
        if session.renews.is_some() {
            session.restart_form(None);
            session.id = context.fresh.session;
            session.stage = Outcome::Checking;
            effects.extend(opening(session).map(|open| Effect::OpenSession(Box::new(open))));
            return Move::Wait;
        }
        let Some(method) = bank.method else {
            // Picked, but no further; or taken up from the records, which do not keep what a bank asks.
            let key = offers::key(&bank.provider, &bank.id);
            return self.pick_bank(state, &key, context, effects);
        };
        Self::start_method(state, method, context, effects)
    }

    /// The wait that refused logins have earned at the session's institution, if any.
    pub(super) fn limited(state: &mut Subscriber, context: &Context<'_>) -> Option<Move> {
        let bank = state.session.as_ref()?.bank.as_ref()?;
        attempt::must_wait(&state.refusals, &bank.id, context.now)?;
        Some(stand(state, Outcome::Limited))
    }

    /// Shows what matches, or says that nothing does.
    pub(super) fn search(state: &mut Subscriber, source: Source, typed: &str, context: &Context<'_>) -> Move {
        if source != Source::Banks || typed.chars().count() < 2 {
            return stay("note-choice");
        }
        let names = context
            .banks
            .unwrap_or_default()
            .iter()
            .map(|offer| offer.institution.name.as_str());
        if search::find(typed, names).is_empty() {
            return stay("note-not-found");
        }
        state.cursor.query = Some(typed.to_owned());
        state.cursor.page = 0;
        Move::Stay(None)
    }
}

impl ConnectSession {
    /// Forgets what was typed and submitted at the provider, and begins with this form.
    pub(super) fn restart_form(&mut self, form: Option<crate::core::next_step::Form>) {
        self.form = form;
        self.provider_session = None;
        self.step = Step::Login;
        self.asked = 0;
        self.answers.clear();
        self.accounts.clear();
        self.attempt = None;
        self.wrong_codes = 0;
        self.rounds = 0;
        self.told = false;
        self.unopened = false;
    }
}

/// Whether a submission is on its way or its grant is being redeemed.
fn under_way(state: &Subscriber) -> bool {
    let attempt = state.session.as_ref().and_then(|session| session.attempt.as_ref());
    attempt.is_some_and(attempt::Attempt::in_flight)
}

/// The session now stands here.
pub(super) fn stand(state: &mut Subscriber, stage: Outcome) -> Move {
    if let Some(session) = &mut state.session {
        session.stage = stage;
    }
    stage.into()
}

/// How to open a session at the provider for this connect session.
pub(super) fn opening(session: &ConnectSession) -> Option<OpenSession> {
    let bank = session.bank.as_ref()?;
    Some(OpenSession {
        session: session.id,
        partner: session.terms.as_ref().map(|terms| terms.partner),
        provider: bank.provider.clone(),
        institution: Institution {
            id: bank.id.clone(),
            provider_id: bank.provider_id.clone(),
            name: bank.name.clone(),
            country: None,
            business: false,
            methods: bank.methods.clone(),
            timeout: bank.timeout,
        },
        method: bank.picked().map(|method| method.id.clone()).unwrap_or_default(),
        renews: session.renews,
    })
}

pub(super) fn banks(context: &Context<'_>) -> Outcome {
    if context.banks.is_some_and(|banks| !banks.is_empty()) {
        Outcome::ChooseBank
    } else {
        Outcome::NoBanks
    }
}

pub(super) fn another_bank(state: &mut Subscriber, context: &Context<'_>) -> Move {
    let Some(session) = &mut state.session else {
        return Outcome::Welcome.into();
    };
    if session.renews.is_some() {
        // The consent of a renewal is its link's: another bank needs one of its own.
        state.session = None;
        return Outcome::Welcome.into();
    }
    session.restart_form(None);
    session.id = context.fresh.session;
    session.bank = None;
    session.stage = Outcome::ChooseBank;
    banks(context).into()
}
