//! The SMS gateways that are configured.

use std::sync::Arc;

use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::gateways::sms::SmsGateway;

/// One SMS gateway as the configuration sets it up.
pub struct SmsRoute {
    /// Its name, as in the callback's path.
    pub name: String,
    pub gateway: Arc<dyn SmsGateway>,
    /// What SMS come from, if not the gateway's own number.
    pub sender: Option<String>,
    /// The secret segment of the callback's path.
    pub secret: Secret,
    /// ISO 3166-1 alpha-2, upper case: whose numbers it serves, and how national spellings are meant.
    pub country: String,
    /// The most SMS one person gets by it in 24 hours, replies included.
    pub daily_cap: u32,
}

impl SmsRoute {
    /// Whether it is for this number's country: to another one it would carry an SMS at anybody's price.
    pub fn serves(&self, number: &Msisdn) -> bool {
        number.country() == Some(self.country.as_str())
    }
}

/// All of them, in the order of the configuration.
#[derive(Clone, Default)]
pub struct SmsRoutes(Arc<[Arc<SmsRoute>]>);

impl SmsRoutes {
    pub fn new(routes: Vec<Arc<SmsRoute>>) -> Self {
        Self(routes.into())
    }

    pub fn by_name(&self, name: &str) -> Option<&Arc<SmsRoute>> {
        self.0.iter().find(|route| route.name == name)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<SmsRoute>> {
        self.0.iter()
    }

    /// Whether there is none: nobody can be sent an SMS.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one is for this number's country.
    pub fn serves(&self, number: &Msisdn) -> bool {
        self.for_number(number).is_some()
    }

    /// The one that serves this number: the first of its country.
    pub fn for_number(&self, number: &Msisdn) -> Option<&Arc<SmsRoute>> {
        self.0.iter().find(|route| route.serves(number))
    }
}
