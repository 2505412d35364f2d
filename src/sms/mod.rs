//! SMS gateways: how texts are sent, and how each gateway tells of answers and deliveries.
//!
//! The port is plain data on both sides. Sending is one call that ends in one of four ways ([`Sent`] or a [`SendError`]),
//! told apart by one question only: may this text be handed over again? What a gateway calls us with becomes [`Heard`]
//! values, of which some gateways bring several at once, and how it wants to be answered is the gateway's to render. What
//! it can do at all is data ([`SmsCapabilities`]), and so is what it must be told before it works ([`SmsRequirements`]).
//!
//! A gateway keeps nothing and repeats nothing; both are for the service above.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::core::time::Timestamp;
use crate::gateways::{ParseError, RawRequest, WireReply};
use crate::providers::base_url::BaseUrl;
use crate::providers::http::HttpClient;

pub mod africastalking;
pub mod hubtel;
pub mod infobip;
pub mod termii;
pub mod twilio;
mod wire;

/// What follows the path of a callback where a gateway is to report deliveries, when it lets us say where.
pub const REPORTS_PATH: &str = "reports";

/// A text to send.
#[derive(Debug)]
pub struct OutgoingSms {
    /// To whom.
    pub to: Msisdn,
    /// The sender's name, number or short code; without one the gateway's own default.
    pub from: Option<String>,
    /// The text.
    pub text: Secret,
    /// Our own id of this text, the same at every try. Given to gateways that carry it, see
    /// [`SmsCapabilities::carries_reference`].
    pub reference: String,
}

/// A text that the gateway took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentSms {
    /// The gateway's id of it, as it stands in delivery reports.
    pub message_id: String,
    /// What it costs, in the gateway's own words, where it says.
    pub cost: Option<String>,
}

/// Why a text was not taken. Carries fixed words, never what the gateway or anybody else wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsSendError {
    /// Provably not sent: to be tried again, not before the pause the gateway asks for.
    #[error("not sent: {0}")]
    NotSent(&'static str, Option<Duration>),
    /// Refused for good: the same text to the same number will never be taken.
    #[error("refused: {0:?}")]
    Refused(SmsFailureReason),
    /// It may have been sent: never to be sent again blindly.
    #[error("not known to be sent: {0}")]
    Unknown(&'static str),
}

/// What a gateway told us.
#[derive(Debug)]
pub enum SmsCallback {
    /// Somebody sent a text to a number of ours.
    Incoming(IncomingSms),
    /// What became of a text of ours.
    Report(DeliveryReport),
    /// A person told the gateway that they want no texts from us.
    OptedOut(Msisdn),
}

/// A text from a person. The number can be forged by whoever runs a gateway; what it asks for must be harmless or proven.
#[derive(Debug)]
pub struct IncomingSms {
    /// The gateway's id of it, the same when it comes again.
    pub message_id: String,
    /// Who sent it.
    pub from: Msisdn,
    /// The number or short code of ours it was sent to.
    pub to: String,
    /// What it says.
    pub text: Secret,
    /// Which part of a longer text it is, where the gateway does not join parts itself.
    pub part: Option<SmsPart>,
    /// When the gateway got it, where it says.
    pub received_at: Option<Timestamp>,
}

/// A part of a longer text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsPart {
    /// What all parts of the text share.
    pub reference: String,
    /// Which one, from 1.
    pub part: u16,
    /// How many there are.
    pub parts: u16,
}

/// What became of a text of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// The gateway's id of the text, from [`Sent::message_id`].
    pub message_id: String,
    /// Our own id of it, where the gateway carries that.
    pub reference: Option<String>,
    /// Where it stands.
    pub state: SmsDeliveryState,
}

/// Why a call of a gateway was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsCallbackError {
    /// Its signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    Unauthentic,
    /// Not understood.
    #[error("{0}")]
    Malformed(&'static str),
}

impl From<ParseError> for SmsCallbackError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(match error {
            ParseError::Field(name) => name,
            ParseError::Msisdn => "the phone number is not one we can serve",
            ParseError::Encoding => "the text is not valid UTF-8",
            ParseError::TooLong => "the input is too long",
            ParseError::NotACallback => "not a callback of this gateway",
        })
    }
}

/// What became of a gateway's call; the gateway puts it in its dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// Taken, now or before.
    Accepted,
    /// Not from the gateway.
    Unauthentic,
    /// Not understood.
    Malformed,
    /// We cannot take it now: it must come again.
    Unavailable,
}

/// What a gateway can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsCapabilities {
    /// The most parts of one text.
    pub max_parts: usize,
    /// What texts can come from.
    pub senders: &'static [SenderKind],
    /// How we get to know what became of a text.
    pub reports: ReportMode,
    /// Whether it carries our own id and gives it back in reports, so that a text whose answer was lost can still be told
    /// of. None is known to refuse a second text with the same id, so none is trusted to.
    pub carries_reference: bool,
    /// How it hands us what people send.
    pub incoming: IncomingKind,
}

/// What a text can come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderKind {
    /// A phone number, or a short code.
    Number,
    /// A registered name, which cannot be answered.
    Name,
    /// A pool of numbers that the gateway picks from, by its id.
    Pool,
}

/// How delivery reports come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportMode {
    /// The gateway calls us.
    Pushed,
    /// We must ask, see [`SmsGateway::ask`].
    Polled,
}

/// How what people send comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncomingKind {
    /// Not at all.
    Never,
    /// One text a call, however long.
    Whole,
    /// Several texts a call, however long.
    Batches,
    /// One part of a text a call, with its number.
    Parts,
}

/// What a gateway must be told before it works: the configuration is held to this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsRequirements {
    /// What `username` is there, if it has one; always to be given then.
    pub username: Option<&'static str>,
    /// Whether there must be a `sender`.
    pub sender: bool,
    /// Where it answers, where that is the same for everybody.
    pub base_url: Option<&'static str>,
    /// Whether our own public URL must be known.
    pub public_url: bool,
    /// Whether it signs what it sends with a key of its own, so that `signing_key` is understood.
    pub signing_key: bool,
    /// The values `route` may have, the default first; none when there is no such setting.
    pub routes: &'static [&'static str],
}

/// How one gateway is set up.
pub struct SmsSettings {
    /// Where it answers.
    pub base_url: BaseUrl,
    /// Our name there, where it has one.
    pub username: Option<String>,
    /// Our key there.
    pub api_key: Secret,
    /// What it signs with, where that is a key of its own.
    pub signing_key: Option<Secret>,
    /// One of its [`SmsRequirements::routes`].
    pub route: Option<String>,
    /// The public URL of its callback, secret included, without a slash at the end: to ask for reports and to check
    /// signatures over it.
    pub callback: Option<Secret>,
    /// How long one send may take.
    pub timeout: Duration,
}

/// An SMS gateway.
#[async_trait]
pub trait SmsGateway: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> SmsCapabilities;

    /// Hands over one text, once.
    ///
    /// # Errors
    /// Says whether it may be handed over again.
    async fn send(&self, message: &OutgoingSms) -> Result<SentSms, SmsSendError>;

    /// Asks what became of a text, by the gateway's id of it. `None` when it does not say, or not in words that are known.
    async fn query_delivery(&self, _message_id: &str) -> Option<SmsDeliveryState> {
        None
    }

    /// Understands a call of the gateway. The request's `tail` is empty or [`REPORTS_PATH`].
    ///
    /// # Errors
    /// When it is not the gateway's, or not understood; then nothing of it is taken.
    fn parse_callback(&self, request: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError>;

    /// Answers such a call.
    fn render_answer(&self, answer: CallbackOutcome) -> WireReply {
        wire::empty_reply(match answer {
            CallbackOutcome::Accepted => 200,
            CallbackOutcome::Unauthentic => 403,
            CallbackOutcome::Malformed => 400,
            CallbackOutcome::Unavailable => 503,
        })
    }
}

/// Why a gateway cannot be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsSetupError {
    /// There is none with this name.
    #[error("there is no SMS gateway with this name")]
    Unknown,
    /// It wants something it was not given.
    #[error("the SMS gateway wants {0}")]
    Missing(&'static str),
}

/// The gateway with this name, set up.
///
/// # Errors
/// When there is none, or something it wants is missing.
pub fn sms_gateway(
    name: &str,
    settings: SmsSettings,
    client: HttpClient,
) -> Result<Arc<dyn SmsGateway>, SmsSetupError> {
    Ok(match name {
        "africastalking" => Arc::new(africastalking::AfricasTalkingSms::new(settings, client)?),
        "hubtel" => Arc::new(hubtel::HubtelSms::new(settings, client)?),
        "infobip" => Arc::new(infobip::InfobipSms::new(settings, client)?),
        "termii" => Arc::new(termii::TermiiSms::new(settings, client)?),
        "twilio" => Arc::new(twilio::TwilioSms::new(settings, client)?),
        _ => return Err(SmsSetupError::Unknown),
    })
}

/// What the gateway with this name must be told, if there is one.
pub fn sms_requirements(name: &str) -> Option<&'static SmsRequirements> {
    match name {
        "africastalking" => Some(&africastalking::REQUIREMENTS),
        "hubtel" => Some(&hubtel::REQUIREMENTS),
        "infobip" => Some(&infobip::REQUIREMENTS),
        "termii" => Some(&termii::REQUIREMENTS),
        "twilio" => Some(&twilio::REQUIREMENTS),
        _ => None,
    }
}

/// The names [`by_name`] knows, for messages and help.
pub const SMS_GATEWAYS: &[&str] = &["africastalking", "hubtel", "infobip", "termii", "twilio"];
