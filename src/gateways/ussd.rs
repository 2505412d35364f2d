//! The USSD port: how an aggregator calls us and wants its answer.
//!
//! A gateway is a pair of pure functions over plain data, `parse` and `render`, with its deadlines and sizes as data beside
//! them. It knows nothing of storage, menus, retries or the web server, so header replies, events on a path of their own
//! and asynchronous replies all fit: the last differ only in the [`ReplySink`] that a reply is given to.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{ParseError, RawRequest, WireReply};
use crate::core::budget::Deadlines;
use crate::core::flow::state::TurnReply;
use crate::core::flow::turn_context::TurnEvent;
use crate::core::msisdn::Msisdn;

#[derive(Debug)]
pub enum UssdRequest {
    /// A person is waiting for a screen.
    Turn(UssdCallback),
    /// A notification: nobody is waiting, and no screen may be sent.
    DialogEnd(DialogEndNotice),
}

/// One turn: a person dialed or typed, and waits for a screen. Its `Debug` shows nothing that identifies the person or what
/// was typed: some gateways put the number into the dialog id or want it echoed, and all send what was dialed.
pub struct UssdCallback {
    /// The gateway's id of the dialog. Opaque; some gateways reuse it after a day.
    pub dialog: String,
    pub msisdn: Msisdn,
    /// The operator's network code as the gateway spells it, if it sends one.
    pub network: Option<String>,
    /// The code that was dialed, as the gateway spells it.
    pub service_code: Option<String>,
    pub input: TurnEvent,
    /// The gateway's id of this turn, if it has one: the same when it retries the turn, different for every other turn of
    /// the dialog. It distinguishes a retry from the same key pressed twice.
    pub turn_id: Option<String>,
    /// Fields that the reply must echo unchanged (name, value).
    pub echo: Vec<(String, String)>,
}

impl fmt::Debug for UssdCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UssdCallback")
            .field("msisdn", &self.msisdn)
            .field("network", &self.network)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

/// The gateway reports that a dialog has ended. Its `Debug` shows as little as that of a [`UssdCallback`].
pub struct DialogEndNotice {
    /// The gateway's id of the dialog.
    pub dialog: String,
    /// Whose dialog it was, if the notice says.
    pub msisdn: Option<Msisdn>,
    pub end: DialogEnd,
}

impl fmt::Debug for DialogEndNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialogEndNotice")
            .field("msisdn", &self.msisdn)
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

/// A USSD gateway.
pub trait UssdGateway: Send + Sync {
    /// The name in the configuration.
    fn name(&self) -> &'static str;

    /// Where replies go if they travel in a request that we make; the answer to the callback is then only an
    /// acknowledgement. `None`: the reply is the answer.
    fn sink(&self) -> Option<Box<dyn ReplySink>> {
        None
    }

    /// Septets of every answer that the gateway's own prefix takes (`CON `).
    fn overhead(&self) -> u16;

    fn limits(&self, network: Option<&str>) -> UssdLimits;

    /// Parses a request.
    ///
    /// # Errors
    /// Names what is wrong; the caller still answers with a screen that ends the dialog.
    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, ParseError>;

    /// Renders a reply, with the callback's [`UssdCallback::echo`]. `None` acknowledges a notice.
    fn render(&self, reply: Option<&TurnReply>, echo: &[(String, String)]) -> WireReply;
}

/// Delivers replies to a gateway that wants them in a request of their own.
#[async_trait]
pub trait ReplySink: Send {
    /// Sends the reply. A failure is not an error of the turn: the reply is stored, and a retry gets it.
    async fn deliver(self: Box<Self>, reply: WireReply);
}
