//! Names and messages that belong to no screen.

use super::rules::Flow;
use super::state::Subscriber;
use super::terms::RequestTerms;
use crate::core::gsm7;
use crate::core::ids::PartnerId;
use crate::core::messages::{Locale, TemplateArg};
use crate::core::purpose::Purpose;

/// Septets that a name from outside may take in a sentence.
pub(super) const MAX_NAME: usize = 22;

/// Septets that a purpose may take in a sentence.
const MAX_PURPOSE: usize = 40;

/// A partner's name as it is shown.
pub(super) fn display_name(name: &str) -> String {
    gsm7::clean_name(name, MAX_NAME)
}

impl Flow {
    /// What the present screen is about: what the session was begun under, else what is being asked.
    pub(super) fn terms<'a>(&'a self, state: &'a Subscriber) -> &'a RequestTerms {
        let session = state.session.as_ref().and_then(|session| session.terms.as_ref());
        session.or(state.terms.as_ref()).unwrap_or(&self.settings.default_terms)
    }

    /// The partner whose terms are in force: what can be linked is what it can link.
    pub fn partner_in_force(&self, state: &Subscriber) -> PartnerId {
        self.terms(state).partner
    }

    /// The name of the partner that the session is for, as it is shown.
    pub fn session_partner_name(&self, state: &Subscriber) -> String {
        display_name(&self.terms(state).name)
    }

    /// A purpose as a person reads it who speaks this language: as it is written for that, else, where it is one that our
    /// languages have words for, in those.
    pub(super) fn purpose_text(&self, locale: Locale, purpose: &Purpose) -> String {
        let text = purpose.in_language(locale);
        let ours = || self.purposes.translate(&self.templates, locale, text);
        let written = purpose.written_in(locale).map(str::to_owned).or_else(ours);
        gsm7::clean_name(written.as_deref().unwrap_or(text), MAX_PURPOSE)
    }

    pub(super) fn consent_args(&self, locale: Locale, terms: &RequestTerms) -> [(&'static str, TemplateArg); 4] {
        [
            ("partner", TemplateArg::Text(display_name(&terms.name))),
            ("data", TemplateArg::Text(terms.scope.said(&self.templates, locale))),
            ("purpose", TemplateArg::Text(self.purpose_text(locale, &terms.purpose))),
            ("days", TemplateArg::Number(i64::from(terms.days))),
        ]
    }

    /// The words for a situation in which no state could be had, on this channel.
    pub fn last_resort(&self, locale: Locale, id: &str, channel: &str) -> String {
        let dial = self.settings.service_codes.of(Some(channel));
        let args = [("dial", TemplateArg::Text(dial.to_owned()))];
        self.templates.format(locale, id, &args)
    }

    /// The number to call for help about what the present screen is about: its partner's, else the operator's.
    pub(super) fn contact<'a>(&'a self, state: &'a Subscriber) -> Option<&'a str> {
        let own = self.terms(state).contact.as_deref();
        own.or(self.settings.default_terms.contact.as_deref())
    }

    /// Says whom to call; nothing where there is nobody.
    pub(super) fn call_for_help(&self, locale: Locale, contact: Option<&str>) -> Option<String> {
        let args = [("contact", TemplateArg::Text(contact?.to_owned()))];
        Some(self.templates.format(locale, "call-for-help", &args))
    }

    /// What somebody is told who texts for help.
    pub fn help_sms(&self, locale: Locale, id: &str, dial: &str) -> String {
        let told = self.sms_template(locale, id, dial);
        let call = self.call_for_help(locale, self.settings.default_terms.contact.as_deref());
        call.map_or(told.clone(), |call| format!("{told}\n{call}"))
    }

    /// Something that is said by SMS outside of any screen; `dial` is what is dialled.
    pub fn sms_template(&self, locale: Locale, id: &str, dial: &str) -> String {
        self.sms_template_for(locale, id, &self.settings.default_terms.name, dial)
    }

    /// The same, on behalf of a partner.
    pub(super) fn sms_template_for(&self, locale: Locale, id: &str, partner: &str, dial: &str) -> String {
        let args = [
            ("partner", TemplateArg::Text(display_name(partner))),
            ("dial", TemplateArg::Text(dial.to_owned())),
        ];
        self.templates.format(locale, id, &args)
    }
}
