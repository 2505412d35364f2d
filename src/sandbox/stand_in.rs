//! What all stand-ins share: the web server on a thread of its own, and the state behind one lock.

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::{Extensions, Server, ServerHandle};
use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use futures_util::stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::core::time::{Clock, Rng, Timestamp};

/// A stand-in's memory `M` behind one lock, its clock and random numbers, and its queue of callbacks `C`.
pub(super) struct StandInCore<M, C> {
    memory: Mutex<M>,
    clock: Arc<dyn Clock>,
    pub(super) rng: Arc<dyn Rng>,
    queue: UnboundedSender<C>,
}

impl<M, C> StandInCore<M, C> {
    /// The core, and the receiving end of its queue.
    pub(super) fn new(memory: M, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> (Self, UnboundedReceiver<C>) {
        let (queue, queued) = unbounded_channel();
        let core = Self {
            memory: Mutex::new(memory),
            clock,
            rng,
            queue,
        };
        (core, queued)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, M> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn generate(&self, alphabet: &[u8], length: usize) -> String {
        let mut bytes = vec![0; length];
        self.rng.fill(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
            .collect()
    }

    pub(super) fn generate_hex(&self, length: usize) -> String {
        self.generate(b"0123456789abcdef", length)
    }

    pub(super) fn queue(&self, callback: C) {
        // The receiver lives as long as the stand-in's thread: when it is gone, nothing has to be sent any more.
        drop(self.queue.send(callback));
    }
}

/// A running stand-in. Dropping it stops it at once, even with calls in progress.
pub struct RunningStandIn<S> {
    pub addr: SocketAddr,
    pub state: Arc<S>,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl<S: Send + Sync + 'static> RunningStandIn<S> {
    /// Starts a stand-in at this port of 127.0.0.1 (0 for any free port) on a thread and a runtime of its own, runs
    /// `background` beside it, and returns when it accepts connections. `routes` find the state as `web::Data`.
    ///
    /// # Errors
    /// When the port is taken or a thread cannot be started.
    pub(super) fn start<B: Future<Output = ()> + 'static>(
        name: &str,
        port: u16,
        state: S,
        routes: fn(&mut ServiceConfig),
        background: impl FnOnce(Arc<S>) -> B + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let addr = listener.local_addr()?;
        let state = Arc::new(state);
        let (started_tx, started) = mpsc::channel();
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            rt::System::new().block_on(async move {
                match serve(listener, &shared, routes) {
                    Ok(server) => {
                        rt::spawn(background(shared));
                        drop(started_tx.send(Ok(server.handle())));
                        drop(server.await);
                    }
                    Err(error) => drop(started_tx.send(Err(error))),
                }
            });
        })?;
        let server = started.recv().map_err(io::Error::other)??;
        Ok(Self {
            addr,
            state,
            server,
            thread: Some(thread),
        })
    }
}

fn serve<S: Send + Sync + 'static>(
    listener: TcpListener,
    state: &Arc<S>,
    routes: fn(&mut ServiceConfig),
) -> io::Result<Server> {
    let data = Data::from(Arc::clone(state));
    Ok(
        HttpServer::new(move || App::new().app_data(data.clone()).configure(routes))
            .on_connect(keep_socket)
            .workers(1)
            .disable_signals()
            .listen(listener)?
            .run(),
    )
}

impl<S> RunningStandIn<S> {
    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl<S> Drop for RunningStandIn<S> {
    fn drop(&mut self) {
        // The stop command is sent by the call itself; the returned future only waits for it.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A second handle of a connection's socket, so that the connection can be reset.
struct RawSocket(OwnedFd);

fn keep_socket(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<rt::net::TcpStream>()
        && let Ok(handle) = stream.as_fd().try_clone_to_owned()
    {
        extensions.insert(RawSocket(handle));
    }
}

/// Resets the connection. Without lingering, closing the socket sends RST, and a body that fails at once makes the server
/// close it before the head of the response has left.
pub(super) fn reset(req: &HttpRequest) -> HttpResponse {
    if let Some(RawSocket(handle)) = req.conn_data::<RawSocket>()
        && let Ok(handle) = handle.try_clone()
        && let Ok(stream) = rt::net::TcpStream::from_std(handle.into())
    {
        // If this fails, the connection is closed in the ordinary way, still without an answer.
        drop(stream.set_zero_linger());
    }
    HttpResponse::Ok().streaming(stream::once(async {
        Err::<Bytes, _>(io::Error::other("reset on purpose"))
    }))
}
