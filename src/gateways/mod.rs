//! Telco gateways: one folder for each aggregator, with a module for each kind of message it carries.
//!
//! What USSD and SMS share is here: the request as it came in, the answer as it goes out, and the registries, one row for
//! each implementation. The two ports are [`ussd`] and [`sms`].

pub mod form;
pub mod limit_overrides;
pub mod sms;
mod sms_wire;
pub mod ussd;

pub mod africastalking {
    pub mod sms;
    pub mod ussd;
}
pub mod hubtel {
    pub mod sms;
}
pub mod infobip {
    pub mod sms;
}
pub mod termii {
    pub mod sms;
}
pub mod twilio {
    pub mod sms;
}

use std::sync::Arc;

use self::sms::{SmsGateway, SmsRequirements, SmsSettings, SmsSetupError};
pub use self::ussd::{DialogEnd, DialogEndNotice, ReplySink, UssdCallback, UssdGateway, UssdLimits, UssdRequest};
use crate::http_client::HttpClient;

/// A request before it is parsed. Borrowed, and never logged: path, query and body carry secrets.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The path after the secret segment, without the leading slash; empty for the callback itself.
    pub tail: &'a str,
    /// Still percent-encoded.
    pub query: &'a [u8],
    /// Header names (lower case) and values.
    pub headers: &'a [(String, Vec<u8>)],
    pub body: &'a [u8],
    /// ISO 3166-1 alpha-2 of the channel, for numbers in national format.
    pub country: &'a str,
}

/// An answer in the gateway's format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireReply {
    /// HTTP status; 200 for every USSD screen.
    pub status: u16,
    pub content_type: &'static str,
    /// Further headers, for gateways whose flags are headers.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Why a request was not understood. Carries the field's name, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("field {0} is missing or given more than once")]
    Field(&'static str),
    #[error("the phone number is not one we can serve")]
    Msisdn,
    /// What was typed is not valid UTF-8, or its percent-encoding is broken: refused rather than altered.
    #[error("the text is not valid UTF-8")]
    Encoding,
    /// More text than any phone can type.
    #[error("the input is too long")]
    TooLong,
    /// A method, content type or path that this gateway does not use.
    #[error("not a callback of this gateway")]
    NotACallback,
}

impl ParseError {
    /// The id of the message that the person gets.
    pub fn message_id(&self) -> &'static str {
        match self {
            Self::Msisdn => "no-service",
            Self::Encoding => "unreadable",
            Self::TooLong => "too-long",
            Self::Field(_) | Self::NotACallback => "sorry",
        }
    }
}

/// A USSD gateway by its name in the configuration.
pub struct UssdRegistration {
    pub name: &'static str,
    build: fn() -> Box<dyn UssdGateway>,
}

/// All USSD gateways.
pub const USSD_GATEWAYS: &[UssdRegistration] = &[UssdRegistration {
    name: "africastalking",
    build: || Box::new(africastalking::ussd::AfricasTalkingUssd),
}];

/// The names of all USSD gateways, for messages.
pub fn ussd_gateway_names() -> String {
    USSD_GATEWAYS
        .iter()
        .map(|gateway| gateway.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The USSD gateway with this name.
pub fn ussd_gateway(name: &str) -> Option<Box<dyn UssdGateway>> {
    let found = USSD_GATEWAYS.iter().find(|gateway| gateway.name == name);
    found.map(|gateway| (gateway.build)())
}

type BuildSms = fn(SmsSettings, HttpClient) -> Result<Arc<dyn SmsGateway>, SmsSetupError>;

/// An SMS gateway by its name in the configuration.
pub struct SmsRegistration {
    pub name: &'static str,
    /// What the configuration must say.
    pub requirements: &'static SmsRequirements,
    build: BuildSms,
}

/// All SMS gateways.
pub const SMS_GATEWAYS: &[SmsRegistration] = &[
    SmsRegistration {
        name: "africastalking",
        requirements: &africastalking::sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(africastalking::sms::AfricasTalkingSms::new(settings, client)?)),
    },
    SmsRegistration {
        name: "hubtel",
        requirements: &hubtel::sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(hubtel::sms::HubtelSms::new(settings, client)?)),
    },
    SmsRegistration {
        name: "infobip",
        requirements: &infobip::sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(infobip::sms::InfobipSms::new(settings, client)?)),
    },
    SmsRegistration {
        name: "termii",
        requirements: &termii::sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(termii::sms::TermiiSms::new(settings, client)?)),
    },
    SmsRegistration {
        name: "twilio",
        requirements: &twilio::sms::REQUIREMENTS,
        build: |settings, client| Ok(Arc::new(twilio::sms::TwilioSms::new(settings, client)?)),
    },
];

/// The names of all SMS gateways, for messages.
pub fn sms_gateway_names() -> String {
    SMS_GATEWAYS
        .iter()
        .map(|gateway| gateway.name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn sms_registration(name: &str) -> Option<&'static SmsRegistration> {
    SMS_GATEWAYS.iter().find(|gateway| gateway.name == name)
}

/// The SMS gateway with this name, set up.
///
/// # Errors
/// When there is none with this name, or the settings lack something it requires.
pub fn sms_gateway(
    name: &str,
    settings: SmsSettings,
    client: HttpClient,
) -> Result<Arc<dyn SmsGateway>, SmsSetupError> {
    let gateway = sms_registration(name).ok_or(SmsSetupError::Unknown)?;
    (gateway.build)(settings, client)
}

/// What the configuration of the SMS gateway with this name must say.
pub fn sms_requirements(name: &str) -> Option<&'static SmsRequirements> {
    sms_registration(name).map(|gateway| gateway.requirements)
}
