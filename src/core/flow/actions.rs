//! What each action of the menu does to the state, and where it leads.

use super::offers::{self, Offer};
use super::session::{ChosenInstitution, ConnectSession, ConsentGiven};
use super::state::ScreenNotice;
use super::step::{ActionInput, Step, Transition};
use super::wording::display_name;
use crate::core::attempt::{self, LiveAttempt, LiveAttemptState};
use crate::core::linking::SubmissionStep;
use crate::core::menu::{Action, ListSource, Outcome, Role};
use crate::core::policy::{SecretsOverSms, SecretsOverUssd};
use crate::core::search::{SearchResult, normalize};

/// Digits with which a name is spelled on the keys: fewer may be a key of another menu.
const SHORTEST_KEYPAD_WORD: usize = 3;

impl Step<'_> {
    /// Does what an option, a pick or a typed line asks for.
    pub(super) fn act(&mut self, action: Action, input: ActionInput) -> Transition {
        match (action, input) {
            (action, _) if action.agrees() && self.consent_text_changed() => Transition::Stay(None),
            (Action::Consent, _) => self.consent(),
            (Action::ShowBanks, _) => self.show_institutions(),
            (Action::ShowPartners, _) => self.show_partners(),
            (Action::PickPartner, ActionInput::Key(key)) => self.pick_partner(&key),
            (Action::PickBank, ActionInput::Key(key)) => self.pick_institution(&key),
            (Action::PickMethod, ActionInput::Key(key)) => self.pick_method(&key),
            // It has gone on by itself meanwhile: what is left to do is not to be typed.
            (Action::Answer | Action::UseOffered | Action::Previous | Action::OtherWay, _)
                if self.submission_in_flight() =>
            {
                self.check_progress()
            }
            (Action::UseOffered, _) => self.use_offered(),
            (Action::OtherWay, _) => self.show_ways(),
            (Action::Answer, input) => self.answer_field(input),
            (Action::Previous, _) => self.previous_field(),
            (Action::PickAccount | Action::PickAccounts, ActionInput::Key(key)) => self.pick_accounts(vec![key]),
            (Action::PickAccount | Action::PickAccounts, ActionInput::Keys(keys)) => self.pick_accounts(keys),
            (Action::SendPageLink, _) => self.send_page_link(),
            (Action::Check, _) => {
                self.count_look();
                self.check_progress()
            }
            (Action::Resume, _) => self.check_progress(),
            // Given up and found after all: another login now would be a second one.
            (Action::Retry, _) if self.submission_unresolved() => self.check_progress(),
            (Action::AnotherBank, _) if self.submission_unresolved() && !self.stage_is_shown() => self.check_progress(),
            (Action::Retry, _) => self.retry(),
            (Action::AnotherBank, _) => self.another_institution(),
            (Action::RequestBankAlert, _) => self.request_bank_alert(),
            (Action::Restart, _) => {
                self.leave_session();
                self.entry()
            }
            (Action::Home, _) => self.leave_languages().unwrap_or_else(|| self.entry()),
            (Action::PickLanguage, ActionInput::Key(key)) => self.pick_language(&key),
            (Action::ShowLinks, _) => self.show_links(),
            (Action::PickLink, ActionInput::Key(key)) => self.pick_link(&key),
            (Action::Unlink | Action::StopSharing, _) => self.unlink(),
            (Action::Reauthorise, _) => self.reauthorise(),
            (Action::AgreeAgain, _) => self.agree_again(),
            (Action::KeepSharing, _) => self.keep_sharing(),
            (Action::EnterPin, input) => self.enter_pin(&input),
            (Action::Protect, _) => self.protect(),
            (Action::ChoosePin, input) => self.choose_pin(&input),
            // What was begun stays as it is: it is only not shown. Only linking the same account again ends the code.
            (Action::ForgotPin, _) => Outcome::Welcome.into(),
            (Action::BackFromPin, _) => self.back_from_pin(),
            (
                Action::PickBank
                | Action::PickMethod
                | Action::PickAccount
                | Action::PickAccounts
                | Action::PickLanguage
                | Action::PickLink
                | Action::PickPartner,
                _,
            ) => Transition::stay("note-choice"),
        }
    }

    fn consent(&mut self) -> Transition {
        let (consent, terms) = (
            self.consent_on_screen(self.screen_wording("welcome")),
            self.terms_on_screen().clone(),
        );
        let mut session = ConnectSession::new(self.context.ids.session, Some(consent));
        session.started_in = self.state.dialogs.first().map(|dialog| dialog.key);
        session.terms = Some(terms);
        let agreed = session.consent.as_ref().map(|consent| consent.id);
        self.state.replace_session(Some(session));
        if let Some(consent) = agreed {
            self.remind_of_consent(consent);
        }
        if self.pin_required() {
            return Outcome::ChoosePin.into();
        }
        self.show_institutions()
    }

    /// What a person agrees to who answers this screen with yes: its exact text, and what it says.
    pub(super) fn consent_on_screen(&self, screen: &str) -> ConsentGiven {
        let (locale, terms) = (self.state.locale, self.terms_on_screen());
        ConsentGiven {
            id: self.context.ids.consent,
            intent: terms.intent.unwrap_or(self.context.ids.intent),
            text: self.flow.templates.format(locale, screen, &self.args()),
            version: self.flow.templates.version(locale, screen),
            locale,
            channel: self.state.channel(),
            at: self.context.now,
            purpose: self.flow.purpose_text(locale, &terms.purpose),
            purposes: Some(&terms.purpose).filter(|purpose| purpose.is_translated()).cloned(),
            days: terms.days,
            scope: terms.scope.clone(),
        }
    }

    pub(super) fn pick_institution(&mut self, key: &str) -> Transition {
        let offer = self.context.offers.and_then(|offers| offers.find(key));
        let Some(Offer { provider, institution }) = offer else {
            return self.nothing_listed();
        };
        let ids = (institution.id.as_str(), institution.provider_id.as_str());
        let mut chosen = self.chosen_institution(provider, ids, &institution.name);
        chosen.methods.clone_from(&institution.methods);
        chosen.timeout = institution.timeout;
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        session.institution = Some(chosen);
        if let Some(obstacle) = self.login_obstacle() {
            return obstacle;
        }
        self.start_usual_way()
    }

    /// An institution, by our id and its provider's, with what the policy says of it here.
    pub(super) fn chosen_institution(&self, provider: &str, ids: (&str, &str), name: &str) -> ChosenInstitution {
        let policy = &self.flow.settings.policy;
        let ussd = policy.ussd_rule(self.context.country, provider, ids.0);
        let sms = policy.sms_rule(self.context.country, provider, ids.0);
        ChosenInstitution {
            warn: ussd == SecretsOverUssd::Warn,
            deny: ussd == SecretsOverUssd::Deny,
            sms_allowed: sms == SecretsOverSms::Allow,
            ..ChosenInstitution::named(provider, ids, name)
        }
    }

    /// Looks whether there is an answer; an attempt that nobody knows about is looked for.
    pub(super) fn check_progress(&mut self) -> Transition {
        let Some(session) = &self.state.session else {
            return Outcome::Welcome.into();
        };
        let (stage, step) = (session.stage, session.step);
        if let Some(attempt) = session.attempt.clone() {
            if matches!(attempt.state, LiveAttemptState::Unknown | LiveAttemptState::Waiting) {
                self.resolve_attempt(attempt.id);
                return Transition::Wait;
            }
            if attempt.in_flight() {
                return Transition::Wait;
            }
        }
        match stage {
            // Nothing was submitted: a session is being opened, or the process that was to open it is gone.
            Outcome::Checking => self.open_session_and_wait(),
            // Perhaps the wait is over.
            Outcome::Limited | Outcome::BankDown | Outcome::BankBusy => self.retry(),
            Outcome::ChooseMethod | Outcome::Ask | Outcome::AskChoice if step == SubmissionStep::Login => {
                match self.institution_unavailable() {
                    Some(unavailable) => unavailable,
                    None if stage.is(Role::Field) && self.form_may_differ() => self.open_session_and_wait(),
                    None => stage.into(),
                }
            }
            stage => stage.into(),
        }
    }

    pub(super) fn retry(&mut self) -> Transition {
        if let Some(after_pause) = self.retry_after_pause() {
            return after_pause;
        }
        if let Some(obstacle) = self.login_obstacle() {
            return obstacle;
        }
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        let Some(institution) = &session.institution else {
            return self.another_institution();
        };
        if session.renews.is_some() {
            session.restart_form(None);
            session.id = self.context.ids.session;
            return self.open_session_and_wait();
        }
        let Some(method) = institution.method else {
            // Picked, but no further; or taken up from the records, which do not keep what an institution asks.
            let key = offers::offer_key(&institution.provider, &institution.id);
            return self.pick_institution(&key);
        };
        self.start_method(method)
    }

    /// Whether a submission is on its way or its grant is being redeemed.
    fn submission_in_flight(&self) -> bool {
        self.state.live_attempt().is_some_and(LiveAttempt::in_flight)
    }

    /// Whether a submission may still come to something.
    fn submission_unresolved(&self) -> bool {
        self.state.live_attempt().is_some_and(LiveAttempt::is_unresolved)
    }

    /// Whether where the session stands is what the person sees.
    fn stage_is_shown(&self) -> bool {
        let session = self.state.session.as_ref();
        session.is_some_and(|session| self.state.cursor.screen == self.flow.menu.outcome(session.stage))
    }

    /// Why no login may be tried at the session's institution now, if so: an earlier one there may still come to something,
    /// refused logins have earned a wait, or it is not to be called.
    pub(super) fn login_obstacle(&mut self) -> Option<Transition> {
        let session = self.state.session.as_ref()?;
        let institution = session.institution.as_ref()?;
        let (provider, id) = (institution.provider.clone(), institution.provider_id.clone());
        if let Some(aside) = self.state.take_aside(&provider, &id) {
            self.state.replace_session(Some(aside));
            return Some(self.check_progress());
        }
        if attempt::login_wait(&self.state.refusals, &id, self.context.now).is_some() {
            return Some(self.set_stage(Outcome::Limited));
        }
        self.institution_unavailable()
    }

    /// Shows what matches, or says that nothing does.
    pub(super) fn search(&mut self, source: ListSource, typed: &str) -> Transition {
        let digits = typed.bytes().all(|byte| byte.is_ascii_digit());
        if source != ListSource::Banks || normalize(typed).is_empty() || (digits && typed.len() < 2) {
            return Transition::stay("note-choice");
        }
        let offers = self.context.offers;
        let result = offers.map_or_else(SearchResult::default, |offers| {
            offers.search(typed, &self.flow.bank_names)
        });
        let by_sms = self.state.sms_dialog().is_some();
        // By SMS no bank is named.
        let unlinkable = result.unlinkable.filter(|_| !by_sms);
        let unlinkable = unlinkable.map(|bank| ScreenNotice::about_bank("note-unlinkable", display_name(&bank)));
        if result.found.is_empty() {
            // Two digits are a slip on the keys, or a key of the network, not a name.
            let unknown = if digits && typed.len() < 3 {
                "note-choice"
            } else {
                "note-not-found"
            };
            return Transition::Stay(Some(unlinkable.unwrap_or_else(|| ScreenNotice::new(unknown))));
        }
        // The only one that is certainly meant is taken: the next screen names it, and one step back is the list. A number may
        // answer what was shown before: by SMS any, on the phone a short one.
        let short = digits && (by_sms || typed.len() < SHORTEST_KEYPAD_WORD);
        if let ([only], true, None, false) = (&result.found[..], result.certain, &unlinkable, short)
            && let Some(offers) = offers
        {
            let (key, _) = offers.entry(*only, self.state.locale);
            let methods = &offers[*only].institution.methods;
            let way = self.way_to_begin(key, methods);
            // What begins without a question, by a text or in an app, nobody begins by a search alone.
            if by_sms || way.is_some_and(|way| !methods[way].asks_nothing()) {
                return self.pick_institution(key);
            }
        }
        if by_sms {
            // A list of what is looked for would name it where others read it.
            return Transition::stay("note-choice");
        }
        self.state.cursor.query = Some(typed.to_owned());
        self.state.cursor.page = 0;
        Transition::Stay(unlinkable)
    }

    /// The institutions; where only one of them is asked for, or one is suggested, straight to that one.
    pub(super) fn show_institutions(&mut self) -> Transition {
        let terms = self.flow.terms(self.state);
        if let Some(only) = terms.institution.clone() {
            return self.pick_institution(&only);
        }
        let suggested = terms.suggested.institution.clone();
        let offers = self.context.offers;
        match suggested.filter(|key| offers.is_some_and(|offers| offers.find(key).is_some())) {
            Some(key) => self.pick_institution(&key),
            None => self.institution_list(),
        }
    }

    pub(super) fn institution_list(&self) -> Transition {
        match self.context.offers {
            Some(offers) if !offers.is_empty() => Outcome::ChooseBank.into(),
            _ => self.nothing_listed(),
        }
    }

    /// What is looked for is not there: it may not be linked here, unless its list could not be read.
    fn nothing_listed(&self) -> Transition {
        let known = self.context.offers.is_some() && self.context.all_lists_read;
        if known { Outcome::NoWay } else { Outcome::NoBanks }.into()
    }

    pub(super) fn another_institution(&mut self) -> Transition {
        self.state.set_aside();
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        if session.renews.is_some() {
            // The consent of a renewal is its link's: another institution needs one of its own.
            self.state.session = None;
            return Outcome::Welcome.into();
        }
        session.restart_form(None);
        session.id = self.context.ids.session;
        session.institution = None;
        session.stage = Outcome::ChooseBank;
        self.institution_list()
    }
}
