//! Two phones for the sandbox: one in the browser, one in the terminal.
//!
//! Both stand where the aggregator and the handset stand. They speak Africa's Talking's form dialect to the ordinary
//! callback over ordinary HTTP, so that nothing in the product knows whether a person, a script or a telco is calling:
//!
//! ```text
//!  browser  /phone ──┐   sessionId, phoneNumber, networkCode, serviceCode, text      ┌──────────────┐
//!                    ├─▶ POST /ussd/sandbox/sandbox           CON … | END …  ◀────── │ the channel  │
//!  terminal phone ───┘   POST /ussd/sandbox/sandbox/events    after the dialog       └──────────────┘
//! ```
//!
//! They keep the gateway's side of the bargain too: an answer later than the turn's deadline is thrown away and the
//! dialog is reported as failed, a dialog older than its limit is cut, a screen that is no answer ends the session. A
//! journey that works here therefore works inside the limits, not only in principle.
//!
//! * [`facts`]: what the page needs to know of the channel;
//! * [`page`]: the routes of the browser phone;
//! * [`handset`]: dialling, answering and hanging up over a [`line::Line`];
//! * [`script`]: journeys as plain text, which people and tests can both read;
//! * [`player`]: plays them on a handset;
//! * [`terminal`]: the phone one line at a time.

use async_trait::async_trait;

pub mod args;
pub mod callback_client;
pub mod facts;
pub mod handset;
pub mod page;
pub mod player;
pub mod script;
mod septets;
pub mod terminal;

/// Looks at a person's connect session for the page that shows what the server sees.
#[async_trait]
pub trait SessionView: Send + Sync {
    /// Rows `{"label": …, "value": …}` (a JSON array, both strings) for the number `msisdn`, in the order to show them;
    /// `None` when nothing is known of it. Everything that was typed must be masked before it gets here.
    async fn describe(&self, msisdn: &str) -> Option<serde_json::Value>;
}
