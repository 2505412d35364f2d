//! The client for URLs that others name: it connects to the public internet only, whatever a name resolves to.
//!
//! A name is resolved here, once for each connection, and every address is checked. One address that is not public blocks
//! the name: anyone who names both a public and a private address means the private one. The connection is made to the
//! addresses that were checked, so a name that resolves differently the next time gains nothing. Connections are not
//! pooled, so each is checked. In all else it is the client of [`super`]: it follows no redirect, and uses no proxy, which
//! would resolve names by itself.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::retry_after::retry_after;
use super::{
    HttpClientError, HttpClientOptions, OutboundRequest, client_error, configured_builder, error_source, tls_error,
};
use crate::ambient::SystemClock;
use crate::core::public_address::PublicAddressPolicy;
use crate::core::time::Clock as _;

/// How many bytes of a response's body are read, to let the other side finish; they are discarded.
const MAX_BODY_READ: usize = 64 * 1024;

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of `name`.
    ///
    /// # Errors
    /// When there are none, or nobody answers.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

pub struct SsrfSafeClient {
    client: reqwest::Client,
    policy: PublicAddressPolicy,
    resolver: Arc<dyn Resolver>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryResponse {
    pub status: u16,
    /// `Retry-After`, at most a day.
    pub retry_after: Option<Duration>,
}

/// Why there is no response. Never names the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The URL leads to an address that is not public, or is not https.
    #[error("the address is not public")]
    Blocked,
    #[error("the name does not resolve")]
    NameNotFound,
    #[error("no connection")]
    NoConnection,
    /// The certificate is not valid, or no TLS version is shared.
    #[error("the TLS handshake failed")]
    TlsFailed,
    #[error("no answer in time")]
    Timeout,
    /// The connection was lost, or the response was not HTTP.
    #[error("the connection was lost")]
    ConnectionLost,
}

impl DeliveryError {
    /// The stable code that partners see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "address_blocked",
            Self::NameNotFound => "name_not_found",
            Self::NoConnection => "no_connection",
            Self::TlsFailed => "tls_failed",
            Self::Timeout => "timeout",
            Self::ConnectionLost => "connection_lost",
        }
    }
}

impl SsrfSafeClient {
    /// Builds a client that connects only to addresses that `policy` allows, as `resolver` finds them.
    ///
    /// # Errors
    /// When the root certificates given are unreadable, or there are none at all.
    pub fn new(
        options: &HttpClientOptions,
        policy: PublicAddressPolicy,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, HttpClientError> {
        let client = configured_builder(options)?
            .pool_max_idle_per_host(0)
            .dns_resolver(PublicAddressResolver {
                policy,
                resolver: Arc::clone(&resolver),
            })
            .build()
            .map_err(|error| client_error(&error))?;
        Ok(Self {
            client,
            policy,
            resolver,
        })
    }

    /// Whether this URL leads to an address that may not be called. A name that cannot be resolved now is not blocked: it
    /// is checked again whenever something is sent.
    pub async fn is_blocked(&self, url: &Url) -> bool {
        if !self.policy.allows_url(url) {
            return true;
        }
        let Some(Host::Domain(name)) = url.host() else {
            return false;
        };
        match tokio::time::timeout(LOOKUP_TIMEOUT, self.resolver.addresses(name)).await {
            Ok(Ok(found)) => found.iter().any(|address| !self.policy.allows_address(*address)),
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Sends one request, once, and reads the head of the response.
    ///
    /// # Errors
    /// When there is none within the request's timeout, or the address may not be called.
    pub async fn send(&self, call: OutboundRequest) -> Result<DeliveryResponse, DeliveryError> {
        // An address in the URL is not resolved, so the resolver would not check it.
        if !self.policy.allows_url(&call.url) {
            return Err(DeliveryError::Blocked);
        }
        let headers = call.headers.ok_or(DeliveryError::ConnectionLost)?;
        let mut request = self
            .client
            .request(call.method, call.url)
            .headers(headers)
            .timeout(call.timeout);
        if let Some(body) = call.body {
            request = request.body(bytes::Bytes::from_owner(body));
        }
        let mut response = request.send().await.map_err(|error| delivery_error(&error))?;
        let receipt = DeliveryResponse {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers(), SystemClock.now()),
        };
        // The status decides, even if the body does not end in time.
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            if read > MAX_BODY_READ {
                break;
            }
        }
        Ok(receipt)
    }
}

fn delivery_error(error: &reqwest::Error) -> DeliveryError {
    if error_source::<AddressNotPublic>(error).is_some() {
        DeliveryError::Blocked
    } else if tls_error(error).is_some() {
        DeliveryError::TlsFailed
    } else if error.is_dns() {
        DeliveryError::NameNotFound
    } else if error.is_timeout() {
        DeliveryError::Timeout
    } else if error.is_connect() {
        DeliveryError::NoConnection
    } else {
        DeliveryError::ConnectionLost
    }
}

#[derive(Debug, thiserror::Error)]
#[error("an address is not public")]
struct AddressNotPublic;

/// Returns only addresses that were checked.
struct PublicAddressResolver {
    policy: PublicAddressPolicy,
    resolver: Arc<dyn Resolver>,
}

impl Resolve for PublicAddressResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, resolver) = (self.policy, self.resolver.clone());
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            if found.iter().any(|address| !policy.allows_address(*address)) {
                return Err(AddressNotPublic.into());
            }
            // The port is the URL's.
            let found: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}
