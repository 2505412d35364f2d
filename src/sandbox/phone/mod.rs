//! Two phones for the sandbox: one in the browser, one in the terminal.
//!
//! Both take the place of the aggregator and the handset. They send a gateway's requests to the ordinary callback over
//! ordinary HTTP, so nothing in the product knows whether a person, a script or a telco is calling:
//!
//! ```text
//!  browser  /phone ──┐   sessionId, phoneNumber, networkCode, serviceCode, text      ┌──────────────┐
//!                    ├─▶ POST /ussd/sandbox/sandbox           CON … | END …  ◀────── │ the channel  │
//!  terminal phone ───┘   POST /ussd/sandbox/sandbox/events    after the dialog       └──────────────┘
//! ```
//!
//! They also enforce the gateway's limits: an answer after the turn's deadline is dropped and the dialog is reported as
//! failed, a dialog that exceeds its limit is cut, and an invalid answer ends the session. So a journey that works here works
//! within the limits, not only in principle.
//!
//! * [`dialect`]: the gateways that they can speak as;
//! * [`facts`]: what the page needs to know about the channel;
//! * [`page`]: the routes of the browser phone;
//! * [`handset`]: dialling, answering and hanging up over a [`callback_client::CallbackClient`];
//! * [`script`]: journeys as plain text, which people and tests can both read;
//! * [`player`]: plays them on a handset;
//! * [`terminal`]: the phone one line at a time.

use async_trait::async_trait;

pub mod args;
pub mod callback_client;
pub mod dialect;
pub mod facts;
pub mod handset;
pub mod page;
pub mod player;
pub mod script;
pub mod terminal;

/// Reads a subscriber's connect session, for the page that shows what the server sees.
#[async_trait]
pub trait SessionInspector: Send + Sync {
    /// Rows `{"label": …, "value": …}` (a JSON array, both strings) for the number `msisdn`, in the order to show them;
    /// `None` for an unknown number. Everything that was typed must be masked.
    async fn describe(&self, msisdn: &str) -> Option<serde_json::Value>;
}
