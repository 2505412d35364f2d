//! A stand-in for Mono's Partners API: the same calls in both versions over real HTTP, with invented banks.
//!
//! It follows what Mono documents and what public clients rely on. Where sources are silent or disagree, the behaviour is a
//! switch ([`MonoSwitches`]). What happens is chosen in three ways: by the institution, because each has its own form and
//! speed; by what is typed ([`guide()`]), which works on any phone; and by the switches, in process through [`MonoState`] or
//! over HTTP at `/__stand-in/…`.
//!
//! Our own choices, where nothing is published: an account exists as soon as a login ends in 99, and `GET /v2/accounts`
//! lists it from then on (or from the exchange, by switch); its `meta.session_id` is the session; a session accepts logins
//! until one is granted; three wrong codes end it; a caller that disconnects after its whole body has arrived does not stop
//! the login. Linking one bank account twice gives two account ids, as documented.
//!
//! The [`CallLog`] records what really happened, and tests compare it with what the product believes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::core::secret::Secret;
use crate::core::time::{Clock, Rng};

use super::callbacks::{CallbackSender, http_callback_sender};
use super::stand_in::{RunningStandIn, StandInCore};

mod accounts;
mod answer;
mod call_log;
mod customers;
mod forms;
mod guide;
mod institutions;
mod linking;
mod login_rules;
mod routes;
mod scenario;
mod sessions;
mod state;
mod switches;
mod webhooks;

pub use call_log::{
    AccountEntry, CallLog, GrantEntry, MonoVersion, SubmitEntry, SubmitOutcome, UnlinkEntry, WebhookEntry,
};
pub use customers::sha256_hex;
pub use guide::{GuideRow, InputPlace, guide};
pub use scenario::{ANSWERS, OTP, WRONG_SECRETS};
use state::MonoMemory;
pub use state::MonoState;
pub use switches::{
    AccountSession, AccountVisibility, DataStatus, DelayRange, ExchangeShape, FailureRule, Latency, ListShape,
    MonoCall, MonoFailure, MonoSwitches, ReauthMode, WebhookMode,
};
pub use webhooks::WebhookOverrides;

/// The default key.
pub const KEY: &str = "test_sk_standin";
/// The application id that the first version needs.
pub const APP: &str = "6a5eed0000000000000000d1";
/// The default secret of its webhooks.
pub const WEBHOOK_SECRET: &str = "stand-in-webhook-secret";

pub struct MonoStandInSettings {
    /// The port on 127.0.0.1; 0 for any free port.
    pub port: u16,
    /// The accepted values of `mono-sec-key`. Each is a separate business, which does not see the accounts of another.
    pub keys: Vec<Secret>,
    /// The header `mono-webhook-secret` of its webhooks.
    pub webhook_secret: Secret,
    pub callback_sender: CallbackSender,
    /// The waits before a webhook that is not answered with 200 is sent again.
    pub webhook_retries: Vec<Duration>,
    /// The switches at the start, which include the URL of webhooks.
    pub switches: MonoSwitches,
}

impl Default for MonoStandInSettings {
    fn default() -> Self {
        Self {
            port: 0,
            keys: vec![Secret::new(KEY)],
            webhook_secret: Secret::new(WEBHOOK_SECRET),
            callback_sender: http_callback_sender(),
            webhook_retries: [1, 5, 30].map(Duration::from_secs).to_vec(),
            switches: MonoSwitches::default(),
        }
    }
}

pub struct MonoStandIn;

impl MonoStandIn {
    /// Starts it; it accepts connections when this returns.
    ///
    /// # Errors
    /// When the port is taken or a thread cannot be started.
    pub fn start(settings: MonoStandInSettings, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> io::Result<RunningMono> {
        let memory = MonoMemory {
            switches: settings.switches,
            ..MonoMemory::default()
        };
        let (core, batches) = StandInCore::new(memory, clock, rng);
        let state = MonoState {
            core,
            keys: settings.keys,
            webhook_secret: settings.webhook_secret,
        };
        let (sender, retries) = (settings.callback_sender, settings.webhook_retries.into());
        RunningMono::start("mono-stand-in", settings.port, state, routes::configure, move |state| {
            webhooks::deliver(state, batches, sender, retries)
        })
    }
}

pub type RunningMono = RunningStandIn<MonoState>;
