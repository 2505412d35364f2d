//! A stand-in for Mono's Partners API: the same calls in both versions over real HTTP, with invented banks.
//!
//! It follows what Mono documents and what public clients were seen to rely on. Where sources are silent or disagree,
//! the behaviour is a switch ([`Switches`]). What happens is chosen in three ways: by the institution, since each has
//! its own form and pace; by what is typed ([`guide`]), which works on any phone; and by the switches, through the
//! [`State`] or `/__stand-in/…` over HTTP.
//!
//! Choices of our own, where nothing is published: an account exists from the moment a login ends in 99 and is listed
//! by `GET /v2/accounts` from then on (or from the exchange, by switch); its `meta.session_id` names the session;
//! a session takes logins until one is granted; three wrong codes end it; a caller that goes away after its whole
//! body has arrived does not stop the login. Linking one bank account twice gives two account ids, as documented.
//!
//! What really happened stands in the [`CallLog`], which tests hold against what the product believes.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};
use tokio::sync::mpsc::unbounded_channel;

use crate::core::secret::Secret;
use crate::core::time::{Clock, Rng};

mod accounts;
mod answer;
mod call_log;
mod control;
mod forms;
mod guide;
mod institutions;
mod linking;
mod login_rules;
mod people;
mod poster;
mod routes;
mod scenario;
mod sessions;
mod state;
mod switches;
mod webhooks;

pub use call_log::{
    AccountEntry, CallLog, GrantEntry, MonoVersion, SubmitEntry, SubmitOutcome, UnlinkEntry, WebhookEntry,
};
pub use guide::{GuideRow, InputPlace, guide};
pub use people::sha256_hex;
pub use poster::{CallbackRequest, CallbackSender, plain as plain_poster};
pub use scenario::{ANSWERS, OTP, WRONG_SECRETS};
pub use state::MonoState;
pub use switches::{
    AccountSession, AccountVisibility, DataStatus, DelayRange, ExchangeShape, FailureRule, Latency, ListShape,
    MonoCall, MonoFailure, MonoSwitches, ReauthMode, WebhookMode,
};
pub use webhooks::WebhookOverrides;

/// The key the stand-in knows unless told otherwise.
pub const KEY: &str = "test_sk_standin";
/// The application id its first version wants.
pub const APP: &str = "6a5eed0000000000000000d1";
/// The secret its webhooks carry unless told otherwise.
pub const WEBHOOK_SECRET: &str = "stand-in-webhook-secret";

/// What a stand-in is started with.
pub struct MonoStandInSettings {
    /// The port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// The values of `mono-sec-key` it knows. Each is a business of its own: none sees the accounts of another.
    pub keys: Vec<Secret>,
    /// What its webhooks carry in `mono-webhook-secret`.
    pub webhook_secret: Secret,
    /// How webhooks are sent.
    pub poster: CallbackSender,
    /// How long to wait before each repeat of a webhook that was not answered 200; none after the last.
    pub webhook_retries: Vec<Duration>,
    /// How the switches stand at first. Where webhooks go is one of them.
    pub switches: MonoSwitches,
}

impl Default for MonoStandInSettings {
    fn default() -> Self {
        Self {
            port: 0,
            keys: vec![Secret::new(KEY)],
            webhook_secret: Secret::new(WEBHOOK_SECRET),
            poster: plain_poster(),
            webhook_retries: [1, 5, 30].map(Duration::from_secs).to_vec(),
            switches: MonoSwitches::default(),
        }
    }
}

/// The stand-in for Mono.
pub struct MonoStandIn;

impl MonoStandIn {
    /// Starts it on a thread and a runtime of its own, and answers when it takes connections.
    ///
    /// # Errors
    /// When the port is taken or a thread cannot be started.
    pub fn start(
        settings: MonoStandInSettings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Rng>,
    ) -> io::Result<RunningMono> {
        let (outbox, plans) = unbounded_channel();
        let state = Arc::new(MonoState::new(state::Parts {
            switches: settings.switches,
            keys: settings.keys.iter().map(|key| key.expose().to_owned()).collect(),
            app: APP.to_owned(),
            webhook_secret: settings.webhook_secret.expose().to_owned(),
            clock,
            entropy,
            outbox,
        }));
        let (poster, retries) = (settings.poster, settings.webhook_retries.into());
        RunningMono::start("mono-stand-in", settings.port, state, serve, move |state| {
            webhooks::deliver(state, plans, poster, retries)
        })
    }
}

fn serve(listener: TcpListener, state: &Arc<MonoState>) -> io::Result<Server> {
    let data = web::Data::from(Arc::clone(state));
    let app = move || {
        App::new()
            .app_data(data.clone())
            .configure(routes::configure)
            .configure(control::configure)
    };
    Ok(HttpServer::new(app)
        .on_connect(routes::keep_socket)
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run())
}

/// A stand-in at work.
pub type RunningMono = super::running::RunningStandIn<MonoState>;
