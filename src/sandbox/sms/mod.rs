//! A stand-in for an SMS gateway: Africa's Talking's messaging API over real HTTP, and a phone's inbox behind it.
//!
//! It takes texts as the original does, keeps them in an inbox for each number, and calls back with delivery reports and
//! with what "people" send, in the same forms. Inboxes are bounded: the oldest texts go, and so do the numbers that got
//! nothing for longest. What goes wrong is chosen by [`Switches`], in process or at `/__stand-in/switches`; both the phone
//! page and tests read the inboxes.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};
use tokio::sync::mpsc::unbounded_channel;

use crate::core::secret::Secret;
use crate::core::time::{Clock, Rng};

pub mod page;
mod poster;
mod routes;
mod state;

pub use state::{DeliveryReports, InboxSms, SmsDelivery, SmsFailure, SmsState, SmsSwitches};

/// What a stand-in is started with.
pub struct SmsStandInSettings {
    /// The user name it knows.
    pub username: String,
    /// The key it knows.
    pub key: Secret,
    /// The short code that texts can be sent to.
    pub number: String,
}

/// The stand-in for an SMS gateway.
pub struct SmsStandIn;

impl SmsStandIn {
    /// Starts it on a thread and a runtime of its own, and answers when it takes connections.
    ///
    /// # Errors
    /// When there is no port or no thread.
    pub fn start(settings: SmsStandInSettings, clock: Arc<dyn Clock>, entropy: Arc<dyn Rng>) -> io::Result<RunningSms> {
        let (outbox, posts) = unbounded_channel();
        let state = Arc::new(SmsState::new(settings, clock, entropy, outbox));
        RunningSms::start("sms-stand-in", 0, state, serve, |state| poster::deliver(state, posts))
    }
}

fn serve(listener: TcpListener, state: &Arc<SmsState>) -> io::Result<Server> {
    let data = web::Data::from(Arc::clone(state));
    Ok(
        HttpServer::new(move || App::new().app_data(data.clone()).configure(routes::configure))
            .workers(1)
            .disable_signals()
            .listen(listener)?
            .run(),
    )
}

/// A stand-in at work.
pub type RunningSms = super::running::RunningStandIn<SmsState>;
