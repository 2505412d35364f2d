//! `[server]`: where the web server listens, and how the world reaches it.

use std::net::SocketAddr;

use serde::Serialize;
use url::Url;

use super::Mode;
use super::http_url::{URL_REMEDY, https_or_loopback};
use super::section::Section;
use crate::service::networks::Networks;

#[derive(Debug, Serialize)]
pub struct ServerConfig {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL under which gateways, providers and people reach this server.
    pub public_url: Option<Url>,
    /// Proxies in front of us, whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Networks,
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
    })
}
