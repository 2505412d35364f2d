//! Termii, Nigeria.

pub mod sms;

use std::sync::Arc;

use super::{GatewayRegistration, SmsRegistration};

pub(super) const REGISTRATION: GatewayRegistration = GatewayRegistration {
    name: "termii",
    ussd: None,
    sms: Some(SmsRegistration {
        requirements: &sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(sms::TermiiSms::new(settings, client)?)),
    }),
};
