//! Where the turns go.

use std::net::SocketAddr;

use url::{Position, Url};

use super::LoadError;
use crate::http_client::persistent::Uri;

/// A callback whose address was looked up once, so that no turn waits for that.
pub(super) struct Target {
    pub address: SocketAddr,
    /// As in the `Host` header.
    pub host: String,
    /// Path and query.
    pub path: Uri,
}

impl Target {
    /// Looks `url` up. It must be of this machine: every address of its name.
    pub async fn resolve(url: &str, allow_remote: bool) -> Result<Self, LoadError> {
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "http");
        let url = url.ok_or(LoadError::Address)?;
        let name = url.host_str().ok_or(LoadError::Address)?;
        let port = url.port_or_known_default().ok_or(LoadError::Address)?;
        // The brackets of an IPv6 address are the URL's.
        let bare = name.trim_matches(['[', ']']);
        let found = tokio::net::lookup_host((bare, port)).await;
        let found: Vec<_> = found
            .map_err(|error| LoadError::Unresolved(name.to_owned(), error))?
            .collect();
        let elsewhere = found.iter().map(|address| address.ip().to_canonical());
        match elsewhere.into_iter().find(|ip| !ip.is_loopback()) {
            Some(address) if !allow_remote => {
                let host = name.to_owned();
                return Err(LoadError::NotLoopback { host, address });
            }
            _ => {}
        }
        Ok(Self {
            address: *found.first().ok_or(LoadError::Address)?,
            host: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            path: url[Position::BeforePath..Position::AfterQuery]
                .parse()
                .map_err(|_| LoadError::Address)?,
        })
    }
}
