//! Twilio, in many countries.

pub mod sms;

use std::sync::Arc;

use super::{GatewayRegistration, SmsRegistration};

pub(super) const REGISTRATION: GatewayRegistration = GatewayRegistration {
    name: "twilio",
    ussd: None,
    sms: Some(SmsRegistration {
        requirements: &sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(sms::TwilioSms::new(settings, client)?)),
    }),
};
