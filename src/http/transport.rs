//! How requests come: over TLS of our own, from a trusted proxy that has taken them over TLS, or from this machine.
//!
//! What is sent here is worth stealing, passwords above all, and who sends it in clear has shown it to everybody on the way
//! already. So whatever comes otherwise is answered as if nothing were there, before anything of it is looked at: somebody
//! sets it up wrongly once, and sees it at once. Probes and metrics carry no secret and are for one's own network.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderValue, STRICT_TRANSPORT_SECURITY};
use actix_web::middleware::Next;
use rustls::ServerConfig;
use tokio::io;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

use super::{not_found_response, request_log};
use crate::certificate::ServerCertificate;
use crate::service::networks::Networks;

/// How long a client may take to agree on TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Browsers keep to https for a year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// How often the log tells of requests in clear.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// What requests may come over.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// For TLS of our own.
    pub certificate: Option<Arc<ServerCertificate>>,
    /// Whether requests in clear from elsewhere are refused: everywhere but in the sandbox.
    pub refuse_plain: bool,
}

/// A connection, with TLS or without.
pub(super) type ServerStream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl Transport {
    /// # Errors
    /// When the TLS library has no versions in common with itself; not in practice.
    pub(super) fn acceptor(&self) -> io::Result<Option<TlsAcceptor>> {
        let Some(certificate) = self.certificate.clone() else {
            return Ok(None);
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}

/// Agrees on TLS, where there is any, unless the connection is closed for another one meanwhile.
pub(super) async fn secure(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    closed: CancellationToken,
) -> io::Result<ServerStream> {
    let Some(acceptor) = acceptor else {
        return Ok(Either::Left(stream));
    };
    let agreed = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream));
    let agreed = closed.run_until_cancelled_owned(agreed).await;
    let agreed = agreed.ok_or_else(|| io::Error::other("its place was needed"))?;
    Ok(Either::Right(Box::new(agreed.map_err(io::Error::other)??)))
}

/// Refuses what comes in clear, and says over TLS of ours that there is nothing else.
pub(super) struct TransportCheck {
    transport: Transport,
    proxies: Networks,
    told: Mutex<Option<Instant>>,
}

impl TransportCheck {
    pub(super) fn new(transport: Transport, proxies: Networks) -> Self {
        Self {
            transport,
            proxies,
            told: Mutex::new(None),
        }
    }

    pub(super) async fn check<B: MessageBody>(
        self: Arc<Self>,
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<EitherBody<B>>, Error> {
        if !self.admits(&request) {
            self.tell();
            return Ok(request.into_response(not_found_response()).map_into_right_body());
        }
        let mut response = next.call(request).await?;
        if self.transport.certificate.is_some() {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HSTS);
        }
        Ok(response.map_into_left_body())
    }

    fn admits(&self, request: &ServiceRequest) -> bool {
        let open = [request_log::LIVE, request_log::READY, request_log::METRICS];
        !self.transport.refuse_plain
            || self.transport.certificate.is_some()
            || open.contains(&request.path())
            || came_safely(request.peer_addr(), request.headers(), &self.proxies)
    }

    fn tell(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            *told = Some(Instant::now());
            tracing::warn!(
                "requests over plain HTTP from elsewhere are refused: set [server.tls], or list the proxy that takes them over \
                 TLS in trusted_proxies and let it send X-Forwarded-Proto"
            );
        }
    }
}

/// Whether a request without TLS of ours was in clear on this machine only, as far as we know. A trusted proxy has to say
/// that it took it over TLS; one on this machine may say nothing.
fn came_safely(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &Networks) -> bool {
    let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else {
        return false;
    };
    let said = proxies.contains(peer).then(|| schemes(headers));
    match said.as_deref() {
        Some([]) | None => peer.is_loopback(),
        Some(schemes) => schemes.iter().all(|scheme| scheme.eq_ignore_ascii_case("https")),
    }
}

/// How the nearest proxy was called, by each of the headers that say so: what stands at the right end, since everything left
/// of it may be the client's invention.
fn schemes(headers: &HeaderMap) -> Vec<String> {
    let last = |name: &str| {
        let line = headers.get_all(name).last()?.to_str().ok()?;
        line.rsplit(',').next().map(str::trim)
    };
    let forwarded = last("forwarded").and_then(|hop| {
        hop.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("proto")
                .then(|| value.trim().trim_matches('"'))
        })
    });
    let proto = last("x-forwarded-proto");
    [proto, forwarded].into_iter().flatten().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use rustls::server::ResolvesServerCertUsingSni;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// Who says nothing, not even what TLS begins with, makes room at once, and is gone: its descriptor too.
    #[tokio::test]
    async fn a_silent_handshake_makes_room_at_once() {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth();
        let config = config.with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let (closed, began) = (CancellationToken::new(), Instant::now());
        let acceptor = Some(TlsAcceptor::from(Arc::new(config)));
        let agreed = secure(stream, acceptor, closed.clone());
        let needed = async {
            tokio::task::yield_now().await;
            closed.cancel();
        };
        let (agreed, ()) = tokio::join!(agreed, needed);
        assert!(agreed.is_err() && began.elapsed() < HANDSHAKE_TIMEOUT);
        assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
    }

    /// A trusted proxy has to say https in every header that it might have set, and nobody else is believed.
    #[test]
    fn only_trusted_proxies_say_https() {
        let proxies = Networks::parse(&["10.0.0.0/8".to_owned(), "127.0.0.2".to_owned()]).unwrap();
        let proto = |value| ("x-forwarded-proto", value);
        let forwarded = |value| ("forwarded", value);
        for (peer, headers, want) in [
            ("203.0.113.5:1", &[][..], false),
            ("203.0.113.5:1", &[proto("https")], false),
            ("203.0.113.5:1", &[forwarded("proto=https")], false),
            ("127.0.0.1:1", &[], true),
            ("[::1]:1", &[], true),
            ("[::ffff:127.0.0.1]:1", &[], true),
            // Not listed, so what it says says nothing.
            ("127.0.0.1:1", &[proto("http")], true),
            ("127.0.0.2:1", &[], true),
            ("127.0.0.2:1", &[proto("https")], true),
            ("127.0.0.2:1", &[proto("http")], false),
            ("10.0.0.1:1", &[], false),
            ("[::ffff:10.0.0.1]:1", &[proto("https")], true),
            ("10.0.0.1:1", &[proto("HTTPS")], true),
            ("10.0.0.1:1", &[proto("http")], false),
            ("10.0.0.1:1", &[proto("")], false),
            // The client's invention, to which the proxy has added the truth.
            ("10.0.0.1:1", &[proto("https, http")], false),
            ("10.0.0.1:1", &[proto("https"), proto("http")], false),
            ("10.0.0.1:1", &[proto("http, https")], true),
            (
                "10.0.0.1:1",
                &[forwarded("for=192.0.2.7;proto=https;by=10.0.0.1")],
                true,
            ),
            ("10.0.0.1:1", &[forwarded("for=192.0.2.7; Proto=\"https\"")], true),
            (
                "10.0.0.1:1",
                &[forwarded("proto=https, for=192.0.2.7;proto=http")],
                false,
            ),
            ("10.0.0.1:1", &[forwarded("for=192.0.2.7")], false),
            // One of them is the client's.
            ("10.0.0.1:1", &[proto("http"), forwarded("proto=https")], false),
            ("10.0.0.1:1", &[proto("https"), forwarded("proto=http")], false),
        ] {
            let request = TestRequest::default().peer_addr(peer.parse().unwrap());
            let request = headers
                .iter()
                .fold(request, |request, line| request.append_header(*line));
            let request = request.to_http_request();
            assert_eq!(
                came_safely(request.peer_addr(), request.headers(), &proxies),
                want,
                "{peer} {headers:?}"
            );
        }
        assert!(!came_safely(
            None,
            TestRequest::default().to_http_request().headers(),
            &proxies
        ));
    }
}
