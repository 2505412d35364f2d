//! The rules and words of the conversation: the same for everybody.

use std::sync::Arc;
use std::time::Duration;

use super::terms::RequestTerms;
use crate::core::menu::Menu;
use crate::core::messages::Templates;
use crate::core::pin::SubscriberPin;
use crate::core::policy::Policy;
use crate::core::seal::Keyring;

pub struct Flow {
    pub menu: Menu,
    pub templates: Templates,
    pub settings: FlowSettings,
    /// Digests people's own codes.
    pub keyring: Arc<Keyring>,
}

/// What the operator decided about the conversation.
#[derive(Clone, Debug)]
pub struct FlowSettings {
    /// What the operator itself asks for, as a partner.
    pub default_terms: RequestTerms,
    /// Whether secrets may be typed here.
    pub policy: Policy,
    /// Whether people may have a code of their own.
    pub subscriber_pin: SubscriberPin,
    /// Whether people can be sent SMS.
    pub sms_enabled: bool,
    pub favourites: Vec<String>,
    /// How long a submission may take where the provider does not say.
    pub provider_timeout: Duration,
    /// How much longer than the provider's timeout an attempt's lease lasts: [`LEASE_MARGIN`], less only in tests.
    pub lease_margin: Duration,
}

/// Enough for what is written before and after a submission while its provider is given all its time.
pub const LEASE_MARGIN: Duration = Duration::from_secs(15);
