//! Telco gateways: how each aggregator calls us and wants its answer.
//!
//! A gateway is a pair of pure functions over plain data, parse and render, with its deadlines and sizes as data beside
//! them. It knows nothing of storage, menus, retries or the web server, so that header-reply, path-event and
//! asynchronous gateways all fit: what differs for the last is only the [`ReplySink`] a reply is given to.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::core::budget::Deadlines;
use crate::core::flow::state::TurnReply;
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;

pub mod africastalking;
pub mod form;
pub mod limit_overrides;

/// A request as it came, before anybody understood it. Borrowed, and never logged: path, query and body carry secrets.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// What follows `/ussd/{channel}/{secret}`, without the leading slash; empty for the callback itself.
    pub tail: &'a str,
    /// The raw query string, still percent-encoded.
    pub query: &'a [u8],
    /// Header names (lower case) and values.
    pub headers: &'a [(String, Vec<u8>)],
    /// The raw body.
    pub body: &'a [u8],
    /// ISO 3166-1 alpha-2 of the channel, for numbers in national spelling.
    pub country: &'a str,
}

/// What a request turned out to be.
#[derive(Debug)]
pub enum UssdRequest {
    /// The person is waiting for a screen.
    Turn(UssdCallback),
    /// Only told; nobody waits, no screen may be sent.
    DialogEnd(DialogEndNotice),
}

/// One turn: a person dialled or typed, and waits for a screen. Prints nothing that could name the person or what was
/// typed: some gateways put the number in the dialog's name or ask for it back, and all send what was dialled.
pub struct UssdCallback {
    /// The gateway's own name for the dialog. Opaque; reused by some gateways after a day.
    pub dialog: String,
    /// Who is asking.
    pub msisdn: Msisdn,
    /// The operator's network code as the gateway spells it, where it says.
    pub network: Option<String>,
    /// The code that was dialled, as the gateway spells it.
    pub service_code: Option<String>,
    /// What happened.
    pub input: UssdInput,
    /// The gateway's own number for this turn, where it has one: the same whenever it sends the turn again, and another
    /// for each other turn of the dialog. It tells a repeat from the same key pressed twice.
    pub turn_id: Option<String>,
    /// Fields that the reply must carry back unchanged (name, value).
    pub echo: Vec<(String, String)>,
}

impl UssdCallback {
    /// Whether it begins a dialog, as far as the request says by itself.
    pub fn begins_dialog(&self) -> bool {
        matches!(self.input, UssdInput::Begin { .. })
    }
}

impl fmt::Debug for UssdCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("msisdn", &self.msisdn)
            .field("network", &self.network)
            .field("event", &self.input)
            .finish_non_exhaustive()
    }
}

/// What a person did. Prints what happened, never what was typed.
pub enum UssdInput {
    /// Dialled; `dialled` are the segments typed after the service code.
    Begin {
        /// For instance `["1", "2"]` for `*384*96*1*2#`.
        dialed: Vec<String>,
    },
    /// Typed this line (gateways that send only the latest one).
    Latest(Secret),
    /// Typed something; the gateway sends all lines so far joined by `*`, and this is the whole of it. The new line is
    /// the text minus what was seen before, never what follows the last `*`: an answer may contain `*`.
    Cumulative(Secret),
}

impl fmt::Debug for UssdInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin { dialed: dialled } => f.debug_struct("Begin").field("segments", &dialled.len()).finish(),
            Self::Latest(line) => f.debug_tuple("Line").field(line).finish(),
            Self::Cumulative(text) => f.debug_tuple("Whole").field(text).finish(),
        }
    }
}

/// Something the gateway tells after the fact. Prints as little as a [`Callback`].
pub struct DialogEndNotice {
    /// The gateway's own name for the dialog.
    pub dialog: String,
    /// Whose dialog, where the notice says.
    pub msisdn: Option<Msisdn>,
    /// Why it ended.
    pub end: DialogEnd,
}

impl fmt::Debug for DialogEndNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("msisdn", &self.msisdn)
            .field("closed", &self.end)
            .finish_non_exhaustive()
    }
}

/// How a dialog ended, as far as the gateway can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogEnd {
    /// We ended it with a last screen.
    Finished,
    /// The person hung up or ran out of time.
    Abandoned,
    /// The gateway blames us.
    Failed,
}

/// A screen for the person, in no dialect yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenReply {
    /// Show this and wait for an answer.
    Continue(String),
    /// Show this and end the dialog.
    End(String),
}

impl ScreenReply {
    /// The text on the screen.
    pub fn text(&self) -> &str {
        match self {
            Self::Continue(text) | Self::End(text) => text,
        }
    }
}

impl From<TurnReply> for ScreenReply {
    fn from(answer: TurnReply) -> Self {
        if answer.end {
            Self::End(answer.text)
        } else {
            Self::Continue(answer.text)
        }
    }
}

/// An answer in the gateway's dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireReply {
    /// HTTP status; 200 for every answer to a person.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// Further headers, for gateways whose flags are headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a request was not understood. Carries the field's name, never what it held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A field that must be there was not, or twice.
    #[error("field {0} is missing or given more than once")]
    Field(&'static str),
    /// Not a phone number we can serve.
    #[error("the phone number is not one we can serve")]
    Msisdn,
    /// The typed text is not valid UTF-8, or its percent-encoding is broken: refused rather than altered.
    #[error("the text is not valid UTF-8")]
    Encoding,
    /// More text than any phone can type.
    #[error("the input is too long")]
    TooLong,
    /// Not a method, content type or path that this gateway uses.
    #[error("not a callback of this gateway")]
    NotACallback,
}

impl ParseError {
    /// The id of the text that the person gets.
    pub fn message_id(&self) -> &'static str {
        match self {
            Self::Msisdn => "no-service",
            Self::Encoding => "unreadable",
            Self::TooLong => "too-long",
            Self::Field(_) | Self::NotACallback => "sorry",
        }
    }
}

/// The deadlines and sizes of a gateway on one network. Unknown ones have the defaults of [`UssdLimits::default`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UssdLimits {
    /// How long the gateway waits for our answer to one callback.
    pub turn: Duration,
    /// How long a whole dialog may last.
    pub dialog: Duration,
    /// How long a person may take to answer one screen.
    pub idle: Duration,
    /// The most GSM-7 septets one answer may hold, our prefix included.
    pub out_septets: u16,
    /// The most characters a person can type at once.
    pub in_chars: u16,
}

impl Default for UssdLimits {
    fn default() -> Self {
        Self {
            turn: Duration::from_secs(5),
            dialog: Duration::from_mins(2),
            idle: Duration::from_secs(20),
            out_septets: 140,
            in_chars: 80,
        }
    }
}

impl From<&UssdLimits> for Deadlines {
    fn from(limits: &UssdLimits) -> Self {
        Self {
            turn: limits.turn,
            dialog: limits.dialog,
            idle: limits.idle,
        }
    }
}

/// A gateway's dialect.
pub trait UssdGateway: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;

    /// Where replies go when they travel in a call that we make; the answer to the callback is then only an
    /// acknowledgement. `None`: in the answer itself.
    fn sink(&self) -> Option<Box<dyn ReplySink>> {
        None
    }

    /// Septets of every answer that are the dialect's own (`CON `), taken off the page.
    fn overhead(&self) -> u16;

    /// Deadlines and sizes on a network.
    fn limits(&self, network: Option<&str>) -> UssdLimits;

    /// Understands a request.
    ///
    /// # Errors
    /// Names what is wrong; the caller answers with a safe END in the dialect all the same.
    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, ParseError>;

    /// Puts a reply in the dialect, with the callback's [`Callback::echo`]. The empty reply acknowledges a notice.
    fn render(&self, reply: Option<&ScreenReply>, echo: &[(String, String)]) -> WireReply;
}

/// Takes the replies of a gateway that wants them in a call of their own.
#[async_trait]
pub trait ReplySink: Send {
    /// Makes the call. That it fails is not an error of the turn: the reply is stored, a repeat gets it.
    async fn deliver(self: Box<Self>, reply: WireReply);
}

/// The gateway with this name, if there is one.
pub fn ussd_gateway(name: &str) -> Option<Box<dyn UssdGateway>> {
    match name {
        "africastalking" => Some(Box::new(africastalking::AfricasTalkingUssd)),
        _ => None,
    }
}

/// The names [`by_name`] knows, for messages and help.
pub const USSD_GATEWAYS: &[&str] = &["africastalking"];
