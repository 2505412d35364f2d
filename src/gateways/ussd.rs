//! The USSD port: how an aggregator calls us and wants its answer.
//!
//! A gateway is a pair of pure functions over plain data, `parse` and `render`, with its deadlines and sizes as data beside
//! them. It is built once for each channel, with what the channel is ([`ChannelFacts`]) and its own settings, and knows
//! nothing of storage, menus, retries or the web server. What is not request and answer (screens in a call of ours, a
//! long-lived connection, set-up calls, push) is its [`UssdCarrier`].
//!
//! Whatever the reply must repeat of the request, or is addressed by, is its [`Echo`]; it is there on every path, also where
//! the request was not understood or the turn broke.

use std::fmt;
use std::time::Duration;

use super::settings::{SettingRequirement, SettingValues};
use super::ussd_carrier::UssdCarrier;
use super::{ParseError, RawRequest, WireReply};
use crate::core::budget::Deadlines;
use crate::core::flow::state::TurnReply;
use crate::core::msisdn::Msisdn;
use crate::core::screen_alphabet::ScreenAlphabet;
use crate::core::secret::Secret;

/// What a gateway must be told before it works; the configuration is checked against this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UssdRequirements {
    /// Its own settings, beside the common ones of a channel.
    pub settings: &'static [SettingRequirement],
    /// Whether its replies contain our own public URL.
    pub public_url: bool,
    /// The paths below the callback URL that are to be registered with it; empty for the URL itself.
    pub callback_paths: &'static [&'static str],
}

/// What a gateway is built with.
#[derive(Debug, Default)]
pub struct UssdSetup {
    pub channel: ChannelFacts,
    /// What it declares in [`UssdRequirements::settings`].
    pub own: SettingValues,
}

/// The channel that a gateway serves.
#[derive(Debug, Default)]
pub struct ChannelFacts {
    pub name: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// What people dial, such as `*384*96#`.
    pub service_code: String,
    /// The public URL of its callback, with the secret and without a trailing slash, where our public URL is known.
    pub callback: Option<Secret>,
}

#[derive(Debug)]
pub enum UssdRequest {
    /// A person is waiting for a screen.
    Turn(UssdCallback),
    /// A notification: nobody is waiting, and no screen may be sent.
    DialogEnd(DialogEndNotice),
    /// The gateway asks whether a dialog is still open.
    Probe {
        /// The gateway's id of the dialog.
        dialog: String,
        echo: Echo,
    },
}

/// One turn: a person dialed or typed, and waits for a screen. Its `Debug` shows nothing that identifies the person or what
/// was typed: some gateways put the number into the dialog id or want it echoed, and all send what was dialed.
pub struct UssdCallback {
    /// The gateway's id of the dialog. Opaque; some gateways reuse it after a day.
    pub dialog: String,
    pub caller: Caller,
    /// The operator's network code as the gateway spells it, if it sends one.
    pub network: Option<String>,
    /// The code that was dialed, as the gateway spells it.
    pub service_code: Option<String>,
    pub input: UssdInput,
    /// The gateway's id of this turn, if it has one: the same when it retries the turn, different for every other turn of
    /// the dialog. It distinguishes a retry from the same key pressed twice.
    pub turn_id: Option<String>,
    pub echo: Echo,
}

impl fmt::Debug for UssdCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UssdCallback")
            .field("caller", &self.caller)
            .field("network", &self.network)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

/// Who a request is from or about.
#[derive(Debug)]
pub enum Caller {
    Number(Msisdn),
    /// The request names the dialog only. A gateway that sends such requests says so, see
    /// [`UssdGateway::names_dialogs_only`].
    KnownDialog,
}

/// What a person did, as the gateway tells it. The `Debug` output shows nothing that was typed.
#[derive(Debug)]
pub enum UssdInput {
    /// Dialed; this is the dial string in whatever spelling, or empty where the gateway does not say. What is behind the
    /// channel's code is cut out of it by the service.
    Dialed(Secret),
    /// Dialed; these segments, joined by `*`, were behind the code.
    DialedBehindCode(Secret),
    /// Typed this line (gateways that send only the latest one).
    Latest(Secret),
    /// Typed something, or dialed something behind the code; this is everything so far, joined by `*`. Not to be split: an
    /// answer may contain `*`.
    Cumulative(Secret),
    /// Typed this line if the dialog is known, and dialed it if it is not: the gateway does not say which.
    DialedOrLatest(Secret),
}

impl UssdInput {
    /// Whether it begins a dialog, as far as it says by itself.
    pub fn begins_dialog(&self) -> bool {
        matches!(self, Self::Dialed(_) | Self::DialedBehindCode(_))
    }
}

/// Fields of a request that its reply repeats unchanged, or is addressed by. They may identify a person, so that `Debug`
/// shows their names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Echo(Vec<(&'static str, String)>);

impl Echo {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// In the order in which they were added.
    pub fn fields(&self) -> &[(&'static str, String)] {
        &self.0
    }
}

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The gateway reports that a dialog has ended. Its `Debug` shows as little as that of a [`UssdCallback`].
pub struct DialogEndNotice {
    /// The gateway's id of the dialog.
    pub dialog: String,
    pub caller: Caller,
    pub end: DialogEnd,
    pub echo: Echo,
}

impl fmt::Debug for DialogEndNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialogEndNotice")
            .field("caller", &self.caller)
            .field("end", &self.end)
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

/// Why a request is not served as one.
#[derive(Debug, PartialEq, Eq)]
pub enum UssdRefusal {
    /// Its signature is wrong, its caller is a stranger, or it is nothing that this gateway sends: it gets the uniform 404.
    NotYours,
    /// It is this gateway's, and cannot be understood: somebody may be waiting, so that it gets a screen that ends the
    /// dialog, with what could be read for the echo.
    Misread { why: ParseError, echo: Echo },
}

impl From<ParseError> for UssdRefusal {
    fn from(why: ParseError) -> Self {
        Self::Misread {
            why,
            echo: Echo::default(),
        }
    }
}

/// What a gateway is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UssdReply<'a> {
    /// Show this and wait for an answer.
    Continue {
        text: &'a str,
        /// The same screen as a title and options, where nothing but the options can be answered; for gateways that show
        /// options in their own way.
        menu: Option<ScreenMenu<'a>>,
    },
    /// Show this and end the dialog.
    End { text: &'a str },
    /// Answers a [`UssdRequest::DialogEnd`] that said this.
    Acknowledged(DialogEnd),
    /// Answers a [`UssdRequest::Probe`].
    Probed { open: bool },
    /// The request was taken; the screen follows by [`UssdCarrier::deliver`].
    Taken,
}

/// A screen whose options are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenMenu<'a> {
    /// What is said above them; may be empty.
    pub title: &'a str,
    /// Keys and labels, those for more and back included.
    pub options: Vec<(&'a str, &'a str)>,
}

impl<'a> From<&'a TurnReply> for UssdReply<'a> {
    fn from(reply: &'a TurnReply) -> Self {
        let text = reply.text.as_str();
        if reply.end {
            return Self::End { text };
        }
        let menu = reply.menu().map(|(title, options)| ScreenMenu { title, options });
        Self::Continue { text, menu }
    }
}

/// The deadlines and sizes of a gateway on one network; where one is unknown, that of [`UssdLimits::default`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UssdLimits {
    /// How long the gateway waits for our answer to one callback.
    pub turn: Duration,
    /// How long a dialog may last in total.
    pub dialog: Duration,
    /// How long a person may take to answer one screen.
    pub idle: Duration,
    /// The most GSM-7 septets of one answer, including the gateway's own prefix.
    pub out_septets: u16,
    /// The most characters a person can type at once.
    pub in_chars: u16,
    /// Which characters a screen may have.
    pub alphabet: ScreenAlphabet,
}

impl Default for UssdLimits {
    fn default() -> Self {
        Self {
            turn: Duration::from_secs(5),
            dialog: Duration::from_mins(2),
            idle: Duration::from_secs(20),
            out_septets: 140,
            in_chars: 80,
            alphabet: ScreenAlphabet::Gsm7,
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

/// A USSD gateway on one channel.
pub trait UssdGateway: Send + Sync {
    /// The name in the configuration.
    fn name(&self) -> &'static str;

    /// Septets of every answer that the gateway's own prefix takes (`CON `).
    fn overhead(&self) -> u16;

    fn limits(&self, network: Option<&str>) -> UssdLimits;

    /// Whether some of its requests name the dialog and no number. Then the service remembers whose each dialog is, which
    /// costs a write to the live store on every turn that brings a number.
    fn names_dialogs_only(&self) -> bool {
        false
    }

    /// Parses a request.
    ///
    /// # Errors
    /// Says what is wrong, and whether somebody may be waiting for a screen all the same.
    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, UssdRefusal>;

    /// Renders a reply, with the request's [`Echo`]; an empty one where the request broke everything.
    fn render(&self, reply: &UssdReply<'_>, echo: &Echo) -> WireReply;

    /// What it can do besides answering requests.
    fn carrier(&self) -> Option<&dyn UssdCarrier> {
        None
    }
}
