//! Infobip, in many countries.

pub mod sms;

use std::sync::Arc;

use super::{GatewayRegistration, SmsRegistration};

pub(super) const REGISTRATION: GatewayRegistration = GatewayRegistration {
    name: "infobip",
    ussd: None,
    sms: Some(SmsRegistration {
        requirements: &sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(sms::InfobipSms::new(settings, client)?)),
    }),
};
