//! One connection of HTTP/1.1 that stays open, for a load generator: it shares its processors with the server that it
//! measures, so it must cost little, and it must know which connection a request used.
//!
//! Nothing personal is sent by it: unlike [`super::HttpClient`] it wipes nothing and speaks no TLS.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
pub use hyper::Uri;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

/// The most bytes of an answer that are read; a screen has a few hundred.
const ANSWER_LIMIT: usize = 64 * 1024;

/// There was no whole answer. The request may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was lost")]
pub struct ConnectionLost;

pub struct PersistentConnection {
    sender: SendRequest<Full<Bytes>>,
}

impl PersistentConnection {
    /// Connects, on the current runtime.
    ///
    /// # Errors
    /// When nobody accepts.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends with the sender. What it fails with, the request in flight is told.
        Handle::current().spawn(connection);
        Ok(Self { sender })
    }

    /// Whether the other side has left it open, as far as can be known before a request is sent.
    pub async fn is_open(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Posts a form to a path of `host`; the status and the body.
    ///
    /// # Errors
    /// When there is no whole answer, or it is longer than 64 KiB.
    pub async fn post_form(&mut self, host: &str, path: &Uri, form: String) -> Result<(u16, Bytes), ConnectionLost> {
        let request = Request::post(path.clone())
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form))
            .map_err(|_| ConnectionLost)?;
        let response = self.sender.send_request(request).await.map_err(|_| ConnectionLost)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
        Ok((status, body.map_err(|_| ConnectionLost)?.to_bytes()))
    }
}
