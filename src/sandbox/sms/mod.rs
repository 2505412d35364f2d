//! A stand-in for an SMS gateway: Africa's Talking's messaging API over real HTTP, and a phone's inbox behind it.
//!
//! It takes texts as the original does, keeps them in an inbox for each number, and calls back with delivery reports and
//! with what "people" send, in the same forms. Inboxes are bounded: the oldest texts go, and so do the numbers that got
//! nothing for longest. What goes wrong is chosen by [`Switches`], in process or at `/__stand-in/switches`; both the phone
//! page and tests read the inboxes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, rt, web};
use tokio::sync::mpsc::unbounded_channel;

use crate::core::secret::Secret;
use crate::core::time::{Clock, Entropy};

pub mod page;
mod poster;
mod routes;
mod state;

pub use state::{Delivery, Reports, State, Switches, Text, Trouble};

/// What a stand-in is started with.
pub struct StandInSettings {
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
    pub fn start(settings: StandInSettings, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> io::Result<Running> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let (outbox, posts) = unbounded_channel();
        let state = Arc::new(State::new(settings, clock, entropy, outbox));
        let shared = Arc::clone(&state);
        let (tell, told) = mpsc::channel();
        let thread = thread::Builder::new().name("sms-stand-in".to_owned()).spawn(move || {
            rt::System::new().block_on(async move {
                match serve(listener, &shared) {
                    Ok(server) => {
                        rt::spawn(poster::deliver(shared, posts));
                        drop(tell.send(Ok(server.handle())));
                        drop(server.await);
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let server = told.recv().map_err(io::Error::other)??;
        Ok(Running {
            addr,
            state,
            server,
            thread: Some(thread),
        })
    }
}

fn serve(listener: TcpListener, state: &Arc<State>) -> io::Result<Server> {
    let data = web::Data::from(Arc::clone(state));
    Ok(
        HttpServer::new(move || App::new().app_data(data.clone()).configure(routes::configure))
            .workers(1)
            .disable_signals()
            .listen(listener)?
            .run(),
    )
}

/// A stand-in at work. Dropping it stops it at once.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its memory and controls.
    pub state: Arc<State>,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The command leaves when the call is made; what is returned only waits for it.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
