//! One short code on one gateway.

use super::networks::Networks;
use crate::core::secret::Secret;
use crate::gateways::limit_overrides::ChannelLimitOverrides;
use crate::gateways::ussd_carrier::{CarrierAbilities, UssdCarrier};
use crate::gateways::{UssdGateway, UssdLimits};

/// One short code on one gateway, from the configuration.
pub struct Channel {
    /// Its name, as in the callback's path.
    pub name: String,
    pub gateway: Box<dyn UssdGateway>,
    /// The code people dial, such as `*384*96#`.
    pub service_code: String,
    /// The secret segment of the callback's path.
    pub secret: Secret,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// Where its gateway calls from; empty means from anywhere.
    pub sources: Networks,
    /// What holds in place of the gateway's own limits.
    pub agreement: ChannelLimitOverrides,
}

impl Channel {
    /// Deadlines and sizes on a network.
    pub fn limits(&self, network: Option<&str>) -> UssdLimits {
        self.agreement.apply_to(self.gateway.limits(network), network)
    }

    /// Whether its screens travel in calls of ours.
    pub fn delivers(&self) -> bool {
        self.abilities().delivers
    }

    /// What its gateway can do besides answering requests.
    pub fn abilities(&self) -> CarrierAbilities {
        let carrier = self.gateway.carrier();
        carrier.map(UssdCarrier::abilities).unwrap_or_default()
    }
}
