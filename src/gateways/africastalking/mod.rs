//! Africa's Talking: ten African countries, USSD and SMS.

pub mod sms;
pub mod ussd;

use std::sync::Arc;

use super::{GatewayRegistration, SmsRegistration, UssdRegistration};

pub(super) const REGISTRATION: GatewayRegistration = GatewayRegistration {
    name: "africastalking",
    ussd: Some(UssdRegistration {
        requirements: &ussd::REQUIREMENTS,
        build: |_| Ok(Box::new(ussd::AfricasTalkingUssd)),
    }),
    sms: Some(SmsRegistration {
        requirements: &sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(sms::AfricasTalkingSms::new(settings, client)?)),
    }),
};
