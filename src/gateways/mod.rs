//! Telco gateways: one folder for each aggregator, with a module for each kind of message it carries.
//!
//! What USSD and SMS share is here: the request as it came in, the answer as it goes out, and the registry, one row for
//! each aggregator. The two ports are [`ussd`] (with [`ussd_carrier`] for what is not request and answer) and [`sms`].

pub mod africastalking;
pub mod form;
pub mod hubtel;
pub mod infobip;
pub mod limit_overrides;
pub mod settings;
pub mod sms;
mod sms_wire;
pub mod termii;
pub mod twilio;
pub mod ussd;
pub mod ussd_carrier;

use std::sync::Arc;

use self::settings::SettingError;
use self::sms::{SmsGateway, SmsRequirements, SmsSettings, SmsSetupError};
pub use self::ussd::{
    Caller, DialogEnd, DialogEndNotice, Echo, ScreenMenu, UssdCallback, UssdGateway, UssdInput, UssdLimits,
    UssdRefusal, UssdReply, UssdRequest, UssdRequirements, UssdSetup,
};
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
    /// Why, in words of ours; the name of a field alone.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Field(name) => name,
            Self::Msisdn => "the phone number is not one we can serve",
            Self::Encoding => "the text is not valid UTF-8",
            Self::TooLong => "the input is too long",
            Self::NotACallback => "not a callback of this gateway",
        }
    }

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

/// One aggregator: what it carries, and what it must be told for that. Everything that lists gateways reads [`GATEWAYS`]: the
/// configuration and its messages, `config show`, the phones, and the tests of all gateways.
#[derive(Clone, Copy)]
pub struct GatewayRegistration {
    /// The name in the configuration.
    pub name: &'static str,
    pub ussd: Option<UssdRegistration>,
    pub sms: Option<SmsRegistration>,
}

type BuildUssd = fn(UssdSetup) -> Result<Box<dyn UssdGateway>, SettingError>;

/// How a gateway carries USSD.
#[derive(Clone, Copy)]
pub struct UssdRegistration {
    /// What a channel on it must say.
    pub requirements: &'static UssdRequirements,
    pub build: BuildUssd,
}

type BuildSms = fn(SmsSettings, HttpClient) -> Result<Arc<dyn SmsGateway>, SmsSetupError>;

/// How a gateway carries SMS.
#[derive(Clone, Copy)]
pub struct SmsRegistration {
    /// What the configuration must say.
    pub requirements: &'static SmsRequirements,
    pub build: BuildSms,
}

/// All gateways, one row each.
pub const GATEWAYS: &[GatewayRegistration] = &[
    africastalking::REGISTRATION,
    hubtel::REGISTRATION,
    infobip::REGISTRATION,
    termii::REGISTRATION,
    twilio::REGISTRATION,
];

/// The gateway with this name in a registry.
pub fn registration<'a>(gateways: &'a [GatewayRegistration], name: &str) -> Option<&'a GatewayRegistration> {
    gateways.iter().find(|gateway| gateway.name == name)
}

/// The names of those gateways that `carries` is true of, for messages.
pub fn gateway_names(gateways: &[GatewayRegistration], carries: fn(&GatewayRegistration) -> bool) -> String {
    let names: Vec<_> = gateways
        .iter()
        .filter(|gateway| carries(gateway))
        .map(|gateway| gateway.name)
        .collect();
    names.join(", ")
}

/// The USSD gateway with this name, set up.
///
/// # Errors
/// When the settings lack something it requires, or one of them cannot be used. `None` when no such gateway carries USSD.
pub fn ussd_gateway(name: &str, setup: UssdSetup) -> Option<Result<Box<dyn UssdGateway>, SettingError>> {
    let ussd = registration(GATEWAYS, name)?.ussd?;
    Some((ussd.build)(setup))
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
    let sms = registration(GATEWAYS, name).and_then(|gateway| gateway.sms);
    (sms.ok_or(SmsSetupError::Unknown)?.build)(settings, client)
}

/// What the configuration of the SMS gateway with this name must say.
pub fn sms_requirements(name: &str) -> Option<&'static SmsRequirements> {
    Some(registration(GATEWAYS, name)?.sms?.requirements)
}
