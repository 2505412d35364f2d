//! `[server]`: where the web server listens, and how the world reaches it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;
use url::Url;

use super::Mode;
use super::http_url::{URL_REMEDY, https_or_loopback};
use super::section::Section;
use crate::ambient::SystemClock;
use crate::certificate::CertificateFiles;
use crate::core::time::Clock as _;
use crate::service::networks::Networks;

#[derive(Debug, Serialize)]
pub struct ServerConfig {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL under which gateways, providers and people reach this server.
    pub public_url: Option<Url>,
    /// Proxies in front of us, whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted.
    pub trusted_proxies: Networks,
    /// TLS of our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<CertificateFiles>,
}

impl ServerConfig {
    /// The public URL, without a trailing slash.
    pub fn public_base_url(&self) -> Option<String> {
        let url = self.public_url.as_ref()?;
        Some(url.as_str().trim_end_matches('/').to_owned())
    }
}

pub(super) fn read(mut section: Section<'_>) -> Option<ServerConfig> {
    let listen = section.required(
        "listen",
        "say an address and a port, such as \"0.0.0.0:8080\"",
        |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| "is not an address with a port".to_owned())
        },
    );
    let public_url = section.parsed("public_url", URL_REMEDY, https_or_loopback);
    let trusted_proxies = section.networks("trusted_proxies");
    let tls = read_tls(section.section("tls"), public_url.as_ref());
    let open = listen.filter(|listen| section.mode() == Mode::Sandbox && !listen.ip().is_loopback());
    if open.is_some() {
        let problem = "is open to others, while the sandbox is for this machine only";
        section.report(
            "listen",
            problem,
            "say 127.0.0.1, or write a configuration file to go live",
        );
    }
    section.report_unknown_keys();
    Some(ServerConfig {
        listen: listen?,
        public_url,
        trusted_proxies,
        tls,
    })
}

/// `[server.tls]`: the files are read and checked, as they are at the start.
fn read_tls(mut section: Section<'_>, public_url: Option<&Url>) -> Option<CertificateFiles> {
    if !section.is_present() {
        return None;
    }
    let path = |text: &str| Ok(PathBuf::from(text));
    let cert_file = section.required(
        "cert_file",
        "name the file with the certificate and those that signed it",
        path,
    );
    let key_file = section.required("key_file", "name the file with the certificate's private key", path);
    let files = cert_file
        .zip(key_file)
        .map(|(cert_file, key_file)| CertificateFiles { cert_file, key_file });
    let now = SystemClock.now();
    if let Some(files) = &files {
        section.warn_of_readable_file("key_file", &files.key_file);
    }
    match files.as_ref().map(|files| files.load(now)) {
        Some(Err(error)) => section.report(
            error.key,
            format!("({}) {}", error.file.display(), error.problem),
            error.remedy,
        ),
        Some(Ok(loaded)) => {
            if loaded.ends_soon(now) {
                section.warn(
                    "cert_file",
                    "names a certificate that expires within seven days",
                    "renew it",
                );
            }
            let host = public_url.and_then(Url::host_str);
            if let Some(host) = host.filter(|host| !loaded.names(host)) {
                section.warn(
                    "cert_file",
                    format!("names a certificate that is not for {host}, the host of public_url"),
                    "ask for one that is",
                );
            }
        }
        None => {}
    }
    section.report_unknown_keys();
    files
}
