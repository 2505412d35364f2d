//! The rules and words of the conversation: the same for everybody.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::terms::RequestTerms;
use crate::core::bank_names::BankNames;
use crate::core::labels::KnownPurposes;
use crate::core::menu::{ListOrder, Menu, MenuWords};
use crate::core::messages::{Locale, Templates};
use crate::core::msisdn::Msisdn;
use crate::core::pin::SubscriberPin;
use crate::core::policy::Policy;
use crate::core::seal::Keyring;
use crate::core::service_codes::ServiceCodes;

pub struct Flow {
    pub menu: Menu,
    pub templates: Templates,
    /// What data are used for, as far as all languages have words for it.
    pub purposes: KnownPurposes,
    /// What people call banks.
    pub bank_names: BankNames,
    /// What comes first in lists.
    pub order: ListOrder,
    pub settings: FlowSettings,
    /// Digests people's own codes.
    pub keyring: Arc<Keyring>,
}

impl Flow {
    /// The same conversation in these words.
    #[must_use]
    pub fn with_words(&self, words: MenuWords) -> Self {
        let MenuWords {
            templates,
            bank_names,
            order,
        } = words;
        Self {
            menu: self.menu.clone(),
            purposes: KnownPurposes::of(&templates),
            templates,
            bank_names,
            order,
            settings: self.settings.clone(),
            keyring: self.keyring.clone(),
        }
    }

    /// The place of an institution among those that are shown first: the operator's, or else its provider's.
    pub(super) fn favourite(&self, provider: &str, institution: &str) -> Option<usize> {
        let Some(favourites) = &self.order.favourites else {
            return self.settings.favourite(provider, institution);
        };
        favourites
            .iter()
            .position(|name| self.bank_names.is_same(name, institution))
    }
}

/// What the operator decided about the conversation.
#[derive(Clone, Debug)]
pub struct FlowSettings {
    /// What the operator itself asks for, as a partner.
    pub default_terms: RequestTerms,
    /// The languages that are offered, in this order; people begin in the first. Empty: all, in the order of their country.
    pub languages: Vec<Locale>,
    /// Whether secrets may be typed here.
    pub policy: Policy,
    /// Whether people may have a code of their own.
    pub subscriber_pin: SubscriberPin,
    /// After how long without use a link is shown only once its account has been linked again; `None`: always.
    pub ask_login_after: Option<Duration>,
    /// Whose numbers can be sent SMS: the countries (ISO 3166-1 alpha-2, upper case) of the SMS routes.
    pub sms_countries: BTreeSet<String>,
    /// Whether people get an SMS for every account that they link.
    pub receipts: bool,
    /// What is dialled on each channel: screens that end a dialog say it.
    pub service_codes: ServiceCodes,
    /// What the providers differ in, by their names.
    pub providers: HashMap<String, ProviderRules>,
    /// How much longer than the provider's timeout an attempt's lease lasts: [`LEASE_MARGIN`], less only in tests.
    pub lease_margin: Duration,
}

impl FlowSettings {
    /// The language of somebody who has not chosen one.
    pub fn first_language(&self) -> Locale {
        self.languages.first().copied().unwrap_or_default()
    }

    /// Whether this person can be sent SMS. Where no route is for their country, nothing by SMS may be promised.
    pub fn texts_reach(&self, number: &Msisdn) -> bool {
        number
            .country()
            .is_some_and(|country| self.sms_countries.contains(country))
    }
}

/// What the conversation must know of a provider.
#[derive(Clone, Debug, Default)]
pub struct ProviderRules {
    /// Names of institutions to show first, in this order.
    pub favourites: Vec<String>,
    /// How long a submission may take where its institution does not say.
    pub timeout: Duration,
    /// For how long what became of a submission without an answer is looked for.
    pub settle_for: Duration,
    /// How often it may ask for more in one session before it is not believed any more.
    pub max_rounds: u8,
}

impl FlowSettings {
    pub(super) fn provider_timeout(&self, provider: &str) -> Duration {
        self.providers
            .get(provider)
            .map_or(Duration::ZERO, |rules| rules.timeout)
    }

    pub(super) fn settle_for(&self, provider: &str) -> Duration {
        let rules = self.providers.get(provider);
        rules.map_or(Duration::ZERO, |rules| rules.settle_for)
    }

    /// No end for a provider that is not set up here: nothing can be sent to it.
    pub(super) fn max_rounds(&self, provider: &str) -> u8 {
        self.providers.get(provider).map_or(u8::MAX, |rules| rules.max_rounds)
    }

    /// The place of an institution among its provider's favourites.
    pub(super) fn favourite(&self, provider: &str, institution: &str) -> Option<usize> {
        let favourites = &self.providers.get(provider)?.favourites;
        favourites
            .iter()
            .position(|name| name.eq_ignore_ascii_case(institution))
    }
}

/// Enough for what is written before and after a submission while its provider is given all its time.
pub const LEASE_MARGIN: Duration = Duration::from_secs(15);
