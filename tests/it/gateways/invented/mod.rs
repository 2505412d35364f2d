//! A gateway that does not exist, added by following `docs/ADD-A-GATEWAY.md`. It has everything that real ones have and
//! Africa's Talking has not, so that the tests of the port have somebody to talk to.

pub mod carrier;
pub mod ussd;

use kiungo::gateways::{GATEWAYS, GatewayRegistration, UssdRegistration};

/// Its row.
pub const REGISTRATION: GatewayRegistration = GatewayRegistration {
    name: "invented",
    ussd: Some(UssdRegistration {
        requirements: &ussd::REQUIREMENTS,
        build: |setup| Ok(Box::new(ussd::InventedUssd::new(setup)?)),
    }),
    sms: None,
};

/// All gateways, and this one.
pub const REGISTRY: &[GatewayRegistration] = &[GATEWAYS[0], REGISTRATION];
