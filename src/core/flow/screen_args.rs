//! What messages are filled in with.

use std::time::Duration;

use super::session::{ConnectSession, LinkSummary};
use super::step::Step;
use super::terms::RequestTerms;
use super::waiting::{Waiting, WaitingFor};
use super::wording::display_name;
use crate::core::attempt::{self, WRONG_CODES};
use crate::core::consent;
use crate::core::gsm7;
use crate::core::labels;
use crate::core::linking::SubmissionStep;
use crate::core::menu::Outcome;
use crate::core::messages::TemplateArg;
use crate::core::next_step::{FieldKind, LinkPurpose};

/// A wait of so many minutes is told in hours.
const IN_HOURS_FROM: i64 = 120;

/// Septets that the label of a field may take.
const MAX_FIELD_LABEL: usize = 40;

/// The same where its answers are listed below it.
const MAX_CHOICE_LABEL: usize = 24;

/// Septets that what a bank says may take, with the code that its application shows.
const MAX_BANK_MESSAGE: usize = 40;

/// Septets that such a code may take.
const MAX_BINDING: usize = 16;

impl Step<'_> {
    /// Everything a message may want to know.
    pub(super) fn args(&self) -> Vec<(&'static str, TemplateArg)> {
        let session = self.state.session.as_ref();
        let shown = self.shown_link();
        let until = shown.map_or(String::new(), |link| consent::date_text(link.until));
        let field = session.map_or(String::new(), |session| self.field_label(session));
        let choice = gsm7::clean_words(&field, MAX_CHOICE_LABEL);
        let waited = session
            .and_then(|s| s.attempt.as_ref())
            .map_or(0, |a| self.context.now.since(a.begun_at).as_secs());
        let wait = session.and_then(|session| self.wait_left(session));
        let pin_wait = self.state.pin.as_ref().and_then(|pin| pin.wait_left(self.context.now));
        let locked = self.state.cursor.screen == self.flow.menu.outcome(Outcome::PinLocked);
        let wait = minutes(if locked { pin_wait } else { wait }.unwrap_or_default());
        let mut args = self
            .flow
            .consent_args(self.state.locale, self.terms_on_screen())
            .to_vec();
        if let Some(partner) = shown.and_then(|link| link.partner.as_ref()) {
            args.retain(|(name, _)| *name != "partner");
            args.push(("partner", TemplateArg::Text(display_name(&partner.name))));
        }
        args.extend([
            ("bank", TemplateArg::Text(self.shown_bank())),
            ("field", TemplateArg::Text(field)),
            ("choice", TemplateArg::Text(choice)),
            ("account", TemplateArg::Text(self.shown_account())),
            ("until", TemplateArg::Text(until)),
            (
                "count",
                TemplateArg::Number(i64::try_from(self.state.withheld.len()).unwrap_or(i64::MAX)),
            ),
            (
                "message",
                TemplateArg::Text(session.map_or(String::new(), |session| self.bank_message(session))),
            ),
            (
                "seconds",
                TemplateArg::Number(i64::try_from(waited).unwrap_or(i64::MAX)),
            ),
            ("minutes", TemplateArg::Number(wait)),
            ("wait", TemplateArg::Text(self.wait_text(wait))),
            (
                "left",
                TemplateArg::Number(session.map_or(0, |session| self.logins_left(session))),
            ),
        ]);
        args
    }

    /// The link that the screen is about: the one that was picked, else what the session has led to.
    fn shown_link(&self) -> Option<&LinkSummary> {
        let result = self.state.session.as_ref().and_then(|session| session.result.as_ref());
        self.state.selected_link().or(result)
    }

    /// The bank that the screen is about. By SMS it is not named.
    fn shown_bank(&self) -> String {
        if self.state.sms_dialog().is_some() {
            return self.text("your-bank");
        }
        let session = self.state.session.as_ref();
        let chosen = session.and_then(|session| session.institution.as_ref());
        let chosen = chosen.filter(|_| self.state.selected_link().is_none());
        let linked = self.shown_link().map(|link| link.institution_name.as_str());
        let name = chosen.map(|chosen| chosen.name.as_str()).or(linked);
        display_name(name.unwrap_or_default())
    }

    /// The end of the account that the screen is about. By SMS it is not told.
    fn shown_account(&self) -> String {
        let account = self.shown_link().and_then(|link| link.masked.as_deref());
        let account = account.filter(|_| self.state.sms_dialog().is_none());
        account.map_or(String::new(), |masked| format!("..{masked}"))
    }

    /// What the present screen is about: where it asks whether the person agrees, what it asks for, whatever else was begun.
    pub(super) fn terms_on_screen(&self) -> &RequestTerms {
        let screen = self.state.cursor.screen.as_str();
        let on = |outcome| screen == self.flow.menu.outcome(outcome);
        let ending = self.state.cursor.link.and_then(|link| self.state.ending(link));
        let asked = match ending {
            Some(ending) if on(Outcome::EndsSoon) || on(Outcome::ConsentRenewed) => Some(&ending.terms),
            _ if on(Outcome::Welcome) || on(Outcome::AskedAgain) => self.state.terms.as_ref(),
            _ => None,
        };
        asked.unwrap_or_else(|| self.flow.terms(self.state))
    }

    /// A number of minutes in words: nobody reckons with 1410 of them.
    fn wait_text(&self, minutes: i64) -> String {
        let (id, name, number) = if minutes < IN_HOURS_FROM {
            ("wait-minutes", "minutes", minutes)
        } else {
            ("wait-hours", "hours", (minutes + 59) / 60)
        };
        let args = [(name, TemplateArg::Number(number))];
        self.flow.templates.format(self.state.locale, id, &args)
    }

    /// How many logins may still fail at the session's institution before its person must wait.
    fn logins_left(&self, session: &ConnectSession) -> i64 {
        let institution = session.institution.as_ref().map(|chosen| chosen.provider_id.as_str());
        let left = institution.map(|id| attempt::logins_left(&self.state.refusals, id, self.context.now));
        left.and_then(|left| i64::try_from(left).ok()).unwrap_or_default()
    }

    /// Whether trying again is of any use now: no login is wanted for it, or one may be tried.
    pub(super) fn may_retry(&self) -> bool {
        self.state.session.as_ref().is_none_or(|session| {
            let after_pause = session.stage == Outcome::BankBusy && session.step != SubmissionStep::Login;
            after_pause || session.institution.is_none() || self.logins_left(session) > 0
        })
    }

    /// For how long at the most what became of a submission is still looked for, or waited for; `None` where there is none
    /// that may still come to something.
    fn settled_in(&self, session: &ConnectSession) -> Option<Duration> {
        let attempt = session.attempt.as_ref().filter(|attempt| attempt.is_unresolved())?;
        let provider = &session.institution.as_ref()?.provider;
        let searched = attempt.begun_at.plus(self.flow.settings.settle_for(provider));
        let waiting = session.waiting.as_ref().map(|waiting| waiting.until);
        Some(waiting.unwrap_or(searched).since(self.context.now))
    }

    /// How long the session's person has to wait: for a pause that the institution asked for, for what is under way, or because
    /// of refused logins.
    fn wait_left(&self, session: &ConnectSession) -> Option<Duration> {
        if session.stage == Outcome::BankBusy {
            return Some(session.busy_until?.since(self.context.now));
        }
        self.settled_in(session).or_else(|| self.login_wait(session))
    }

    /// How long no login may be tried at the session's institution, because of those that were refused there.
    fn login_wait(&self, session: &ConnectSession) -> Option<Duration> {
        attempt::login_wait(
            &self.state.refusals,
            &session.institution.as_ref()?.provider_id,
            self.context.now,
        )
    }

    /// What the bank says that the person is to know: the code that its application shows, and its own words. Both come
    /// from outside; the code, which tells one request from another, goes first.
    fn bank_message(&self, session: &ConnectSession) -> String {
        // By SMS the bank's own words are not repeated: they may name it, or an account.
        let by_sms = self.state.sms_dialog().is_some();
        let said_here = |said: String| if by_sms { String::new() } else { said };
        if session.stage == Outcome::ActAtBank {
            let said = session.bank_message.as_deref().unwrap_or_default();
            let said = said_here(gsm7::clean_words(said, MAX_BANK_MESSAGE));
            return if said.is_empty() { self.text("bank-first") } else { said };
        }
        let Some(WaitingFor::Approval { message, binding }) = session.waiting.as_ref().map(|waiting| &waiting.what)
        else {
            return String::new();
        };
        let code = binding.as_deref().map(|code| gsm7::clean_words(code, MAX_BINDING));
        let code = code.filter(|code| !code.is_empty()).map(|code| {
            let args = [("code", TemplateArg::Text(code))];
            self.flow.templates.format(self.state.locale, "approve-code", &args)
        });
        let message = message.clone().map(said_here).filter(|said| !said.is_empty());
        let said = code.into_iter().chain(message).collect::<Vec<_>>().join(". ");
        gsm7::clean_words(&said, MAX_BANK_MESSAGE)
    }

    /// The message that says what this one says on a screen, as things stand.
    pub(super) fn screen_wording<'a>(&self, id: &'a str) -> &'a str {
        let session = self.state.session.as_ref();
        let waiting = session.and_then(|session| session.waiting.as_ref());
        let approve = matches!(
            waiting,
            Some(Waiting {
                what: WaitingFor::Page(LinkPurpose::Approve),
                ..
            })
        );
        let needs_login = self.state.selected_link().filter(|link| link.needs_login);
        match id {
            "open-page" if approve => "open-page-approve",
            "field" if session.is_some_and(ConnectSession::wants_warning) => "field-warned",
            "refused" | "left" | "left-checking" | "confirming" | "choose-pin" => self.wording_of_moment(id),
            // By SMS it is not told that there was a link before.
            "welcome" if self.terms_on_screen().again && self.state.sms_dialog().is_none() => "welcome-again",
            "links" if !self.state.withheld.is_empty() => "links-some-unused",
            "link" if needs_login.is_some() => "link-needs-login",
            "needs-login" if needs_login.is_some_and(|link| self.login_is_elsewhere(link)) => "needs-login-elsewhere",
            id => self.sms_wording(id),
        }
    }

    /// What a provider calls something, in the person's language where that has a word for it.
    pub(super) fn known_label(&self, label: &str) -> String {
        labels::translate(&self.flow.templates, self.state.locale, label).unwrap_or_else(|| label.to_owned())
    }

    /// What to call the field being asked. A form of a single field, such as one for a code, is only understood with its
    /// title: one bank asks in the label ("first pet?"), another warns in it ("do not share").
    fn field_label(&self, session: &ConnectSession) -> String {
        let Some(field) = session.current_field() else {
            return String::new();
        };
        let label = if field.kind == FieldKind::Date {
            let format = self.text("date-format");
            let room = MAX_FIELD_LABEL.saturating_sub(gsm7::septets(&format).unwrap_or_default() + 3);
            format!(
                "{} ({format})",
                gsm7::clean_words(&self.known_label(&field.label), room)
            )
        } else {
            gsm7::clean_words(&self.known_label(&field.label), MAX_FIELD_LABEL)
        };
        let title = session
            .form
            .as_ref()
            .filter(|form| session.step == SubmissionStep::Code && form.fields.len() == 1)
            // It may name the bank, which no SMS does.
            .filter(|_| self.state.sms_dialog().is_none());
        match title
            .and_then(|form| form.title.as_deref())
            .map(|title| gsm7::clean_words(&self.known_label(title), MAX_FIELD_LABEL))
        {
            Some(title) if title.ends_with(gsm7::CUT_MARK) => format!("{title} {label}"),
            Some(title) if !title.is_empty() && title != label => {
                format!("{}. {label}", title.trim_end_matches(['.', ':', '?', ' ']))
            }
            _ => label,
        }
    }

    /// The same, of what hangs on where the session or the screen stands just now.
    fn wording_of_moment<'a>(&self, id: &'a str) -> &'a str {
        let session = self.state.session.as_ref();
        let awaited = session.and_then(|session| self.settled_in(session)).is_some();
        // By SMS a person has left nothing, and what is left says so in its own words.
        let on_phone = self.state.sms_dialog().is_none();
        let own = match id {
            "refused" if session.is_some_and(|session| session.wrong_codes >= WRONG_CODES) => "refused-codes",
            "refused" if !self.may_retry() && on_phone && self.help_line().is_some() => "refused-help",
            "refused" if !self.may_retry() => "refused-wait",
            "left" if on_phone && session.is_some_and(ConnectSession::asks_later_code) => "left-code",
            "left-checking" if on_phone && awaited && self.is_texted() => "left-asking-text",
            "left-checking" if on_phone && awaited => "left-asking",
            "confirming" if self.is_texted() => "confirming-text",
            "choose-pin" if self.state.cursor.new_pin.is_some() => "choose-pin-again",
            "choose-pin" if self.own_code_wants_warning() => "choose-pin-warned",
            id => id,
        };
        self.sms_wording(own)
    }
}

/// Minutes, as a wait is told: never none.
fn minutes(wait: Duration) -> i64 {
    i64::try_from(wait.as_secs().div_ceil(60).max(1)).unwrap_or(i64::MAX)
}
