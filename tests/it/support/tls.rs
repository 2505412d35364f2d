//! Certificates of every kind, and a TLS server that shows them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::tcp::end_of_request;

/// A certificate with its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// A certificate authority of ours.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its root certificate.
    pub pem: String,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate for `host`, ending with the year before `until`.
    pub fn issue(&self, host: &str, until: i32) -> Identity {
        let (certificate, key) = self.sign(host, 2015, until);
        Identity {
            chain: vec![certificate.der().clone()],
            key: key.into(),
        }
    }

    /// Such a certificate and its key as files hold them.
    pub fn issue_pem(&self, host: &str, until: i32) -> (String, String) {
        self.issue_pem_from(host, 2015, until)
    }

    /// One that is good from the first day of a year.
    pub fn issue_pem_from(&self, host: &str, from: i32, until: i32) -> (String, String) {
        let (certificate, key) = self.sign(host, from, until);
        (certificate.pem(), key.serialize_pem())
    }

    fn sign(&self, host: &str, from: i32, until: i32) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// A server that answers every request over TLS with a small JSON object.
pub struct TlsServer {
    /// Its port.
    pub port: u16,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Serves in a thread of its own until the test process ends.
    pub fn start(identity: Identity, versions: &'static [&'static rustls::SupportedProtocolVersion]) -> Self {
        static PROVIDER: OnceLock<Arc<rustls::crypto::CryptoProvider>> = OnceLock::new();
        let provider = PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain, identity.key)
            .unwrap();
        let (config, requests) = (Arc::new(config), Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let counted = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut tls = rustls::StreamOwned::new(connection, stream.unwrap());
                let mut request = Vec::new();
                let mut chunk = [0; 4096];
                while end_of_request(&request).is_none_or(|end| request.len() < end) {
                    match tls.read(&mut chunk) {
                        Ok(n) if n > 0 => request.extend_from_slice(&chunk[..n]),
                        _ => break,
                    }
                }
                if end_of_request(&request).is_some_and(|end| request.len() >= end) {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let _ = tls
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"ok\":true}");
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
            }
        });
        Self { port, requests }
    }

    /// How many whole requests it has read.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
