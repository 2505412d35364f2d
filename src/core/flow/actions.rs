//! What each action of the menu does to the state, and where it leads.

use super::state::{ChosenInstitution, ConnectSession, ConsentGiven, ScreenNotice, Subscriber};
use super::{Effect, Flow, Offer, OpenSession, StepContext};
use crate::core::attempt::{self, LiveAttemptState};
use crate::core::linking::{Institution, SubmissionStep};
use crate::core::menu::ListSource;
use crate::core::menu::{Action, Outcome};
use crate::core::messages::Locale;
use crate::core::policy::{SecretsOverSms, SecretsOverUssd};
use crate::core::search;
use crate::core::secret::Secret;

use super::links::{pick_link, show_links, unlink};
use super::offers;
use super::turn::stay;

/// Where an action leads.
pub(super) enum Transition {
    /// To the screen of an outcome.
    Outcome(Outcome),
    /// To a screen that the menu names.
    Screen(String),
    /// Nowhere, perhaps with a sentence.
    Stay(Option<ScreenNotice>),
    /// The answer is not known yet: the turn waits.
    Wait,
    /// The same, and until then the screen is the one that there is.
    WaitInPlace,
}

impl From<Outcome> for Transition {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

/// What came with an action.
pub(super) enum ActionInput {
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
        given: ActionInput,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        match (action, given) {
            (Action::Consent, _) => self.consent(state, context, effects),
            (Action::ShowBanks, _) => self.show_institutions(state, context, effects),
            (Action::PickPartner, ActionInput::Key(key)) => Self::pick_partner(state, &key),
            (Action::PickBank, ActionInput::Key(key)) => self.pick_institution(state, &key, context, effects),
            (Action::PickMethod, ActionInput::Key(key)) => Self::pick_method(state, &key, context, effects),
            (Action::AcceptWarning, _) => Self::accept_warning(state, context, effects),
            (Action::Answer, given) => self.answer_field(state, given, context, effects),
            (Action::Previous, _) => Self::previous(state, context),
            (Action::PickAccount, ActionInput::Key(key)) => self.pick_account(state, key, context, effects),
            (Action::Check | Action::Resume, _) => self.check_progress(state, context, effects),
            // Given up and found after all: another login now would be a second one.
            (Action::Retry | Action::AnotherBank, _) if submission_in_flight(state) => {
                self.check_progress(state, context, effects)
            }
            (Action::Retry, _) => self.retry(state, context, effects),
            (Action::AnotherBank, _) => another_institution(state, context),
            (Action::TextWhenBack, _) => self.request_bank_alert(state, context, effects),
            (Action::Restart, _) => {
                Self::leave_session(state);
                Outcome::Welcome.into()
            }
            (Action::Home, _) => Self::entry(state),
            (Action::PickLanguage, ActionInput::Key(key)) => {
                state.locale = Locale::from_tag(&key).unwrap_or(state.locale);
                Self::entry(state)
            }
            (Action::ShowLinks, _) => show_links(state),
            (Action::PickLink, ActionInput::Key(key)) => pick_link(state, &key),
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

    fn consent(&self, state: &mut Subscriber, context: &StepContext<'_>, effects: &mut Vec<Effect>) -> Transition {
        let terms = self.terms(state).clone();
        let given = ConsentGiven {
            id: context.ids.consent,
            intent: terms.intent.unwrap_or(context.ids.intent),
            text: self.consent_text(state.locale, &terms),
            version: self.templates.version(state.locale, "welcome"),
            locale: state.locale,
            channel: state
                .dialogs
                .first()
                .map(|dialog| dialog.channel.clone())
                .unwrap_or_default(),
            at: context.now,
        };
        let mut session = ConnectSession::new(context.ids.session, Some(given));
        session.started_in = state.dialogs.first().map(|dialog| dialog.key);
        session.terms = Some(terms);
        state.session = Some(session);
        if self.pin_required(state) {
            return Outcome::ChoosePin.into();
        }
        self.show_institutions(state, context, effects)
    }

    pub(super) fn pick_institution(
        &self,
        state: &mut Subscriber,
        key: &str,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let offers = context.offers.unwrap_or_default();
        let Some(Offer { provider, institution }) = offers::find_offer(offers, key) else {
            return Outcome::NoBanks.into();
        };
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        let rule = self
            .settings
            .policy
            .ussd_rule(context.country, provider, &institution.id);
        session.institution = Some(ChosenInstitution {
            id: institution.id.clone(),
            provider: provider.clone(),
            provider_id: institution.provider_id.clone(),
            name: institution.name.clone(),
            methods: institution.methods.clone(),
            method: None,
            warn: rule == SecretsOverUssd::Warn,
            deny: rule == SecretsOverUssd::Deny,
            sms_allowed: self
                .settings
                .policy
                .sms_rule(context.country, provider, &institution.id)
                == SecretsOverSms::Allow,
            timeout: institution.timeout,
        });
        if let Some(wait) = Self::login_limit(state, context).or_else(|| Self::institution_unavailable(state, context))
        {
            return wait;
        }
        if institution.methods.len() > 1 {
            return set_stage(state, Outcome::ChooseMethod);
        }
        Self::start_method(state, 0, context, effects)
    }

    fn pick_method(
        state: &mut Subscriber,
        key: &str,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        match key.parse() {
            Ok(index) => Self::start_method(state, index, context, effects),
            Err(_) => stay("note-choice"),
        }
    }

    /// The person goes on although the channel is not private, and is not asked again.
    fn accept_warning(state: &mut Subscriber, context: &StepContext<'_>, effects: &mut Vec<Effect>) -> Transition {
        if let Some(bank) = state.session.as_mut().and_then(|session| session.institution.as_mut()) {
            bank.warn = false;
        }
        Self::ask_if_available(state, context, effects)
    }

    /// Begins (again) with an auth method: its form, a session at the provider at once, and the first question. It is a
    /// try of its own, with an id of its own: a session that was being opened for another bank must not become this
    /// one's, and what comes of an earlier submission late must not pass for this one's.
    fn start_method(
        state: &mut Subscriber,
        index: usize,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        if let Some(closed) = Self::institution_unavailable(state, context) {
            return closed;
        }
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        let Some(form) = session
            .institution
            .as_ref()
            .and_then(|bank| bank.methods.get(index))
            .map(|method| method.form.clone())
        else {
            return stay("note-choice");
        };
        if let Some(bank) = &mut session.institution {
            bank.method = Some(index);
        }
        session.restart_form(Some(form));
        session.id = context.ids.session;
        effects.extend(open_session_request(session).map(|open| Effect::OpenSession(Box::new(open))));
        if session.institution.as_ref().is_some_and(|bank| bank.warn) {
            return set_stage(state, Outcome::Warn);
        }
        Self::ask_next_field(state)
    }

    /// Looks whether there is an answer; an attempt that nobody knows about is looked for.
    pub(super) fn check_progress(
        &self,
        state: &mut Subscriber,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let Some(session) = &state.session else {
            return Outcome::Welcome.into();
        };
        if let Some(attempt) = &session.attempt {
            let settling = effects.iter().any(|effect| matches!(effect, Effect::ResolveAttempt(_)));
            if attempt.state == LiveAttemptState::Unknown && !settling {
                effects.push(Effect::ResolveAttempt(attempt.id));
            }
            if attempt.in_flight() || attempt.state == LiveAttemptState::Unknown {
                return Transition::Wait;
            }
        }
        if session.stage == Outcome::Checking {
            // Nothing was submitted: a session is being opened, or whoever was to open it is gone.
            effects.extend(open_session_request(session).map(|open| Effect::OpenSession(Box::new(open))));
            return Transition::Wait;
        }
        if matches!(session.stage, Outcome::Limited | Outcome::BankDown | Outcome::BankBusy) {
            // Perhaps the wait is over.
            return self.retry(state, context, effects);
        }
        let stage = session.stage;
        let logs_in = matches!(
            stage,
            Outcome::ChooseMethod | Outcome::Warn | Outcome::Ask | Outcome::AskChoice
        ) && session.step == SubmissionStep::Login;
        let closed = logs_in.then(|| Self::institution_unavailable(state, context)).flatten();
        closed.unwrap_or(stage.into())
    }

    pub(super) fn retry(
        &self,
        state: &mut Subscriber,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let told = Self::retry_after_pause(state, context).or_else(|| Self::login_limit(state, context));
        if let Some(told) = told.or_else(|| Self::institution_unavailable(state, context)) {
            return told;
        }
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        let Some(bank) = &session.institution else {
            return another_institution(state, context);
        };
        if session.renews.is_some() {
            session.restart_form(None);
            session.id = context.ids.session;
            session.stage = Outcome::Checking;
            effects.extend(open_session_request(session).map(|open| Effect::OpenSession(Box::new(open))));
            return Transition::Wait;
        }
        let Some(method) = bank.method else {
            // Picked, but no further; or taken up from the records, which do not keep what a bank asks.
            let key = offers::offer_key(&bank.provider, &bank.id);
            return self.pick_institution(state, &key, context, effects);
        };
        Self::start_method(state, method, context, effects)
    }

    /// The wait that refused logins have earned at the session's institution, if any.
    pub(super) fn login_limit(state: &mut Subscriber, context: &StepContext<'_>) -> Option<Transition> {
        let bank = state.session.as_ref()?.institution.as_ref()?;
        attempt::login_wait(&state.refusals, &bank.id, context.now)?;
        Some(set_stage(state, Outcome::Limited))
    }

    /// Shows what matches, or says that nothing does.
    pub(super) fn search(
        state: &mut Subscriber,
        source: ListSource,
        typed: &str,
        context: &StepContext<'_>,
    ) -> Transition {
        if source != ListSource::Banks || typed.chars().count() < 2 {
            return stay("note-choice");
        }
        let names = context
            .offers
            .unwrap_or_default()
            .iter()
            .map(|offer| offer.institution.name.as_str());
        if search::find(typed, names).is_empty() {
            return stay("note-not-found");
        }
        state.cursor.query = Some(typed.to_owned());
        state.cursor.page = 0;
        Transition::Stay(None)
    }
}

impl ConnectSession {
    /// Forgets what was typed and submitted at the provider, and begins with this form.
    pub(super) fn restart_form(&mut self, form: Option<crate::core::next_step::Form>) {
        self.form = form;
        self.provider_session = None;
        self.step = SubmissionStep::Login;
        self.fields_answered = 0;
        self.answers.clear();
        self.accounts.clear();
        self.attempt = None;
        self.wrong_codes = 0;
        self.rounds = 0;
        self.shown = false;
        self.open_failed = false;
    }
}

/// Whether a submission is on its way or its grant is being redeemed.
fn submission_in_flight(state: &Subscriber) -> bool {
    let attempt = state.session.as_ref().and_then(|session| session.attempt.as_ref());
    attempt.is_some_and(attempt::LiveAttempt::in_flight)
}

/// The session now stands here.
pub(super) fn set_stage(state: &mut Subscriber, stage: Outcome) -> Transition {
    if let Some(session) = &mut state.session {
        session.stage = stage;
    }
    stage.into()
}

/// How to open a session at the provider for this connect session.
pub(super) fn open_session_request(session: &ConnectSession) -> Option<OpenSession> {
    let bank = session.institution.as_ref()?;
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
        method: bank.picked_method().map(|method| method.id.clone()).unwrap_or_default(),
        renews: session.renews,
    })
}

pub(super) fn institution_list_outcome(context: &StepContext<'_>) -> Outcome {
    if context.offers.is_some_and(|banks| !banks.is_empty()) {
        Outcome::ChooseBank
    } else {
        Outcome::NoBanks
    }
}

pub(super) fn another_institution(state: &mut Subscriber, context: &StepContext<'_>) -> Transition {
    let Some(session) = &mut state.session else {
        return Outcome::Welcome.into();
    };
    if session.renews.is_some() {
        // The consent of a renewal is its link's: another bank needs one of its own.
        state.session = None;
        return Outcome::Welcome.into();
    }
    session.restart_form(None);
    session.id = context.ids.session;
    session.institution = None;
    session.stage = Outcome::ChooseBank;
    institution_list_outcome(context).into()
}
