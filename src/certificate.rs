//! The certificate of our own TLS listener: read from files, checked, and read again when they change.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use x509_parser::time::ASN1Time;
use zeroize::Zeroizing;

use crate::core::time::{Clock, Timestamp};

/// How often the files are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(5);
/// A certificate that ends sooner is told of.
const ENDS_SOON: Duration = Duration::from_hours(7 * 24);
/// How often that is told.
const TELL_EVERY: Duration = Duration::from_hours(24);

/// Where the certificate is, with those that it is signed by, and its key; both as PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateFiles {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

/// Why a pair of files cannot be used, with the key of the configuration that names the one at fault.
#[derive(Debug)]
pub struct CertificateError {
    /// `cert_file` or `key_file`.
    pub key: &'static str,
    pub file: PathBuf,
    pub problem: String,
    pub remedy: &'static str,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; {}", self.file.display(), self.problem, self.remedy)
    }
}

/// A pair that can be used now.
pub struct LoadedCertificate {
    pair: Arc<CertifiedKey>,
    /// Until when.
    until: Timestamp,
    /// Of what both files hold.
    digest: [u8; 32],
}

impl LoadedCertificate {
    /// Whether it will not do for much longer.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        now.plus(ENDS_SOON) >= self.until
    }

    /// Whether it is for a server of this name.
    pub fn names(&self, host: &str) -> bool {
        let name = ServerName::try_from(host).ok();
        let parsed = self
            .pair
            .end_entity_cert()
            .ok()
            .and_then(|cert| ParsedCertificate::try_from(cert).ok());
        name.zip(parsed)
            .is_some_and(|(name, cert)| rustls::client::verify_server_name(&cert, &name).is_ok())
    }
}

impl CertificateFiles {
    /// Reads and checks both.
    ///
    /// # Errors
    /// When a file cannot be read, holds something else, the key is another certificate's, or the time is not the
    /// certificate's.
    pub fn load(&self, now: Timestamp) -> Result<LoadedCertificate, CertificateError> {
        let (cert, key) = (self.read("cert_file")?, self.read("key_file")?);
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
            self.error(
                "cert_file",
                "holds no certificate",
                "put the certificate there as PEM, its own first, then those that signed it",
            )
        })?;
        let (from, until) = validity(&chain[0]).ok_or_else(|| {
            self.error(
                "cert_file",
                "holds a certificate that cannot be read",
                "ask for another one",
            )
        })?;
        let signing = PrivateKeyDer::from_pem_slice(&key)
            .ok()
            .and_then(|key| rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).ok())
            .ok_or_else(|| {
                self.error(
                    "key_file",
                    "holds no private key that can be used",
                    "put the key there as PEM, without a password",
                )
            })?;
        let pair = CertifiedKey::new(chain, signing);
        if pair.keys_match().is_err() {
            return Err(self.error(
                "key_file",
                "is not the key of the certificate in cert_file",
                "name two files that were issued together",
            ));
        }
        if now >= until {
            return Err(self.error(
                "cert_file",
                &format!("expired {}", date(until)),
                "renew the certificate",
            ));
        }
        if now < from {
            return Err(self.error(
                "cert_file",
                &format!("is good from {} only", date(from)),
                "wait, or look at this machine's clock",
            ));
        }
        Ok(LoadedCertificate {
            pair: Arc::new(pair),
            until,
            digest: digest(&cert, &key),
        })
    }

    fn path(&self, key: &str) -> &Path {
        if key == "key_file" {
            &self.key_file
        } else {
            &self.cert_file
        }
    }

    fn read(&self, key: &'static str) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
        let text = fs::read(self.path(key)).map(Zeroizing::new);
        text.map_err(|error: io::Error| self.error(key, &format!("cannot be read ({error})"), "name a readable file"))
    }

    fn error(&self, key: &'static str, problem: &str, remedy: &'static str) -> CertificateError {
        CertificateError {
            key,
            file: self.path(key).to_owned(),
            problem: problem.to_owned(),
            remedy,
        }
    }
}

fn date(at: Timestamp) -> String {
    chrono::DateTime::from_timestamp_millis(at.as_millis())
        .map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string())
}

fn digest(cert: &[u8], key: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(Sha256::digest(cert))
        .chain_update(Sha256::digest(key))
        .finalize()
        .into()
}

/// The certificate that is shown to those who connect.
pub struct ServerCertificate {
    files: CertificateFiles,
    clock: Arc<dyn Clock>,
    shown: RwLock<LoadedCertificate>,
}

/// What the log was told already of the files and of the end.
#[derive(Default)]
pub struct WatchLog {
    fault: Option<String>,
    end: Option<Timestamp>,
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificate")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown().pair.clone())
    }
}

impl ServerCertificate {
    /// # Errors
    /// When the files cannot be used.
    pub fn open(files: CertificateFiles, clock: Arc<dyn Clock>) -> Result<Self, CertificateError> {
        let shown = RwLock::new(files.load(clock.now())?);
        Ok(Self { files, clock, shown })
    }

    fn shown(&self) -> RwLockReadGuard<'_, LoadedCertificate> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the files again, and shows what they hold if it is another certificate. Says whether it is.
    ///
    /// # Errors
    /// When the files cannot be used: the one that is shown stays.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        let found = self.files.load(self.clock.now())?;
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let changed = shown.pair.cert != found.pair.cert;
        *shown = found;
        Ok(changed)
    }

    /// Whether the files hold something else than is shown.
    fn has_news(&self) -> bool {
        let read = |key| self.files.read(key).unwrap_or_default();
        self.shown().digest != digest(&read("cert_file"), &read("key_file"))
    }

    /// Reloads whenever the files change, and tells when what is shown ends soon, until told to stop.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let (mut ticks, mut told) = (interval(WATCH_EVERY), WatchLog::default());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.look(&mut told);
        }
    }

    /// What is done each time.
    pub fn look(&self, told: &mut WatchLog) {
        self.follow(told);
        self.tell_of_end(told);
    }

    /// Shows what the files hold. What is no good is tried again, for it may become so: by a file that is still being
    /// written, or by the time.
    fn follow(&self, told: &mut WatchLog) {
        if !self.has_news() {
            told.fault = None;
            return;
        }
        match self.reload() {
            Ok(changed) => tracing::info!(changed, "the certificate's files have changed and are in use"),
            Err(error) => {
                let error = error.to_string();
                if told.fault.as_ref() != Some(&error) {
                    tracing::error!(
                        error,
                        "the certificate's files have changed and cannot be used: the old certificate is still shown"
                    );
                    told.fault = Some(error);
                }
            }
        }
    }

    fn tell_of_end(&self, told: &mut WatchLog) {
        let now = self.clock.now();
        let until = {
            let shown = self.shown();
            shown.ends_soon(now).then_some(shown.until)
        };
        let Some(until) = until else {
            told.end = None;
            return;
        };
        if told.end.is_none_or(|at| now >= at.plus(TELL_EVERY)) {
            told.end = Some(now);
            let until = date(until);
            tracing::warn!(
                until,
                "the certificate that is shown ends: renew it, and put it in the same files"
            );
        }
    }
}

/// From when until when a certificate is good.
fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let at = |time: ASN1Time| Some(Timestamp::from_millis(time.timestamp().checked_mul(1000)?));
    let validity = certificate.validity();
    Some((at(validity.not_before)?, at(validity.not_after)?))
}
