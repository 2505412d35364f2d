//! The one HTTP client, for gateways, providers and webhooks.
//!
//! A bank login is not an ordinary request: sent twice it can lock a customer out, sent elsewhere it gives the password
//! away. So this client follows no redirect (a 307 would post the body to another host), never retries by itself, uses no
//! proxy from the environment, sends no referer, and speaks TLS 1.2 or later only, except to a loopback address.
//!
//! Every request ends in one of three ways. An [`OutboundResponse`], whatever its status. [`OutboundError::NotSent`] when
//! no byte of the request can have left: the name did not resolve, the connection was refused or not made in time, the TLS
//! handshake failed. [`OutboundError::Unknown`] for the rest, a silent server and a reset connection among them: the
//! request may have been carried out.
//!
//! Requests made with [`OutboundRequest::on_fresh_connection`] get a connection of their own. A pooled connection may have
//! been closed by the other side a moment ago, which is noticed only by writing to it, and then nobody can say whether the
//! request was read. HTTP/1.1 for the same reason: where many requests share one connection, one reset leaves all of them
//! unknown.
//!
//! Webhooks go to addresses that partners name; the client for those is [`ssrf_safe`]. The load generator has connections of
//! its own (`persistent`), to this machine only unless it is told otherwise.
//!
//! Request bodies are wiped when they are dropped. What the TLS and socket layers copied is beyond our reach.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, redirect, retry, tls};
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

use self::base_url::is_loopback;
use self::retry_after::retry_after;
use crate::ambient::SystemClock;
use crate::core::time::Clock as _;

pub mod base_url;
#[cfg(feature = "sandbox")]
pub mod persistent;
mod retry_after;
pub mod ssrf_safe;
pub mod webhook;

/// The most bytes of a response that are read unless the request says otherwise.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The initial size of a form's buffer in bytes: ten SMS parts, percent-encoded, and their addresses.
const FORM_CAPACITY: usize = 16 * 1024;

#[derive(Clone, Debug)]
pub struct HttpClientOptions {
    /// Root certificates (PEM, one or more) trusted in addition to those of the system.
    pub extra_roots: Option<Vec<u8>>,
    /// How long name resolution, connection and TLS handshake may take together.
    pub connect_timeout: Duration,
}

impl Default for HttpClientOptions {
    fn default() -> Self {
        Self {
            extra_roots: None,
            connect_timeout: Duration::from_secs(3),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpClientError {
    #[error("the extra root certificates are not PEM certificates")]
    BadRoots,
    /// Most often the system has no root certificates.
    #[error("TLS could not be set up: are there root certificates on this system?")]
    NoTls,
}

/// The client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct HttpClient {
    pooled: reqwest::Client,
    /// Makes a new connection for each request.
    unpooled: reqwest::Client,
}

impl HttpClient {
    /// Builds the client and makes aws-lc-rs the process's TLS provider if none is set yet.
    ///
    /// # Errors
    /// When the root certificates given are unreadable, or there are none at all.
    pub fn new(options: &HttpClientOptions) -> Result<Self, HttpClientError> {
        let build = |idle: usize| {
            let builder = configured_builder(options)?.pool_max_idle_per_host(idle);
            builder.build().map_err(|error| client_error(&error))
        };
        Ok(Self {
            pooled: build(16)?,
            unpooled: build(0)?,
        })
    }

    /// Sends one request, once.
    ///
    /// # Errors
    /// When there is no complete response within the request's timeout and size limit.
    pub async fn send(&self, call: OutboundRequest) -> Result<OutboundResponse, OutboundError> {
        let Some(headers) = call.headers else {
            return Err(OutboundError::NotSent("a header cannot be written"));
        };
        if call.url.scheme() != "https" && !is_loopback(&call.url) {
            return Err(OutboundError::NotSent("only https may leave this machine"));
        }
        let client = if call.fresh_connection {
            &self.unpooled
        } else {
            &self.pooled
        };
        let mut request = client
            .request(call.method, call.url)
            .headers(headers)
            .timeout(call.timeout);
        if let Some(body) = call.body {
            request = request.body(bytes::Bytes::from_owner(body));
        }
        let response = request.send().await.map_err(|error| error_without_response(&error))?;
        read_response(response, call.limit).await
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// Makes aws-lc-rs the process's TLS provider if none is set yet.
fn configured_builder(options: &HttpClientOptions) -> Result<reqwest::ClientBuilder, HttpClientError> {
    // Fails only when a provider is already installed, which is just as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let roots = match &options.extra_roots {
        None => Vec::new(),
        Some(pem) => reqwest::Certificate::from_pem_bundle(pem)
            .ok()
            .filter(|roots| !roots.is_empty())
            .ok_or(HttpClientError::BadRoots)?,
    };
    Ok(base_builder()
        .connect_timeout(options.connect_timeout)
        .tls_certs_merge(roots))
}

#[expect(clippy::disallowed_methods, reason = "the one place where a client is built")]
fn base_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .tcp_nodelay(true)
        .tls_version_min(tls::Version::TLS_1_2)
        .user_agent(concat!("kiungo/", env!("CARGO_PKG_VERSION")))
}

fn client_error(error: &reqwest::Error) -> HttpClientError {
    // A root certificate is read only when the client is built; the kind of error tells the two reasons apart.
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_)) => HttpClientError::BadRoots,
        _ => HttpClientError::NoTls,
    }
}

/// A request. Has no `Debug`: it carries keys and what people typed.
pub struct OutboundRequest {
    method: Method,
    url: Url,
    /// `None` once a header or the body could not be written.
    headers: Option<HeaderMap>,
    body: Option<Zeroizing<Vec<u8>>>,
    timeout: Duration,
    limit: usize,
    fresh_connection: bool,
}

impl OutboundRequest {
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    fn new(method: Method, url: Url) -> Self {
        let accept = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
        Self {
            method,
            url,
            headers: Some(accept),
            body: None,
            timeout: Duration::from_secs(15),
            limit: BODY_LIMIT,
            fresh_connection: false,
        }
    }

    /// Adds a header, marked as sensitive so that no layer below prints it.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers = self.headers.and_then(|mut headers| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
            Some(headers)
        });
        self
    }

    /// Sets a JSON body, which is wiped when the request is over.
    #[must_use]
    pub fn json(self, body: Zeroizing<Vec<u8>>) -> Self {
        self.body("application/json", body)
    }

    /// Sets a form as the body, which is wiped when the request is over.
    #[must_use]
    pub fn form(self, fields: &impl Serialize) -> Self {
        // Large enough for every form we send, so that a growing buffer leaves no copies of secrets behind.
        let mut form = url::form_urlencoded::Serializer::new(String::with_capacity(FORM_CAPACITY));
        match fields.serialize(serde_urlencoded::Serializer::new(&mut form)) {
            Ok(form) => {
                let body = Zeroizing::new(form.finish().into_bytes());
                self.body("application/x-www-form-urlencoded", body)
            }
            // Fails only for what is not a list of fields; then the request is not sent.
            Err(_) => Self { headers: None, ..self },
        }
    }

    fn body(mut self, kind: &'static str, body: Zeroizing<Vec<u8>>) -> Self {
        self.headers = self.headers.map(|mut headers| {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            headers
        });
        self.body = Some(body);
        self
    }

    /// How long the whole request may take, from name resolution to the last byte of the response.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The most bytes of the response that are read.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Uses a new connection, so that it is never in doubt whether the other side had already closed it.
    #[must_use]
    pub fn on_fresh_connection(mut self) -> Self {
        self.fresh_connection = true;
        self
    }
}

pub struct OutboundResponse {
    pub status: u16,
    /// `Retry-After`, at most a day.
    pub retry_after: Option<Duration>,
    /// The body as received; may hold codes and account numbers.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for OutboundResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no response. Never names the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// No byte of the request left this machine.
    #[error("nothing was sent: {0}")]
    NotSent(&'static str),
    /// The request may have been carried out.
    #[error("no answer: {0}")]
    Unknown(&'static str),
}

fn error_without_response(error: &reqwest::Error) -> OutboundError {
    if error.is_builder() {
        OutboundError::NotSent("the request cannot be written")
    } else if error.is_connect() {
        OutboundError::NotSent(if error.is_dns() {
            "the name does not resolve"
        } else if tls_error(error).is_some() {
            "the TLS handshake failed"
        } else if error.is_timeout() {
            "no connection in time"
        } else {
            "no connection"
        })
    } else if error.is_timeout() {
        OutboundError::Unknown("no answer in time")
    } else {
        OutboundError::Unknown("the connection was lost")
    }
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    error_source(error)
}

/// The first error of type `T` in the chain of sources.
fn error_source<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(reason) = error.downcast_ref() {
            return Some(reason);
        }
        // `io::Error::source` skips the very error it wraps.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

async fn read_response(mut response: reqwest::Response, limit: usize) -> Result<OutboundResponse, OutboundError> {
    const TOO_LONG: OutboundError = OutboundError::Unknown("the answer is too long");
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced)
        .ok()
        .filter(|n| *n <= limit)
        .ok_or(TOO_LONG)?;
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers(), SystemClock.now());
    // Room for the announced length, so that a growing buffer leaves no copies of secrets behind; but an announcement
    // alone is not trusted with more than this.
    let mut body = Zeroizing::new(Vec::with_capacity(announced.min(64 * 1024)));
    while let Some(chunk) = response.chunk().await.map_err(|error| error_in_body(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(TOO_LONG);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(OutboundResponse {
        status,
        retry_after,
        body,
    })
}

fn error_in_body(error: &reqwest::Error) -> OutboundError {
    if error.is_timeout() {
        OutboundError::Unknown("no complete answer in time")
    } else {
        OutboundError::Unknown("the answer broke off")
    }
}
