//! Names and messages that belong to no screen.

use super::rules::Flow;
use super::state::Subscriber;
use super::terms::RequestTerms;
use crate::core::gsm7;
use crate::core::ids::PartnerId;
use crate::core::messages::{Locale, TemplateArg};
use crate::core::scope::Data;

/// Septets that a name from outside may take in a sentence.
pub(super) const MAX_NAME: usize = 22;

/// Septets that a purpose may take in a sentence.
const MAX_PURPOSE: usize = 40;

/// A partner's name as it is shown.
pub(super) fn display_name(name: &str) -> String {
    gsm7::clean_name(name, MAX_NAME)
}

/// The id of what a person reads for a kind of data.
const fn data_message_id(data: Data) -> &'static str {
    match data {
        Data::Account => "data-account",
        Data::Balance => "data-balance",
        Data::Transactions => "data-transactions",
        Data::Identity => "data-identity",
    }
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

    pub(super) fn consent_args(&self, locale: Locale, terms: &RequestTerms) -> [(&'static str, TemplateArg); 4] {
        let data: Vec<_> = Data::ALL
            .into_iter()
            .filter(|data| terms.scope.has(*data))
            .map(|data| self.templates.format(locale, data_message_id(data), &[]))
            .collect();
        [
            ("partner", TemplateArg::Text(display_name(&terms.name))),
            ("data", TemplateArg::Text(data.join(", "))),
            (
                "purpose",
                TemplateArg::Text(gsm7::clean_name(&terms.purpose, MAX_PURPOSE)),
            ),
            ("days", TemplateArg::Number(i64::from(terms.days))),
        ]
    }

    /// The words for a situation in which no state could be had.
    pub fn last_resort(&self, locale: Locale, id: &str) -> String {
        self.templates.format(locale, id, &[])
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
