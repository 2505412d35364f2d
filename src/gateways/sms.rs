//! The SMS port: how messages are sent, and how a gateway reports deliveries and hands us incoming messages.
//!
//! The port is plain data on both sides. Sending is one request that ends in one of four ways ([`SentSms`] or an
//! [`SmsSendError`]), and they differ in one question only: may this message be handed over again? A gateway's callback
//! becomes [`SmsCallback`] values (some gateways send several at once), and the gateway renders how it wants to be
//! answered. What it can do is data ([`SmsCapabilities`]), and so is what it must be told before it works
//! ([`SmsRequirements`]).
//!
//! A gateway stores nothing and retries nothing; both are the service's job.

use std::time::Duration;

use async_trait::async_trait;

use super::settings::{SettingRequirement, SettingValues};
use super::{ParseError, RawRequest, WireReply, sms_wire};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::core::time::Timestamp;
use crate::http_client::base_url::BaseUrl;

/// The path below a callback URL that delivery reports go to, where the gateway lets us choose.
pub const REPORTS_PATH: &str = "reports";

#[derive(Debug)]
pub struct OutgoingSms {
    pub to: Msisdn,
    /// The sender's name, number or short code; `None` uses the gateway's default.
    pub from: Option<String>,
    pub text: Secret,
    /// Our own id of this message, the same on every try. Some gateways return it in delivery reports, so that a message
    /// whose response was lost can still be reported. None is known to refuse a second message with the same id, so none
    /// is trusted to.
    pub reference: String,
}

/// A message that the gateway accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentSms {
    /// The gateway's id of it, as in delivery reports.
    pub message_id: String,
    /// What it costs, as the gateway writes it, if it says.
    pub cost: Option<String>,
}

/// Why a message was not accepted. Carries fixed text, never what the gateway or anybody else wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsSendError {
    /// Provably not sent: may be tried again, after the pause that the gateway asks for.
    #[error("not sent: {0}")]
    NotSent(&'static str, Option<Duration>),
    /// Refused permanently: the same message to the same number will never be accepted.
    #[error("refused: {0:?}")]
    Refused(SmsFailureReason),
    /// It may have been sent, so it must not be sent again.
    #[error("not known to be sent: {0}")]
    Unknown(&'static str),
}

#[derive(Debug)]
pub enum SmsCallback {
    /// A person sent a message to a number of ours.
    Incoming(IncomingSms),
    Report(DeliveryReport),
    /// Something that nobody will ever be able to read, and why: an SMS from a short code or a name, one without text, a
    /// report in unknown words. It is acknowledged, dropped and counted, so that it is not brought again and what came
    /// beside it is not lost.
    Unreadable(&'static str),
    /// A person told the gateway that they want no messages from us.
    OptedOut(Msisdn),
}

/// A message from a person. Anybody who runs a gateway can forge the number, so what it asks for must be harmless or
/// confirmed.
#[derive(Debug)]
pub struct IncomingSms {
    /// The gateway's id of it, the same when the gateway retries.
    pub message_id: String,
    pub from: Msisdn,
    /// Our number or short code; empty if the gateway does not say.
    pub to: String,
    pub text: Secret,
    /// What the gateway has taken it for and has answered by itself, if it does that.
    pub handled: Option<HandledKeyword>,
    /// Which part of a longer message it is, if the gateway does not join the parts itself.
    pub part: Option<SmsPart>,
    /// When the gateway received it, if it says.
    pub received_at: Option<Timestamp>,
}

/// A keyword that the gateway itself has recognized, acted on and answered: we note it, and the person gets no second
/// answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandledKeyword {
    Stop,
    Start,
    Help,
}

/// One part of a longer message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsPart {
    /// The same for all parts of the message.
    pub reference: String,
    /// From 1.
    pub part: u16,
    /// How many there are in total.
    pub parts: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// The gateway's id of the message, from [`SentSms::message_id`].
    pub message_id: String,
    /// Our own id of it, if the gateway returns it.
    pub reference: Option<String>,
    pub state: SmsDeliveryState,
}

/// Why a callback was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsCallbackError {
    #[error("the signature is missing or wrong")]
    Unauthentic,
    #[error("{0}")]
    Malformed(&'static str),
}

impl From<ParseError> for SmsCallbackError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error.reason())
    }
}

/// How a callback is answered; the gateway renders it in its own format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// Accepted, now or on an earlier try.
    Accepted,
    /// The signature is missing or wrong.
    Unauthentic,
    Malformed,
    /// We cannot accept it now: the gateway must retry.
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsCapabilities {
    /// The most parts of one message.
    pub max_parts: usize,
    pub reports: ReportMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportMode {
    /// The gateway calls us.
    Pushed,
    /// We must ask, see [`SmsGateway::query_delivery`].
    Polled,
}

/// What a gateway must be told before it works; the configuration is checked against this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsRequirements {
    /// What `username` means at this gateway; `None` if it has none. Required where it has one.
    pub username: Option<&'static str>,
    /// Whether `sender` is required.
    pub sender: bool,
    /// Its base URL, if it is the same for every account.
    pub base_url: Option<&'static str>,
    /// Whether our own public URL is required.
    pub public_url: bool,
    /// Whether it signs callbacks with a key of its own, `signing_key`.
    pub signing_key: bool,
    /// The values `route` may have, the default first; empty if there is no such setting.
    pub routes: &'static [&'static str],
    /// The paths below the callback URL that it calls, to be registered with it: empty for the URL itself, and
    /// [`REPORTS_PATH`].
    pub callback_paths: &'static [&'static str],
    /// What else it must be told.
    pub settings: &'static [SettingRequirement],
}

/// The settings of one gateway.
pub struct SmsSettings {
    pub base_url: BaseUrl,
    pub username: Option<String>,
    pub api_key: Secret,
    /// Verifies its signatures, if it has a key of its own for that.
    pub signing_key: Option<Secret>,
    /// One of its [`SmsRequirements::routes`].
    pub route: Option<String>,
    /// The public URL of its callback, with the secret and without a trailing slash: to request delivery reports, and to
    /// verify signatures over it.
    pub callback: Option<Secret>,
    /// What it declares in [`SmsRequirements::settings`].
    pub own: SettingValues,
    /// For one request.
    pub timeout: Duration,
}

/// An SMS gateway.
#[async_trait]
pub trait SmsGateway: Send + Sync {
    /// The name in the configuration.
    fn name(&self) -> &'static str;

    fn capabilities(&self) -> SmsCapabilities;

    /// Hands over one message, once.
    ///
    /// # Errors
    /// Says whether it may be handed over again.
    async fn send(&self, message: &OutgoingSms) -> Result<SentSms, SmsSendError>;

    /// Asks for the delivery state of a message, by the gateway's id of it. `None` if the answer does not say, or uses an
    /// unknown word.
    async fn query_delivery(&self, _message_id: &str) -> Option<SmsDeliveryState> {
        None
    }

    /// Parses a callback of the gateway. The request's `tail` is empty or [`REPORTS_PATH`].
    ///
    /// # Errors
    /// When its signature is wrong, or it is no callback of this gateway at all; then nothing of it is processed. What
    /// cannot be read within one is [`SmsCallback::Unreadable`], each by itself.
    fn parse_callback(&self, request: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError>;

    fn render_answer(&self, answer: CallbackOutcome) -> WireReply {
        sms_wire::empty_reply(match answer {
            CallbackOutcome::Accepted => 200,
            CallbackOutcome::Unauthentic => 403,
            CallbackOutcome::Malformed => 400,
            CallbackOutcome::Unavailable => 503,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsSetupError {
    #[error("there is no SMS gateway with this name")]
    Unknown,
    #[error("the SMS gateway wants {0}")]
    Missing(&'static str),
}
