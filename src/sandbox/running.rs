//! A stand-in at work: a small web server on a thread and a runtime of its own, beside the server it serves.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt;

/// A stand-in at work. Dropping it stops it at once, calls under way included.
pub struct RunningStandIn<S> {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its memory and controls.
    pub state: Arc<S>,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl<S: Send + Sync + 'static> RunningStandIn<S> {
    /// Starts it at this port of 127.0.0.1 (0 for any that is free), with what it does beside answering, and waits until
    /// it takes connections.
    ///
    /// # Errors
    /// When the port is taken or a thread cannot be started.
    pub(super) fn start<B: Future<Output = ()> + 'static>(
        name: &str,
        port: u16,
        state: Arc<S>,
        serve: impl FnOnce(TcpListener, &Arc<S>) -> io::Result<Server> + Send + 'static,
        beside: impl FnOnce(Arc<S>) -> B + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let addr = listener.local_addr()?;
        let (tell, told) = mpsc::channel();
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            rt::System::new().block_on(async move {
                match serve(listener, &shared) {
                    Ok(server) => {
                        rt::spawn(beside(shared));
                        drop(tell.send(Ok(server.handle())));
                        drop(server.await);
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let server = told.recv().map_err(io::Error::other)??;
        Ok(Self {
            addr,
            state,
            server,
            thread: Some(thread),
        })
    }
}

impl<S> RunningStandIn<S> {
    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl<S> Drop for RunningStandIn<S> {
    fn drop(&mut self) {
        // The command leaves when the call is made; what is returned only waits for it.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
